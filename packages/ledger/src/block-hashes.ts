/**
 * Ion hashes of the two structs that every block has, metadata and transactionInfo, written field by field. Equal to
 * hashing the structs of block-view.ts, whose shape these follow; the tests hold them together.
 *
 * What comes again from block to block is hashed once: times within a millisecond, low versions, texts of statements,
 * the part of a table. Each memory is bounded and holds nothing that its key does not say.
 */
import {
  hashIonField,
  IonHashWriter,
  ionHashForm,
  ionHashName,
  ionInt,
  ionList,
  ionRecord,
  ionString,
  ionTimestampFromMs,
} from '@cairn/ion'
import type { BlockRevision, BlockStatement } from './block-record.ts'
import { timestampText } from './block-view.ts'

/** Versions whose field is kept: most documents change less often. */
const keptVersionCount = 256
/** Statement texts kept, as many as the statement cache has; longer ones carry their data and do not come back. */
const keptTextCountMax = 1000
const keptTextLengthMax = 4096
/** Tables kept, each with the few statement numbers that touch it. */
const keptTableCountMax = 1000
const keptStatementCount = 8

const idName = ionHashName('id')
const versionName = ionHashName('version')
const txTimeName = ionHashName('txTime')
const txIdName = ionHashName('txId')
const statementsName = ionHashName('statements')
const statementName = ionHashName('statement')
const startTimeName = ionHashName('startTime')
const statementDigestName = ionHashName('statementDigest')
const documentsName = ionHashName('documents')

const writer = new IonHashWriter()

/** What a millisecond gives, kept until another is asked for. */
class LastMs<T> {
  readonly #make: (ms: number) => T
  #ms = Number.NaN
  #made: T | undefined

  constructor(make: (ms: number) => T) {
    this.#make = make
  }

  of(ms: number): T {
    if (this.#ms === ms && this.#made !== undefined) return this.#made
    const made = this.#make(ms)
    this.#made = made
    this.#ms = ms
    return made
  }
}

const txTimeField = new LastMs((ms) => hashIonField(txTimeName, ionTimestampFromMs(ms)))
const startTimeField = new LastMs((ms) => hashIonField(startTimeName, ionTimestampFromMs(ms)))
const blockTimestamp = new LastMs(timestampText)

/** The field of a transaction's id, once it is asked for again: most blocks have one revision, which needs it once. */
class TransactionIdField {
  #transactionId = ''
  #digest: Uint8Array | undefined

  /** Undefined when the id was not asked for just before. */
  of(transactionId: string): Uint8Array | undefined {
    if (this.#transactionId !== transactionId) {
      this.#transactionId = transactionId
      this.#digest = undefined
      return undefined
    }
    this.#digest ??= hashIonField(txIdName, ionString(transactionId))
    return this.#digest
  }
}

const txIdField = new TransactionIdField()

/** The time of a block as its header has it. */
export function blockTimestampText(timestampMs: number): string {
  return blockTimestamp.of(timestampMs)
}

/** H(metadata) of a revision. */
export function metadataHash(
  documentId: string,
  version: number,
  transactionTimeMs: number,
  transactionId: string,
): Uint8Array {
  writer.begin()
  writer.startStruct()
  writer.startField(idName)
  writer.string(documentId)
  writer.endField()
  writer.fieldDigest(versionField(version))
  writer.fieldDigest(txTimeField.of(transactionTimeMs))
  const ofTransactionId = txIdField.of(transactionId)
  if (ofTransactionId === undefined) {
    writer.startField(txIdName)
    writer.string(transactionId)
    writer.endField()
  } else writer.fieldDigest(ofTransactionId)
  writer.endStruct()
  return writer.finish()
}

/** H(transactionInfo) of a block. */
export function transactionInfoHash(
  statements: readonly BlockStatement[],
  revisions: readonly Touched[],
): Uint8Array {
  writer.begin()
  writer.startStruct()
  writer.startField(statementsName)
  writer.startList()
  for (const { text, startTimeMs, digest } of statements) {
    writer.startStruct()
    writer.fieldDigest(statementField(text))
    writer.fieldDigest(startTimeField.of(startTimeMs))
    writer.startField(statementDigestName)
    writer.blob(digest)
    writer.endField()
    writer.endStruct()
  }
  writer.endList()
  writer.endField()
  if (revisions.length > 0) {
    writer.startField(documentsName)
    writer.startStruct()
    for (const revision of revisions) {
      writer.startFieldNamed(revision.documentId)
      writer.form(touchForm(revision))
      writer.endField()
    }
    writer.endStruct()
    writer.endField()
  }
  writer.endStruct()
  return writer.finish()
}

const versionFields: Uint8Array[] = []

function versionField(version: number): Uint8Array {
  if (version >= keptVersionCount) return hashIonField(versionName, ionInt(version))
  for (let i = versionFields.length; i <= version; i++) {
    versionFields.push(hashIonField(versionName, ionInt(i)))
  }
  return versionFields[version] as Uint8Array
}

const statementFields = new Map<string, Uint8Array>()

function statementField(text: string): Uint8Array {
  const found = statementFields.get(text)
  if (found !== undefined) return found
  const made = hashIonField(statementName, ionString(text))
  if (text.length <= keptTextLengthMax) keep(statementFields, text, made, keptTextCountMax)
  return made
}

type Touched = Pick<BlockRevision, 'documentId' | 'tableName' | 'tableId' | 'statements'>

/** Forms of what stands under a document's id, for one table and one statement, by the number of the statement. */
interface TableForms {
  readonly tableName: string
  readonly forms: (Uint8Array | undefined)[]
}

const tables = new Map<string, TableForms>()

function touchForm(touched: Touched): Uint8Array {
  const { tableId, tableName, statements } = touched
  const statement = statements[0] ?? keptStatementCount
  if (statements.length !== 1 || statement >= keptStatementCount) return makeTouchForm(touched)
  let table = tables.get(tableId)
  if (table === undefined || table.tableName !== tableName) {
    table = { tableName, forms: new Array(keptStatementCount).fill(undefined) }
    keep(tables, tableId, table, keptTableCountMax)
  }
  let form = table.forms[statement]
  if (form === undefined) {
    form = makeTouchForm(touched)
    table.forms[statement] = form
  }
  return form
}

function makeTouchForm({ tableName, tableId, statements }: Touched): Uint8Array {
  return ionHashForm(
    ionRecord({
      tableName: ionString(tableName),
      tableId: ionString(tableId),
      statements: ionList(statements.map((index) => ionInt(index))),
    }),
  )
}

/** Keeps a value; when there are too many, the one kept longest goes. */
function keep<V>(map: Map<string, V>, key: string, value: V, countMax: number): void {
  if (map.size >= countMax && !map.has(key)) {
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }
  map.set(key, value)
}
