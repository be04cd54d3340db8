/**
 * Writes commits: their records, codes, in archive mode the history; and takes them back. Everything here is inside a
 * write of the database. Rows are not here: they are written with the nodes of the tries, for many commits at once.
 */
import { assert, concatBytes } from '@cairn/core'
import { bytesOfText, emptyTrieRoot } from '@cairn/eth-codec'
import { type ChainState, recordOfStaged } from './chain-state.ts'
import { decodeReverseDiff, encodeCommitRecord } from './commit-record.ts'
import { type CommittedRows, historyCountMax } from './committed-rows.ts'
import { encodeNo, historyPrefix, type Tables } from './state-tables.ts'

const nothing = new Uint8Array(0)
const absent = Uint8Array.of(0)
const present = Uint8Array.of(1)

export class CommitWriter {
  readonly #tables: Tables
  readonly #committed: CommittedRows
  readonly #isArchive: boolean

  constructor(tables: Tables, committed: CommittedRows, isArchive: boolean) {
    this.#tables = tables
    this.#committed = committed
    this.#isArchive = isArchive
  }

  /** Inside a write. */
  undoTo(baseNo: number): void {
    for (let no = this.#committed.headNo; no > baseNo; no--) {
      const { rootAfter, before } = this.#committed.diffOf(no)
      this.#tables.commits.remove(encodeNo(no))
      this.#tables.commitOfRoot.remove(concatBytes(rootAfter, encodeNo(no)))
      if (!this.#isArchive) continue
      for (const key of before.keys()) {
        this.#tables.history.remove(concatBytes(historyPrefix(key), encodeNo(no)))
      }
    }
  }

  /** Inside a write: one staged state as commit `no`. */
  write(state: ChainState, no: number): void {
    assert(state.staged !== undefined)
    const { replaced, codes } = state.staged
    const key = encodeNo(no)
    if (this.#isArchive) {
      for (const [rowKey, value] of replaced) this.#writeHistory(rowKey, key, value)
    }
    this.#tables.commits.put(key, encodeCommitRecord(recordOfStaged(state)))
    this.#tables.commitOfRoot.put(concatBytes(state.root, key), nothing)
    if (no === 1) {
      this.#tables.commitOfRoot.put(concatBytes(emptyTrieRoot, encodeNo(0)), nothing)
    }
    for (const [codeHash, code] of codes) this.#tables.codes.put(bytesOfText(codeHash), code)
    if (!this.#isArchive) this.#prune(no - historyCountMax)
  }

  #writeHistory(key: string, no: Uint8Array, before: Uint8Array | undefined): void {
    const value = before === undefined ? absent : concatBytes(present, before)
    this.#tables.history.put(concatBytes(historyPrefix(key), no), value)
  }

  /** Inside a write: the state before commit `no` is not kept any more. */
  #prune(no: number): void {
    if (no < 1) return
    const bytes = this.#tables.commits.get(encodeNo(no))
    if (bytes === undefined) return
    this.#tables.commits.remove(encodeNo(no))
    const { rootBefore } = decodeReverseDiff(bytes)
    this.#tables.commitOfRoot.remove(concatBytes(rootBefore, encodeNo(no - 1)))
  }
}
