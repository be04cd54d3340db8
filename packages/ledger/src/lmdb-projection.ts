/**
 * Current documents and indexes of a ledger in LMDB: a projection of the journal up to its watermark.
 * Deleting it loses nothing. One writer (the projector), any number of readers on shared snapshots.
 *
 *   current   tableNo u32 ‖ document id               → the revision's record
 *   deleted   tableNo u32 ‖ document id               → block u48, place in it u32, of the deletion
 *   index     indexNo u32 ‖ index key                 → ids of the documents under it, or a mark that they are spread
 *   postings  indexNo u32 ‖ index key ‖ document id   → nothing: the documents under a key that has many
 *   redactions  block u48                             → redactions of that block that are not finished
 *   meta      "watermark", "catalog", "cleanSince"
 *
 * One look-up of a key is one read: iterating a range costs several times as much in LMDB's binding.
 *
 * Document ids made here rise with time, so new documents are appended to the B-trees rather than scattered over them.
 */
import {
  assert,
  type FileSystem,
  hashBytesSize,
  idBytesSize,
  idFromBytes,
  requireRoom,
  writeIdBytes,
} from '@cairn/core'
import { decodeIon, encodeIon } from '@cairn/ion'
import { type Database, open, type RootDatabase } from 'lmdb'
import { type BlockRedaction, readRedaction, writeRedaction } from './block-record.ts'
import { ByteReader, ByteWriter } from './byte-writer.ts'
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
import { projectionFailed } from './projection-failure.ts'
import { indexChanges, Revision } from './revision.ts'

type Transaction = ReturnType<RootDatabase<Buffer, Buffer>['useReadTransaction']>
type Store = Database<Buffer, Buffer>

const binary = { keyEncoding: 'binary', encoding: 'binary' } as const

export const lmdbProjections: ProjectionDriver = {
  async open(directory, fileSystem) {
    await finishExchange(directory, fileSystem)
    if (!(await fileSystem.exists(directory))) await fileSystem.makeDirectory(directory)
    return new LmdbProjection(directory, fileSystem)
  },
  async remove(directory, fileSystem) {
    for (const path of [directory, freshPath(directory), oldPath(directory)]) {
      if (await fileSystem.exists(path)) await fileSystem.remove(path)
    }
  },
  async readWatermark(directory, fileSystem) {
    for (let attempt = 1; await fileSystem.exists(`${directory}/data.mdb`); attempt++) {
      try {
        return await readWatermarkIn(directory)
      } catch (error) {
        // A running server may have put other files in place of those that were there a moment ago.
        if (attempt === readAttemptCountMax) throw error
      }
    }
    return undefined
  },
}

const readAttemptCountMax = 3

async function readWatermarkIn(path: string): Promise<Watermark | undefined> {
  const root: RootDatabase<Buffer, Buffer> = open({ path, maxDbs: 8, readOnly: true, ...binary })
  try {
    const meta: Store | undefined = root.openDB('meta', binary)
    return decodeWatermark(meta?.get(metaKey('watermark')))
  } finally {
    await root.close()
  }
}

/** A table's or an index's number, before a document's id or an index key. */
const keyPrefixSize = 4
/** Raised when keys or values change their layout; another number means a rebuild. */
const formatVersion = 3
/** Snapshots are shared by all transactions between two commits of the projector, and a transaction lives 30 s. */
const readerCountMax = 2048
/** Documents counted per turn of the event loop: some milliseconds. */
const countedPerTurn = 5000
/** Documents indexed per LMDB commit when an index is made on a table that has some. */
const indexChunkCount = 2000

class LmdbSnapshot implements ProjectionSnapshot {
  /** Blocks up to this one are in it; -1: none. */
  readonly sequenceNo: number
  readonly #stores: Stores
  readonly #transaction: Transaction
  readonly #onReleased: () => void
  #holderCount = 1

  constructor(
    sequenceNo: number,
    stores: Stores,
    transaction: Transaction,
    onReleased: () => void,
  ) {
    this.sequenceNo = sequenceNo
    this.#stores = stores
    this.#transaction = transaction
    this.#onReleased = onReleased
  }

  retain(): this {
    this.#holderCount++
    return this
  }

