/**
 * What owns a chain: state, the one writer of the database, sealer, import. On the thread of whoever asks
 * (local-execution.ts) or on one of its own (remote-execution.ts); pool and JSON-RPC cannot tell which.
 */
import type { AccountProof } from '@cairn/eth-state'
import type { ImportResult } from '../chain.ts'
import type { ChainReader } from '../chain-reader.ts'
import type { CliqueProposals } from '../clique/proposals.ts'
import type { ImportProgress } from '../file/chain-file.ts'
import type { TransactionPool } from '../pool/transaction-pool.ts'
import type { PendingBlock } from './pending-block.ts'

export interface SealingOptions {
  /** Copied. */
  readonly privateKey: Uint8Array
  /** Up to 32 bytes of anything. */
  readonly vanity?: Uint8Array
  readonly gasLimitWanted?: bigint
}

export interface Execution {
  readonly chain: ChainReader
  readonly isSealing: boolean
  /** Whom this node votes on when it seals. */
  readonly proposals: Pick<CliqueProposals, 'propose' | 'discard' | 'list'>
  /** Why nothing is executed any more; undefined while all is well. */
  readonly failure: Error | undefined

  /** Seals what is in the pool with a key from now on, in place of any other. */
  startSealing(options: SealingOptions, pool: TransactionPool): Promise<void>
  /** Resolves when nothing will be sealed any more. */
  stopSealing(): Promise<void>
  /** From the next block on. */
  setVanity(vanity: Uint8Array): void
  /** From the next block on. */
  setGasLimit(gasLimit: bigint): void

  /** Undefined while none is being made: then the head is the best answer. */
  pendingBlock(): Promise<PendingBlock | undefined>
  /**
   * Proof of an account and of slots of it against a state root.
   * @param address 20 bytes. @param slots 32 bytes each.
   * @throws StateError STATE_NOT_AVAILABLE
   */
  proof(root: Uint8Array, address: Uint8Array, slots: readonly Uint8Array[]): Promise<AccountProof>
  /** Blocks that were found invalid, the highest first, in RLP. */
  badBlocks(): Promise<readonly Uint8Array[]>
  /**
   * @param blocks In RLP, each the child of the one before it. Those before an invalid one are kept.
   * @throws what `Chain.importBlocks` does, RlpError
   */
  importBlocks(blocks: readonly Uint8Array[]): Promise<ImportResult>
  /** Imports a chain file. @returns how many of its blocks were new. @throws ChainError, or what reading it does. */
  importFile(path: string, onProgress?: (progress: ImportProgress) => void): Promise<number>

  /** The node closes: files that are being imported end where they have come to, with an error, and so do others. */
  endImports(): void
  /** Ends sealing, and writes what opening would have to work out again. */
  close(): Promise<void>
}
