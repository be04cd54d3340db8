/** What may go wrong with execution itself, beside what it executes. */
import { BaseError } from '@cairn/core'

export type ExecutionErrorType =
  /** Its thread has ended, and nothing is executed any more. */
  | { readonly code: 'EXECUTION_FAILED' }
  /** Its thread has ended, and another one is being started. */
  | { readonly code: 'EXECUTION_RESTARTING' }
  /** Too much is waiting for it already. */
  | { readonly code: 'EXECUTION_BUSY' }
  /** The node closes before it was done. */
  | { readonly code: 'EXECUTION_CLOSING' }

export class ExecutionThreadError extends BaseError<ExecutionErrorType> {
  override readonly name = 'ExecutionThreadError'
}

export function executionFailed(shortMessage: string, cause?: unknown): ExecutionThreadError {
  return new ExecutionThreadError(
    { code: 'EXECUTION_FAILED' },
    { shortMessage, metaMessages: ['Restart the node; its log says what happened.'], cause },
  )
}

export function executionRestarting(cause: unknown): ExecutionThreadError {
  return new ExecutionThreadError(
    { code: 'EXECUTION_RESTARTING' },
    {
      shortMessage: 'The execution of the node has ended and is started again.',
      metaMessages: ['Try again in a moment; the log of the node says what happened.'],
      cause,
    },
  )
}

export function executionBusy(): ExecutionThreadError {
  return new ExecutionThreadError(
    { code: 'EXECUTION_BUSY' },
    { shortMessage: 'Too much is waiting to be executed.', metaMessages: ['Try again later.'] },
  )
}

export function executionClosing(): ExecutionThreadError {
  return new ExecutionThreadError(
    { code: 'EXECUTION_CLOSING' },
    {
      shortMessage: 'The node is closing.',
      metaMessages: ['Blocks that were imported stay; import the file again for the rest.'],
    },
  )
}
