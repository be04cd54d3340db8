/**
 * Seals blocks: hashes them, links each to the one before, and brings the projections up to what is on the disk. All of
 * this can run beside the thread that executes transactions (sealer-thread.ts); here is the work itself, and the form
 * of it that runs in place.
 */
import { assert } from '@cairn/core'
import { decodeIon, hashIonBytes, type IonStruct } from '@cairn/ion'
import { MerkleTree, qldbHasher, tlogHasher } from '@cairn/merkle'
import { type BuiltBlock, buildBlock } from './block-builder.ts'
import { encodeBlockBody } from './block-record.ts'
import { Catalog } from './catalog.ts'
import type { NodeFile } from './node-file.ts'
import { changesIndexes, type ProjectedBlock, type Projection } from './projection.ts'
import { Revision } from './revision.ts'
import type { UnsealedBlock, UnsealedRevision } from './unsealed-block.ts'

/** Blocks per commit of the projection. */
export const projectedBlockCountMax = 2000

export interface SealedBlock {
  /** Leaf of the QLDB tree. */
  readonly blockHash: Uint8Array
  /** Leaf of the RFC 6962 tree. */
  readonly entryHash: Uint8Array
  /** For the journal. */
  readonly body: Uint8Array
}

export interface SealerListener {
  /** In the order of `seal`, each block once. The bytes are the listener's. */
  onSealed(blocks: readonly SealedBlock[]): void
  /** The projections are on the disk up to this block. */
  onProjected(sequenceNo: number): void
  /** The projection has other files now; before any further `onProjected`. */
  onExchanged(): void
  /** Nothing is sealed or projected any more. */
  onFailed(error: unknown): void
}

export interface Sealer {
  /** Takes the next block. @param isAlone Nobody else commits at this time: what counts is how soon it is sealed. */
  seal(block: UnsealedBlock, isAlone: boolean): void
  /** Blocks below `durableCount` are on the disk: the projections may have them. */
  project(durableCount: number): void
  /**
   * `Projection.clean`, in turn with projecting. Only one at a time.
   * @throws what it throws; sealing and projecting go on.
   */
  clean(supersededNo: number, finishedNos: readonly number[], signal: AbortSignal): Promise<void>
  /** Projects what is on the disk and lets go of the files. */
  close(durableCount: number): Promise<void>
}

interface Waiting extends ProjectedBlock {
  readonly blockHash: Uint8Array
  readonly timestampMs: number
}

/** The state of one ledger's chain, and its projections. */
export class SealingChain {
  readonly #strandId: string
  readonly #projection: Projection
  readonly #nodeFile: NodeFile
  readonly #qldbTree: MerkleTree
  readonly #tlogTree: MerkleTree
  #tipHash: Uint8Array
  #waiting: Waiting[] = []

  /** @param tipHash Hash of block `size - 1`; zero bytes when there is none. */
  constructor(fields: {
    readonly strandId: string
    readonly tipHash: Uint8Array
    readonly size: number
    readonly projection: Projection
    readonly nodeFile: NodeFile
  }) {
    this.#strandId = fields.strandId
    this.#projection = fields.projection
    this.#nodeFile = fields.nodeFile
    this.#tipHash = fields.tipHash
    this.#qldbTree = new MerkleTree(qldbHasher, fields.nodeFile.store(0), fields.size)
    this.#tlogTree = new MerkleTree(tlogHasher, fields.nodeFile.store(1), fields.size)
  }

  seal(block: UnsealedBlock): SealedBlock {
    const { sequenceNo, transactionId, timestampMs, catalogChange } = block
    assert(sequenceNo === this.#qldbTree.size, 'blocks are sealed in order')
    const { record, entryHash } = linkBlock(this.#strandId, this.#tipHash, block)
    const { blockHash } = record
    this.#tipHash = blockHash
    this.#qldbTree.append(blockHash)
    this.#tlogTree.append(entryHash)
    this.#waiting.push({
      sequenceNo,
      blockHash,
      timestampMs,
      revisions: block.revisions.map(({ tableNo, documentId, version, indexChanges }, ordinal) => ({
        tableNo,
        indexChanges,
        revision: Revision.of({
          documentId,
          version,
          sequenceNo,
          ordinal,
          transactionTimeMs: timestampMs,
          transactionId,
          hash: record.revisions[ordinal]?.hash,
          data: record.revisions[ordinal]?.data,
        }),
      })),
      redactions: block.redactions,
      catalog:
        catalogChange === undefined ? undefined : Catalog.fromIon(decodeIon(catalogChange.catalog)),
      createdIndexes: catalogChange?.createdIndexes ?? [],
      droppedIndexNos: catalogChange?.droppedIndexNos ?? [],
    })
    return { blockHash, entryHash, body: encodeBlockBody(record) }
  }

