/** What may be wrong with an export that is to become a ledger. Nothing of it answers before all of it is right. */
import { BaseError } from '@cairn/core'

export type ImportErrorType =
  /** A block that is not what its hashes say, or no block at all. */
  | { readonly code: 'BLOCK_REFUSED'; readonly sequenceNo: number; readonly source: string }
  /** A block was due and another one, or none, came. */
  | {
      readonly code: 'EXPORT_INCOMPLETE'
      readonly expectedSequenceNo: number
      readonly source: string
    }
  /** All blocks are whole, and are not those of the digest that was kept. */
  | { readonly code: 'DIGEST_MISMATCH'; readonly sequenceNo: number }
  /** What an earlier, interrupted import took over is of another ledger. */
  | { readonly code: 'IMPORT_MISMATCH'; readonly directory: string }
  /** The data folder has this strand already. */
  | { readonly code: 'STRAND_EXISTS'; readonly strandId: string; readonly ledgerName: string }

export class ImportError extends BaseError<ImportErrorType> {
  override readonly name = 'ImportError'
}
