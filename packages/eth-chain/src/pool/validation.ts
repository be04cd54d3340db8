/**
 * What a transaction has to fulfil before the pool looks at its neighbours, in geth's order: type, size, gas, fees,
 * sender, and what the sender's account has. Source: geth 1.13, core/txpool/validation.go.
 */
import {
  type Account,
  checkTransaction,
  type ForkName,
  includesFork,
  initCodeBytesMax,
  intrinsicGas,
  recoverSender,
  type Transaction,
  TransactionError,
} from '@cairn/eth-codec'
import type { AccountQueue } from './account-queue.ts'
import { poolError } from './pool-error.ts'
import { costOf, type IncomingTransaction } from './pooled-transaction.ts'

/** The chain as the next block will find it. */
export interface PoolHead {
  readonly fork: ForkName
  /** Of the block at the head. */
  readonly gasLimit: bigint
  /** Of the next block, in wei; 0 before London. */
  readonly baseFee: bigint
  /** The state at the head. */
  readAccount(address: Uint8Array): Account | undefined
}

/** Largest transaction, encoded: four slots. Source: geth, txMaxSize. */
export const transactionBytesMax = 131_072

/**
 * Checks that need no state.
 * @param tipMin Least tip in wei.
 * @returns the sender, 20 bytes.
 * @throws PoolError.
 */
export function checkIncoming(
  incoming: IncomingTransaction,
  rules: { readonly head: PoolHead; readonly chainId: bigint; readonly tipMin: bigint },
): Uint8Array {
  const { transaction, raw } = incoming
  const { head, chainId, tipMin } = rules
  const { fork } = head
  checkType(transaction, fork)
  if (raw.length > transactionBytesMax) {
    const detail = `: transaction size ${raw.length}, limit ${transactionBytesMax}`
    throw poolError('OVERSIZED', detail)
  }
  const { to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = transaction
  const isCreation = to === undefined && includesFork(fork, 'shanghai')
  if (isCreation && data.length > initCodeBytesMax) {
    const detail = `: code size ${data.length}, limit ${initCodeBytesMax}`
    throw poolError('INIT_CODE_TOO_LARGE', detail)
  }
  if (gasLimit > head.gasLimit) throw poolError('GAS_LIMIT')
  if (maxFeePerGas < maxPriorityFeePerGas) throw poolError('TIP_ABOVE_FEE_CAP')
  checkChain(transaction, chainId)
  const sender = incoming.sender ?? senderOf(transaction)
  const gasMin = intrinsicGas(transaction, fork)
  if (gasLimit < gasMin) {
    throw poolError('INTRINSIC_GAS', `: gas ${gasLimit}, minimum needed ${gasMin}`)
  }
  if (maxPriorityFeePerGas < tipMin) {
    const detail = `: gas tip cap ${maxPriorityFeePerGas}, minimum needed ${tipMin}`
    throw poolError('UNDERPRICED', detail)
  }
  checkRest(transaction, fork, chainId)
  return sender
}

function checkType({ type }: Transaction, fork: ForkName): void {
  const starts = type === 1 ? 'berlin' : 'london'
  if (type === 0 || includesFork(fork, starts)) return
  const name = type === 1 ? 'Berlin' : 'London'
  throw poolError('TYPE_NOT_SUPPORTED', `: type ${type} rejected, pool not yet in ${name}`)
}

function senderOf(transaction: Transaction): Uint8Array {
  try {
    return recoverSender(transaction)
  } catch (cause) {
    throw poolError('INVALID_SENDER', '', { cause })
  }
}

/** geth counts a transaction for another chain as one without a sender. */
function checkChain(transaction: Transaction, chainId: bigint): void {
  if (transaction.chainId === undefined || transaction.chainId === chainId) return
  const facts = [
    `The transaction is for chain ${transaction.chainId}, this is chain ${chainId}.`,
    'Set the chain id in the wallet or library that signs.',
  ]
  throw poolError('INVALID_SENDER', '', { facts })
}

/** Sums beyond 256 bits and the last nonce; the rest of these rules was checked before, in geth's order. */
function checkRest(transaction: Transaction, fork: ForkName, chainId: bigint): void {
  try {
    checkTransaction(transaction, { fork, chainId })
  } catch (cause) {
    if (!(cause instanceof TransactionError)) throw cause
    if (cause.code === 'FEE_OVERFLOW') throw poolError('FEE_OVERFLOW', '', { cause })
    if (cause.code === 'NONCE_TOO_LARGE') throw poolError('NONCE_TOO_HIGH', '', { cause })
    throw poolError('INVALID_SENDER', '', { cause })
  }
}

/**
 * Checks against the sender's account.
 * @param queue What the pool has of the sender already.
 * @throws PoolError.
 */
export function checkAgainstAccount(
  transaction: Transaction,
  account: Account | undefined,
  queue: AccountQueue | undefined,
): void {
  const nonce = account?.nonce ?? 0n
  const balance = account?.balance ?? 0n
  if (transaction.nonce < nonce) {
    throw poolError('NONCE_TOO_LOW', `: next nonce ${nonce}, tx nonce ${transaction.nonce}`)
  }
  const cost = costOf(transaction)
  if (balance < cost) {
    const detail = `: balance ${balance}, tx cost ${cost}, overshot ${cost - balance}`
    throw poolError('INSUFFICIENT_FUNDS', detail)
  }
  if (queue === undefined) return
  const spent = queue.pendingCost
  const old = queue.isPending(transaction.nonce) ? queue.get(transaction.nonce) : undefined
  const added = old === undefined ? cost : cost - old.cost
  const need = spent + added
  if (balance >= need) return
  const what = old === undefined ? `tx cost ${cost}` : `tx bumped ${added}`
  const detail = `: balance ${balance}, queued cost ${spent}, ${what}, overshot ${need - balance}`
  throw poolError('INSUFFICIENT_FUNDS', detail)
}

/** What JSON-RPC asks of a transaction beyond the pool. */
export interface RpcRules {
  /** Takes transactions that are not bound to a chain. */
  readonly allowsUnprotected: boolean
  /** Most that a transaction may pay for gas, in wei; 0 for no bound. */
  readonly feeCapWei: bigint
}

/** @throws PoolError with geth's texts. */
export function checkRpcTransaction(transaction: Transaction, rules: RpcRules): void {
  const fee = transaction.gasLimit * transaction.maxFeePerGas
  if (rules.feeCapWei > 0n && fee > rules.feeCapWei) {
    const cap = inEther(rules.feeCapWei)
    throw poolError('FEE_CAP', ` (${inEther(fee)} ether) exceeds the configured cap (${cap} ether)`)
  }
  if (!rules.allowsUnprotected && transaction.chainId === undefined) throw poolError('UNPROTECTED')
}

function inEther(wei: bigint): string {
  return (Number(wei) / 1e18).toFixed(2)
}