  /**
   * One commit of the projections with blocks below `durableCount`.
   * @returns the last block they have then, or undefined when there was nothing to do.
   */
  async project(durableCount: number): Promise<number | undefined> {
    const blocks = this.#waiting.slice(0, this.#projectableCount(durableCount))
    const last = blocks.at(-1)
    if (last === undefined) return undefined
    const { sequenceNo, blockHash, timestampMs } = last
    const size = sequenceNo + 1
    const qldbRoot = this.#qldbTree.root(size)
    const tlogRoot = this.#tlogTree.root(size)
    await this.#nodeFile.flush(size)
    const watermark = { sequenceNo, blockHash, timestampMs, qldbRoot, tlogRoot }
    await this.#projection.apply(blocks, watermark)
    this.#waiting = this.#waiting.slice(blocks.length)
    return sequenceNo
  }

  clean(
    supersededNo: number,
    finishedNos: readonly number[],
    signal: AbortSignal,
  ): Promise<boolean> {
    return this.#projection.clean(supersededNo, finishedNos, signal)
  }

  #projectableCount(durableCount: number): number {
    let count = 0
    for (const block of this.#waiting) {
      if (count === projectedBlockCountMax || block.sequenceNo >= durableCount) break
      if (count > 0 && changesIndexes(block)) break
      count++
    }
    return count
  }

  /** Projects everything below `durableCount`. */
  async finish(durableCount: number): Promise<void> {
    while ((await this.project(durableCount)) !== undefined);
  }
}

/** Hashes a block and links it to the one before. */
export function linkBlock(
  strandId: string,
  previousBlockHash: Uint8Array,
  block: UnsealedBlock,
): BuiltBlock {
  const { sequenceNo, transactionId, timestampMs, statements, catalogChange } = block
  return buildBlock({
    strandId,
    sequenceNo,
    previousBlockHash,
    transactionId,
    timestampMs,
    statements,
    catalogInfo:
      catalogChange === undefined
        ? undefined
        : { bytes: catalogChange.info, value: decodeIon(catalogChange.info) as IonStruct },
    revisions: block.revisions.map(withDataHash),
    redactions: block.redactions,
  })
}

function withDataHash(revision: UnsealedRevision): UnsealedRevision {
  const { data, dataHash } = revision
  if (data === undefined || dataHash !== undefined) return revision
  return { ...revision, dataHash: hashIonBytes(data) }
}

/** Seals in place, within the call. */
export class InlineSealer implements Sealer {
  readonly #chain: SealingChain
  readonly #nodeFile: NodeFile
  readonly #listener: SealerListener
  #projecting: Promise<unknown> = Promise.resolve()

  constructor(chain: SealingChain, nodeFile: NodeFile, listener: SealerListener) {
    this.#chain = chain
    this.#nodeFile = nodeFile
    this.#listener = listener
  }

  seal(block: UnsealedBlock): void {
    this.#listener.onSealed([this.#chain.seal(block)])
  }

  project(durableCount: number): void {
    this.#projecting = this.#projecting.then(async () => {
      try {
        const sequenceNo = await this.#chain.project(durableCount)
        if (sequenceNo !== undefined) this.#listener.onProjected(sequenceNo)
      } catch (error) {
        this.#listener.onFailed(error)
      }
    })
  }

  clean(supersededNo: number, finishedNos: readonly number[], signal: AbortSignal): Promise<void> {
    // The projection is the engine's own: nobody has to reopen it.
    const isClean = this.#projecting.then(() =>
      this.#chain.clean(supersededNo, finishedNos, signal),
    )
    this.#projecting = isClean.catch(() => undefined)
    return isClean.then(() => undefined)
  }

  async close(durableCount: number): Promise<void> {
    await this.#projecting
    try {
      await this.#chain.finish(durableCount)
    } finally {
      await this.#nodeFile.close()
    }
  }
}
