import { readdir, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createIdSource, createSystemClock, systemRandom } from '@cairn/core'
import { encodeIon, ionInt, ionRecord, ionString } from '@cairn/ion'
import { nodeFileSystem } from '@cairn/journal'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BlockRedaction } from './block-record.ts'
import { Catalog, type CatalogTable } from './catalog.ts'
import { lmdbProjections } from './lmdb-projection.ts'
import { createMemoryProjections } from './memory-projection.ts'
import type {
  CreatedIndex,
  ProjectedBlock,
  ProjectedRevision,
  Projection,
  ProjectionDriver,
  Watermark,
} from './projection.ts'
import { indexChanges, Revision } from './revision.ts'
import { temporaryDirectory } from './testing/temporary-ledger.ts'

const ids = createIdSource(createSystemClock(), systemRandom)
const hash = new Uint8Array(32)
const tableId = ids.random()
const indexId = ids.random()
const catalog = Catalog.empty
  .apply({ kind: 'createTable', tableId, name: 'T' }, 0)
  .apply({ kind: 'createIndex', tableId, indexId, field: 'n' }, 0)
const table = catalog.findById(tableId) as CatalogTable

function watermark(sequenceNo: number): Watermark {
  return { sequenceNo, blockHash: hash, timestampMs: 1, qldbRoot: hash, tlogRoot: hash }
}

const document = (n: number) => ionRecord({ n: ionInt(n) })

function blockOf(
  sequenceNo: number,
  documents: readonly [
    id: string,
    version: number,
    from: number | undefined,
    to: number | undefined,
  ][],
): ProjectedBlock {
  return {
    sequenceNo,
    redactions: [],
    catalog: undefined,
    createdIndexes: [],
    droppedIndexNos: [],
    revisions: documents.map(([documentId, version, from, to], ordinal) => ({
      tableNo: table.tableNo,
      revision: Revision.of({
        documentId,
        version,
        sequenceNo,
        ordinal,
        transactionTimeMs: 1000 + sequenceNo,
        transactionId: ids.random(),
        hash,
        data: to === undefined ? undefined : encodeIon(document(to)),
      }),
      indexChanges: indexChanges(
        table.indexes,
        from === undefined ? undefined : document(from),
        to === undefined ? undefined : document(to),
      ),
    })),
  }
}

const never = new AbortController().signal

function redactionOf(sequenceNo: number): BlockRedaction {
  return { sequenceNo, tableId, documentId: 'D', version: 0, supersededNo: sequenceNo + 1 }
}

async function openProjection(driver: ProjectionDriver, directory: string): Promise<Projection> {
  const projection = await driver.open(directory, nodeFileSystem)
  onTestFinished(() => projection.close())
  return projection
}

const keyOf = (n: number) =>
  indexChanges(table.indexes, undefined, document(n))[0]?.newKey ?? new Uint8Array(0)

