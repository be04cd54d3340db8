/** What may be wrong with an export and with the place it goes to. Messages never hold documents. */
import { BaseError } from '@cairn/core'

export type ExportErrorType =
  /** No object of an export where one was looked for, or several and none named. */
  | { readonly code: 'EXPORT_NOT_FOUND'; readonly place: string }
  | { readonly code: 'MANIFEST_INVALID'; readonly key: string }
  | { readonly code: 'OBJECT_MISSING'; readonly key: string }
  /** `index` counts the blocks of the object from 0. */
  | { readonly code: 'OBJECT_DAMAGED'; readonly key: string; readonly index: number }
  /** Blocks that should follow each other do not. */
  | {
      readonly code: 'BLOCKS_INCOMPLETE'
      readonly key: string
      readonly expectedSequenceNo: number
      readonly sequenceNo: number
    }
  /** The store will not take the object, however often it is sent. */
  | { readonly code: 'STORE_REFUSED'; readonly bucket: string; readonly key: string }
  /** The store did not take the object this time. */
  | { readonly code: 'STORE_UNAVAILABLE'; readonly bucket: string; readonly key: string }

export class ExportError extends BaseError<ExportErrorType> {
  override readonly name = 'ExportError'
}
