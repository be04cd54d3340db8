/**
 * Tables in one LMDB environment. Transactions are synchronous and end with an fdatasync (observed with lmdb 3.5.6):
 * 1.4 us a row and 0.3 ms a transaction here, which an asynchronous one would only move elsewhere.
 */
import { mkdirSync, statfsSync } from 'node:fs'
import { type Database as LmdbTable, open, type RootDatabase, type Transaction } from 'lmdb'
import type { Database, DatabaseReplica, RangeOptions, Table, TableRow } from './database.ts'
import { diskFull } from './errors.ts'

const binary = { keyEncoding: 'binary', encoding: 'binary' } as const
/** Tables of the chain and of two states together, with room. */
const tableCountMax = 64

/**
 * LMDB 3.5.6 corrupts its heap when a write of it fails for want of room ("corrupted size vs. prev_size"), which ends
 * the whole process. So before each commit there has to be more room than it can take: a page for each row, as rows in
 * any order come to lie in pages of their own, twice the values, as pages are split, and this for the pages above.
 */
const roomBytesMin = 16 * 1024 * 1024
const pageBytesSize = 4096

export interface LmdbOptions {
  /** Bytes that may still be written to the disk of the directory; the system is asked unless told otherwise. */
  freeBytes?(directory: string): number
  /** Called before each write begins. What it throws, or ends, leaves nothing begun. */
  beforeWrite?(): void
}

/**
 * @param directory Made when it does not exist.
 * @throws StateError DISK_FULL, as every write and the opening of a table may.
 */
export function openLmdbDatabase(directory: string, options: LmdbOptions = {}): Database {
  const { freeBytes = freeBytesOf, beforeWrite } = options
  mkdirSync(directory, { recursive: true })
  const room = new Room(directory, freeBytes)
  room.require()
  return new LmdbDatabase(openRoot(directory), room, () => beforeWrite?.())
}

function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

/** What a write will take, and whether there is as much. */
class Room {
  readonly #directory: string
  readonly #freeBytes: (directory: string) => number
  #rowCount = 0
  #bytesSize = 0

  constructor(directory: string, freeBytes: (directory: string) => number) {
    this.#directory = directory
    this.#freeBytes = freeBytes
  }

  begin(): void {
    this.#rowCount = 0
    this.#bytesSize = 0
  }

  noteRow(bytesSize: number): void {
    this.#rowCount++
    this.#bytesSize += bytesSize
  }

  /** @throws StateError DISK_FULL */
  require(): void {
    const bytesNeeded = roomBytesMin + this.#rowCount * pageBytesSize + 2 * this.#bytesSize
    const freeBytes = this.#freeBytes(this.#directory)
    if (freeBytes < bytesNeeded) throw diskFull(this.#directory, freeBytes, bytesNeeded)
  }
}

/**
 * A second handle on an environment that another thread of this process has opened and alone writes. While it stays at
 * one moment, LMDB keeps the pages of that moment: renew it whenever there is something new.
 */
export function openLmdbReplica(directory: string): DatabaseReplica {
  return new LmdbReplica(openRoot(directory))
}

function openRoot(directory: string): RootDatabase<Buffer, Buffer> {
  return open({ path: directory, maxDbs: tableCountMax, noMemInit: true, ...binary })
}

class LmdbDatabase implements Database {
  readonly #root: RootDatabase<Buffer, Buffer>
  readonly #room: Room
  readonly #tables = new Map<string, Table>()
  readonly #beforeWrite: () => void
  #isWriting = false

  constructor(root: RootDatabase<Buffer, Buffer>, room: Room, beforeWrite: () => void) {
    this.#root = root
    this.#room = room
    this.#beforeWrite = beforeWrite
  }

  table(name: string): Table {
    let table = this.#tables.get(name)
    if (table === undefined) {
      this.#room.require()
      table = new LmdbDatabaseTable(this.#root.openDB(name, binary), { room: this.#room })
      this.#tables.set(name, table)
    }
    return table
  }

  writeSync(write: () => void): void {
    // A write within a write belongs to the outer one.
    if (this.#isWriting) {
      write()
      return
    }
    this.#beforeWrite()
    this.#isWriting = true
    this.#room.begin()
    try {
      this.#root.transactionSync(() => {
        write()
        // Nothing has gone to the disk yet.
        this.#room.require()
      })
    } finally {
      this.#isWriting = false
    }
  }

