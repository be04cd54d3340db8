/** A committed revision in memory, as overlay and projection give it to transactions. */
import { decodeIon, type IonStruct } from '@cairn/ion'
import type { CatalogTable } from './catalog.ts'
import { LedgerError } from './errors.ts'
import { indexKey } from './index-key.ts'

/** What one revision changes in one index. A key is absent when the field is null or missing, or the document gone. */
export interface IndexChange {
  readonly indexNo: number
  readonly indexId: string
  readonly oldKey: Uint8Array | undefined
  readonly newKey: Uint8Array | undefined
}

export class Revision {
  readonly documentId: string
  readonly version: number
  readonly sequenceNo: number
  /** Position among the revisions of its block. */
  readonly ordinal: number
  readonly transactionTimeMs: number
  readonly transactionId: string
  readonly hash: Uint8Array
  /** An Ion stream; absent when the document was deleted. */
  readonly data: Uint8Array | undefined
  #value: IonStruct | undefined

  constructor(
    fields: Pick<
      Revision,
      | 'documentId'
      | 'version'
      | 'sequenceNo'
      | 'ordinal'
      | 'transactionTimeMs'
      | 'transactionId'
      | 'hash'
      | 'data'
    >,
  ) {
    this.documentId = fields.documentId
    this.version = fields.version
    this.sequenceNo = fields.sequenceNo
    this.ordinal = fields.ordinal
    this.transactionTimeMs = fields.transactionTimeMs
    this.transactionId = fields.transactionId
    this.hash = fields.hash
    this.data = fields.data
  }

  /** The document, decoded once. Only for revisions with data. */
  get value(): IonStruct {
    if (this.#value === undefined) {
      this.#value = decodeDocument(this.data ?? new Uint8Array(0), this.documentId)
    }
    return this.#value
  }
}

function decodeDocument(data: Uint8Array, documentId: string): IonStruct {
  const value = decodeIon(data)
  if (value.type === 'struct') return value
  throw new LedgerError(
    { code: 'DOCUMENT_INVALID', table: '' },
    { shortMessage: `The stored document ${documentId} is no struct.` },
  )
}

/** Keys of a document in the indexes of its table, in their order; undefined for no document. */
function keysOf(table: CatalogTable, value: IonStruct | undefined): (Uint8Array | undefined)[] {
  return table.indexes.map((index) => {
    const field = value?.fields.find(({ name }) => name === index.field)
    return field === undefined ? undefined : indexKey(field.value)
  })
}

export function indexChanges(
  table: CatalogTable,
  oldValue: IonStruct | undefined,
  newValue: IonStruct | undefined,
): IndexChange[] {
  if (table.indexes.length === 0) return []
  const oldKeys = keysOf(table, oldValue)
  const newKeys = keysOf(table, newValue)
  const changes: IndexChange[] = []
  for (const [i, { indexNo, indexId }] of table.indexes.entries()) {
    const oldKey = oldKeys[i]
    const newKey = newKeys[i]
    if (!sameKey(oldKey, newKey)) changes.push({ indexNo, indexId, oldKey, newKey })
  }
  return changes
}

function sameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return Buffer.compare(a, b) === 0
}

/** A key as text, for maps in memory. */
export function indexKeyText(indexId: string, key: Uint8Array): string {
  return `${indexId}:${Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')}`
}
