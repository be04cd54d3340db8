/**
 * What a tracer may listen to. Calls, contracts and self-destruction come from the machine; steps from the TypeScript
 * interpreter, which is taken whenever a tracer wants them.
 */
import type { Fault } from './interpreter.ts'

export interface TraceCall {
  readonly opcode: 'CALL' | 'CALLCODE' | 'DELEGATECALL' | 'STATICCALL' | 'CREATE' | 'CREATE2'
  readonly depth: number
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly value: bigint
  readonly gas: bigint
  /** Copied: the tracer may keep it. Init code for contracts. */
  readonly input: Uint8Array
}

export interface TraceResult {
  readonly gasUsed: bigint
  readonly output: Uint8Array
  /** Undefined when it succeeded. */
  readonly error: 'REVERT' | Fault | undefined
}

export interface TraceStep {
  readonly depth: number
  readonly address: Uint8Array
  readonly programCounter: number
  readonly opcode: number
  /** Before the step. */
  readonly gas: bigint
  readonly refund: number
  /** Bottom first, valid during the call of the listener. */
  readonly stackView: readonly bigint[]
  readonly memoryView: Uint8Array
  readonly returnDataView: Uint8Array
}

export interface Tracer {
  onEnter?(call: TraceCall): void
  onExit?(result: TraceResult): void
  onSelfDestruct?(account: Uint8Array, heir: Uint8Array, balance: bigint): void
  /** Before each step. */
  onStep?(step: TraceStep): void
  /** After it: what it cost, gas given to a call included. A step that fails has none. */
  onStepEnd?(gasCost: bigint): void
}
