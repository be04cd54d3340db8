/**
 * What a tracer may listen to. Calls, contracts, logs and self-destruction come from the machine; steps from the
 * TypeScript interpreter, which is taken whenever a tracer wants them. What a listener throws ends the transaction.
 */
import type { Log } from '@cairn/eth-codec'
import type { ExecutionState } from './execution-state.ts'
import type { ForkRules } from './forks.ts'
import type { BlockContext } from './host.ts'
import type { Fault, FaultPlace } from './interpreter.ts'

export interface TraceStart {
  /** For looking only: that leaves nothing which a transaction could see. Nothing has been paid yet. */
  readonly state: ExecutionState
  readonly rules: ForkRules
  readonly block: BlockContext
  /** 20 bytes. */
  readonly from: Uint8Array
  /** Undefined makes a contract. */
  readonly to: Uint8Array | undefined
  /** Of the whole transaction. */
  readonly gasLimit: bigint
}

/** A call that begins. One that is refused before (too deep, too poor, address taken) is not told of. */
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
  /** Where the code was that failed. */
  readonly faultPlace: FaultPlace | undefined
}

export interface TraceStep {
  readonly depth: number
  readonly address: Uint8Array
  readonly programCounter: number
  readonly opcode: number
  /** Before the step. */
  readonly gas: bigint
  /** Bottom first, valid during the call of the listener. */
  readonly stackView: readonly bigint[]
  readonly memoryView: Uint8Array
  readonly returnDataView: Uint8Array
}

export interface Tracer {
  /** Before anything is paid. */
  onStart?(start: TraceStart): void
  /** After fees were paid, before what self-destructed is removed. @param gasUsed With the refund taken off. */
  onEnd?(gasUsed: bigint): void
  onEnter?(call: TraceCall): void
  onExit?(result: TraceResult): void
  onSelfDestruct?(account: Uint8Array, heir: Uint8Array, balance: bigint): void
  onLog?(log: Log): void
  /** Before each step. */
  onStep?(step: TraceStep): void
  /** After it: what it cost, gas given to a call included, gas given to init code not. */
  onStepEnd?(gasCost: bigint): void
  /**
   * In place of `onStepEnd` for the step that ends its frame by a fault.
   * @param gasCost As far as it was worked out.
   */
  onStepFault?(gasCost: bigint, fault: Fault): void
}
