/**
 * The journal block and the revision as QLDB shapes them (qldb-compat 3.2, 3.3), from Ion to typed records.
 * Shapes only: whether hashes hold is for block-content.ts and qldb-digest.ts.
 */
import { hashBytesSize } from '@cairn/core'
import type { IonStruct, IonTimestamp, IonValue } from '@cairn/ion'
import { ShapeReader } from './shape.ts'

/** Where a block lives in the journal. */
export interface BlockAddress {
  readonly strandId: string
  readonly sequenceNo: number
}

export interface StatementInfo {
  readonly statement: string
  readonly startTime: IonTimestamp
  readonly statementDigest: Uint8Array
}

export interface DocumentInfo {
  readonly tableName: string
  readonly tableId: string
  /** Indexes of the statements that touched the document. */
  readonly statements: readonly number[]
}

export interface TransactionInfo {
  readonly statements: readonly StatementInfo[]
  /** By document id. */
  readonly documents: ReadonlyMap<string, DocumentInfo>
  /** The struct that is hashed. */
  readonly ion: IonStruct
}

export interface RedactedRevision {
  readonly blockAddress: BlockAddress
  readonly tableId: string
  readonly documentId: string
  readonly version: number
}

export interface RedactionInfo {
  readonly revisions: readonly RedactedRevision[]
  /** The struct that is hashed. */
  readonly ion: IonStruct
}

export interface RevisionMetadata {
  /** Document id. */
  readonly id: string
  readonly version: number
  readonly txTime: IonTimestamp
  readonly txId: string
  /** The struct that is hashed. */
  readonly ion: IonStruct
}

interface KnownRevision {
  readonly hash: Uint8Array
  readonly blockAddress: BlockAddress
  readonly metadata: RevisionMetadata
}

export interface DataRevision extends KnownRevision {
  readonly kind: 'data'
  readonly data: IonStruct
}

/** Its data was taken away; `dataHash` is what it hashed to. */
export interface RedactedDataRevision extends KnownRevision {
  readonly kind: 'redacted'
  readonly dataHash: Uint8Array
}

export interface DeletionRevision extends KnownRevision {
  readonly kind: 'deletion'
}

/** QLDB's internal revisions, of which a block tells the hash only. Cairn writes none. */
export interface HashOnlyRevision {
  readonly kind: 'hashOnly'
  readonly hash: Uint8Array
}

/** A revision whose content is at hand. */
export type DocumentRevision = DataRevision | RedactedDataRevision | DeletionRevision

export type Revision = DocumentRevision | HashOnlyRevision

export interface Block {
  readonly blockAddress: BlockAddress
  readonly transactionId: string
  readonly blockTimestamp: IonTimestamp
  readonly blockHash: Uint8Array
  readonly entriesHash: Uint8Array
  /** 32 bytes, or none in block 0. */
  readonly previousBlockHash: Uint8Array
  readonly entriesHashList: readonly Uint8Array[]
  readonly transactionInfo: TransactionInfo
  readonly redactionInfo: RedactionInfo | undefined
  readonly revisions: readonly Revision[]
}

const inBlock = new ShapeReader('BLOCK_MALFORMED')
const inRevision = new ShapeReader('REVISION_MALFORMED')
const inAddress = new ShapeReader('ADDRESS_MALFORMED')
const inProof = new ShapeReader('PROOF_MALFORMED')

/** @throws VerificationError BLOCK_MALFORMED */
export function parseBlock(value: IonValue): Block {
  const fields = inBlock.struct(
    value,
    'block',
    [
      'blockAddress',
      'transactionId',
      'blockTimestamp',
      'blockHash',
      'entriesHash',
      'previousBlockHash',
      'entriesHashList',
      'transactionInfo',
    ],
    ['redactionInfo', 'revisions'],
  )
  const blockAddress = readAddress(inBlock, fields.blockAddress, 'block.blockAddress')
  const previousBlockHash = inBlock.blob(fields.previousBlockHash, 'block.previousBlockHash')
  const isFirst = previousBlockHash.length === 0 && blockAddress.sequenceNo === 0
  if (!isFirst && previousBlockHash.length !== hashBytesSize) {
    throw inBlock.error('block.previousBlockHash', 'a blob of 32 bytes, or of none in block 0')
  }
  return {
    blockAddress,
    transactionId: inBlock.string(fields.transactionId, 'block.transactionId'),
    blockTimestamp: inBlock.timestamp(fields.blockTimestamp, 'block.blockTimestamp'),
    blockHash: inBlock.hash(fields.blockHash, 'block.blockHash'),
    entriesHash: inBlock.hash(fields.entriesHash, 'block.entriesHash'),
    previousBlockHash,
    entriesHashList: inBlock
      .list(fields.entriesHashList, 'block.entriesHashList')
      .map((hash, i) => inBlock.hash(hash, `block.entriesHashList[${i}]`)),
    transactionInfo: readTransactionInfo(fields.transactionInfo, 'block.transactionInfo'),
    redactionInfo:
      fields.redactionInfo && readRedactionInfo(fields.redactionInfo, 'block.redactionInfo'),
    revisions: fields.revisions
      ? inBlock
          .list(fields.revisions, 'block.revisions')
          .map((revision, i) => readRevision(inBlock, revision, `block.revisions[${i}]`))
      : [],
  }
}

