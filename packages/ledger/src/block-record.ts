/**
 * A block as the journal keeps it: the body of one journal record. The block's number, its hash and its predecessor's
 * hash stand in the frame around it. Documents are kept as the Ion streams that clients receive.
 *
 *   version u8 | timestamp | transactionId | items: count, (role u8, hash 32)* | header hash 32
 *   statements: count, (text, start time, digest 32)* | catalogInfo: Ion stream or empty
 *   tables: count, (tableId, name)* | revisions: count, revision*
 *   revision: kind u8 | table | documentId | version | previous? | transaction time
 *             statements: count, index* | hash 32
 *             kind 1 data: length, Ion stream, zeros up to 32    kind 2 deletion: nothing
 *             kind 3 redacted: hash of the data 32               kind 4 hash only, in imported blocks: see there
 *             kind 5 erased: length of what was there, hash of the data 32, zeros as far as the data went
 *   redactions: count, (block, document id, table id, version, block that superseded it plus one or 0)*
 *
 * Erasing puts kind 5 in place of kind 1, byte for byte, which is why no data takes less than a hash.
 *
 * Version 5 is a block that came with an import. Its revisions may be of kind 4, the hash and nothing else, and a part
 * follows that keeps what was hashed as it was:
 *
 *   form u8 | previousBlockHash, when not empty | transactionInfo: Ion stream | redactionInfo: Ion stream or empty
 *   derived catalogInfo: the same
 *
 * Versions 2 and 3 are 4 and 5 without the zeros behind data and without redactions.
 */
import { emptyBytes, hashBytesSize } from '@cairn/core'
import type { JournalRecord } from '@cairn/journal'
import { ByteReader, ByteWriter } from './byte-writer.ts'

const formatVersion = 4
const importedFormatVersion = 5
/** Older ones are read, and were never written by a release. */
const unpaddedFormatVersion = 2
const unpaddedImportedFormatVersion = 3
/** What data takes at least, so that its hash fits where it was. */
const dataBytesMin: number = hashBytesSize

/** `opaque`, in imported blocks only: nothing at hand hashes to it. */
export type ItemRole =
  | 'opaque'
  | 'transactionInfo'
  | 'revisionsRoot'
  | 'redactionInfo'
  | 'catalogInfo'

/** An entry of `entriesHashList` with what it is the hash of. The header's own entry is kept apart. */
export interface BlockItem {
  readonly role: ItemRole
  readonly hash: Uint8Array
}

export interface BlockStatement {
  readonly text: string
  readonly startTimeMs: number
  readonly digest: Uint8Array
}

/** A revision's block, and its position among the revisions there. */
export interface RevisionPlace {
  readonly sequenceNo: number
  readonly ordinal: number
}

export interface BlockRevision {
  readonly tableId: string
  /** The table's name when the transaction ran. */
  readonly tableName: string
  readonly documentId: string
  readonly version: number
  /** Where the version before stands; absent for version 0. Not hashed: it only says where to read. */
  readonly previous: RevisionPlace | undefined
  readonly transactionTimeMs: number
  /** Indexes of the statements that touched the document. */
  readonly statements: readonly number[]
  readonly hash: Uint8Array
  /** An Ion stream. Absent: the revision is a deletion, or redacted when `dataHash` is there. */
  readonly data: Uint8Array | undefined
  readonly dataHash: Uint8Array | undefined
  /** The data was taken out of the block as it lies on the disk: some later block must say so. */
  readonly isErased?: true
  /** The data is so short, and the block so old, that a hash would not fit in its place. */
  readonly isUnerasable?: true
  /** QLDB's internal revisions: `hash` is all that is known, the other fields are empty. */
  readonly isHashOnly?: true
}

/** What an imported block keeps beside the fields that ours have. Ion streams, with the bytes' hash unchanged. */
export interface ImportedParts {
  /** `native`: sealed by Cairn, the header's hash ends `entriesHashList`. `imported`: sealed by QLDB. */
  readonly form: 'native' | 'imported'
  /** What block 0 has for a predecessor's hash; undefined: zero bytes, and for every other block. */
  readonly previousBlockHash: Uint8Array | undefined
  /** Stands in for `statements`, which are empty. */
  readonly transactionInfo: Uint8Array
  readonly redactionInfo: Uint8Array | undefined
  /** The DDL as the import read it from the statements: in no hash, unlike `catalogInfo`. */
  readonly derivedCatalogInfo: Uint8Array | undefined
}

