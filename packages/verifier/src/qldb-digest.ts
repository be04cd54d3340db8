/**
 * Checks a revision or a block against a QLDB digest. A fold alone shows that 32 bytes occur somewhere below the digest
 * and not what they are or where (trust 1): grade `qldb-folded`. With the whole native block at hand, what the proof
 * passes through is checked node by node (trust 2.4): grade `qldb-strict`. Receipts and checkpoints are not here.
 */
import { assert, equalBytes } from '@cairn/core'
import {
  foldProof,
  inclusionProofLength,
  ProofError,
  qldbHasher,
  rootFromInclusion,
} from '@cairn/merkle'
import type { Block, BlockAddress, DocumentRevision, Revision } from './block.ts'
import {
  type BlockContent,
  type BlockContentOptions,
  checkBelonging,
  verifyBlockContent,
} from './block-content.ts'
import { revisionHashMessage } from './block-hash.ts'
import { blockError, checkHash, VerificationError } from './errors.ts'
import { hashRevision, type RevisionHashes } from './hashes.ts'

/** How much a check against a QLDB digest has shown. */
export type QldbGrade = 'qldb-folded' | 'qldb-strict'

export interface VerifyBlockParameters extends Pick<BlockContentOptions, 'catalogInfoHash'> {
  readonly block: Block
  /** From GetBlock. */
  readonly proof: readonly Uint8Array[]
  readonly digest: Uint8Array
  /** Last block that the digest covers. */
  readonly tip: BlockAddress
  /**
   * False for blocks made by QLDB itself, which can reach grade `qldb-folded` only. `detect`: as the block has it, so
   * look at the grade. Default true.
   */
  readonly strict?: boolean | 'detect'
}

export interface VerifiedBlock {
  readonly grade: QldbGrade
  readonly address: BlockAddress
  readonly content: BlockContent
}

export interface VerifyRevisionParameters extends Pick<BlockContentOptions, 'catalogInfoHash'> {
  /** How `block` is checked; see {@link VerifyBlockParameters.strict}. */
  readonly strict?: boolean | 'detect'
  readonly revision: Revision
  /** From GetRevision. */
  readonly proof: readonly Uint8Array[]
  readonly digest: Uint8Array
  /** Last block that the digest covers. */
  readonly tip: BlockAddress
  /** The native block the revision is in, from GetBlock. Asks for grade `qldb-strict`. */
  readonly block?: Block | undefined
  /** Canonical header from a receipt or an entry: must be the one that `block` has. Not without `block`. */
  readonly header?: Uint8Array | undefined
}

export interface VerifiedRevision {
  readonly grade: QldbGrade
  readonly address: BlockAddress
  readonly documentId: string
  readonly version: number
  readonly kind: DocumentRevision['kind']
  /** Index within the block's revisions; known to a strict check only. */
  readonly position: number | undefined
}

/**
 * Checks a block and its proof against a digest.
 * @throws VerificationError
 */
export function verifyBlock(parameters: VerifyBlockParameters): VerifiedBlock {
  const { block, proof, digest, tip, strict = true, catalogInfoHash } = parameters
  const { blockAddress } = block
  checkTip(blockAddress, tip)
  const content = verifyBlockContent(block, { strict, catalogInfoHash })
  const isNative = content.form === 'native'
  if (isNative) {
    const size = tip.sequenceNo + 1
    checkProofLength(blockAddress, proof, inclusionProofLength(blockAddress.sequenceNo, size))
    checkBlockPath(block, proof, digest, tip)
  } else {
    checkFold(blockAddress, block.blockHash, proof, digest)
  }
  return { grade: isNative ? 'qldb-strict' : 'qldb-folded', address: blockAddress, content }
}

/**
 * Checks a revision and its proof against a digest, strictly when its block is given.
 * @throws VerificationError
 */
export function verifyRevision(parameters: VerifyRevisionParameters): VerifiedRevision {
  const { revision, proof, digest, tip, block, header } = parameters
  assert(header === undefined || block !== undefined, 'a header is compared with its block')
  if (revision.kind === 'hashOnly') {
    throw new VerificationError(
      { code: 'REVISION_MALFORMED', path: 'revision.metadata', expected: 'there' },
      { shortMessage: 'A revision with a hash and no content says nothing that could be checked.' },
    )
  }
  const { blockAddress, metadata, kind } = revision
  checkTip(blockAddress, tip)
  const hashes = hashRevision(revision)
  const pair = { stated: revision.hash, computed: hashes.hash }
  checkHash(
    { code: 'REVISION_HASH_MISMATCH', blockAddress, position: undefined, ...pair },
    revisionHashMessage(undefined),
  )
  const facts = { address: blockAddress, documentId: metadata.id, version: metadata.version, kind }
  if (block === undefined) {
    checkFold(blockAddress, revision.hash, proof, digest)
    return { grade: 'qldb-folded', ...facts, position: undefined }
  }
  const content = verifyBlockContent(block, {
    strict: parameters.strict ?? true,
    catalogInfoHash: parameters.catalogInfoHash,
  })
  if (header !== undefined) checkHeader(block, content, header)
  checkBelonging(block, revision)
  const position = positionOf(revision, hashes, block, content)
  checkRevisionPath(revision, position, block, content, parameters)
  const grade = content.form === 'native' ? 'qldb-strict' : 'qldb-folded'
  return { grade, ...facts, position }
}

