/** `@cairn/merkle`: both trees of a ledger, their proofs, and the canonical bytes that go into them. Browser-safe. */

export { BlockHasher, revisionLeafHash } from './block-hasher.ts'
export {
  type BlockEntry,
  type BlockEntryForm,
  type BlockHeader,
  type BlockItem,
  type BlockItemRole,
  blockEntryBytesMax,
  type DecodedBlockEntry,
  decodeBlockEntry,
  decodeBlockHeader,
  decodeRevisionLeaf,
  encodeBlockEntry,
  encodeBlockHeader,
  encodeRevisionLeaf,
  type RevisionLeaf,
  type RevisionLeafKind,
} from './canonical.ts'
export {
  CanonicalBytesError,
  type CanonicalBytesErrorType,
  ProofError,
  type ProofErrorType,
} from './errors.ts'
export { dot, qldbHasher, type TreeHasher, tlogHasher, tlogLeafHash } from './hasher.ts'
export { listProof, listRoot, merkleRoot } from './list-tree.ts'
export { MerkleTree } from './merkle-tree.ts'
export { createMemoryNodeStore, forgetfulNodeStore, type NodeStore } from './node-store.ts'
export {
  foldProof,
  inclusionProofLength,
  rootFromInclusion,
  rootsFromConsistency,
} from './proofs.ts'
