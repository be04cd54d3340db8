/**
 * Makes the next block of a ledger: every hash of qldb-compat 4.4 and the entry of the second tree (trust 2.2).
 * Pure: the same input gives the same block, so it can run on any thread.
 */
import { sha256 } from '@cairn/core'
import { hashIon, type IonStruct } from '@cairn/ion'
import {
  dot,
  encodeBlockEntry,
  encodeBlockHeader,
  encodeRevisionLeaf,
  listRoot,
  merkleRoot,
  tlogHasher,
  tlogLeafHash,
} from '@cairn/merkle'
import type { BlockItem, BlockRecord, BlockRevision, BlockStatement } from './block-record.ts'
import { metadataToIon, timestampText, transactionInfoToIon } from './block-view.ts'

export interface NewRevision {
  readonly tableId: string
  readonly tableName: string
  readonly documentId: string
  readonly version: number
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
}

export interface BuiltBlock {
  readonly record: BlockRecord
  /** Leaf of the RFC 6962 tree; the QLDB tree's leaf is the block hash. */
  readonly entryHash: Uint8Array
}

export function buildBlock(block: NewBlock): BuiltBlock {
  const { strandId, sequenceNo, previousBlockHash, transactionId, timestampMs } = block
  const { revisions, leafHashes } = hashRevisions(block)
  const items: BlockItem[] = [
    { role: 'transactionInfo', hash: hashIon(transactionInfoToIon(block.statements, revisions)) },
  ]
  if (revisions.length > 0) {
    items.push({ role: 'revisionsRoot', hash: merkleRoot(revisions.map(({ hash }) => hash)) })
  }
  if (block.catalogInfo !== undefined) {
    items.push({ role: 'catalogInfo', hash: hashIon(block.catalogInfo.value) })
  }
  const header = encodeBlockHeader({
    strandId,
    sequenceNo,
    transactionId,
    blockTimestamp: timestampText(timestampMs),
    previousBlockHash,
    items,
    revisionCount: revisions.length,
    revisionsTree: listRoot(tlogHasher, leafHashes),
  })
  const headerHash = sha256(header)
  const entriesHash = merkleRoot([...items.map(({ hash }) => hash), headerHash])
  const blockHash = dot(entriesHash, previousBlockHash)
  return {
    record: {
      sequenceNo,
      blockHash,
      previousBlockHash,
      timestampMs,
      transactionId,
      items,
      headerHash,
      statements: block.statements,
      catalogInfo: block.catalogInfo?.bytes,
      revisions,
    },
    entryHash: tlogLeafHash(encodeBlockEntry({ header, form: 'native', blockHash })),
  }
}

function hashRevisions(block: NewBlock): { revisions: BlockRevision[]; leafHashes: Uint8Array[] } {
  const revisions: BlockRevision[] = []
  const leafHashes: Uint8Array[] = []
  for (const { dataHash, ...revision } of block.revisions) {
    const metadata = metadataToIon({
      documentId: revision.documentId,
      version: revision.version,
      transactionTimeMs: block.timestampMs,
      transactionId: block.transactionId,
    })
    const metadataHash = hashIon(metadata)
    const hash = dataHash === undefined ? metadataHash : dot(metadataHash, dataHash)
    const leaf = encodeRevisionLeaf({
      kind: dataHash === undefined ? 'deletion' : 'data',
      tableId: revision.tableId,
      hashes: dataHash === undefined ? [metadataHash] : [metadataHash, dataHash],
    })
    leafHashes.push(tlogLeafHash(leaf))
    revisions.push({
      ...revision,
      transactionTimeMs: block.timestampMs,
      hash,
      dataHash: undefined,
    })
  }
  return { revisions, leafHashes }
}
