/**
 * `flatCallTracer`: the calls of a transaction as a list, in the form that Parity had. Source: geth 1.13,
 * eth/tracers/native/call_flat.go.
 */
import { quantityToHex } from '@cairn/eth-codec'
import { CallTracer, isPrecompileCall, type TracedCall } from './call-tracer.ts'
import type { TraceContext } from './result-tracer.ts'

export interface FlatCallTracerOptions {
  readonly convertParityErrors: boolean
  readonly includePrecompiles: boolean
}

type Json = Readonly<Record<string, unknown>>

const parityErrors: Readonly<Record<string, string>> = {
  'contract creation code storage out of gas': 'Out of gas',
  'out of gas': 'Out of gas',
  'gas uint64 overflow': 'Out of gas',
  'max code size exceeded': 'Out of gas',
  'invalid jump destination': 'Bad jump destination',
  'execution reverted': 'Reverted',
  'return data out of bounds': 'Out of bounds',
  'stack limit reached 1024 (1023)': 'Out of stack',
  'precompiled failed': 'Built-in failed',
  'invalid input length': 'Built-in failed',
}

/** Characters that a list adds to a frame: block, transaction, its path. */
const entryLength = 250

export class FlatCallTracer extends CallTracer {
  readonly #flatOptions: FlatCallTracerOptions
  readonly #place: TraceContext

  constructor(options: FlatCallTracerOptions, context: TraceContext) {
    super({ onlyTopCall: false, withLog: false }, context)
    this.#flatOptions = options
    this.#place = context
  }

  override resultText(): string {
    const entries: Json[] = []
    this.#add(this.root, [], entries)
    return JSON.stringify(entries)
  }

  #add(frame: TracedCall, traceAddress: readonly number[], entries: Json[]): void {
    const { includePrecompiles, convertParityErrors } = this.#flatOptions
    const count = this.precompileCount
    const calls = includePrecompiles
      ? frame.calls
      : frame.calls.filter((call) => !isPrecompileCall(call, count))
    const { blockHash, blockNumber, transactionHash, transactionIndex, room } = this.#place
    room.take(entryLength + 8 * traceAddress.length)
    const { error } = frame
    const hasResult = error === undefined || error === 'execution reverted'
    const { action, result, type } = flatForm(frame)
    entries.push({
      action,
      blockHash: blockHash ?? null,
      blockNumber: Number(blockNumber ?? 0n),
      error: error === undefined || !convertParityErrors ? error : parityError(error),
      result: hasResult ? result : undefined,
      subtraces: calls.length,
      traceAddress,
      transactionHash: transactionHash ?? null,
      transactionPosition: transactionIndex ?? 0,
      type,
    })
    for (const [index, call] of calls.entries()) this.#add(call, [...traceAddress, index], entries)
  }
}

function flatForm(frame: TracedCall): {
  readonly action: Json
  readonly result: Json | undefined
  readonly type: string
} {
  const { from, to, input, type } = frame
  const gas = quantityToHex(frame.gas)
  const gasUsed = quantityToHex(frame.gasUsed)
  const value = quantityToHex(frame.value ?? 0n)
  const output = frame.output ?? '0x'
  switch (type) {
    case 'CREATE':
    case 'CREATE2':
      return {
        action: { from, gas, init: input, value },
        result: { address: to, code: output, gasUsed },
        type: 'create',
      }
    case 'SELFDESTRUCT':
      return {
        action: { address: from, balance: value, refundAddress: to },
        result: undefined,
        type: 'suicide',
      }
    default:
      return {
        action: { callType: type.toLowerCase(), from, gas, input, to, value },
        result: { gasUsed, output },
        type: 'call',
      }
  }
}

function parityError(error: string): string {
  if (error.startsWith('invalid opcode:')) return 'Bad instruction'
  if (error.startsWith('stack underflow')) return 'Stack underflow'
  return parityErrors[error] ?? error
}
