/**
 * Tables and indexes of a ledger as an immutable value. Changes are made by applying operations, the same ones that a
 * block carries as its catalogInfo, so a replay of the journal gives the same catalog with the same numbers.
 */
import { assert } from '@cairn/core'
import {
  fieldOf,
  type IonStruct,
  type IonValue,
  ionInt,
  ionList,
  ionRecord,
  ionString,
} from '@cairn/ion'
import type { TableInfo } from '@cairn/partiql'
import { LedgerError } from './errors.ts'
import type { LedgerLimits } from './limits.ts'

export interface CatalogIndex {
  readonly indexId: string
  readonly field: string
  /** Short number for keys of the projection, unique in the ledger. */
  readonly indexNo: number
  /** The block that made it: projections older than that do not have it. */
  readonly sequenceNo: number
}

export type TableTags = Readonly<Record<string, string>>

export interface CatalogTable extends TableInfo {
  readonly tableNo: number
  readonly isActive: boolean
  readonly indexes: readonly CatalogIndex[]
  /** As its CREATE TABLE gave them; absent: none. */
  readonly tags?: TableTags
}

export type CatalogOperation =
  | {
      readonly kind: 'createTable'
      readonly tableId: string
      readonly name: string
      /** Absent: none. Blocks from before tables had tags have none. */
      readonly tags?: TableTags
    }
  | { readonly kind: 'dropTable'; readonly tableId: string }
  | { readonly kind: 'undropTable'; readonly tableId: string }
  | {
      readonly kind: 'createIndex'
      readonly tableId: string
      readonly indexId: string
      readonly field: string
    }
  | { readonly kind: 'dropIndex'; readonly tableId: string; readonly indexId: string }

export class Catalog {
  static readonly empty: Catalog = new Catalog(new Map(), 1, 1, 0)

  /** In the order of creation. */
  readonly #tables: ReadonlyMap<string, CatalogTable>
  readonly #nextTableNo: number
  readonly #nextIndexNo: number
  /** Rises with each change; two catalogs of one ledger with equal versions are equal. */
  readonly version: number
  readonly #byName = new Map<string, CatalogTable>()

  private constructor(
    tables: ReadonlyMap<string, CatalogTable>,
    nextTableNo: number,
    nextIndexNo: number,
    version: number,
  ) {
    this.#tables = tables
    this.#nextTableNo = nextTableNo
    this.#nextIndexNo = nextIndexNo
    this.version = version
    for (const table of tables.values()) if (table.isActive) this.#byName.set(table.name, table)
  }

  tables(): Iterable<CatalogTable> {
    return this.#tables.values()
  }

  findById(tableId: string): CatalogTable | undefined {
    return this.#tables.get(tableId)
  }

