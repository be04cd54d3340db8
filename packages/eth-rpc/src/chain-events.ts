/** What filters and subscriptions wait for: heads, logs that came and went, transactions that became executable. */
import type { Chain, ExecutedBlock } from '@cairn/eth-chain'
import type { PooledTransaction } from './namespaces/eth-blocks.ts'

export interface PendingTransactionEvent extends PooledTransaction {
  /** `0x` and 64 digits. */
  readonly hash: string
}

export interface ChainEvents {
  /** Blocks that left the canonical chain, newest first, then those that came, oldest first. */
  onBlocks(
    listener: (removed: readonly ExecutedBlock[], added: readonly ExecutedBlock[]) => void,
  ): () => void
  onTransaction(listener: (transaction: PendingTransactionEvent) => void): () => void
}

export interface ExecutableTransactions {
  onExecutable(listener: (transaction: PendingTransactionEvent) => void): () => void
}

export function chainEvents(chain: Chain, pool: ExecutableTransactions): ChainEvents {
  return {
    onBlocks: (listener) => chain.onHead(({ removed, added }) => listener(removed, added)),
    onTransaction: (listener) => pool.onExecutable(listener),
  }
}
