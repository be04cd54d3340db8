/**
 * Tables and indexes of a ledger from what its exported blocks tell of them: the text of DDL statements, and table ids
 * beside the documents that a transaction changed. An export has no more: its internal revisions are hashes alone. So
 * a table's id is known from its first document on, index ids never; ids not told are derived from the place of the
 * statement, the same at each import. QLDB's journal, "Journal contents"; a published block: vectors/qldb.
 */
import { idBytesSize, idFromBytes, sha256, utf8 } from '@cairn/core'
import {
  type CreateTableStatement,
  type Identifier,
  PartiqlError,
  parseStatement,
  type Statement,
  tableTagsOf,
} from '@cairn/partiql'
import type { Catalog, CatalogOperation, CatalogTable, TableTags } from '../catalog.ts'

/** What could not be told for certain. */
export interface CatalogNote {
  readonly sequenceNo: number
  /** One sentence. */
  readonly message: string
}

/** What a transaction says of a document that it changed. */
export interface TouchedDocument {
  readonly tableName: string
  readonly tableId: string
  /** Indexes of the statements that touched it. */
  readonly statements: readonly number[]
}

/** As much of a block as tells of its tables. */
export interface DefiningBlock {
  readonly sequenceNo: number
  readonly statementTexts: readonly string[]
  readonly documents: readonly TouchedDocument[]
}

/** A table of which no document has come yet. */
interface UnseenTable {
  readonly name: string
  readonly sequenceNo: number
  readonly fields: string[]
  readonly tags?: TableTags | undefined
}

/** Looks at the few statements that may be DDL, and parses those. */
const definitionPattern = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:create|drop|undrop)\s/i
/** More are counted and not kept. */
const noteCountMax = 100

export class CatalogDeriver {
  readonly #strandId: string
  readonly #unseen = new Map<string, UnseenTable>()
  /** Dropped before a document came: only UNDROP tells the id. */
  readonly #unseenDropped: UnseenTable[] = []
  readonly notes: CatalogNote[] = []
  #catalog: Catalog
  #operations: CatalogOperation[] = []
  #sequenceNo = 0

  constructor(strandId: string, catalog: Catalog) {
    this.#strandId = strandId
    this.#catalog = catalog
  }

  /** What the block does to the catalog. `catalog` is that before the block. */
  derive(block: DefiningBlock, catalog: Catalog): readonly CatalogOperation[] {
    const { sequenceNo, statementTexts, documents } = block
    this.#begin(sequenceNo, catalog)
    for (const [index, text] of statementTexts.entries()) {
      if (!definitionPattern.test(text)) continue
      const statement = parseDefinition(text)
      if (statement !== undefined) this.#define(statement, index, documents)
    }
    for (const document of documents) this.#see(document)
    return this.#operations
  }

