/**
 * Ordered tables of bytes with one writer, as chain and state need them: everything synchronous, writes all or nothing.
 * Implemented by LMDB on a disk (lmdb-database.ts) and in memory (memory-database.ts), which pass one suite.
 */

export interface Table {
  /** The caller may keep the answer. */
  get(key: Uint8Array): Uint8Array | undefined
  /** Like `get`, without a copy: valid until the next call of any table. */
  getView(key: Uint8Array): Uint8Array | undefined
  /** Inside `writeSync` only. */
  put(key: Uint8Array, value: Uint8Array): void
  /** Inside `writeSync` only; a key that is not there is no error. */
  remove(key: Uint8Array): void
  /** Removes every row. Inside `writeSync` only. */
  removeAll(): void
  /** Rows with `start` <= key < `end` in the order of bytes. Inside a write: take all before changing the table. */
  range(start: Uint8Array, end: Uint8Array, options?: RangeOptions): Iterable<TableRow>
}

export interface RangeOptions {
  /** From the end downwards. */
  readonly isReverse?: boolean
  readonly countMax?: number
}

export interface TableRow {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export interface Database {
  /** Opens a table, which is made when it does not exist. Always the same object for one name. */
  table(name: string): Table
  /**
   * Runs `write` in a transaction: reads inside see its writes, and when it throws nothing of it remains. When it
   * returns, the writes are on the disk, if there is one.
   */
  writeSync(write: () => void): void
  close(): Promise<void>
}

/** A database that another thread of the process writes, as it was at one moment. */
export interface DatabaseReplica extends Database {
  /** Moves on to what is written now. Ranges that are being read end first. */
  renew(): void
}

/** First key after all that begin with `prefix`; undefined when there is none, as after ff ff. */
export function endOfPrefix(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const end = new Uint8Array(prefix.subarray(0, length))
  end[length - 1] = (end[length - 1] as number) + 1
  return end
}

/** A key after every key that is in use: keys are at most 64 bytes and 8. */
export const lastKey: Uint8Array = new Uint8Array(80).fill(0xff)
