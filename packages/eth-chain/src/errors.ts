/** What may go wrong with a chain beside headers (header-error.ts): its data, its blocks, its genesis. */
import { BaseError } from '@cairn/core'

export type ChainErrorType =
  /** A record that must be there is missing or cannot be read. */
  | { readonly code: 'CHAIN_DAMAGED'; readonly what: string }
  /** The folder holds the chain of another genesis. */
  | { readonly code: 'GENESIS_MISMATCH'; readonly stored: string; readonly given: string }
  /** No genesis was ever given. */
  | { readonly code: 'GENESIS_MISSING' }
  /** Forks that are in the past already were moved. */
  | { readonly code: 'CONFIG_INCOMPATIBLE'; readonly fork: string }
  /** A block that does not follow from its transactions; `reason` is geth's text. */
  | { readonly code: 'BLOCK_INVALID'; readonly hash: string; readonly reason: string }
  /** It was found invalid before, or stands upon such a block. */
  | { readonly code: 'BLOCK_BAD'; readonly hash: string }
  /** A reorganisation further back than states are kept. */
  | { readonly code: 'REORG_TOO_DEEP'; readonly depth: number; readonly depthMax: number }
  /** Bytes in a chain file that are no block. */
  | { readonly code: 'CHAIN_FILE_INVALID'; readonly offset: number }

export class ChainError extends BaseError<ChainErrorType> {
  override readonly name = 'ChainError'
}

export function chainDamaged(what: string): ChainError {
  return new ChainError(
    { code: 'CHAIN_DAMAGED', what },
    {
      shortMessage: `The chain data is damaged: ${what}.`,
      metaMessages: ['Stop the node, remove its chain data and let it import the chain again.'],
    },
  )
}

/** @param reason geth's text, which tools look for. */
export function blockInvalid(
  hash: string,
  number: bigint,
  reason: string,
  cause?: unknown,
): ChainError {
  return new ChainError(
    { code: 'BLOCK_INVALID', hash, reason },
    { shortMessage: reason, metaMessages: [`Block: ${number}, ${hash}`], cause },
  )
}
