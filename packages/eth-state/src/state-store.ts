/**
 * The state of a chain: flat rows to read from, tries for roots and proofs, and for each commit the rows it replaced.
 *
 *   as of the commit `flushed`; what came since is in memory, and in the records of the commits:
 *   accounts      hash of address                  → account row
 *   slots         hash of address ‖ hash of slot   → value without leading zeros
 *   accountNodes  path                             → trie node
 *   storageNodes  hash of address ‖ path           → trie node
 *
 *   as of the head:
 *   codes         code hash                        → code
 *   commits       commit number u64                → rows before and after
 *   commitOfRoot  state root ‖ commit number u64   → nothing; a state may come back
 *   history       kind ‖ key ‖ commit number u64   → 0, or 1 ‖ value before that commit   (archive only)
 *   stateMeta     format, head, flushed
 *
 * A commit writes one record, end to end. Rows and nodes lie in pages all over the database, so they are written for
 * many commits at once and in the order of their keys: a page is written once where each commit would write it again.
 *
 * One process, one thread: everything here is synchronous, so between two calls all of it is of one piece.
 */
import { assert, equalBytes } from '@cairn/core'
import {
  bytesOfText,
  emptyTrieRoot,
  type StateChanges,
  type StateReader,
  textOfBytes,
} from '@cairn/eth-codec'
import { decodeAccountRow, type StoredAccount } from './account-row.ts'
import { ChainState, chainOf, recordOfStaged, type Staged, type State } from './chain-state.ts'
import type { Rows } from './commit-record.ts'
import { CommitWriter } from './commit-writer.ts'
import { CommittedRows, historyCountMax } from './committed-rows.ts'
import { type Database, endOfPrefix, lastKey, type Table } from './database.ts'
import { isDiskFull, type StateError, stateDamaged, stateNotAvailable } from './errors.ts'
import { forgetBelow } from './node-table.ts'
import { boundsOfPath, rowEdits } from './row-edits.ts'
import { editsOf, isEqualRow, noAccount, type StagingSource } from './staging.ts'
import {
  type Meta,
  openTables,
  readMeta,
  type Tables,
  tableOfRow,
  writeFlushed,
  writeHead,
} from './state-tables.ts'
import {
  editTries,
  flattenTries,
  type NodeTables,
  openNodeTables,
  StateTries,
} from './state-tries.ts'
import { trieProof } from './trie.ts'

/**
 * Rows and nodes are written once for that many changed rows: the upper nodes change with every block. Opening after a
 * crash puts as many rows into the tries again: two or three seconds.
 */
const unflushedRowCountMax = 131_072
/** Less than what is kept: opening replays them, and needs their records. */
const unflushedCommitCountMax = 64
assert(unflushedCommitCountMax < historyCountMax)
/** Trie nodes in memory, about 300 bytes each, before those below the hot top are let go. */
const nodeCountMax = 150_000
/** Four levels below the root are at most 69,905 nodes. */
const depthKept = 4

export interface StateStoreOptions {
  /** Keeps the state of every commit, not only of the last 128. */
  readonly isArchive?: boolean
  /** Tells the tables of several states in one database apart; empty unless told. */
  readonly tableSuffix?: string
}

/** Proof of an account and some of its slots against a state root (EIP-1186). */
export interface AccountProof {
  /** With the empty hashes where there is no account. */
  readonly account: StoredAccount
  readonly accountProof: readonly Uint8Array[]
  /** In the order asked for; a value of 32 bytes. */
  readonly storageProofs: readonly {
    readonly slot: Uint8Array
    readonly value: Uint8Array
    readonly proof: readonly Uint8Array[]
  }[]
}

/** Opens the state in `database`; an empty one has the empty root at its head. */
export function openStateStore(database: Database, options: StateStoreOptions = {}): StateStore {
  return new StateStore(database, options)
}

/** Inside a write: as if there had never been a state with that suffix. */
export function eraseStateStore(database: Database, tableSuffix: string): void {
  for (const table of Object.values<Table>({ ...openTables(database, tableSuffix) })) {
    table.removeAll()
  }
}

