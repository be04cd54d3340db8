/**
 * Committed revisions that the projection does not have yet, or that a snapshot of it still open does not have. Reads
 * consult it before the projection, so that they are never stale. Entries leave once every open snapshot has them.
 */
import { type IndexChange, indexKeyText, type Revision } from './revision.ts'

/** Queues are cut once so many of their entries are past, rather than at each step, so that pruning stays linear. */
const cutCount = 1024

interface Entry {
  readonly tableId: string
  readonly revision: Revision
  /** Keys of indexes that the revision came under, by {@link indexKeyText}. */
  readonly keyTexts: readonly string[]
  /** The document's revision before this one and the one after it, as far as they are in the overlay. */
  older: Entry | undefined
  newer: Entry | undefined
}

/**
 * Documents under one key, with the last block that brought each. Most keys have one, of which the entry says it all: a
 * Map for each would cost more than all the rest of an insert here.
 */
type Groups = Map<string, Entry | Map<string, number>>

export class Overlay {
  /** By document id, the newest revision. */
  readonly #documents = new Map<string, Entry>()
  /** Documents first written while in the overlay, by table. */
  readonly #inserted = new Map<string, Inserted>()
  /** Documents that came under a key of an index, by {@link indexKeyText}, with the last block that brought them. */
  readonly #byIndexKey: Groups = new Map()
  readonly #queue: Entry[] = []
  #queueStart = 0

  /** Entries held. */
  get count(): number {
    return this.#queue.length - this.#queueStart
  }

  add(tableId: string, revision: Revision, indexChanges: readonly IndexChange[]): void {
    const { documentId, sequenceNo, version } = revision
    const keyTexts = newKeyTexts(indexChanges)
    // A document that is new to the ledger is new here.
    const older = version === 0 ? undefined : this.#documents.get(documentId)
    const entry: Entry = { tableId, revision, keyTexts, older, newer: undefined }
    if (older !== undefined) older.newer = entry
    this.#documents.set(documentId, entry)
    if (version === 0) this.#insertedIn(tableId).add(documentId, sequenceNo)
    for (const keyText of keyTexts) addTo(this.#byIndexKey, keyText, entry)
    this.#queue.push(entry)
  }

  #insertedIn(tableId: string): Inserted {
    let inserted = this.#inserted.get(tableId)
    if (inserted === undefined) {
      inserted = new Inserted()
      this.#inserted.set(tableId, inserted)
    }
    return inserted
  }

  /** The last block that wrote a document, or -1 when none of those in the overlay did. */
  lastWrite(documentId: string): number {
    return this.#documents.get(documentId)?.revision.sequenceNo ?? -1
  }

  /** The last block that brought a document under an index key, or -1 when none of those in the overlay did. */
  lastUnder(keyText: string): number {
    const members = this.#byIndexKey.get(keyText)
    if (members === undefined) return -1
    if (!(members instanceof Map)) return members.revision.sequenceNo
    let last = -1
    for (const sequenceNo of members.values()) last = Math.max(last, sequenceNo)
    return last
  }

  /** The newest revision of a document committed by block `sequenceNo` or before, deletions included. */
  find(tableId: string, documentId: string, sequenceNo: number): Revision | undefined {
    let entry = this.#documents.get(documentId)
    if (entry?.tableId !== tableId) return undefined
    while (entry !== undefined && entry.revision.sequenceNo > sequenceNo) entry = entry.older
    return entry?.revision
  }

  /** Revisions of a document from the blocks after `after` up to `upTo`, oldest first. */
  versions(tableId: string, documentId: string, after: number, upTo: number): Revision[] {
    const versions: Revision[] = []
    let entry = this.#documents.get(documentId)
    if (entry?.tableId !== tableId) return versions
    for (; entry !== undefined && entry.revision.sequenceNo > after; entry = entry.older) {
      if (entry.revision.sequenceNo <= upTo) versions.push(entry.revision)
    }
    return versions.reverse()
  }

  /** Documents of a table first written in the blocks after `after` up to `upTo`, in that order. */
  inserted(tableId: string, after: number, upTo: number): string[] {
    return this.#inserted.get(tableId)?.within(after, upTo) ?? []
  }

