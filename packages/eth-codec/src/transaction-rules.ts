/**
 * What makes a transaction invalid whatever the state is: its type and chain, sums beyond 256 bits, and the gas that
 * it costs before its first step. The rules that need the state are those of execution and of the pool.
 */
import { TransactionError } from './errors.ts'
import { type ForkName, includesFork } from './forks.ts'
import type { UnsignedTransaction } from './transaction.ts'

/** Largest init code from Shanghai (EIP-3860): twice the largest code. */
export const initCodeBytesMax = 49_152

const uint256Max: bigint = 2n ** 256n - 1n
/** EIP-2681: a nonce of 2^64 - 1 could not be counted up. */
const nonceMax: bigint = 2n ** 64n - 2n

// Yellow Paper, appendix G, and the EIPs named.
const transactionGas = 21_000n
const creationGas = 32_000n
const zeroByteGas = 4n
const nonZeroByteGasFrontier = 68n
/** EIP-2028, Istanbul. */
const nonZeroByteGasIstanbul = 16n
/** EIP-2930, Berlin. */
const accessListAddressGas = 2400n
const accessListStorageKeyGas = 1900n
/** EIP-3860, Shanghai: per word of 32 bytes. */
const initCodeWordGas = 2n

/** The gas of a transaction before its first step. */
export function intrinsicGas(transaction: UnsignedTransaction, fork: ForkName): bigint {
  const { data, to, accessList } = transaction
  let zeroCount = 0
  for (let i = 0; i < data.length; i++) if (data[i] === 0) zeroCount++
  const nonZeroByteGas = includesFork(fork, 'istanbul')
    ? nonZeroByteGasIstanbul
    : nonZeroByteGasFrontier
  let gas =
    transactionGas +
    BigInt(zeroCount) * zeroByteGas +
    BigInt(data.length - zeroCount) * nonZeroByteGas
  if (to === undefined && includesFork(fork, 'homestead')) gas += creationGas
  if (to === undefined && includesFork(fork, 'shanghai')) {
    gas += BigInt(Math.ceil(data.length / 32)) * initCodeWordGas
  }
  for (const { storageKeys } of accessList) {
    gas += accessListAddressGas + BigInt(storageKeys.length) * accessListStorageKeyGas
  }
  return gas
}

export interface TransactionRules {
  readonly fork: ForkName
  readonly chainId: bigint
}

/**
 * Checks what needs neither state nor signature.
 * @throws TransactionError with geth's text in the short message.
 */
export function checkTransaction(transaction: UnsignedTransaction, rules: TransactionRules): void {
  const { fork } = rules
  checkType(transaction, fork)
  checkChain(transaction, rules)
  if (transaction.nonce > nonceMax) {
    throw new TransactionError(
      { code: 'NONCE_TOO_LARGE' },
      { shortMessage: 'nonce has max value', metaMessages: [`Nonce: ${transaction.nonce}`] },
    )
  }
  checkFees(transaction)
  const { to, data } = transaction
  const isShanghai = includesFork(fork, 'shanghai')
  if (to === undefined && isShanghai && data.length > initCodeBytesMax) {
    throw new TransactionError(
      { code: 'INIT_CODE_TOO_LARGE', bytes: data.length, bytesMax: initCodeBytesMax },
      {
        shortMessage: 'max initcode size exceeded',
        metaMessages: [`Init code of ${data.length} bytes; ${initCodeBytesMax} are allowed.`],
      },
    )
  }
  const gasMin = intrinsicGas(transaction, fork)
  if (transaction.gasLimit < gasMin) {
    throw new TransactionError(
      { code: 'INTRINSIC_GAS_TOO_LOW', gas: transaction.gasLimit, gasMin },
      {
        shortMessage: 'intrinsic gas too low',
        metaMessages: [`Gas ${transaction.gasLimit}, minimum needed ${gasMin}.`],
      },
    )
  }
}

function checkType({ type }: UnsignedTransaction, fork: ForkName): void {
  const isKnown = type === 0 || includesFork(fork, type === 1 ? 'berlin' : 'london')
  if (isKnown) return
  throw new TransactionError(
    { code: 'TYPE_NOT_SUPPORTED', type },
    {
      shortMessage: 'transaction type not supported',
      metaMessages: [`Type ${type} is not one of the rules of ${fork}.`],
    },
  )
}

function checkChain(transaction: UnsignedTransaction, { fork, chainId }: TransactionRules): void {
  if (transaction.chainId === undefined) return
  // Before EIP-155 a v with a chain in it was no v at all.
  if (!includesFork(fork, 'spuriousDragon')) {
    throw new TransactionError(
      { code: 'SIGNATURE_INVALID' },
      {
        shortMessage: 'invalid transaction v, r, s values',
        metaMessages: [`The rules of ${fork} know no transactions bound to a chain.`],
      },
    )
  }
  if (transaction.chainId === chainId) return
  throw new TransactionError(
    { code: 'CHAIN_ID_WRONG', chainId: transaction.chainId, chainIdExpected: chainId },
    {
      shortMessage: 'invalid chain id for signer',
      metaMessages: [
        `The transaction is for chain ${transaction.chainId}, this is chain ${chainId}.`,
        'Set the chain id in the wallet or library that signs.',
      ],
    },
  )
}

function checkFees({ maxFeePerGas, maxPriorityFeePerGas, gasLimit }: UnsignedTransaction): void {
  if (maxPriorityFeePerGas > maxFeePerGas) {
    throw new TransactionError(
      { code: 'TIP_ABOVE_FEE_CAP', tip: maxPriorityFeePerGas, feeCap: maxFeePerGas },
      {
        shortMessage: 'max priority fee per gas higher than max fee per gas',
        metaMessages: [`Priority fee ${maxPriorityFeePerGas} wei, fee ${maxFeePerGas} wei.`],
      },
    )
  }
  if (gasLimit * maxFeePerGas > uint256Max) {
    throw new TransactionError(
      { code: 'FEE_OVERFLOW' },
      {
        shortMessage: 'gas limit times fee is beyond 256 bits',
        metaMessages: [`Gas ${gasLimit}, fee ${maxFeePerGas} wei.`],
      },
    )
  }
}
