/** Errors of execution: transactions that the state does not allow, and runs that were stopped. */
import { BaseError } from '@cairn/core'

export type ExecutionErrorType =
  | { readonly code: 'NONCE_TOO_LOW'; readonly nonce: bigint; readonly nonceExpected: bigint }
  | { readonly code: 'NONCE_TOO_HIGH'; readonly nonce: bigint; readonly nonceExpected: bigint }
  /** EIP-3607. */
  | { readonly code: 'SENDER_NOT_EOA' }
  | { readonly code: 'FEE_CAP_TOO_LOW'; readonly feeCap: bigint; readonly baseFee: bigint }
  | { readonly code: 'INSUFFICIENT_FUNDS'; readonly balance: bigint; readonly cost: bigint }
  | { readonly code: 'GAS_LIMIT_REACHED'; readonly gas: bigint; readonly gasMax: bigint }
  /** Larger than a 64-bit signed integer, which no block's gas limit may be either. */
  | { readonly code: 'GAS_TOO_LARGE'; readonly gas: bigint }
  | { readonly code: 'ABORTED' }
  /** The WebAssembly module was not built, or does not load. */
  | { readonly code: 'INTERPRETER_MISSING' }

/** Thrown before anything of the state is changed. Short messages are geth's, since tools look for them. */
export class ExecutionError extends BaseError<ExecutionErrorType> {
  override readonly name = 'ExecutionError'
}
