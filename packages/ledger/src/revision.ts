/** A committed revision in memory, as overlay and projection give it to transactions. */
import { assert, hashBytesSize, idTextLength } from '@cairn/core'
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

export interface RevisionFields {
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
}

// version u32 | block u48 | place in it u32 | time u48 | hash 32 | transaction id, 22 characters | Ion stream or none
const sequenceNoAt = 4
const ordinalAt = 10
const timeAt = 14
const hashAt = 20
const transactionIdAt = hashAt + hashBytesSize
const dataAt = transactionIdAt + idTextLength

/**
 * One revision as one run of bytes, which is also what the projection stores: reading one costs nothing until a field
 * is asked for, and keeping thousands costs the garbage collector one object each.
 */
export class Revision implements RevisionFields {
  readonly documentId: string
  readonly record: Uint8Array
  #value: IonStruct | undefined

  /** @param record As {@link Revision.of} made it. */
  constructor(documentId: string, record: Uint8Array) {
    this.documentId = documentId
    this.record = record
  }

  static of(fields: RevisionFields): Revision {
    const { transactionId, data } = fields
    assert(transactionId.length === idTextLength, 'a transaction id has 22 characters')
    const record = new Uint8Array(dataAt + (data?.length ?? 0))
    writeNumber(record, 0, sequenceNoAt, fields.version)
    writeNumber(record, sequenceNoAt, ordinalAt, fields.sequenceNo)
    writeNumber(record, ordinalAt, timeAt, fields.ordinal)
    writeNumber(record, timeAt, hashAt, fields.transactionTimeMs)
    record.set(fields.hash, hashAt)
    for (let i = 0; i < idTextLength; i++) {
      record[transactionIdAt + i] = transactionId.charCodeAt(i)
    }
    if (data !== undefined) record.set(data, dataAt)
    return new Revision(fields.documentId, record)
  }

  get version(): number {
    return readNumber(this.record, 0, sequenceNoAt)
  }

  get sequenceNo(): number {
    return readNumber(this.record, sequenceNoAt, ordinalAt)
  }

  get ordinal(): number {
    return readNumber(this.record, ordinalAt, timeAt)
  }

  get transactionTimeMs(): number {
    return readNumber(this.record, timeAt, hashAt)
  }

  get hash(): Uint8Array {
    return this.record.slice(hashAt, transactionIdAt)
  }

  get transactionId(): string {
    return String.fromCharCode(...this.record.subarray(transactionIdAt, dataAt))
  }

  get isDeletion(): boolean {
    return this.record.length === dataAt
  }

  get data(): Uint8Array | undefined {
    return this.isDeletion ? undefined : this.record.subarray(dataAt)
  }

  /** The document, decoded once. Only for revisions with data. */
  get value(): IonStruct {
    if (this.#value === undefined) {
      this.#value = decodeDocument(this.record.subarray(dataAt), this.documentId)
    }
    return this.#value
  }
}

/** Big-endian, up to 48 bits; multiplication, since shifts end at 32. */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) value = value * 256 + (bytes[i] as number)
  return value
}

function writeNumber(bytes: Uint8Array, start: number, end: number, value: number): void {
  let rest = value
  for (let i = end - 1; i >= start; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
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
