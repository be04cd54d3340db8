/**
 * AWS's vehicle registration sample for Node.js step by step (qldb-compat 7.3), told by this process' environment alone
 * where the server is: AWS_ENDPOINT_URL, NODE_EXTRA_CA_CERTS, keys, region. Run by sample-sequence.client.test.ts. The
 * statements are those of the sample, the data and the checks are ours: hashes are recomputed by ion-hash-js.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  GetRoleCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import { QLDB } from '@aws-sdk/client-qldb'
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { QldbDriver, type TransactionExecutor } from 'amazon-qldb-driver-nodejs'
import { cryptoHasherProvider, makeHashReader } from 'ion-hash-js'
import { type dom, dumpBinary, dumpText, dom as ionDom, load, loadAll, makeReader } from 'ion-js'

const ledgerName = 'vehicle-registration'
// No options: the environment has them all.
const qldb = new QLDB({})
const s3 = new S3Client({})
const iam = new IAMClient({})
const sts = new STSClient({})
let driver: QldbDriver

type Hash = Uint8Array

const vins = ['1N4AL11D75C109151', 'KM8SRDHF6EU074761', '3HGGK5G53FM761765', '1HVBBAANXWH544237']
const people = ['Raul', 'Brent', 'Alexis', 'Melvin'].map((FirstName, no) => ({
  FirstName,
  LastName: `Last${no}`,
  DOB: new Date(Date.UTC(1963 + no, 7, 19)),
  Address: `${no} Example Street`,
  GovId: `GOV-${no}`,
  GovIdType: 'Driver License',
}))
let personIds: string[] = []

function transact<T>(work: (transaction: TransactionExecutor) => Promise<T>): Promise<T> {
  return driver.executeLambda(work)
}

async function run(statement: string, ...parameters: unknown[]): Promise<dom.Value[]> {
  return transact(async (tx) => (await tx.execute(statement, ...parameters)).getResultList())
}

/** Five minutes, for a slow and busy machine. */
const attemptCountMax = 12_000

/** Polls as the sample does, only sooner. */
async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < attemptCountMax; attempt++) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`${what} does not come`)
}

const untilActive = (Name: string) =>
  until(`ledger ${Name}`, async () => {
    const ledger = await qldb.describeLedger({ Name })
    return ledger.State === 'ACTIVE' ? ledger : undefined
  })

const untilGone = (Name: string) =>
  until(`the end of ${Name}`, async () => {
    try {
      await qldb.describeLedger({ Name })
      return undefined
    } catch (error) {
      assert.equal((error as Error).name, 'ResourceNotFoundException')
      return true
    }
  })

// ---- hashes, as the sample's verifier computes them ----

function dot(a: Hash, b: Hash): Hash {
  if (a.length === 0) return b
  if (b.length === 0) return a
  for (let i = 31; i >= 0; i--) {
    const difference = (((a[i] as number) << 24) >> 24) - (((b[i] as number) << 24) >> 24)
    if (difference === 0) continue
    const joined = difference < 0 ? Buffer.concat([a, b]) : Buffer.concat([b, a])
    return createHash('sha256').update(joined).digest()
  }
  return a
}

function ionHash(value: dom.Value): Hash {
  const reader = makeHashReader(makeReader(dumpBinary(value)), cryptoHasherProvider('sha256'))
  reader.next()
  reader.next()
  return reader.digest()
}

const bytesOf = (value: dom.Value | null | undefined): Hash =>
  value?.uInt8ArrayValue() ?? new Uint8Array(0)

function proofOf(text: string | undefined): Hash[] {
  return (load(text ?? '[]')?.elements() ?? []).map((each) => bytesOf(each))
}

const rootOf = (leaf: Hash, proof: readonly Hash[]): Hash => proof.reduce(dot, leaf)

function flipBit(hash: Hash): Hash {
  const flipped = Uint8Array.from(hash)
  const at = Math.floor(Math.random() * flipped.length)
  flipped[at] = (flipped[at] as number) ^ (1 << Math.floor(Math.random() * 8))
  return flipped
}

// ---- the steps ----