  /** What is due after the last block: tables that never had a document get an id of our own. */
  finish(sequenceNo: number, catalog: Catalog): readonly CatalogOperation[] {
    this.#begin(sequenceNo, catalog)
    for (const table of [...this.#unseen.values()]) {
      const tableId = this.#derivedId('table', `${table.sequenceNo}\n${table.name}`)
      if (this.#catalog.findById(tableId) !== undefined) this.#unseen.delete(table.name)
      else this.#create(tableId, table.name)
    }
    return this.#operations
  }

  #begin(sequenceNo: number, catalog: Catalog): void {
    this.#sequenceNo = sequenceNo
    this.#catalog = catalog
    this.#operations = []
  }

  #define(statement: Statement, index: number, documents: readonly TouchedDocument[]): void {
    switch (statement.kind) {
      case 'createTable': {
        const { name } = statement.table
        // A statement that failed may stand there as well; it changed nothing.
        if (this.#unseen.has(name) || this.#catalog.findByName(name, true) !== undefined) return
        const tags = readTags(statement)
        this.#unseen.set(name, { name, sequenceNo: this.#sequenceNo, fields: [], tags })
        const tableId = this.#idInBlock(name, index, documents)
        if (tableId !== undefined) this.#create(tableId, name)
        return
      }
      case 'createIndex': {
        const field = statement.fields[0]?.name
        if (field !== undefined) this.#createIndex(statement.table, field)
        return
      }
      case 'dropTable':
        this.#dropTable(statement.table)
        return
      case 'undropTable':
        this.#undropTable(statement.table.name)
        return
      case 'dropIndex':
        this.#dropIndex(statement.table)
        return
      default:
        return
    }
  }

  /** The id that the block's own documents tell for a table made by statement `index`. */
  #idInBlock(
    name: string,
    index: number,
    documents: readonly TouchedDocument[],
  ): string | undefined {
    let found: TouchedDocument | undefined
    const first = ({ statements }: TouchedDocument) => statements[0] ?? 0
    for (const document of documents) {
      if (document.tableName !== name || first(document) < index) continue
      if (this.#catalog.findById(document.tableId) !== undefined) continue
      if (found === undefined || first(document) < first(found)) found = document
    }
    return found?.tableId
  }

  /** A document of a table: the first one tells the table's id. */
  #see({ tableId, tableName }: TouchedDocument): void {
    if (this.#catalog.findById(tableId) !== undefined) return
    const other = this.#catalog.findByName(tableName, true)
    if (other !== undefined) {
      // The name went over to a new table, or this is the id of one that was given an id of ours.
      this.#note(`Table ${tableName} changed its id from ${other.tableId} to ${tableId}.`)
      this.#apply({ kind: 'dropTable', tableId: other.tableId })
      const fields = other.indexes.map(({ field }) => field)
      const { tags } = other
      this.#unseen.set(tableName, {
        name: tableName,
        sequenceNo: this.#sequenceNo,
        fields,
        tags,
      })
    }
    this.#create(tableId, tableName)
  }

  #create(tableId: string, name: string): void {
    const { fields = [], tags } = this.#unseen.get(name) ?? {}
    this.#apply({ kind: 'createTable', tableId, name, ...(tags === undefined ? {} : { tags }) })
    this.#unseen.delete(name)
    for (const field of fields) this.#addIndex(tableId, field)
  }

  #createIndex(table: Identifier, field: string): void {
    const known = this.#find(table)
    if (known !== undefined) {
      if (known.indexes.some((index) => index.field === field)) return
      this.#addIndex(known.tableId, field)
      return
    }
    const unseen = this.#findUnseen(table)
    if (unseen === undefined) this.#note(`An index was made on ${table.name}, a table not known.`)
    else if (!unseen.fields.includes(field)) unseen.fields.push(field)
  }

  #addIndex(tableId: string, field: string): void {
    const indexId = this.#derivedId('index', `${tableId}\n${this.#sequenceNo}\n${field}`)
    this.#apply({ kind: 'createIndex', tableId, indexId, field })
  }

  #dropTable(table: Identifier): void {
    const known = this.#find(table)
    if (known !== undefined) {
      this.#apply({ kind: 'dropTable', tableId: known.tableId })
      return
    }
    const unseen = this.#findUnseen(table)
    if (unseen === undefined) return
    this.#unseen.delete(unseen.name)
    this.#unseenDropped.push(unseen)
  }

  #undropTable(tableId: string): void {
    const known = this.#catalog.findById(tableId)
    if (known !== undefined) {
      const isFree = this.#catalog.findByName(known.name, true) === undefined
      if (!known.isActive && isFree) this.#apply({ kind: 'undropTable', tableId })
      return
    }
    const unseen = this.#unseenDropped.length === 1 ? this.#unseenDropped.pop() : undefined
    if (unseen === undefined) {
      this.#note(`Table ${tableId} was undropped, and no block tells its name.`)
      return
    }
    this.#unseen.set(unseen.name, unseen)
    this.#create(tableId, unseen.name)
  }

  /** Blocks never tell index ids, so only where there is one index it is known which one went. */
  #dropIndex(table: Identifier): void {
    const known = this.#find(table)
    const unseen = known === undefined ? this.#findUnseen(table) : undefined
    const [only, ...others] = known?.indexes ?? []
    if (known !== undefined && only !== undefined && others.length === 0) {
      this.#apply({ kind: 'dropIndex', tableId: known.tableId, indexId: only.indexId })
    } else if (unseen?.fields.length === 1) unseen.fields.pop()
    else {
      this.#note(
        `An index of table ${table.name} was dropped, and no block tells which one: all were kept. ` +
          'Queries give the same answers; drop the one not needed.',
      )
    }
  }

  #find({ name, isQuoted }: Identifier): CatalogTable | undefined {
    return this.#catalog.findByName(name, isQuoted)
  }

  #findUnseen({ name, isQuoted }: Identifier): UnseenTable | undefined {
    const exact = this.#unseen.get(name)
    if (exact !== undefined || isQuoted) return exact
    const folded = name.toLowerCase()
    const matches = [...this.#unseen.values()].filter((it) => it.name.toLowerCase() === folded)
    return matches.length === 1 ? matches[0] : undefined
  }

  #apply(operation: CatalogOperation): void {
    this.#catalog = this.#catalog.apply(operation, this.#sequenceNo)
    this.#operations.push(operation)
  }

  #derivedId(kind: 'table' | 'index', text: string): string {
    const digest = sha256(utf8(`cairn/import/${kind}\n${this.#strandId}\n${text}`))
    return idFromBytes(digest.subarray(0, idBytesSize))
  }

  #note(message: string): void {
    if (this.notes.length < noteCountMax) this.notes.push({ sequenceNo: this.#sequenceNo, message })
  }
}

/** Undefined for none, and for what we would refuse: the block stands all the same. */
function readTags(statement: CreateTableStatement): TableTags | undefined {
  try {
    const tags = tableTagsOf(statement)
    return Object.keys(tags).length === 0 ? undefined : tags
  } catch (error) {
    if (error instanceof PartiqlError) return undefined
    throw error
  }
}

/** Undefined for what does not parse: it cannot have been carried out. */
function parseDefinition(text: string): Statement | undefined {
  try {
    return parseStatement(text).statement
  } catch (error) {
    if (error instanceof PartiqlError) return undefined
    throw error
  }
}
