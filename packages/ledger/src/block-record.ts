/**
 * A block as the journal keeps it: the body of one journal record. The block's number, its hash and its predecessor's
 * hash stand in the frame around it. Documents are kept as the Ion streams that clients receive.
 *
 *   version u8 | timestamp | transactionId | items: count, (role u8, hash 32)* | header hash 32
 *   statements: count, (text, start time, digest 32)* | catalogInfo: Ion stream or empty
 *   tables: count, (tableId, name)* | revisions: count, revision*
 *   revision: kind u8 | table | documentId | version | previous? | transaction time
 *             statements: count, index* | hash 32
 *             kind 1 data: Ion stream    kind 2 deletion: nothing    kind 3 redacted: hash of the data 32
 *
 * Version 3 is a block that came with an import. Its revisions may be of kind 4, the hash and nothing else, and a part
 * follows that keeps what was hashed as it was:
 *
 *   form u8 | hash before block 0, or empty | transactionInfo: Ion stream | redactionInfo: Ion stream or empty
 *   derived catalogInfo: Ion stream or empty
 */
import { emptyBytes, hashBytesSize } from '@cairn/core'
import type { JournalRecord } from '@cairn/journal'
import { ByteReader, ByteWriter } from './byte-writer.ts'

const formatVersion = 2
const importedFormatVersion = 3

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

export interface BlockBody {
  readonly timestampMs: number
  readonly transactionId: string
  readonly items: readonly BlockItem[]
  readonly headerHash: Uint8Array
  readonly statements: readonly BlockStatement[]
  /** The DDL of the transaction as an Ion stream. */
  readonly catalogInfo: Uint8Array | undefined
  readonly revisions: readonly BlockRevision[]
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
const forms = ['imported', 'native'] as const

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
  const kind =
    revision.data !== undefined
      ? kindData
      : revision.dataHash !== undefined
        ? kindRedacted
        : kindDeletion
  writer.u8(kind)
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
  if (revision.data !== undefined) writer.bytes(revision.data)
  else if (revision.dataHash !== undefined) writer.raw(revision.dataHash)
}

/**
 * Byte fields of the answer are views into `body`.
 * @throws RangeError when `body` is no block record of a version we know.
 */
export function decodeBlockBody(body: Uint8Array): BlockBody {
  const reader = new ByteReader(body)
  const version = reader.u8()
  if (version !== formatVersion && version !== importedFormatVersion) {
    throw new RangeError(`block record of version ${version}`)
  }
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
  const revisions = readMany(reader, () => readRevision(reader, tables))
  const imported = version === importedFormatVersion ? readImported(reader) : undefined
  if (!reader.isAtEnd) throw new RangeError('block record with bytes after its end')
  return {
    timestampMs,
    transactionId,
    items,
    headerHash,
    statements,
    catalogInfo,
    revisions,
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
  if (kind < kindData || kind > kindRedacted) throw new RangeError('unknown kind of revision')
  const data = kind === kindData ? reader.bytesView() : undefined
  const dataHash = kind === kindRedacted ? reader.rawView(hashBytesSize) : undefined
  const { tableId, tableName } = table
  return {
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
