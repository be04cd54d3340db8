/**
 * Blocks in RLP: header, transactions, uncles. Uncles are read and written since hashes cover them, although no chain
 * of ours has any; withdrawals (a fourth item) are refused.
 */
import { type BlockHeader, blockHeaderFromRlp, blockHeaderToRlp } from './block-header.ts'
import { decodeRlp, encodeRlp, type RlpItem } from './rlp.ts'
import { listField } from './rlp-fields.ts'
import { type Transaction, transactionFromRlp, transactionToRlp } from './transaction.ts'

/** What a block holds beside its header. */
export interface BlockBody {
  readonly transactions: readonly Transaction[]
  readonly uncles: readonly BlockHeader[]
}

export interface Block extends BlockBody {
  readonly header: BlockHeader
}

export function blockToRlp(block: Block): RlpItem[] {
  return [blockHeaderToRlp(block.header), ...blockBodyToRlp(block)]
}

export function encodeBlock(block: Block): Uint8Array {
  return encodeRlp(blockToRlp(block))
}

/** @returns fields that are views into `bytes`. @throws RlpError or TransactionError. */
export function decodeBlock(bytes: Uint8Array): Block {
  return blockFromRlp(decodeRlp(bytes))
}

/** @throws RlpError or TransactionError. */
export function blockFromRlp(item: RlpItem): Block {
  const [header, transactions, uncles] = listField(item, 'block', 3)
  return {
    header: blockHeaderFromRlp(header as RlpItem),
    ...blockBodyFromRlp([transactions as RlpItem, uncles as RlpItem]),
  }
}

/** As in the `eth` protocol's answers: transactions and uncles. */
export function blockBodyToRlp({ transactions, uncles }: BlockBody): RlpItem[] {
  return [transactions.map(transactionToRlp), uncles.map(blockHeaderToRlp)]
}

/** @throws RlpError or TransactionError. */
export function blockBodyFromRlp(item: RlpItem): BlockBody {
  const fields = listField(item, 'body', 2)
  return {
    transactions: listField(fields[0], 'transactions').map(transactionFromRlp),
    uncles: listField(fields[1], 'uncles').map(blockHeaderFromRlp),
  }
}
