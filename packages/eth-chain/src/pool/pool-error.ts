/**
 * Why a transaction is not taken into the pool. Short messages are geth 1.13's (core/txpool/errors.go, core/error.go)
 * with the values that geth puts behind them: wallets and libraries recognise them by text.
 */
import { BaseError } from '@cairn/core'

const texts = {
  ALREADY_KNOWN: 'already known',
  TYPE_NOT_SUPPORTED: 'transaction type not supported',
  OVERSIZED: 'oversized data',
  INIT_CODE_TOO_LARGE: 'max initcode size exceeded',
  GAS_LIMIT: 'exceeds block gas limit',
  FEE_OVERFLOW: 'max fee per gas higher than 2^256-1',
  TIP_ABOVE_FEE_CAP: 'max priority fee per gas higher than max fee per gas',
  INVALID_SENDER: 'invalid sender',
  INTRINSIC_GAS: 'intrinsic gas too low',
  UNDERPRICED: 'transaction underpriced',
  NONCE_TOO_LOW: 'nonce too low',
  NONCE_TOO_HIGH: 'nonce has max value',
  INSUFFICIENT_FUNDS: 'insufficient funds for gas * price + value',
  REPLACEMENT_UNDERPRICED: 'replacement transaction underpriced',
  FUTURE_REPLACES_PENDING: 'future transaction tries to replace pending transaction',
  POOL_FULL: 'txpool is full',
  ACCOUNT_LIMIT: 'account limit exceeded',
  UNPROTECTED: 'only replay-protected (EIP-155) transactions allowed over RPC',
  FEE_CAP: 'tx fee',
} as const

export type PoolErrorCode = keyof typeof texts
export type PoolErrorType = { readonly code: PoolErrorCode }

/** A transaction that the pool refuses; `shortMessage` is geth's text. */
export class PoolError extends BaseError<PoolErrorType> {
  override readonly name = 'PoolError'
}

/** @param detail What follows geth's text, such as `: next nonce 5, tx nonce 3`. */
export function poolError(
  code: PoolErrorCode,
  detail = '',
  more: { readonly facts?: readonly string[]; readonly cause?: unknown } = {},
): PoolError {
  return new PoolError(
    { code },
    {
      shortMessage: `${texts[code]}${detail}`,
      metaMessages: more.facts ?? [],
      cause: more.cause,
    },
  )
}
