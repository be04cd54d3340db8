/**
 * `4byteTracer`: which functions were called, by selector and size of their arguments, and how often. Source: geth
 * 1.13, eth/tracers/native/4byte.go.
 */
import { dataToHex } from '@cairn/eth-codec'
import type { TraceCall, TraceStart } from '@cairn/eth-evm'
import { isPrecompileAddress, type ResultTracer, type TraceContext } from './result-tracer.ts'

const selectorSize = 4
/** Characters of an entry. */
const entryLength = 40

export class FourByteTracer implements ResultTracer {
  readonly #context: TraceContext
  readonly #counts = new Map<string, number>()
  #precompileCount = 0

  constructor(context: TraceContext) {
    this.#context = context
  }

  onStart({ rules }: TraceStart): void {
    this.#precompileCount = rules.precompileCount
  }

  onEnter({ opcode, depth, to, input }: TraceCall): void {
    if (input.length < selectorSize) return
    const isCreation = opcode === 'CREATE' || opcode === 'CREATE2'
    // The outermost counts whatever it is: so it does with geth.
    if (depth > 0 && (isCreation || isPrecompileAddress(to, this.#precompileCount))) return
    const selector = dataToHex(input.subarray(0, selectorSize))
    const key = `${selector}-${input.length - selectorSize}`
    const count = this.#counts.get(key)
    if (count === undefined) this.#context.room.take(entryLength)
    this.#counts.set(key, (count ?? 0) + 1)
  }

  resultText(): string {
    const entries = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))
    return JSON.stringify(Object.fromEntries(entries))
  }
}
