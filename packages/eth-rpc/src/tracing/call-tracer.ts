/**
 * `callTracer`: the calls of a transaction as a tree. Fields, their order and what is left out are geth's
 * (eth/tracers/native/call.go, 1.13). It needs no steps, so the fast interpreter runs.
 */
import { dataToHex, type Log, quantityToHex } from '@cairn/eth-codec'
import type { TraceCall, TraceResult, TraceStart } from '@cairn/eth-evm'
import { faultText, precompileFaultText } from '../fault-text.ts'
import { revertReason } from '../revert-reason.ts'
import { isPrecompileAddress, type ResultTracer, type TraceContext } from './result-tracer.ts'

export interface CallTracerOptions {
  readonly onlyTopCall: boolean
  readonly withLog: boolean
}

export interface TracedLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  /** How many calls of the frame came before it. */
  readonly position: string
}

/** A call while and after it runs. Bytes are hex. */
export interface TracedCall {
  readonly type: TraceCall['opcode'] | 'SELFDESTRUCT'
  readonly from: string
  /** Undefined for a contract that did not come to be. */
  to: string | undefined
  readonly target: Uint8Array
  readonly value: bigint | undefined
  readonly gas: bigint
  gasUsed: bigint
  readonly input: string
  /** Kept until the call is over, for the texts of built-in contracts. */
  inputBytes: Uint8Array | undefined
  output: string | undefined
  error: string | undefined
  revertReason: string | undefined
  readonly calls: TracedCall[]
  logs: TracedLog[]
}

const noBytes = new Uint8Array(0)
/** Characters of a frame besides its bytes, of names, numbers and addresses. */
const frameLength = 300
const logLength = 150

export class CallTracer implements ResultTracer {
  readonly #options: CallTracerOptions
  readonly #context: TraceContext
  /** Those that are open, the outermost first. */
  readonly #open: TracedCall[] = []
  #start: TraceStart | undefined
  #root: TracedCall | undefined
  /** Of calls that are left out. */
  #skippedDepth = 0

  constructor(options: CallTracerOptions, context: TraceContext) {
    this.#options = options
    this.#context = context
  }

  onStart(start: TraceStart): void {
    this.#start = start
  }

  onEnter(call: TraceCall): void {
    const isTop = this.#open.length === 0
    if (this.#options.onlyTopCall && !isTop) {
      this.#skippedDepth++
      return
    }
    const { opcode, from, to, value, input } = call
    this.#context.room.take(frameLength + 2 * input.length)
    const frame: TracedCall = {
      type: opcode,
      from: dataToHex(from),
      to: dataToHex(to),
      target: to,
      value: opcode === 'STATICCALL' ? undefined : value,
      // What the transaction had, not what was left of it when its call began.
      gas: isTop ? (this.#start?.gasLimit ?? call.gas) : call.gas,
      gasUsed: 0n,
      input: dataToHex(input),
      inputBytes: input,
      ...{ output: undefined, error: undefined, revertReason: undefined, calls: [], logs: [] },
    }
    this.#open.at(-1)?.calls.push(frame)
    this.#root ??= frame
    this.#open.push(frame)
  }

  onExit(result: TraceResult): void {
    if (this.#skippedDepth > 0) {
      this.#skippedDepth--
      return
    }
    const frame = this.#open.pop()
    if (frame === undefined) return
    const { gasUsed, output, error } = result
    frame.gasUsed = gasUsed
    if (error !== undefined) this.#fail(frame, result)
    if (output.length > 0 && (error === undefined || error === 'REVERT')) {
      this.#context.room.take(2 * output.length)
      frame.output = dataToHex(output)
    }
    frame.inputBytes = undefined
  }

  #fail(frame: TracedCall, { error, output, faultPlace }: TraceResult): void {
    if (error === 'REVERT') {
      frame.error = 'execution reverted'
      frame.revertReason = revertReason(output)
    } else if (error === 'PRECOMPILE_FAILED') {
      frame.error = precompileFaultText(frame.target.at(-1) ?? 0, frame.inputBytes ?? noBytes)
    } else {
      frame.error = faultText(error, faultPlace)
    }
    if (frame.type === 'CREATE' || frame.type === 'CREATE2') frame.to = undefined
  }

