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

export type HexErrorType =
  | { readonly code: 'HEX_MALFORMED'; readonly expected: string }
  | { readonly code: 'HEX_LENGTH'; readonly bytes: number; readonly bytesExpected: number }

/** Text that is not the hexadecimal asked for. */
export class HexError extends BaseError<HexErrorType> {
  override readonly name = 'HexError'
}

export type AddressErrorType =
  | { readonly code: 'ADDRESS_MALFORMED' }
  | { readonly code: 'ADDRESS_CHECKSUM'; readonly address: string }

/** Text that is not an address. */
export class AddressError extends BaseError<AddressErrorType> {
  override readonly name = 'AddressError'
}

export type TransactionErrorType =
  /** The bytes are RLP and not a transaction; `field` has the reason. */
  | { readonly code: 'TRANSACTION_MALFORMED'; readonly reason: string }
  | { readonly code: 'TYPE_NOT_SUPPORTED'; readonly type: number }
  | { readonly code: 'SIGNATURE_INVALID' }
  | {
      readonly code: 'CHAIN_ID_WRONG'
      readonly chainId: bigint
      readonly chainIdExpected: bigint
    }
  | { readonly code: 'NONCE_TOO_LARGE' }
  | { readonly code: 'FEE_OVERFLOW' }
  | { readonly code: 'TIP_ABOVE_FEE_CAP'; readonly tip: bigint; readonly feeCap: bigint }
  | { readonly code: 'INIT_CODE_TOO_LARGE'; readonly bytes: number; readonly bytesMax: number }
  | { readonly code: 'INTRINSIC_GAS_TOO_LOW'; readonly gas: bigint; readonly gasMin: bigint }

/** A transaction that no state could make valid. The short message is geth's, since tools look for it. */
export class TransactionError extends BaseError<TransactionErrorType> {
  override readonly name = 'TransactionError'
}

export type GenesisErrorType =
  /** `path` is that of the JSON value, such as `config.londonBlock`. */
  | { readonly code: 'GENESIS_FIELD'; readonly path: string; readonly reason: string }
  | { readonly code: 'FORK_ORDER'; readonly fork: string; readonly reason: string }
  | { readonly code: 'FORK_NOT_SUPPORTED'; readonly fork: string }
  | { readonly code: 'CLIQUE_EXTRA_DATA'; readonly reason: string }

/** A genesis file that makes no chain. */
export class GenesisError extends BaseError<GenesisErrorType> {
  override readonly name = 'GenesisError'
}

export type EnodeErrorType = { readonly code: 'ENODE_MALFORMED'; readonly reason: string }

/** Text that is not the address of a node. */
export class EnodeError extends BaseError<EnodeErrorType> {
  override readonly name = 'EnodeError'
}

export type KeyFileErrorType =
  | { readonly code: 'KEY_FILE_MALFORMED'; readonly reason: string }
  | { readonly code: 'PASSWORD_WRONG' }
  | { readonly code: 'ADDRESS_MISMATCH'; readonly named: string; readonly address: string }
  | { readonly code: 'KEY_NOT_FOUND'; readonly address: string }
  | { readonly code: 'KEY_AMBIGUOUS'; readonly address: string }
  | { readonly code: 'KEY_EXISTS'; readonly address: string }

/** Key files that cannot be read, found or opened. Messages never hold a key or a password. */
export class KeyFileError extends BaseError<KeyFileErrorType> {
  override readonly name = 'KeyFileError'
}

export type TypedDataErrorType = {
  readonly code: 'TYPED_DATA_INVALID'
  readonly path: string
  readonly reason: string
}

/** Typed data (EIP-712) that does not fit its types. */
export class TypedDataError extends BaseError<TypedDataErrorType> {
  override readonly name = 'TypedDataError'
}

export type AbiErrorType =
  | { readonly code: 'ABI_TYPE'; readonly type: string }
  /** `path` names the argument. */
  | { readonly code: 'ABI_VALUE'; readonly path: string; readonly reason: string }
  | { readonly code: 'ABI_DATA'; readonly offset: number; readonly reason: string }

/** Values of contracts that do not fit their types, types that are none, and bytes that hold other values. */
export class AbiError extends BaseError<AbiErrorType> {
  override readonly name = 'AbiError'
}
