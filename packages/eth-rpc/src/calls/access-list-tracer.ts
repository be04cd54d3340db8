/**
 * Notes which accounts and slots a message touches, as an access list would name them (geth, eth/tracers/logger). What
 * is warm anyway is left out: the sender, the target or the new contract, and precompiles; their slots are not.
 */
import { type AccessListEntry, dataFromHex, dataToHex } from '@cairn/eth-codec'
import type { TraceCall, Tracer, TraceStep } from '@cairn/eth-evm'
import type { TransactionArguments } from '../call-arguments.ts'

const SLOAD = 0x54
const SSTORE = 0x55
/** Opcodes with an address on top of the stack. */
const addressOnTop: ReadonlySet<number> = new Set([0x31, 0x3b, 0x3c, 0x3f, 0xff])
/** Opcodes with an address below the gas. */
const addressSecond: ReadonlySet<number> = new Set([0xf1, 0xf2, 0xf4, 0xfa])
const precompileLast = 9n
const addressMask = (1n << 160n) - 1n

export class AccessListTracer implements Tracer {
  /** By address in hex: slots in hex. */
  readonly #touched = new Map<string, Set<string>>()
  readonly #excluded = new Set<string>()

  constructor(given: TransactionArguments, accessList: readonly AccessListEntry[]) {
    this.#excluded.add(dataToHex(given.from ?? new Uint8Array(20)))
    if (given.to !== undefined) this.#excluded.add(dataToHex(given.to))
    for (const { address, storageKeys } of accessList) {
      const slots = this.#slotsOf(dataToHex(address))
      for (const key of storageKeys) slots.add(dataToHex(key))
    }
  }

  onEnter({ depth, to, opcode }: TraceCall): void {
    const isCreation = opcode === 'CREATE' || opcode === 'CREATE2'
    if (depth === 0 && isCreation) this.#excluded.add(dataToHex(to))
  }

  onStep({ opcode, stackView, address }: TraceStep): void {
    const top = stackView.at(-1)
    if (top === undefined) return
    if (opcode === SLOAD || opcode === SSTORE) {
      this.#slotsOf(dataToHex(address)).add(`0x${top.toString(16).padStart(64, '0')}`)
    } else if (addressOnTop.has(opcode)) {
      this.#touch(top)
    } else if (addressSecond.has(opcode)) {
      const second = stackView.at(-2)
      if (second !== undefined) this.#touch(second)
    }
  }

  #touch(word: bigint): void {
    const address = word & addressMask
    if (address >= 1n && address <= precompileLast) return
    this.#slotsOf(`0x${address.toString(16).padStart(40, '0')}`)
  }

  #slotsOf(address: string): Set<string> {
    const slots = this.#touched.get(address) ?? new Set<string>()
    this.#touched.set(address, slots)
    return slots
  }

  accessList(): AccessListEntry[] {
    const entries: AccessListEntry[] = []
    for (const [address, slots] of this.#touched) {
      if (this.#excluded.has(address) && slots.size === 0) continue
      entries.push({
        address: dataFromHex(address, 20),
        storageKeys: [...slots].map((slot) => dataFromHex(slot, 32)),
      })
    }
    return entries
  }

  isSameAs(accessList: readonly AccessListEntry[]): boolean {
    const count = (entries: readonly AccessListEntry[]) =>
      entries.reduce((sum, { storageKeys }) => sum + storageKeys.length, entries.length)
    // Entries are only ever added.
    return count(this.accessList()) === count(accessList)
  }
}