/**
 * A revision as GetRevision, the committed view and history give it. One of a block's internal revisions, with a hash
 * and nothing else, is read as `hashOnly`.
 * @throws VerificationError REVISION_MALFORMED
 */
export function parseRevision(value: IonValue): Revision {
  return readRevision(inRevision, value, 'revision')
}

/** @throws VerificationError ADDRESS_MALFORMED */
export function parseBlockAddress(value: IonValue): BlockAddress {
  return readAddress(inAddress, value, 'address')
}

/**
 * `Proof.IonText` of GetBlock and GetRevision: a list of hashes in the order of folding.
 * @throws VerificationError PROOF_MALFORMED
 */
export function parseProof(value: IonValue): Uint8Array[] {
  return inProof.list(value, 'proof').map((hash, i) => inProof.hash(hash, `proof[${i}]`))
}

function readAddress(reader: ShapeReader, value: IonValue, path: string): BlockAddress {
  const fields = reader.struct(value, path, ['strandId', 'sequenceNo'])
  return {
    strandId: reader.string(fields.strandId, `${path}.strandId`),
    sequenceNo: reader.count(fields.sequenceNo, `${path}.sequenceNo`),
  }
}

function readTransactionInfo(value: IonValue, path: string): TransactionInfo {
  const fields = inBlock.struct(value, path, ['statements'], ['documents'])
  const statements = inBlock
    .list(fields.statements, `${path}.statements`)
    .map((statement, i) => readStatement(statement, `${path}.statements[${i}]`))
  const documents = new Map<string, DocumentInfo>()
  if (fields.documents !== undefined) {
    for (const [id, document] of inBlock.entries(fields.documents, `${path}.documents`)) {
      documents.set(id, readDocument(document, `${path}.documents.${id}`))
    }
  }
  return { statements, documents, ion: value as IonStruct }
}

function readStatement(value: IonValue, path: string): StatementInfo {
  const fields = inBlock.struct(value, path, ['statement', 'startTime', 'statementDigest'])
  return {
    statement: inBlock.string(fields.statement, `${path}.statement`),
    startTime: inBlock.timestamp(fields.startTime, `${path}.startTime`),
    statementDigest: inBlock.hash(fields.statementDigest, `${path}.statementDigest`),
  }
}

function readDocument(value: IonValue, path: string): DocumentInfo {
  const fields = inBlock.struct(value, path, ['tableName', 'tableId', 'statements'])
  return {
    tableName: inBlock.string(fields.tableName, `${path}.tableName`),
    tableId: inBlock.string(fields.tableId, `${path}.tableId`),
    statements: inBlock
      .list(fields.statements, `${path}.statements`)
      .map((index, i) => inBlock.count(index, `${path}.statements[${i}]`)),
  }
}

function readRedactionInfo(value: IonValue, path: string): RedactionInfo {
  const fields = inBlock.struct(value, path, ['revisions'])
  const revisions = inBlock
    .list(fields.revisions, `${path}.revisions`)
    .map((revision, i) => readRedacted(revision, `${path}.revisions[${i}]`))
  return { revisions, ion: value as IonStruct }
}

function readRedacted(value: IonValue, path: string): RedactedRevision {
  const fields = inBlock.struct(value, path, ['blockAddress', 'tableId', 'documentId', 'version'])
  return {
    blockAddress: readAddress(inBlock, fields.blockAddress, `${path}.blockAddress`),
    tableId: inBlock.string(fields.tableId, `${path}.tableId`),
    documentId: inBlock.string(fields.documentId, `${path}.documentId`),
    version: inBlock.count(fields.version, `${path}.version`),
  }
}

function readRevision(reader: ShapeReader, value: IonValue, path: string): Revision {
  const fields = reader.struct(
    value,
    path,
    ['hash'],
    ['blockAddress', 'metadata', 'data', 'dataHash'],
  )
  const hash = reader.hash(fields.hash, `${path}.hash`)
  if (fields.metadata === undefined) {
    const isHashOnly = !(fields.blockAddress || fields.data || fields.dataHash)
    if (!isHashOnly) throw reader.error(`${path}.metadata`, 'there')
    return { kind: 'hashOnly', hash }
  }
  if (fields.blockAddress === undefined) throw reader.error(`${path}.blockAddress`, 'there')
  const known: KnownRevision = {
    hash,
    blockAddress: readAddress(reader, fields.blockAddress, `${path}.blockAddress`),
    metadata: readMetadata(reader, fields.metadata, `${path}.metadata`),
  }
  const { data, dataHash } = fields
  if (data === undefined) {
    return dataHash === undefined
      ? { kind: 'deletion', ...known }
      : { kind: 'redacted', ...known, dataHash: reader.hash(dataHash, `${path}.dataHash`) }
  }
  if (dataHash !== undefined) throw reader.error(`${path}.dataHash`, 'absent where data is')
  if (data.type !== 'struct') throw reader.error(`${path}.data`, 'a struct')
  return { kind: 'data', ...known, data }
}

function readMetadata(reader: ShapeReader, value: IonValue, path: string): RevisionMetadata {
  const fields = reader.struct(value, path, ['id', 'version', 'txTime', 'txId'])
  return {
    id: reader.string(fields.id, `${path}.id`),
    version: reader.count(fields.version, `${path}.version`),
    txTime: reader.timestamp(fields.txTime, `${path}.txTime`),
    txId: reader.string(fields.txId, `${path}.txId`),
    ion: value as IonStruct,
  }
}
