/**
 * A verified block of an export as the record that the journal keeps. A block that Cairn sealed becomes the record it
 * was where nothing of it is missing; all others keep what was hashed beside it (`ImportedParts`).
 */
import { assert, equalBytes, idToBytes, sha256, toBase64 } from '@cairn/core'
import { decodeIon, encodeIon, fieldOf, type IonTimestamp, timestampToMs } from '@cairn/ion'
import type { BlockItem as CanonicalItem } from '@cairn/merkle'
import type { Block, BlockContent, DocumentRevision } from '@cairn/verifier'
import { metadataHash, transactionInfoHash } from '../block-hashes.ts'
import {
  type BlockItem,
  type BlockRecord,
  type BlockRevision,
  type BlockStatement,
  hashOnlyRevision,
  type RevisionPlace,
} from '../block-record.ts'
import type { DefiningBlock, TouchedDocument } from './catalog-deriver.ts'

export interface ImportedBlockParts {
  readonly block: Block
  readonly content: BlockContent
  /** The catalog information that the block's list has the hash of, where the export brought it. */
  readonly catalogInfo: Uint8Array | undefined
  /** The same read from statements, when there is any. */
  readonly derivedCatalogInfo: Uint8Array | undefined
  /** Where a document's last revision stands before this block. */
  placeOf(tableId: string, documentId: string): RevisionPlace | undefined
}

/** @throws RangeError with a sentence, when the block cannot be kept. */
export function importedRecord(parts: ImportedBlockParts): BlockRecord {
  const { block, content, catalogInfo, derivedCatalogInfo } = parts
  const { sequenceNo } = block.blockAddress
  checkId(block.transactionId, 'its transaction id')
  const revisions = revisionsOf(parts)
  const record: BlockRecord = {
    sequenceNo,
    blockHash: block.blockHash,
    previousBlockHash: block.previousBlockHash,
    timestampMs: millisecondsOf(block.blockTimestamp, 'its blockTimestamp'),
    transactionId: block.transactionId,
    items: content.header.items.map(itemOf),
    headerHash: sha256(content.headerBytes),
    statements: [],
    catalogInfo,
    revisions,
    // Of these blocks, what stands in `redactionInfo`.
    redactions: [],
  }
  const statements = content.form === 'native' ? nativeStatements(parts, record) : undefined
  if (statements !== undefined) return { ...record, statements }
  const isFirst = sequenceNo === 0 && block.previousBlockHash.length > 0
  return {
    ...record,
    imported: {
      form: content.form,
      previousBlockHash: isFirst ? block.previousBlockHash : undefined,
      transactionInfo: encodeIon(block.transactionInfo.ion),
      redactionInfo: block.redactionInfo && encodeIon(block.redactionInfo.ion),
      derivedCatalogInfo,
    },
  }
}

function itemOf({ role, hash }: CanonicalItem): BlockItem {
  return { role, hash }
}

/** The statements of a block that needs nothing beside a record of ours. */
function nativeStatements(
  { block, derivedCatalogInfo, catalogInfo }: ImportedBlockParts,
  { items, revisions }: BlockRecord,
): BlockStatement[] | undefined {
  const hasCatalogItem = items.some(({ role }) => role === 'catalogInfo')
  const isCatalogKnown = hasCatalogItem === (catalogInfo !== undefined)
  if (!isCatalogKnown || derivedCatalogInfo !== undefined) return undefined
  if (block.redactionInfo !== undefined) return undefined
  const statements = block.transactionInfo.statements.map(
    ({ statement, startTime, statementDigest }) => ({
      text: statement,
      startTimeMs: timestampToMs(startTime),
      digest: statementDigest,
    }),
  )
  const computed = transactionInfoHash(statements, revisions)
  return equalBytes(computed, items[0]?.hash ?? computed.subarray(1)) ? statements : undefined
}

