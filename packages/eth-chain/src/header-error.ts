/**
 * Why a header is refused. Short messages are geth 1.13's (consensus/errors.go, consensus/clique/clique.go,
 * consensus/misc), word for word: tools look for them, and they are compared with geth's in tests.
 */
import { BaseError } from '@cairn/core'

const texts = {
  UNKNOWN_BLOCK: 'unknown block',
  FUTURE_BLOCK: 'block in the future',
  CHECKPOINT_BENEFICIARY: 'beneficiary in checkpoint block non-zero',
  VOTE_INVALID: 'vote nonce not 0x00..0 or 0xff..f',
  CHECKPOINT_VOTE: 'vote nonce in checkpoint block non-zero',
  VANITY_MISSING: 'extra-data 32 byte vanity prefix missing',
  SIGNATURE_MISSING: 'extra-data 65 byte signature suffix missing',
  EXTRA_SIGNERS: 'non-checkpoint block contains extra signer list',
  CHECKPOINT_SIGNERS: 'invalid signer list on checkpoint block',
  MIX_DIGEST: 'non-zero mix digest',
  UNCLE_HASH: 'non empty uncle hash',
  DIFFICULTY_INVALID: 'invalid difficulty',
  GAS_LIMIT_INVALID: 'invalid gas limit',
  UNKNOWN_ANCESTOR: 'unknown ancestor',
  TIMESTAMP_INVALID: 'invalid timestamp',
  GAS_USED_INVALID: 'invalid gasUsed',
  BASE_FEE_INVALID: 'invalid baseFee',
  CHECKPOINT_MISMATCH: 'mismatching signer list on checkpoint block',
  SEAL_INVALID: 'invalid seal',
  UNAUTHORIZED_SIGNER: 'unauthorized signer',
  RECENTLY_SIGNED: 'recently signed',
  DIFFICULTY_WRONG: 'wrong difficulty',
  VOTING_CHAIN: 'invalid voting chain',
} as const

export type HeaderErrorCode = keyof typeof texts
export type HeaderErrorType = { readonly code: HeaderErrorCode; readonly number: bigint }

/** A header that breaks a rule; `shortMessage` is geth's text. */
export class HeaderError extends BaseError<HeaderErrorType> {
  override readonly name = 'HeaderError'
}

/** @param detail What follows geth's text, such as `: have 5, want 7`. @param facts Lines for people. */
export function headerError(
  code: HeaderErrorCode,
  number: bigint,
  detail = '',
  facts: readonly string[] = [],
): HeaderError {
  return new HeaderError(
    { code, number },
    { shortMessage: `${texts[code]}${detail}`, metaMessages: [`Block: ${number}`, ...facts] },
  )
}
