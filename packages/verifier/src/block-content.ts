/**
 * Checks a block against itself: every hash in it follows from its content, and a native block's canonical header binds
 * address, transaction, time and the kind of each revision (trust 2.2, 2.4). Its place in a ledger is for replay.ts.
 */
import { emptyBytes, equalBytes, sha256 } from '@cairn/core'
import { formatIon, type IonTimestamp } from '@cairn/ion'
import {
  type BlockEntryForm,
  type BlockHeader,
  type BlockItem,
  type BlockItemRole,
  CanonicalBytesError,
  encodeBlockEntry,
  encodeBlockHeader,
  encodeRevisionLeaf,
  listRoot,
  tlogHasher,
  tlogLeafHash,
} from '@cairn/merkle'
import type { Block, Revision } from './block.ts'
import { type BlockHashes, computeBlockHash } from './block-hash.ts'
import { blockError, checkHash, VerificationError } from './errors.ts'
import type { RevisionHashes } from './hashes.ts'

export interface BlockContentOptions {
  /**
   * True for a native block. Without it only what QLDB itself promised is checked: any number of hashes in
   * `entriesHashList` may stand for things unknown, and nothing binds address and time. `detect`: as the block itself
   * has it, native when its list ends with its header's hash. The form that was found is in the answer, and whoever
   * asks for it must care: leaving the hash out makes a native block an imported one.
   */
  readonly strict: boolean | 'detect'
  /**
   * Hash of the block's catalog information, which is no part of the block; `none` when it has none. Left out, one
   * hash in its place is taken as it is. For native blocks only.
   */
  readonly catalogInfoHash?: Uint8Array | 'none' | undefined
}

/** A block that was checked, and what it adds to the tlog tree. */
export interface BlockContent {
  readonly form: BlockEntryForm
  readonly hashes: BlockHashes
  readonly header: BlockHeader
  /** Canonical bytes of `header`. */
  readonly headerBytes: Uint8Array
  /** Canonical bytes of the entry. */
  readonly entry: Uint8Array
  /** The entry's leaf in the tlog tree. */
  readonly leafHash: Uint8Array
  /** Leaves of the tlog tree over the block's revisions. */
  readonly revisionLeafHashes: readonly Uint8Array[]
}

/** @throws VerificationError */
export function verifyBlockContent(block: Block, options: BlockContentOptions): BlockContent {
  const { blockAddress } = block
  const hashes = computeBlockHash(block)
  checkHash(
    {
      code: 'ENTRIES_HASH_MISMATCH',
      blockAddress,
      stated: block.entriesHash,
      computed: hashes.entriesHash,
    },
    'entriesHash is not the root of entriesHashList',
  )
  checkHash(
    {
      code: 'BLOCK_HASH_MISMATCH',
      blockAddress,
      stated: block.blockHash,
      computed: hashes.blockHash,
    },
    'blockHash is not entriesHash joined with previousBlockHash',
  )
  for (const revision of block.revisions) checkBelonging(block, revision)
  const isNative = options.strict === 'detect' ? hasHeaderItem(block, hashes) : options.strict
  if (isNative) checkNative(block)
  const items = isNative
    ? nativeItems(block, hashes, options.catalogInfoHash)
    : importedItems(block, hashes)
  const form = isNative ? 'native' : 'imported'
  const encoded = encodeContent(block, form, items, hashes)
  if (isNative) checkHeaderItem(block, items.length, sha256(encoded.headerBytes))
  return { form, hashes, ...encoded, leafHash: tlogLeafHash(encoded.entry) }
}

/** The block's address and transaction, as its revision repeats them. */
export function checkBelonging(block: Block, revision: Revision): void {
  if (revision.kind === 'hashOnly') return
  const { blockAddress } = block
  const stated = revision.blockAddress
  const isHere =
    stated.strandId === blockAddress.strandId && stated.sequenceNo === blockAddress.sequenceNo
  if (!isHere) {
    throw blockError(
      { code: 'ADDRESS_MISMATCH', blockAddress, stated },
      `a revision in it claims block ${stated.sequenceNo} of strand ${stated.strandId}`,
    )
  }
  const { txId } = revision.metadata
  if (txId !== block.transactionId) {
    throw blockError(
      { code: 'TRANSACTION_MISMATCH', blockAddress, stated: txId },
      `a revision in it claims transaction ${txId} where the block has ${block.transactionId}`,
    )
  }
}

/** What Cairn's own blocks keep to beyond QLDB's shapes. */
function checkNative(block: Block): void {
  const { blockAddress, revisions, transactionInfo } = block
  checkTime(block, block.blockTimestamp, 'blockTimestamp')
  for (const [i, statement] of transactionInfo.statements.entries()) {
    checkTime(block, statement.startTime, `transactionInfo.statements[${i}].startTime`)
  }
  for (const [position, revision] of revisions.entries()) {
    if (revision.kind === 'hashOnly') {
      throw blockError(
        { code: 'REVISION_OPAQUE', blockAddress, position },
        `its revision ${position} has a hash and no content`,
      )
    }
    checkTime(block, revision.metadata.txTime, `revisions[${position}].metadata.txTime`)
    if (revision.kind === 'data' && revision.data.annotations.length > 0) {
      throw blockError(
        { code: 'DATA_ANNOTATED', blockAddress, position },
        `the data of its revision ${position} carries annotations`,
      )
    }
    const documentId = revision.metadata.id
    if (!transactionInfo.documents.has(documentId)) {
      throw blockError(
        { code: 'TABLE_UNKNOWN', blockAddress, position, documentId },
        `transactionInfo does not name document ${documentId} of its revision ${position}`,
      )
    }
  }
}