  onSelfDestruct(account: Uint8Array, heir: Uint8Array, balance: bigint): void {
    const frame = this.#open.at(-1)
    if (frame === undefined || this.#options.onlyTopCall) return
    this.#context.room.take(frameLength)
    frame.calls.push({
      type: 'SELFDESTRUCT',
      from: dataToHex(account),
      to: dataToHex(heir),
      target: heir,
      value: balance,
      gas: 0n,
      gasUsed: 0n,
      input: '0x',
      inputBytes: undefined,
      ...{ output: undefined, error: undefined, revertReason: undefined, calls: [], logs: [] },
    })
  }

  onLog({ address, topics, data }: Log): void {
    const frame = this.#open.at(-1)
    if (!this.#options.withLog || this.#skippedDepth > 0 || frame === undefined) return
    this.#context.room.take(logLength + 70 * topics.length + 2 * data.length)
    frame.logs.push({
      address: dataToHex(address),
      topics: topics.map((topic) => dataToHex(topic)),
      data: dataToHex(data),
      position: quantityToHex(frame.calls.length),
    })
  }

  onEnd(gasUsed: bigint): void {
    const root = this.root
    root.gasUsed = gasUsed
    if (this.#options.withLog) forgetFailedLogs(root, false)
  }

  /** Which built-in contracts there were. */
  get precompileCount(): number {
    return this.#start?.rules.precompileCount ?? 0
  }

  get root(): TracedCall {
    this.#root ??= refusedCall(this.#start)
    return this.#root
  }

  resultText(): string {
    return JSON.stringify(frameToJson(this.root))
  }
}

/** A transaction whose contract could not be begun, since the address is taken, enters no call. */
function refusedCall(start: TraceStart | undefined): TracedCall {
  return {
    type: 'CREATE',
    from: dataToHex(start?.from ?? new Uint8Array(20)),
    to: undefined,
    target: new Uint8Array(20),
    value: 0n,
    gas: start?.gasLimit ?? 0n,
    gasUsed: 0n,
    input: '0x',
    inputBytes: undefined,
    output: undefined,
    error: faultText('ADDRESS_COLLISION'),
    ...{ revertReason: undefined, calls: [], logs: [] },
  }
}

/** What a call that failed has logged did not happen, nor what the calls below it have. */
function forgetFailedLogs(frame: TracedCall, isParentFailed: boolean): void {
  const isFailed = isParentFailed || frame.error !== undefined
  if (isFailed) frame.logs = []
  for (const call of frame.calls) forgetFailedLogs(call, isFailed)
}

/** In geth's order. JSON leaves out what is undefined. */
function frameToJson(frame: TracedCall): Readonly<Record<string, unknown>> {
  const { calls, logs, value } = frame
  return {
    from: frame.from,
    gas: quantityToHex(frame.gas),
    gasUsed: quantityToHex(frame.gasUsed),
    to: frame.to,
    input: frame.input,
    output: frame.output,
    error: frame.error,
    revertReason: frame.revertReason === '' ? undefined : frame.revertReason,
    calls: calls.length === 0 ? undefined : calls.map(frameToJson),
    logs: logs.length === 0 ? undefined : logs,
    value: value === undefined ? undefined : quantityToHex(value),
    type: frame.type,
  }
}

/** Whether a call went to a built-in contract, as other tracers leave out. */
export function isPrecompileCall(frame: TracedCall, precompileCount: number): boolean {
  const isCall = frame.type === 'CALL' || frame.type === 'STATICCALL'
  return isCall && isPrecompileAddress(frame.target, precompileCount)
}