  async close(): Promise<void> {
    await this.#root.flushed
    await this.#root.close()
  }
}

/** What every read of a replica is given: it changes when the replica moves on. */
interface Moment {
  transaction: Transaction
}

class LmdbReplica implements DatabaseReplica {
  readonly #root: RootDatabase<Buffer, Buffer>
  readonly #tables = new Map<string, Table>()
  readonly #moment: Moment

  constructor(root: RootDatabase<Buffer, Buffer>) {
    this.#root = root
    this.#moment = { transaction: root.useReadTransaction() }
  }

  table(name: string): Table {
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = new LmdbDatabaseTable(this.#root.openDB(name, binary), { moment: this.#moment })
      this.#tables.set(name, table)
      // A transaction knows the tables that were open when it began.
      this.renew()
    }
    return table
  }

  renew(): void {
    this.#moment.transaction.done()
    // Within one turn of the event loop lmdb hands out the same transaction again unless told otherwise.
    ;(this.#root as unknown as { resetReadTxn(): void }).resetReadTxn()
    this.#moment.transaction = this.#root.useReadTransaction()
  }

  writeSync(): void {
    throw writtenElsewhere()
  }

  async close(): Promise<void> {
    this.#moment.transaction.done()
    await this.#root.close()
  }
}

function writtenElsewhere(): Error {
  return new TypeError('A replica is not written.')
}

/** The types of lmdb 3.5.6 leave out that these take options, too. */
type ReadableTable = LmdbTable<Buffer, Buffer> & {
  getBinary(key: Buffer, moment: Moment | undefined): Buffer | undefined
  getBinaryFast(key: Buffer, moment: Moment | undefined): Buffer | undefined
}

class LmdbDatabaseTable implements Table {
  readonly #table: ReadableTable
  /** Undefined: reads see what is there. */
  readonly #moment: Moment | undefined
  /** Undefined: it is not written. */
  readonly #room: Room | undefined

  constructor(table: LmdbTable<Buffer, Buffer>, more: { moment?: Moment; room?: Room }) {
    this.#table = table as ReadableTable
    this.#moment = more.moment
    this.#room = more.room
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#table.getBinary(key as Buffer, this.#moment)
    return value === undefined ? undefined : plain(value)
  }

  getView(key: Uint8Array): Uint8Array | undefined {
    const value = this.#table.getBinaryFast(key as Buffer, this.#moment)
    return value === undefined ? undefined : plain(value)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#writableRoom().noteRow(key.length + value.length)
    this.#table.putSync(key as Buffer, inScratch(value) as Buffer)
  }

  remove(key: Uint8Array): void {
    this.#writableRoom().noteRow(0)
    this.#table.removeSync(key as Buffer)
  }

  removeAll(): void {
    this.#writableRoom().noteRow(0)
    this.#table.clearSync()
  }

  #writableRoom(): Room {
    if (this.#room === undefined) throw writtenElsewhere()
    return this.#room
  }

  *range(start: Uint8Array, end: Uint8Array, options: RangeOptions = {}): Iterable<TableRow> {
    const { isReverse = false, countMax } = options
    const limit = countMax === undefined ? {} : { limit: countMax }
    // LMDB starts a reverse range at `start` itself and stops before `end`; ours is closed below and open above.
    const bounds = isReverse
      ? { start: end as Buffer, end: start as Buffer, exclusiveStart: true, inclusiveEnd: true }
      : { start: start as Buffer, end: end as Buffer }
    for (const { key, value } of this.#table.getRange({
      ...bounds,
      reverse: isReverse,
      ...limit,
      ...this.#moment,
    })) {
      yield { key: plain(key), value: plain(value) }
    }
  }
}

/**
 * The value where lmdb can point at it: it asks for the address of the ArrayBuffer, which V8 would first have to make
 * of each small array (0.8 us). Within a transaction lmdb is done with it when its call returns.
 */
function inScratch(value: Uint8Array): Uint8Array {
  if (value.length > smallBytesMax) return value
  scratch.set(value)
  return scratch.subarray(0, value.length)
}

/** Those that V8 keeps within its heap. */
const smallBytesMax = 64
const scratch = Buffer.alloc(smallBytesMax)

/** A Buffer's `slice` is a view where that of a Uint8Array is a copy, so none goes out of here. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
