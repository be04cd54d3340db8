/**
 * What transactions need of a projection of the journal: current documents, where deleted ones ended, and indexes, up
 * to a watermark. History is in the journal itself: each revision says where the one before it stands.
 * Losing one loses nothing. Kept in LMDB (lmdb-projection.ts), or in memory where disks are simulated
 * (memory-projection.ts); both pass the same tests.
 */
import type { FileSystem } from '@cairn/core'
import type { BlockRedaction, RevisionPlace } from './block-record.ts'
import type { Catalog } from './catalog.ts'
import type { IndexChange, Revision } from './revision.ts'

/** Where a document's last revision stands, from which the ones before are found. */
export interface DocumentHead extends RevisionPlace {
  readonly documentId: string
}

/** How far the projection has come. */
export interface Watermark {
  readonly sequenceNo: number
  readonly blockHash: Uint8Array
  readonly timestampMs: number
  /** Roots of both hash trees over the blocks up to this one: what the node file must give. */
  readonly qldbRoot: Uint8Array
  readonly tlogRoot: Uint8Array
}

export interface ProjectedRevision {
  readonly tableNo: number
  readonly revision: Revision
  readonly indexChanges: readonly IndexChange[]
  /** The revision before it stands here as deleted: its data was redacted before the projection came to it. */
  readonly followsRedacted?: true
}

/** A redaction whose data may still be in some file. */
export interface PendingRedaction extends BlockRedaction {
  /** The block that says so. */
  readonly redactingNo: number
}

/** An index to be built over the documents of its table. */
export interface CreatedIndex {
  readonly tableNo: number
  readonly indexNo: number
  readonly indexId: string
  readonly field: string
}

export interface ProjectedBlock {
  readonly sequenceNo: number
  readonly revisions: readonly ProjectedRevision[]
  readonly redactions: readonly BlockRedaction[]
  /** The catalog after the block, when the block changed it. */
  readonly catalog: Catalog | undefined
  /** Indexes that the block made or dropped: what exists already is indexed, or cleared away, with it. */
  readonly createdIndexes: readonly CreatedIndex[]
  readonly droppedIndexNos: readonly number[]
}

export function changesIndexes(
  block: Pick<ProjectedBlock, 'createdIndexes' | 'droppedIndexNos'>,
): boolean {
  return block.createdIndexes.length > 0 || block.droppedIndexNos.length > 0
}

/** A stable view. Whoever takes one releases it. */
export interface ProjectionSnapshot {
  /** Blocks up to this one are in it; -1: none. */
  readonly sequenceNo: number
  retain(): this
  release(): void
  getCurrent(tableNo: number, documentId: string): Revision | undefined
  /** Documents of a table, counted one by one, giving way to others. */
  countCurrent(tableNo: number): Promise<number>
  /** By document id, which is the order of insertion for documents made here. */
  scanCurrent(tableNo: number): Iterable<Revision>
  /** Ids of the documents under a key. */
  findByIndex(indexNo: number, indexKey: Uint8Array): Iterable<string>
  /** Heads of the deleted documents of a table, by document id. */
  scanDeleted(tableNo: number): Iterable<DocumentHead>
  /** The head of one deleted document. */
  getDeleted(tableNo: number, documentId: string): DocumentHead | undefined
}

/** One writer, any number of readers on shared snapshots. */
export interface Projection {
  /** As of opening or the last `apply` here; undefined when nothing was projected, or in another layout. */
  readonly watermark: Watermark | undefined
  /** As of the watermark. */
  readonly catalog: Catalog
  /** What it takes on the disk; 0 when it is in memory. */
  readonly bytesSize: number
  /** The newest view; shared, and held once more for the caller. */
  acquireSnapshot(): ProjectionSnapshot
  /**
   * Applies blocks in order, all of them or none, and sets the watermark. Applying a block again changes nothing.
   * Only the first one may make or drop indexes, since what is there before it is indexed, or cleared, first.
   * Resolves when everything is on the disk.
   */
  apply(blocks: readonly ProjectedBlock[], watermark: Watermark): Promise<void>
  /** Another thread has applied blocks: the next snapshot is to show them. */
  refresh(): void
  /** Of the blocks applied, by block: redactions that nobody has reported as finished. As of opening. */
  readonly pendingRedactions: readonly PendingRedaction[]
  /**
   * Sees to it that no file of the projection holds copies of revisions that block `supersededNo` or one before it
   * superseded, then forgets the redactions of the blocks `finishedNos`. Not while blocks are applied.
   * @returns true when the files are others now: handles on other threads are to reopen.
   * @throws the reason of `signal`; nothing has changed then.
   */
  clean(supersededNo: number, finishedNos: readonly number[], signal: AbortSignal): Promise<boolean>
  /** Another thread has cleaned the projection: the next snapshot is of the new files. */
  reopen(): void
  close(): Promise<void>
}

/** Where projections are kept. */
export interface ProjectionDriver {
  /** @param directory A folder of its own; made when absent. */
  open(directory: string, fileSystem: FileSystem): Promise<Projection>
  remove(directory: string, fileSystem: FileSystem): Promise<void>
  /** The watermark in `directory`, without opening the projection for writing; undefined when there is none. */
  readWatermark(directory: string, fileSystem: FileSystem): Promise<Watermark | undefined>
}
