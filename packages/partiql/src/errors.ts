/** What PartiQL text and its evaluation may do wrong. Positions stand first in the message: `line 1, column 17: …`. */
import { BaseError } from '@cairn/core'
import type { Position } from './ast.ts'

export type PartiqlErrorType =
  /** The text is no statement. */
  | { readonly code: 'SYNTAX'; readonly position: Position }
  /** The statement is one, and cannot mean anything here: unknown table, wrong arity, unknown function. */
  | { readonly code: 'SEMANTIC'; readonly position: Position }
  /** A value at run time is not what the operation needs. */
  | { readonly code: 'EVALUATION'; readonly position: Position }
  /** A bound that protects the server was reached: nesting, length, rows held in memory. */
  | { readonly code: 'LIMIT'; readonly position: Position }
  /** The number of parameters differs from the number of `?`. */
  | { readonly code: 'PARAMETER_COUNT'; readonly expected: number; readonly given: number }

export class PartiqlError extends BaseError<PartiqlErrorType> {
  override readonly name = 'PartiqlError'
}

/** An error at a position, its message as users see it. */
export function partiqlError(
  code: 'SYNTAX' | 'SEMANTIC' | 'EVALUATION' | 'LIMIT',
  position: Position,
  message: string,
  metaMessages: readonly string[] = [],
): PartiqlError {
  return new PartiqlError(
    { code, position },
    { shortMessage: `line ${position.line}, column ${position.column}: ${message}`, metaMessages },
  )
}
