/**
 * Current documents, history and indexes of a ledger in LMDB: a projection of the journal up to its watermark.
 * Deleting it loses nothing. One writer (the projector), any number of readers on shared snapshots.
 *
 *   current  tableNo u32 ‖ document id          → version, block, place in it, time, transaction, hash, document
 *   history  tableNo u32 ‖ document id ‖ version u32 → block u48, place in it u32, time u48
 *   index    indexNo u32 ‖ index key ‖ document id   → nothing
 *   meta     "watermark", "catalog"
 *
 * Document ids made here rise with time, so new documents are appended to the B-trees rather than scattered over them.
 */
import { assert, hashBytesSize, idBytesSize, idFromBytes, idToBytes } from '@cairn/core'
import { decodeIon, encodeIon } from '@cairn/ion'
import { type Database, open, type RootDatabase } from 'lmdb'
import { ByteReader, ByteWriter } from './byte-writer.ts'
import { Catalog, type CatalogTable } from './catalog.ts'
import {
  changesIndexes,
  type HistoryEntry,
  type ProjectedBlock,
  type ProjectedRevision,
  type Projection,
  type ProjectionDriver,
  type ProjectionSnapshot,
  type Watermark,
} from './projection.ts'
import { indexChanges, Revision } from './revision.ts'

type Transaction = ReturnType<RootDatabase<Buffer, Buffer>['useReadTransaction']>
type Store = Database<Buffer, Buffer>

const binary = { keyEncoding: 'binary', encoding: 'binary' } as const

export const lmdbProjections: ProjectionDriver = {
  async open(directory, fileSystem) {
    if (!(await fileSystem.exists(directory))) await fileSystem.makeDirectory(directory)
    const maxReaders = readerCountMax
    return new LmdbProjection(open({ path: directory, maxDbs: 8, maxReaders, ...binary }))
  },
  async remove(directory, fileSystem) {
    if (await fileSystem.exists(directory)) await fileSystem.remove(directory)
  },
  async readWatermark(directory, fileSystem) {
    if (!(await fileSystem.exists(`${directory}/data.mdb`))) return undefined
    const root: RootDatabase<Buffer, Buffer> = open({
      path: directory,
      maxDbs: 8,
      readOnly: true,
      ...binary,
    })
    try {
      const meta: Store | undefined = root.openDB('meta', binary)
      return decodeWatermark(meta?.get(metaKey('watermark')))
    } finally {
      await root.close()
    }
  },
}

/** Raised when keys or values change their layout; another number means a rebuild. */
const formatVersion = 1
/** Snapshots are shared by all transactions between two commits of the projector, and a transaction lives 30 s. */
const readerCountMax = 2048
/** Documents indexed per LMDB commit when an index is made on a table that has some. */
const indexChunkCount = 2000

class LmdbSnapshot implements ProjectionSnapshot {
  /** Blocks up to this one are in it; -1: none. */
  readonly sequenceNo: number
  readonly #stores: Stores
  readonly #transaction: Transaction
  #holderCount = 1

  constructor(sequenceNo: number, stores: Stores, transaction: Transaction) {
    this.sequenceNo = sequenceNo
    this.#stores = stores
    this.#transaction = transaction
  }

  retain(): this {
    this.#holderCount++
    return this
  }

