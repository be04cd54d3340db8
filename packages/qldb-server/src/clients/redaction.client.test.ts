/** Redaction as QLDB's samples do it, with the unmodified driver and SDK: EXEC, history, revisions, blocks, proofs. */
import {
  GetBlockCommand,
  GetDigestCommand,
  GetRevisionCommand,
  type QLDBClient,
} from '@aws-sdk/client-qldb'
import { BadRequestException, LimitExceededException } from '@aws-sdk/client-qldb-session'
import type { QldbDriver } from 'amazon-qldb-driver-nodejs'
import { dom, dumpBinary, dumpText } from 'ion-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asDriverHash, driverHash } from './driver-hash.ts'
import { LiveServer } from './live-server.ts'

const Name = 'redaction'
const vin = '1N4AL11D75C109151'

let live: LiveServer
let driver: QldbDriver
let client: QLDBClient

beforeAll(async () => {
  live = await LiveServer.start()
  await live.createLedger(Name)
  driver = live.driver(Name, { isTls: true })
  client = live.controlClient({ isTls: true })
})

afterAll(async () => {
  expect(live.logged).toEqual([])
  await live.close()
})

async function run(statement: string, ...parameters: unknown[]): Promise<dom.Value[]> {
  const result = await driver.executeLambda((tx) => tx.execute(statement, ...parameters))
  return result.getResultList()
}

function member(value: dom.Value | null | undefined, ...path: string[]): dom.Value {
  const found = value?.get(...path)
  if (!found) throw new Error(`no ${path.join('.')}`)
  return found
}

function bytesOf(value: dom.Value): Uint8Array {
  return new Uint8Array(value.uInt8ArrayValue() ?? [])
}

const hashOf = (value: dom.Value) => driverHash(dumpBinary(value))

/** Folds a proof as the AWS verifiers do. */
function fold(leaf: Uint8Array, proofText: string | undefined): Uint8Array {
  let hash = asDriverHash(leaf)
  for (const element of dom.load(proofText ?? '')?.elements() ?? []) {
    hash = hash.dot(asDriverHash(bytesOf(element)))
  }
  return new Uint8Array(hash.getQldbHash())
}

function addressText(address: dom.Value): string {
  return dumpText(address) as string
}

const history = () =>
  run('SELECT * FROM history(VehicleRegistration) AS h WHERE h.metadata.version = 0')