  /**
   * Documents that came under an index key in the blocks after `after`. Some may have come too late for the reader's
   * snapshot or have left the key again: the reader looks at each.
   */
  findByIndex(keyText: string, after: number): string[] {
    return keysWithin(this.#byIndexKey.get(keyText), after, Number.POSITIVE_INFINITY)
  }

  /** Forgets what came with block `sequenceNo` and before. */
  prune(sequenceNo: number): void {
    for (;;) {
      const entry = this.#queue[this.#queueStart]
      if (entry === undefined || entry.revision.sequenceNo > sequenceNo) break
      this.#queueStart++
      this.#forget(entry)
    }
    if (this.#queueStart > cutCount && this.#queueStart * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#queueStart)
      this.#queueStart = 0
    }
  }

  /** The entry is the oldest of its document. */
  #forget({ tableId, revision, keyTexts, newer }: Entry): void {
    const { documentId, sequenceNo } = revision
    if (newer === undefined) this.#documents.delete(documentId)
    else newer.older = undefined
    if (revision.version === 0) this.#forgetInserted(tableId)
    for (const keyText of keyTexts) removeFrom(this.#byIndexKey, keyText, documentId, sequenceNo)
  }

  #forgetInserted(tableId: string): void {
    const inserted = this.#insertedIn(tableId)
    inserted.shift()
    if (inserted.isEmpty) this.#inserted.delete(tableId)
  }
}

/** Documents in the order of their blocks, from which the oldest leave first. */
class Inserted {
  readonly #documentIds: string[] = []
  readonly #sequenceNos: number[] = []
  #start = 0

  get isEmpty(): boolean {
    return this.#start === this.#documentIds.length
  }

  add(documentId: string, sequenceNo: number): void {
    this.#documentIds.push(documentId)
    this.#sequenceNos.push(sequenceNo)
  }

  within(after: number, upTo: number): string[] {
    const out: string[] = []
    for (let i = this.#start; i < this.#documentIds.length; i++) {
      const sequenceNo = this.#sequenceNos[i] as number
      if (sequenceNo > upTo) break
      if (sequenceNo > after) out.push(this.#documentIds[i] as string)
    }
    return out
  }

  /** Forgets the oldest one. */
  shift(): void {
    this.#start++
    if (this.#start < cutCount || this.#start * 2 < this.#documentIds.length) return
    this.#documentIds.splice(0, this.#start)
    this.#sequenceNos.splice(0, this.#start)
    this.#start = 0
  }
}

const noKeyTexts: readonly string[] = []

function newKeyTexts(indexChanges: readonly IndexChange[]): readonly string[] {
  if (indexChanges.length === 0) return noKeyTexts
  const texts: string[] = []
  for (const { indexId, newKey } of indexChanges) {
    if (newKey !== undefined) texts.push(indexKeyText(indexId, newKey))
  }
  return texts
}

function addTo(groups: Groups, group: string, entry: Entry): void {
  const members = groups.get(group)
  const { documentId, sequenceNo } = entry.revision
  if (members instanceof Map) {
    members.set(documentId, sequenceNo)
    return
  }
  const first = members?.revision
  if (first === undefined || first.documentId === documentId) groups.set(group, entry)
  else {
    const map = new Map([[first.documentId, first.sequenceNo]])
    groups.set(group, map.set(documentId, sequenceNo))
  }
}

function removeFrom(groups: Groups, group: string, documentId: string, sequenceNo: number): void {
  const members = groups.get(group)
  if (members instanceof Map) {
    if (members.get(documentId) !== sequenceNo) return
    members.delete(documentId)
    if (members.size === 0) groups.delete(group)
    return
  }
  const revision = members?.revision
  if (revision?.documentId === documentId && revision.sequenceNo === sequenceNo) {
    groups.delete(group)
  }
}

function keysWithin(
  members: Entry | Map<string, number> | undefined,
  after: number,
  upTo: number,
): string[] {
  if (members === undefined) return []
  if (!(members instanceof Map)) {
    const { documentId, sequenceNo } = members.revision
    return sequenceNo > after && sequenceNo <= upTo ? [documentId] : []
  }
  const out: string[] = []
  for (const [documentId, sequenceNo] of members) {
    if (sequenceNo > after && sequenceNo <= upTo) out.push(documentId)
  }
  return out
}
