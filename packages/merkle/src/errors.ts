/** The two error families of this package: proofs that cannot be read, and canonical bytes that are none. */
import { BaseError } from '@cairn/core'

export type ProofErrorType =
  | { readonly code: 'INDEX_OUT_OF_RANGE'; readonly index: number; readonly size: number }
  | { readonly code: 'SIZE_OUT_OF_RANGE'; readonly size: number; readonly sizeMax: number }
  /** The proof has `count` hashes and the shape of the tree asks for another number. */
  | { readonly code: 'PROOF_LENGTH'; readonly count: number; readonly size: number }
  /** The hash at `position` of the proof, or the leaf or root (-1), has `bytes` bytes in place of 32. */
  | { readonly code: 'HASH_LENGTH'; readonly position: number; readonly bytes: number }

/** A proof, or a request for one, that does not fit the tree it speaks of. */
export class ProofError extends BaseError<ProofErrorType> {
  override readonly name = 'ProofError'
}

export type CanonicalBytesErrorType =
  /** The bytes end at `size`, inside the field `part`. */
  | { readonly code: 'BYTES_TRUNCATED'; readonly part: string; readonly size: number }
  | { readonly code: 'BYTES_TRAILING'; readonly count: number }
  /** The first bytes are not the mark of a format this version knows. */
  | { readonly code: 'VERSION_UNKNOWN'; readonly expected: string }
  /** A role, kind or form without a meaning. */
  | { readonly code: 'TAG_UNKNOWN'; readonly part: string; readonly value: number }
  | { readonly code: 'LENGTH_WRONG'; readonly part: string; readonly length: number }
  | { readonly code: 'NUMBER_TOO_LARGE'; readonly part: string; readonly max: number }
  /** Not UTF-8 when read, or longer than 255 bytes or with half a surrogate pair when written. */
  | { readonly code: 'TEXT_MALFORMED'; readonly part: string }
  | { readonly code: 'ENTRY_TOO_LARGE'; readonly bytes: number; readonly bytesMax: number }

/** Bytes that are not the canonical form of a revision leaf, block header or block entry; or a value that has none. */
export class CanonicalBytesError extends BaseError<CanonicalBytesErrorType> {
  override readonly name = 'CanonicalBytesError'
}