const steps: [name: string, step: () => Promise<unknown>][] = [
  ['1 list ledgers', async () => assert.deepEqual((await qldb.listLedgers({})).Ledgers, [])],
  [
    '2 create a ledger',
    async () => {
      const created = await qldb.createLedger({ Name: ledgerName, PermissionsMode: 'ALLOW_ALL' })
      assert.equal(created.State, 'CREATING')
      await untilActive(ledgerName)
      driver = new QldbDriver(ledgerName)
    },
  ],
  [
    '3 describe it',
    async () => {
      const ledger = await qldb.describeLedger({ Name: ledgerName })
      assert.equal(ledger.DeletionProtection, true)
      assert.match(ledger.Arn ?? '', /:ledger\/vehicle-registration$/)
    },
  ],
  ['4 tags', tags],
  ['5 deletion protection', deletionProtection],
  [
    '6 create four tables in one transaction',
    () =>
      transact(async (tx) => {
        const tables = ['VehicleRegistration', 'Vehicle', 'Person', 'DriversLicense']
        // Not awaited one by one, as in the sample.
        await Promise.all(tables.map((table) => tx.execute(`CREATE TABLE ${table}`)))
      }),
  ],
  ['7 list the tables', async () => assert.equal((await driver.getTableNames()).length, 4)],
  [
    '8 create six indexes in one transaction',
    () =>
      transact(async (tx) => {
        await Promise.all(
          [
            'CREATE INDEX on Person (GovId)',
            'CREATE INDEX on Vehicle (VIN)',
            'CREATE INDEX on VehicleRegistration (VIN)',
            'CREATE INDEX on VehicleRegistration (LicensePlateNumber)',
            'CREATE INDEX on DriversLicense (PersonId)',
            'CREATE INDEX on DriversLicense (LicenseNumber)',
          ].map((statement) => tx.execute(statement)),
        )
      }),
  ],
  ['9 insert documents', insertDocuments],
  [
    '10 scan all tables',
    async () => {
      for (const table of await driver.getTableNames()) {
        assert.equal((await run(`SELECT * FROM ${table}`)).length, people.length)
      }
    },
  ],
  [
    '11 find vehicles by owner',
    async () => {
      const rows = await run(
        'SELECT Vehicle FROM Vehicle INNER JOIN VehicleRegistration AS r ON Vehicle.VIN = r.VIN ' +
          'WHERE r.Owners.PrimaryOwner.PersonId = ?',
        personIds[0],
      )
      assert.deepEqual(
        rows.map((row) => row.get('Vehicle', 'VIN')?.stringValue()),
        [vins[0]],
      )
    },
  ],
  ['12 register a licence', registerLicence],
  [
    '13 renew it: two assignments, two equal rows',
    async () => {
      const rows = await run(
        'UPDATE DriversLicense AS d SET d.ValidFromDate = ?, d.ValidToDate = ? WHERE d.LicenseNumber = ?',
        new Date(Date.UTC(2024, 0, 1)),
        new Date(Date.UTC(2028, 0, 1)),
        'NEW-1',
      )
      assert.equal(rows.length, 2)
      assert.equal(dumpText(rows[0]), dumpText(rows[1]))
    },
  ],
  [
    '14 delete it',
    async () => {
      const statement = 'DELETE FROM DriversLicense AS d WHERE d.LicenseNumber = ?'
      assert.equal((await run(statement, 'NEW-1')).length, 1)
    },
  ],
  [
    '15 transfer a vehicle',
    async () => {
      const statement =
        'UPDATE VehicleRegistration AS r SET r.Owners.PrimaryOwner = ? WHERE r.VIN = ?'
      assert.equal((await run(statement, { PersonId: personIds[1] }, vins[0])).length, 1)
    },
  ],
  [
    '16 add a secondary owner',
    async () => {
      const statement =
        "FROM VehicleRegistration AS v WHERE v.VIN = '1N4AL11D75C109151' " +
        'INSERT INTO v.Owners.SecondaryOwners VALUE ?'
      assert.equal((await run(statement, { PersonId: personIds[2] })).length, 1)
    },
  ],
  [
    '17 history of the last three months until a minute ago: nothing',
    async () => {
      const time = (ageMs: number) => `\`${new Date(Date.now() - ageMs).toISOString()}\``
      const statement =
        `SELECT data.VIN FROM history (VehicleRegistration, ${time(90 * 86_400_000)}, ` +
        `${time(60_000)}) AS h WHERE h.metadata.id = ?`
      assert.deepEqual(await run(statement, await documentId('VehicleRegistration', vins[0])), [])
    },
  ],
  ['18 Ion types, with tables made and dropped in one transaction', ionTypes],
  ['19 export the journal', exportJournal],
  ['20 digest, revision and block', proofs],
  ['21 redact a revision', redact],
  [
    '22 delete the ledger',
    async () => {
      driver.close()
      await qldb.updateLedger({ Name: ledgerName, DeletionProtection: false })
      await qldb.deleteLedger({ Name: ledgerName })
      await untilGone(ledgerName)
    },
  ],
]

