import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { createSystemClock, toBase64 } from '@cairn/core'
import { formatIon, ionInt, ionRecord, ionString } from '@cairn/ion'
import { type EmbeddedLedger, type LedgerDigest, openLedger, type ProvenValue } from '@cairn/ledger'
import { parseBlock, parseRevision, verifyBlock } from '@cairn/verifier'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from './main.ts'

const blockCount = 10_000
const blocksPerDigest = 10
/** Proofs are kept for one block of so many. */
const proofStep = 250

let folder: string
const digests: LedgerDigest[] = []
const proofs: {
  readonly documentId: string
  readonly revision: ProvenValue
  readonly tip: LedgerDigest
}[] = []
let lastDigest: string
let redactionCount = 0

async function cairn(...words: string[]) {
  const output = new PassThrough()
  const errorOutput = new PassThrough()
  const read = (stream: PassThrough) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    return () => Buffer.concat(chunks).toString()
  }
  const [text, errors] = [read(output), read(errorOutput)]
  const code = await main(words, {
    input: Readable.from([]),
    output,
    errorOutput,
    isInteractive: false,
    isErrorOutputWatched: false,
    env: {},
    clock: createSystemClock(),
    stopSignal: () => new Promise(() => undefined),
  })
  return { code, output: text(), errors: errors() }
}

/** Fills the ledger in chunks, and keeps the digest after each. */
async function fill({ ledger, transact }: EmbeddedLedger): Promise<void> {
  await transact(async (tx) => {
    await tx.execute('CREATE TABLE Item')
    await tx.execute('CREATE INDEX ON Item (code)')
  })
  await transact((tx) => tx.execute('CREATE TABLE Unused'))
  let code = 0
  while (ledger.blockCount < blockCount) {
    if (code > 0 && code % (20 * blocksPerDigest) === 0) await redact(code - 200, transact)
    const count = Math.min(blocksPerDigest, blockCount - ledger.blockCount)
    await Promise.all(Array.from({ length: count }, () => write(code++, transact)))
    const tip = ledger.digest()
    digests.push(tip)
    if (digests.length % (proofStep / blocksPerDigest) === 0)
      await keepProof(code - 1, transact, ledger)
  }
  lastDigest = toBase64(ledger.digest().digest)
}

function write(code: number, transact: EmbeddedLedger['transact']): Promise<unknown> {
  return transact(async (tx) => {
    if (code % 5 === 4)
      await tx.execute('UPDATE Item SET price = 2.50 WHERE code = ?', `C${code - 4}`)
    else if (code % 97 === 0) await tx.execute('DELETE FROM Item WHERE code = ?', `C${code - 1}`)
    const made = new Date(code * 1000)
    await tx.execute('INSERT INTO Item ?', { code: `C${code}`, price: code, made })
  })
}

/** Takes the first version of an item out of the ledger; its price was changed since. */
async function redact(code: number, transact: EmbeddedLedger['transact']): Promise<void> {
  const old = await transact((tx) =>
    tx.execute(
      `SELECT h.blockAddress, h.metadata.id FROM _ql_committed_Item AS c, history(Item) AS h
       WHERE c.data.code = ? AND h.metadata.id = c.metadata.id AND h.metadata.version = 0`,
      `C${code}`,
    ),
  )
  const tables = await transact((tx) =>
    tx.execute("SELECT VALUE tableId FROM information_schema.user_tables WHERE name = 'Item'"),
  )
  const [row] = old.value.values as { id: string; blockAddress: unknown }[]
  // A few were deleted.
  if (row === undefined) return
  redactionCount++
  await transact((tx) =>
    tx.execute('EXEC REDACT_REVISION ?, ?, ?', row.blockAddress, tables.value.values[0], row.id),
  )
}

