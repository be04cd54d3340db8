/** `@aws-sdk/client-qldb`, unmodified: ledgers, tags, digests, blocks, revisions, and every error with its details. */
import {
  CreateLedgerCommand,
  DeleteLedgerCommand,
  DescribeLedgerCommand,
  ExportJournalToS3Command,
  GetBlockCommand,
  GetDigestCommand,
  GetRevisionCommand,
  InvalidParameterException,
  LimitExceededException,
  ListJournalS3ExportsCommand,
  ListLedgersCommand,
  ListTagsForResourceCommand,
  paginateListLedgers,
  type QLDBClient,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  ResourcePreconditionNotMetException,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateLedgerCommand,
  UpdateLedgerPermissionsModeCommand,
} from '@aws-sdk/client-qldb'
import { dom, dumpBinary } from 'ion-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asDriverHash, driverHash } from './driver-hash.ts'
import { LiveServer } from './live-server.ts'
import { RawSession } from './raw-session.ts'

let live: LiveServer
let client: QLDBClient

beforeAll(async () => {
  live = await LiveServer.start({ ledgerLimits: { ledgerCountMax: 8 } })
  client = live.controlClient()
})

afterAll(async () => {
  expect(live.logged).toEqual([])
  await live.close()
})

// biome-ignore lint/suspicious/noExplicitAny: commands of every input and output type are sent through here.
const failure = async (command: any): Promise<unknown> =>
  client.send(command).then(
    () => 'none',
    (error: unknown) => error,
  )

describe('ledgers', () => {
  it('are created, described, updated, protected, deleted', async () => {
    const Name = 'vehicle-registration'
    const before = Date.now()
    const created = await client.send(
      new CreateLedgerCommand({ Name, PermissionsMode: 'ALLOW_ALL', Tags: { Domain: 'Test' } }),
    )
    expect(created).toMatchObject({
      Name,
      Arn: `arn:aws:qldb:us-east-1:000000000000:ledger/${Name}`,
      State: 'CREATING',
      PermissionsMode: 'ALLOW_ALL',
      DeletionProtection: true,
    })
    // The wire has seconds with a fraction; a second more is for the rounding of whoever gives none.
    const createdMs = created.CreationDateTime?.getTime() ?? 0
    expect(createdMs).toBeGreaterThan(before - 1000)
    expect(createdMs).toBeLessThan(Date.now() + 1000)
    const described = await client.send(new DescribeLedgerCommand({ Name }))
    expect(described).toMatchObject({
      Name,
      State: 'ACTIVE',
      CreationDateTime: created.CreationDateTime,
      PermissionsMode: 'ALLOW_ALL',
      DeletionProtection: true,
      EncryptionDescription: { KmsKeyArn: 'AWS_OWNED_KMS_KEY', EncryptionStatus: 'ENABLED' },
    })

    const refused = await failure(new DeleteLedgerCommand({ Name }))
    expect(refused).toBeInstanceOf(ResourcePreconditionNotMetException)
    expect(refused).toMatchObject({
      ResourceType: 'Ledger',
      ResourceName: Name,
      $metadata: { httpStatusCode: 412 },
    })

    const updated = await client.send(new UpdateLedgerCommand({ Name, DeletionProtection: false }))
    expect(updated).toMatchObject({ Name, DeletionProtection: false, State: 'ACTIVE' })
    const mode = await client.send(
      new UpdateLedgerPermissionsModeCommand({ Name, PermissionsMode: 'STANDARD' }),
    )
    expect(mode).toMatchObject({ Name, PermissionsMode: 'STANDARD' })

    await client.send(new DeleteLedgerCommand({ Name }))
    const gone = await failure(new DescribeLedgerCommand({ Name }))
    expect(gone).toBeInstanceOf(ResourceNotFoundException)
    expect(gone).toMatchObject({
      ResourceType: 'Ledger',
      ResourceName: Name,
      $metadata: { httpStatusCode: 404 },
    })
    await client.send(new CreateLedgerCommand({ Name, PermissionsMode: 'ALLOW_ALL' }))
  })

  it('have names of their own, of the right form, and a mode', async () => {
    const create = (Name: string, PermissionsMode = 'ALLOW_ALL') =>
      new CreateLedgerCommand({ Name, PermissionsMode: PermissionsMode as 'ALLOW_ALL' })
    await client.send(create('twice'))
    const twice = await failure(create('twice'))
    expect(twice).toBeInstanceOf(ResourceAlreadyExistsException)
    expect(twice).toMatchObject({ ResourceType: 'Ledger', ResourceName: 'twice' })
    for (const [command, parameter] of [
      [create('not_a_name'), 'Name'],
      [create('12'), 'Name'],
      [create('fine', 'SOME'), 'PermissionsMode'],
    ] as const) {
      const error = await failure(command)
      expect(error).toBeInstanceOf(InvalidParameterException)
      expect(error).toMatchObject({ ParameterName: parameter, $metadata: { httpStatusCode: 400 } })
    }
  })

  it('are listed in pages, and limited', async () => {
    let error: unknown = 'none'
    for (let i = 0; error === 'none'; i++) {
      error = await failure(
        new CreateLedgerCommand({ Name: `many-${i}`, PermissionsMode: 'ALLOW_ALL' }),
      )
    }
    expect(error).toBeInstanceOf(LimitExceededException)
    expect(error).toMatchObject({ ResourceType: 'Ledger' })

    const names: (string | undefined)[] = []
    for await (const page of paginateListLedgers({ client, pageSize: 3 }, {})) {
      expect(page.Ledgers?.length).toBeLessThanOrEqual(3)
      names.push(...(page.Ledgers ?? []).map(({ Name }) => Name))
    }
    const { Ledgers } = await client.send(new ListLedgersCommand({}))
    expect(Ledgers).toHaveLength(8)
    expect(names).toEqual(Ledgers?.map(({ Name }) => Name))
    const wrong = await failure(new ListLedgersCommand({ MaxResults: 101 }))
    expect(wrong).toMatchObject({ name: 'InvalidParameterException', ParameterName: 'MaxResults' })
  })
})

