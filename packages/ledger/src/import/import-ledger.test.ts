import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { equalBytes } from '@cairn/core'
import { fieldOf, type IonStruct, type IonValue, ionInt, ionStruct } from '@cairn/ion'
import {
  createLedgerReplay,
  parseBlock,
  parseRevision,
  verifyBlock,
  verifyRevision,
} from '@cairn/verifier'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLedgerHost } from '../ledger-host.ts'
import { type EmbeddedLedger, openLedger } from '../library.ts'
import { asQldbJournal, blocksOf } from '../testing/qldb-journal.ts'
import { temporaryDirectory, temporaryLedger } from '../testing/temporary-ledger.ts'
import { verifyLedgerDirectory } from '../verify-directory.ts'
import { type ImportLedgerOptions, type ImportSource, importLedger } from './import-ledger.ts'

/** Tables, indexes, inserts, updates, deletions; one table stays empty. */
async function titles(ledger: EmbeddedLedger): Promise<void> {
  const run = (statement: string, ...parameters: unknown[]) =>
    ledger.transact(async (tx) => (await tx.execute(statement, ...parameters)).values)
  await run("CREATE TABLE Vehicle WITH (aws_tags = `{'k':'v'}`)")
  await run('CREATE INDEX ON Vehicle (vin)')
  await ledger.transact(async (tx) => {
    await tx.execute('CREATE TABLE Person')
    await tx.execute('CREATE INDEX ON Person (name)')
    await tx.execute('INSERT INTO Person ?', { name: 'Ada', when: new Date(0) })
  })
  await run("CREATE TABLE Nobody WITH (aws_tags = `{'k':'n'}`)")
  await run('CREATE INDEX ON Nobody (id)')
  for (let i = 0; i < 30; i++) await run('INSERT INTO Vehicle ?', { vin: `V${i}`, owner: 'Ada' })
  for (let i = 0; i < 10; i++)
    await run('UPDATE Vehicle SET owner = ? WHERE vin = ?', 'Eve', `V${i}`)
  await run('DELETE FROM Vehicle WHERE vin = ?', 'V3')
  await run('DROP TABLE Person')
}

function sourceOf(blocks: readonly IonValue[], strandId: string): ImportSource {
  return {
    strandId,
    firstSequenceNo: 0,
    lastSequenceNo: blocks.length - 1,
    bringsCatalog: false,
    async *blocksFrom(sequenceNo) {
      for (const [i, value] of blocks.entries()) {
        if (i >= sequenceNo) yield { value, source: `block ${i} of the test` }
      }
    },
  }
}

async function exported(): Promise<{ strandId: string; blocks: IonValue[] }> {
  const { open } = await temporaryLedger()
  await titles(open)
  return { strandId: open.ledger.strandId, blocks: blocksOf(open.ledger) }
}

/** The digest that a verifier computes over the first blocks. */
function digestOf(blocks: readonly IonValue[], size: number): Uint8Array {
  const replay = createLedgerReplay({ importedBlockCount: 'detect' })
  for (const block of blocks.slice(0, size)) replay.add(parseBlock(block))
  return replay.digest()
}

async function importInto(
  source: ImportSource,
  options: Partial<ImportLedgerOptions> = {},
): Promise<string> {
  const directory = options.directory ?? (await temporaryDirectory())
  await importLedger({ name: 'old', ...options, directory, source })
  return directory
}

const rows = (ledger: EmbeddedLedger, statement: string, ...parameters: unknown[]) =>
  ledger
    .transact(async (tx) => (await tx.execute(statement, ...parameters)).values)
    .then(({ value }) => value)