async function tags(): Promise<void> {
  const Name = 'vehicle-registration-tags'
  const { Arn: ResourceArn } = await qldb.createLedger({
    Name,
    PermissionsMode: 'ALLOW_ALL',
    DeletionProtection: false,
    Tags: { IsTest: 'true', Domain: 'Test' },
  })
  const shown = async () => (await qldb.listTagsForResource({ ResourceArn })).Tags
  assert.deepEqual(await shown(), { IsTest: 'true', Domain: 'Test' })
  await qldb.untagResource({ ResourceArn, TagKeys: ['IsTest'] })
  await qldb.tagResource({ ResourceArn, Tags: { Domain: 'Prod' } })
  assert.deepEqual(await shown(), { Domain: 'Prod' })
  await qldb.deleteLedger({ Name })
  await untilGone(Name)
}

async function deletionProtection(): Promise<void> {
  const Name = 'deletion-demo'
  await qldb.createLedger({ Name, PermissionsMode: 'ALLOW_ALL', DeletionProtection: true })
  await untilActive(Name)
  await assert.rejects(qldb.deleteLedger({ Name }), {
    name: 'ResourcePreconditionNotMetException',
  })
  const updated = await qldb.updateLedger({ Name, DeletionProtection: false })
  assert.equal(updated.DeletionProtection, false)
  await qldb.deleteLedger({ Name })
}

function insertDocuments(): Promise<void> {
  return transact(async (tx) => {
    const inserted = await tx.execute('INSERT INTO Person ?', people)
    personIds = inserted.getResultList().map((row) => row.get('documentId')?.stringValue() ?? '')
    assert.equal(personIds.length, people.length)
    const registrations = vins.map((VIN, no) => ({
      VIN,
      LicensePlateNumber: `LP-${no}`,
      State: 'WA',
      PendingPenaltyTicketAmount: new ionDom.Decimal(`${90 + no}.25`),
      ValidFromDate: new Date(Date.UTC(2017, 7, 21)),
      Owners: { PrimaryOwner: { PersonId: personIds[no] }, SecondaryOwners: [] },
    }))
    const licences = personIds.map((PersonId, no) => ({
      PersonId,
      LicenseNumber: `L-${no}`,
      LicenseType: 'Learner',
    }))
    const vehicles = vins.map((VIN, no) => ({ VIN, Type: 'Sedan', Year: 2011 + no }))
    await tx.execute('INSERT INTO DriversLicense ?', licences)
    await tx.execute('INSERT INTO VehicleRegistration ?', registrations)
    await tx.execute('INSERT INTO Vehicle ?', vehicles)
  })
}

function registerLicence(): Promise<void> {
  return transact(async (tx) => {
    const person = { ...people[0], FirstName: 'Kate', GovId: 'GOV-9' }
    const found = await tx.execute('SELECT * FROM Person AS p WHERE p.GovId = ?', person.GovId)
    assert.equal(found.getResultList().length, 0)
    const [row] = (await tx.execute('INSERT INTO Person ?', person)).getResultList()
    const PersonId = row?.get('documentId')?.stringValue()
    const licence = { PersonId, LicenseNumber: 'NEW-1', LicenseType: 'Learner' }
    await tx.execute('INSERT INTO DriversLicense ?', licence)
  })
}

