/**
 * The records of a journal stream (qldb-compat 2.2): a block's summary, then the details of each of its revisions, and
 * control records at the start and, where an end was asked for, at the end.
 */
import {
  encodeIon,
  fieldOf,
  type IonField,
  type IonStruct,
  type IonValue,
  ionList,
  ionRecord,
  ionString,
  ionStruct,
} from '@cairn/ion'

export type RecordType = 'CONTROL' | 'BLOCK_SUMMARY' | 'REVISION_DETAILS'

/** Consumers know records again by the block's address and, for revisions, id and version: some come more than once. */
export interface StreamRecord {
  readonly recordType: RecordType
  /** `{qldbStreamArn, recordType, payload}`. */
  readonly value: IonStruct
  /** The same as a binary Ion stream. */
  readonly ion: Uint8Array
}

function record(streamArn: string, recordType: RecordType, payload: IonStruct): StreamRecord {
  const value = ionRecord({
    qldbStreamArn: ionString(streamArn),
    recordType: ionString(recordType),
    payload,
  })
  return { recordType, value, ion: encodeIon(value) }
}

export function controlRecord(streamArn: string, type: 'CREATED' | 'COMPLETED'): StreamRecord {
  return record(streamArn, 'CONTROL', ionRecord({ controlRecordType: ionString(type) }))
}

/** @param block As `GetBlock` shows it. */
export function recordsOfBlock(streamArn: string, block: IonStruct): StreamRecord[] {
  const revisions = revisionsOf(block)
  const records = [record(streamArn, 'BLOCK_SUMMARY', summaryOf(block, revisions))]
  const documents = documentsOf(block)
  for (const revision of revisions) {
    const documentId = documentIdOf(revision)
    // An internal revision, which is its hash alone, stands in the summary only.
    if (documentId === undefined) continue
    const table = documents?.get(documentId)
    const payload: IonField[] = []
    if (table !== undefined) payload.push({ name: 'tableInfo', value: tableInfoOf(table) })
    payload.push({ name: 'revision', value: revision })
    records.push(record(streamArn, 'REVISION_DETAILS', ionStruct(payload)))
  }
  return records
}

/** The block with the hashes of its revisions in place of the revisions. */
function summaryOf(block: IonStruct, revisions: readonly IonStruct[]): IonStruct {
  const fields = block.fields.filter(({ name }) => name !== 'revisions')
  if (revisions.length === 0) return ionStruct(fields)
  const summaries = revisions.map((revision) => {
    const summary: IonField[] = []
    const hash = fieldOf(revision, 'hash')
    if (hash !== undefined) summary.push({ name: 'hash', value: hash })
    const documentId = documentIdOf(revision)
    if (documentId !== undefined) {
      summary.push({ name: 'documentId', value: ionString(documentId) })
    }
    return ionStruct(summary)
  })
  return ionStruct([...fields, { name: 'revisionSummaries', value: ionList(summaries) }])
}

function revisionsOf(block: IonStruct): IonStruct[] {
  const list = fieldOf(block, 'revisions')
  if (list?.type !== 'list') return []
  return list.values.filter((value) => value.type === 'struct')
}

function documentIdOf(revision: IonStruct): string | undefined {
  const metadata = fieldOf(revision, 'metadata')
  const id = metadata?.type === 'struct' ? fieldOf(metadata, 'id') : undefined
  return id?.type === 'string' ? id.value : undefined
}

/** `transactionInfo.documents`: which table each document is in. */
function documentsOf(block: IonStruct): Map<string, IonStruct> | undefined {
  const info = fieldOf(block, 'transactionInfo')
  const documents = info?.type === 'struct' ? fieldOf(info, 'documents') : undefined
  if (documents?.type !== 'struct') return undefined
  const tables = new Map<string, IonStruct>()
  for (const { name, value } of documents.fields) {
    if (typeof name === 'string' && value.type === 'struct') tables.set(name, value)
  }
  return tables
}

function tableInfoOf(table: IonStruct): IonStruct {
  const of = (name: string): IonValue => fieldOf(table, name) ?? ionString('')
  return ionRecord({ tableId: of('tableId'), tableName: of('tableName') })
}
