/**
 * Brings the projections of a ledger up to the blocks it is given, in order and in commits of many: for blocks that
 * stand in the journal already (open-engine.ts) and for those that an import brings.
 */
import { MerkleTree, qldbHasher, tlogHasher } from '@cairn/merkle'
import type { BlockRecord, RevisionPlace } from './block-record.ts'
import type { Catalog } from './catalog.ts'
import type { NodeFile } from './node-file.ts'
import type { ProjectedBlock, Projection } from './projection.ts'
import { catalogInfoOf, entryHashOf, Replayer } from './replay.ts'

/** Blocks replayed per LMDB commit. */
export const replayedBlockCountMax = 2000
/** Revisions and bytes of documents replayed per LMDB commit: bounds the memory of blocks that are large. */
const replayedRevisionCountMax = 1000
const replayedBytesMax = 8 * 1024 * 1024

export interface ProjectionWriterParts {
  readonly strandId: string
  readonly projection: Projection
  readonly nodeFile: NodeFile
  /** Called before each commit; resolves when the blocks given so far are on the disk. */
  readonly whenDurable?: () => Promise<void>
}

export class ProjectionWriter {
  readonly #parts: ProjectionWriterParts
  readonly #qldbTree: MerkleTree
  readonly #tlogTree: MerkleTree
  readonly #replayer: Replayer
  /** Places of the documents of the batch. */
  readonly #places = new Map<string, RevisionPlace>()
  #batch: ProjectedBlock[] = []
  #batchBytes = 0
  #batchRevisionCount = 0
  #last: { sequenceNo: number; blockHash: Uint8Array; timestampMs: number } | undefined

  constructor(parts: ProjectionWriterParts) {
    const { projection, nodeFile } = parts
    this.#parts = parts
    const size = (projection.watermark?.sequenceNo ?? -1) + 1
    this.#qldbTree = new MerkleTree(qldbHasher, nodeFile.store(0), size)
    this.#tlogTree = new MerkleTree(tlogHasher, nodeFile.store(1), size)
    this.#replayer = new Replayer(projection.catalog, (table, documentId) => {
      const snapshot = projection.acquireSnapshot()
      const revision = snapshot.getCurrent(table.tableNo, documentId)
      snapshot.release()
      return revision
    })
  }

  /** Number of the block that is due. */
  get nextSequenceNo(): number {
    return this.#qldbTree.size
  }

  /** After the blocks given so far. */
  get catalog(): Catalog {
    return this.#replayer.catalog
  }

  /** Root of the QLDB tree over the first `size` blocks. */
  qldbRoot(size: number): Uint8Array {
    return this.#qldbTree.root(size)
  }

  /** Where a document's last revision stands. */
  placeOf(tableNo: number, documentId: string): RevisionPlace | undefined {
    const young = this.#places.get(documentId)
    if (young !== undefined) return young
    const snapshot = this.#parts.projection.acquireSnapshot()
    try {
      const found =
        snapshot.getCurrent(tableNo, documentId) ?? snapshot.getDeleted(tableNo, documentId)
      return found && { sequenceNo: found.sequenceNo, ordinal: found.ordinal }
    } finally {
      snapshot.release()
    }
  }

  /** Takes the next block; commits when enough have come together. */
  async add(block: BlockRecord, entryHash?: Uint8Array): Promise<void> {
    const isFull =
      this.#batch.length === replayedBlockCountMax ||
      this.#batchRevisionCount >= replayedRevisionCountMax ||
      this.#batchBytes >= replayedBytesMax
    // Before the block is replayed: what was replayed and is not applied yet must stay known to the next block.
    if (isFull || catalogInfoOf(block) !== undefined) await this.apply()
    const projected = this.#replayer.replay(block)
    this.#batch.push(projected)
    this.#batchRevisionCount += projected.revisions.length
    for (const { revision } of projected.revisions) {
      this.#batchBytes += revision.record.length
      const { sequenceNo, ordinal } = revision
      this.#places.set(revision.documentId, { sequenceNo, ordinal })
    }
    this.#qldbTree.append(Uint8Array.from(block.blockHash))
    this.#tlogTree.append(entryHash ?? entryHashOf(this.#parts.strandId, block))
    this.#last = {
      sequenceNo: block.sequenceNo,
      blockHash: Uint8Array.from(block.blockHash),
      timestampMs: block.timestampMs,
    }
  }

  /** Commits what was given. */
  async apply(): Promise<void> {
    const { projection, nodeFile, whenDurable } = this.#parts
    if (this.#last === undefined || this.#batch.length === 0) return
    await whenDurable?.()
    await nodeFile.flush(this.#last.sequenceNo + 1)
    await projection.apply(this.#batch, {
      ...this.#last,
      qldbRoot: this.#qldbTree.root(),
      tlogRoot: this.#tlogTree.root(),
    })
    projection.refresh()
    this.#replayer.applied()
    this.#places.clear()
    this.#batch = []
    this.#batchBytes = 0
    this.#batchRevisionCount = 0
  }
}
