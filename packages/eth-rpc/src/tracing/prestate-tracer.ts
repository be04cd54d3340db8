/**
 * `prestateTracer`: the accounts and slots that a transaction has to do with, as they were before it; with `diffMode`
 * those that it changed, before and after. Source: geth 1.13, eth/tracers/native/prestate.go, of which this keeps the
 * rule that what an opcode names counts once the opcode is paid for, whatever comes of it.
 */
import { dataFromHex, dataToHex, keccak256, quantityToHex } from '@cairn/eth-codec'
import {
  create2Address,
  createAddress,
  type ExecutionState,
  type Fault,
  type TraceStart,
  type TraceStep,
} from '@cairn/eth-evm'
import type { ResultTracer, TraceContext } from './result-tracer.ts'

export interface PrestateTracerOptions {
  readonly diffMode: boolean
}

/** Slots and values are `0x` and 64 digits. */
interface TracedAccount {
  readonly balance: bigint
  readonly nonce: bigint
  readonly code: Uint8Array
  readonly storage: Map<string, string>
}

type AccountsJson = Record<string, Readonly<Record<string, unknown>>>

const addressOnTop: ReadonlySet<number> = new Set([0x31, 0x3b, 0x3c, 0x3f, 0xff])
const addressSecond: ReadonlySet<number> = new Set([0xf1, 0xf2, 0xf4, 0xfa])
const SLOAD = 0x54
const SSTORE = 0x55
const CREATE = 0xf0
const CREATE2 = 0xf5
const SELFDESTRUCT = 0xff
const addressMask = (1n << 160n) - 1n
const zeroWord = `0x${'00'.repeat(32)}`
/** Faults that come before an opcode is paid for, or of one that there is not. */
const unpaidFaults: ReadonlySet<Fault> = new Set([
  'OUT_OF_GAS',
  'INIT_CODE_TOO_LARGE',
  'STACK_UNDERFLOW',
  'STACK_OVERFLOW',
  'INVALID_OPCODE',
])
/** Init code that an opcode cannot pay for is not looked at; geth pads it up to this. */
const initCodePaddingMax = 1024 * 1024
/** Characters of an account besides code and storage, and of a slot. */
const accountLength = 150
const slotLength = 140

export class PrestateTracer implements ResultTracer {
  readonly #options: PrestateTracerOptions
  readonly #context: TraceContext
  readonly #before = new Map<string, TracedAccount>()
  readonly #created = new Set<string>()
  readonly #deleted = new Set<string>()
  #state!: ExecutionState
  /** Of a transaction that makes one. */
  #ownContract: string | undefined
  #after: AccountsJson = {}
  /** What the running step has to do with, once it is paid for. */
  #pending: (() => void) | undefined

  constructor(options: PrestateTracerOptions, context: TraceContext) {
    this.#options = options
    this.#context = context
  }

  onStart({ state, from, to, block }: TraceStart): void {
    this.#state = state
    const target = to ?? createAddress(from, state.accountOf(from).nonce)
    this.#lookUpAccount(from)
    this.#lookUpAccount(target)
    this.#lookUpAccount(block.coinbase)
    if (to === undefined) {
      this.#ownContract = dataToHex(target)
      this.#created.add(this.#ownContract)
    }
  }

  onStep(step: TraceStep): void {
    this.#pending = this.#namedBy(step)
  }

  onStepEnd(): void {
    this.#pending?.()
    this.#pending = undefined
  }

  onStepFault(_: bigint, fault: Fault): void {
    if (!unpaidFaults.has(fault)) this.#pending?.()
    this.#pending = undefined
  }