async function keepProof(
  code: number,
  transact: EmbeddedLedger['transact'],
  ledger: EmbeddedLedger['ledger'],
): Promise<void> {
  const { value } = await transact((tx) =>
    tx.execute(
      'SELECT metadata.id, blockAddress FROM _ql_committed_Item WHERE data.code = ?',
      `C${code}`,
    ),
  )
  const [row] = value.values as {
    id: string
    blockAddress: { strandId: string; sequenceNo: number }
  }[]
  if (row === undefined) return
  const tip = ledger.digest()
  const revision = ledger.revision(row.blockAddress, row.id, tip.tipAddress)
  proofs.push({ documentId: row.id, revision, tip })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-copies-'))
  const open = await openLedger({ directory: join(folder, 'data'), name: 'items' })
  await fill(open)
  await open.close()
})
afterAll(() => rm(folder, { recursive: true }))

describe.each(['ION_TEXT', 'ION_BINARY', 'JSON'])('10,000 blocks exported as %s', (format) => {
  it('are imported to the same digest at every tenth tip, old proofs hold, and it goes on', async () => {
    const target = join(folder, format)
    const data = join(folder, `${format}-data`)
    const exported = await cairn(
      ...['ledger', 'export', 'items', target, '--format', format],
      ...['--data-dir', join(folder, 'data'), '--json'],
    )
    expect(exported).toMatchObject({ code: 0 })
    expect(JSON.parse(exported.output)).toMatchObject({ blockCount, digest: lastDigest, format })
    const digestFile = join(folder, `${format}-digest.json`)
    await writeFile(digestFile, digestJson(digests[500] as LedgerDigest))
    const imported = await cairn(
      ...['ledger', 'import', 'again', target, '--expect-digest', digestFile],
      ...['--data-dir', data, '--json'],
    )
    expect(imported).toMatchObject({ code: 0 })
    expect(JSON.parse(imported.output)).toMatchObject({
      blockCount,
      digest: lastDigest,
      tableCount: 2,
      redactedRevisionCount: redactionCount,
      qldbBlockCount: 0,
    })
    const open = await openLedger({ directory: data, name: 'again' })
    checkDigests(open)
    for (const { documentId, revision, tip } of proofs) {
      const parsed = parseRevision(revision.value)
      if (parsed.kind === 'hashOnly') throw new Error('a document has metadata')
      const again = open.ledger.revision(parsed.blockAddress, documentId, tip.tipAddress)
      expect(again).toEqual(revision)
    }
    const before = open.ledger.blockCount
    await open.transact((tx) => tx.execute('INSERT INTO Unused ?', { a: 1 }))
    expect(open.ledger.blockCount).toBe(before + 1)
    const found = await open.transact((tx) =>
      tx.execute('SELECT made FROM Item WHERE code = ?', 'C9000'),
    )
    expect(found.value.values).toEqual([{ made: new Date(9_000_000) }])
    await open.close()
    const verified = await cairn('verify', 'ledger', 'again', '--data-dir', data)
    expect(verified).toMatchObject({ code: 0 })
  })
})

/** A block of each ten, folded to the digest that was kept when the ledger was filled. */
function checkDigests({ ledger }: EmbeddedLedger): void {
  expect(redactionCount).toBeGreaterThan(40)
  expect(proofs.length).toBeGreaterThan(30)
  for (const { digest, tipAddress } of digests) {
    const { value, proof } = ledger.block(tipAddress, tipAddress)
    const verified = verifyBlock({
      block: parseBlock(value),
      proof: proof ?? [],
      digest,
      tip: tipAddress,
    })
    expect(verified).toBeDefined()
  }
}

function digestJson({ digest, tipAddress }: LedgerDigest): string {
  const { strandId, sequenceNo } = tipAddress
  const address = ionRecord({ strandId: ionString(strandId), sequenceNo: ionInt(sequenceNo) })
  return JSON.stringify({
    Digest: toBase64(digest),
    DigestTipAddress: { IonText: formatIon(address) },
  })
}