  release(): void {
    if (--this.#holderCount === 0) this.#transaction.done()
  }

  getCurrent(tableNo: number, documentId: string): Revision | undefined {
    const id = idToBytes(documentId)
    if (id === undefined) return undefined
    const value = this.#stores.current.get(Buffer.concat([u32(tableNo), id]), {
      transaction: this.#transaction,
    })
    return value === undefined ? undefined : decodeCurrent(documentId, value)
  }

  *scanCurrent(tableNo: number): Generator<Revision> {
    for (const { key, value } of this.#stores.current.getRange({
      ...prefixRange(u32(tableNo)),
      transaction: this.#transaction,
    })) {
      yield decodeCurrent(idFromBytes(key.subarray(4)), value)
    }
  }

  *findByIndex(indexNo: number, indexKey: Uint8Array): Generator<string> {
    const prefix = Buffer.concat([u32(indexNo), indexKey])
    for (const key of this.#stores.index.getKeys({
      ...prefixRange(prefix),
      transaction: this.#transaction,
    })) {
      // A longer key that begins with this one belongs to another value; ids have one length.
      if (key.length === prefix.length + idBytesSize) {
        yield idFromBytes(key.subarray(prefix.length))
      }
    }
  }

  *history(tableNo: number, documentId?: string): Generator<HistoryEntry> {
    const id = documentId === undefined ? new Uint8Array(0) : idToBytes(documentId)
    if (id === undefined) return
    const prefix = Buffer.concat([u32(tableNo), id])
    for (const { key, value } of this.#stores.history.getRange({
      ...prefixRange(prefix),
      transaction: this.#transaction,
    })) {
      yield {
        documentId: idFromBytes(key.subarray(4, 4 + idBytesSize)),
        version: key.readUInt32BE(4 + idBytesSize),
        sequenceNo: value.readUIntBE(0, 6),
        ordinal: value.readUInt32BE(6),
        committedMs: value.readUIntBE(10, 6),
      }
    }
  }
}

interface Stores {
  readonly current: Store
  readonly history: Store
  readonly index: Store
}

class LmdbProjection implements Projection {
  readonly #root: RootDatabase<Buffer, Buffer>
  readonly #meta: Store
  readonly #stores: Stores
  #watermark: Watermark | undefined
  #catalog: Catalog
  #latest: LmdbSnapshot | undefined

  constructor(root: RootDatabase<Buffer, Buffer>) {
    this.#root = root
    this.#meta = root.openDB('meta', binary)
    this.#stores = {
      current: root.openDB('current', binary),
      history: root.openDB('history', binary),
      index: root.openDB('index', binary),
    }
    this.#watermark = decodeWatermark(this.#meta.get(metaKey('watermark')))
    const catalog = this.#meta.get(metaKey('catalog'))
    this.#catalog = catalog === undefined ? Catalog.empty : Catalog.fromIon(decodeIon(catalog))
  }

  get watermark(): Watermark | undefined {
    return this.#watermark
  }

  get catalog(): Catalog {
    return this.#catalog
  }

  acquireSnapshot(): ProjectionSnapshot {
    if (this.#latest === undefined) {
      this.#latest = new LmdbSnapshot(
        this.#watermark?.sequenceNo ?? -1,
        this.#stores,
        this.#root.useReadTransaction(),
      )
    }
    return this.#latest.retain()
  }

  async apply(blocks: readonly ProjectedBlock[], watermark: Watermark): Promise<void> {
    for (const [i, { createdIndexes, droppedIndexNos }] of blocks.entries()) {
      assert(i === 0 || !changesIndexes({ createdIndexes, droppedIndexNos }), 'first block only')
      for (const { table, indexId } of createdIndexes) await this.#build(table, indexId)
      for (const indexNo of droppedIndexNos) await this.#clear(indexNo)
    }
    const catalog = blocks.findLast((block) => block.catalog !== undefined)?.catalog
    const isCommitted = this.#root.batch(() => {
      for (const { revisions } of blocks) for (const item of revisions) this.#put(item)
      if (catalog !== undefined) {
        this.#meta.put(metaKey('catalog'), Buffer.from(encodeIon(catalog.toIon())))
      }
      this.#meta.put(metaKey('watermark'), encodeWatermark(watermark))
    })
    await isCommitted
    await this.#root.flushed
    this.#watermark = watermark
    this.#catalog = catalog ?? this.#catalog
    this.#latest?.release()
    this.#latest = undefined
  }

  #put({ table, revision, indexChanges }: ProjectedRevision): void {
    const key = documentKey(table.tableNo, revision.documentId)
    if (revision.data === undefined) this.#stores.current.remove(key)
    else this.#stores.current.put(key, encodeCurrent(revision))
    this.#stores.history.put(Buffer.concat([key, u32(revision.version)]), encodeHistory(revision))
    for (const { indexNo, oldKey, newKey } of indexChanges) {
      if (oldKey !== undefined) {
        this.#stores.index.remove(indexEntryKey(indexNo, oldKey, revision.documentId))
      }
      if (newKey !== undefined) {
        this.#stores.index.put(indexEntryKey(indexNo, newKey, revision.documentId), Buffer.alloc(0))
      }
    }
  }

  /** Indexes the documents that a table has already, in pieces, so that the thread stays free for others. */
  async #build(table: CatalogTable, indexId: string): Promise<void> {
    const only = { ...table, indexes: table.indexes.filter((index) => index.indexId === indexId) }
    let start: Buffer = u32(table.tableNo)
    const { end } = prefixRange(start)
    for (;;) {
      const rows = [...this.#stores.current.getRange({ start, end, limit: indexChunkCount })]
      const isIndexed = this.#root.batch(() => {
        for (const { key, value } of rows) {
          const revision = decodeCurrent(idFromBytes(key.subarray(4)), value)
          for (const { indexNo, newKey } of indexChanges(only, undefined, revision.value)) {
            if (newKey === undefined) continue
            const entry = indexEntryKey(indexNo, newKey, revision.documentId)
            this.#stores.index.put(entry, Buffer.alloc(0))
          }
        }
      })
      await isIndexed
      const last = rows.at(-1)
      if (last === undefined || rows.length < indexChunkCount) return
      start = Buffer.concat([last.key, Buffer.of(0)])
    }
  }

  async #clear(indexNo: number): Promise<void> {
    const range = prefixRange(u32(indexNo))
    for (;;) {
      const keys = [...this.#stores.index.getKeys({ ...range, limit: indexChunkCount })]
      if (keys.length === 0) return
      await this.#root.batch(() => {
        for (const key of keys) this.#stores.index.remove(key)
      })
    }
  }

  async close(): Promise<void> {
    this.#latest?.release()
    this.#latest = undefined
    await this.#root.close()
  }
}

