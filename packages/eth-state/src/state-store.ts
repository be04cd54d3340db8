/**
 * The state of a chain: flat rows to read from, tries for roots and proofs, and for each commit the rows it replaced.
 *
 *   accounts      hash of address                           → account row
 *   slots         hash of address ‖ hash of slot            → value without leading zeros
 *   codes         code hash                                 → code
 *   accountNodes  path                                      → trie node     } up to the commit `flushed`, and
 *   storageNodes  hash of address ‖ path                    → trie node     } brought up to the head when opened
 *   commits       commit number u64                         → reverse diff
 *   commitOfRoot  state root ‖ commit number u64            → nothing; a state may come back
 *   history       kind ‖ key ‖ commit number u64            → 0, or 1 ‖ value before that commit   (archive only)
 *   stateMeta     format, head, flushed
 *
 * One process, one thread: everything here is synchronous, so between two calls all of it is of one piece.
 */
import { assert, concatBytes, equalBytes, utf8 } from '@cairn/core'
import {
  type Account,
  emptyCodeHash,
  emptyTrieRoot,
  keccak256,
  type StateChanges,
  type StateReader,
} from '@cairn/eth-codec'
import { decodeAccountRow, encodeAccountRow, type StoredAccount } from './account-row.ts'
import { bytesOfText, textOfBytes } from './byte-text.ts'
import { type Database, endOfPrefix, lastKey, type Table } from './database.ts'
import { StateError, stateDamaged, stateNotAvailable } from './errors.ts'
import { forgetBelow } from './node-table.ts'
import { RecentMap } from './recent-map.ts'
import {
  decodeReverseDiff,
  encodeReverseDiff,
  type ReverseDiff,
  type Rows,
} from './reverse-diff.ts'
import {
  type AccountEdit,
  editTries,
  flattenTries,
  type LeafRows,
  type NodeTables,
  openNodeTables,
  StateTries,
} from './state-tries.ts'
import { trieProof } from './trie.ts'
import { firstDifference, joinPath } from './trie-node.ts'

/** Commits whose state before stays readable. Source: geth 1.13, `core/state/pruner` and `TriesInMemory`. */
export const historyCountMax = 128
/** Nodes are written once for that many changed rows: the upper ones change with every block. */
const unflushedRowCountMax = 32_768
/** Less than what is kept: opening replays them, and needs their reverse diffs. */
const unflushedCommitCountMax = 64
assert(unflushedCommitCountMax < historyCountMax)
/** Trie nodes in memory, about 300 bytes each, before those below the hot top are let go. */
const nodeCountMax = 150_000
/** Four levels below the root are at most 69,905 nodes. */
const depthKept = 4
/** Rows in memory, of one generation: some 20 MB. */
const rowCountMax = 65_536
const codeCountMax = 256
/** Rows of reverse diffs in memory; older diffs are read when they are asked for. */
const diffRowCountMax = 32_768
/** Archive mode looks a row up in the history from here on, rather than in one diff after the other. */
const diffsWalkedMax = 16
const formatVersion = 2

const nothing = new Uint8Array(0)
const zeroWord = new Uint8Array(32)
const accountKeySize = 32

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

/**
 * A state that can be read, and built upon: of a commit, or not committed yet. It stays what it is while others are
 * committed, as long as it is kept; afterwards reading throws STATE_NOT_AVAILABLE.
 */
export interface State extends StateReader {
  readonly root: Uint8Array
  readonly isCommitted: boolean
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
  readonly #isArchive: boolean
  readonly #tables: Tables
  readonly #nodes: NodeTables
  readonly #hashes = new RecentMap<string>(rowCountMax)
  readonly #rows = new RecentMap<Uint8Array>(rowCountMax)
  readonly #codes = new RecentMap<Uint8Array>(codeCountMax)
  /** Of the last commits, as far as they were asked for. */
  readonly #diffs = new Map<number, ReverseDiff>()
  #diffRowCount = 0
  #headNo: number
  #headRoot: Uint8Array
  #headTries: StateTries
  #flushedNo: number
  #unflushedRowCount = 0
  /** Made since nodes were let go: more than are in memory. */
  #nodeCount = 0
  /** Changes with every commit, so that a state checks once whether it still is one. */
  #version = 0
  #isStopped = false