async function documentId(table: string, vin: string | undefined): Promise<string> {
  const [row] = await run(`SELECT id FROM ${table} AS t BY id WHERE t.VIN = ?`, vin)
  return row?.get('id')?.stringValue() ?? ''
}

function ionTypes(): Promise<void> {
  const values = [
    '{{ aGVsbG8= }}',
    'true',
    '{{"hello"}}',
    '0.1',
    '0.2e0',
    '1',
    '[1,2]',
    'null',
    '(1 2)',
    '"string"',
    '{a:1}',
    'abc',
    '2016-12-20T05:23:43.000001Z',
    'a::b::1',
    'null.string',
  ]
  return transact(async (tx) => {
    await tx.execute('CREATE TABLE IonTypes')
    await tx.execute('INSERT INTO IonTypes ?', { Name: load('null') })
    for (const text of values) {
      const value = load(text) as dom.Value
      await tx.execute('UPDATE IonTypes SET Name = ?', value)
      const rows = (await tx.execute('SELECT VALUE Name FROM IonTypes')).getResultList()
      assert.equal(rows.length, 1)
      assert.ok(rows[0]?.ionEquals(value), text)
    }
    await tx.execute('DELETE FROM IonTypes')
    await tx.execute('DROP TABLE IonTypes')
  })
}

async function exportJournal(): Promise<void> {
  const { Account } = await sts.send(new GetCallerIdentityCommand({}))
  const Bucket = `qldb-tutorial-journal-export-${Account}`
  await assert.rejects(s3.send(new HeadBucketCommand({ Bucket })), { name: 'NotFound' })
  await s3.send(new CreateBucketCommand({ Bucket }))
  const RoleArn = await createExportRole(Bucket)
  const { ExportId } = await qldb.exportJournalToS3({
    Name: ledgerName,
    InclusiveStartTime: new Date(Date.now() - 10 * 60_000),
    ExclusiveEndTime: new Date(),
    RoleArn,
    S3ExportConfiguration: {
      Bucket,
      Prefix: `${ledgerName}/`,
      EncryptionConfiguration: { ObjectEncryptionType: 'NO_ENCRYPTION' },
    },
  })
  await until('the export', async () => {
    const { ExportDescription } = await qldb.describeJournalS3Export({ Name: ledgerName, ExportId })
    return ExportDescription?.Status === 'COMPLETED' ? ExportDescription : undefined
  })
  const { JournalS3Exports } = await qldb.listJournalS3ExportsForLedger({ Name: ledgerName })
  assert.deepEqual(
    JournalS3Exports?.map((each) => each.ExportId),
    [ExportId],
  )
  await validateChain(Bucket, ExportId as string)
}

async function createExportRole(Bucket: string): Promise<string | undefined> {
  const RoleName = 'QLDBTutorialJournalExportRole'
  await assert.rejects(iam.send(new GetRoleCommand({ RoleName })), {
    name: 'NoSuchEntityException',
  })
  const statement = { Effect: 'Allow', Principal: { Service: ['qldb.amazonaws.com'] } }
  const trust = { Version: '2012-10-17', Statement: [{ ...statement, Action: ['sts:AssumeRole'] }] }
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }),
  )
  const allowed = {
    Effect: 'Allow',
    Action: ['s3:PutObject'],
    Resource: `arn:aws:s3:::${Bucket}/*`,
  }
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: 'QLDBTutorialJournalExportPolicy',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [allowed] }),
    }),
  )
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: Policy?.Arn }))
  return Role?.Arn
}

