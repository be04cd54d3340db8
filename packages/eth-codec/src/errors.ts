/** The error families of this package: bytes that are not what they should be, and files and texts likewise. */
import { BaseError } from '@cairn/core'

export type RlpErrorType =
  /** The item at `offset` says that it has `size` bytes and only `left` are there. */
  | {
      readonly code: 'RLP_TRUNCATED'
      readonly offset: number
      readonly size: number
      readonly left: number
    }
  /** The same value has a shorter encoding, which is the only one allowed. */
  | { readonly code: 'RLP_NOT_CANONICAL'; readonly offset: number }
  | { readonly code: 'RLP_TRAILING_BYTES'; readonly offset: number; readonly count: number }
  | { readonly code: 'RLP_TOO_DEEP'; readonly offset: number; readonly depthMax: number }
  | { readonly code: 'RLP_TOO_LARGE'; readonly bytes: number; readonly bytesMax: number }
  | { readonly code: 'RLP_TOO_MANY_ITEMS'; readonly offset: number; readonly countMax: number }
  /** A field of a record is a list where bytes belong, has another length, or a number with leading zeros. */
  | { readonly code: 'RLP_FIELD'; readonly field: string; readonly reason: string }

/** Bytes that are not RLP, or RLP that is not the record asked for. */
export class RlpError extends BaseError<RlpErrorType> {
  override readonly name = 'RlpError'
}

export type Secp256k1ErrorType =
  | { readonly code: 'PRIVATE_KEY_INVALID' }
  | { readonly code: 'PUBLIC_KEY_INVALID' }
  | {
      readonly code: 'LENGTH_WRONG'
      readonly part: string
      readonly bytes: number
      readonly bytesExpected: number
    }

/** Keys and hashes that are none. The message never holds the key. */
export class Secp256k1Error extends BaseError<Secp256k1ErrorType> {
  override readonly name = 'Secp256k1Error'
}
