/**
 * Projections in memory, for simulations: nothing of them is on the disk that the simulator lets fail. What was applied
 * survives a simulated crash, as LMDB's commits do; an apply under way at that moment has happened or has not.
 */
import { assert, compareBytes } from '@cairn/core'
import { Catalog } from './catalog.ts'
import {
  type CreatedIndex,
  changesIndexes,
  type DocumentHead,
  type PendingRedaction,
  type ProjectedBlock,
  type ProjectedRevision,
  type Projection,
  type ProjectionDriver,
  type ProjectionSnapshot,
  type Watermark,
} from './projection.ts'
import { indexChanges, type Revision } from './revision.ts'

interface State {
  readonly watermark: Watermark | undefined
  readonly catalog: Catalog
  /** By table, then document id. */
  readonly current: ReadonlyMap<number, ReadonlyMap<string, Revision>>
  /** By table, then document id. */
  readonly deleted: ReadonlyMap<number, ReadonlyMap<string, DocumentHead>>
  readonly index: readonly IndexEntry[]
  readonly pendingRedactions: readonly PendingRedaction[]
}

interface IndexEntry {
  readonly indexNo: number
  readonly key: Uint8Array
  readonly documentId: string
}

const emptyState: State = {
  watermark: undefined,
  catalog: Catalog.empty,
  current: new Map(),
  deleted: new Map(),
  index: [],
  pendingRedactions: [],
}

export interface MemoryProjections extends ProjectionDriver {
  /** Whoever has a projection open has it no more; whether applies under way have happened is for `choose` to say. */
  crash(choose: () => boolean): void
}

export function createMemoryProjections(): MemoryProjections {
  const states = new Map<string, State>()
  const open = new Set<MemoryProjection>()
  return {
    async open(directory) {
      const projection = new MemoryProjection(states.get(directory) ?? emptyState, (state) =>
        states.set(directory, state),
      )
      open.add(projection)
      return projection
    },
    async remove(directory) {
      states.delete(directory)
    },
    async readWatermark(directory) {
      return states.get(directory)?.watermark
    },
    crash(choose) {
      for (const projection of open) projection.crash(choose)
      open.clear()
    },
  }
}

class MemoryProjection implements Projection {
  #state: State
  readonly #keep: (state: State) => void
  #pending: State | undefined
  #isGone = false

  constructor(state: State, keep: (state: State) => void) {
    this.#state = state
    this.#keep = keep
  }

  get watermark(): Watermark | undefined {
    return this.#state.watermark
  }

  get catalog(): Catalog {
    return this.#state.catalog
  }

  readonly bytesSize = 0

  acquireSnapshot(): ProjectionSnapshot {
    return new MemorySnapshot(this.#state)
  }

  async apply(blocks: readonly ProjectedBlock[], watermark: Watermark): Promise<void> {
    for (const [i, block] of blocks.entries()) {
      assert(i === 0 || !changesIndexes(block), 'only the first block changes indexes')
    }
    await this.#commit(applied(this.#state, blocks, watermark))
  }

  async #commit(next: State): Promise<void> {
    this.#pending = next
    await Promise.resolve()
    if (this.#isGone) return new Promise(() => undefined)
    this.#pending = undefined
    this.#state = next
    this.#keep(next)
  }

  refresh(): void {}

  get pendingRedactions(): readonly PendingRedaction[] {
    return this.#state.pendingRedactions
  }

  /** Memory holds no copies of what was superseded. */
  async clean(
    _supersededNo: number,
    finishedNos: readonly number[],
    signal: AbortSignal,
  ): Promise<boolean> {
    signal.throwIfAborted()
    const pendingRedactions = this.#state.pendingRedactions.filter(
      ({ redactingNo }) => !finishedNos.includes(redactingNo),
    )
    await this.#commit({ ...this.#state, pendingRedactions })
    return false
  }

  reopen(): void {}

  crash(choose: () => boolean): void {
    this.#isGone = true
    if (this.#pending !== undefined && choose()) this.#keep(this.#pending)
  }

  async close(): Promise<void> {}
}

class MemorySnapshot implements ProjectionSnapshot {
  readonly #state: State

  constructor(state: State) {
    this.#state = state
  }

  get sequenceNo(): number {
    return this.#state.watermark?.sequenceNo ?? -1
  }

