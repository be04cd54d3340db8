/**
 * Tables in one LMDB environment. Transactions are synchronous and end with an fdatasync (observed with lmdb 3.5.6):
 * 1.4 us a row and 0.3 ms a transaction here, which an asynchronous one would only move elsewhere.
 */
import { type Database as LmdbTable, open, type RootDatabase, type Transaction } from 'lmdb'
import type { Database, DatabaseReplica, RangeOptions, Table, TableRow } from './database.ts'

const binary = { keyEncoding: 'binary', encoding: 'binary' } as const
/** Tables of the chain and of two states together, with room. */
const tableCountMax = 64

/** @param directory Made when it does not exist. */
export function openLmdbDatabase(directory: string): Database {
  return new LmdbDatabase(openRoot(directory))
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
  readonly #tables = new Map<string, Table>()

  constructor(root: RootDatabase<Buffer, Buffer>) {
    this.#root = root
  }

  table(name: string): Table {
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = new LmdbDatabaseTable(this.#root.openDB(name, binary))
      this.#tables.set(name, table)
    }
    return table
  }

  writeSync(write: () => void): void {
    this.#root.transactionSync(write)
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
      table = new LmdbDatabaseTable(this.#root.openDB(name, binary), this.#moment)
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

  constructor(table: LmdbTable<Buffer, Buffer>, moment?: Moment) {
    this.#table = table as ReadableTable
    this.#moment = moment
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
    this.#checkWritable()
    this.#table.putSync(key as Buffer, value as Buffer)
  }

  remove(key: Uint8Array): void {
    this.#checkWritable()
    this.#table.removeSync(key as Buffer)
  }

  removeAll(): void {
    this.#checkWritable()
    this.#table.clearSync()
  }

  #checkWritable(): void {
    if (this.#moment !== undefined) throw writtenElsewhere()
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

/** A Buffer's `slice` is a view where that of a Uint8Array is a copy, so none goes out of here. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
