/** The part of a revision's proof that lies inside its block (qldb-compat 4.5). */
import { listProof } from '@cairn/merkle'
import type { BlockRecord, BlockRevision } from './block-record.ts'
import { entriesHashList } from './block-view.ts'
import { LedgerError } from './errors.ts'

/**
 * The revision of a document, and the hashes that fold its hash into the block's.
 * @throws LedgerError DOCUMENT_NOT_FOUND
 */
export function proveInBlock(
  block: BlockRecord,
  documentId: string,
): { readonly revision: BlockRevision; readonly path: readonly Uint8Array[] } {
  // The last one: QLDB's blocks may hold several versions of a document.
  const index = block.revisions.findLastIndex(
    (it) => it.documentId === documentId && !it.isHashOnly,
  )
  const revision = block.revisions[index]
  if (revision === undefined) {
    throw new LedgerError(
      { code: 'DOCUMENT_NOT_FOUND', documentId },
      { shortMessage: `Block ${block.sequenceNo} has no revision of document ${documentId}.` },
    )
  }
  const hashes = block.revisions.map(({ hash }) => hash)
  const rootIndex = block.items.findIndex(({ role }) => role === 'revisionsRoot')
  const path = [
    ...listProof(hashes, index),
    ...listProof(entriesHashList(block), rootIndex),
    ...(block.previousBlockHash.length > 0 ? [block.previousBlockHash] : []),
  ]
  return { revision, path }
}
