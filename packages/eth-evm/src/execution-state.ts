/**
 * The state under execution: an overlay over a StateReader that lasts for a block (or a call) and many transactions,
 * with an undo journal in place of copies. Nothing is written below; `takeChanges` hands out what became different.
 */
import { assert, equalBytes } from '@cairn/core'
import type {
  Account,
  AccountChange,
  Log,
  StateChanges,
  StateReader,
  StorageChange,
} from '@cairn/eth-codec'
import { Code, CodeCache, emptyCode } from './code.ts'
import { grown, SlotTable } from './slot-table.ts'
import {
  bytesToWord,
  clearWord,
  copyWord,
  equalWords,
  isZeroWord,
  wordLength,
  wordToBytes,
} from './words.ts'

/** A place in the journal to which `revert` goes back. */
export interface Checkpoint {
  readonly recordCount: number
  readonly logCount: number
  readonly refund: number
}

/** Address of RIPEMD-160, whose touch outlives a failed call, as it once did (go-ethereum, core/state/journal.go). */
const ripemdLow = 3

/** An account as execution knows it. Fields are changed by ExecutionState only, which keeps the journal. */
export class AccountEntry {
  /** 20 bytes, not to be changed. */
  readonly address: Uint8Array
  readonly word: Int32Array
  isLoaded = false
  exists = false
  nonce = 0n
  balance = 0n
  /** Undefined until it is needed. */
  code: Code | undefined
  codeHash: Uint8Array = emptyCode.hash
  slots: SlotTable | undefined
  transientSlots: SlotTable | undefined
  /** Whether a slot that is not in `slots` is what the reader has, or zero. */
  readsThrough = true
  isStorageCleared = false
  /** Numbers of the last transaction in which it was warm, touched, created, self-destructed. */
  warmIn = 0
  touchedIn = 0
  createdIn = 0
  destructedIn = 0
  isDirty = false
  base: Account | undefined

  constructor(address: Uint8Array) {
    this.address = address
    this.word = new Int32Array(wordLength)
    bytesToWord(address, this.word, 0)
  }

  /** EIP-161. */
  get isEmpty(): boolean {
    return this.nonce === 0n && this.balance === 0n && this.codeHash === emptyCode.hash
  }
}

type UndoKind =
  | 'balance'
  | 'nonce'
  | 'code'
  | 'exists'
  | 'warm'
  | 'touched'
  | 'created'
  | 'destructed'
  | 'slotTransaction'
  | 'slotValue'
  | 'transientValue'
  | 'storage'

interface Undo {
  readonly kind: UndoKind
  readonly entry: AccountEntry
  /** A slot, or a number of a transaction. */
  readonly at: number
  /** Where the journal of words has the value before; or a slot's transaction before. */
  readonly wordAt: number
  readonly before: bigint | boolean | Code | StorageBefore | undefined
}

interface StorageBefore {
  readonly slots: SlotTable | undefined
  readonly readsThrough: boolean
  readonly isStorageCleared: boolean
}

export class ExecutionState {
  readonly reader: StateReader
  readonly #codes: CodeCache
  readonly #entries: AccountEntry[] = []
  /** Number of an entry + 1, by hash of its address. */
  #index: Int32Array = new Int32Array(64)
  #dirty: AccountEntry[] = []
  readonly #touched: AccountEntry[] = []
  readonly #withTransient: AccountEntry[] = []
  readonly #journal: Undo[] = []
  #wordJournal: Int32Array = new Int32Array(64 * wordLength)
  #wordCount = 0
  #openCheckpoints = 0
  #transaction = 0
  #isRipemdTouchKept = false
  readonly #scratch = new Int32Array(wordLength)
  /** Of the running transaction. */
  logs: Log[] = []
  refund = 0
  /** Whether the last look-up of a slot was its first in this transaction (EIP-2929). */
  wasSlotCold = false

  constructor(reader: StateReader, codes: CodeCache = new CodeCache()) {
    this.reader = reader
    this.#codes = codes
  }

  // Accounts

  /** The entry of an address in the lower 20 bytes of a word, not loaded yet when it is new. */
  entryAt(words: Int32Array, at: number): AccountEntry {
    const w0 = words[at] as number
    const w1 = words[at + 1] as number
    const w2 = words[at + 2] as number
    const w3 = words[at + 3] as number
    const w4 = words[at + 4] as number
    const mask = this.#index.length - 1
    for (let i = hashAddress(words, at) & mask; ; i = (i + 1) & mask) {
      const number = this.#index[i] as number
      if (number === 0) return this.#addEntry(wordToBytes(words, at, 20), i)
      const entry = this.#entries[number - 1] as AccountEntry
      const own = entry.word
      if (own[0] === w0 && own[1] === w1 && own[2] === w2 && own[3] === w3 && own[4] === w4) {
        return entry
      }
    }
  }