describe.each([
  ['QLDB', asQldbJournal],
  ['Cairn', (blocks: readonly IonValue[]) => [...blocks]],
])('an export of %s', (_, shape) => {
  it('brings the tags that tables were created with', async () => {
    const { strandId, blocks } = await exported()
    const host = await openLedgerHost({
      directory: await importInto(sourceOf(shape(blocks), strandId)),
    })
    onTestFinished(() => host.close())
    const { tables } = await host.getLedger('old').statistics()
    const tagsOf = tables.map(({ name, tableId }) => [name, host.tableTags('old', tableId)])
    expect(Object.fromEntries(tagsOf)).toEqual({
      Vehicle: { k: 'v' },
      Nobody: { k: 'n' },
      Person: undefined,
    })
  })

  it('becomes a ledger with the same blocks, digests, documents, and goes on', async () => {
    const { strandId, blocks: native } = await exported()
    const blocks = shape(native)
    const directory = await importInto(sourceOf(blocks, strandId))
    const open = await openLedger({ directory, name: 'old' })
    expect(open.ledger.strandId).toBe(strandId)
    expect(open.ledger.digest().tipAddress.sequenceNo).toBe(blocks.length - 1)
    expect(equalBytes(open.ledger.digest().digest, digestOf(blocks, blocks.length))).toBe(true)
    expect(blocksOf(open.ledger)).toEqual(blocks)
    expect(await rows(open, 'SELECT VALUE COUNT(*) FROM Vehicle')).toEqual([29])
    expect(await rows(open, 'SELECT VALUE owner FROM Vehicle WHERE vin = ?', 'V9')).toEqual(['Eve'])
    const versions =
      'SELECT VALUE h.metadata.version FROM history(Vehicle) AS h WHERE h.data.vin = ?'
    expect(await rows(open, versions, 'V7')).toEqual([0, 1])
    expect(
      await rows(open, 'SELECT name, status FROM information_schema.user_tables ORDER BY name'),
    ).toEqual([
      { name: 'Nobody', status: 'ACTIVE' },
      { name: 'Person', status: 'INACTIVE' },
      { name: 'Vehicle', status: 'ACTIVE' },
    ])

    await open.transact((tx) =>
      tx.execute('UPDATE Vehicle SET owner = ? WHERE vin = ?', 'Bob', 'V9'),
    )
    await open.transact((tx) => tx.execute('INSERT INTO Nobody ?', { id: 1 }))
    const after = blocksOf(open.ledger)
    expect(after).toHaveLength(blocks.length + 2)
    expect(equalBytes(open.ledger.digest().digest, digestOf(after, after.length))).toBe(true)
    expect(await rows(open, versions, 'V9')).toEqual([0, 1, 2])
    await open.close()
    const [report] = await verifyLedgerDirectory({ directory })
    expect(report).toMatchObject({ findings: [], blockCount: after.length })
  })

  it('gives the same projections when they are built from the journal', async () => {
    const { strandId, blocks } = await exported()
    const directory = await importInto(sourceOf(shape(blocks), strandId))
    const { rm } = await import('node:fs/promises')
    await rm(`${directory}/ledgers/${strandId}/projection`, { recursive: true })
    const open = await openLedger({ directory, name: 'old' })
    expect(await rows(open, 'SELECT VALUE owner FROM Vehicle WHERE vin = ?', 'V9')).toEqual(['Eve'])
    await open.close()
  })

  it('is refused where a digest that was kept says otherwise', async () => {
    const { strandId, blocks: native } = await exported()
    const blocks = shape(native)
    const source = sourceOf(blocks, strandId)
    const digest = digestOf(blocks, 11)
    const directory = await temporaryDirectory()
    await expect(
      importInto(source, { directory, expectedDigest: { sequenceNo: 11, digest } }),
    ).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    expect(await readdir(`${directory}/ledgers`)).toEqual([])
    await importInto(source, { directory, expectedDigest: { sequenceNo: 10, digest } })
  })

  it('is refused at the first block that is not what its hashes say, and goes on once it is mended', async () => {
    const { strandId, blocks: native } = await exported()
    const blocks = shape(native)
    const bad = [...blocks]
    bad[20] = withChangedData(blocks[20] as IonStruct)
    const directory = await temporaryDirectory()
    await expect(importInto(sourceOf(bad, strandId), { directory })).rejects.toMatchObject({
      code: 'BLOCK_REFUSED',
      data: { sequenceNo: 20, source: 'block 20 of the test' },
      message: expect.stringMatching(/Block 20 is refused.*hash of its content/),
    })
    expect(await readdir(`${directory}/ledgers`)).toEqual([])
    const report = await importLedger({
      directory,
      name: 'old',
      source: sourceOf(blocks, strandId),
    })
    expect(report.resumedBlockCount).toBe(20)
    expect(report.digest).toEqual(digestOf(blocks, blocks.length))
    const open = await openLedger({ directory, name: 'old' })
    expect(await rows(open, 'SELECT VALUE COUNT(*) FROM Vehicle')).toEqual([29])
    await open.close()
  })

  it('is refused where blocks are missing, in the middle, at the end or at the beginning', async () => {
    const { strandId, blocks: native } = await exported()
    const blocks = shape(native)
    const gap = [...blocks.slice(0, 7), ...blocks.slice(8)]
    await expect(importInto(sourceOf(gap, strandId))).rejects.toMatchObject({
      code: 'EXPORT_INCOMPLETE',
      data: { expectedSequenceNo: 7 },
    })
    const cut = { ...sourceOf(blocks.slice(0, 9), strandId), lastSequenceNo: 20 }
    await expect(importInto(cut)).rejects.toMatchObject({
      code: 'EXPORT_INCOMPLETE',
      data: { expectedSequenceNo: 9 },
    })
    const late = { ...sourceOf(blocks, strandId), firstSequenceNo: 5 }
    await expect(importInto(late)).rejects.toMatchObject({ code: 'EXPORT_INCOMPLETE' })
  })
})

