/**
 * What calls read: blocks by reference, the state behind each, and the pending block. Texts of errors are geth's
 * (internal/ethapi and eth/api_backend, 1.13).
 */
import {
  type BlockHashes,
  blockContext,
  type ChainReader,
  type ExecutedBlock,
  type Execution,
  type PendingBlock,
} from '@cairn/eth-chain'
import { type BlockHeader, dataFromHex, dataToHex, type StateReader } from '@cairn/eth-codec'
import type { BlockContext } from '@cairn/eth-evm'
import { faults } from './faults.ts'
import type { BlockReference, BlockTag } from './parameters.ts'

/** A block and the state after it. */
export interface StateView {
  readonly header: BlockHeader
  readonly state: StateReader
  /** For calls that run as if they were in that block. */
  readonly context: BlockContext
}

/** What is read of a node beside its chain. Both come later, since they may have to come from another thread. */
export type NodeViewOptions = Pick<Execution, 'chain' | 'pendingBlock' | 'proof' | 'badBlocks'>

/** Something, at once where it is at hand. */
export type MaybeLater<T> = T | Promise<T>

/** @returns what `use` makes of the value, at once where it is at hand. */
export function whenThere<T, R>(value: MaybeLater<T>, use: (value: T) => R): MaybeLater<R> {
  return value instanceof Promise ? value.then(use) : use(value)
}

export class NodeView {
  readonly chain: ChainReader
  readonly #options: NodeViewOptions

  constructor(options: NodeViewOptions) {
    this.chain = options.chain
    this.#options = options
  }

  /** Undefined while none is being made. */
  pendingBlock(): Promise<PendingBlock | undefined> {
    return this.#options.pendingBlock()
  }

  /** In RLP, the highest first. */
  badBlocks(): Promise<readonly Uint8Array[]> {
    return this.#options.badBlocks()
  }

  /** The hash of a stored block, `0x` and 64 digits; undefined when there is none. */
  findHash(reference: BlockReference): string | undefined {
    switch (reference.kind) {
      case 'tag':
        return this.#hashOfTag(reference.tag)
      case 'number':
        return this.chain.store.canonicalHash(reference.number)
      case 'hash':
        return this.#checkedHash(dataToHex(reference.hash), reference.requireCanonical)
    }
  }

  #hashOfTag(tag: BlockTag): string | undefined {
    switch (tag) {
      case 'earliest':
        return this.chain.genesisHash
      case 'latest':
      // Without a block in the making the last one is the best answer there is.
      case 'pending':
        return this.chain.head.hash
      // Clique finalizes nothing (spec, section 3).
      case 'finalized':
        throw faults.server('finalized block not found')
      case 'safe':
        throw faults.server('safe block not found')
    }
  }

  #checkedHash(hash: string, requireCanonical: boolean): string | undefined {
    const header = this.chain.store.headerByHash(hash)
    if (header === undefined) return undefined
    if (requireCanonical && !this.chain.isCanonical(hash, header.number)) {
      throw faults.server('hash is not currently canonical')
    }
    return hash
  }

  /** @throws RpcFault when there is no such block. */
  header(reference: BlockReference): { readonly header: BlockHeader; readonly hash: string } {
    const hash = this.findHash(reference)
    const header = hash === undefined ? undefined : this.chain.store.headerByHash(hash)
    if (hash !== undefined && header !== undefined) return { header, hash }
    throw faults.server(
      reference.kind === 'hash' ? 'header for hash not found' : 'header not found',
    )
  }

  /**
   * Later for the pending block, at once for all others.
   * @throws RpcFault when there is no such block, or its state is not kept any more.
   */
  stateAfter(reference: BlockReference): MaybeLater<StateView> {
    if (!isPending(reference)) return this.#storedState(reference)
    return this.pendingBlock().then((pending) => {
      if (pending === undefined) return this.#storedState(reference)
      const { block, state, context } = pending
      return { header: block.header, state, context }
    })
  }

  #storedState(reference: BlockReference): StateView {
    const { header, hash } = this.header(reference)
    return { header, state: this.#stateOf(header), context: this.contextOf(header, hash) }
  }

  /** Of an account and slots of it after a block. @throws RpcFault as `stateAfter` */
  proof(
    reference: BlockReference,
    address: Uint8Array,
    slots: readonly Uint8Array[],
  ): ReturnType<Execution['proof']> {
    return this.#options.proof(this.header(reference).header.stateRoot, address, slots)
  }

  #stateOf(header: BlockHeader): StateReader {
    const state = this.chain.stateAt(header.stateRoot)
    if (state !== undefined) return state
    const root = dataToHex(header.stateRoot)
    throw faults.server(`missing trie node ${root.slice(2)} (path ) state ${root} is not available`)
  }

  /** The block as its transactions saw it. */
  contextOf(header: BlockHeader, hash: string): BlockContext {
    // Nobody signed the genesis block.
    const author =
      header.number === 0n ? header.coinbase : dataFromHex(this.chain.rules.signerOf(header, hash))
    return blockContext(header, author, this.#hashes)
  }

  readonly #hashes: BlockHashes = {
    ancestorHash: (parentHash, parentNumber, number) =>
      this.chain.store.ancestorHash(parentHash, parentNumber, number),
  }

  /** A block of any branch with its receipts. */
  executedBlock(hash: string): ExecutedBlock | undefined {
    return this.chain.executedBlock(hash)
  }
}

export function isPending(reference: BlockReference): boolean {
  return reference.kind === 'tag' && reference.tag === 'pending'
}