  /** An active table: exact, else (when not `isExact`) unique without regard to case. */
  findByName(name: string, isExact: boolean): CatalogTable | undefined {
    const exact = this.#byName.get(name)
    if (exact !== undefined || isExact) return exact
    const folded = name.toLowerCase()
    const matches = [...this.#byName.values()].filter((t) => t.name.toLowerCase() === folded)
    return matches.length === 1 ? matches[0] : undefined
  }

  /** Names of active tables, for hints. */
  activeNames(): string[] {
    return [...this.#byName.keys()]
  }

  /**
   * Refuses what a user may not do. A replay skips it: what is in the journal was allowed when it was written.
   * @throws LedgerError TABLE_EXISTS, TABLE_NOT_FOUND, INDEX_EXISTS, INDEX_NOT_FOUND, LIMIT_EXCEEDED
   */
  check(operation: CatalogOperation, limits: LedgerLimits): void {
    switch (operation.kind) {
      case 'createTable':
        this.#checkName(operation.name)
        this.#checkCount('activeTableCountMax', this.#byName.size, limits)
        this.#checkCount('tableCountMax', this.#tables.size, limits)
        return
      case 'dropTable':
        this.#activeTable(operation.tableId)
        return
      case 'undropTable': {
        const table = this.#tables.get(operation.tableId)
        if (table === undefined || table.isActive) throw tableNotFound(operation.tableId)
        this.#checkName(table.name)
        this.#checkCount('activeTableCountMax', this.#byName.size, limits)
        return
      }
      case 'createIndex': {
        const { name, indexes } = this.#activeTable(operation.tableId)
        if (indexes.some((index) => index.field === operation.field)) {
          throw new LedgerError(
            { code: 'INDEX_EXISTS', table: name, field: operation.field },
            { shortMessage: `Table ${name} already has an index on ${operation.field}.` },
          )
        }
        this.#checkCount('indexCountMax', indexes.length, limits)
        return
      }
      case 'dropIndex': {
        const { name, indexes } = this.#activeTable(operation.tableId)
        if (!indexes.some((index) => index.indexId === operation.indexId)) {
          throw new LedgerError(
            { code: 'INDEX_NOT_FOUND', index: operation.indexId },
            {
              shortMessage: `Table ${name} has no index with the id ${operation.indexId}.`,
              metaMessages: ['SELECT * FROM information_schema.user_tables shows index ids.'],
            },
          )
        }
        return
      }
    }
  }

  #checkName(name: string): void {
    if (!this.#byName.has(name)) return
    throw new LedgerError(
      { code: 'TABLE_EXISTS', table: name },
      { shortMessage: `Table with name: ${name} already exists` },
    )
  }

  #checkCount(
    limit: 'activeTableCountMax' | 'tableCountMax' | 'indexCountMax',
    count: number,
    limits: LedgerLimits,
  ): void {
    if (count < limits[limit]) return
    throw new LedgerError(
      { code: 'LIMIT_EXCEEDED', limit, value: count + 1, valueMax: limits[limit] },
      {
        shortMessage: `The limit ${limit} is ${limits[limit]}.`,
        metaMessages: [`Drop what is not needed, or raise ${limit} with cairn up --limits FILE.`],
      },
    )
  }

  #activeTable(tableId: string): CatalogTable {
    const table = this.#tables.get(tableId)
    if (table === undefined || !table.isActive) throw tableNotFound(tableId)
    return table
  }