function metaKey(name: 'watermark' | 'catalog'): Buffer {
  return Buffer.from(name, 'latin1')
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

function idKey(documentId: string): Uint8Array {
  const bytes = idToBytes(documentId)
  assert(bytes !== undefined, 'documents have ids of 128 bits')
  return bytes
}

function documentKey(tableNo: number, documentId: string): Buffer {
  return Buffer.concat([u32(tableNo), idKey(documentId)])
}

function indexEntryKey(indexNo: number, indexKey: Uint8Array, documentId: string): Buffer {
  return Buffer.concat([u32(indexNo), indexKey, idKey(documentId)])
}

const writer = new ByteWriter()

function encodeCurrent(revision: Revision): Buffer {
  writer.varuint(revision.version)
  writer.varuint(revision.sequenceNo)
  writer.varuint(revision.ordinal)
  writer.varuint(revision.transactionTimeMs)
  writer.text(revision.transactionId)
  writer.raw(revision.hash)
  writer.bytes(revision.data ?? new Uint8Array(0))
  return asBuffer(writer.take())
}

function decodeCurrent(documentId: string, value: Buffer): Revision {
  const reader = new ByteReader(value)
  return new Revision({
    documentId,
    version: reader.varuint(),
    sequenceNo: reader.varuint(),
    ordinal: reader.varuint(),
    transactionTimeMs: reader.varuint(),
    transactionId: reader.text(),
    hash: reader.rawView(hashBytesSize),
    data: reader.bytesView(),
  })
}

function encodeHistory(revision: Revision): Buffer {
  const out = Buffer.allocUnsafe(16)
  out.writeUIntBE(revision.sequenceNo, 0, 6)
  out.writeUInt32BE(revision.ordinal, 6)
  out.writeUIntBE(revision.transactionTimeMs, 10, 6)
  return out
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
