/**
 * The tracer that tells every step: geth's struct logger (eth/tracers/logger/logger.go, 1.13). Its text is written
 * while the transaction runs, since the same as objects would take many times the memory.
 */
import { toHex } from '@cairn/core'
import { dataFromHex, dataToHex } from '@cairn/eth-codec'
import type {
  ExecutionState,
  Fault,
  TraceCall,
  TraceResult,
  TraceStart,
  TraceStep,
} from '@cairn/eth-evm'
import { faultText, opcodeName } from '../fault-text.ts'
import type { ResultTracer, TraceContext } from './result-tracer.ts'
import { TextChunks } from './text-chunks.ts'

export interface StructLoggerOptions {
  readonly enableMemory: boolean
  readonly disableStack: boolean
  readonly disableStorage: boolean
  readonly enableReturnData: boolean
  /** Steps that are told; 0 for all. */
  readonly limit: number
}

const SLOAD = 0x54
const SSTORE = 0x55
/** What geth finds out before a step, and so tells with it; other faults come while it runs. */
const faultsOfStep: ReadonlySet<Fault> = new Set([
  'OUT_OF_GAS',
  'INIT_CODE_TOO_LARGE',
  'STACK_UNDERFLOW',
  'STACK_OVERFLOW',
])

/** A step that has begun, as the parts of its text. */
interface OpenStep {
  readonly opcode: number
  readonly stackSize: number
  readonly head: string
  readonly depth: number
  readonly tail: string
}

export class StructLogger implements ResultTracer {
  readonly #options: StructLoggerOptions
  readonly #context: TraceContext
  readonly #steps = new TextChunks()
  #stepCount = 0
  /** By contract: slots that were read or written so far, in hex without 0x. */
  readonly #storage = new Map<string, Map<string, string>>()
  #state: ExecutionState | undefined
  #step: OpenStep | undefined
  #callDepth = 0
  #outcome: TraceResult | undefined
  #gasUsed = 0n

  constructor(options: StructLoggerOptions, context: TraceContext) {
    this.#options = options
    this.#context = context
  }

  onStart({ state }: TraceStart): void {
    this.#state = state
  }

  onEnter(_: TraceCall): void {
    this.#callDepth++
  }

  onExit(result: TraceResult): void {
    this.#callDepth--
    if (this.#callDepth === 0) this.#outcome = result
  }

  onEnd(gasUsed: bigint): void {
    this.#gasUsed = gasUsed
  }

  onStep(step: TraceStep): void {
    const { limit, enableMemory, disableStack, enableReturnData } = this.#options
    this.#step = undefined
    if (limit !== 0 && this.#stepCount >= limit) return
    const { opcode, programCounter, gas, depth, stackView, memoryView, returnDataView } = step
    let tail = ''
    if (!disableStack) {
      tail += `,"stack":[${stackView.map((word) => `"0x${word.toString(16)}"`).join(',')}]`
    }
    if (enableReturnData && returnDataView.length > 0) {
      tail += `,"returnData":"${dataToHex(returnDataView)}"`
    }
    if (enableMemory) {
      this.#context.room.check(2 * memoryView.length)
      tail += `,"memory":[${memoryWords(memoryView)}]`
    }
    tail += this.#storageText(step)
    this.#step = {
      opcode,
      stackSize: stackView.length,
      head: `{"pc":${programCounter},"op":"${opcodeName(opcode)}","gas":${gas},"gasCost":`,
      depth: depth + 1,
      tail,
    }
  }

  onStepEnd(gasCost: bigint): void {
    this.#endStep(gasCost, undefined)
  }

  onStepFault(gasCost: bigint, fault: Fault): void {
    this.#endStep(gasCost, faultsOfStep.has(fault) ? fault : undefined)
  }

  #endStep(gasCost: bigint, fault: Fault | undefined): void {
    const step = this.#step
    this.#step = undefined
    if (step === undefined) return
    const { head, depth, tail } = step
    const error = fault === undefined ? '' : `,"error":"${faultText(fault, step)}"`
    // SSTORE's refund is counted before geth tells the step, so that it is in it.
    const refund = this.#state?.refund ?? 0
    const refundText = refund === 0 ? '' : `,"refund":${refund}`
    const text = `${head}${gasCost},"depth":${depth}${error}${tail}${refundText}}`
    this.#context.room.take(text.length)
    this.#steps.append(this.#stepCount++ === 0 ? text : `,${text}`)
  }

  /** What is known of the contract's storage, at the steps that read or write it. */
  #storageText({ opcode, address, stackView }: TraceStep): string {
    if (this.#options.disableStorage) return ''
    const slot = stackView.at(-1)
    const isRead = opcode === SLOAD && slot !== undefined
    const isWrite = opcode === SSTORE && stackView.length >= 2
    if (!isRead && !isWrite) return ''
    const key = toHex(address)
    const slots = this.#storage.get(key) ?? new Map<string, string>()
    this.#storage.set(key, slots)
    const slotText = wordText(slot ?? 0n)
    slots.set(
      slotText,
      isWrite ? wordText(stackView.at(-2) ?? 0n) : this.#valueOf(address, slotText),
    )
    const entries = [...slots].sort(([a], [b]) => (a < b ? -1 : 1))
    return `,"storage":{${entries.map(([at, value]) => `"${at}":"${value}"`).join(',')}}`
  }

  #valueOf(address: Uint8Array, slotText: string): string {
    const value = this.#state?.readStorage(address, dataFromHex(`0x${slotText}`, 32))
    return toHex(value ?? new Uint8Array(32))
  }

  resultText(): string {
    const failed = this.#outcome === undefined || this.#outcome.error !== undefined
    const hasOutput = !failed || this.#outcome?.error === 'REVERT'
    const output = hasOutput ? toHex(this.#outcome?.output ?? new Uint8Array(0)) : ''
    const head = `{"gas":${this.#gasUsed},"failed":${failed},"returnValue":"${output}"`
    return `${head},"structLogs":[${this.#steps}]}`
  }
}

function wordText(word: bigint): string {
  return word.toString(16).padStart(64, '0')
}

function memoryWords(memory: Uint8Array): string {
  const text = toHex(memory)
  const words: string[] = []
  for (let i = 0; i < text.length; i += 64) words.push(`"${text.slice(i, i + 64)}"`)
  return words.join(',')
}
