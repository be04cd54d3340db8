/**
 * Optimistic concurrency control: which block last changed what, for as long as an open transaction may ask.
 * What can be read is named by a key (qldb-compat 6): a document, a key of an index, all of a table, a table's
 * definition, a table name, the list of tables. First committer wins.
 */

const documentPrefix = 'd'
const indexPrefix = 'i'

export const conflictKeys = {
  document: (documentId: string): string => documentPrefix + documentId,
  /** @param keyText As `indexKeyText` makes it. */
  index: (keyText: string): string => indexPrefix + keyText,
  tableContent: (tableId: string): string => `s${tableId}`,
  /** Of what `history` shows beside what is written: redactions. */
  tableHistory: (tableId: string): string => `h${tableId}`,
  tableDefinition: (tableId: string): string => `t${tableId}`,
  /** Without regard to case, as unquoted names match. */
  tableName: (name: string): string => `n${name.toLowerCase()}`,
  tableList: (): string => 'c',
} as const

/** What knows already which blocks wrote documents and brought them under index keys: the overlay. */
export interface YoungWrites {
  /** The last block that wrote the document, or -1. Exact for blocks after the oldest open transaction's view. */
  lastWrite(documentId: string): number
  /** The same of the last block that brought a document under the key of an index. */
  lastUnder(keyText: string): number
}

interface Changes {
  readonly sequenceNo: number
  readonly keys: readonly string[]
}

const past: Changes = { sequenceNo: -1, keys: [] }

export class ConflictDetector {
  readonly #young: YoungWrites
  readonly #lastChange = new Map<string, number>()
  readonly #queue: Changes[] = []
  #queueStart = 0

  constructor(young: YoungWrites) {
    this.#young = young
  }

  /** Notes that block `sequenceNo` changed what `keys` name, other than the young writes know. */
  noteChanges(keys: readonly string[], sequenceNo: number): void {
    for (const key of keys) this.#lastChange.set(key, sequenceNo)
    this.#queue.push({ sequenceNo, keys })
  }

  /** The first of `reads` that a block after `snapshotSequenceNo` changed. */
  findConflict(reads: Iterable<string>, snapshotSequenceNo: number): string | undefined {
    for (const key of reads) {
      if (this.#lastChangeOf(key) > snapshotSequenceNo) return key
    }
    return undefined
  }

  #lastChangeOf(key: string): number {
    const noted = this.#lastChange.get(key) ?? -1
    if (key.startsWith(documentPrefix)) {
      return Math.max(noted, this.#young.lastWrite(key.slice(documentPrefix.length)))
    }
    if (key.startsWith(indexPrefix)) {
      return Math.max(noted, this.#young.lastUnder(key.slice(indexPrefix.length)))
    }
    return noted
  }

  /** Forgets changes of block `sequenceNo` and before: no open transaction began before it. */
  prune(sequenceNo: number): void {
    for (;;) {
      const entry = this.#queue[this.#queueStart]
      if (entry === undefined || entry.sequenceNo > sequenceNo) break
      // A block of bulk insert has thousands of keys: what is past does not hold them until the queue is cut.
      this.#queue[this.#queueStart++] = past
      for (const key of entry.keys) {
        if (this.#lastChange.get(key) === entry.sequenceNo) this.#lastChange.delete(key)
      }
    }
    if (this.#queueStart > 1024 && this.#queueStart * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#queueStart)
      this.#queueStart = 0
    }
  }
}
