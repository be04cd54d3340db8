/** What the engine's thread and the sealer's thread say to each other. Blocks cross as one run of bytes per batch. */

import { hashBytesSize } from '@cairn/core'

/** Before the body of a sealed block: block hash, entry hash, length of the body. */
export const sealedHeaderBytesSize: number = 2 * hashBytesSize + 4

/** Channels tell the ledgers of one thread apart. */
export type ToSealer =
  | {
      readonly kind: 'open'
      readonly channel: number
      readonly strandId: string
      /** The ledger's folder. */
      readonly directory: string
      readonly tipHash: Uint8Array
      readonly size: number
    }
  /** `count` unsealed blocks, one after the other. */
  | {
      readonly kind: 'seal'
      readonly channel: number
      readonly bytes: Uint8Array
      readonly count: number
      /** Hash of the first one where that was sealed in place already: it is not sent back then. */
      readonly sealedHash: Uint8Array | undefined
    }
  | { readonly kind: 'project'; readonly channel: number; readonly durableCount: number }
  | {
      readonly kind: 'clean'
      readonly channel: number
      readonly supersededNo: number
      readonly finishedNos: readonly number[]
    }
  /** The cleaning under way, if any, is to end. */
  | { readonly kind: 'stopCleaning'; readonly channel: number }
  | { readonly kind: 'close'; readonly channel: number; readonly durableCount: number }

export type FromSealer =
  | { readonly kind: 'opened'; readonly channel: number }
  /** For each block: block hash 32, entry hash 32, length of the body as u32 little-endian, body. */
  | { readonly kind: 'sealed'; readonly channel: number; readonly bytes: Uint8Array }
  | { readonly kind: 'projected'; readonly channel: number; readonly sequenceNo: number }
  | { readonly kind: 'cleaned'; readonly channel: number; readonly isExchanged: boolean }
  | { readonly kind: 'notCleaned'; readonly channel: number; readonly error: unknown }
  | { readonly kind: 'closed'; readonly channel: number }
  | { readonly kind: 'failed'; readonly channel: number; readonly error: unknown }
