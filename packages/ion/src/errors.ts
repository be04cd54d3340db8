/** What Ion data may do wrong, as one closed family. Messages never hold the data itself. */
import { BaseError } from '@cairn/core'

export type IonErrorType =
  /** Bytes that are no Ion 1.0 binary stream. `offset` counts from the start of the stream. */
  | { readonly code: 'BINARY_INVALID'; readonly offset: number }
  /** Text that is no Ion 1.0. Line and column start at 1; the column counts UTF-16 units. */
  | { readonly code: 'TEXT_INVALID'; readonly line: number; readonly column: number }
  /** Valid Ion beyond a bound of `limits.ts`. */
  | { readonly code: 'LIMIT'; readonly limit: string; readonly value: number; readonly max: number }
  /** A symbol id above the greatest that the symbol table in force defines. */
  | { readonly code: 'SYMBOL_ID_UNKNOWN'; readonly symbolId: number }
  /** A symbol table that cannot be used: fields twice, a wrong `max_id`, an import that is not at hand. */
  | { readonly code: 'SYMBOL_TABLE_INVALID'; readonly reason: string }
  /** A symbol of a shared table that is not at hand, where its text is needed. */
  | {
      readonly code: 'SYMBOL_TEXT_UNKNOWN'
      readonly importName: string
      readonly importSid: number
    }
  /** A stream with no value or with several where exactly one is due. */
  | { readonly code: 'VALUE_COUNT'; readonly count: number }
  /** A value in memory that has no Ion form, such as text with half a surrogate pair. */
  | { readonly code: 'VALUE_INVALID'; readonly reason: string }

export class IonError extends BaseError<IonErrorType> {
  override readonly name = 'IonError'
}

/** For readers of binary Ion: what is wrong at `offset`. */
export function binaryError(offset: number, shortMessage: string, cause?: unknown): IonError {
  return new IonError(
    { code: 'BINARY_INVALID', offset },
    { shortMessage, metaMessages: [`Offset: ${offset}`], cause },
  )
}

export function limitError(limit: string, value: number, max: number, what: string): IonError {
  return new IonError(
    { code: 'LIMIT', limit, value, max },
    { shortMessage: what, metaMessages: [`${limit}: ${max}, here ${value}`] },
  )
}

export function symbolIdError(symbolId: number): IonError {
  return new IonError(
    { code: 'SYMBOL_ID_UNKNOWN', symbolId },
    { shortMessage: `The symbol table in force defines no symbol $${symbolId}.` },
  )
}

export function symbolTableError(reason: string): IonError {
  return new IonError(
    { code: 'SYMBOL_TABLE_INVALID', reason },
    { shortMessage: `The symbol table cannot be used: ${reason}.` },
  )
}

export function valueError(reason: string): IonError {
  return new IonError(
    { code: 'VALUE_INVALID', reason },
    { shortMessage: `The value has no Ion form: ${reason}.` },
  )
}

export function valueCountError(count: number): IonError {
  return new IonError(
    { code: 'VALUE_COUNT', count },
    {
      shortMessage: `The Ion stream holds ${count === 0 ? 'no value' : 'several values'}.`,
      metaMessages: ['Exactly one is due here.'],
    },
  )
}
