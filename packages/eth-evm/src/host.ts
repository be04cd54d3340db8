/**
 * What code asks of the world around it, for the frame on top: storage, balances, other accounts, logs, the block.
 * Words come and go in a flat array (words.ts), so both interpreters use it without making numbers.
 */
import type { Code } from './code.ts'
import type { AccountEntry, ExecutionState } from './execution-state.ts'
import type { ForkRules, StorageRule } from './forks.ts'
import type { Frame } from './interpreter.ts'
import type { Tracer } from './tracer.ts'
import {
  bigintToWord,
  bytesToWord,
  clearWord,
  copyWord,
  equalWords,
  isZeroWord,
  wordLength,
} from './words.ts'

/** The block in which code runs. */
export interface BlockContext {
  readonly number: bigint
  /** Seconds since the Unix epoch. */
  readonly timestamp: bigint
  /** 20 bytes: who gets the tips, and what COINBASE says. On Clique chains the signer. */
  readonly coinbase: Uint8Array
  readonly gasLimit: bigint
  readonly difficulty: bigint
  /** 32 bytes. When given, opcode 0x44 says this in place of the difficulty (EIP-4399). */
  readonly prevRandao?: Uint8Array | undefined
  /** In wei; undefined before London. */
  readonly baseFeePerGas?: bigint | undefined
  /** Of one of the 256 blocks before this one; nobody asks for others. Undefined gives zero. */
  blockHash(number: bigint): Uint8Array | undefined
}

/** Answers of `callFacts`, added up. */
export const callFacts = { cold: 1, dead: 2, missing: 4 } as const

interface StorageGas {
  readonly same: number
  readonly set: number
  readonly reset: number
  readonly clearRefund: number
  readonly cold: number
}

/** Sources: EIP-1283, 2200, 2929, 3529. A slot that goes back to what it was is refunded to `same`. */
const storageGas: Readonly<Record<StorageRule, StorageGas>> = {
  frontier: { same: 5000, set: 20_000, reset: 5000, clearRefund: 15_000, cold: 0 },
  eip1283: { same: 200, set: 20_000, reset: 5000, clearRefund: 15_000, cold: 0 },
  eip2200: { same: 800, set: 20_000, reset: 5000, clearRefund: 15_000, cold: 0 },
  eip2929: { same: 100, set: 20_000, reset: 2900, clearRefund: 15_000, cold: 2100 },
  eip3529: { same: 100, set: 20_000, reset: 2900, clearRefund: 4800, cold: 2100 },
}

/** Order of the words that hold for a whole transaction. */
export const contextWords = {
  origin: 0,
  gasPrice: 1,
  coinbase: 2,
  timestamp: 3,
  number: 4,
  difficulty: 5,
  gasLimit: 6,
  chainId: 7,
  baseFee: 8,
  blobBaseFee: 9,
} as const
export const contextWordCount = 10

export interface HostOptions {
  readonly state: ExecutionState
  readonly rules: ForkRules
  readonly block: BlockContext
  readonly chainId: bigint
  readonly origin: AccountEntry
  readonly gasPrice: bigint
  readonly tracer: Tracer | undefined
  readonly shouldAbort: (() => boolean) | undefined
}

export class Host {
  readonly state: ExecutionState
  readonly rules: ForkRules
  readonly block: BlockContext
  readonly tracer: Tracer | undefined
  readonly context: Int32Array = new Int32Array(contextWordCount * wordLength)
  readonly #shouldAbort: (() => boolean) | undefined
  /** The one on top. The machine sets it. */
  frame!: Frame

  constructor(options: HostOptions) {
    const { state, rules, block, chainId, origin, gasPrice, tracer, shouldAbort } = options
    this.state = state
    this.rules = rules
    this.block = block
    this.tracer = tracer
    this.#shouldAbort = shouldAbort
    const put = (name: keyof typeof contextWords, value: bigint): void => {
      bigintToWord(value, this.context, contextWords[name] * wordLength)
    }
    copyWord(origin.word, 0, this.context, contextWords.origin * wordLength)
    put('gasPrice', gasPrice)
    bytesToWord(block.coinbase, this.context, contextWords.coinbase * wordLength)
    put('timestamp', block.timestamp)
    put('number', block.number)
    put('difficulty', block.difficulty)
    if (block.prevRandao) {
      bytesToWord(block.prevRandao, this.context, contextWords.difficulty * wordLength)
    }
    put('gasLimit', block.gasLimit)
    put('chainId', chainId)
    put('baseFee', block.baseFeePerGas ?? 0n)
    // EIP-7516 where no block has blobs: the least that a blob's gas may cost.
    put('blobBaseFee', 1n)
  }

  shouldAbort(): boolean {
    return this.#shouldAbort?.() ?? false
  }

  /** Whether the address is cold, and warm from now on. Precompiles are always warm. */
  isCold(entry: AccountEntry): boolean {
    return this.rules.hasAccessLists && !isPrecompile(entry, this.rules) && this.state.warm(entry)
  }

  // Each of these replaces the word at `at` by its answer and says whether what it read was cold.

  balance(words: Int32Array, at: number): boolean {
    const entry = this.state.accountAt(words, at)
    bigintToWord(entry.balance, words, at)
    return this.isCold(entry)
  }

  codeSize(words: Int32Array, at: number): boolean {
    const entry = this.state.entryAt(words, at)
    clearWord(words, at)
    words[at] = this.state.codeOf(entry).bytes.length
    return this.isCold(entry)
  }

  codeHash(words: Int32Array, at: number): boolean {
    const entry = this.state.accountAt(words, at)
    // EIP-1052: zero for accounts that are not there, which EIP-161 says of empty ones too.
    if (!entry.exists || entry.isEmpty) clearWord(words, at)
    else bytesToWord(entry.codeHash, words, at)
    return this.isCold(entry)
  }