/** A revision whose data a transaction took out of the ledger. */
export interface BlockRedaction {
  /** Of the block that the revision stands in. */
  readonly sequenceNo: number
  readonly tableId: string
  readonly documentId: string
  readonly version: number
  /** The block of the next revision; undefined when not known. Not hashed: it says how far copies may have come. */
  readonly supersededNo: number | undefined
}

export interface BlockBody {
  readonly timestampMs: number
  readonly transactionId: string
  readonly items: readonly BlockItem[]
  readonly headerHash: Uint8Array
  readonly statements: readonly BlockStatement[]
  /** The DDL of the transaction as an Ion stream. */
  readonly catalogInfo: Uint8Array | undefined
  readonly revisions: readonly BlockRevision[]
  /** At most one in our own transactions. */
  readonly redactions: readonly BlockRedaction[]
  readonly imported?: ImportedParts
}

/** A block with its place in the chain. */
export interface BlockRecord extends BlockBody {
  readonly sequenceNo: number
  readonly blockHash: Uint8Array
  /** Zero bytes for block 0. */
  readonly previousBlockHash: Uint8Array
}

// Index = the byte that stands for it.
const roles: readonly ItemRole[] = [
  'opaque',
  'transactionInfo',
  'revisionsRoot',
  'redactionInfo',
  'catalogInfo',
]
const kindData = 1
const kindDeletion = 2
const kindRedacted = 3
const kindHashOnly = 4
const kindErased = 5
const forms = ['imported', 'native'] as const

const zeros = new Uint8Array(dataBytesMin)
const writer = new ByteWriter()

/** The body may be kept as long as records live; see `ByteWriter.takeView`. */
export function encodeBlockBody(block: BlockBody): Uint8Array {
  const { imported } = block
  writer.u8(imported === undefined ? formatVersion : importedFormatVersion)
  writer.varuint(block.timestampMs)
  writer.text(block.transactionId)
  writer.varuint(block.items.length)
  for (const item of block.items) {
    writer.u8(roles.indexOf(item.role))
    writer.raw(item.hash)
  }
  writer.raw(block.headerHash)
  writer.varuint(block.statements.length)
  for (const statement of block.statements) {
    writer.text(statement.text)
    writer.varuint(statement.startTimeMs)
    writer.raw(statement.digest)
  }
  writer.bytes(block.catalogInfo ?? emptyBytes)
  writeRevisions(block.revisions)
  writer.varuint(block.redactions.length)
  for (const redaction of block.redactions) writeRedaction(writer, redaction)
  if (imported !== undefined) {
    writer.u8(forms.indexOf(imported.form))
    writer.bytes(imported.previousBlockHash ?? emptyBytes)
    writer.bytes(imported.transactionInfo)
    writer.bytes(imported.redactionInfo ?? emptyBytes)
    writer.bytes(imported.derivedCatalogInfo ?? emptyBytes)
  }
  return writer.takeView()
}

/** The tables in the order in which they occur, then the revisions with the index of their table. */
function writeRevisions(revisions: readonly BlockRevision[]): void {
  // A revision of each table: few, mostly one, so looking along beats a map. An array that grows has room for 17.
  const tables = revisions.slice(0, 1)
  for (const revision of revisions) {
    if (revision.isHashOnly) continue
    if (tableIndexOf(tables, revision.tableId) < 0) tables.push(revision)
  }
  writer.varuint(tables.length)
  for (const { tableId, tableName } of tables) {
    writer.text(tableId)
    writer.text(tableName)
  }
  writer.varuint(revisions.length)
  for (const revision of revisions) {
    writeRevision(revision, tableIndexOf(tables, revision.tableId))
  }
}

function tableIndexOf(tables: readonly BlockRevision[], tableId: string): number {
  for (let i = 0; i < tables.length; i++) if (tables[i]?.tableId === tableId) return i
  return -1
}