describe.each([
  ['LMDB', () => lmdbProjections],
  ['memory', createMemoryProjections],
])('a projection in %s', (_, driverOf) => {
  it('keeps a snapshot as it was while blocks are applied', async () => {
    const projection = await openProjection(driverOf(), await temporaryDirectory())
    const [a, b] = [ids.ordered(), ids.ordered()]
    await projection.apply([blockOf(0, [[a, 0, undefined, 1]])], watermark(0))
    const before = projection.acquireSnapshot()
    await projection.apply(
      [
        blockOf(1, [
          [a, 1, 1, 2],
          [b, 0, undefined, 1],
        ]),
        blockOf(2, [[b, 1, 1, undefined]]),
      ],
      watermark(2),
    )
    const after = projection.acquireSnapshot()
    expect(before.getCurrent(1, a)?.value).toEqual(document(1))
    expect(after.getCurrent(1, a)?.value).toEqual(document(2))
    expect(after.getCurrent(1, b)).toBeUndefined()
    expect([...before.findByIndex(1, keyOf(1))]).toEqual([a])
    expect([...after.findByIndex(1, keyOf(1))]).toEqual([])
    expect([...after.findByIndex(1, keyOf(2))]).toEqual([a])
    expect([...before.scanCurrent(1)].map((it) => it.documentId)).toEqual([a])
    expect([...before.scanDeleted(1)]).toEqual([])
    expect([...after.scanDeleted(1)]).toEqual([{ documentId: b, sequenceNo: 2, ordinal: 0 }])
    expect(after.getDeleted(1, b)).toEqual({ documentId: b, sequenceNo: 2, ordinal: 0 })
    expect(after.getDeleted(1, a)).toBeUndefined()
    expect(after.getCurrent(1, 'no id')).toBeUndefined()
    before.release()
    after.release()
  })

  it('opens at its watermark with its catalog', async () => {
    const directory = await temporaryDirectory()
    const driver = driverOf()
    const first = await driver.open(directory, nodeFileSystem)
    expect(first.watermark).toBeUndefined()
    const block = { ...blockOf(7, [[ids.ordered(), 0, undefined, 1]]), catalog }
    await first.apply([block], watermark(7))
    await first.close()
    expect(await driver.readWatermark(directory, nodeFileSystem)).toEqual(watermark(7))
    const second = await openProjection(driver, directory)
    expect(second.watermark).toEqual(watermark(7))
    expect(second.catalog.toIon()).toEqual(catalog.toIon())
  })

  it('finds few and many documents under one key, also when many become few again', async () => {
    const projection = await openProjection(driverOf(), await temporaryDirectory())
    const all = Array.from({ length: 100 }, () => ids.ordered())
    const find = () => {
      const snapshot = projection.acquireSnapshot()
      const found = [...snapshot.findByIndex(1, keyOf(1))].sort()
      snapshot.release()
      return found
    }
    for (const [i, documentId] of all.entries()) {
      await projection.apply([blockOf(i, [[documentId, 0, undefined, 1]])], watermark(i))
      if (i === 0 || i === 31 || i === 32) expect(find()).toEqual(all.slice(0, i + 1))
    }
    expect(find()).toEqual(all)
    const gone = all.slice(1)
    const removal = gone.map((id) => [id, 1, 1, undefined] as const).map((it) => [...it])
    await projection.apply(
      [blockOf(100, removal as [string, number, number, undefined][])],
      watermark(100),
    )
    expect(find()).toEqual(all.slice(0, 1))
  })

  it('builds an index over what is there, in pieces, and clears a dropped one', async () => {
    const projection = await openProjection(driverOf(), await temporaryDirectory())
    const documents = Array.from({ length: 4500 }, (_, i) => ({ id: ids.ordered(), n: i % 3 }))
    const block = blockOf(
      0,
      documents.map(({ id, n }) => [id, 0, undefined, n] as const).map((it) => [...it]),
    )
    const unindexed = block.revisions.map((it) => ({ ...it, indexChanges: [] }))
    await projection.apply([{ ...block, revisions: unindexed }], watermark(0))
    await projection.apply(
      [{ ...blockOf(1, []), createdIndexes: [{ tableNo: 1, indexNo: 1, indexId, field: 'n' }] }],
      watermark(1),
    )
    const built = projection.acquireSnapshot()
    expect([...built.findByIndex(1, keyOf(1))]).toHaveLength(1500)
    await projection.apply([{ ...blockOf(2, []), droppedIndexNos: [1] }], watermark(2))
    const cleared = projection.acquireSnapshot()
    expect([...cleared.findByIndex(1, keyOf(1))]).toHaveLength(0)
    expect([...built.findByIndex(1, keyOf(2))]).toHaveLength(1500)
    built.release()
    cleared.release()
  })

  it('keeps the list of redactions until they are finished', async () => {
    const directory = `${await temporaryDirectory()}/projection`
    const driver = driverOf()
    const first = await driver.open(directory, nodeFileSystem)
    const redactions = [redactionOf(3), redactionOf(4)]
    await first.apply([{ ...blockOf(7, []), redactions }], watermark(7))
    await first.apply([{ ...blockOf(8, []), redactions: [redactionOf(5)] }], watermark(8))
    await first.close()
    const second = await openProjection(driver, directory)
    expect(second.pendingRedactions).toEqual([
      { ...redactionOf(3), redactingNo: 7 },
      { ...redactionOf(4), redactingNo: 7 },
      { ...redactionOf(5), redactingNo: 8 },
    ])
    await second.clean(-1, [7], never)
    expect(second.pendingRedactions).toEqual([{ ...redactionOf(5), redactingNo: 8 }])
  })

  it('shows a document again that was redacted before the projection came to it', async () => {
    const projection = await openProjection(driverOf(), await temporaryDirectory())
    const id = ids.ordered()
    await projection.apply([blockOf(0, [[id, 0, undefined, undefined]])], watermark(0))
    const [item] = blockOf(1, [[id, 1, undefined, 5]]).revisions
    const revisions = item === undefined ? [] : [{ ...item, followsRedacted: true as const }]
    await projection.apply([{ ...blockOf(1, []), revisions }], watermark(1))
    const snapshot = projection.acquireSnapshot()
    expect(snapshot.getCurrent(1, id)?.value).toEqual(document(5))
    expect(snapshot.getDeleted(1, id)).toBeUndefined()
    snapshot.release()
  })
})

