/** `@cairn/eth-evm`: execution of Ethereum transactions by the rules of Frontier to Cancun. Needs Node.js. */

export { ExecutionError, type ExecutionErrorType } from './errors.ts'
export { Evm, type EvmOptions, type InterpreterName } from './evm.ts'
export {
  applyOverrides,
  type CallInput,
  type ExecutionContext,
  executeCall,
  executeTransaction,
  type StateOverride,
  type TransactionInput,
  type TransactionResult,
} from './execute-transaction.ts'
export { AccountEntry, type Checkpoint, ExecutionState } from './execution-state.ts'
export { type ForkRules, forks, type StorageRule } from './forks.ts'
export type { BlockContext } from './host.ts'
export type { Fault, FaultPlace } from './interpreter.ts'
export { callDepthMax, create2Address, createAddress } from './machine.ts'
export { type Opcode, opcodes } from './opcodes.ts'
export type { TraceCall, TraceResult, Tracer, TraceStart, TraceStep } from './tracer.ts'
