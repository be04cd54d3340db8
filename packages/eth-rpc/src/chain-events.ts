/** What filters and subscriptions wait for: heads, logs that came and went, transactions that became executable. */
import type { ChainReader, HashedHeader } from '@cairn/eth-chain'
import type { PooledTransaction } from './namespaces/eth-blocks.ts'

export interface PendingTransactionEvent extends PooledTransaction {
  /** `0x` and 64 digits. */
  readonly hash: string
}

export interface ChainEvents {
  /** Blocks that left the canonical chain, newest first, then those that came, oldest first. */
  onBlocks(
    listener: (removed: readonly HashedHeader[], added: readonly HashedHeader[]) => void,
  ): () => void
  onTransaction(listener: (transaction: PendingTransactionEvent) => void): () => void
}

export interface ExecutableTransactions {
  onExecutable(listener: (transaction: PendingTransactionEvent) => void): () => void
}

export function chainEvents(chain: ChainReader, pool: ExecutableTransactions): ChainEvents {
  return {
    onBlocks: (listener) => chain.onHead(({ removed, added }) => listener(removed, added)),
    onTransaction: (listener) => pool.onExecutable(listener),
  }
}