describe('a projection in LMDB on a disk that fills up', () => {
  const mebibyte = 1024 * 1024
  const noRoom = expect.objectContaining({
    code: 'PROJECTION_FAILED',
    cause: expect.objectContaining({ code: 'ENOSPC' }),
  })

  async function openOn(disk: { freeBytes: number }) {
    const directory = `${await temporaryDirectory()}/projection`
    const fileSystem = { ...nodeFileSystem, freeBytes: async () => disk.freeBytes }
    const projection = await lmdbProjections.open(directory, fileSystem)
    onTestFinished(() => projection.close())
    return { directory, projection }
  }

  it('refuses each kind of write before LMDB meets the end of the disk, and goes on when there is room', async () => {
    const disk = { freeBytes: 100 * mebibyte }
    const { directory, projection } = await openOn(disk)
    const id = ids.ordered()
    const first = { ...blockOf(0, [[id, 0, undefined, 1]]), catalog, redactions: [redactionOf(0)] }
    await projection.apply([first], watermark(0))
    const second = blockOf(1, [[id, 1, 1, 2]])
    const [tableIndex] = table.indexes
    const created = { ...tableIndex, tableNo: table.tableNo } as CreatedIndex
    disk.freeBytes = 15 * mebibyte
    await expect(projection.apply([second], watermark(1))).rejects.toEqual(noRoom)
    await expect(
      projection.apply([{ ...second, createdIndexes: [created] }], watermark(1)),
    ).rejects.toEqual(noRoom)
    await expect(
      projection.apply([{ ...second, droppedIndexNos: [created.indexNo] }], watermark(1)),
    ).rejects.toEqual(noRoom)
    await expect(projection.clean(1, [0], never)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await readdir(dirname(directory))).toEqual(['projection'])
    expect(projection.watermark).toEqual(watermark(0))
    disk.freeBytes = 100 * mebibyte
    await projection.apply([second], watermark(1))
    expect(await projection.clean(1, [0], never)).toBe(true)
    expect(projection.watermark).toEqual(watermark(1))
  })

  it('wants room for what it is to write, not only for a little', async () => {
    const disk = { freeBytes: 17 * mebibyte }
    const { projection } = await openOn(disk)
    const large = encodeIon(ionRecord({ text: ionString('x'.repeat(100_000)) }))
    const [item] = blockOf(0, [[ids.ordered(), 0, undefined, 1]]).revisions
    const revisions = Array.from({ length: 40 }, (_, ordinal) => ({
      ...(item as ProjectedRevision),
      indexChanges: [],
      revision: Revision.of({
        documentId: ids.ordered(),
        version: 0,
        sequenceNo: 0,
        ordinal,
        transactionTimeMs: 1,
        transactionId: ids.random(),
        hash,
        data: large,
      }),
    }))
    const block = { ...blockOf(0, []), revisions }
    await expect(projection.apply([block], watermark(0))).rejects.toEqual(noRoom)
    disk.freeBytes = 32 * mebibyte
    await projection.apply([block], watermark(0))
    expect(projection.watermark).toEqual(watermark(0))
  })
})

