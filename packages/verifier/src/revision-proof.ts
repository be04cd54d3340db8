/** The part of a GetRevision proof that lies within the block (qldb-compat 4.5). The rest is the block's own proof. */
import { assert, equalBytes } from '@cairn/core'
import { listProof, merkleRoot } from '@cairn/merkle'

/** As much of a block as a revision's proof needs; a `Block` is one. */
export interface RevisionProofSource {
  readonly revisions: readonly { readonly hash: Uint8Array }[]
  readonly entriesHashList: readonly Uint8Array[]
  readonly previousBlockHash: Uint8Array
}

/**
 * Siblings of the revision at `position` in the order of folding: within the revisions, within `entriesHashList`, and
 * `previousBlockHash` unless that is empty. They lead to `blockHash`; append `MerkleTree.inclusionProof` of the block.
 * @throws ProofError INDEX_OUT_OF_RANGE
 */
export function revisionProof(block: RevisionProofSource, position: number): Uint8Array[] {
  const revisionHashes = block.revisions.map((revision) => revision.hash)
  const proof = listProof(revisionHashes, position)
  const root = merkleRoot(revisionHashes)
  const rootPosition = block.entriesHashList.findIndex((hash) => equalBytes(hash, root))
  assert(rootPosition >= 0, 'the hashes of a block hold the root of its revisions')
  proof.push(...listProof(block.entriesHashList, rootPosition))
  if (block.previousBlockHash.length > 0) proof.push(block.previousBlockHash)
  return proof
}
