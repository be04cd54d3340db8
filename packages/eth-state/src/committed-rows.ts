/**
 * Rows of committed states: those of the head as they lie in the tables or were changed since these were written, older
 * ones by the reverse diffs that lie above them. Nothing is written here; whoever commits, or follows one that does,
 * says how the head moved.
 */
import { concatBytes, equalBytes } from '@cairn/core'
import { bytesOfText, emptyCodeHash, keccak256, textOfBytes } from '@cairn/eth-codec'
import {
  applyCommitRecord,
  decodeReverseDiff,
  type ReverseDiff,
  type Rows,
} from './commit-record.ts'
import { endOfPrefix, lastKey } from './database.ts'
import { type StateError, stateDamaged, stateNotAvailable } from './errors.ts'
import { RecentMap } from './recent-map.ts'
import {
  accountKeySize,
  decodeNo,
  encodeNo,
  historyPrefix,
  lastNo,
  type Meta,
  type Tables,
  tableOfRow,
} from './state-tables.ts'

/** Commits whose state before stays readable. Source: geth 1.13, `core/state/pruner` and `TriesInMemory`. */
export const historyCountMax = 128
/** Rows of the tables in memory, of one generation: some 20 MB. */
const rowCountMax = 65_536
const codeCountMax = 256
/** Rows of reverse diffs in memory; older diffs are read when they are asked for. */
const diffRowCountMax = 32_768
/** Archive mode looks a row up in the history from here on, rather than in one diff after the other. */
const diffsWalkedMax = 16

const nothing = new Uint8Array(0)
/** In place of a row that is known not to be there. */
const noRow = new Uint8Array(0)

export class CommittedRows {
  readonly #tables: Tables
  readonly #isArchive: boolean
  readonly #hashes = new RecentMap<string>(rowCountMax)
  /** As the tables have them. */
  readonly #rows = new RecentMap<Uint8Array>(rowCountMax)
  /** What commits changed since the tables were written, up to `#unflushedNo`. */
  readonly #unflushed: Rows = new Map()
  #flushedNo: number
  #unflushedNo: number
  readonly #codes = new RecentMap<Uint8Array>(codeCountMax)
  /** Of the last commits, as far as they were asked for. */
  readonly #diffs = new Map<number, ReverseDiff>()
  #diffRowCount = 0
  #headNo: number
  #headRoot: Uint8Array
  #version = 0

  constructor(tables: Tables, isArchive: boolean, { headNo, headRoot, flushedNo }: Meta) {
    this.#tables = tables
    this.#isArchive = isArchive
    this.#headNo = headNo
    this.#headRoot = headRoot
    this.#flushedNo = flushedNo
    this.#unflushedNo = flushedNo
  }

  get headNo(): number {
    return this.#headNo
  }

  get headRoot(): Uint8Array {
    return this.#headRoot
  }

  /** The commit that the tables were written at. */
  get flushedNo(): number {
    return this.#flushedNo
  }

