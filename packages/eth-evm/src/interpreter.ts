/**
 * What an interpreter of bytecode is to the machine above it (machine.ts): it runs the top frame until that ends or
 * asks for a call or a contract, and leaves both to the machine. Two implementations give the same answers:
 * typescript-interpreter.ts and wasm-interpreter.ts.
 */
import type { Code } from './code.ts'
import type { AccountEntry, Checkpoint } from './execution-state.ts'
import type { Host } from './host.ts'

/** Why `run` came back. Numbers, since the WebAssembly module gives them; faults from 16 on. */
export const exits = {
  stop: 0,
  return: 1,
  revert: 2,
  call: 3,
  create: 4,
  selfDestruct: 5,
  outOfGas: 16,
  stackUnderflow: 17,
  stackOverflow: 18,
  invalidJump: 19,
  invalidOpcode: 20,
  staticWrite: 21,
  returnDataOutOfBounds: 22,
  initCodeTooLarge: 23,
  aborted: 24,
} as const

/** Where code was that an opcode or the depth of the stack ended. */
export interface FaultPlace {
  readonly opcode: number
  /** Words on the stack before the step. */
  readonly stackSize: number
}

/** An exceptional halt, which takes all gas of its frame. */
export type Fault =
  | 'OUT_OF_GAS'
  | 'STACK_UNDERFLOW'
  | 'STACK_OVERFLOW'
  | 'INVALID_JUMP'
  | 'INVALID_OPCODE'
  | 'STATIC_WRITE'
  | 'RETURN_DATA_OUT_OF_BOUNDS'
  | 'INIT_CODE_TOO_LARGE'
  | 'CODE_TOO_LARGE'
  | 'CODE_BEGINS_WITH_EF'
  | 'CODE_DEPOSIT_OUT_OF_GAS'
  | 'ADDRESS_COLLISION'
  | 'PRECOMPILE_FAILED'
  | 'DEPTH'
  | 'INSUFFICIENT_BALANCE'
  | 'NONCE_OVERFLOW'

const faultsByExit: Readonly<Record<number, Fault>> = {
  [exits.outOfGas]: 'OUT_OF_GAS',
  [exits.stackUnderflow]: 'STACK_UNDERFLOW',
  [exits.stackOverflow]: 'STACK_OVERFLOW',
  [exits.invalidJump]: 'INVALID_JUMP',
  [exits.invalidOpcode]: 'INVALID_OPCODE',
  [exits.staticWrite]: 'STATIC_WRITE',
  [exits.returnDataOutOfBounds]: 'RETURN_DATA_OUT_OF_BOUNDS',
  [exits.initCodeTooLarge]: 'INIT_CODE_TOO_LARGE',
}

export function faultOfExit(exit: number): Fault | undefined {
  return faultsByExit[exit]
}

/**
 * Largest memory of a frame. Gas holds it far below: a gas limit of 30 million buys some 4 MiB, and it takes more than
 * two million million to fill this one. A frame that asks for more is out of gas.
 */
export const memoryBytesMax: number = 1024 * 1024 * 1024

/** Steps between two looks at the flag that stops execution. Source: ethereum-node spec 11. */
export const abortCheckSteps = 4096

/** One execution of code: who runs, for whom, with what. */
export interface Frame {
  readonly depth: number
  /** Whose storage and balance it works on. */
  readonly account: AccountEntry
  readonly caller: AccountEntry
  readonly value: bigint
  readonly code: Code
  readonly isStatic: boolean
  readonly isCreate: boolean
  /** Where the state goes back to when it fails. */
  readonly mark: Checkpoint
  /** At its beginning. */
  readonly gas: bigint
}

/** What a frame wants when `run` gave `exits.call` or `exits.create`; the gas is already taken from it. */
export interface CallRequest {
  /** CREATE, CALL, CALLCODE, DELEGATECALL, CREATE2 or STATICCALL. */
  opcode: number
  gas: bigint
  /** Of calls only. Loaded. */
  target: AccountEntry | undefined
  value: bigint
  /** Of CREATE2 only: 32 bytes. */
  salt: Uint8Array | undefined
}

export interface Interpreter {
  /** Before each transaction: nothing of the one before is left. */
  begin(host: Host): void
  /** Puts a frame on top. Its input is `input`, or what the frame below asked to pass on. */
  enter(frame: Frame, input: Uint8Array | undefined): void
  /** Runs the top frame. @returns one of `exits`. */
  run(): number
  readonly request: CallRequest
  /** Input of the call, or the code of the contract, that the top frame asks for. Valid until the next `run`. */
  inputView(): Uint8Array
  /** Of the top frame after it ended. */
  gasLeft(): bigint
  /** Of the top frame after a fault; meaningful for those of the opcode and of the stack. */
  faultPlace(): FaultPlace
  /** What the top frame returned or reverted with; empty after a fault. Valid until the next call of anything here. */
  outputView(): Uint8Array
  /**
   * Takes the top frame off and tells the one below: 1 or 0, gas that comes back. The output becomes its return data
   * and goes to the place in memory that it named.
   */
  leaveCall(isSuccess: boolean, gas: bigint): void
  /** The same after a creation, which puts an address or 0; the output is return data only when it reverted. */
  leaveCreate(created: AccountEntry | undefined, gas: bigint, isReverted: boolean): void
  /** Answers a request that needed no frame. `output` is empty when a contract could not be made. */
  answer(isSuccess: boolean, gas: bigint, output: Uint8Array): void
  /** Takes the last frame off. */
  leaveTop(): void
  /** The built-in contract of EIP-152 on an input of its form, where the interpreter is faster than JavaScript. */
  compressBlake2?(input: Uint8Array): Uint8Array
}
