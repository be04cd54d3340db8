/**
 * Receipts and logs in RLP, as receipt tries and the `eth` protocol have them (EIP-658, EIP-2718). What JSON-RPC adds
 * to a receipt (hashes, positions, prices) is no part of it.
 */
import { TransactionError } from './errors.ts'
import { bloomBytesSize } from './logs-bloom.ts'
import { decodeRlp, encodeRlp, encodeTypedRlp, type RlpItem } from './rlp.ts'
import {
  bytesField,
  fieldError,
  fixedField,
  listField,
  numberField,
  numberToBytes,
} from './rlp-fields.ts'
import type { TransactionType } from './transaction.ts'

export interface Log {
  /** 20 bytes. */
  readonly address: Uint8Array
  /** 32 bytes each, at most 4. */
  readonly topics: readonly Uint8Array[]
  readonly data: Uint8Array
}

export interface Receipt {
  readonly type: TransactionType
  /** 1 when the transaction did what it said, 0 when it was reverted; before Byzantium the state root, 32 bytes. */
  readonly outcome: 0 | 1 | Uint8Array
  /** Of the block, up to and with this transaction. */
  readonly cumulativeGasUsed: bigint
  /** 256 bytes. */
  readonly logsBloom: Uint8Array
  readonly logs: readonly Log[]
}

const topicCountMax = 4

/** The bytes that stand in a receipt trie. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const fields = receiptFields(receipt)
  return receipt.type === 0 ? encodeRlp(fields) : encodeTypedRlp(receipt.type, fields)
}

/** The item that stands for a receipt in a message. */
export function receiptToRlp(receipt: Receipt): RlpItem {
  return receipt.type === 0 ? receiptFields(receipt) : encodeReceipt(receipt)
}

function receiptFields({ outcome, cumulativeGasUsed, logsBloom, logs }: Receipt): RlpItem[] {
  return [
    typeof outcome === 'number' ? numberToBytes(BigInt(outcome)) : outcome,
    numberToBytes(cumulativeGasUsed),
    logsBloom,
    logs.map(({ address, topics, data }) => [address, topics, data]),
  ]
}

/** @returns fields that are views into `bytes`. @throws RlpError, or TransactionError for an unknown type. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const type = bytes[0]
  if (type === undefined || type >= 0xc0) return receiptOf(0, decodeRlp(bytes))
  if (type === 1 || type === 2) return receiptOf(type, decodeRlp(bytes.subarray(1)))
  throw new TransactionError(
    { code: 'TYPE_NOT_SUPPORTED', type },
    { shortMessage: 'transaction type not supported', metaMessages: [`Receipt type: ${type}`] },
  )
}

/** @throws as {@link decodeReceipt}. */
export function receiptFromRlp(item: RlpItem): Receipt {
  if (!(item instanceof Uint8Array)) return receiptOf(0, item)
  if ((item[0] ?? 0xc0) >= 0xc0) throw fieldError('receipt', 'is a byte string without a type')
  return decodeReceipt(item)
}

function receiptOf(type: TransactionType, item: RlpItem): Receipt {
  const fields = listField(item, 'receipt', 4)
  return {
    type,
    outcome: outcomeField(fields[0]),
    cumulativeGasUsed: numberField(fields[1], 'cumulativeGasUsed', 8),
    logsBloom: fixedField(fields[2], 'logsBloom', bloomBytesSize),
    logs: listField(fields[3], 'logs').map(logFromRlp),
  }
}

function outcomeField(item: RlpItem | undefined): 0 | 1 | Uint8Array {
  const bytes = bytesField(item, 'status')
  if (bytes.length === 32) return bytes
  if (bytes.length === 0) return 0
  if (bytes.length === 1 && bytes[0] === 1) return 1
  throw fieldError('status', 'is neither 0, 1 nor a state root')
}

function logFromRlp(item: RlpItem): Log {
  const fields = listField(item, 'log', 3)
  const topics = listField(fields[1], 'topics')
  if (topics.length > topicCountMax) throw fieldError('topics', `has ${topics.length} items`)
  return {
    address: fixedField(fields[0], 'log address', 20),
    topics: topics.map((topic) => fixedField(topic, 'topic', 32)),
    data: bytesField(fields[2], 'log data'),
  }
}