function revisionsOf({ block, content, placeOf }: ImportedBlockParts): BlockRevision[] {
  const { sequenceNo } = block.blockAddress
  const places = new Map<string, RevisionPlace>()
  return block.revisions.map((revision, ordinal) => {
    if (revision.kind === 'hashOnly') return hashOnlyRevision(revision.hash)
    const documentId = revision.metadata.id
    checkId(documentId, `the document id of its revision ${ordinal}`)
    const document = block.transactionInfo.documents.get(documentId)
    if (document === undefined) {
      throw new RangeError(`its transactionInfo does not tell the table of document ${documentId}`)
    }
    const metadataParts = content.hashes.revisions[ordinal]?.parts[0]
    assert(metadataParts !== undefined, 'a revision with content has the hash of its metadata')
    const { tableId, tableName, statements } = document
    const previous = places.get(documentId) ?? placeOf(tableId, documentId)
    places.set(documentId, { sequenceNo, ordinal })
    return {
      tableId,
      tableName,
      documentId,
      version: revision.metadata.version,
      previous: revision.metadata.version === 0 ? undefined : previous,
      transactionTimeMs: transactionTime(revision, ordinal, metadataParts),
      statements,
      hash: revision.hash,
      data: revision.kind === 'data' ? encodeIon(revision.data) : undefined,
      dataHash: revision.kind === 'redacted' ? revision.dataHash : undefined,
    }
  })
}

/** The time, after a look that the metadata we shall make from it is the one that was hashed. */
function transactionTime(
  { metadata }: DocumentRevision,
  ordinal: number,
  hashed: Uint8Array,
): number {
  const timeMs = millisecondsOf(metadata.txTime, `txTime of its revision ${ordinal}`)
  const computed = metadataHash(metadata.id, metadata.version, timeMs, metadata.txId)
  if (equalBytes(computed, hashed)) return timeMs
  throw new RangeError(
    `the metadata of its revision ${ordinal} has another form than QLDB's: it hashes to ` +
      `${toBase64(hashed)}, where QLDB's form of it hashes to ${toBase64(computed)}`,
  )
}

function millisecondsOf(time: IonTimestamp, what: string): number {
  if (time.offsetMinutes === 0 && time.fractionDigits === 3) return timestampToMs(time)
  throw new RangeError(`${what} is not a UTC time with three digits after the second`)
}

function checkId(text: string, what: string): void {
  if (idToBytes(text) !== undefined) return
  throw new RangeError(`${what}, ${JSON.stringify(text)}, is no id of 22 letters and digits`)
}

/** What a parsed block tells of tables. */
export function definingBlock(block: Block): DefiningBlock {
  const { statements, documents } = block.transactionInfo
  return {
    sequenceNo: block.blockAddress.sequenceNo,
    statementTexts: statements.map(({ statement }) => statement),
    documents: [...documents.values()],
  }
}

/** The same from a record that was made of it. */
export function definingRecord(record: BlockRecord): DefiningBlock {
  const { sequenceNo, imported, statements, revisions } = record
  if (imported === undefined) {
    const documents = revisions.filter(({ isHashOnly }) => !isHashOnly)
    return { sequenceNo, statementTexts: statements.map(({ text }) => text), documents }
  }
  const info = decodeIon(imported.transactionInfo)
  assert(info.type === 'struct', 'transactionInfo was parsed before it was kept')
  const list = fieldOf(info, 'statements')
  const struct = fieldOf(info, 'documents')
  const texts: string[] = []
  for (const statement of list?.type === 'list' ? list.values : []) {
    const text = statement.type === 'struct' ? fieldOf(statement, 'statement') : undefined
    texts.push(text?.type === 'string' ? text.value : '')
  }
  const documents: TouchedDocument[] = []
  for (const { value } of struct?.type === 'struct' ? struct.fields : []) {
    if (value.type === 'struct') documents.push(touchedDocument(value))
  }
  return { sequenceNo, statementTexts: texts, documents }
}

function touchedDocument(value: Parameters<typeof fieldOf>[0]): TouchedDocument {
  const text = (name: string) => {
    const member = fieldOf(value, name)
    return member?.type === 'string' ? member.value : ''
  }
  const list = fieldOf(value, 'statements')
  const statements = list?.type === 'list' ? list.values : []
  return {
    tableName: text('tableName'),
    tableId: text('tableId'),
    statements: statements.map((index) => (index.type === 'int' ? Number(index.value) : 0)),
  }
}