  constructor(database: Database, options: StateStoreOptions) {
    this.#database = database
    this.#isArchive = options.isArchive ?? false
    this.#tables = openTables(database, options.tableSuffix ?? '')
    this.#nodes = this.#openNodes({
      readRow: (key) => this.#readHeadRow(key),
      keysBelow: (prefix, key, depth) => this.#keysBelow(prefix, key, depth),
    })
    const meta = readMeta(this.#tables.meta)
    this.#headNo = meta.headNo
    this.#headRoot = meta.headRoot
    this.#flushedNo = meta.flushedNo
    this.#headTries = this.#catchUp(meta)
  }

  /** The state of the last commit. */
  get head(): State {
    return new ChainState(this.#access, this.#headRoot, this.#headNo, undefined)
  }

  /** The committed state of that root, or undefined when it is not kept. */
  stateAt(root: Uint8Array): State | undefined {
    if (equalBytes(root, this.#headRoot)) return this.head
    const rows = this.#tables.commitOfRoot.range(root, concatBytes(root, lastNo), {
      isReverse: true,
      countMax: 1,
    })
    for (const { key } of rows) {
      return new ChainState(this.#access, root.slice(), decodeNo(key.subarray(32)), undefined)
    }
    return undefined
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
    const edits = this.#editsOf(before, changes, setRow)
    const { tries, root } = editTries(this.#triesOf(before), this.#nodes, edits, (edit, account) =>
      setRow(edit.text, account === undefined ? undefined : encodeAccountRow(account)),
    )
    if (rows.size === 0) return parent
    const staged = { parent: before, rows, replaced, codes: new Map(codes), tries }
    return new ChainState(this.#access, root, undefined, staged)
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
    const isUndone = baseNo < this.#headNo
    const tries = this.#triesOf(state as ChainState)
    const headNo = baseNo + staged.length
    // Opening could not bring older nodes up to the head: the diffs for it are gone with this very write.
    const isFlushed = baseNo < this.#flushedNo || headNo - this.#flushedNo > unflushedCommitCountMax
    let isTouchingNodes = false
    try {
      this.#database.writeSync(() => {
        if (isUndone) this.#undoTo(baseNo, reverted)
        for (const [index, each] of staged.entries()) this.#write(each, baseNo + 1 + index)
        writeHead(this.#tables.meta, headNo, state.root)
        batch?.()
        if (isFlushed) {
          isTouchingNodes = true
          this.#headTries = flattenTries(tries)
          this.#writeNodes(headNo, state.root)
        }
      })
    } catch (error) {
      // Nodes are marked as stored and are not: nothing may be built on them.
      if (isTouchingNodes) this.#isStopped = true
      throw error
    }
    if (!isTouchingNodes) this.#headTries = flattenTries(tries)
    this.#afterCommit(staged, baseNo, reverted)
    this.#headRoot = state.root
    if (this.#unflushedRowCount > unflushedRowCountMax) this.flushNodes()
  }

  /** Writes the trie nodes that are in memory only. Done from time to time, and worth doing before closing. */
  flushNodes(): void {
    if (this.#isStopped) throw stopped()
    if (this.#flushedNo === this.#headNo) return
    try {
      this.#database.writeSync(() => this.#writeNodes(this.#headNo, this.#headRoot))
    } catch (error) {
      this.#isStopped = true
      throw error
    }
  }

  /**
   * Proof of an account and of slots of it, at a state.
   * @param address 20 bytes. @param slots 32 bytes each.
   * @throws StateError STATE_NOT_AVAILABLE
   */
  proof(state: State, address: Uint8Array, slots: readonly Uint8Array[]): AccountProof {
    const at = state as ChainState
    const tries = this.#triesOf(at)
    const text = this.#hashText(address)
    const row = at.readRow(text)
    const account = row === undefined ? noAccount : decodeAccountRow(row)
    const storage = tries.storageTrie(text, account.storageRoot)
    const nodes = this.#nodes.storage(text)
    return {
      account,
      accountProof: trieProof(tries.accountTrie, this.#nodes.accounts, bytesOfText(text)),
      storageProofs: slots.map((slot) => ({
        slot,
        value: at.readStorage(address, slot),
        proof: trieProof(storage, nodes, bytesOfText(this.#hashText(slot))),
      })),
    }
  }

  // ---- reading ----

  readonly #access: StateAccess = {
    hashText: (bytes) => this.#hashText(bytes),
    readRowAt: (commitNo, key) => this.#readRowAt(commitNo, key),
    readCode: (codeHash) => this.#readCode(codeHash),
    isKept: (commitNo, root) => this.#isKept(commitNo, root),
    version: () => this.#version,
  }

  #hashText(bytes: Uint8Array): string {
    const text = textOfBytes(bytes)
    let hash = this.#hashes.get(text)
    if (hash === undefined) {
      hash = textOfBytes(keccak256(bytes))
      this.#hashes.set(text, hash)
    }
    return hash
  }

  #isKept(commitNo: number, root: Uint8Array): boolean {
    if (commitNo > this.#headNo) return false
    if (commitNo === this.#headNo) return equalBytes(root, this.#headRoot)
    if (!this.#isArchive && commitNo < this.#headNo - historyCountMax) return false
    const next = this.#readDiff(commitNo + 1)
    return next !== undefined && equalBytes(root, next.rootBefore)
  }

  #readRowAt(commitNo: number, key: string): Uint8Array | undefined {
    if (this.#isArchive && this.#headNo - commitNo > diffsWalkedMax) {
      return this.#readHistory(commitNo, key)
    }
    for (let no = commitNo + 1; no <= this.#headNo; no++) {
      const before = this.#diffOf(no).before
      const value = before.get(key)
      if (value !== undefined || before.has(key)) return value
    }
    return this.#readHeadRow(key)
  }

  #readHeadRow(key: string): Uint8Array | undefined {
    const known = this.#rows.get(key)
    if (known !== undefined) return known === noRow ? undefined : known
    const row = this.#tableOf(key).get(bytesOfText(key))
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
    return this.#readHeadRow(key)
  }

  #readCode(codeHash: Uint8Array): Uint8Array {
    if (equalBytes(codeHash, emptyCodeHash)) return nothing
    const text = textOfBytes(codeHash)
    const known = this.#codes.get(text)
    if (known !== undefined) return known
    const code = this.#tables.codes.get(codeHash)
    if (code === undefined) throw stateDamaged('the code of a contract is missing')
    this.#codes.set(text, code)
    return code
  }

  #tableOf(key: string): Table {
    return key.length === accountKeySize ? this.#tables.accounts : this.#tables.slots
  }

  #readDiff(no: number): ReverseDiff | undefined {
    let diff = this.#diffs.get(no)
    if (diff === undefined) {
      const bytes = this.#tables.commits.get(encodeNo(no))
      if (bytes === undefined) return undefined
      diff = decodeReverseDiff(bytes)
      this.#keepDiff(no, diff)
    }
    return diff
  }

  #diffOf(no: number): ReverseDiff {
    const diff = this.#readDiff(no)
    if (diff === undefined) throw stateDamaged(`the record of commit ${no} is missing`)
    return diff
  }

  #keepDiff(no: number, diff: ReverseDiff): void {
    this.#diffs.set(no, diff)
    this.#diffRowCount += diff.before.size
    for (const [oldest, { before }] of this.#diffs) {
      if (this.#diffRowCount <= diffRowCountMax || oldest === no) break
      this.#diffs.delete(oldest)
      this.#diffRowCount -= before.size
    }
  }

  // ---- changing ----

  *#editsOf(
    before: ChainState,
    changes: StateChanges,
    setRow: (key: string, value: Uint8Array | undefined) => boolean,
  ): Generator<AccountEdit> {
    for (const change of changes.accounts) {
      const text = this.#hashText(change.address)
      const row = before.readRow(text)
      const old = row === undefined ? noAccount : decodeAccountRow(row)
      const hadStorage = !equalBytes(old.storageRoot, emptyTrieRoot)
      const isStorageCleared = hadStorage && (change.storageCleared || change.account === undefined)
      const values = new Map<string, Uint8Array | undefined>()
      if (change.account !== undefined) {
        for (const { slot, value } of change.storage) {
          values.set(text + this.#hashText(slot), trimmed(value))
        }
      }
      if (isStorageCleared) {
        for (const key of this.#slotKeys(before, text)) {
          if (!values.has(key)) setRow(key, undefined)
        }
      }
      const slots: (readonly [string, Uint8Array | undefined])[] = []
      for (const [key, value] of values) {
        // After a clearing the trie starts empty, so all of them are put whether or not they differ.
        if (setRow(key, value) || isStorageCleared) slots.push([key.slice(accountKeySize), value])
      }
      const account: StoredAccount | undefined =
        change.account === undefined ? undefined : { ...change.account, storageRoot: emptyTrieRoot }
      const storageRootBefore = isStorageCleared ? emptyTrieRoot : old.storageRoot
      const hash = bytesOfText(text)
      yield { text, hash, account, storageRootBefore, isStorageCleared, slots }
    }
  }

  /** Keys of the rows of all slots that an account has in a state. */
  #slotKeys(state: ChainState, text: string): string[] {
    const prefix = bytesOfText(text)
    const keys = new Set<string>()
    for (const { key } of this.#tables.slots.range(prefix, endOfPrefix(prefix) ?? lastKey)) {
      keys.add(textOfBytes(key))
    }
    const { base, staged } = chainOf(state)
    const later: Rows[] = staged.map((each) => each.staged?.rows ?? new Map())
    for (let no = (base.commitNo as number) + 1; no <= this.#headNo; no++) {
      later.push(this.#diffOf(no).before)
    }
    for (const rows of later) {
      for (const key of rows.keys()) {
        if (key.length > accountKeySize && key.startsWith(text)) keys.add(key)
      }
    }
    return [...keys].filter((key) => state.readRow(key) !== undefined)
  }

  #triesOf(state: ChainState): StateTries {
    if (state.staged !== undefined) return this.#triesOfStaged(state, state.staged)
    state.check()
    const commitNo = state.commitNo as number
    if (commitNo === this.#headNo) return this.#headTries
    const rows = this.#rowsBefore(commitNo)
    const edits = rowEdits(
      rows.keys(),
      (key) => this.#readHeadRow(key),
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
    for (let no = this.#headNo; no > commitNo; no--) {
      for (const [key, value] of this.#diffOf(no).before) rows.set(key, value)
    }
    return rows
  }

  /** Inside a write. */
  #undoTo(baseNo: number, rows: Rows): void {
    for (const [key, value] of rows) this.#writeRow(key, value)
    for (let no = this.#headNo; no > baseNo; no--) {
      const { rootAfter, before } = this.#diffOf(no)
      this.#tables.commits.remove(encodeNo(no))
      this.#tables.commitOfRoot.remove(concatBytes(rootAfter, encodeNo(no)))
      if (!this.#isArchive) continue
      for (const key of before.keys()) {
        this.#tables.history.remove(concatBytes(historyPrefix(key), encodeNo(no)))
      }
    }
  }

  /** Inside a write: one staged state as commit `no`. */
  #write(state: ChainState, no: number): void {
    assert(state.staged !== undefined)
    const { rows, replaced, codes } = state.staged
    const key = encodeNo(no)
    if (this.#isArchive) {
      for (const [rowKey, value] of replaced) this.#writeHistory(rowKey, key, value)
    }
    for (const [rowKey, value] of rows) this.#writeRow(rowKey, value)
    this.#tables.commits.put(key, encodeReverseDiff(diffOfStaged(state)))
    this.#tables.commitOfRoot.put(concatBytes(state.root, key), nothing)
    if (no === 1) {
      this.#tables.commitOfRoot.put(concatBytes(emptyTrieRoot, encodeNo(0)), nothing)
    }
    for (const [codeHash, code] of codes) this.#tables.codes.put(bytesOfText(codeHash), code)
    if (!this.#isArchive) this.#prune(no - historyCountMax)
  }

  #writeRow(key: string, value: Uint8Array | undefined): void {
    const table = this.#tableOf(key)
    if (value === undefined) table.remove(bytesOfText(key))
    else table.put(bytesOfText(key), value)
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

  #afterCommit(staged: readonly ChainState[], baseNo: number, reverted: Rows): void {
    for (let no = this.#headNo; no > baseNo; no--) {
      this.#diffRowCount -= this.#diffs.get(no)?.before.size ?? 0
      this.#diffs.delete(no)
    }
    for (const [key, value] of reverted) this.#rows.set(key, value ?? noRow)
    let no = baseNo
    for (const each of staged) {
      no++
      const rows = each.staged?.rows ?? new Map()
      for (const [key, value] of rows) this.#rows.set(key, value ?? noRow)
      this.#unflushedRowCount += rows.size
      this.#keepDiff(no, diffOfStaged(each))
      each.becomeCommitted(no)
    }
    this.#headNo = no
    this.#version++
  }

  // ---- tries on the disk ----

  /** Inside a write: all nodes of the head that are not stored. */
  #writeNodes(headNo: number, headRoot: Uint8Array): void {
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
    this.#tables.meta.put(flushedKey, concatBytes(encodeNo(headNo), headRoot))
    let keptStorages = storageTries
    if (this.#nodeCount > nodeCountMax) {
      forgetBelow(accountTrie, 0, depthKept)
      keptStorages = new Map()
      this.#nodeCount = 0
    }
    this.#headTries = new StateTries(accountTrie, keptStorages)
    this.#flushedNo = headNo
    this.#unflushedRowCount = 0
  }

  #openNodes(rows: LeafRows): NodeTables {
    return openNodeTables(this.#tables.accountNodes, this.#tables.storageNodes, rows)
  }

  /** Keys of rows of the head. */
  *#keysBelow(prefix: string, key: Uint8Array, depth: number): Generator<string> {
    const table = prefix === '' ? this.#tables.accounts : this.#tables.slots
    const { start, end } = boundsOfPath(bytesOfText(prefix), key, depth)
    for (const { key: found } of table.range(start, end)) yield textOfBytes(found)
  }

  /** The tries of the head, from those that were flushed last and the commits since. */
  #catchUp({ flushedRoot }: Meta): StateTries {
    const flushed = new StateTries(
      equalBytes(flushedRoot, emptyTrieRoot) ? undefined : flushedRoot,
      new Map(),
    )
    if (this.#flushedNo === this.#headNo) return flushed
    const rows = this.#rowsBefore(this.#flushedNo)
    const before = (key: string) => (rows.has(key) ? rows.get(key) : this.#readHeadRow(key))
    const edits = rowEdits(rows.keys(), before, (key) => this.#readHeadRow(key))
    // Leaves as they were then: some have gone since, and some have come.
    const gone = [...rows.keys()].filter((key) => rows.get(key) !== undefined)
    const keysBelow = this.#keysBelow.bind(this)
    const nodes = this.#openNodes({
      readRow: before,
      *keysBelow(prefix, key, depth) {
        yield* keysBelow(prefix, key, depth)
        for (const each of gone) if (isBelow(each, prefix, key, depth)) yield each
      },
    })
    const { tries, root } = editTries(flushed, nodes, edits, () => undefined)
    if (!equalBytes(root, this.#headRoot)) throw stateDamaged('the rows do not lead to the root')
    this.#unflushedRowCount = rows.size
    return flattenTries(tries)
  }
}

/** What a state needs of its store. */
interface StateAccess {
  hashText(bytes: Uint8Array): string
  readRowAt(commitNo: number, key: string): Uint8Array | undefined
  readCode(codeHash: Uint8Array): Uint8Array
  isKept(commitNo: number, root: Uint8Array): boolean
  version(): number
}

/** What a state is before it is committed: changes to another. */
interface Staged {
  readonly parent: ChainState
  readonly rows: Rows
  /** What `parent` has in place of them. */
  readonly replaced: Rows
  readonly codes: ReadonlyMap<string, Uint8Array>
  tries: StateTries
}

function diffOfStaged(state: ChainState): ReverseDiff {
  assert(state.staged !== undefined)
  const { parent, replaced } = state.staged
  return { rootBefore: parent.root, rootAfter: state.root, before: replaced }
}

/** Of the head at the time when they were made. */
function bottomOf(tries: StateTries): StateTries {
  let bottom = tries
  while (bottom.below !== undefined) bottom = bottom.below
  return bottom
}

class ChainState implements State {
  readonly root: Uint8Array
  readonly #access: StateAccess
  #commitNo: number | undefined
  #staged: Staged | undefined
  #versionChecked = -1

  constructor(
    access: StateAccess,
    root: Uint8Array,
    commitNo: number | undefined,
    staged: Staged | undefined,
  ) {
    this.#access = access
    this.root = root
    this.#commitNo = commitNo
    this.#staged = staged
  }

  get commitNo(): number | undefined {
    return this.#commitNo
  }

  get staged(): Staged | undefined {
    return this.#staged
  }

  get isCommitted(): boolean {
    return this.#staged === undefined
  }

  becomeCommitted(commitNo: number): void {
    this.#commitNo = commitNo
    this.#staged = undefined
  }

  /** @throws StateError STATE_NOT_AVAILABLE */
  check(): void {
    const version = this.#access.version()
    if (this.#staged !== undefined || this.#versionChecked === version) return
    if (!this.#access.isKept(this.#commitNo as number, this.root))
      throw stateNotAvailable(this.root)
    this.#versionChecked = version
  }

  readRow(key: string): Uint8Array | undefined {
    let state: ChainState = this
    for (let staged = state.#staged; staged !== undefined; staged = state.#staged) {
      const value = staged.rows.get(key)
      if (value !== undefined || staged.rows.has(key)) return value
      state = staged.parent
    }
    state.check()
    return this.#access.readRowAt(state.#commitNo as number, key)
  }

  readAccount(address: Uint8Array): Account | undefined {
    const row = this.readRow(this.#access.hashText(address))
    return row === undefined ? undefined : decodeAccountRow(row)
  }

  readStorage(address: Uint8Array, slot: Uint8Array): Uint8Array {
    const value = this.readRow(this.#access.hashText(address) + this.#access.hashText(slot))
    if (value === undefined) return zeroWord
    const word = new Uint8Array(32)
    word.set(value, 32 - value.length)
    return word
  }

  readCode(codeHash: Uint8Array): Uint8Array {
    for (let state: ChainState = this; state.#staged !== undefined; state = state.#staged.parent) {
      const code = state.#staged.codes.get(textOfBytes(codeHash))
      if (code !== undefined) return code
    }
    return this.#access.readCode(codeHash)
  }
}

/** The committed state below, and what is staged upon it from the oldest on. */
function chainOf(state: ChainState): { base: ChainState; staged: ChainState[] } {
  const staged: ChainState[] = []
  let base = state
  while (base.staged !== undefined) {
    staged.unshift(base)
    base = base.staged.parent
  }
  return { base, staged }
}

/** The edits that turn a state into another one, given the rows that differ. */
function* rowEdits(
  keys: Iterable<string>,
  from: (key: string) => Uint8Array | undefined,
  to: (key: string) => Uint8Array | undefined,
): Generator<AccountEdit> {
  const slotsOf = new Map<string, (readonly [string, Uint8Array | undefined])[]>()
  for (const key of keys) {
    const text = key.slice(0, accountKeySize)
    let slots = slotsOf.get(text)
    if (slots === undefined) {
      slots = []
      slotsOf.set(text, slots)
    }
    if (key.length > accountKeySize) slots.push([key.slice(accountKeySize), to(key)])
  }
  for (const [text, slots] of slotsOf) {
    const before = from(text)
    const after = to(text)
    yield {
      text,
      hash: bytesOfText(text),
      account: after === undefined ? undefined : decodeAccountRow(after),
      storageRootBefore:
        before === undefined ? emptyTrieRoot : decodeAccountRow(before).storageRoot,
      isStorageCleared: false,
      slots,
    }
  }
}

interface Tables {
  readonly accounts: Table
  readonly slots: Table
  readonly codes: Table
  readonly accountNodes: Table
  readonly storageNodes: Table
  readonly commits: Table
  readonly commitOfRoot: Table
  readonly history: Table
  readonly meta: Table
}

function openTables(database: Database, suffix: string): Tables {
  const open = (name: string): Table => database.table(`${name}${suffix}`)
  return {
    accounts: open('accounts'),
    slots: open('slots'),
    codes: open('codes'),
    accountNodes: open('accountNodes'),
    storageNodes: open('storageNodes'),
    commits: open('commits'),
    commitOfRoot: open('commitOfRoot'),
    history: open('history'),
    meta: open('stateMeta'),
  }
}

interface Meta {
  readonly headNo: number
  readonly headRoot: Uint8Array
  readonly flushedNo: number
  readonly flushedRoot: Uint8Array
}

const formatKey = utf8('format')
const headKey = utf8('head')
const flushedKey = utf8('flushed')

/** @throws StateError STATE_FORMAT, STATE_DAMAGED */
function readMeta(meta: Table): Meta {
  const head = meta.get(headKey)
  const flushed = meta.get(flushedKey)
  if (head !== undefined) {
    const version = meta.get(formatKey)?.[0] ?? 0
    if (version !== formatVersion) throw otherFormat(version)
  }
  return {
    headNo: head === undefined ? 0 : decodeNo(head),
    headRoot: head === undefined ? emptyTrieRoot : head.subarray(8),
    flushedNo: flushed === undefined ? 0 : decodeNo(flushed),
    flushedRoot: flushed === undefined ? emptyTrieRoot : flushed.subarray(8),
  }
}

function writeHead(meta: Table, headNo: number, headRoot: Uint8Array): void {
  meta.put(formatKey, Uint8Array.of(formatVersion))
  meta.put(headKey, concatBytes(encodeNo(headNo), headRoot))
}

/** Of the keys that begin with `prefix` and the first `depth` nibbles of `key`. */
function boundsOfPath(
  prefix: Uint8Array,
  key: Uint8Array,
  depth: number,
): { readonly start: Uint8Array; readonly end: Uint8Array } {
  const start = concatBytes(prefix, joinPath(key, depth, key, 0, 0))
  if ((depth & 1) === 0) return { start, end: endOfPrefix(start) ?? lastKey }
  const last = start.length - 1
  if ((start[last] as number) === 0xf0) {
    return { start, end: endOfPrefix(start.subarray(0, last)) ?? lastKey }
  }
  const end = start.slice()
  end[last] = (start[last] as number) + 0x10
  return { start, end }
}

function isBelow(row: string, prefix: string, key: Uint8Array, depth: number): boolean {
  const isOfKind = (row.length === accountKeySize) === (prefix === '')
  if (!isOfKind || !row.startsWith(prefix)) return false
  return firstDifference(bytesOfText(row.slice(prefix.length)), key, 0, depth) === depth
}

function removePrefix(table: Table, prefix: Uint8Array): void {
  const keys = Array.from(table.range(prefix, endOfPrefix(prefix) ?? lastKey), ({ key }) => key)
  for (const key of keys) table.remove(key)
}

/** In place of a row that is known not to be there. */
const noRow = new Uint8Array(0)
const absent = Uint8Array.of(0)
const present = Uint8Array.of(1)
const lastNo = new Uint8Array(8).fill(0xff)
const noAccount: StoredAccount = {
  nonce: 0n,
  balance: 0n,
  storageRoot: emptyTrieRoot,
  codeHash: emptyCodeHash,
}

/** Accounts and slots apart, since a key of one is a prefix of keys of the other. */
function historyPrefix(key: string): Uint8Array {
  return concatBytes(Uint8Array.of(key.length === accountKeySize ? 0 : 1), bytesOfText(key))
}

function encodeNo(no: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(no))
  return bytes
}

function decodeNo(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0))
}

/** Without leading zeros; undefined for zero. */
function trimmed(word: Uint8Array): Uint8Array | undefined {
  let start = 0
  while (start < word.length && word[start] === 0) start++
  return start === word.length ? undefined : new Uint8Array(word.subarray(start))
}

function isEqualRow(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return equalBytes(a, b)
}

function stopped(): StateError {
  return stateDamaged('an earlier write failed, and only a restart helps')
}

function otherFormat(version: number): StateError {
  return new StateError(
    { code: 'STATE_FORMAT', version, versionExpected: formatVersion },
    {
      shortMessage: 'The state was written by another version of Cairn.',
      metaMessages: [
        `Format: ${version}; this version reads ${formatVersion}.`,
        'Export the chain with the version that wrote it, and import it with this one.',
      ],
    },
  )
}
