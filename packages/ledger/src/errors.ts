/** What may go wrong with a ledger, its transactions and its files. Wire faults are made from these codes. */
import { BaseError } from '@cairn/core'

export type LedgerErrorType =
  // ---- ledgers ----
  | { readonly code: 'LEDGER_NOT_FOUND'; readonly ledgerName: string }
  | { readonly code: 'LEDGER_EXISTS'; readonly ledgerName: string }
  | { readonly code: 'LEDGER_NAME_INVALID'; readonly ledgerName: string }
  | { readonly code: 'LEDGER_PROTECTED'; readonly ledgerName: string }
  | { readonly code: 'TAGS_INVALID'; readonly ledgerName: string }
  // ---- transactions ----
  | { readonly code: 'OCC_CONFLICT'; readonly transactionId: string; readonly conflict: string }
  | {
      readonly code: 'TRANSACTION_EXPIRED'
      readonly transactionId: string
      readonly ageMs: number
      readonly ageMsMax: number
    }
  /** Committed, aborted, or never known. */
  | { readonly code: 'TRANSACTION_CLOSED'; readonly transactionId: string }
  | { readonly code: 'COMMIT_DIGEST_MISMATCH'; readonly transactionId: string }
  // ---- statements ----
  | { readonly code: 'PARAMETER_INVALID'; readonly index: number }
  | { readonly code: 'TABLE_NOT_FOUND'; readonly table: string }
  | { readonly code: 'TABLE_EXISTS'; readonly table: string }
  | { readonly code: 'TABLE_NAME_INVALID'; readonly table: string }
  | { readonly code: 'INDEX_NOT_FOUND'; readonly index: string }
  | { readonly code: 'INDEX_EXISTS'; readonly table: string; readonly field: string }
  | { readonly code: 'DOCUMENT_INVALID'; readonly table: string }
  | {
      readonly code: 'LIMIT_EXCEEDED'
      /** The name of the limit, such as `documentBytesMax`. */
      readonly limit: string
      readonly value: number
      readonly valueMax: number
    }
  | { readonly code: 'STATEMENT_NOT_SUPPORTED'; readonly statement: string }
  /** What EXEC REDACT_REVISION names cannot be redacted. */
  | { readonly code: 'REDACTION_INVALID' }
  // ---- proofs ----
  | { readonly code: 'ADDRESS_INVALID'; readonly parameter: 'BlockAddress' | 'DigestTipAddress' }
  | { readonly code: 'DOCUMENT_NOT_FOUND'; readonly documentId: string }
  // ---- files ----
  | { readonly code: 'LEDGER_DAMAGED'; readonly directory: string }
  /** An earlier write or sync failed; only a restart helps. */
  | { readonly code: 'LEDGER_STOPPED'; readonly ledgerName: string }
  /** The ledger stopped while the commit was on its way: whether it is on the disk shows after a restart. */
  | { readonly code: 'COMMIT_NOT_CONFIRMED'; readonly ledgerName: string }
  | { readonly code: 'LEDGER_CLOSED'; readonly ledgerName: string }
  | { readonly code: 'DIRECTORY_IN_USE'; readonly directory: string }
  | { readonly code: 'PROJECTION_FAILED'; readonly directory: string }
  | {
      readonly code: 'DIRECTORY_NOT_WRITABLE'
      readonly directory: string
      readonly systemCode: string
    }

export class LedgerError extends BaseError<LedgerErrorType> {
  override readonly name = 'LedgerError'
}