export class StateStore {
  readonly #database: Database
  readonly #tables: Tables
  readonly #nodes: NodeTables
  readonly #rows: CommittedRows
  readonly #source: StagingSource
  readonly #writer: CommitWriter
  #headTries: StateTries
  #unflushedRowCount = 0
  /** Made since nodes were let go: more than are in memory. */
  #nodeCount = 0
  #isStopped = false

  constructor(database: Database, options: StateStoreOptions) {
    this.#database = database
    this.#tables = openTables(database, options.tableSuffix ?? '')
    const meta = readMeta(this.#tables.meta)
    const isArchive = options.isArchive ?? false
    this.#rows = new CommittedRows(this.#tables, isArchive, meta)
    this.#source = { tables: this.#tables, committed: this.#rows }
    this.#writer = new CommitWriter(this.#tables, this.#rows, isArchive)
    // What changed since the tables were written is in memory, so leaves that are looked for are as these have them.
    this.#nodes = openNodeTables(this.#tables.accountNodes, this.#tables.storageNodes, {
      readRow: (key) => this.#rows.readFlushedRow(key),
      keysBelow: (prefix, key, depth) => this.#keysBelow(prefix, key, depth),
    })
    this.#headTries = this.#catchUp(meta)
  }

  /** The state of the last commit. */
  get head(): State {
    return new ChainState(this.#rows, this.#rows.headRoot, this.#rows.headNo, undefined)
  }

  /** The committed state of that root, or undefined when it is not kept. */
  stateAt(root: Uint8Array): State | undefined {
    const commitNo = this.#rows.commitOf(root)
    return commitNo === undefined
      ? undefined
      : new ChainState(this.#rows, root.slice(), commitNo, undefined)
  }

  /**
   * A reader at a root.
   * @throws StateError STATE_NOT_AVAILABLE
   */
  readerAt(root: Uint8Array): StateReader {
    const state = this.stateAt(root)
    if (state === undefined) throw stateNotAvailable(root)
    return state
  }

  /**
   * The state that `changes` make of `parent`, hashed and not committed. When they change nothing it is `parent`.
   * @throws StateError STATE_NOT_AVAILABLE when `parent` is not kept any more.
   */
  stage(parent: State, changes: StateChanges): State {
    const before = parent as ChainState
    const rows: Rows = new Map()
    const replaced: Rows = new Map()
    const setRow = (key: string, value: Uint8Array | undefined): boolean => {
      const old = before.readRow(key)
      if (isEqualRow(old, value)) return false
      replaced.set(key, old)
      rows.set(key, value)
      return true
    }
    const codes = changes.codes.map(({ codeHash, code }) => [textOfBytes(codeHash), code] as const)
    const edits = editsOf(this.#source, before, changes, setRow)
    const { tries, root } = editTries(this.#triesOf(before), this.#nodes, edits, setRow)
    if (rows.size === 0) return parent
    const staged = { parent: before, rows, replaced, codes: new Map(codes), tries }
    return new ChainState(this.#rows, root, undefined, staged)
  }

  /**
   * Makes `state`, which was staged upon a committed one, the head: in one write with what `batch` writes. Commits that
   * do not lead to it are undone.
   * @throws StateError STATE_NOT_AVAILABLE when what it was built upon is not kept any more.
   */
  commit(state: State, batch?: () => void): void {
    if (this.#isStopped) throw stopped()
    const { base, staged } = chainOf(state as ChainState)
    base.check()
    const baseNo = base.commitNo as number
    const reverted = this.#rowsBefore(baseNo)
    const isUndone = baseNo < this.#rows.headNo
    const tries = this.#triesOf(state as ChainState)
    const headNo = baseNo + staged.length
    // Opening could not bring older tables up to the head: the records for it are gone with this very write.
    const { flushedNo } = this.#rows
    const isFlushed = baseNo < flushedNo || headNo - flushedNo > historyCountMax
    let isTouchingNodes = false
    try {
      this.#database.writeSync(() => {
        if (isUndone) this.#writer.undoTo(baseNo)
        for (const [index, each] of staged.entries()) this.#writer.write(each, baseNo + 1 + index)
        writeHead(this.#tables.meta, headNo, state.root)
        batch?.()
        if (isFlushed) {
          isTouchingNodes = true
          this.#headTries = flattenTries(tries)
          const rows: Rows = new Map(this.#rows.unflushed)
          for (const later of [reverted, ...staged.map(rowsOf)]) setRows(rows, later)
          this.#writeTables(headNo, state.root, rows)
        }
      })
    } catch (error) {
      if (isTouchingNodes) this.#reopenTries()
      throw error
    }
    if (!isTouchingNodes) this.#headTries = flattenTries(tries)
    this.#afterCommit(staged, baseNo, reverted, state.root)
    if (isFlushed) this.#rows.noteFlush()
    else if (this.#isFlushDue()) this.flush()
  }

  #isFlushDue(): boolean {
    const { headNo, flushedNo } = this.#rows
    return (
      headNo - flushedNo > unflushedCommitCountMax || this.#unflushedRowCount > unflushedRowCountMax
    )
  }

  /**
   * Writes the rows and trie nodes that are in memory only. Done from time to time, and worth doing before closing.
   * Where the disk is full it does nothing, since opening makes them anew.
   */
  flush(): void {
    if (this.#isStopped) throw stopped()
    const { flushedNo, headNo, headRoot, unflushed } = this.#rows
    if (flushedNo === headNo) return
    try {
      this.#database.writeSync(() => this.#writeTables(headNo, headRoot, unflushed))
      this.#rows.noteFlush()
    } catch (error) {
      this.#reopenTries()
      if (!isDiskFull(error)) throw error
    }
  }

  /** Nodes are marked as stored and are not: nothing may be built on them, and they are made anew. */
  #reopenTries(): void {
    this.#isStopped = true
    this.#headTries = this.#catchUp(readMeta(this.#tables.meta))
    this.#isStopped = false
  }

  /**
   * Proof of an account and of slots of it, at a state.
   * @param address 20 bytes. @param slots 32 bytes each.
   * @throws StateError STATE_NOT_AVAILABLE
   */
  proof(state: State, address: Uint8Array, slots: readonly Uint8Array[]): AccountProof {
    const at = state as ChainState
    const tries = this.#triesOf(at)
    const text = this.#rows.hashText(address)
    const row = at.readRow(text)
    const account = row === undefined ? noAccount : decodeAccountRow(row)
    const storage = tries.storageTrie(text, account.storageRoot)
    const nodes = this.#nodes.storage(text)
    return {
      account,
      accountProof: trieProof(tries.accountTrie, this.#nodes.accounts, text),
      storageProofs: slots.map((slot) => ({
        slot,
        value: at.readStorage(address, slot),
        proof: trieProof(storage, nodes, this.#rows.hashText(slot)),
      })),
    }
  }

  // ---- tries of states ----

  #triesOf(state: ChainState): StateTries {
    if (state.staged !== undefined) return this.#triesOfStaged(state, state.staged)
    state.check()
    const commitNo = state.commitNo as number
    if (commitNo === this.#rows.headNo) return this.#headTries
    const rows = this.#rowsBefore(commitNo)
    const edits = rowEdits(
      rows.keys(),
      (key) => this.#rows.readHeadRow(key),
      (key) => rows.get(key),
    )
    const { tries, root } = editTries(this.#headTries, this.#nodes, edits, () => undefined)
    if (!equalBytes(root, state.root)) throw stateDamaged('undone commits lead to another root')
    return tries
  }

  #triesOfStaged(state: ChainState, staged: Staged): StateTries {
    if (bottomOf(staged.tries) === this.#headTries) return staged.tries
    // Another state was committed since, or nodes were written: they hang from tries that are no more.
    const { parent, rows, replaced } = staged
    const edits = rowEdits(
      rows.keys(),
      (key) => (replaced.has(key) ? replaced.get(key) : parent.readRow(key)),
      (key) => (rows.has(key) ? rows.get(key) : parent.readRow(key)),
    )
    const { tries, root } = editTries(this.#triesOf(parent), this.#nodes, edits, () => undefined)
    if (!equalBytes(root, state.root)) throw stateDamaged('staged changes lead to another root')
    staged.tries = tries
    return tries
  }

  /** What the rows that changed after a commit were at it. */
  #rowsBefore(commitNo: number): Rows {
    const rows: Rows = new Map()
    for (let no = this.#rows.headNo; no > commitNo; no--) {
      for (const [key, value] of this.#rows.diffOf(no).before) rows.set(key, value)
    }
    return rows
  }

  #afterCommit(
    staged: readonly ChainState[],
    baseNo: number,
    reverted: Rows,
    headRoot: Uint8Array,
  ): void {
    this.#rows.forgetDiffsAfter(baseNo)
    this.#rows.keepUnflushed(reverted)
    let no = baseNo
    for (const each of staged) {
      no++
      const rows = rowsOf(each)
      this.#rows.keepUnflushed(rows)
      this.#unflushedRowCount += rows.size
      this.#rows.keepDiff(no, recordOfStaged(each))
      each.becomeCommitted(no)
    }
    this.#rows.moveHead(no, headRoot)
  }

  // ---- tables ----

  /** Inside a write: the rows that changed since the last time, and all nodes of the head that are not stored. */
  #writeTables(headNo: number, headRoot: Uint8Array, rows: Rows): void {
    for (const key of [...rows.keys()].sort()) this.#writeRow(key, rows.get(key))
    this.#writeNodes()
    writeFlushed(this.#tables.meta, headNo, headRoot)
  }

  #writeRow(key: string, value: Uint8Array | undefined): void {
    const table = tableOfRow(this.#tables, key)
    if (value === undefined) table.remove(bytesOfText(key))
    else table.put(bytesOfText(key), value)
  }

  #writeNodes(): void {
    const { accountTrie, storageTries, removedAccountNodes, removedStorageNodes } = this.#headTries
    const { accounts } = this.#nodes
    accounts.removeAll(removedAccountNodes)
    this.#nodeCount += accounts.store(accountTrie)
    for (const [text, { isCleared, removed }] of removedStorageNodes) {
      if (isCleared) removePrefix(this.#tables.storageNodes, bytesOfText(text))
      else this.#nodes.storage(text).removeAll(removed)
    }
    for (const [text, trie] of storageTries)
      this.#nodeCount += this.#nodes.storage(text).store(trie)
    let keptStorages = storageTries
    if (this.#nodeCount > nodeCountMax) {
      forgetBelow(accountTrie, 0, depthKept)
      keptStorages = new Map()
      this.#nodeCount = 0
    }
    this.#headTries = new StateTries(accountTrie, keptStorages)
    this.#unflushedRowCount = 0
  }

  /** Keys of rows in the tables. */
  *#keysBelow(prefix: string, key: string, depth: number): Generator<string> {
    const table = prefix === '' ? this.#tables.accounts : this.#tables.slots
    const { start, end } = boundsOfPath(prefix, key, depth)
    for (const { key: found } of table.range(start, end)) yield textOfBytes(found)
  }

  /** The tries of the head, from those that were written last and the commits since. */
  #catchUp({ flushedRoot }: Meta): StateTries {
    const flushed = new StateTries(
      equalBytes(flushedRoot, emptyTrieRoot) ? undefined : textOfBytes(flushedRoot),
      new Map(),
    )
    const { unflushed } = this.#rows
    const edits = rowEdits(
      unflushed.keys(),
      (key) => this.#rows.readFlushedRow(key),
      (key) => unflushed.get(key),
    )
    const { tries, root } = editTries(flushed, this.#nodes, edits, () => undefined)
    if (!equalBytes(root, this.#rows.headRoot)) {
      throw stateDamaged('the rows do not lead to the root')
    }
    this.#unflushedRowCount = unflushed.size
    return flattenTries(tries)
  }
}

function setRows(rows: Rows, later: Rows): void {
  for (const [key, value] of later) rows.set(key, value)
}

function rowsOf(state: ChainState): Rows {
  return state.staged?.rows ?? new Map()
}

/** Of the head at the time when they were made. */
function bottomOf(tries: StateTries): StateTries {
  let bottom = tries
  while (bottom.below !== undefined) bottom = bottom.below
  return bottom
}

function removePrefix(table: Table, prefix: Uint8Array): void {
  const keys = Array.from(table.range(prefix, endOfPrefix(prefix) ?? lastKey), ({ key }) => key)
  for (const key of keys) table.remove(key)
}

function stopped(): StateError {
  return stateDamaged('an earlier write failed, and only a restart helps')
}
