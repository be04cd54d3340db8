/** A committed revision in memory, as overlay and projection give it to transactions. */
import { assert, hashBytesSize, idTextLength, SlabAllocator } from '@cairn/core'
import { decodeIon, hashIon, hashIonBytes, type IonStruct } from '@cairn/ion'
import { dot } from '@cairn/merkle'
import { metadataToIon } from './block-view.ts'
import { LedgerError } from './errors.ts'
import { indexKey } from './index-key.ts'

/** What one revision changes in one index. A key is absent when the field is null or missing, or the document gone. */
export interface IndexChange {
  readonly indexNo: number
  readonly indexId: string
  readonly oldKey: Uint8Array | undefined
  readonly newKey: Uint8Array | undefined
}

// Revisions of one time are dropped at one time, when the projector has them.
const slabs = new SlabAllocator()

export interface RevisionFields {
  readonly documentId: string
  readonly version: number
  readonly sequenceNo: number
  /** Position among the revisions of its block. */
  readonly ordinal: number
  readonly transactionTimeMs: number
  readonly transactionId: string
  /** Absent until the block is sealed, which may happen on another thread. */
  readonly hash: Uint8Array | undefined
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
export class Revision {
  readonly documentId: string
  readonly record: Uint8Array
  #value: IonStruct | undefined
  #isHashed = true

  /** @param record As {@link Revision.of} made it. */
  constructor(documentId: string, record: Uint8Array) {
    this.documentId = documentId
    this.record = record
  }

  static of(fields: RevisionFields): Revision {
    const { transactionId, data } = fields
    assert(transactionId.length === idTextLength, 'a transaction id has 22 characters')
    const record = slabs.allocate(dataAt + (data?.length ?? 0))
    writeNumber(record, 0, sequenceNoAt, fields.version)
    writeNumber(record, sequenceNoAt, ordinalAt, fields.sequenceNo)
    writeNumber(record, ordinalAt, timeAt, fields.ordinal)
    writeNumber(record, timeAt, hashAt, fields.transactionTimeMs)
    if (fields.hash !== undefined) record.set(fields.hash, hashAt)
    for (let i = 0; i < idTextLength; i++) {
      record[transactionIdAt + i] = transactionId.charCodeAt(i)
    }
    if (data !== undefined) record.set(data, dataAt)
    const revision = new Revision(fields.documentId, record)
    revision.#isHashed = fields.hash !== undefined
    return revision
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
    if (!this.#isHashed) {
      this.record.set(this.#computeHash(), hashAt)
      this.#isHashed = true
    }
    return this.record.slice(hashAt, transactionIdAt)
  }

  /** What the sealer finds as well; few ask for it before the projection has the sealed one. */
  #computeHash(): Uint8Array {
    const metadataHash = hashIon(metadataToIon(this))
    const { data } = this
    return data === undefined ? metadataHash : dot(metadataHash, hashIonBytes(data))
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

/** An index as far as its keys are concerned. */
export interface IndexedField {
  readonly indexNo: number
  readonly indexId: string
  readonly field: string
}

export function indexChanges(
  indexes: readonly IndexedField[],
  oldValue: IonStruct | undefined,
  newValue: IonStruct | undefined,
): readonly IndexChange[] {
  if (indexes.length === 0) return noIndexChanges
  const changes: IndexChange[] = []
  for (const { indexNo, indexId, field } of indexes) {
    const oldKey = keyOf(oldValue, field)
    const newKey = keyOf(newValue, field)
    if (!sameKey(oldKey, newKey)) changes.push({ indexNo, indexId, oldKey, newKey })
  }
  return changes
}

const noIndexChanges: readonly IndexChange[] = []

function keyOf(value: IonStruct | undefined, field: string): Uint8Array | undefined {
  if (value === undefined) return undefined
  for (const { name, value: member } of value.fields) if (name === field) return indexKey(member)
  return undefined
}

function sameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return Buffer.compare(a, b) === 0
}

/** A key as text, for maps in memory. */
export function indexKeyText(indexId: string, key: Uint8Array): string {
  return `${indexId}:${Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')}`
}