  load(words: Int32Array, at: number): boolean {
    const { account } = this.frame
    const slot = this.state.slotAt(account, words, at)
    const { slots } = account
    if (slots !== undefined) copyWord(slots.current, slot * wordLength, words, at)
    return this.state.wasSlotCold
  }

  /** For EXTCODECOPY. */
  codeAt(words: Int32Array, at: number): { readonly code: Code; readonly isCold: boolean } {
    const entry = this.state.entryAt(words, at)
    return { code: this.state.codeOf(entry), isCold: this.isCold(entry) }
  }

  selfBalance(words: Int32Array, at: number): void {
    bigintToWord(this.frame.account.balance, words, at)
  }

  /** The word is a block number and becomes its hash, zero outside the last 256 blocks. */
  blockHash(words: Int32Array, at: number): void {
    const high =
      (words[at + 2] as number) |
      (words[at + 3] as number) |
      (words[at + 4] as number) |
      (words[at + 5] as number) |
      (words[at + 6] as number) |
      (words[at + 7] as number)
    const low = (words[at] as number) >>> 0
    const number = (BigInt((words[at + 1] as number) >>> 0) << 32n) | BigInt(low)
    clearWord(words, at)
    const { block } = this
    if (high !== 0 || number >= block.number || number + 256n < block.number) return
    const hash = block.blockHash(number)
    if (hash !== undefined) bytesToWord(hash, words, at)
  }

  loadTransient(words: Int32Array, at: number): void {
    this.state.readTransient(this.frame.account, words, at, words, at)
  }

  storeTransient(words: Int32Array, keyAt: number, valueAt: number): void {
    this.state.writeTransient(this.frame.account, words, keyAt, words, valueAt)
  }

  /** @returns the gas of this SSTORE. Refunds are counted here. */
  store(words: Int32Array, keyAt: number, valueAt: number): number {
    const { state, rules } = this
    const { account } = this.frame
    const gas = storageGas[rules.storageRule]
    const slot = state.slotAt(account, words, keyAt)
    const coldGas = state.wasSlotCold ? gas.cold : 0
    const { slots } = account
    if (slots === undefined) return 0
    const own = slot * wordLength
    const { current, original } = slots
    const becomesZero = isZeroWord(words, valueAt)
    if (rules.storageRule === 'frontier') {
      const isZero = isZeroWord(current, own)
      if (becomesZero && !isZero) state.refund += gas.clearRefund
      state.setSlot(account, slot, words, valueAt)
      return isZero && !becomesZero ? gas.set : gas.reset
    }
    if (equalWords(current, own, words, valueAt)) return coldGas + gas.same
    const wasZero = isZeroWord(original, own)
    let cost = gas.same
    if (equalWords(original, own, current, own)) {
      cost = wasZero ? gas.set : gas.reset
      if (!wasZero && becomesZero) state.refund += gas.clearRefund
    } else {
      if (!wasZero) {
        if (isZeroWord(current, own)) state.refund -= gas.clearRefund
        else if (becomesZero) state.refund += gas.clearRefund
      }
      if (equalWords(original, own, words, valueAt)) {
        state.refund += (wasZero ? gas.set : gas.reset) - gas.same
      }
    }
    state.setSlot(account, slot, words, valueAt)
    return coldGas + cost
  }

  /** @param data copied by the caller. */
  log(topics: readonly Uint8Array[], data: Uint8Array): void {
    const log = { address: this.frame.account.address, topics, data }
    this.state.logs.push(log)
    this.tracer?.onLog?.(log)
  }

  /** What the gas of a call to the address in the word depends on: sum of `callFacts`. */
  callFacts(entry: AccountEntry): number {
    this.state.load(entry)
    return (
      (this.isCold(entry) ? callFacts.cold : 0) +
      (!entry.exists || entry.isEmpty ? callFacts.dead : 0) +
      (entry.exists ? 0 : callFacts.missing)
    )
  }

  /** The gas that SELFDESTRUCT takes beyond its constant part. Nothing is changed but that the address is warm. */
  selfDestructGas(words: Int32Array, at: number): number {
    const { rules } = this
    const heir = this.state.accountAt(words, at)
    // Without a warm price: EIP-2929, "SELFDESTRUCT changes".
    const coldGas = this.isCold(heir) ? 2600 : 0
    const makesAccount = rules.removesEmptyAccounts
      ? (!heir.exists || heir.isEmpty) && this.frame.account.balance > 0n
      : !heir.exists
    return coldGas + (makesAccount ? rules.selfDestructNewAccountGas : 0)
  }

  /** The account gives its balance to the address in the word, and goes at the end of the transaction. */
  selfDestruct(words: Int32Array, at: number): void {
    const { state, rules } = this
    const { account } = this.frame
    const heir = state.accountAt(words, at)
    const { balance } = account
    this.tracer?.onSelfDestruct?.(account.address, heir.address, balance)
    if (!state.isDestructedNow(account)) state.refund += rules.selfDestructRefund
    const goes = !rules.keepsOldSelfDestructed || state.isCreatedNow(account)
    if (heir !== account) {
      state.setBalance(account, 0n)
      state.addBalance(heir, balance)
    } else if (goes) {
      state.setBalance(account, 0n)
    }
    if (goes) state.destruct(account)
  }
}

/** Whether the address is one of the fork's built-in contracts. */
export function isPrecompile(entry: AccountEntry, rules: ForkRules): boolean {
  const { word } = entry
  const number = word[0] as number
  return (
    number > 0 &&
    number <= rules.precompileCount &&
    word[1] === 0 &&
    word[2] === 0 &&
    word[3] === 0 &&
    word[4] === 0
  )
}