function writeRevision(revision: BlockRevision, tableIndex: number): void {
  if (revision.isHashOnly) {
    writer.u8(kindHashOnly)
    writer.raw(revision.hash)
    return
  }
  writer.u8(kindOf(revision))
  writer.varuint(tableIndex)
  writer.text(revision.documentId)
  writer.varuint(revision.version)
  if (revision.version > 0) {
    // The block's number plus one, so that 0 says that the place is not known.
    writer.varuint(revision.previous === undefined ? 0 : revision.previous.sequenceNo + 1)
    if (revision.previous !== undefined) writer.varuint(revision.previous.ordinal)
  }
  writer.varuint(revision.transactionTimeMs)
  writer.varuint(revision.statements.length)
  for (const index of revision.statements) writer.varuint(index)
  writer.raw(revision.hash)
  if (revision.data !== undefined) writeData(revision.data)
  else if (revision.dataHash !== undefined) {
    // Written anew it takes what a hash takes.
    if (revision.isErased) writer.varuint(hashBytesSize)
    writer.raw(revision.dataHash)
  }
}

function kindOf({ data, dataHash, isErased }: BlockRevision): number {
  if (data !== undefined) return kindData
  if (dataHash === undefined) return kindDeletion
  return isErased ? kindErased : kindRedacted
}

function writeData(data: Uint8Array): void {
  writer.bytes(data)
  if (data.length < dataBytesMin) writer.raw(zeros.subarray(data.length))
}

export function writeRedaction(out: ByteWriter, redaction: BlockRedaction): void {
  out.varuint(redaction.sequenceNo)
  out.text(redaction.documentId)
  out.text(redaction.tableId)
  out.varuint(redaction.version)
  out.varuint(redaction.supersededNo === undefined ? 0 : redaction.supersededNo + 1)
}

export function readRedaction(reader: ByteReader): BlockRedaction {
  const sequenceNo = reader.varuint()
  const documentId = reader.text()
  const tableId = reader.text()
  const version = reader.varuint()
  const superseded = reader.varuint()
  const supersededNo = superseded === 0 ? undefined : superseded - 1
  return { sequenceNo, documentId, tableId, version, supersededNo }
}

/**
 * Byte fields of the answer are views into `body`.
 * @throws RangeError when `body` is no block record of a version we know.
 */
export function decodeBlockBody(body: Uint8Array): BlockBody {
  return decode(body)
}

/** @param revisionOffsets Receives where in `body` the revisions start. */
function decode(body: Uint8Array, revisionOffsets?: number[]): BlockBody {
  const reader = new ByteReader(body)
  const version = reader.u8()
  if (version < unpaddedFormatVersion || version > importedFormatVersion) {
    throw new RangeError(`block record of version ${version}`)
  }
  const isPadded = version >= formatVersion
  const isImported = version === importedFormatVersion || version === unpaddedImportedFormatVersion
  const timestampMs = reader.varuint()
  const transactionId = reader.text()
  const items = readMany(reader, () => {
    const role = roles[reader.u8()]
    if (role === undefined) throw new RangeError('block record with an unknown item role')
    return { role, hash: reader.rawView(hashBytesSize) }
  })
  const headerHash = reader.rawView(hashBytesSize)
  const statements = readMany(reader, () => ({
    text: reader.text(),
    startTimeMs: reader.varuint(),
    digest: reader.rawView(hashBytesSize),
  }))
  const catalogInfo = optionalView(reader)
  const tables = readMany(reader, () => ({ tableId: reader.text(), tableName: reader.text() }))
  const revisions = readMany(reader, () => {
    revisionOffsets?.push(reader.offset)
    return readRevision(reader, tables, isPadded)
  })
  const redactions = isPadded ? readMany(reader, () => readRedaction(reader)) : []
  const imported = isImported ? readImported(reader) : undefined
  if (!reader.isAtEnd) throw new RangeError('block record with bytes after its end')
  return {
    timestampMs,
    transactionId,
    items,
    headerHash,
    statements,
    catalogInfo,
    revisions,
    redactions,
    ...(imported === undefined ? {} : { imported }),
  }
}

function readImported(reader: ByteReader): ImportedParts {
  const form = forms[reader.u8()]
  if (form === undefined) throw new RangeError('imported block of an unknown form')
  return {
    form,
    previousBlockHash: optionalView(reader),
    transactionInfo: reader.bytesView(),
    redactionInfo: optionalView(reader),
    derivedCatalogInfo: optionalView(reader),
  }
}

function optionalView(reader: ByteReader): Uint8Array | undefined {
  const bytes = reader.bytesView()
  return bytes.length === 0 ? undefined : bytes
}

