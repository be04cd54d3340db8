/**
 * Checks a whole ledger, block by block in order: content, links, and both trees as they grow. What the trees hash to
 * is for the caller to compare with a digest or checkpoint that was kept elsewhere; a forger's ledger replays too.
 */
import { emptyBytes } from '@cairn/core'
import { forgetfulNodeStore, MerkleTree, qldbHasher, tlogHasher } from '@cairn/merkle'
import type { Block, BlockAddress } from './block.ts'
import { type BlockContent, type BlockContentOptions, verifyBlockContent } from './block-content.ts'
import { blockError, checkHash } from './errors.ts'

/** As much of a block as its successor must match. */
export type BlockLink = Pick<Block, 'blockAddress' | 'blockHash'>

/**
 * That `block` follows `previous`; with `undefined`, that it is the first of its strand.
 * @throws VerificationError STRAND_MISMATCH, SEQUENCE_MISMATCH, CHAIN_BROKEN
 */
export function verifyChain(previous: BlockLink | undefined, block: Block): void {
  const { blockAddress } = block
  checkPosition(previous, blockAddress)
  const computed = previous === undefined ? emptyBytes : previous.blockHash
  checkHash(
    { code: 'CHAIN_BROKEN', blockAddress, stated: block.previousBlockHash, computed },
    previous === undefined
      ? 'it is the first and has a previousBlockHash'
      : 'previousBlockHash is not the hash of the block before it',
  )
}

function checkPosition(previous: BlockLink | undefined, blockAddress: BlockAddress): void {
  const strandId = previous?.blockAddress.strandId ?? blockAddress.strandId
  if (blockAddress.strandId !== strandId) {
    throw blockError(
      { code: 'STRAND_MISMATCH', blockAddress, expected: strandId },
      `the block before it is of strand ${strandId}`,
    )
  }
  const expected = previous === undefined ? 0 : previous.blockAddress.sequenceNo + 1
  if (blockAddress.sequenceNo !== expected) {
    throw blockError(
      { code: 'SEQUENCE_MISMATCH', blockAddress, expected },
      `block ${expected} was due here`,
    )
  }
}

export interface LedgerReplayOptions {
  /** Strand that the ledger must have. */
  readonly strandId?: string
  /**
   * Blocks at the beginning that QLDB made, to which only QLDB's own rules apply. `detect`: those before the first
   * block that carries Cairn's header; compare the count that comes out with what you know of the ledger.
   */
  readonly importedBlockCount?: number | 'detect'
}

export interface LedgerReplay {
  /**
   * Checks the next block and takes it in. After an error the replay stands where it stood before.
   * @throws VerificationError
   */
  add(block: Block, options?: Pick<BlockContentOptions, 'catalogInfoHash'>): BlockContent
  /** Address of the last block taken in. */
  readonly tip: BlockAddress | undefined
  readonly blockCount: number
  /** Blocks at the beginning that were taken as QLDB's. */
  readonly importedBlockCount: number
  /** QLDB digest over the blocks so far; zero bytes when there are none. */
  digest(): Uint8Array
  /** Root of the tlog tree over the entries so far. */
  tlogRoot(): Uint8Array
}

/** Memory does not grow with the ledger: of both trees only the peaks are kept. */
export function createLedgerReplay(options: LedgerReplayOptions = {}): LedgerReplay {
  const { strandId, importedBlockCount = 0 } = options
  const qldbTree = new MerkleTree(qldbHasher, forgetfulNodeStore)
  const tlogTree = new MerkleTree(tlogHasher, forgetfulNodeStore)
  let previous: BlockLink | undefined
  let importedCount = 0
  return {
    add(block, contentOptions = {}) {
      const { blockAddress, blockHash } = block
      if (strandId !== undefined && blockAddress.strandId !== strandId) {
        throw blockError(
          { code: 'STRAND_MISMATCH', blockAddress, expected: strandId },
          `the ledger has strand ${strandId}`,
        )
      }
      // Cairn's blocks follow upon QLDB's, never the other way round.
      const mayBeImported = importedCount === qldbTree.size
      const strict =
        importedBlockCount !== 'detect'
          ? blockAddress.sequenceNo >= importedBlockCount
          : mayBeImported
            ? ('detect' as const)
            : true
      // What QLDB put before its first block is not documented, so an imported one may say anything there.
      const mayHavePrevious = previous === undefined && strict !== true
      if (mayHavePrevious) checkPosition(previous, blockAddress)
      else verifyChain(previous, block)
      const content = verifyBlockContent(block, { ...contentOptions, strict })
      if (mayHavePrevious && content.form === 'native') verifyChain(previous, block)
      qldbTree.append(blockHash)
      tlogTree.append(content.leafHash)
      if (content.form === 'imported') importedCount++
      previous = { blockAddress, blockHash }
      return content
    },
    get tip() {
      return previous?.blockAddress
    },
    get blockCount() {
      return qldbTree.size
    },
    get importedBlockCount() {
      return importedCount
    },
    digest: () => qldbTree.root(),
    tlogRoot: () => tlogTree.root(),
  }
}