describe('cleaning a projection in LMDB', () => {
  const text = 'what must not stay'
  const secret = (id: string, version: number, to: string): ProjectedBlock => {
    const [item] = blockOf(version, [[id, version, undefined, 1]]).revisions
    const revision = Revision.of({
      documentId: id,
      version,
      sequenceNo: version,
      ordinal: 0,
      transactionTimeMs: 1,
      transactionId: ids.random(),
      hash,
      data: encodeIon(ionRecord({ secret: ionString(to) })),
    })
    return { ...blockOf(version, []), revisions: item ? [{ ...item, revision }] : [] }
  }
  const isIn = async (path: string) => (await readFile(`${path}/data.mdb`)).includes(text)

  it('copies it when copies may be left, and once for all that was superseded by then', async () => {
    const directory = `${await temporaryDirectory()}/projection`
    const projection = await openProjection(lmdbProjections, directory)
    const id = ids.ordered()
    await projection.apply([secret(id, 0, text)], watermark(0))
    const old = projection.acquireSnapshot()
    const redactions = [redactionOf(0)]
    await projection.apply([{ ...secret(id, 1, 'nothing'), redactions, catalog }], watermark(1))
    expect(await isIn(directory)).toBe(true)
    expect(await projection.clean(1, [1], never)).toBe(true)
    expect(await isIn(directory)).toBe(false)
    expect(await readdir(dirname(directory))).toEqual(['projection'])
    // Snapshots from before go on to show what they did.
    expect(old.getCurrent(1, id)?.value).toEqual(ionRecord({ secret: ionString(text) }))
    old.release()
    const snapshot = projection.acquireSnapshot()
    expect(snapshot.getCurrent(1, id)?.value).toEqual(ionRecord({ secret: ionString('nothing') }))
    expect([...snapshot.findByIndex(1, keyOf(1))]).toEqual([id])
    expect(snapshot.sequenceNo).toBe(1)
    snapshot.release()
    expect(projection.watermark).toEqual(watermark(1))
    expect(projection.catalog.toIon()).toEqual(catalog.toIon())
    expect(projection.pendingRedactions).toEqual([])
    expect(await projection.clean(1, [], never)).toBe(false)
    await projection.apply([secret(id, 2, 'later')], watermark(2))
    expect(await projection.clean(2, [], never)).toBe(true)
    await projection.close()
    const again = await openProjection(lmdbProjections, directory)
    expect(again.watermark).toEqual(watermark(2))
    expect(await again.clean(2, [], never)).toBe(false)
  })

  it('changes nothing when it is broken off', async () => {
    const directory = `${await temporaryDirectory()}/projection`
    const projection = await openProjection(lmdbProjections, directory)
    const redactions = [redactionOf(0)]
    await projection.apply([{ ...blockOf(1, []), redactions }], watermark(1))
    const signal = AbortSignal.abort(new Error('no time'))
    await expect(projection.clean(1, [1], signal)).rejects.toThrow('no time')
    expect(await readdir(dirname(directory))).toEqual(['projection'])
    expect(projection.pendingRedactions).toHaveLength(1)
  })

  it.each([
    ['while it was copied', ['projection', 'projection-new'], 'old'],
    ['between the names', ['projection-old', 'projection-new'], 'new'],
    ['before the old files were gone', ['projection', 'projection-old'], 'new'],
  ])('opens what is right after a crash %s', async (_, names, expected) => {
    const folder = await temporaryDirectory()
    const directory = `${folder}/projection`
    for (const [i, which] of ['old', 'new'].entries()) {
      const projection = await lmdbProjections.open(`${folder}/${which}`, nodeFileSystem)
      await projection.apply([blockOf(i, [])], watermark(i))
      await projection.close()
    }
    const isOldInPlace = expected === 'old'
    await rename(`${folder}/${isOldInPlace ? 'old' : 'new'}`, `${folder}/first`)
    await rename(`${folder}/${isOldInPlace ? 'new' : 'old'}`, `${folder}/second`)
    const [first, second] = names as [string, string]
    const isSwapped = first === 'projection-old'
    await rename(`${folder}/${isSwapped ? 'second' : 'first'}`, `${folder}/${first}`)
    await rename(`${folder}/${isSwapped ? 'first' : 'second'}`, `${folder}/${second}`)
    const projection = await openProjection(lmdbProjections, directory)
    expect(projection.watermark).toEqual(watermark(expected === 'old' ? 0 : 1))
    expect(await readdir(folder)).toEqual(['projection'])
  })
})
