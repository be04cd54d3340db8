/**
 * A block on its way to the sealer: what enters its hashes, and what the projection must know of it. Encoded,
 * since batches of them cross to another thread, where objects would have to be copied one by one.
 *
 *   sequence number | transaction id | time | statements | catalog change or nothing | tables | revisions | redactions
 */
import { assert, hashBytesSize } from '@cairn/core'
import {
  type BlockRedaction,
  type BlockStatement,
  type RevisionPlace,
  readRedaction,
  writeRedaction,
} from './block-record.ts'
import type { ByteReader, ByteWriter } from './byte-writer.ts'
import type { CreatedIndex } from './projection.ts'
import type { IndexChange } from './revision.ts'

export interface UnsealedRevision {
  readonly tableId: string
  readonly tableName: string
  readonly tableNo: number
  readonly documentId: string
  readonly version: number
  /** Of the version before; absent for version 0. */
  readonly previous: RevisionPlace | undefined
  readonly statements: readonly number[]
  /** The document as an Ion stream; absent for a deletion. */
  readonly data: Uint8Array | undefined
  /** The document's hash where it is known already. */
  readonly dataHash: Uint8Array | undefined
  readonly indexChanges: readonly IndexChange[]
}

export interface CatalogChange {
  /** The catalogInfo of the block, an Ion stream. */
  readonly info: Uint8Array
  /** The catalog after the block, an Ion stream. */
  readonly catalog: Uint8Array
  readonly createdIndexes: readonly CreatedIndex[]
  readonly droppedIndexNos: readonly number[]
}

export interface UnsealedBlock {
  readonly sequenceNo: number
  readonly transactionId: string
  readonly timestampMs: number
  readonly statements: readonly BlockStatement[]
  readonly catalogChange: CatalogChange | undefined
  readonly revisions: readonly UnsealedRevision[]
  readonly redactions: readonly BlockRedaction[]
}

const flagData = 1
const flagDataHash = 2
const flagOldKey = 1
const flagNewKey = 2

export function writeUnsealedBlock(writer: ByteWriter, block: UnsealedBlock): void {
  writer.varuint(block.sequenceNo)
  writer.text(block.transactionId)
  writer.varuint(block.timestampMs)
  writer.varuint(block.statements.length)
  for (const { text, startTimeMs, digest } of block.statements) {
    writer.text(text)
    writer.varuint(startTimeMs)
    writer.raw(digest)
  }
  writeCatalogChange(writer, block.catalogChange)
  writer.varuint(block.revisions.length)
  let table: UnsealedRevision | undefined
  for (const revision of block.revisions) {
    // Neighbours are mostly of one table: its names are written once.
    const isSameTable = table?.tableId === revision.tableId
    writer.u8(isSameTable ? 1 : 0)
    if (!isSameTable) {
      writer.text(revision.tableId)
      writer.text(revision.tableName)
      writer.varuint(revision.tableNo)
      table = revision
    }
    writeRevision(writer, revision)
  }
  writer.varuint(block.redactions.length)
  for (const redaction of block.redactions) writeRedaction(writer, redaction)
}

function writeRevision(writer: ByteWriter, revision: UnsealedRevision): void {
  const { data, dataHash } = revision
  assert(revision.version > 0 === (revision.previous !== undefined), 'versions follow each other')
  writer.text(revision.documentId)
  writer.varuint(revision.version)
  if (revision.previous !== undefined) {
    writer.varuint(revision.previous.sequenceNo)
    writer.varuint(revision.previous.ordinal)
  }
  writer.varuint(revision.statements.length)
  for (const index of revision.statements) writer.varuint(index)
  writer.u8((data === undefined ? 0 : flagData) | (dataHash === undefined ? 0 : flagDataHash))
  if (data !== undefined) writer.bytes(data)
  if (dataHash !== undefined) writer.raw(dataHash)
  writer.varuint(revision.indexChanges.length)
  for (const { indexNo, indexId, oldKey, newKey } of revision.indexChanges) {
    writer.varuint(indexNo)
    writer.text(indexId)
    writer.u8((oldKey === undefined ? 0 : flagOldKey) | (newKey === undefined ? 0 : flagNewKey))
    if (oldKey !== undefined) writer.bytes(oldKey)
    if (newKey !== undefined) writer.bytes(newKey)
  }
}