/** A journal record as the block it holds. */
export function blockOf({ sequenceNo, hash, previousHash, body }: JournalRecord): BlockRecord {
  const block = decodeBlockBody(body)
  const first = block.imported?.previousBlockHash ?? emptyBytes
  const previousBlockHash = sequenceNo === 0 ? first : previousHash
  return { ...block, sequenceNo, blockHash: hash, previousBlockHash }
}

function readRevision(
  reader: ByteReader,
  tables: readonly { tableId: string; tableName: string }[],
  isPadded: boolean,
): BlockRevision {
  const kind = reader.u8()
  if (kind === kindHashOnly) return hashOnlyRevision(reader.rawView(hashBytesSize))
  const table = tables[reader.varuint()]
  if (table === undefined) throw new RangeError('block record with an unknown table')
  const documentId = reader.text()
  const version = reader.varuint()
  const previous = version === 0 ? undefined : readPlace(reader)
  const transactionTimeMs = reader.varuint()
  const statements = readMany(reader, () => reader.varuint())
  const hash = reader.rawView(hashBytesSize)
  const { data, dataHash } = readContent(reader, kind, isPadded)
  const { tableId, tableName } = table
  const revision: BlockRevision = {
    tableId,
    tableName,
    documentId,
    version,
    previous,
    transactionTimeMs,
    statements,
    hash,
    data,
    dataHash,
  }
  if (kind === kindErased) return { ...revision, isErased: true }
  const isTight = data !== undefined && data.length < dataBytesMin && !isPadded
  return isTight ? { ...revision, isUnerasable: true } : revision
}

function readContent(
  reader: ByteReader,
  kind: number,
  isPadded: boolean,
): Pick<BlockRevision, 'data' | 'dataHash'> {
  switch (kind) {
    case kindData: {
      const data = reader.bytesView()
      if (isPadded) skipZeros(reader, dataBytesMin - data.length)
      return { data, dataHash: undefined }
    }
    case kindDeletion:
      return { data: undefined, dataHash: undefined }
    case kindRedacted:
      return { data: undefined, dataHash: reader.rawView(hashBytesSize) }
    case kindErased: {
      const length = reader.varuint()
      const dataHash = reader.rawView(hashBytesSize)
      skipZeros(reader, length - hashBytesSize)
      return { data: undefined, dataHash }
    }
    default:
      throw new RangeError('unknown kind of revision')
  }
}

/** Nothing hides where nothing should be. */
function skipZeros(reader: ByteReader, count: number): void {
  if (count <= 0) return
  for (const byte of reader.rawView(count)) {
    if (byte !== 0) throw new RangeError('block record with bytes where there should be none')
  }
}

/**
 * The body of a block with hashes in place of the data of some revisions, as long as before.
 * @param ordinals Positions among the revisions of the block; those without data stay as they are.
 * @returns undefined when there is nothing to erase.
 */
export function eraseInBody(
  body: Uint8Array,
  ordinals: ReadonlySet<number>,
  hashOf: (data: Uint8Array) => Uint8Array,
): Uint8Array | undefined {
  const erased = body.slice()
  let isChanged = false
  const kindOffsets: number[] = []
  for (const [ordinal, revision] of decode(body, kindOffsets).revisions.entries()) {
    const { data, isUnerasable } = revision
    if (!ordinals.has(ordinal) || data === undefined || isUnerasable) continue
    isChanged = true
    const start = data.byteOffset - body.byteOffset
    const dataHash = hashOf(data)
    erased.fill(0, start, start + data.length)
    erased.set(dataHash, start)
    erased[kindOffsets[ordinal] as number] = kindErased
  }
  return isChanged ? erased : undefined
}

export function hashOnlyRevision(hash: Uint8Array): BlockRevision {
  return {
    tableId: '',
    tableName: '',
    documentId: '',
    version: 0,
    previous: undefined,
    transactionTimeMs: 0,
    statements: [],
    hash,
    data: undefined,
    dataHash: undefined,
    isHashOnly: true,
  }
}

function readPlace(reader: ByteReader): RevisionPlace | undefined {
  const number = reader.varuint()
  return number === 0 ? undefined : { sequenceNo: number - 1, ordinal: reader.varuint() }
}

function readMany<T>(reader: ByteReader, readOne: () => T): T[] {
  const count = reader.varuint()
  const out: T[] = []
  for (let i = 0; i < count; i++) out.push(readOne())
  return out
}
