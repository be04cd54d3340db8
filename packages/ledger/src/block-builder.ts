/**
 * Makes the next block of a ledger: every hash of qldb-compat 4.4 and the entry of the second tree (trust 2.2).
 * Pure: the same input gives the same block, so it can run on any thread.
 */
import { hashIon, type IonStruct } from '@cairn/ion'
import { BlockHasher, dot, listRoot, merkleRoot, revisionLeafHash, tlogHasher } from '@cairn/merkle'
import { blockTimestampText, metadataHash, transactionInfoHash } from './block-hashes.ts'
import type {
  BlockItem,
  BlockRecord,
  BlockRedaction,
  BlockRevision,
  BlockStatement,
  ItemRole,
  RevisionPlace,
} from './block-record.ts'
import { redactionInfoToIon } from './block-view.ts'

export interface NewRevision {
  readonly tableId: string
  readonly tableName: string
  readonly documentId: string
  readonly version: number
  readonly previous: RevisionPlace | undefined
  readonly statements: readonly number[]
  /** The document as an Ion stream, and its hash; neither for a deletion. */
  readonly data: Uint8Array | undefined
  readonly dataHash: Uint8Array | undefined
}

export interface NewBlock {
  readonly strandId: string
  readonly sequenceNo: number
  /** Zero bytes before block 0. */
  readonly previousBlockHash: Uint8Array
  readonly transactionId: string
  readonly timestampMs: number
  readonly statements: readonly BlockStatement[]
  readonly catalogInfo: { readonly bytes: Uint8Array; readonly value: IonStruct } | undefined
  readonly revisions: readonly NewRevision[]
  readonly redactions: readonly BlockRedaction[]
}

export interface BuiltBlock {
  readonly record: BlockRecord
  /** Leaf of the RFC 6962 tree; the QLDB tree's leaf is the block hash. */
  readonly entryHash: Uint8Array
}

const hasher = new BlockHasher()

export function buildBlock(block: NewBlock): BuiltBlock {
  const { sequenceNo, previousBlockHash, transactionId, timestampMs, statements } = block
  // Arrays of their final length: one that grows starts with room for 17.
  const count = block.revisions.length
  const revisions = new Array<BlockRevision>(count)
  const revisionHashes = new Array<Uint8Array>(count)
  const leafHashes = new Array<Uint8Array>(count)
  for (let i = 0; i < count; i++) {
    const revision = block.revisions[i] as NewRevision
    const { documentId, version, dataHash } = revision
    const ofMetadata = metadataHash(documentId, version, timestampMs, transactionId)
    const hash = dataHash === undefined ? ofMetadata : dot(ofMetadata, dataHash)
    const kind = dataHash === undefined ? 'deletion' : 'data'
    revisions[i] = withHash(revision, timestampMs, hash)
    revisionHashes[i] = hash
    leafHashes[i] = revisionLeafHash(kind, revision.tableId, ofMetadata, dataHash)
  }
  const items = itemsOf(block, revisionHashes)
  const headerHash = hasher.headerHash({
    strandId: block.strandId,
    sequenceNo,
    transactionId,
    blockTimestamp: blockTimestampText(timestampMs),
    previousBlockHash,
    items,
    revisionCount: count,
    revisionsTree: listRoot(tlogHasher, leafHashes),
  })
  const blockHash = dot(entriesRoot(items, headerHash), previousBlockHash)
  const record: BlockRecord = {
    sequenceNo,
    blockHash,
    previousBlockHash,
    timestampMs,
    transactionId,
    items,
    headerHash,
    statements,
    catalogInfo: block.catalogInfo?.bytes,
    revisions,
    redactions: block.redactions,
  }
  return { record, entryHash: hasher.entryHash('native', blockHash) }
}

function withHash(revision: NewRevision, timestampMs: number, hash: Uint8Array): BlockRevision {
  return {
    tableId: revision.tableId,
    tableName: revision.tableName,
    documentId: revision.documentId,
    version: revision.version,
    previous: revision.previous,
    transactionTimeMs: timestampMs,
    statements: revision.statements,
    hash,
    data: revision.data,
    dataHash: undefined,
  }
}

/** What `entriesHashList` holds before the header's hash; absent items are left out. */
function itemsOf(block: NewBlock, revisionHashes: readonly Uint8Array[]): BlockItem[] {
  const { statements, revisions, catalogInfo, redactions } = block
  const info = item('transactionInfo', transactionInfoHash(statements, revisions))
  const rest: BlockItem[] = []
  if (redactions.length > 0) {
    rest.push(item('redactionInfo', hashIon(redactionInfoToIon(block.strandId, redactions))))
  }
  if (catalogInfo !== undefined) rest.push(item('catalogInfo', hashIon(catalogInfo.value)))
  if (revisionHashes.length === 0) return [info, ...rest]
  const root = item('revisionsRoot', merkleRoot(revisionHashes))
  return rest.length === 0 ? [info, root] : [info, root, ...rest]
}

function item(role: ItemRole, hash: Uint8Array): BlockItem {
  return { role, hash }
}

function entriesRoot(items: readonly BlockItem[], headerHash: Uint8Array): Uint8Array {
  const entries = new Array<Uint8Array>(items.length + 1)
  for (let i = 0; i < items.length; i++) entries[i] = (items[i] as BlockItem).hash
  entries[items.length] = headerHash
  return merkleRoot(entries)
}
