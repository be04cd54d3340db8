/**
 * The database as it should be, in a few maps: committed transactions are applied one after the other, in the order of
 * their blocks. What each step of them answered must be what the model answers at that place; that is serializability
 * with the order of the journal as witness, and the content of every block besides.
 */
import type { RecordedTransaction } from './history.ts'
import {
  canonical,
  type Document,
  dataHashOf,
  documentText,
  type Match,
  revisionText,
  type Step,
  tableTextOf,
} from './steps.ts'

interface ModelTable {
  readonly name: string
  readonly indexedFields: Set<string>
  readonly documents: Map<string, ModelDocument>
  readonly history: ModelPast[]
}

/** A revision as `history` shows it. */
interface ModelPast {
  readonly documentId: string
  readonly version: number
  readonly data: Document | undefined
  readonly text: string
  /** Once its data is redacted; what a deletion looks like anyway. */
  readonly redactedText: string
  isRedacted: boolean
}

interface ModelDocument {
  readonly version: number
  readonly data: Document
  /** As the committed view shows it. */
  readonly text: string
}

export interface ModelRevision {
  readonly table: string
  readonly documentId: string
  readonly version: number
  readonly data: Document | undefined
}

/** What a transaction has written; `data` undefined: deleted. */
interface ModelWrite {
  readonly table: ModelTable
  readonly data: Document | undefined
}

/** What the clients make up; all of one length, so that none is found within another. */
const uniqueTextPattern = /^u\d{8}$/
/** Of an answer in a message. */
const shownLengthMax = 400

export class Model {
  #tables = new Map<string, ModelTable>()
  /** Every revision there ever was, those of dropped tables too. */
  readonly #past: ModelPast[] = []
  /** Revisions that are redacted sooner or later: blocks are looked at when that may have happened. */
  #redactedSometime: ReadonlySet<string> = new Set()

  expectRedactions(revisions: ReadonlySet<string>): void {
    this.#redactedSometime = revisions
  }

  isRedactedSometime(documentId: string, version: number): boolean {
    return this.#redactedSometime.has(`${documentId} ${version}`)
  }

  /** Texts within redacted revisions that no other revision has: no file may hold them. */
  redactedTexts(): string[] {
    const textsIn = (isRedacted: boolean) =>
      this.#past
        .filter((past) => past.isRedacted === isRedacted)
        .flatMap(({ data }) =>
          Object.values(data ?? {})
            .flat()
            .map(String),
        )
    const kept = new Set(textsIn(false))
    return textsIn(true).filter((text) => uniqueTextPattern.test(text) && !kept.has(text))
  }

  has(table: string): boolean {
    return this.#tables.has(table)
  }

  get tables(): ReadonlyMap<string, ModelTable> {
    return this.#tables
  }

  /** A transaction on the state as it is; nothing of it is kept before `commit`. */
  begin(): ModelTransaction {
    return new ModelTransaction(this.#tables)
  }

  /** The steps that are answered differently here, as sentences. */
  differences(transaction: RecordedTransaction, on: ModelTransaction = this.begin()): string[] {
    const out: string[] = []
    for (const { step, answer } of transaction.steps) {
      const expected = on.run(step, answer)
      if (textOf(expected) === textOf(answer)) continue
      const what = `${step.kind} ${canonical(step)}`
      const wanted = shortened(textOf(expected))
      out.push(`${what} answered ${shortened(textOf(answer))} instead of ${wanted}`)
    }
    return out
  }

  /** Takes over what the transaction left; answers the revisions that its block must hold, by document id. */
  commit(transaction: ModelTransaction, transactionId: string, blockNo: number): ModelRevision[] {
    const out: ModelRevision[] = []
    for (const [documentId, { table, data }] of transaction.writes) {
      const before = table.documents.get(documentId)
      if (before === undefined && data === undefined) continue
      const version = before === undefined ? 0 : before.version + 1
      const text = revisionText({ documentId, version, blockNo, transactionId, data })
      if (data === undefined) table.documents.delete(documentId)
      else table.documents.set(documentId, { version, data, text })
      const dataHash = data === undefined ? undefined : dataHashOf(data)
      const shown = { documentId, version, blockNo, transactionId, data }
      const redactedText = revisionText({ ...shown, dataHash })
      const past = { documentId, version, data, text, redactedText, isRedacted: false }
      table.history.push(past)
      this.#past.push(past)
      out.push({ table: table.name, documentId, version, data })
    }
    for (const past of transaction.redacted) past.isRedacted = true
    this.#tables = transaction.tables
    return out
  }
}

function textOf(answer: readonly string[] | undefined): string {
  return answer === undefined ? 'refused' : `[${answer.join('; ')}]`
}

function shortened(text: string): string {
  return text.length <= shownLengthMax ? text : `${text.slice(0, shownLengthMax)}…`
}

export class ModelTransaction {
  tables: Map<string, ModelTable>
  readonly writes: Map<string, ModelWrite> = new Map()
  readonly redacted: ModelPast[] = []

