/**
 * From journal records back to everything that is derived from them: catalog, index entries, leaves of both trees.
 * Used when a ledger opens, for the blocks that the projection does not have yet.
 */
import { assert, equalBytes, sha256 } from '@cairn/core'
import { decodeIon, hashIon, hashIonBytes } from '@cairn/ion'
import {
  encodeBlockEntry,
  encodeBlockHeader,
  encodeRevisionLeaf,
  listRoot,
  tlogHasher,
  tlogLeafHash,
} from '@cairn/merkle'
import type { BlockRecord, BlockRevision } from './block-record.ts'
import { metadataToIon, timestampText } from './block-view.ts'
import {
  type Catalog,
  type CatalogOperation,
  type CatalogTable,
  operationsFromIon,
} from './catalog.ts'
import type { CreatedIndex, ProjectedBlock, ProjectedRevision } from './projection.ts'
import { redactionsOf } from './redaction.ts'
import { indexChanges, Revision } from './revision.ts'

/** Which indexes the step from one catalog to the next made and dropped. */
export function catalogChanges(
  before: Catalog,
  after: Catalog,
  operations: readonly CatalogOperation[],
): Pick<ProjectedBlock, 'createdIndexes' | 'droppedIndexNos'> {
  const createdIndexes: CreatedIndex[] = []
  const droppedIndexNos: number[] = []
  for (const operation of operations) {
    if (operation.kind === 'createIndex') {
      const table = after.findById(operation.tableId)
      const index = table?.indexes.find(({ indexId }) => indexId === operation.indexId)
      // An index made and dropped in one transaction is in neither catalog.
      if (table !== undefined && index !== undefined) {
        const { indexNo, indexId, field } = index
        createdIndexes.push({ tableNo: table.tableNo, indexNo, indexId, field })
      }
    } else if (operation.kind === 'dropIndex') {
      const table = before.findById(operation.tableId)
      const index = table?.indexes.find(({ indexId }) => indexId === operation.indexId)
      if (index !== undefined) droppedIndexNos.push(index.indexNo)
    }
  }
  return { createdIndexes, droppedIndexNos }
}

/**
 * Leaf of the RFC 6962 tree for a block, from its content.
 * @throws RangeError when the content does not give the header hash that the block was sealed with.
 */
export function entryHashOf(strandId: string, block: BlockRecord): Uint8Array {
  const leafHashes = block.revisions.map((revision) => revisionLeafHash(block, revision))
  const header = encodeBlockHeader({
    strandId,
    sequenceNo: block.sequenceNo,
    transactionId: block.transactionId,
    blockTimestamp: timestampText(block.timestampMs),
    previousBlockHash: block.previousBlockHash,
    items: block.items,
    revisionCount: block.revisions.length,
    revisionsTree: listRoot(tlogHasher, leafHashes),
  })
  if (!equalBytes(sha256(header), block.headerHash)) {
    throw new RangeError(`block ${block.sequenceNo} does not match its header hash`)
  }
  const { blockHash, imported } = block
  return tlogLeafHash(encodeBlockEntry({ header, form: imported?.form ?? 'native', blockHash }))
}

function revisionLeafHash(block: BlockRecord, revision: BlockRevision): Uint8Array {
  if (revision.isHashOnly) {
    const { tableId, hash } = revision
    return tlogLeafHash(encodeRevisionLeaf({ kind: 'hashOnly', tableId, hashes: [hash] }))
  }
  const { transactionId } = block
  const metadataHash = hashIon(metadataToIon({ ...revision, transactionId }))
  const dataHash = revision.data === undefined ? revision.dataHash : hashIonBytes(revision.data)
  const { tableId } = revision
  return tlogLeafHash(
    dataHash === undefined
      ? encodeRevisionLeaf({ kind: 'deletion', tableId, hashes: [metadataHash] })
      : encodeRevisionLeaf({ kind: 'data', tableId, hashes: [metadataHash, dataHash] }),
  )
}

/** The DDL of a block, whether it is hashed or was read from the statements of an imported one. */
export function catalogInfoOf(block: BlockRecord): Uint8Array | undefined {
  return block.catalogInfo ?? block.imported?.derivedCatalogInfo
}

/** Turns blocks into what the projection applies, given what it holds already. */
export class Replayer {
  #catalog: Catalog
  readonly #readCurrent: (table: CatalogTable, documentId: string) => Revision | undefined
  /** Documents of the blocks replayed and not applied yet. */
  readonly #young = new Map<string, Revision | undefined>()

  constructor(
    catalog: Catalog,
    readCurrent: (table: CatalogTable, documentId: string) => Revision | undefined,
  ) {
    this.#catalog = catalog
    this.#readCurrent = readCurrent
  }

  /** After the blocks replayed so far. */
  get catalog(): Catalog {
    return this.#catalog
  }

  replay(block: BlockRecord): ProjectedBlock {
    const { sequenceNo } = block
    const catalogInfo = catalogInfoOf(block)
    const operations = catalogInfo === undefined ? [] : operationsFromIon(decodeIon(catalogInfo))
    const before = this.#catalog
    for (const operation of operations) {
      this.#catalog = this.#catalog.apply(operation, sequenceNo)
    }
    return {
      sequenceNo,
      revisions: block.revisions.flatMap((revision, ordinal) =>
        revision.isHashOnly ? [] : [this.#replayRevision(block, revision, ordinal)],
      ),
      redactions: redactionsOf(block),
      catalog: operations.length > 0 ? this.#catalog : undefined,
      ...catalogChanges(before, this.#catalog, operations),
    }
  }

  /** Everything replayed so far is in the projection. */
  applied(): void {
    this.#young.clear()
  }

  #replayRevision(
    block: BlockRecord,
    { tableId, documentId, version, transactionTimeMs, hash, data }: BlockRevision,
    ordinal: number,
  ): ProjectedRevision {
    const table = this.#catalog.findById(tableId)
    assert(table !== undefined, 'a revision belongs to a table made before it')
    const { sequenceNo, transactionId } = block
    const revision = Revision.of({
      documentId,
      version,
      sequenceNo,
      ordinal,
      transactionTimeMs,
      transactionId,
      hash,
      data,
    })
    const { tableNo, indexes } = table
    const old = this.#young.has(documentId)
      ? this.#young.get(documentId)
      : version === 0
        ? undefined
        : this.#readCurrent(table, documentId)
    // What was redacted before it came here stands as deleted, and its values are in no index.
    const current = data === undefined ? undefined : revision
    this.#young.set(documentId, current)
    const changes = indexes.length === 0 ? [] : indexChanges(indexes, old?.value, current?.value)
    const projected = { tableNo, revision, indexChanges: changes }
    const followsRedacted = version > 0 && old === undefined && current !== undefined
    return followsRedacted ? { ...projected, followsRedacted } : projected
  }
}
