import { createIdSource, createSystemClock, systemRandom } from '@cairn/core'
import { encodeIon, ionInt, ionRecord } from '@cairn/ion'
import { nodeFileSystem } from '@cairn/journal'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Catalog, type CatalogTable } from './catalog.ts'
import { lmdbProjections } from './lmdb-projection.ts'
import { createMemoryProjections } from './memory-projection.ts'
import type { ProjectedBlock, Projection, ProjectionDriver, Watermark } from './projection.ts'
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
})
