/**
 * What calls read: blocks by reference, the state behind each, and the pending block. Texts of errors are geth's
 * (internal/ethapi and eth/api_backend, 1.13).
 */
import { type BlockHashes, blockContext, type Chain, type ExecutedBlock } from '@cairn/eth-chain'
import { type BlockHeader, dataFromHex, dataToHex, type StateReader } from '@cairn/eth-codec'
import type { BlockContext } from '@cairn/eth-evm'
import { faults } from './faults.ts'
import type { BlockReference, BlockTag } from './parameters.ts'

/** The block that is being made, as far as it is. */
export interface PendingBlock {
  /** Its state root is not known yet. */
  readonly block: ExecutedBlock['block']
  readonly senders: readonly Uint8Array[]
  readonly receipts: ExecutedBlock['receipts']
  readonly state: StateReader
  readonly context: BlockContext
}

/** A block and the state after it. */
export interface StateView {
  readonly header: BlockHeader
  readonly state: StateReader
  /** For calls that run as if they were in that block. */
  readonly context: BlockContext
}

export interface NodeViewOptions {
  readonly chain: Chain
  /** Undefined while none is being made. */
  pendingBlock(): PendingBlock | undefined
}

export class NodeView {
  readonly chain: Chain
  readonly #pendingBlock: () => PendingBlock | undefined

  constructor({ chain, pendingBlock }: NodeViewOptions) {
    this.chain = chain
    this.#pendingBlock = pendingBlock
  }

  get pending(): PendingBlock | undefined {
    return this.#pendingBlock()
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

  /** @throws RpcFault when there is no such block, or its state is not kept any more. */
  stateAfter(reference: BlockReference): StateView {
    const isPending = reference.kind === 'tag' && reference.tag === 'pending'
    const pending = isPending ? this.pending : undefined
    if (pending !== undefined) {
      const { block, state, context } = pending
      return { header: block.header, state, context }
    }
    const { header, hash } = this.header(reference)
    return { header, state: this.#stateOf(header), context: this.#contextOf(header, hash) }
  }

  #stateOf(header: BlockHeader): StateReader {
    const state = this.chain.states.stateAt(header.stateRoot)
    if (state !== undefined) return state
    const root = dataToHex(header.stateRoot)
    throw faults.server(`missing trie node ${root.slice(2)} (path ) state ${root} is not available`)
  }

  #contextOf(header: BlockHeader, hash: string): BlockContext {
    // Nobody signed the genesis block.
    const author =
      header.number === 0n ? header.coinbase : dataFromHex(this.chain.rules.signerOf(header, hash))
    return blockContext(header, author, this.#hashes)
  }

  readonly #hashes: BlockHashes = {
    ancestorHash: (parentHash, parentNumber, number) => {
      const { store } = this.chain
      let hash: string | undefined = parentHash
      for (let at = parentNumber; hash !== undefined && at > number; at--) {
        if (this.chain.isCanonical(hash, at)) {
          hash = store.canonicalHash(number)
          break
        }
        const header = store.headerByHash(hash)
        hash = header === undefined ? undefined : dataToHex(header.parentHash)
      }
      return hash === undefined ? undefined : dataFromHex(hash)
    },
  }

  /** A block of any branch with its receipts. */
  executedBlock(hash: string): ExecutedBlock | undefined {
    return this.chain.executedBlock(hash)
  }
}
