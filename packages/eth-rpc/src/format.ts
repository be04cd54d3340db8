/** Blocks, transactions, receipts and logs as geth writes them (internal/ethapi, 1.13): fields, their order, nulls. */
import type { PlacedLog } from '@cairn/eth-chain'
import {
  type AccessListEntry,
  type Block,
  type BlockHeader,
  blockHash,
  contractAddress,
  dataToHex,
  effectiveGasPrice,
  encodeBlock,
  encodeBlockHeader,
  legacyV,
  quantityToHex,
  type Receipt,
  type Transaction,
  transactionHash,
} from '@cairn/eth-codec'

export type Json = Readonly<Record<string, unknown>>

/** Where a block stands, or that it does not stand yet. */
export interface BlockPlace {
  /** `0x` and 64 digits; undefined for the pending block. */
  readonly hash: string | undefined
  readonly totalDifficulty: bigint | undefined
}

export function formatHeader(header: BlockHeader, { hash, totalDifficulty }: BlockPlace): Json {
  return {
    ...headerFields(header, hash),
    size: quantityToHex(encodeBlockHeader(header).length),
    ...(totalDifficulty === undefined ? {} : { totalDifficulty: quantityToHex(totalDifficulty) }),
  }
}

/** @param senders Of each transaction, 20 bytes. @param isFull Whether transactions are written out. */
export function formatBlock(
  block: Block,
  place: BlockPlace,
  senders: readonly Uint8Array[],
  isFull: boolean,
): Json {
  const { header, transactions, uncles } = block
  const { hash, totalDifficulty } = place
  return {
    ...headerFields(header, hash),
    size: quantityToHex(encodeBlock(block).length),
    transactions: transactions.map((transaction, index) =>
      isFull
        ? formatTransaction(transaction, senders[index] as Uint8Array, { header, hash, index })
        : dataToHex(transactionHash(transaction)),
    ),
    uncles: uncles.map((uncle) => dataToHex(blockHash(uncle))),
    ...(totalDifficulty === undefined ? {} : { totalDifficulty: quantityToHex(totalDifficulty) }),
  }
}

function headerFields(header: BlockHeader, hash: string | undefined): Json {
  const isPending = hash === undefined
  return {
    ...(header.baseFeePerGas === undefined
      ? {}
      : { baseFeePerGas: quantityToHex(header.baseFeePerGas) }),
    difficulty: quantityToHex(header.difficulty),
    extraData: dataToHex(header.extraData),
    gasLimit: quantityToHex(header.gasLimit),
    gasUsed: quantityToHex(header.gasUsed),
    hash: hash ?? null,
    logsBloom: dataToHex(header.logsBloom),
    miner: isPending ? null : dataToHex(header.coinbase),
    mixHash: dataToHex(header.mixHash),
    nonce: isPending ? null : dataToHex(header.nonce),
    number: quantityToHex(header.number),
    parentHash: dataToHex(header.parentHash),
    receiptsRoot: dataToHex(header.receiptsRoot),
    sha3Uncles: dataToHex(header.unclesHash),
    stateRoot: dataToHex(header.stateRoot),
    timestamp: quantityToHex(header.timestamp),
    transactionsRoot: dataToHex(header.transactionsRoot),
  }
}

/** Where a transaction stands; `hash` is the block's, undefined in the pending block. */
export interface TransactionPlace {
  readonly header: BlockHeader
  readonly hash: string | undefined
  readonly index: number
}

/** @param place Undefined for a transaction of the pool. @param sender 20 bytes. */
export function formatTransaction(
  transaction: Transaction,
  sender: Uint8Array,
  place: TransactionPlace | undefined,
): Json {
  const { type, chainId, signature } = transaction
  const isPlaced = place?.hash !== undefined
  const baseFee = isPlaced ? place.header.baseFeePerGas : undefined
  return {
    blockHash: place?.hash ?? null,
    blockNumber: isPlaced ? quantityToHex(place.header.number) : null,
    from: dataToHex(sender),
    gas: quantityToHex(transaction.gasLimit),
    gasPrice: quantityToHex(gasPriceShown(transaction, isPlaced, baseFee)),
    ...(type === 2
      ? {
          maxFeePerGas: quantityToHex(transaction.maxFeePerGas),
          maxPriorityFeePerGas: quantityToHex(transaction.maxPriorityFeePerGas),
        }
      : {}),
    hash: dataToHex(transactionHash(transaction)),
    input: dataToHex(transaction.data),
    nonce: quantityToHex(transaction.nonce),
    to: transaction.to === undefined ? null : dataToHex(transaction.to),
    transactionIndex: isPlaced ? quantityToHex(place.index) : null,
    value: quantityToHex(transaction.value),
    type: quantityToHex(type),
    ...(type === 0 ? {} : { accessList: formatAccessList(transaction.accessList) }),
    ...(chainId === undefined ? {} : { chainId: quantityToHex(chainId) }),
    v: quantityToHex(legacyV(transaction)),
    r: quantityToHex(BigInt(dataToHex(signature.r))),
    s: quantityToHex(BigInt(dataToHex(signature.s))),
    ...(type === 0 ? {} : { yParity: quantityToHex(signature.yParity) }),
  }
}