  retain(): this {
    return this
  }

  release(): void {}

  getCurrent(tableNo: number, documentId: string): Revision | undefined {
    return this.#state.current.get(tableNo)?.get(documentId)
  }

  async countCurrent(tableNo: number): Promise<number> {
    return this.#state.current.get(tableNo)?.size ?? 0
  }

  scanCurrent(tableNo: number): Iterable<Revision> {
    const documents = [...(this.#state.current.get(tableNo)?.values() ?? [])]
    return documents.sort((a, b) => (a.documentId < b.documentId ? -1 : 1))
  }

  findByIndex(indexNo: number, indexKey: Uint8Array): Iterable<string> {
    return this.#state.index
      .filter((it) => it.indexNo === indexNo && compareBytes(it.key, indexKey) === 0)
      .map(({ documentId }) => documentId)
      .sort()
  }

  scanDeleted(tableNo: number): Iterable<DocumentHead> {
    const heads = [...(this.#state.deleted.get(tableNo)?.values() ?? [])]
    return heads.sort((a, b) => (a.documentId < b.documentId ? -1 : 1))
  }

  getDeleted(tableNo: number, documentId: string): DocumentHead | undefined {
    return this.#state.deleted.get(tableNo)?.get(documentId)
  }
}

/** A fresh state; the old one stays as it was, for the snapshots that show it. */
function applied(state: State, blocks: readonly ProjectedBlock[], watermark: Watermark): State {
  const current = new Map([...state.current].map(([no, table]) => [no, new Map(table)]))
  const deleted = new Map([...state.deleted].map(([no, heads]) => [no, new Map(heads)]))
  let index = [...state.index]
  let { catalog } = state
  for (const block of blocks) {
    for (const created of block.createdIndexes) {
      index.push(...entriesOver(created, current.get(created.tableNo) ?? new Map()))
    }
    index = index.filter(({ indexNo }) => !block.droppedIndexNos.includes(indexNo))
    for (const item of block.revisions) {
      put(current, deleted, item)
      index = reindexed(index, item)
    }
    catalog = block.catalog ?? catalog
  }
  const redactions = blocks.flatMap((block) =>
    block.redactions.map((redaction) => ({ ...redaction, redactingNo: block.sequenceNo })),
  )
  const pendingRedactions = [...state.pendingRedactions, ...redactions]
  return { watermark, catalog, current, deleted, index, pendingRedactions }
}

function put(
  current: Map<number, Map<string, Revision>>,
  deleted: Map<number, Map<string, DocumentHead>>,
  { tableNo, revision, followsRedacted }: ProjectedRevision,
): void {
  const documents = current.get(tableNo) ?? new Map<string, Revision>()
  current.set(tableNo, documents)
  const { documentId, sequenceNo, ordinal } = revision
  if (!revision.isDeletion) {
    documents.set(documentId, revision)
    if (followsRedacted) deleted.get(tableNo)?.delete(documentId)
    return
  }
  documents.delete(documentId)
  const heads = deleted.get(tableNo) ?? new Map<string, DocumentHead>()
  deleted.set(tableNo, heads.set(documentId, { documentId, sequenceNo, ordinal }))
}

function reindexed(index: IndexEntry[], item: ProjectedRevision): IndexEntry[] {
  const { documentId } = item.revision
  let out = index
  for (const { indexNo, oldKey, newKey } of item.indexChanges) {
    const isAt = (it: IndexEntry, key: Uint8Array) =>
      it.indexNo === indexNo && it.documentId === documentId && compareBytes(it.key, key) === 0
    if (oldKey !== undefined) out = out.filter((it) => !isAt(it, oldKey))
    if (newKey !== undefined && !out.some((it) => isAt(it, newKey))) {
      out = [...out, { indexNo, key: newKey, documentId }]
    }
  }
  return out
}

function entriesOver(
  created: CreatedIndex,
  documents: ReadonlyMap<string, Revision>,
): IndexEntry[] {
  const entries: IndexEntry[] = []
  for (const [documentId, revision] of documents) {
    for (const { indexNo, newKey } of indexChanges([created], undefined, revision.value)) {
      if (newKey !== undefined) entries.push({ indexNo, key: newKey, documentId })
    }
  }
  return entries
}
