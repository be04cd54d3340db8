/** QLDB's quotas as defaults. Source: qldb-compat 5.8 (QLDB developer guide, "Quotas and limits"). All configurable. */
import { assert } from '@cairn/core'

export interface LedgerLimits {
  /** Largest document in Ion binary. */
  readonly documentBytesMax: number
  /** Largest parameter of a statement in Ion binary. */
  readonly parameterBytesMax: number
  /** Characters. */
  readonly statementLengthMax: number
  /** All writes and statements of a transaction together. */
  readonly transactionBytesMax: number
  readonly transactionMsMax: number
  readonly activeTableCountMax: number
  readonly tableCountMax: number
  readonly indexCountMax: number
  readonly writtenDocumentCountMax: number
  /** Revisions that one transaction may redact. */
  readonly redactionCountMax: number
  readonly ledgerCountMax: number
  readonly activeSessionCountMax: number
}

export const defaultLimits: LedgerLimits = {
  documentBytesMax: 128 * 1024,
  parameterBytesMax: 128 * 1024,
  statementLengthMax: 100_000,
  transactionBytesMax: 4 * 1024 * 1024,
  transactionMsMax: 30_000,
  activeTableCountMax: 20,
  tableCountMax: 40,
  indexCountMax: 5,
  writtenDocumentCountMax: 40,
  redactionCountMax: 1,
  ledgerCountMax: 5,
  activeSessionCountMax: 1500,
}
assert(defaultLimits.documentBytesMax < defaultLimits.transactionBytesMax)
assert(defaultLimits.activeTableCountMax <= defaultLimits.tableCountMax)