  release(): void {
    if (--this.#holderCount > 0) return
    this.#transaction.done()
    this.#onReleased()
  }

  getCurrent(tableNo: number, documentId: string): Revision | undefined {
    const key = documentKeyView(tableNo, documentId)
    if (key === undefined) return undefined
    const value = this.#stores.current.get(key, { transaction: this.#transaction })
    return value === undefined ? undefined : new Revision(documentId, value)
  }

  async countCurrent(tableNo: number): Promise<number> {
    const transaction = this.#transaction
    let { start, end } = prefixRange(u32(tableNo))
    for (let count = 0; ; ) {
      let last: Buffer | undefined
      let read = 0
      const range = { start, end, limit: countedPerTurn, transaction }
      for (last of this.#stores.current.getKeys(range)) read++
      count += read
      if (last === undefined || read < countedPerTurn) return count
      start = Buffer.concat([last, Buffer.of(0)])
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  *scanCurrent(tableNo: number): Generator<Revision> {
    for (const { key, value } of this.#stores.current.getRange({
      ...prefixRange(u32(tableNo)),
      transaction: this.#transaction,
    })) {
      yield new Revision(idFromBytes(key.subarray(keyPrefixSize)), value)
    }
  }

  findByIndex(indexNo: number, indexKey: Uint8Array): Iterable<string> {
    const key = indexRowKey(indexNo, indexKey)
    const list = this.#stores.index.get(key, { transaction: this.#transaction })
    if (list === undefined) return []
    return isSpread(list) ? this.#findSpread(key) : idsIn(list)
  }

  *#findSpread(prefix: Buffer): Generator<string> {
    for (const key of this.#stores.postings.getKeys({
      ...prefixRange(prefix),
      transaction: this.#transaction,
    })) {
      // A longer key that begins with this one belongs to another value; ids have one length.
      if (key.length === prefix.length + idBytesSize) {
        yield idFromBytes(key.subarray(prefix.length))
      }
    }
  }

  *scanDeleted(tableNo: number): Generator<DocumentHead> {
    for (const { key, value } of this.#stores.deleted.getRange({
      ...prefixRange(u32(tableNo)),
      transaction: this.#transaction,
    })) {
      yield decodeHead(idFromBytes(key.subarray(keyPrefixSize)), value)
    }
  }

  getDeleted(tableNo: number, documentId: string): DocumentHead | undefined {
    const key = documentKeyView(tableNo, documentId)
    if (key === undefined) return undefined
    const value = this.#stores.deleted.get(key, { transaction: this.#transaction })
    return value === undefined ? undefined : decodeHead(documentId, value)
  }
}

interface Stores {
  readonly current: Store
  readonly deleted: Store
  readonly index: Store
  readonly postings: Store
  readonly redactions: Store
}

/** The files of a projection as this thread has them open. Once exchanged, closed when no snapshot shows them. */
class Environment {
  readonly root: RootDatabase<Buffer, Buffer>
  readonly meta: Store
  readonly stores: Stores
  readonly #path: string
  readonly #fileSystem: FileSystem
  #snapshotCount = 0
  #isRetired = false
  #closed: Promise<void> | undefined

  constructor(path: string, fileSystem: FileSystem) {
    this.#path = path
    this.#fileSystem = fileSystem
    // Memory is given to LMDB zeroed (no `noMemInit`): what is in no document must not get into the file.
    this.root = open({ path, maxDbs: 8, maxReaders: readerCountMax, ...binary })
    this.meta = this.root.openDB('meta', binary)
    this.stores = {
      current: this.root.openDB('current', binary),
      deleted: this.root.openDB('deleted', binary),
      index: this.root.openDB('index', binary),
      postings: this.root.openDB('postings', binary),
      redactions: this.root.openDB('redactions', binary),
    }
  }