  #addEntry(address: Uint8Array, place: number): AccountEntry {
    const entry = new AccountEntry(address)
    this.#index[place] = this.#entries.push(entry)
    if (this.#entries.length * 2 > this.#index.length) {
      const index = new Int32Array(this.#index.length * 2)
      const mask = index.length - 1
      for (const [number, { word }] of this.#entries.entries()) {
        let i = hashAddress(word, 0) & mask
        while (index[i] !== 0) i = (i + 1) & mask
        index[i] = number + 1
      }
      this.#index = index
    }
    return entry
  }

  entryOf(address: Uint8Array): AccountEntry {
    bytesToWord(address, this.#scratch, 0)
    return this.entryAt(this.#scratch, 0)
  }

  /** The same with its fields read. */
  accountAt(words: Int32Array, at: number): AccountEntry {
    return this.load(this.entryAt(words, at))
  }

  accountOf(address: Uint8Array): AccountEntry {
    return this.load(this.entryOf(address))
  }

  load(entry: AccountEntry): AccountEntry {
    if (entry.isLoaded) return entry
    entry.isLoaded = true
    const account = this.reader.readAccount(entry.address)
    entry.base = account
    if (account === undefined) return entry
    entry.exists = true
    entry.nonce = account.nonce
    entry.balance = account.balance
    // One object for no code, so that it is told by identity.
    const hasCode = !equalBytes(account.codeHash, emptyCode.hash)
    entry.codeHash = hasCode ? account.codeHash : emptyCode.hash
    return entry
  }

  codeOf(entry: AccountEntry): Code {
    this.load(entry)
    if (entry.code !== undefined) return entry.code
    entry.code =
      entry.codeHash === emptyCode.hash
        ? emptyCode
        : this.#codes.get(entry.codeHash, (hash) => this.reader.readCode(hash))
    return entry.code
  }

  /** @returns whether the account was cold (EIP-2929). */
  warm(entry: AccountEntry): boolean {
    if (entry.warmIn === this.#transaction) return false
    this.#record('warm', entry, entry.warmIn, 0, undefined)
    entry.warmIn = this.#transaction
    return true
  }

  /** Marks it for removal at the end of the transaction if it is empty then. */
  touch(entry: AccountEntry): void {
    if (entry.touchedIn === this.#transaction) return
    this.#record('touched', entry, entry.touchedIn, 0, undefined)
    entry.touchedIn = this.#transaction
    this.#touched.push(entry)
    if (!entry.isDirty) {
      entry.isDirty = true
      this.#dirty.push(entry)
    }
  }

  setBalance(entry: AccountEntry, balance: bigint): void {
    this.load(entry)
    this.touch(entry)
    this.#bringIntoBeing(entry)
    if (entry.balance === balance) return
    this.#record('balance', entry, 0, 0, entry.balance)
    entry.balance = balance
  }

  /** Also with nothing to add: the account then exists, or goes if it is empty (EIP-161). */
  addBalance(entry: AccountEntry, amount: bigint): void {
    this.setBalance(entry, this.load(entry).balance + amount)
  }

  setNonce(entry: AccountEntry, nonce: bigint): void {
    this.load(entry)
    this.touch(entry)
    this.#bringIntoBeing(entry)
    this.#record('nonce', entry, 0, 0, entry.nonce)
    entry.nonce = nonce
  }

  setCode(entry: AccountEntry, bytes: Uint8Array, hash: Uint8Array): void {
    this.#setCode(entry, bytes.length === 0 ? emptyCode : new Code(bytes, hash))
  }

  #setCode(entry: AccountEntry, code: Code): void {
    this.touch(entry)
    this.#bringIntoBeing(entry)
    this.#record('code', entry, 0, 0, this.codeOf(entry))
    entry.code = code
    entry.codeHash = code.hash
  }

  /** A contract comes to be, with whatever balance the address had and without what storage it had. */
  createContract(entry: AccountEntry): void {
    this.load(entry)
    this.touch(entry)
    const isNew = !entry.exists
    this.#bringIntoBeing(entry)
    this.#record('created', entry, entry.createdIn, 0, undefined)
    entry.createdIn = this.#transaction
    if (!entry.readsThrough && entry.slots === undefined) return
    const slotsBefore = entry.slots
    this.#clearStorage(entry, !isNew)
    // Slots of the transaction's access list are warm before there is a contract.
    if (slotsBefore !== undefined) entry.slots = slotsBefore.emptied()
  }

  isCreatedNow(entry: AccountEntry): boolean {
    return entry.createdIn === this.#transaction
  }

  isDestructedNow(entry: AccountEntry): boolean {
    return entry.destructedIn === this.#transaction
  }

  /** To be removed at the end of the transaction. The balance must have been moved. */
  destruct(entry: AccountEntry): void {
    this.touch(entry)
    if (this.isDestructedNow(entry)) return
    this.#record('destructed', entry, entry.destructedIn, 0, undefined)
    entry.destructedIn = this.#transaction
  }

  #bringIntoBeing(entry: AccountEntry): void {
    if (entry.exists) return
    this.#record('exists', entry, 0, 0, false)
    entry.exists = true
  }

  /** For a call that brings its own storage: every slot is zero from now on. */
  replaceStorage(entry: AccountEntry): void {
    this.load(entry)
    this.touch(entry)
    this.#clearStorage(entry, true)
  }

  #clearStorage(entry: AccountEntry, isOldGone: boolean): void {
    const { slots, readsThrough, isStorageCleared } = entry
    this.#record('storage', entry, 0, 0, { slots, readsThrough, isStorageCleared })
    entry.slots = undefined
    entry.readsThrough = false
    entry.isStorageCleared ||= isOldGone
  }

  // Storage

  /** The number of a slot in `entry.slots`, read if need be and warm from now on; `wasSlotCold` says what it was. */
  slotAt(entry: AccountEntry, words: Int32Array, at: number): number {
    let slots = entry.slots
    if (slots === undefined) {
      slots = new SlotTable()
      entry.slots = slots
    }
    let slot = slots.find(words, at)
    if (slot < 0) {
      slot = slots.add(words, at)
      if (entry.readsThrough) {
        const value = this.reader.readStorage(entry.address, wordToBytes(words, at))
        bytesToWord(value, slots.current, slot * wordLength)
        copyWord(slots.current, slot * wordLength, slots.base, slot * wordLength)
      }
    }
    this.wasSlotCold = slots.transactions[slot] !== this.#transaction
    if (this.wasSlotCold) {
      this.#record('slotTransaction', entry, slot, slots.transactions[slot] as number, undefined)
      slots.transactions[slot] = this.#transaction
      copyWord(slots.current, slot * wordLength, slots.original, slot * wordLength)
    }
    return slot
  }

  /** @param slot from `slotAt` in this transaction. */
  setSlot(entry: AccountEntry, slot: number, words: Int32Array, at: number): void {
    const { current } = entry.slots as SlotTable
    this.touch(entry)
    this.#record('slotValue', entry, slot, this.#keepWord(current, slot * wordLength), undefined)
    copyWord(words, at, current, slot * wordLength)
  }

  /**
   * Whether the account has a slot that is not zero (EIP-7610). An account that a contract may still be made at has no
   * code that could have written one, so that only what was there before this state counts.
   */
  hasStorage(entry: AccountEntry): boolean {
    if (!entry.readsThrough || this.load(entry).base === undefined) return false
    return this.reader.hasStorage?.(entry.address) ?? false
  }

  /** EIP-1153. */
  readTransient(
    entry: AccountEntry,
    words: Int32Array,
    at: number,
    to: Int32Array,
    toAt: number,
  ): void {
    const slot = entry.transientSlots?.find(words, at) ?? -1
    if (slot < 0) clearWord(to, toAt)
    else copyWord((entry.transientSlots as SlotTable).current, slot * wordLength, to, toAt)
  }

  writeTransient(
    entry: AccountEntry,
    words: Int32Array,
    at: number,
    value: Int32Array,
    valueAt: number,
  ): void {
    let slots = entry.transientSlots
    if (slots === undefined) {
      slots = new SlotTable()
      entry.transientSlots = slots
      this.#withTransient.push(entry)
    }
    let slot = slots.find(words, at)
    if (slot < 0) slot = slots.add(words, at)
    const before = this.#keepWord(slots.current, slot * wordLength)
    this.#record('transientValue', entry, slot, before, undefined)
    copyWord(value, valueAt, slots.current, slot * wordLength)
  }

  // Transactions and the journal

  beginTransaction(): void {
    this.#transaction++
    this.logs = []
    this.refund = 0
    this.#isRipemdTouchKept = false
  }

  /** Removes what self-destructed and, from EIP-161 on, what was touched and is empty. */
  finishTransaction(removesEmptyAccounts: boolean): void {
    if (this.#isRipemdTouchKept) {
      clearWord(this.#scratch, 0)
      this.#scratch[0] = ripemdLow
      this.touch(this.accountAt(this.#scratch, 0))
    }
    for (const entry of this.#touched) {
      const isGone =
        this.isDestructedNow(entry) || (removesEmptyAccounts && this.load(entry).isEmpty)
      if (isGone) this.#remove(entry)
    }
    this.#touched.length = 0
    for (const entry of this.#withTransient) entry.transientSlots = undefined
    this.#withTransient.length = 0
    if (this.#openCheckpoints === 0) this.#forgetJournal()
  }

  #remove(entry: AccountEntry): void {
    if (!entry.exists) return
    this.#record('balance', entry, 0, 0, entry.balance)
    entry.balance = 0n
    this.#record('nonce', entry, 0, 0, entry.nonce)
    entry.nonce = 0n
    if (entry.codeHash !== emptyCode.hash) this.#setCode(entry, emptyCode)
    this.#record('exists', entry, 0, 0, true)
    entry.exists = false
    this.#clearStorage(entry, true)
  }

  /** Within a transaction, as each call frame does. */
  mark(): Checkpoint {
    return {
      recordCount: this.#journal.length,
      logCount: this.logs.length,
      refund: this.refund,
    }
  }

  revertTo(mark: Checkpoint): void {
    this.logs.length = mark.logCount
    this.refund = mark.refund
    while (this.#journal.length > mark.recordCount) this.#undo(this.#journal.pop() as Undo)
  }

  /** Around whole transactions. Each checkpoint must be ended by `revert` or `release`, the last one first. */
  checkpoint(): Checkpoint {
    this.#openCheckpoints++
    return this.mark()
  }

  revert(checkpoint: Checkpoint): void {
    while (this.#journal.length > checkpoint.recordCount) this.#undo(this.#journal.pop() as Undo)
    this.release()
  }

  release(): void {
    assert(this.#openCheckpoints > 0)
    this.#openCheckpoints--
    if (this.#openCheckpoints === 0) this.#forgetJournal()
  }

  #forgetJournal(): void {
    this.#journal.length = 0
    this.#wordCount = 0
  }

  #record(kind: UndoKind, entry: AccountEntry, at: number, wordAt: number, before: Undo['before']) {
    this.#journal.push({ kind, entry, at, wordAt, before })
  }

  #keepWord(words: Int32Array, at: number): number {
    const wordAt = this.#wordCount
    this.#wordCount += wordLength
    if (this.#wordCount > this.#wordJournal.length) {
      this.#wordJournal = grown(this.#wordJournal, this.#wordJournal.length * 2)
    }
    copyWord(words, at, this.#wordJournal, wordAt)
    return wordAt
  }

  #undo({ kind, entry, at, wordAt, before }: Undo): void {
    switch (kind) {
      case 'balance':
        entry.balance = before as bigint
        return
      case 'nonce':
        entry.nonce = before as bigint
        return
      case 'code':
        entry.code = before as Code
        entry.codeHash = entry.code.hash
        return
      case 'exists':
        entry.exists = before as boolean
        return
      case 'warm':
        entry.warmIn = at
        return
      case 'touched':
        entry.touchedIn = at
        // Touches are undone in the order in which they were made, so it is the last, unless the transaction is over.
        if (this.#touched.at(-1) === entry) this.#touched.pop()
        this.#isRipemdTouchKept ||= isRipemd(entry)
        return
      case 'created':
        entry.createdIn = at
        return
      case 'destructed':
        entry.destructedIn = at
        return
      case 'slotTransaction':
        ;(entry.slots as SlotTable).transactions[at] = wordAt
        return
      case 'slotValue':
        this.#wordCount = wordAt
        copyWord(this.#wordJournal, wordAt, (entry.slots as SlotTable).current, at * wordLength)
        return
      case 'transientValue': {
        this.#wordCount = wordAt
        const slots = entry.transientSlots
        // Gone when its transaction is over.
        if (slots) copyWord(this.#wordJournal, wordAt, slots.current, at * wordLength)
        return
      }
      case 'storage': {
        const storage = before as StorageBefore
        entry.slots = storage.slots
        entry.readsThrough = storage.readsThrough
        entry.isStorageCleared = storage.isStorageCleared
        return
      }
      default: {
        const never: never = kind
        throw new TypeError(`Unknown record ${never}`)
      }
    }
  }

  // Reading and the end of a block

  /** 32 bytes that the caller may keep. Does not warm. */
  readStorage(address: Uint8Array, slot: Uint8Array): Uint8Array {
    const entry = this.accountOf(address)
    bytesToWord(slot, this.#scratch, 0)
    const found = entry.slots?.find(this.#scratch, 0) ?? -1
    if (found >= 0) return wordToBytes((entry.slots as SlotTable).current, found * wordLength)
    return entry.readsThrough ? this.reader.readStorage(address, slot).slice() : new Uint8Array(32)
  }

  /**
   * What became different since the changes were last taken: each account and slot once. From then on they count as
   * known below. No checkpoint may be open.
   */
  takeChanges(): StateChanges {
    assert(this.#openCheckpoints === 0 && this.#journal.length === 0)
    const accounts: AccountChange[] = []
    const codes: { codeHash: Uint8Array; code: Uint8Array }[] = []
    for (const entry of this.#dirty) {
      entry.isDirty = false
      const change = this.#takeAccount(entry)
      if (change === undefined) continue
      accounts.push(change)
      const { codeHash } = entry
      if (entry.code !== undefined && codeHash !== emptyCode.hash && entry.exists) {
        const isNew = entry.base === undefined || !equalBytes(entry.base.codeHash, codeHash)
        if (isNew) codes.push({ codeHash, code: entry.code.bytes })
      }
      entry.base = change.account
    }
    this.#dirty = []
    return { accounts, codes }
  }

  /**
   * Everything that is known here of accounts that exist or existed, as changes to the state that execution began on,
   * whatever was taken of them since. No transaction may be running.
   */
  knownChanges(): StateChanges {
    assert(this.#openCheckpoints === 0 && this.#journal.length === 0)
    const accounts: AccountChange[] = []
    const codes: { codeHash: Uint8Array; code: Uint8Array }[] = []
    for (const entry of this.#entries) {
      if (!entry.isLoaded) continue
      const { address, exists, nonce, balance, codeHash, slots } = entry
      accounts.push({
        address,
        account: exists ? { nonce, balance, codeHash } : undefined,
        storageCleared: !entry.readsThrough,
        storage: slots === undefined ? [] : knownStorage(slots),
      })
      if (exists && entry.createdIn > 0 && entry.code !== undefined) {
        codes.push({ codeHash, code: entry.code.bytes })
      }
    }
    return { accounts, codes }
  }

  #takeAccount(entry: AccountEntry): AccountChange | undefined {
    this.load(entry)
    const { base, address, exists, nonce, balance, codeHash } = entry
    const storageCleared = entry.isStorageCleared && base !== undefined
    entry.isStorageCleared = false
    const storage = entry.slots === undefined ? [] : takeStorage(entry.slots, storageCleared)
    if (!exists) {
      if (base === undefined) return undefined
      return { address, account: undefined, storageCleared: true, storage: [] }
    }
    const isSame =
      base !== undefined &&
      base.nonce === nonce &&
      base.balance === balance &&
      equalBytes(base.codeHash, codeHash)
    if (isSame && !storageCleared && storage.length === 0) return undefined
    return { address, account: { nonce, balance, codeHash }, storageCleared, storage }
  }
}

function hashAddress(words: Int32Array, at: number): number {
  let hash = 0x2545f491
  for (let i = 0; i < 5; i++) {
    hash = Math.imul(hash ^ (words[at + i] as number), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash
}

function isRipemd(entry: AccountEntry): boolean {
  const [w0, w1, w2, w3, w4] = entry.word
  return w0 === ripemdLow && (w1 || w2 || w3 || w4) === 0
}

function takeStorage(slots: SlotTable, isAll: boolean): StorageChange[] {
  const changes: StorageChange[] = []
  const { count, keys, current, base } = slots
  for (let at = 0; at < count * wordLength; at += wordLength) {
    const isNew = isAll ? !isZeroWord(current, at) : !equalWords(current, at, base, at)
    if (!isNew) continue
    changes.push({ slot: wordToBytes(keys, at), value: wordToBytes(current, at) })
    copyWord(current, at, base, at)
  }
  return changes
}

function knownStorage({ count, keys, current }: SlotTable): StorageChange[] {
  const slots: StorageChange[] = []
  for (let at = 0; at < count * wordLength; at += wordLength) {
    slots.push({ slot: wordToBytes(keys, at), value: wordToBytes(current, at) })
  }
  return slots
}
