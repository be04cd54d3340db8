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
}

/** A document, and the last block that brought it under the key it stands for. */
interface Member {
  readonly documentId: string
  readonly sequenceNo: number
}

/** Most keys of indexes have one document: a Map for each would cost more than all the rest of an insert here. */
type Groups = Map<string, Member | Map<string, number>>

export class Overlay {
  /** By document id: its table, and its revisions, oldest first. */
  readonly #documents = new Map<string, { tableId: string; versions: Revision[] }>()
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
    const { documentId, sequenceNo } = revision
    const document = this.#documents.get(documentId)
    if (document !== undefined) document.versions.push(revision)
    else this.#documents.set(documentId, { tableId, versions: [revision] })
    if (revision.version === 0) this.#insertedIn(tableId).add(documentId, sequenceNo)
    const keyTexts = newKeyTexts(indexChanges)
    for (const keyText of keyTexts) addTo(this.#byIndexKey, keyText, documentId, sequenceNo)
    this.#queue.push({ tableId, revision, keyTexts })
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
    return this.#documents.get(documentId)?.versions.at(-1)?.sequenceNo ?? -1
  }

  /** The last block that brought a document under an index key, or -1 when none of those in the overlay did. */
  lastUnder(keyText: string): number {
    const members = this.#byIndexKey.get(keyText)
    if (members === undefined) return -1
    if (!(members instanceof Map)) return members.sequenceNo
    let last = -1
    for (const sequenceNo of members.values()) last = Math.max(last, sequenceNo)
    return last
  }

  /** The newest revision of a document committed by block `sequenceNo` or before, deletions included. */
  find(tableId: string, documentId: string, sequenceNo: number): Revision | undefined {
    const document = this.#documents.get(documentId)
    if (document?.tableId !== tableId) return undefined
    return document.versions.findLast((revision) => revision.sequenceNo <= sequenceNo)
  }

  /** Revisions of a document from the blocks after `after` up to `upTo`, oldest first. */
  versions(tableId: string, documentId: string, after: number, upTo: number): Revision[] {
    const document = this.#documents.get(documentId)
    if (document?.tableId !== tableId) return []
    return document.versions.filter((it) => it.sequenceNo > after && it.sequenceNo <= upTo)
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

  #forget({ tableId, revision, keyTexts }: Entry): void {
    const { documentId, sequenceNo } = revision
    const document = this.#documents.get(documentId)
    if (document !== undefined) {
      document.versions.shift()
      if (document.versions.length === 0) this.#documents.delete(documentId)
    }
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

function addTo(groups: Groups, group: string, documentId: string, sequenceNo: number): void {
  const members = groups.get(group)
  if (members === undefined || (!(members instanceof Map) && members.documentId === documentId)) {
    groups.set(group, { documentId, sequenceNo })
  } else if (members instanceof Map) {
    members.set(documentId, sequenceNo)
  } else {
    const first: [string, number] = [members.documentId, members.sequenceNo]
    groups.set(group, new Map([first, [documentId, sequenceNo]]))
  }
}

function removeFrom(groups: Groups, group: string, documentId: string, sequenceNo: number): void {
  const members = groups.get(group)
  if (members instanceof Map) {
    if (members.get(documentId) !== sequenceNo) return
    members.delete(documentId)
    if (members.size === 0) groups.delete(group)
  } else if (members?.documentId === documentId && members.sequenceNo === sequenceNo) {
    groups.delete(group)
  }
}

function keysWithin(
  members: Member | Map<string, number> | undefined,
  after: number,
  upTo: number,
): string[] {
  if (members === undefined) return []
  if (!(members instanceof Map)) {
    const { documentId, sequenceNo } = members
    return sequenceNo > after && sequenceNo <= upTo ? [documentId] : []
  }
  const out: string[] = []
  for (const [documentId, sequenceNo] of members) {
    if (sequenceNo > after && sequenceNo <= upTo) out.push(documentId)
  }
  return out
}
