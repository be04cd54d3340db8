/**
 * The block that is being made: transactions are appended as they arrive and never run twice. It is also the pending
 * block of JSON-RPC.
 */
import { type Block, type BlockHeader, encodeTransaction, type Transaction } from '@cairn/eth-codec'
import { orderedTrieRoot } from '@cairn/eth-state'
import type { PreparedHeader } from '../clique/sealing.ts'
import type { BlockExecution } from '../import/execution.ts'

/** What the pool knows of a transaction that may be executed now or after others of its sender. */
export interface PendingTransaction {
  readonly transaction: Transaction
  /** 20 bytes. */
  readonly sender: Uint8Array
}

/** Less gas than the cheapest transaction needs: the block is full. */
const gasLeftMin = 21_000n
/** Transactions together, so that the block stays below what peers read in one message (10 MiB), with room. */
const transactionBytesMax = 8 * 1024 * 1024

export class Candidate {
  readonly header: PreparedHeader
  readonly execution: BlockExecution
  readonly transactions: Transaction[] = []
  readonly senders: Uint8Array[] = []
  readonly #encoded: Uint8Array[] = []
  #bytes = 0
  #isClosed = false

  constructor(header: PreparedHeader, execution: BlockExecution) {
    this.header = header
    this.execution = execution
  }

  get isFull(): boolean {
    return this.execution.gasLeft < gasLeftMin
  }

  /**
   * Appends a transaction.
   * @returns false when it may not stand here: too dear for what is left, its nonce not the next, its sender too poor.
   */
  add({ transaction, sender }: PendingTransaction): boolean {
    if (this.#isClosed || this.isFull) return false
    const encoded = encodeTransaction(transaction)
    if (this.#bytes + encoded.length > transactionBytesMax) return false
    try {
      this.execution.add(transaction, sender)
    } catch (error) {
      if (isRefusal(error)) return false
      throw error
    }
    this.transactions.push(transaction)
    this.senders.push(sender)
    this.#encoded.push(encoded)
    this.#bytes += encoded.length
    return true
  }

  /** The header as it is sealed. Nothing is appended any more. */
  close(): BlockHeader {
    this.#isClosed = true
    return this.#headerWith(this.execution.finish().root)
  }

  /**
   * The block as it stands, for those who ask for the pending one. Its state root is zeros: hashing the state for each
   * question would cost more than the answer is worth.
   */
  peek(): Block {
    const header = this.#headerWith(new Uint8Array(32))
    return { header, transactions: [...this.transactions], uncles: [] }
  }

  #headerWith(stateRoot: Uint8Array): BlockHeader {
    const { gasUsed, logsBloom, receiptsRoot } = this.execution
    return {
      ...this.header,
      stateRoot,
      transactionsRoot: orderedTrieRoot(this.#encoded),
      receiptsRoot,
      logsBloom: logsBloom.slice(),
      gasUsed,
    }
  }
}

/** Rules that a transaction breaks here and may keep elsewhere; anything else is a fault of ours. */
function isRefusal(error: unknown): boolean {
  const name = error instanceof Error ? error.name : ''
  return name === 'TransactionError' || name === 'ExecutionError'
}
