/** `@cairn/verifier`: everything a client checks, without a server to trust. Browser-safe. */

export {
  type Block,
  type BlockAddress,
  type DataRevision,
  type DeletionRevision,
  type DocumentInfo,
  type DocumentRevision,
  type HashOnlyRevision,
  parseBlock,
  parseBlockAddress,
  parseProof,
  parseRevision,
  type RedactedDataRevision,
  type RedactedRevision,
  type RedactionInfo,
  type Revision,
  type RevisionMetadata,
  type StatementInfo,
  type TransactionInfo,
} from './block.ts'
export { type BlockContent, type BlockContentOptions, verifyBlockContent } from './block-content.ts'
export { type BlockHashes, type ContentItem, computeBlockHash } from './block-hash.ts'
export { VerificationError, type VerificationErrorType } from './errors.ts'
export {
  type RevisionContent,
  type RevisionHashes,
  revisionHash,
  statementDigest,
  transactionDigest,
} from './hashes.ts'
export {
  type QldbGrade,
  type VerifiedBlock,
  type VerifiedRevision,
  type VerifyBlockParameters,
  type VerifyRevisionParameters,
  verifyBlock,
  verifyRevision,
} from './qldb-digest.ts'
export {
  type BlockLink,
  createLedgerReplay,
  type LedgerReplay,
  type LedgerReplayOptions,
  verifyChain,
} from './replay.ts'
export { type RevisionProofSource, revisionProof } from './revision-proof.ts'