/** What was paid where the block is known, otherwise the most that may be. */
function gasPriceShown(
  transaction: Transaction,
  isPlaced: boolean,
  baseFee: bigint | undefined,
): bigint {
  return isPlaced ? effectiveGasPrice(transaction, baseFee ?? 0n) : transaction.maxFeePerGas
}

export function formatAccessList(entries: readonly AccessListEntry[]): Json[] {
  return entries.map(({ address, storageKeys }) => ({
    address: dataToHex(address),
    storageKeys: storageKeys.map((key) => dataToHex(key)),
  }))
}

export function formatLog(placed: PlacedLog, isRemoved = false): Json {
  const { log } = placed
  return {
    address: dataToHex(log.address),
    topics: log.topics.map((topic) => dataToHex(topic)),
    data: dataToHex(log.data),
    blockNumber: quantityToHex(placed.blockNumber),
    transactionHash: dataToHex(placed.transactionHash),
    transactionIndex: quantityToHex(placed.transactionIndex),
    blockHash: placed.blockHash,
    logIndex: quantityToHex(placed.logIndex),
    removed: isRemoved,
  }
}

/** Everything that a receipt's text needs, for all transactions of a block. */
export interface ReceiptsOfBlock {
  readonly block: Block
  /** `0x` and 64 digits. */
  readonly hash: string
  readonly senders: readonly Uint8Array[]
  readonly receipts: readonly Receipt[]
}

export function formatReceipt(blockReceipts: ReceiptsOfBlock, index: number): Json {
  const { block, hash, senders, receipts } = blockReceipts
  const transaction = block.transactions[index] as Transaction
  const receipt = receipts[index] as Receipt
  const sender = senders[index] as Uint8Array
  const before = index === 0 ? 0n : (receipts[index - 1] as Receipt).cumulativeGasUsed
  const { header } = block
  const { outcome } = receipt
  return {
    blockHash: hash,
    blockNumber: quantityToHex(header.number),
    contractAddress:
      transaction.to === undefined ? dataToHex(contractAddress(sender, transaction.nonce)) : null,
    cumulativeGasUsed: quantityToHex(receipt.cumulativeGasUsed),
    effectiveGasPrice: quantityToHex(effectiveGasPrice(transaction, header.baseFeePerGas ?? 0n)),
    from: dataToHex(sender),
    gasUsed: quantityToHex(receipt.cumulativeGasUsed - before),
    logs: placedLogs(blockReceipts, index).map((log) => formatLog(log)),
    logsBloom: dataToHex(receipt.logsBloom),
    ...(typeof outcome === 'number'
      ? { status: quantityToHex(outcome) }
      : { root: dataToHex(outcome) }),
    to: transaction.to === undefined ? null : dataToHex(transaction.to),
    transactionHash: dataToHex(transactionHash(transaction)),
    transactionIndex: quantityToHex(index),
    type: quantityToHex(transaction.type),
  }
}

/** The logs of one transaction. */
function placedLogs(blockReceipts: ReceiptsOfBlock, index: number): PlacedLog[] {
  const { block, hash, receipts } = blockReceipts
  const { number, timestamp } = block.header
  const { logs } = receipts[index] as Receipt
  if (logs.length === 0) return []
  let logIndex = 0
  for (const receipt of receipts.slice(0, index)) logIndex += receipt.logs.length
  const place = {
    blockNumber: number,
    blockHash: hash,
    timestamp,
    transactionHash: transactionHash(block.transactions[index] as Transaction),
    transactionIndex: index,
  }
  return logs.map((log, offset) => ({ log, ...place, logIndex: logIndex + offset }))
}
