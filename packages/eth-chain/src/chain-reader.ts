/**
 * What is read of a chain by JSON-RPC, the pool and the network: the chain itself where one thread does all, else a
 * replica of it (execution/chain-replica.ts). Between two calls back of `onHead` all of it is of one piece.
 */
import type { Block, BlockHeader, ChainConfig } from '@cairn/eth-codec'
import type { Evm } from '@cairn/eth-evm'
import type { State } from '@cairn/eth-state'
import type { CliqueEngine } from './clique/clique-engine.ts'
import type { ChainStore, ExecutedBlock } from './store/chain-store.ts'

export interface ChainHead {
  /** `0x` and 64 digits. */
  readonly hash: string
  readonly header: BlockHeader
  readonly totalDifficulty: bigint
}

/** A block by its header; the rest is in the store. */
export interface HashedHeader {
  /** `0x` and 64 digits. */
  readonly hash: string
  readonly header: BlockHeader
}

/** The head moved: first the blocks that left the canonical chain, newest first, then those that came, oldest first. */
export interface HeadChange {
  readonly head: ChainHead
  readonly removed: readonly HashedHeader[]
  readonly added: readonly HashedHeader[]
}

/** Who gets the tips of a block. */
export interface BlockAuthors {
  /** `0x` and 40 digits. @throws HeaderError */
  signerOf(header: BlockHeader, hash?: string): string
}

export interface ChainReader {
  /** To be read from only. */
  readonly store: ChainStore
  readonly config: ChainConfig
  readonly genesisHash: string
  readonly evm: Evm
  readonly rules: BlockAuthors
  /** Undefined on a chain that is not Clique's. */
  readonly clique: CliqueEngine | undefined
  readonly head: ChainHead
  /** Calls back after every move of the head. @returns what ends it. */
  onHead(listener: (change: HeadChange) => void): () => void
  /** The state of that root; undefined when it is not kept. */
  stateAt(root: Uint8Array): State | undefined
  headerByNumber(number: bigint): BlockHeader | undefined
  blockByNumber(number: bigint): Block | undefined
  isCanonical(hash: string, number: bigint): boolean
  /** A canonical or remembered block with its receipts. */
  executedBlock(hash: string): ExecutedBlock | undefined
}
