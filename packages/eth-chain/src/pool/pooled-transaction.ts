/** A transaction in the pool, with everything that was computed about it once. */
import {
  dataToHex,
  decodeTransaction,
  effectiveTip,
  encodeTransaction,
  type Transaction,
  transactionHash,
} from '@cairn/eth-codec'

/** A transaction on its way in: its sender may be known already, from a thread that recovers many. */
export interface IncomingTransaction {
  readonly transaction: Transaction
  /** As it travels alone; what its hash is of. */
  readonly raw: Uint8Array
  /** `0x` and 64 digits. */
  readonly hash: string
  /** 20 bytes; recovered by the pool when it is not given. */
  readonly sender?: Uint8Array
}

export interface PooledTransaction extends IncomingTransaction {
  readonly sender: Uint8Array
  /** `0x` and 40 digits. */
  readonly from: string
  /** Most that it can take from its sender, in wei. */
  readonly cost: bigint
  /** Came in over this node's own interfaces. */
  readonly isLocal: boolean
  /** Counts up as transactions arrive. */
  readonly arrival: number
}

/**
 * @param bytes Copied when they are a part of something larger than Node's pool of small Buffers: a transaction may
 *   wait for hours, and must not keep the whole message in memory that brought it.
 * @throws RlpError or TransactionError when the bytes are no transaction.
 */
export function readIncoming(bytes: Uint8Array, sender?: Uint8Array): IncomingTransaction {
  const isSmall = bytes.buffer.byteLength <= Math.max(bytes.length, Buffer.poolSize)
  const raw = isSmall ? bytes : new Uint8Array(bytes)
  const transaction = decodeTransaction(raw)
  return {
    transaction,
    raw,
    hash: dataToHex(transactionHash(transaction)),
    ...(sender && { sender }),
  }
}

export function incomingOf(transaction: Transaction, sender?: Uint8Array): IncomingTransaction {
  const raw = encodeTransaction(transaction)
  return {
    transaction,
    raw,
    hash: dataToHex(transactionHash(transaction)),
    ...(sender && { sender }),
  }
}

/** In wei. */
export function costOf({ gasLimit, maxFeePerGas, value }: Transaction): bigint {
  return gasLimit * maxFeePerGas + value
}

/** Bytes of one slot: what limits count, so that large transactions take more of them. */
const slotBytesSize = 32 * 1024

export function slotsOf({ raw }: IncomingTransaction): number {
  return Math.ceil(raw.length / slotBytesSize)
}

/**
 * Orders by what a sealer earns: the tip at that base fee, then the fee cap, then the tip asked for.
 * @returns below 0 when `a` is worth less.
 */
export function compareWorth(
  a: IncomingTransaction,
  b: IncomingTransaction,
  baseFee: bigint,
): number {
  const tips = compare(effectiveTip(a.transaction, baseFee), effectiveTip(b.transaction, baseFee))
  if (tips !== 0) return tips
  const caps = compare(a.transaction.maxFeePerGas, b.transaction.maxFeePerGas)
  if (caps !== 0) return caps
  return compare(a.transaction.maxPriorityFeePerGas, b.transaction.maxPriorityFeePerGas)
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
