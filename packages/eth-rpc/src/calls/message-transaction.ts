/** What a caller describes as the transaction that it would be, with what was left out. */
import { type ForkName, includesFork, type UnsignedTransaction } from '@cairn/eth-codec'
import type { TransactionArguments } from '../call-arguments.ts'

export interface MessageDefaults {
  readonly chainId: bigint
  readonly fork: ForkName
  /** Of the sender. */
  readonly nonce: bigint
  readonly gasLimit: bigint
}

/** Without a price it pays nothing. */
export function messageTransaction(
  given: TransactionArguments,
  { chainId, fork, nonce, gasLimit }: MessageDefaults,
): UnsignedTransaction {
  const type = typeOf(given, fork)
  const price = given.gasPrice ?? given.maxFeePerGas ?? 0n
  return {
    type,
    chainId,
    nonce: given.nonce ?? nonce,
    maxFeePerGas: price,
    maxPriorityFeePerGas: type === 2 ? (given.maxPriorityFeePerGas ?? 0n) : price,
    gasLimit,
    to: given.to,
    value: given.value ?? 0n,
    data: given.data,
    accessList: type === 0 ? [] : (given.accessList ?? []),
  }
}

function typeOf({ gasPrice, accessList }: TransactionArguments, fork: ForkName): 0 | 1 | 2 {
  if (gasPrice === undefined && includesFork(fork, 'london')) return 2
  return accessList !== undefined && includesFork(fork, 'berlin') ? 1 : 0
}