  /** The rows of the head that the tables do not have. */
  get unflushed(): Rows {
    while (this.#unflushedNo < this.#headNo) {
      const no = this.#unflushedNo + 1
      const bytes = this.#tables.commits.get(encodeNo(no))
      if (bytes === undefined) throw recordMissing(no)
      applyCommitRecord(bytes, this.#unflushed)
      this.#unflushedNo = no
    }
    return this.#unflushed
  }

  /** Changes with every move of the head, so that a state checks once whether it still is one. */
  get version(): number {
    return this.#version
  }

  /** The number of the commit that led to a state; undefined when it is not kept. */
  commitOf(root: Uint8Array): number | undefined {
    if (equalBytes(root, this.#headRoot)) return this.#headNo
    const rows = this.#tables.commitOfRoot.range(root, concatBytes(root, lastNo), {
      isReverse: true,
      countMax: 1,
    })
    for (const { key } of rows) return decodeNo(key.subarray(32))
    return undefined
  }

  isKept(commitNo: number, root: Uint8Array): boolean {
    if (commitNo > this.#headNo) return false
    if (commitNo === this.#headNo) return equalBytes(root, this.#headRoot)
    if (!this.#isArchive && commitNo < this.#headNo - historyCountMax) return false
    const next = this.#readDiff(commitNo + 1)
    return next !== undefined && equalBytes(root, next.rootBefore)
  }

  /** Of an address or a slot, as text. */
  hashText(bytes: Uint8Array): string {
    const text = textOfBytes(bytes)
    let hash = this.#hashes.get(text)
    if (hash === undefined) {
      hash = textOfBytes(keccak256(bytes))
      this.#hashes.set(text, hash)
    }
    return hash
  }

  /** A row as it was after a commit that is kept. */
  readRowAt(commitNo: number, key: string): Uint8Array | undefined {
    if (this.#isArchive && this.#headNo - commitNo > diffsWalkedMax) {
      return this.#readHistory(commitNo, key)
    }
    for (let no = commitNo + 1; no <= this.#headNo; no++) {
      const before = this.diffOf(no).before
      const value = before.get(key)
      if (value !== undefined || before.has(key)) return value
    }
    return this.readHeadRow(key)
  }

  /**
   * Rows as they were after a commit that is kept, in the order of their keys: accounts for an empty prefix, slots for
   * that of an account. Nothing may move the head meanwhile.
   * @param start 32 bytes behind the prefix.
   * @throws StateError STATE_NOT_AVAILABLE further back than {@link historyCountMax}: every commit since is looked at.
   */
  *rowsFrom(
    commitNo: number,
    prefix: string,
    start: Uint8Array,
  ): Generator<readonly [key: string, value: Uint8Array]> {
    const later = this.#keysNotAsInTables(commitNo, prefix, start)
    const end = endOfPrefix(bytesOfText(prefix)) ?? lastKey
    const table = prefix === '' ? this.#tables.accounts : this.#tables.slots
    for (const row of table.range(concatBytes(bytesOfText(prefix), start), end)) {
      const key = textOfBytes(row.key)
      yield* this.#rowsAt(commitNo, takeUpTo(later, key))
      if (later.at(-1) === key) {
        later.pop()
        yield* this.#rowsAt(commitNo, [key])
      } else {
        yield [key, row.value]
      }
    }
    yield* this.#rowsAt(commitNo, later.reverse())
  }

  *#rowsAt(
    commitNo: number,
    keys: Iterable<string>,
  ): Generator<readonly [key: string, value: Uint8Array]> {
    for (const key of keys) {
      const value = this.readRowAt(commitNo, key)
      if (value !== undefined) yield [key, value]
    }
  }

  /** Changed since the commit, or since the tables were written; the last first. */
  #keysNotAsInTables(commitNo: number, prefix: string, start: Uint8Array): string[] {
    if (this.#headNo - commitNo > historyCountMax) throw stateNotAvailable(this.#headRoot)
    const length = prefix.length + accountKeySize
    const first = prefix + textOfBytes(start)
    const keys = new Set<string>()
    const take = (rows: Rows) => {
      for (const key of rows.keys()) {
        if (key.length === length && key.startsWith(prefix) && key >= first) keys.add(key)
      }
    }
    take(this.unflushed)
    for (let no = commitNo + 1; no <= this.#headNo; no++) take(this.diffOf(no).before)
    return [...keys].sort().reverse()
  }

  readHeadRow(key: string): Uint8Array | undefined {
    const { unflushed } = this
    const value = unflushed.get(key)
    if (value !== undefined || unflushed.has(key)) return value
    return this.readFlushedRow(key)
  }

  /** A row as the tables have it. */
  readFlushedRow(key: string): Uint8Array | undefined {
    const known = this.#rows.get(key)
    if (known !== undefined) return known === noRow ? undefined : known
    const row = tableOfRow(this.#tables, key).get(bytesOfText(key))
    this.#rows.set(key, row ?? noRow)
    return row
  }

  /** The oldest value that a later commit replaced, or what is there now. */
  #readHistory(commitNo: number, key: string): Uint8Array | undefined {
    const prefix = historyPrefix(key)
    const start = concatBytes(prefix, encodeNo(commitNo + 1))
    const end = concatBytes(prefix, lastNo)
    for (const { value } of this.#tables.history.range(start, end, { countMax: 1 })) {
      return value[0] === 0 ? undefined : value.subarray(1)
    }
    return this.readHeadRow(key)
  }

  readCode(codeHash: Uint8Array): Uint8Array {
    if (equalBytes(codeHash, emptyCodeHash)) return nothing
    const text = textOfBytes(codeHash)
    const known = this.#codes.get(text)
    if (known !== undefined) return known
    const code = this.#tables.codes.get(codeHash)
    if (code === undefined) throw stateDamaged('the code of a contract is missing')
    this.#codes.set(text, code)
    return code
  }

  /** @throws StateError STATE_DAMAGED when it is missing. */
  diffOf(no: number): ReverseDiff {
    const diff = this.#readDiff(no)
    if (diff === undefined) throw recordMissing(no)
    return diff
  }

  #readDiff(no: number): ReverseDiff | undefined {
    let diff = this.#diffs.get(no)
    if (diff === undefined) {
      const bytes = this.#tables.commits.get(encodeNo(no))
      if (bytes === undefined) return undefined
      diff = decodeReverseDiff(bytes)
      this.keepDiff(no, diff)
    }
    return diff
  }

  // ---- following the head ----

  /** What a commit changed, or what undoing one did; the move of the head follows. */
  keepUnflushed(rows: Rows): void {
    for (const [key, value] of rows) this.#unflushed.set(key, value)
  }

  /** The tables have been written at the head. */
  noteFlush(): void {
    for (const key of this.#unflushed.keys()) this.#rows.delete(key)
    this.#unflushed.clear()
    this.#flushedNo = this.#headNo
    this.#unflushedNo = this.#headNo
  }

  keepDiff(no: number, diff: ReverseDiff): void {
    this.#diffs.set(no, diff)
    this.#diffRowCount += diff.before.size
    for (const [oldest, { before }] of this.#diffs) {
      if (this.#diffRowCount <= diffRowCountMax || oldest === no) break
      this.#diffs.delete(oldest)
      this.#diffRowCount -= before.size
    }
  }

  /** Commits after `no` are undone. */
  forgetDiffsAfter(no: number): void {
    for (let undone = this.#headNo; undone > no; undone--) {
      this.#diffRowCount -= this.#diffs.get(undone)?.before.size ?? 0
      this.#diffs.delete(undone)
    }
  }

  /** Rows and diffs that are not what they were have been told before. */
  moveHead(headNo: number, headRoot: Uint8Array): void {
    this.#headNo = headNo
    this.#headRoot = headRoot
    this.#unflushedNo = headNo
    this.#version++
  }

  /**
   * Somebody else moved the head, and wrote what there is.
   * @param isUndone Whether commits were undone since, rather than only added to.
   */
  follow({ headNo, headRoot, flushedNo }: Meta, isUndone: boolean): void {
    if (isUndone) {
      this.#diffs.clear()
      this.#diffRowCount = 0
    }
    if (isUndone || flushedNo !== this.#flushedNo) {
      // Dropping single rows would mean reading all that was changed; few are asked for here.
      this.#rows.clear()
      this.#unflushed.clear()
      this.#flushedNo = flushedNo
      this.#unflushedNo = flushedNo
    }
    this.#headNo = headNo
    this.#headRoot = headRoot
    this.#version++
  }
}

function recordMissing(no: number): StateError {
  return stateDamaged(`the record of commit ${no} is missing`)
}

/** @param keys The last first. @returns those before `key`, in order; they are taken off. */
function takeUpTo(keys: string[], key: string): string[] {
  const taken: string[] = []
  for (let next = keys.at(-1); next !== undefined && next < key; next = keys.at(-1)) {
    taken.push(next)
    keys.pop()
  }
  return taken
}