describe('tags', () => {
  it('are listed, overwritten, removed, through ARNs with a slash and colons', async () => {
    const Name = 'twice'
    const { Arn: ResourceArn } = await client.send(new DescribeLedgerCommand({ Name }))
    await client.send(new TagResourceCommand({ ResourceArn, Tags: { Domain: 'Test', 'a b': 'ä' } }))
    await client.send(new TagResourceCommand({ ResourceArn, Tags: { Domain: 'Prod' } }))
    const tags = async () =>
      (await client.send(new ListTagsForResourceCommand({ ResourceArn }))).Tags
    expect(await tags()).toEqual({ Domain: 'Prod', 'a b': 'ä' })
    await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['Domain', 'a b'] }))
    expect(await tags()).toEqual({})
    const wrong = await failure(new ListTagsForResourceCommand({ ResourceArn: 'no-arn' }))
    expect(wrong).toMatchObject({ name: 'InvalidParameterException', ParameterName: 'ResourceArn' })
  })
})

describe('proofs', () => {
  const Name = 'twice'
  const hashOf = (value: dom.Value) => driverHash(dumpBinary(value))

  /** Folds a proof as the AWS verifiers do; the operator orders its operands. */
  function fold(leaf: Uint8Array, proof: dom.Value): Uint8Array {
    let hash = asDriverHash(leaf)
    for (const element of proof.elements()) hash = hash.dot(asDriverHash(bytesOf(element)))
    return new Uint8Array(hash.getQldbHash())
  }

  function bytesOf(value: dom.Value | null | undefined): Uint8Array {
    const bytes = value?.uInt8ArrayValue()
    if (!bytes) throw new Error('no blob')
    return new Uint8Array(bytes)
  }

  function loadText(text: string | undefined): dom.Value {
    const value = dom.load(text ?? '')
    if (value === null) throw new Error('no Ion')
    return value
  }

  it('hold for a block and a revision, while a transaction is open', async () => {
    const session = await RawSession.start(live.sessionClient(), Name)
    await session.startTransaction()
    await session.execute('CREATE TABLE Vehicle')
    await session.execute('INSERT INTO Vehicle ?', { VIN: 'V1' })
    await session.commit()
    await session.startTransaction()
    const row = await session.execute(
      'SELECT * FROM _ql_committed_Vehicle WHERE data.VIN = ?',
      'V1',
    )
    const revisionSeen = dom.load(row.FirstPage?.Values?.[0]?.IonBinary ?? '')
    const address = { IonText: addressText(revisionSeen?.get('blockAddress')) }
    const DocumentId = revisionSeen?.get('metadata', 'id')?.stringValue() ?? ''

    // The second transaction is still open: digests and proofs do not wait for it.
    const { Digest, DigestTipAddress } = await client.send(new GetDigestCommand({ Name }))
    expect(Digest).toHaveLength(32)
    const block = await client.send(
      new GetBlockCommand({ Name, BlockAddress: address, DigestTipAddress }),
    )
    const blockValue = loadText(block.Block?.IonText)
    const blockHash = bytesOf(blockValue.get('blockHash'))
    expect(fold(blockHash, loadText(block.Proof?.IonText))).toEqual(Digest)

    const revision = await client.send(
      new GetRevisionCommand({ Name, BlockAddress: address, DocumentId, DigestTipAddress }),
    )
    const value = loadText(revision.Revision?.IonText)
    const [data, metadata] = [value.get('data'), value.get('metadata')]
    if (data === null || metadata === null) throw new Error('a revision without its parts')
    const revisionHash = new Uint8Array(hashOf(metadata).dot(hashOf(data)).getQldbHash())
    expect(revisionHash).toEqual(bytesOf(value.get('hash')))
    expect(fold(revisionHash, loadText(revision.Proof?.IonText))).toEqual(Digest)

    const flipped = revisionHash.with(0, (revisionHash[0] ?? 0) ^ 1)
    expect(fold(flipped, loadText(revision.Proof?.IonText))).not.toEqual(Digest)
    const unproven = await client.send(new GetBlockCommand({ Name, BlockAddress: address }))
    expect(unproven.Proof).toBeUndefined()
    await session.send({ EndSession: {} })
  })

  function addressText(address: dom.Value | null | undefined): string {
    const strandId = address?.get('strandId')?.stringValue()
    const sequenceNo = address?.get('sequenceNo')?.numberValue()
    // Spelled unlike the server does.
    return `{ sequenceNo : ${sequenceNo} , 'strandId' : "${strandId}" } // an address`
  }

  it('name what is wrong with a request', async () => {
    const { DigestTipAddress } = await client.send(new GetDigestCommand({ Name }))
    const tip = loadText(DigestTipAddress?.IonText)
    const strandId = tip.get('strandId')?.stringValue()
    const after = { IonText: `{strandId:"${strandId}",sequenceNo:1000000}` }
    const first = { IonText: `{strandId:"${strandId}",sequenceNo:0}` }
    const foreign = { IonText: '{strandId:"0000000000000000000000",sequenceNo:0}' }
    for (const [command, ParameterName] of [
      [new GetBlockCommand({ Name, BlockAddress: after }), 'BlockAddress'],
      [new GetBlockCommand({ Name, BlockAddress: foreign }), 'BlockAddress'],
      [new GetBlockCommand({ Name, BlockAddress: { IonText: 'x' } }), 'BlockAddress'],
      [
        new GetBlockCommand({ Name, BlockAddress: first, DigestTipAddress: after }),
        'DigestTipAddress',
      ],
      [
        new GetRevisionCommand({ Name, BlockAddress: first, DocumentId: '0'.repeat(22) }),
        'DocumentId',
      ],
    ] as const) {
      const error = await failure(command)
      expect(error).toBeInstanceOf(InvalidParameterException)
      expect(error).toMatchObject({ ParameterName })
    }
    expect(await failure(new GetDigestCommand({ Name: 'none' }))).toBeInstanceOf(
      ResourceNotFoundException,
    )
  })
})

describe('exports and streams', () => {
  it('say that they are not available', async () => {
    const encryption = { ObjectEncryptionType: 'NO_ENCRYPTION' } as const
    for (const command of [
      new ListJournalS3ExportsCommand({}),
      new ExportJournalToS3Command({
        Name: 'twice',
        InclusiveStartTime: new Date(0),
        ExclusiveEndTime: new Date(1),
        RoleArn: 'arn:aws:iam::000000000000:role/r',
        S3ExportConfiguration: { Bucket: 'b', Prefix: 'p/', EncryptionConfiguration: encryption },
      }),
    ]) {
      const error = await failure(command)
      expect(error).toMatchObject({
        name: 'UnsupportedOperationException',
        message: expect.stringContaining('is not available in this version of Cairn'),
      })
    }
  })
})

it('answers over https', async () => {
  const tls = live.controlClient({ isTls: true })
  const { Ledgers } = await tls.send(new ListLedgersCommand({}))
  expect(Ledgers?.length).toBeGreaterThan(0)
})