  /** The catalog after `operation`, made by block `sequenceNo`. */
  apply(operation: CatalogOperation, sequenceNo: number): Catalog {
    const tables = new Map(this.#tables)
    let nextTableNo = this.#nextTableNo
    let nextIndexNo = this.#nextIndexNo
    const { tableId } = operation
    if (operation.kind === 'createTable') {
      const { kind: _, ...described } = operation
      tables.set(tableId, { ...described, isActive: true, indexes: [], tableNo: nextTableNo++ })
    } else {
      const table = tables.get(tableId)
      assert(table !== undefined, 'a catalog operation names a table of the catalog')
      if (operation.kind === 'dropTable') tables.set(tableId, { ...table, isActive: false })
      else if (operation.kind === 'undropTable') tables.set(tableId, { ...table, isActive: true })
      else if (operation.kind === 'createIndex') {
        const { indexId, field } = operation
        const index = { indexId, field, sequenceNo, indexNo: nextIndexNo++ }
        tables.set(tableId, { ...table, indexes: [...table.indexes, index] })
      } else {
        const indexes = table.indexes.filter(({ indexId }) => indexId !== operation.indexId)
        tables.set(tableId, { ...table, indexes })
      }
    }
    return new Catalog(tables, nextTableNo, nextIndexNo, this.version + 1)
  }

  /** Rows of information_schema.user_tables (qldb-compat 3.2). */
  *userTables(): Generator<IonStruct> {
    for (const table of this.#tables.values()) {
      yield ionRecord({
        tableId: ionString(table.tableId),
        name: ionString(table.name),
        indexes: ionList(
          table.indexes.map((index) =>
            ionRecord({
              indexId: ionString(index.indexId),
              expr: ionString(`[${index.field}]`),
              status: ionString('ONLINE'),
            }),
          ),
        ),
        status: ionString(table.isActive ? 'ACTIVE' : 'INACTIVE'),
      })
    }
  }

  /** For the projection's own record of the catalog. */
  toIon(): IonStruct {
    return ionRecord({
      nextTableNo: ionInt(this.#nextTableNo),
      nextIndexNo: ionInt(this.#nextIndexNo),
      version: ionInt(this.version),
      tables: ionList(
        [...this.#tables.values()].map((table) =>
          ionRecord({
            tableId: ionString(table.tableId),
            name: ionString(table.name),
            tableNo: ionInt(table.tableNo),
            isActive: ionInt(table.isActive ? 1 : 0),
            ...(table.tags === undefined ? {} : { tags: tagsToIon(table.tags) }),
            indexes: ionList(
              table.indexes.map((index) =>
                ionRecord({
                  indexId: ionString(index.indexId),
                  field: ionString(index.field),
                  indexNo: ionInt(index.indexNo),
                  sequenceNo: ionInt(index.sequenceNo),
                }),
              ),
            ),
          }),
        ),
      ),
    })
  }

  static fromIon(value: IonValue): Catalog {
    const tables = new Map<string, CatalogTable>()
    for (const row of listIn(value, 'tables')) {
      const tableId = textIn(row, 'tableId')
      tables.set(tableId, {
        tableId,
        name: textIn(row, 'name'),
        tableNo: numberIn(row, 'tableNo'),
        isActive: numberIn(row, 'isActive') === 1,
        ...tagsIn(row),
        indexes: listIn(row, 'indexes').map((index) => ({
          indexId: textIn(index, 'indexId'),
          field: textIn(index, 'field'),
          indexNo: numberIn(index, 'indexNo'),
          sequenceNo: numberIn(index, 'sequenceNo'),
        })),
      })
    }
    return new Catalog(
      tables,
      numberIn(value, 'nextTableNo'),
      numberIn(value, 'nextIndexNo'),
      numberIn(value, 'version'),
    )
  }
}

export function tableNotFound(tableId: string): LedgerError {
  return new LedgerError(
    { code: 'TABLE_NOT_FOUND', table: tableId },
    { shortMessage: `No such table: ${tableId}` },
  )
}

/** The catalogInfo of a block (qldb-compat 4.4). */
export function operationsToIon(operations: readonly CatalogOperation[]): IonStruct {
  return ionRecord({
    operations: ionList(
      operations.map((operation) =>
        ionRecord(
          Object.fromEntries(
            Object.entries(operation).map(([name, member]: [string, string | TableTags]) => [
              name,
              typeof member === 'string' ? ionString(member) : tagsToIon(member),
            ]),
          ),
        ),
      ),
    ),
  })
}

export function operationsFromIon(value: IonValue): CatalogOperation[] {
  return listIn(value, 'operations').map((row): CatalogOperation => {
    const tableId = textIn(row, 'tableId')
    const kind = textIn(row, 'kind')
    switch (kind) {
      case 'createTable':
        return { kind, tableId, name: textIn(row, 'name'), ...tagsIn(row) }
      case 'dropTable':
      case 'undropTable':
        return { kind, tableId }
      case 'createIndex':
        return { kind, tableId, indexId: textIn(row, 'indexId'), field: textIn(row, 'field') }
      case 'dropIndex':
        return { kind, tableId, indexId: textIn(row, 'indexId') }
      default:
        throw new RangeError(`unknown catalog operation ${kind}`)
    }
  })
}

function tagsToIon(tags: TableTags): IonStruct {
  return ionRecord(
    Object.fromEntries(Object.entries(tags).map(([key, text]) => [key, ionString(text)])),
  )
}

/** The member `tags` of a record that may have one. */
function tagsIn(value: IonValue): { readonly tags?: TableTags } {
  const tags = value.type === 'struct' ? fieldOf(value, 'tags') : undefined
  if (tags === undefined) return {}
  if (tags.type !== 'struct') throw new RangeError('catalog record: tags is no struct')
  const entries = tags.fields.map(({ name }): [string, string] => {
    if (typeof name !== 'string') throw new RangeError('catalog record: a tag without a key')
    return [name, textIn(tags, name)]
  })
  return { tags: Object.fromEntries(entries) }
}

function memberOf(value: IonValue, name: string): IonValue {
  const member = value.type === 'struct' ? fieldOf(value, name) : undefined
  if (member === undefined) throw new RangeError(`catalog record without ${name}`)
  return member
}

function textIn(value: IonValue, name: string): string {
  const member = memberOf(value, name)
  if (member.type !== 'string') throw new RangeError(`catalog record: ${name} is no string`)
  return member.value
}

function numberIn(value: IonValue, name: string): number {
  const member = memberOf(value, name)
  if (member.type !== 'int') throw new RangeError(`catalog record: ${name} is no int`)
  return Number(member.value)
}

function listIn(value: IonValue, name: string): readonly IonValue[] {
  const member = memberOf(value, name)
  if (member.type !== 'list') throw new RangeError(`catalog record: ${name} is no list`)
  return member.values
}