describe('a redacted revision', () => {
  let tableId: string
  let documentId: string
  let address: dom.Value
  let data: dom.Value

  const redact = (to: dom.Value = address) =>
    run(`EXEC redact_revision ?, '${tableId}', '${documentId}'`, to)

  async function getRevision(DigestTipAddress?: { IonText: string | undefined }) {
    const answer = await client.send(
      new GetRevisionCommand({
        Name,
        BlockAddress: { IonText: addressText(address) },
        DocumentId: documentId,
        ...(DigestTipAddress && { DigestTipAddress }),
      }),
    )
    return { revision: dom.load(answer.Revision?.IonText ?? ''), proof: answer.Proof?.IonText }
  }

  beforeAll(async () => {
    await run('CREATE TABLE VehicleRegistration')
    await run('CREATE INDEX ON VehicleRegistration (VIN)')
    await run('INSERT INTO VehicleRegistration ?', {
      VIN: vin,
      Owner: 'Raul Lewis',
      City: 'Tacoma',
    })
    const [table] = await run(
      "SELECT tableId FROM information_schema.user_tables WHERE name = 'VehicleRegistration'",
    )
    tableId = member(table, 'tableId').stringValue() ?? ''
    const [first] = await history()
    documentId = member(first, 'metadata', 'id').stringValue() ?? ''
    address = member(first, 'blockAddress')
    data = member(first, 'data')
  })

  it('is refused as long as it is the latest', async () => {
    const refused = await redact().catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(BadRequestException)
    expect((refused as Error).message).toContain('latest revision')
  })

  it('keeps its hash and the proofs of digests from before, in history and GetRevision', async () => {
    const { Digest, DigestTipAddress } = await client.send(new GetDigestCommand({ Name }))
    const tip = { IonText: DigestTipAddress?.IonText }
    const before = await getRevision(tip)
    const hash = bytesOf(member(before.revision, 'hash'))
    expect(fold(hash, before.proof)).toEqual(Digest)
    await run('UPDATE VehicleRegistration AS r SET r.Owner = ? WHERE r.VIN = ?', 'Ada', vin)

    const rows = await redact()
    expect(rows).toHaveLength(1)
    expect(member(rows[0], 'documentId').stringValue()).toBe(documentId)
    expect(member(rows[0], 'tableId').stringValue()).toBe(tableId)
    expect(member(rows[0], 'version').numberValue()).toBe(0)
    expect(dumpText(member(rows[0], 'blockAddress'))).toBe(addressText(address))

    // The samples poll history until they see this; the first look does.
    const [redacted] = await history()
    expect(redacted?.get('data')).toBeNull()
    const dataHash = bytesOf(member(redacted, 'dataHash'))
    expect(dataHash).toEqual(new Uint8Array(hashOf(data).getQldbHash()))

    for (const isDone of [false, true]) {
      if (isDone) await live.host.getLedger(Name).untilRedacted()
      const after = await getRevision(tip)
      expect(after.revision?.get('data')).toBeNull()
      expect(bytesOf(member(after.revision, 'dataHash'))).toEqual(dataHash)
      const metadata = hashOf(member(after.revision, 'metadata'))
      const recomputed = new Uint8Array(metadata.dot(asDriverHash(dataHash)).getQldbHash())
      expect(recomputed).toEqual(hash)
      expect(after.proof).toBe(before.proof)
      expect(fold(recomputed, after.proof)).toEqual(Digest)
    }
    const current = await run('SELECT Owner FROM VehicleRegistration WHERE VIN = ?', vin)
    expect(current.map((row) => dumpText(row))).toEqual(['{Owner:"Ada"}'])
  })

  it('is named in the block of the transaction that redacted it', async () => {
    const { Digest, DigestTipAddress } = await client.send(new GetDigestCommand({ Name }))
    const BlockAddress = { IonText: DigestTipAddress?.IonText }
    const answer = await client.send(new GetBlockCommand({ Name, BlockAddress, DigestTipAddress }))
    const block = dom.load(answer.Block?.IonText ?? '')
    const info = member(block, 'redactionInfo')
    const named = member(info, 'revisions').elements()
    expect(named.map((it) => member(it, 'documentId').stringValue())).toEqual([documentId])
    const entries = member(block, 'entriesHashList').elements().map(bytesOf)
    expect(entries).toContainEqual(new Uint8Array(hashOf(info).getQldbHash()))
    expect(fold(bytesOf(member(block, 'blockHash')), answer.Proof?.IonText)).toEqual(Digest)

    // The block it stands in shows it redacted too, and its hash is what it was.
    const target = await client.send(
      new GetBlockCommand({ Name, BlockAddress: { IonText: addressText(address) } }),
    )
    const [revision] = member(dom.load(target.Block?.IonText ?? ''), 'revisions').elements()
    expect(revision?.get('data')).toBeNull()
    expect(revision?.get('dataHash')).not.toBeNull()
  })

  it('comes one in a transaction, and with arguments that name it', async () => {
    const statement = `EXEC REDACT_REVISION ?, '${tableId}', '${documentId}'`
    const twice = driver.executeLambda(async (tx) => {
      await tx.execute(statement, address)
      await tx.execute(statement, address)
    })
    await expect(twice).rejects.toBeInstanceOf(LimitExceededException)
    await expect(run('EXEC REDACT_REVISION ?', address)).rejects.toBeInstanceOf(BadRequestException)
    await expect(
      run(`EXEC REDACT_REVISION ?, '${tableId}', '${tableId}'`, address),
    ).rejects.toBeInstanceOf(BadRequestException)
    const literal = `\`${addressText(address)}\``
    const text = `EXEC REDACT_REVISION ${literal}, '${tableId}', '${documentId}'`
    expect(await run(text)).toHaveLength(1)
  })
})
