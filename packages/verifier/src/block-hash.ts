/**
 * The hashes of a block from its content (qldb-compat 4.4). `entriesHashList` is taken as it stands: it must contain
 * what the block's content hashes to, and may hold more, which QLDB's own blocks do.
 */
import { equalBytes, toBase64 } from '@cairn/core'
import { hashIon } from '@cairn/ion'
import { type BlockItemRole, dot, merkleRoot } from '@cairn/merkle'
import type { Block } from './block.ts'
import { blockError, checkHash } from './errors.ts'
import { hashRevision, type RevisionHashes } from './hashes.ts'

/** What a block's content stands for in `entriesHashList`. */
export interface ContentItem {
  readonly role: BlockItemRole
  readonly hash: Uint8Array
  /** Index of its first occurrence in `entriesHashList`. */
  readonly position: number
}

export interface BlockHashes {
  /** One for each revision, in order. */
  readonly revisions: readonly RevisionHashes[]
  /** In the order transactionInfo, revisionsRoot, redactionInfo; what the block lacks is left out. */
  readonly items: readonly ContentItem[]
  readonly entriesHash: Uint8Array
  readonly blockHash: Uint8Array
}

/**
 * Recomputes a block's hashes from its content. Compares each revision's hash, and looks for each part in
 * `entriesHashList`; comparing `entriesHash` and `blockHash` with those stated is left to the caller.
 * @throws VerificationError REVISION_HASH_MISMATCH, ITEM_MISSING
 */
export function computeBlockHash(block: Block): BlockHashes {
  const { blockAddress, entriesHashList, redactionInfo } = block
  const revisions = block.revisions.map((revision, position) => {
    const hashes = hashRevision(revision)
    const code = 'REVISION_HASH_MISMATCH'
    const pair = { stated: revision.hash, computed: hashes.hash }
    checkHash({ code, blockAddress, position, ...pair }, revisionHashMessage(position))
    return hashes
  })
  const items = [locate(block, 'transactionInfo', hashIon(block.transactionInfo.ion))]
  if (revisions.length > 0) {
    const root = merkleRoot(revisions.map((revision) => revision.hash))
    items.push(locate(block, 'revisionsRoot', root))
  }
  if (redactionInfo) items.push(locate(block, 'redactionInfo', hashIon(redactionInfo.ion)))
  const entriesHash = merkleRoot(entriesHashList)
  const blockHash = dot(entriesHash, block.previousBlockHash)
  return { revisions, items, entriesHash, blockHash }
}

export function revisionHashMessage(position: number | undefined): string {
  const subject = position === undefined ? 'its revision' : `its revision ${position}`
  return `${subject} does not have the hash of its content`
}

function locate(block: Block, role: BlockItemRole, hash: Uint8Array): ContentItem {
  const position = block.entriesHashList.findIndex((item) => equalBytes(item, hash))
  if (position >= 0) return { role, hash, position }
  const { blockAddress } = block
  throw blockError(
    { code: 'ITEM_MISSING', role, computed: hash, blockAddress },
    `entriesHashList does not contain the hash of its ${role}`,
    { metaMessages: [`Computed: ${toBase64(hash)}`] },
  )
}