function checkTime(block: Block, time: IonTimestamp, path: string): void {
  if (time.offsetMinutes === 0 && time.fractionDigits === 3) return
  throw blockError(
    { code: 'TIME_FORM', blockAddress: block.blockAddress, path },
    `${path} is not a UTC time with three digits after the second`,
  )
}

/** Item by item: the content in its order, then at most one for the catalog, then the header's own hash. */
function nativeItems(
  block: Block,
  hashes: BlockHashes,
  catalogInfoHash: Uint8Array | 'none' | undefined,
): BlockItem[] {
  const { blockAddress, entriesHashList } = block
  for (const [position, { role, hash }] of hashes.items.entries()) {
    const item = entriesHashList[position]
    if (item === undefined || !equalBytes(item, hash)) {
      throw blockError(
        { code: 'ITEM_ORDER', blockAddress, role, position },
        `the hash of its ${role} is not item ${position} of entriesHashList`,
      )
    }
  }
  const contentCount = hashes.items.length
  if (entriesHashList.length > contentCount + 2) {
    throw blockError(
      { code: 'ITEM_UNEXPLAINED', blockAddress, position: contentCount + 1 },
      `item ${contentCount + 1} of entriesHashList stands for nothing in it`,
    )
  }
  const items: BlockItem[] = hashes.items.map(({ role, hash }) => ({ role, hash }))
  const hasCatalogItem = entriesHashList.length === contentCount + 2
  const stated = hasCatalogItem ? (entriesHashList[contentCount] as Uint8Array) : emptyBytes
  if (catalogInfoHash !== undefined) {
    const computed = catalogInfoHash === 'none' ? emptyBytes : catalogInfoHash
    checkHash(
      { code: 'CATALOG_INFO_MISMATCH', blockAddress, stated, computed },
      'its catalog item is not the hash of its catalog information',
    )
  }
  if (hasCatalogItem) items.push({ role: 'catalogInfo', hash: stated })
  return items
}

/** Whether the list ends with the hash of the canonical header, as Cairn's own do and no other can. */
function hasHeaderItem(block: Block, hashes: BlockHashes): boolean {
  const { entriesHashList } = block
  const contentCount = hashes.items.length
  const catalogHash = entriesHashList[contentCount]
  const restCount = entriesHashList.length - contentCount
  if (restCount < 1 || restCount > 2 || catalogHash === undefined) return false
  const items: BlockItem[] = hashes.items.map(({ role, hash }) => ({ role, hash }))
  const isInOrder = items.every(({ hash }, i) => equalBytes(entriesHashList[i] ?? emptyBytes, hash))
  if (!isInOrder) return false
  if (restCount === 2) items.push({ role: 'catalogInfo', hash: catalogHash })
  const { headerBytes } = encodeContent(block, 'native', items, hashes)
  return equalBytes(entriesHashList.at(-1) ?? emptyBytes, sha256(headerBytes))
}

/** The whole list; roles only for what was recomputed. */
function importedItems(block: Block, hashes: BlockHashes): BlockItem[] {
  const roles = new Map<number, BlockItemRole>()
  for (const { role, position } of hashes.items) roles.set(position, role)
  return block.entriesHashList.map((hash, i) => ({ role: roles.get(i) ?? 'opaque', hash }))
}

function revisionLeafHash(block: Block, revision: Revision, hashes: RevisionHashes): Uint8Array {
  const documents = block.transactionInfo.documents
  const document = revision.kind === 'hashOnly' ? undefined : documents.get(revision.metadata.id)
  const leaf = { kind: hashes.leafKind, tableId: document?.tableId ?? '', hashes: hashes.parts }
  return tlogLeafHash(encodeRevisionLeaf(leaf))
}

/** What has no canonical bytes, such as an id of more than 255 bytes, is no block. */
function encodeContent(
  block: Block,
  form: BlockEntryForm,
  items: readonly BlockItem[],
  hashes: BlockHashes,
): Pick<BlockContent, 'header' | 'headerBytes' | 'entry' | 'revisionLeafHashes'> {
  try {
    const revisionLeafHashes = block.revisions.map((revision, i) =>
      revisionLeafHash(block, revision, hashes.revisions[i] as RevisionHashes),
    )
    const header = headerOf(block, items, revisionLeafHashes)
    const headerBytes = encodeBlockHeader(header)
    const entry = encodeBlockEntry({ header: headerBytes, form, blockHash: block.blockHash })
    return { header, headerBytes, entry, revisionLeafHashes }
  } catch (cause) {
    if (!(cause instanceof CanonicalBytesError)) throw cause
    throw new VerificationError(
      { code: 'BLOCK_MALFORMED', path: 'block', expected: 'one that has canonical bytes' },
      { shortMessage: 'The block has no canonical bytes.', metaMessages: [cause.message], cause },
    )
  }
}

function headerOf(
  block: Block,
  items: readonly BlockItem[],
  revisionLeafHashes: readonly Uint8Array[],
): BlockHeader {
  return {
    strandId: block.blockAddress.strandId,
    sequenceNo: block.blockAddress.sequenceNo,
    transactionId: block.transactionId,
    blockTimestamp: formatIon(block.blockTimestamp),
    previousBlockHash: block.previousBlockHash,
    items,
    revisionCount: block.revisions.length,
    revisionsTree: listRoot(tlogHasher, revisionLeafHashes),
  }
}

function checkHeaderItem(block: Block, position: number, computed: Uint8Array): void {
  const { blockAddress, entriesHashList } = block
  const stated = entriesHashList[position] ?? emptyBytes
  checkHash(
    { code: 'HEADER_MISMATCH', blockAddress, stated, computed },
    'the last item of entriesHashList is not the hash of its canonical header',
  )
}