  /**
   * Puts and removes in one commit; it is on the disk after `flushed` only.
   * @param bytesSize Of the values that `change` puts, where they are more than a few hundred kilobytes.
   */
  async write(change: () => void, bytesSize = 0): Promise<void> {
    await requireRoom(this.#fileSystem, this.#path, roomBytesMin + 2 * bytesSize)
    await this.root.batch(change)
  }

  snapshot(): LmdbSnapshot {
    const transaction = this.root.useReadTransaction()
    // Read in the view itself: another thread may have applied more by now than was heard of.
    const watermark = decodeWatermark(this.meta.get(metaKey('watermark'), { transaction }))
    this.#snapshotCount++
    return new LmdbSnapshot(watermark?.sequenceNo ?? -1, this.stores, transaction, () => {
      this.#snapshotCount--
      if (this.#isRetired && this.#snapshotCount === 0) void this.close()
    })
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  /** Closes the files as soon as no snapshot shows them. */
  retire(): void {
    this.#isRetired = true
    if (this.#snapshotCount === 0) void this.close()
  }

  close(): Promise<void> {
    this.#closed ??= this.root.close()
    return this.#closed
  }
}

/** Of what lmdb answers, untyped. */
interface EnvironmentStats {
  readonly lastPageNumber: number
  readonly pageSize: number
}

class LmdbProjection implements Projection {
  readonly #directory: string
  readonly #fileSystem: FileSystem
  #environment: Environment
  #watermark: Watermark | undefined
  #catalog: Catalog
  #latest: LmdbSnapshot | undefined
  /** Files that were exchanged and may still be shown. */
  #retired: Environment[] = []

  constructor(directory: string, fileSystem: FileSystem) {
    this.#directory = directory
    this.#fileSystem = fileSystem
    this.#environment = new Environment(directory, fileSystem)
    this.#watermark = decodeWatermark(this.#meta.get(metaKey('watermark')))
    const catalog = this.#meta.get(metaKey('catalog'))
    this.#catalog = catalog === undefined ? Catalog.empty : Catalog.fromIon(decodeIon(catalog))
  }

  get #root(): RootDatabase<Buffer, Buffer> {
    return this.#environment.root
  }

  get #meta(): Store {
    return this.#environment.meta
  }

  get #stores(): Stores {
    return this.#environment.stores
  }

  get watermark(): Watermark | undefined {
    return this.#watermark
  }

  get catalog(): Catalog {
    return this.#catalog
  }

  get bytesSize(): number {
    const { lastPageNumber, pageSize } = this.#root.getStats() as EnvironmentStats
    return (lastPageNumber + 1) * pageSize
  }

  acquireSnapshot(): ProjectionSnapshot {
    this.#latest ??= this.#environment.snapshot()
    return this.#latest.retain()
  }

  refresh(): void {
    this.#latest?.release()
    this.#latest = undefined
    this.#root.resetReadTxn()
  }

  async apply(blocks: readonly ProjectedBlock[], watermark: Watermark): Promise<void> {
    try {
      await this.#apply(blocks, watermark)
    } catch (error) {
      throw await projectionFailed(this.#directory, error)
    }
  }

  async #apply(blocks: readonly ProjectedBlock[], watermark: Watermark): Promise<void> {
    for (const [i, { createdIndexes, droppedIndexNos }] of blocks.entries()) {
      assert(i === 0 || !changesIndexes({ createdIndexes, droppedIndexNos }), 'first block only')
      for (const index of createdIndexes) await this.#build(index)
      for (const indexNo of droppedIndexNos) await this.#clear(indexNo)
    }
    const catalog = blocks.findLast((block) => block.catalog !== undefined)?.catalog
    await this.#environment.write(() => {
      const index = new IndexChanges(this.#stores)
      for (const { revisions } of blocks) for (const item of revisions) this.#put(item, index)
      index.write()
      for (const { sequenceNo, redactions } of blocks) {
        if (redactions.length === 0) continue
        this.#stores.redactions.put(u48(sequenceNo), encodeRedactions(redactions))
      }
      if (catalog !== undefined) {
        this.#meta.put(metaKey('catalog'), Buffer.from(encodeIon(catalog.toIon())))
      }
      this.#meta.put(metaKey('watermark'), encodeWatermark(watermark))
    }, recordBytesSize(blocks))
    await this.#root.flushed
    this.#watermark = watermark
    this.#catalog = catalog ?? this.#catalog
    this.refresh()
  }