/** Reads the export as AWS's reader does, and checks each block's hash and the one before it. */
async function validateChain(Bucket: string, exportId: string): Promise<void> {
  const Prefix = `${ledgerName}/`
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }))
  const get = async (Key: string | undefined): Promise<dom.Value[]> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    return loadAll((await Body?.transformToByteArray()) ?? new Uint8Array(0))
  }
  const [started] = await get(`${Prefix}${exportId}.started.manifest`)
  assert.equal(started?.get('ledgerName')?.stringValue(), ledgerName)
  const completed = Contents.find(({ Key }) => Key?.endsWith('completed.manifest'))
  assert.ok(completed?.Key?.includes(exportId))
  const [manifest] = await get(completed?.Key)
  let previous: Hash | undefined
  let count = 0
  for (const key of manifest?.get('keys')?.elements() ?? []) {
    for (const block of await get(key.stringValue() ?? '')) {
      const before = bytesOf(block.get('previousBlockHash'))
      const hash = bytesOf(block.get('blockHash'))
      if (previous !== undefined) assert.deepEqual(Buffer.from(before), Buffer.from(previous))
      const computed = dot(bytesOf(block.get('entriesHash')), before)
      assert.deepEqual(Buffer.from(computed), Buffer.from(hash))
      previous = hash
      count++
    }
  }
  assert.ok(count >= 10, `${count} blocks`)
}

async function proofs(): Promise<void> {
  const rows = await run(
    'SELECT blockAddress, metadata.id FROM _ql_committed_VehicleRegistration WHERE data.VIN = ?',
    vins[0],
  )
  const [row] = rows
  const BlockAddress = { IonText: dumpText(row?.get('blockAddress')) }
  const DocumentId = row?.get('id')?.stringValue() as string
  const { Digest, DigestTipAddress } = await qldb.getDigest({ Name: ledgerName })
  const digest = Buffer.from(Digest ?? [])

  const { Revision, Proof } = await qldb.getRevision({
    Name: ledgerName,
    BlockAddress,
    DocumentId,
    DigestTipAddress,
  })
  const revision = load(Revision?.IonText ?? '') as dom.Value
  const leaf = dot(
    ionHash(revision.get('metadata') as dom.Value),
    ionHash(revision.get('data') as dom.Value),
  )
  const hash = bytesOf(revision.get('hash'))
  assert.deepEqual(Buffer.from(leaf), Buffer.from(hash))
  const proof = proofOf(Proof?.IonText)
  assert.deepEqual(Buffer.from(rootOf(hash, proof)), digest)
  assert.notDeepEqual(Buffer.from(rootOf(flipBit(hash), proof)), digest)
  for (const [no, node] of proof.entries()) {
    const altered = proof.with(no, flipBit(node))
    assert.notDeepEqual(Buffer.from(rootOf(hash, altered)), digest)
  }

  const answer = await qldb.getBlock({ Name: ledgerName, BlockAddress, DigestTipAddress })
  const block = load(answer.Block?.IonText ?? '') as dom.Value
  const blockHash = bytesOf(block.get('blockHash'))
  const blockProof = proofOf(answer.Proof?.IonText)
  assert.deepEqual(Buffer.from(rootOf(blockHash, blockProof)), digest)
  assert.notDeepEqual(Buffer.from(rootOf(flipBit(blockHash), blockProof)), digest)
}

async function redact(): Promise<void> {
  const id = await documentId('VehicleRegistration', vins[0])
  const statement = 'SELECT * FROM history(VehicleRegistration) AS h WHERE h.metadata.id = ?'
  const first = (await run(statement, id)).find(
    (row) => row.get('metadata', 'version')?.numberValue() === 0,
  )
  const address = first?.get('blockAddress') as dom.Value
  const names = await run(
    "SELECT VALUE tableId FROM information_schema.user_tables WHERE name = 'VehicleRegistration'",
  )
  const tableId = names[0]?.stringValue()
  const [row] = await run(`EXEC REDACT_REVISION ?, '${tableId}', '${id}'`, address)
  assert.equal(row?.get('documentId')?.stringValue(), id)
  assert.equal(row?.get('version')?.numberValue(), 0)
  const redacted = await until('the redaction', async () => {
    const revisions = await run(statement, id)
    return revisions.find((each) => each.get('dataHash') !== null && each.get('data') === null)
  })
  assert.deepEqual(
    Buffer.from(bytesOf(redacted.get('dataHash'))),
    Buffer.from(ionHash(first?.get('data') as dom.Value)),
  )
}

for (const [name, step] of steps) {
  await step().catch((cause: unknown) => {
    throw new Error(`step ${name}`, { cause })
  })
  console.log(name)
}
for (const client of [qldb, s3, iam, sts]) client.destroy()