  constructor(tables: ReadonlyMap<string, ModelTable>) {
    this.tables = new Map(tables)
  }

  /**
   * The answer that the step must get, sorted; undefined when it must be refused.
   * @param answer What it got: ids of new documents are for the engine to choose.
   */
  run(step: Step, answer: readonly string[] | undefined): string[] | undefined {
    if (step.kind === 'tables') {
      return [...this.tables.values()]
        .map(({ name, indexedFields }) => tableTextOf(name, indexedFields))
        .sort()
    }
    const table = this.tables.get(step.table)
    if (step.kind === 'createTable') {
      if (table !== undefined) return undefined
      const empty = { indexedFields: new Set<string>(), documents: new Map(), history: [] }
      this.tables.set(step.table, { name: step.table, ...empty })
      return ['done']
    }
    return table === undefined ? undefined : this.#runOn(table, step, answer)?.sort()
  }

  #runOn(
    table: ModelTable,
    step: Exclude<Step, { kind: 'tables' | 'createTable' }>,
    answer: readonly string[] | undefined,
  ): string[] | undefined {
    switch (step.kind) {
      case 'select':
        return this.#find(table, step.match).map(([id, document]) => documentText(id, document))
      case 'committed':
        return [...table.documents.values()]
          .filter(({ data }) => isMatch(data, step.match))
          .map(({ text }) => text)
      case 'history':
        return table.history.map((past) => (past.isRedacted ? past.redactedText : past.text))
      case 'insert':
        return this.#insert(table, step.documents, answer)
      case 'set':
        return this.#change(table, step.match, (document) => ({
          ...document,
          [step.field]: step.value,
        }))
      case 'append':
        return this.#change(table, step.match, (document) => {
          const list = document[step.field]
          return { ...document, [step.field]: [...(Array.isArray(list) ? list : []), step.value] }
        })
      case 'delete':
        return this.#change(table, step.match, () => undefined)
      case 'redact':
        return this.#redact(table, step.documentId, step.version)
      case 'dropTable':
        this.tables.delete(table.name)
        return ['done']
      case 'createIndex':
        if (table.indexedFields.has(step.field)) return undefined
        return this.#reindex(table, [...table.indexedFields, step.field])
      case 'dropIndex': {
        const kept = [...table.indexedFields].filter((field) => field !== step.field)
        return kept.length < table.indexedFields.size ? this.#reindex(table, kept) : undefined
      }
    }
  }

  #find(table: ModelTable, match: Match | undefined): [string, Document][] {
    const out: [string, Document][] = []
    for (const [documentId, { data }] of table.documents) {
      if (!this.writes.has(documentId) && isMatch(data, match)) out.push([documentId, data])
    }
    for (const [documentId, write] of this.writes) {
      const isThere = write.table.documents === table.documents && write.data !== undefined
      if (isThere && isMatch(write.data, match)) out.push([documentId, write.data])
    }
    return out
  }

  #redact(table: ModelTable, documentId: string, version: number): string[] | undefined {
    const revisions = table.history.filter((past) => past.documentId === documentId)
    const past = revisions.find((it) => it.version === version)
    if (past === undefined || past === revisions.at(-1) || this.redacted.length > 0)
      return undefined
    this.redacted.push(past)
    return [`${documentId} ${version}`]
  }

  #insert(
    table: ModelTable,
    documents: readonly Document[],
    answer: readonly string[] | undefined,
  ): string[] {
    if (answer?.length !== documents.length) return [`${documents.length} new documents`]
    const isNew = answer.every((id) => !this.writes.has(id) && !table.documents.has(id))
    if (!isNew) return ['new ids']
    // Ids rise in the order of insertion, and answers are sorted.
    for (const [i, data] of documents.entries()) this.writes.set(answer[i] ?? '', { table, data })
    return [...answer]
  }

  #change(
    table: ModelTable,
    match: Match,
    change: (document: Document) => Document | undefined,
  ): string[] {
    const found = this.#find(table, match)
    for (const [documentId, document] of found) {
      this.writes.set(documentId, { table, data: change(document) })
    }
    return found.map(([documentId]) => documentId)
  }

  #reindex(table: ModelTable, fields: readonly string[]): string[] {
    this.tables.set(table.name, { ...table, indexedFields: new Set(fields) })
    return ['done']
  }
}

function isMatch(document: Document, match: Match | undefined): boolean {
  return match === undefined || document[match.field] === match.value
}