  #put(
    { tableNo, revision, indexChanges, followsRedacted }: ProjectedRevision,
    index: IndexChanges,
  ): void {
    const { documentId } = revision
    const key = documentKeyView(tableNo, documentId)
    assert(key !== undefined, 'documents have ids of 128 bits')
    if (followsRedacted) this.#stores.deleted.remove(key)
    if (revision.isDeletion) {
      this.#stores.current.remove(key)
      this.#stores.deleted.put(key, encodeHead(revision))
    } else {
      this.#stores.current.put(key, asBuffer(revision.record))
    }
    for (const { indexNo, oldKey, newKey } of indexChanges) {
      if (oldKey !== undefined) index.remove(indexNo, oldKey, documentIdView)
      if (newKey !== undefined) index.add(indexNo, newKey, documentIdView)
    }
  }

  /** Indexes the documents that a table has already, in pieces, so that the thread stays free for others. */
  async #build(created: CreatedIndex): Promise<void> {
    let start: Buffer = u32(created.tableNo)
    const { end } = prefixRange(start)
    for (;;) {
      const rows = [...this.#stores.current.getRange({ start, end, limit: indexChunkCount })]
      await this.#environment.write(() => {
        const index = new IndexChanges(this.#stores)
        for (const { key, value } of rows) {
          const revision = new Revision(idFromBytes(key.subarray(keyPrefixSize)), value)
          for (const { indexNo, newKey } of indexChanges([created], undefined, revision.value)) {
            if (newKey !== undefined) index.add(indexNo, newKey, key.subarray(keyPrefixSize))
          }
        }
        index.write()
      })
      const last = rows.at(-1)
      if (last === undefined || rows.length < indexChunkCount) return
      start = Buffer.concat([last.key, Buffer.of(0)])
    }
  }

  async #clear(indexNo: number): Promise<void> {
    const range = prefixRange(u32(indexNo))
    for (const store of [this.#stores.index, this.#stores.postings]) {
      for (;;) {
        const keys = [...store.getKeys({ ...range, limit: indexChunkCount })]
        if (keys.length === 0) break
        await this.#environment.write(() => {
          for (const key of keys) store.remove(key)
        })
      }
    }
  }

  // Redactions

  get pendingRedactions(): readonly PendingRedaction[] {
    const out: PendingRedaction[] = []
    for (const { key, value } of this.#stores.redactions.getRange({})) {
      const redactingNo = key.readUIntBE(0, 6)
      for (const redaction of decodeRedactions(value)) out.push({ ...redaction, redactingNo })
    }
    return out
  }

  async clean(
    supersededNo: number,
    finishedNos: readonly number[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const cleanSince = this.#meta.get(metaKey('cleanSince'))?.readIntBE(0, 6) ?? -1
    const isExchanged = supersededNo > cleanSince
    if (isExchanged) await this.#exchange(signal)
    await this.#environment.write(() => {
      for (const sequenceNo of finishedNos) this.#stores.redactions.remove(u48(sequenceNo))
    })
    await this.#root.flushed
    return isExchanged
  }

  /**
   * Copies everything into new files and puts them in place of the old ones. LMDB never clears a page: what was in a
   * document before stays in free pages, and in the gaps of those in use, until chance overwrites it.
   */
  async #exchange(signal: AbortSignal): Promise<void> {
    const fresh = freshPath(this.#directory)
    if (await this.#fileSystem.exists(fresh)) await this.#fileSystem.remove(fresh)
    await this.#fileSystem.makeDirectory(fresh)
    const target = new Environment(fresh, this.#fileSystem)
    try {
      await this.#copyTo(target, signal)
    } catch (error) {
      await target.close()
      await this.#fileSystem.remove(fresh)
      throw error
    }
    await target.close()
    await exchange(this.#directory, this.#fileSystem)
    this.reopen()
  }

  async #copyTo(target: Environment, signal: AbortSignal): Promise<void> {
    for (const name of storeNames) {
      await this.#copyStore(name, target, signal)
    }
    const watermark = this.#meta.get(metaKey('watermark'))
    const catalog = this.#meta.get(metaKey('catalog'))
    const sequenceNo = decodeWatermark(watermark)?.sequenceNo ?? -1
    await target.write(() => {
      if (watermark !== undefined) target.meta.put(metaKey('watermark'), watermark)
      if (catalog !== undefined) target.meta.put(metaKey('catalog'), catalog)
      target.meta.put(metaKey('cleanSince'), i48(sequenceNo))
    })
    await target.root.flushed
  }

  /** In pieces, so that the thread stays free for others. */
  async #copyStore(name: keyof Stores, target: Environment, signal: AbortSignal): Promise<void> {
    const source = this.#stores[name]
    const store = target.stores[name]
    for (let start: Buffer | undefined; ; ) {
      signal.throwIfAborted()
      const from = start === undefined ? {} : { start }
      const rows = [...source.getRange({ ...from, limit: copiedCount })]
      const bytesSize = rows.reduce((sum, { value }) => sum + value.length, 0)
      await target.write(() => {
        for (const { key, value } of rows) store.put(key, value)
      }, bytesSize)
      const last = rows.at(-1)
      if (last === undefined || rows.length < copiedCount) return
      start = Buffer.concat([last.key, Buffer.of(0)])
    }
  }

  reopen(): void {
    this.#latest?.release()
    this.#latest = undefined
    const environment = this.#environment
    this.#environment = new Environment(this.#directory, this.#fileSystem)
    environment.retire()
    this.#retired = this.#retired.filter(({ isClosed }) => !isClosed)
    if (!environment.isClosed) this.#retired.push(environment)
  }

  async close(): Promise<void> {
    this.#latest?.release()
    this.#latest = undefined
    for (const environment of this.#retired) await environment.close()
    await this.#environment.close()
  }
}

const storeNames = ['current', 'deleted', 'index', 'postings', 'redactions'] as const
/** Rows copied per LMDB commit. */
const copiedCount = 2000

/** No dot in these names: LMDB's binding takes a path with one for a file. */
function freshPath(directory: string): string {
  return `${directory}-new`
}

function oldPath(directory: string): string {
  return `${directory}-old`
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** Puts the new files, which are whole, in place of the old ones. A crash in between: see {@link finishExchange}. */
async function exchange(directory: string, fileSystem: FileSystem): Promise<void> {
  await fileSystem.rename(directory, oldPath(directory))
  await fileSystem.rename(freshPath(directory), directory)
  await fileSystem.syncDirectory(parentOf(directory))
  await fileSystem.remove(oldPath(directory))
  await fileSystem.syncDirectory(parentOf(directory))
}

/** After a crash: new files are whole only when the old ones are out of their place. */
async function finishExchange(directory: string, fileSystem: FileSystem): Promise<void> {
  const fresh = freshPath(directory)
  if (await fileSystem.exists(fresh)) {
    if (await fileSystem.exists(directory)) await fileSystem.remove(fresh)
    else await fileSystem.rename(fresh, directory)
  }
  const old = oldPath(directory)
  if (!(await fileSystem.exists(old))) return
  // The new name must not be lost when the old files are gone.
  await fileSystem.syncDirectory(parentOf(directory))
  await fileSystem.remove(old)
  await fileSystem.syncDirectory(parentOf(directory))
}

/**
 * LMDB 3.5.6 corrupts its heap when a write of it fails for want of room ("corrupted size vs. prev_size"), which ends
 * the whole process. So it is not asked to write where room is short: values may take twice their size, as pages are
 * split, and this much is for the pages above them.
 */
const roomBytesMin = 16 * 1024 * 1024

function recordBytesSize(blocks: readonly ProjectedBlock[]): number {
  let sum = 0
  for (const { revisions } of blocks) {
    for (const { revision } of revisions) sum += revision.record.length
  }
  return sum
}

/** Ids kept in the list itself. More are spread over keys of their own, and stay so when they become few again. */
const listedCountMax = 32
const spreadMark: Buffer = Buffer.of(0xff)

function isSpread(list: Uint8Array): boolean {
  return list.length === spreadMark.length
}

function idsIn(list: Uint8Array): string[] {
  const ids: string[] = []
  for (let i = 0; i < list.length; i += idBytesSize) {
    ids.push(idFromBytes(list.subarray(i, i + idBytesSize)))
  }
  return ids
}

/** What one LMDB commit changes in the indexes: each list is read once and written once. */
class IndexChanges {
  readonly #stores: Stores
  /** By the key as text. */
  readonly #lists = new Map<string, { readonly key: Buffer; list: Buffer }>()

  constructor(stores: Stores) {
    this.#stores = stores
  }

  /** @param id Of the document, in bytes that are the caller's. */
  add(indexNo: number, indexKey: Uint8Array, id: Uint8Array): void {
    const entry = this.#entry(indexNo, indexKey)
    if (isSpread(entry.list)) this.#stores.postings.put(joined(entry.key, id), nothing)
    else if (positionOf(entry.list, id) < 0) entry.list = joined(entry.list, id)
    if (entry.list.length > listedCountMax * idBytesSize) this.#spread(entry)
  }

  remove(indexNo: number, indexKey: Uint8Array, id: Uint8Array): void {
    const entry = this.#entry(indexNo, indexKey)
    if (isSpread(entry.list)) {
      this.#stores.postings.remove(joined(entry.key, id))
      return
    }
    const position = positionOf(entry.list, id)
    if (position < 0) return
    const rest = entry.list.subarray(position + idBytesSize)
    entry.list = Buffer.concat([entry.list.subarray(0, position), rest])
  }

  write(): void {
    for (const { key, list } of this.#lists.values()) {
      if (list.length === 0) this.#stores.index.remove(key)
      else this.#stores.index.put(key, list)
    }
  }

  #entry(indexNo: number, indexKey: Uint8Array): { readonly key: Buffer; list: Buffer } {
    const key = indexRowKey(indexNo, indexKey)
    const text = key.toString('latin1')
    const found = this.#lists.get(text)
    if (found !== undefined) return found
    const entry = { key, list: this.#stores.index.get(key) ?? nothing }
    this.#lists.set(text, entry)
    return entry
  }

  #spread(entry: { readonly key: Buffer; list: Buffer }): void {
    for (let i = 0; i < entry.list.length; i += idBytesSize) {
      const id = entry.list.subarray(i, i + idBytesSize)
      this.#stores.postings.put(Buffer.concat([entry.key, id]), nothing)
    }
    entry.list = spreadMark
  }
}

const nothing: Buffer = Buffer.alloc(0)

function positionOf(list: Buffer, id: Uint8Array): number {
  for (let i = 0; i < list.length; i += idBytesSize) {
    if (list.compare(id, 0, idBytesSize, i, i + idBytesSize) === 0) return i
  }
  return -1
}

function metaKey(name: 'watermark' | 'catalog' | 'cleanSince'): Buffer {
  return Buffer.from(name, 'latin1')
}

function u48(value: number): Buffer {
  const out = Buffer.allocUnsafe(6)
  out.writeUIntBE(value, 0, 6)
  return out
}

function i48(value: number): Buffer {
  const out = Buffer.allocUnsafe(6)
  out.writeIntBE(value, 0, 6)
  return out
}

function u32(value: number): Buffer {
  const out = Buffer.allocUnsafe(4)
  out.writeUInt32BE(value)
  return out
}

/** All keys that begin with `prefix` and have more bytes after it. */
function prefixRange(prefix: Buffer): { start: Buffer; end: Buffer } {
  return { start: prefix, end: Buffer.concat([prefix, Buffer.alloc(32, 0xff)]) }
}

// LMDB's binding copies keys at once, so that one of them serves all.
const documentKey: Buffer = Buffer.alloc(keyPrefixSize + idBytesSize)
/** The id in the key that was made last. */
const documentIdView: Buffer = documentKey.subarray(keyPrefixSize)

/** The key of a document, until the next one is made; undefined when there can be none. */
function documentKeyView(tableNo: number, documentId: string): Buffer | undefined {
  documentKey.writeUInt32BE(tableNo)
  return writeIdBytes(documentId, documentKey, keyPrefixSize) ? documentKey : undefined
}

function indexRowKey(indexNo: number, indexKey: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(keyPrefixSize + indexKey.length)
  out.writeUInt32BE(indexNo)
  out.set(indexKey, keyPrefixSize)
  return out
}

function joined(a: Uint8Array, b: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}

const writer = new ByteWriter()

function encodeHead(revision: Revision): Buffer {
  const out = Buffer.allocUnsafe(10)
  out.writeUIntBE(revision.sequenceNo, 0, 6)
  out.writeUInt32BE(revision.ordinal, 6)
  return out
}

function decodeHead(documentId: string, value: Buffer): DocumentHead {
  return { documentId, sequenceNo: value.readUIntBE(0, 6), ordinal: value.readUInt32BE(6) }
}

function encodeRedactions(redactions: readonly BlockRedaction[]): Buffer {
  writer.varuint(redactions.length)
  for (const redaction of redactions) writeRedaction(writer, redaction)
  return asBuffer(writer.take())
}

function decodeRedactions(value: Buffer): BlockRedaction[] {
  const reader = new ByteReader(value)
  return Array.from({ length: reader.varuint() }, () => readRedaction(reader))
}

function encodeWatermark(watermark: Watermark): Buffer {
  writer.u8(formatVersion)
  writer.varuint(watermark.sequenceNo)
  writer.varuint(watermark.timestampMs)
  writer.raw(watermark.blockHash)
  writer.raw(watermark.qldbRoot)
  writer.raw(watermark.tlogRoot)
  return asBuffer(writer.take())
}

function decodeWatermark(value: Buffer | undefined): Watermark | undefined {
  if (value === undefined) return undefined
  const reader = new ByteReader(value)
  if (reader.u8() !== formatVersion) return undefined
  return {
    sequenceNo: reader.varuint(),
    timestampMs: reader.varuint(),
    blockHash: Uint8Array.from(reader.rawView(hashBytesSize)),
    qldbRoot: Uint8Array.from(reader.rawView(hashBytesSize)),
    tlogRoot: Uint8Array.from(reader.rawView(hashBytesSize)),
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