describe('imports', () => {
  it('are refused where the name, the strand or the folder is taken', async () => {
    const { strandId, blocks } = await exported()
    const source = sourceOf(blocks, strandId)
    const directory = await importInto(source)
    await expect(importInto(source, { directory })).rejects.toMatchObject({ code: 'LEDGER_EXISTS' })
    await expect(importInto(source, { directory, name: 'other' })).rejects.toMatchObject({
      code: 'STRAND_EXISTS',
    })
    const open = await openLedger({ directory, name: 'old' })
    await expect(importInto(source, { directory, name: 'third' })).rejects.toMatchObject({
      code: 'DIRECTORY_IN_USE',
    })
    await open.close()
  })

  it('do not go on with what was taken over of another ledger', async () => {
    const one = await exported()
    const two = await exported()
    const directory = await temporaryDirectory()
    const cut = { ...sourceOf(one.blocks.slice(0, 9), one.strandId), lastSequenceNo: 20 }
    await expect(importInto(cut, { directory })).rejects.toMatchObject({
      code: 'EXPORT_INCOMPLETE',
    })
    await expect(
      importInto(sourceOf(two.blocks, two.strandId), { directory }),
    ).rejects.toMatchObject({ code: 'IMPORT_MISMATCH' })
  })

  it('begin anew where one ended before its first block', async () => {
    const { strandId, blocks } = await exported()
    const directory = await temporaryDirectory()
    await mkdir(`${directory}/imports/old/journal`, { recursive: true })
    await writeFile(`${directory}/imports/old/journal/rest`, 'x')
    await importInto(sourceOf(blocks, strandId), { directory })
    expect(await readdir(`${directory}/imports`)).toEqual([])
  })
})

/** The block with another version in its last revision's data. */
function withChangedData(block: IonStruct): IonStruct {
  return ionStruct(
    block.fields.map(({ name, value }) => {
      if (name !== 'revisions' || value.type !== 'list') return { name, value }
      const values = value.values.map((revision) =>
        ionStruct(
          (revision as IonStruct).fields.map((field) =>
            field.name === 'data' ? { name: 'data', value: changed(field.value) } : field,
          ),
        ),
      )
      return { name, value: { ...value, values } }
    }),
  )
}

function changed(data: IonValue): IonValue {
  const struct = data as IonStruct
  expect(fieldOf(struct, 'vin')).toBeDefined()
  return ionStruct([...struct.fields, { name: 'added', value: ionInt(1) }])
}

describe('blocks that QLDB sealed', () => {
  it('can be redacted, and their hashes and digests stay', async () => {
    const { strandId, blocks: native } = await exported()
    const blocks = asQldbJournal(native)
    const directory = await importInto(sourceOf(blocks, strandId))
    const open = await openLedger({ directory, name: 'old' })
    const history =
      'SELECT h.blockAddress, h.metadata.id, h.data, h.dataHash FROM history(Vehicle) AS h'
    const find = () =>
      rows(open, `${history} WHERE h.metadata.version = 0 AND h.data.vin = ?`, 'V8')
    const [first] = (await find()) as { blockAddress: { sequenceNo: number }; id: string }[]
    if (first === undefined) throw new Error('V8 was inserted')
    const tableIds =
      "SELECT VALUE tableId FROM information_schema.user_tables WHERE name = 'Vehicle'"
    const [tableId] = await rows(open, tableIds)
    await rows(open, 'EXEC REDACT_REVISION ?, ?, ?', first.blockAddress, tableId, first.id)
    expect(await find()).toEqual([])
    const { sequenceNo } = first.blockAddress
    const block = parseBlock(open.ledger.block({ strandId, sequenceNo }).value)
    expect(block.revisions.map(({ kind }) => kind)).toContain('redacted')
    expect(block.blockHash).toEqual(parseBlock(blocks[sequenceNo] as IonValue).blockHash)
    const after = blocksOf(open.ledger)
    expect(digestOf(after, blocks.length)).toEqual(digestOf(blocks, blocks.length))
    await open.close()
    const [report] = await verifyLedgerDirectory({ directory })
    expect(report).toMatchObject({ findings: [], importedBlockCount: blocks.length })
  })
})

