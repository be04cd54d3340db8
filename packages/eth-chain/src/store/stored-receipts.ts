/**
 * Receipts of a block as they are stored: without the blooms, which follow from the logs and would be most of it.
 *
 *   [[type, outcome, cumulative gas used, [[address, topics, data]…]]…]
 */
import {
  decodeRlp,
  encodeRlp,
  type Log,
  logsBloom,
  type Receipt,
  type RlpItem,
  type TransactionType,
} from '@cairn/eth-codec'
import { chainDamaged } from '../errors.ts'
import { decodeU64, encodeU64 } from './keys.ts'

export function encodeReceipts(receipts: readonly Receipt[]): Uint8Array {
  return encodeRlp(
    receipts.map(({ type, outcome, cumulativeGasUsed, logs }) => [
      Uint8Array.of(type),
      typeof outcome === 'number' ? Uint8Array.of(outcome) : outcome,
      encodeU64(cumulativeGasUsed),
      logs.map(({ address, topics, data }) => [address, topics, data]),
    ]),
  )
}

/** @throws ChainError CHAIN_DAMAGED */
export function decodeReceipts(bytes: Uint8Array): Receipt[] {
  return listOf(decodeRlp(bytes)).map((item) => {
    const [type, outcome, gas, logs] = listOf(item)
    const outcomeBytes = bytesOf(outcome)
    const decoded = listOf(logs).map(decodeLog)
    return {
      type: (bytesOf(type)[0] ?? 0) as TransactionType,
      outcome: outcomeBytes.length === 32 ? outcomeBytes : outcomeBytes[0] === 1 ? 1 : 0,
      cumulativeGasUsed: decodeU64(bytesOf(gas)),
      logsBloom: logsBloom(decoded),
      logs: decoded,
    }
  })
}

function decodeLog(item: RlpItem): Log {
  const [address, topics, data] = listOf(item)
  return { address: bytesOf(address), topics: listOf(topics).map(bytesOf), data: bytesOf(data) }
}

function listOf(item: RlpItem | undefined): readonly RlpItem[] {
  if (item === undefined || item instanceof Uint8Array) throw chainDamaged('stored receipts')
  return item
}

function bytesOf(item: RlpItem | undefined): Uint8Array {
  if (item instanceof Uint8Array) return item
  throw chainDamaged('stored receipts')
}