function writeCatalogChange(writer: ByteWriter, change: CatalogChange | undefined): void {
  writer.u8(change === undefined ? 0 : 1)
  if (change === undefined) return
  writer.bytes(change.info)
  writer.bytes(change.catalog)
  writer.varuint(change.createdIndexes.length)
  for (const { tableNo, indexNo, indexId, field } of change.createdIndexes) {
    writer.varuint(tableNo)
    writer.varuint(indexNo)
    writer.text(indexId)
    writer.text(field)
  }
  writer.varuint(change.droppedIndexNos.length)
  for (const indexNo of change.droppedIndexNos) writer.varuint(indexNo)
}

/** Byte fields of the answer are views into what is read. */
export function readUnsealedBlock(reader: ByteReader): UnsealedBlock {
  const sequenceNo = reader.varuint()
  const transactionId = reader.text()
  const timestampMs = reader.varuint()
  const statements = readMany(reader, () => ({
    text: reader.text(),
    startTimeMs: reader.varuint(),
    digest: reader.rawView(hashBytesSize),
  }))
  const catalogChange = readCatalogChange(reader)
  let table = { tableId: '', tableName: '', tableNo: 0 }
  const revisions = readMany(reader, () => {
    if (reader.u8() === 0) {
      table = { tableId: reader.text(), tableName: reader.text(), tableNo: reader.varuint() }
    }
    return readRevision(reader, table)
  })
  const redactions = readMany(reader, () => readRedaction(reader))
  return {
    sequenceNo,
    transactionId,
    timestampMs,
    statements,
    catalogChange,
    revisions,
    redactions,
  }
}

function readRevision(
  reader: ByteReader,
  { tableId, tableName, tableNo }: Pick<UnsealedRevision, 'tableId' | 'tableName' | 'tableNo'>,
): UnsealedRevision {
  const documentId = reader.text()
  const version = reader.varuint()
  const previous =
    version === 0 ? undefined : { sequenceNo: reader.varuint(), ordinal: reader.varuint() }
  const statements = readMany(reader, () => reader.varuint())
  const flags = reader.u8()
  const data = (flags & flagData) === 0 ? undefined : reader.bytesView()
  const dataHash = (flags & flagDataHash) === 0 ? undefined : reader.rawView(hashBytesSize)
  const indexChanges = readMany(reader, () => {
    const indexNo = reader.varuint()
    const indexId = reader.text()
    const keys = reader.u8()
    const oldKey = (keys & flagOldKey) === 0 ? undefined : reader.bytesView()
    const newKey = (keys & flagNewKey) === 0 ? undefined : reader.bytesView()
    return { indexNo, indexId, oldKey, newKey }
  })
  return {
    tableId,
    tableName,
    tableNo,
    documentId,
    version,
    previous,
    statements,
    data,
    dataHash,
    indexChanges,
  }
}

function readCatalogChange(reader: ByteReader): CatalogChange | undefined {
  if (reader.u8() === 0) return undefined
  return {
    info: reader.bytesView(),
    catalog: reader.bytesView(),
    createdIndexes: readMany(reader, () => ({
      tableNo: reader.varuint(),
      indexNo: reader.varuint(),
      indexId: reader.text(),
      field: reader.text(),
    })),
    droppedIndexNos: readMany(reader, () => reader.varuint()),
  }
}

function readMany<T>(reader: ByteReader, readOne: () => T): T[] {
  const count = reader.varuint()
  const out: T[] = []
  for (let i = 0; i < count; i++) out.push(readOne())
  return out
}