  /** Reads what the step names now, before it runs. @returns what notes it. */
  #namedBy({ opcode, stackView, address, memoryView }: TraceStep): (() => void) | undefined {
    const top = stackView.at(-1)
    if (top !== undefined && (opcode === SLOAD || opcode === SSTORE)) {
      return this.#slotNote(address, `0x${top.toString(16).padStart(64, '0')}`)
    }
    if (top !== undefined && addressOnTop.has(opcode)) {
      const note = this.#accountNote(addressOf(top))
      if (opcode !== SELFDESTRUCT) return note
      return () => {
        note?.()
        this.#deleted.add(dataToHex(address))
      }
    }
    const second = stackView.at(-2)
    if (second !== undefined && stackView.length >= 5 && addressSecond.has(opcode)) {
      return this.#accountNote(addressOf(second))
    }
    if (opcode === CREATE) {
      return this.#creationNote(createAddress(address, this.#state.accountOf(address).nonce))
    }
    if (opcode === CREATE2 && stackView.length >= 4) {
      const initCode = paddedMemory(memoryView, second ?? 0n, stackView.at(-3) ?? 0n)
      if (initCode === undefined) return undefined
      const salt = dataFromHex(`0x${(stackView.at(-4) ?? 0n).toString(16).padStart(64, '0')}`, 32)
      return this.#creationNote(create2Address(address, salt, keccak256(initCode)))
    }
    return undefined
  }

  #creationNote(address: Uint8Array): () => void {
    const note = this.#accountNote(address)
    return () => {
      note?.()
      this.#created.add(dataToHex(address))
    }
  }

  #accountNote(address: Uint8Array): (() => void) | undefined {
    const key = dataToHex(address)
    if (this.#before.has(key)) return undefined
    const entry = this.#state.accountOf(address)
    const { balance, nonce } = entry
    const code = this.#state.codeOf(entry).bytes
    return () => {
      this.#context.room.take(accountLength + 2 * code.length)
      this.#before.set(key, { balance, nonce, code, storage: new Map() })
    }
  }

  #lookUpAccount(address: Uint8Array): void {
    this.#accountNote(address)?.()
  }

  #slotNote(address: Uint8Array, slot: string): (() => void) | undefined {
    // Code that runs was called, so that its account is there.
    const storage = this.#before.get(dataToHex(address))?.storage
    if (storage === undefined || storage.has(slot)) return undefined
    const value = this.#valueAt(address, slot)
    return () => {
      this.#context.room.take(slotLength)
      storage.set(slot, value)
    }
  }

  #valueAt(address: Uint8Array, slot: string): string {
    return dataToHex(this.#state.readStorage(address, dataFromHex(slot, 32)))
  }

  onEnd(): void {
    if (this.#options.diffMode) this.#compare()
    this.#forgetNew()
  }

  /** Leaves in `before` what has become different, and puts into `after` what of it. */
  #compare(): void {
    const after: [string, Readonly<Record<string, unknown>>][] = []
    for (const [key, account] of this.#before) {
      // The account is gone; what it was is told, and nothing of afterwards.
      if (this.#deleted.has(key)) continue
      const change = this.#changeOf(key, account)
      if (change === undefined) this.#before.delete(key)
      else after.push([key, change])
    }
    this.#after = Object.fromEntries(after.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #changeOf(
    key: string,
    { balance, nonce, code, storage }: TracedAccount,
  ): Readonly<Record<string, unknown>> | undefined {
    const address = dataFromHex(key, 20)
    const entry = this.#state.accountOf(address)
    const codeNow = this.#state.codeOf(entry).bytes
    const storageNow = new Map<string, string>()
    let isModified = false
    for (const [slot, value] of storage) {
      const now = this.#valueAt(address, slot)
      if (value === zeroWord || value === now) storage.delete(slot)
      if (value === now) continue
      isModified = true
      if (now !== zeroWord) storageNow.set(slot, now)
    }
    const isCodeSame = Buffer.from(codeNow).equals(code)
    if (entry.balance !== balance || entry.nonce !== nonce || !isCodeSame) isModified = true
    if (!isModified) return undefined
    this.#context.room.take(accountLength + (isCodeSame ? 0 : 2 * codeNow.length))
    return {
      balance: entry.balance === balance ? undefined : quantityToHex(entry.balance),
      code: isCodeSame || codeNow.length === 0 ? undefined : dataToHex(codeNow),
      nonce: entry.nonce === nonce || entry.nonce === 0n ? undefined : Number(entry.nonce),
      storage: storageJson(storageNow),
    }
  }

  /** A contract that was not there has no state before. */
  #forgetNew(): void {
    for (const key of this.#created) {
      const account = this.#before.get(key)
      if (account === undefined || hasSomething(account)) continue
      // Without diffMode geth leaves out the transaction's own contract only.
      if (this.#options.diffMode || key === this.#ownContract) this.#before.delete(key)
    }
  }

  resultText(): string {
    const before: AccountsJson = {}
    for (const [key, account] of [...this.#before].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { balance, code, nonce, storage } = account
      before[key] = {
        balance: quantityToHex(balance),
        code: code.length === 0 ? undefined : dataToHex(code),
        nonce: nonce === 0n ? undefined : Number(nonce),
        storage: storageJson(storage),
      }
    }
    return JSON.stringify(this.#options.diffMode ? { post: this.#after, pre: before } : before)
  }
}

function hasSomething({ balance, nonce, code, storage }: TracedAccount): boolean {
  return balance > 0n || nonce > 0n || code.length > 0 || storage.size > 0
}

function storageJson(storage: ReadonlyMap<string, string>): unknown {
  if (storage.size === 0) return undefined
  return Object.fromEntries([...storage].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function addressOf(word: bigint): Uint8Array {
  return dataFromHex(`0x${(word & addressMask).toString(16).padStart(40, '0')}`, 20)
}

/** Memory that has not grown yet to what the opcode will use of it. */
function paddedMemory(memory: Uint8Array, offset: bigint, size: bigint): Uint8Array | undefined {
  if (offset + size > BigInt(memory.length + initCodePaddingMax)) return undefined
  const bytes = new Uint8Array(Number(size))
  bytes.set(memory.subarray(Number(offset), Number(offset + size)))
  return bytes
}
