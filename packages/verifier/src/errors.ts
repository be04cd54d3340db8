/** What a check can find wrong with a block, a revision, a chain or a proof: one code for each kind of failure. */
import { BaseError, type ErrorDetails, equalBytes, toBase64 } from '@cairn/core'
import type { BlockItemRole } from '@cairn/merkle'
import type { BlockAddress } from './block.ts'

export type VerificationErrorType =
  /** The Ion value is not a block, a revision, an address or a proof: at `path`, something else was `expected`. */
  | { readonly code: 'BLOCK_MALFORMED'; readonly path: string; readonly expected: string }
  | { readonly code: 'REVISION_MALFORMED'; readonly path: string; readonly expected: string }
  | { readonly code: 'ADDRESS_MALFORMED'; readonly path: string; readonly expected: string }
  | { readonly code: 'PROOF_MALFORMED'; readonly path: string; readonly expected: string }
  /** The hash in the revision is not that of its content. */
  | ({ readonly code: 'REVISION_HASH_MISMATCH' } & AtRevision & HashPair)
  /** The revision says another address than the block it stands in. */
  | ({ readonly code: 'ADDRESS_MISMATCH'; readonly stated: BlockAddress } & AtBlock)
  /** `metadata.txId` is not the transaction of the block. */
  | ({ readonly code: 'TRANSACTION_MISMATCH'; readonly stated: string } & AtBlock)
  /** `entriesHashList` lacks the hash of something that the block contains. */
  | ({
      readonly code: 'ITEM_MISSING'
      readonly role: BlockItemRole
      readonly computed: Uint8Array
    } & AtBlock)
  /** The hashes of a native block have one order; `role` is due at `position`. */
  | ({
      readonly code: 'ITEM_ORDER'
      readonly role: BlockItemRole
      readonly position: number
    } & AtBlock)
  /** A native block holds a hash that stands for nothing in it. */
  | ({ readonly code: 'ITEM_UNEXPLAINED'; readonly position: number } & AtBlock)
  /** The catalog item is not the one expected; no bytes stand for no item. */
  | ({ readonly code: 'CATALOG_INFO_MISMATCH' } & AtBlock & HashPair)
  /** The last hash of a native block is not that of its canonical header; no bytes: it is not there. */
  | ({ readonly code: 'HEADER_MISMATCH' } & AtBlock & HashPair)
  | ({ readonly code: 'ENTRIES_HASH_MISMATCH' } & AtBlock & HashPair)
  | ({ readonly code: 'BLOCK_HASH_MISMATCH' } & AtBlock & HashPair)
  /** A native block's revision has a hash and nothing else. */
  | ({ readonly code: 'REVISION_OPAQUE' } & AtRevision)
  /** A native block's document is an Ion struct without annotations. */
  | ({ readonly code: 'DATA_ANNOTATED' } & AtRevision)
  /** `transactionInfo.documents` does not say which table the document is in. */
  | ({ readonly code: 'TABLE_UNKNOWN'; readonly documentId: string } & AtRevision)
  /** A native time is UTC with three digits after the second. */
  | ({ readonly code: 'TIME_FORM'; readonly path: string } & AtBlock)
  /** The block does not follow the one before it. */
  | ({ readonly code: 'STRAND_MISMATCH'; readonly expected: string } & AtBlock)
  | ({ readonly code: 'SEQUENCE_MISMATCH'; readonly expected: number } & AtBlock)
  | ({ readonly code: 'CHAIN_BROKEN' } & AtBlock & HashPair)
  /** The digest's tip lies before the block. */
  | ({ readonly code: 'INDEX_OUT_OF_RANGE'; readonly tip: BlockAddress } & AtBlock)
  | ({ readonly code: 'REVISION_NOT_IN_BLOCK'; readonly documentId: string } & AtBlock)
  | ({ readonly code: 'PROOF_LENGTH'; readonly count: number; readonly expected: number } & AtBlock)
  /** The proof does not pass through `part` of the block. */
  | ({
      readonly code: 'PROOF_MISMATCH'
      readonly part: 'revisionsRoot' | 'entriesHash' | 'previousBlockHash'
    } & AtBlock)
  | ({ readonly code: 'QLDB_DIGEST_MISMATCH' } & AtBlock & HashPair)

export interface AtBlock {
  readonly blockAddress: BlockAddress
}

export interface AtRevision extends AtBlock {
  /** Index within the block's revisions; undefined for a revision that came alone. */
  readonly position: number | undefined
}

export interface HashPair {
  readonly stated: Uint8Array
  readonly computed: Uint8Array
}

export class VerificationError extends BaseError<VerificationErrorType> {
  override readonly name = 'VerificationError'
}

type BlockErrorType = Extract<VerificationErrorType, AtBlock>
type HashErrorType = Extract<VerificationErrorType, HashPair>

/** An error that names its block. @param what A clause: what is wrong with the block. */
export function blockError(
  data: BlockErrorType,
  what: string,
  details?: Omit<ErrorDetails, 'shortMessage'>,
): VerificationError {
  const { sequenceNo, strandId } = data.blockAddress
  const shortMessage = `Block ${sequenceNo} of strand ${strandId}: ${what}.`
  return new VerificationError(data, { shortMessage, ...details })
}

/** @throws VerificationError `data` when its two hashes differ. */
export function checkHash(data: HashErrorType, what: string): void {
  if (equalBytes(data.stated, data.computed)) return
  throw blockError(data, what, {
    metaMessages: [
      `Stated: ${toBase64(data.stated) || '(none)'}`,
      `Computed: ${toBase64(data.computed) || '(none)'}`,
    ],
  })
}
