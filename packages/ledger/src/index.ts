/** `@cairn/ledger`: the verifiable ledger database as a library. */

export type * from './api.ts'
export { LedgerError, type LedgerErrorType } from './errors.ts'
export { defaultLimits, type LedgerLimits } from './limits.ts'