describe('an export with redacted revisions', () => {
  it.each([
    ['QLDB', asQldbJournal],
    ['Cairn', (blocks: readonly IonValue[]) => [...blocks]],
  ])('of %s keeps them redacted', async (_, shape) => {
    const { open } = await temporaryLedger()
    const { ledger } = open
    await open.transact(async (tx) => {
      await tx.execute('CREATE TABLE T')
      await tx.execute('CREATE INDEX ON T (k)')
    })
    await open.transact((tx) => tx.execute('INSERT INTO T ?', { k: 'key', secret: 'x' }))
    await open.transact((tx) => tx.execute('UPDATE T SET secret = ? WHERE k = ?', 'y', 'key'))
    const [old] = (await rows(
      open,
      'SELECT h.blockAddress, h.metadata.id FROM history(T) AS h WHERE h.metadata.version = 0',
    )) as { blockAddress: unknown; id: string }[]
    const tableIds = 'SELECT VALUE tableId FROM information_schema.user_tables'
    const [tableId] = await rows(open, tableIds)
    await rows(open, 'EXEC REDACT_REVISION ?, ?, ?', old?.blockAddress, tableId, old?.id)
    const blocks = shape(blocksOf(ledger))
    const directory = await temporaryDirectory()
    const source = sourceOf(blocks, ledger.strandId)
    const report = await importLedger({ directory, name: 'old', source })
    expect(report).toMatchObject({ redactedRevisionCount: 1, revisionCount: 2, notes: [] })
    const again = await openLedger({ directory, name: 'old' })
    expect(blocksOf(again.ledger)).toEqual(blocks)
    expect(await rows(again, "SELECT secret FROM T WHERE k = 'key'")).toEqual([{ secret: 'y' }])
    const shown = await rows(again, 'SELECT h.data, h.dataHash FROM history(T) AS h')
    expect(shown).toMatchObject([{ dataHash: expect.any(Uint8Array) }, { data: { secret: 'y' } }])
    await again.close()
    const [verified] = await verifyLedgerDirectory({ directory })
    expect(verified).toMatchObject({ findings: [] })
  })
})

describe('proofs of blocks that QLDB sealed', () => {
  it('lead to digests of before and after the import, with QLDB’s grade', async () => {
    const { strandId, blocks: native } = await exported()
    const blocks = asQldbJournal(native)
    const directory = await importInto(sourceOf(blocks, strandId))
    const open = await openLedger({ directory, name: 'old' })
    const oldTip = { strandId, sequenceNo: 25 }
    const digest = digestOf(blocks, 26)
    const address = { strandId, sequenceNo: 20 }
    const shown = open.ledger.block(address, oldTip)
    const block = parseBlock(shown.value)
    const proof = shown.proof ?? []
    const below = { block, proof, digest, tip: oldTip, strict: 'detect' as const }
    expect(verifyBlock(below).grade).toBe('qldb-folded')
    const [revision] = block.revisions
    if (revision === undefined || revision.kind === 'hashOnly') throw new Error('has a document')
    const { value, proof: path = [] } = open.ledger.revision(address, revision.metadata.id, oldTip)
    const facts = { revision: parseRevision(value), proof: path, digest, tip: oldTip }
    expect(verifyRevision(facts).grade).toBe('qldb-folded')
    expect(verifyRevision({ ...facts, block, strict: 'detect' }).grade).toBe('qldb-folded')
    expect(() => verifyRevision({ ...facts, block })).toThrow()
    await open.close()
  })
})