function checkTip(blockAddress: BlockAddress, tip: BlockAddress): void {
  // The tree that ends there has one leaf more, and a number must hold that.
  if (tip.sequenceNo >= Number.MAX_SAFE_INTEGER) {
    throw new VerificationError(
      { code: 'ADDRESS_MALFORMED', path: 'tip.sequenceNo', expected: 'below 2^53 - 1' },
      { shortMessage: 'The tip lies beyond every block that a ledger can have.' },
    )
  }
  if (blockAddress.strandId !== tip.strandId) {
    throw blockError(
      { code: 'STRAND_MISMATCH', blockAddress, expected: tip.strandId },
      `the digest is of strand ${tip.strandId}`,
    )
  }
  if (blockAddress.sequenceNo <= tip.sequenceNo) return
  throw blockError(
    { code: 'INDEX_OUT_OF_RANGE', blockAddress, tip },
    `the digest ends with block ${tip.sequenceNo}`,
  )
}

function checkHeader(block: Block, content: BlockContent, stated: Uint8Array): void {
  const { blockAddress } = block
  const computed = content.headerBytes
  checkHash(
    { code: 'HEADER_MISMATCH', blockAddress, stated, computed },
    'the header given with the revision is not the header of the block',
  )
}

/**
 * Where the revision stands in its block. Metadata decides and not the revision's hash, since a dot does not tell
 * metadata from data: both orders have one hash (trust 1, A3), and so has a deletion over a shortened proof (A2).
 */
function positionOf(
  revision: DocumentRevision,
  hashes: RevisionHashes,
  block: Block,
  content: BlockContent,
): number {
  const position = content.hashes.revisions.findIndex(
    (candidate) =>
      candidate.leafKind === hashes.leafKind &&
      candidate.parts.every((part, i) => equalBytes(part, hashes.parts[i] as Uint8Array)),
  )
  if (position >= 0) return position
  const { id, version } = revision.metadata
  throw blockError(
    { code: 'REVISION_NOT_IN_BLOCK', blockAddress: block.blockAddress, documentId: id },
    `it has no such ${revision.kind} revision ${version} of document ${id}`,
  )
}

/** The four stretches of a revision's proof, each of the length that its tree asks for. */
function checkRevisionPath(
  revision: DocumentRevision,
  position: number,
  block: Block,
  content: BlockContent,
  parameters: VerifyRevisionParameters,
): void {
  const { proof, digest, tip } = parameters
  const { blockAddress, entriesHashList, previousBlockHash, revisions } = block
  const root = content.hashes.items.find((item) => item.role === 'revisionsRoot')
  const rootPosition = root?.position ?? 0
  const rootHash = root?.hash ?? revision.hash
  const listStart = inclusionProofLength(position, revisions.length)
  const listEnd = listStart + inclusionProofLength(rootPosition, entriesHashList.length)
  const pathStart = listEnd + (previousBlockHash.length > 0 ? 1 : 0)
  const pathLength = inclusionProofLength(blockAddress.sequenceNo, tip.sequenceNo + 1)
  checkProofLength(blockAddress, proof, pathStart + pathLength)

  const inRevisions = proof.slice(0, listStart)
  if (!leadsTo(revision.hash, position, revisions.length, inRevisions, rootHash)) {
    throw proofMismatch(blockAddress, 'revisionsRoot')
  }
  const inList = proof.slice(listStart, listEnd)
  if (!leadsTo(rootHash, rootPosition, entriesHashList.length, inList, block.entriesHash)) {
    throw proofMismatch(blockAddress, 'entriesHash')
  }
  if (pathStart > listEnd && !equalBytes(proof[listEnd] as Uint8Array, previousBlockHash)) {
    throw proofMismatch(blockAddress, 'previousBlockHash')
  }
  checkBlockPath(block, proof.slice(pathStart), digest, tip)
}

function leadsTo(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  return equalBytes(
    withProof(() => rootFromInclusion(qldbHasher, leaf, index, size, proof)),
    root,
  )
}

/** From the block's hash to the digest, in the tree that ends at `tip`. */
function checkBlockPath(
  block: Block,
  proof: readonly Uint8Array[],
  digest: Uint8Array,
  tip: BlockAddress,
): void {
  const { blockAddress, blockHash } = block
  const { sequenceNo } = blockAddress
  const computed = withProof(() =>
    rootFromInclusion(qldbHasher, blockHash, sequenceNo, tip.sequenceNo + 1, proof),
  )
  checkDigest(blockAddress, computed, digest)
}

function checkFold(
  blockAddress: BlockAddress,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  digest: Uint8Array,
): void {
  checkDigest(
    blockAddress,
    withProof(() => foldProof(leaf, proof)),
    digest,
  )
}

function checkDigest(blockAddress: BlockAddress, computed: Uint8Array, stated: Uint8Array): void {
  checkHash(
    { code: 'QLDB_DIGEST_MISMATCH', blockAddress, stated, computed },
    'its proof does not lead to the digest',
  )
}

function checkProofLength(
  blockAddress: BlockAddress,
  proof: readonly Uint8Array[],
  expected: number,
): void {
  const count = proof.length
  if (count === expected) return
  throw blockError(
    { code: 'PROOF_LENGTH', blockAddress, count, expected },
    `the proof has ${count} hashes where its place asks for ${expected}`,
  )
}

function proofMismatch(
  blockAddress: BlockAddress,
  part: 'revisionsRoot' | 'entriesHash' | 'previousBlockHash',
): VerificationError {
  return blockError(
    { code: 'PROOF_MISMATCH', blockAddress, part },
    `the proof does not pass through its ${part}`,
  )
}

/** Lengths and ranges are checked before, so what is left for a proof to be is not one: a hash of another size. */
function withProof<T>(compute: () => T): T {
  try {
    return compute()
  } catch (cause) {
    if (!(cause instanceof ProofError)) throw cause
    throw new VerificationError(
      { code: 'PROOF_MALFORMED', path: 'proof', expected: 'a list of hashes of 32 bytes' },
      { shortMessage: cause.shortMessage, cause },
    )
  }
}
