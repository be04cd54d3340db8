/** A store in memory for tests: tables, indexes by equality key, revisions at once, counters of what was asked. */
import {
  fieldOf,
  type IonStruct,
  type IonValue,
  ionInt,
  ionList,
  ionRecord,
  ionString,
  ionTimestampFromMs,
} from '@cairn/ion'
import type {
  HistoryRange,
  IndexInfo,
  Store,
  StoredDocument,
  StoredRevision,
  TableInfo,
} from '../store.ts'
import { equalityKey } from '../values/equality.ts'

interface MemoryRevision extends StoredRevision {
  readonly committedMs: number
  /** When the next revision took its place. */
  supersededMs: number
}

interface MemoryTable {
  info: TableInfo
  isActive: boolean
  readonly documents: Map<string, StoredDocument>
  readonly revisions: MemoryRevision[]
}

export interface MemoryStore extends Store {
  /** What the executor asked for, such as `scan T`, `index T.VIN`, `id T`. */
  readonly calls: string[]
  readCount: number
  deadlineCheckCount: number
  clockMs: number
}

export function createMemoryStore(): MemoryStore {
  const tables: MemoryTable[] = []
  const calls: string[] = []
  let lastId = 0
  const newId = (prefix: string): string => `${prefix}${++lastId}`

  const tableOf = (table: TableInfo): MemoryTable => {
    const found = tables.find((candidate) => candidate.info.tableId === table.tableId)
    if (found === undefined) throw new Error(`no table ${table.tableId}`)
    return found
  }
  const active = (): MemoryTable[] => tables.filter((table) => table.isActive)
  const latest = (table: MemoryTable): MemoryRevision[] =>
    table.revisions.filter(
      (revision) =>
        revision.supersededMs === Number.POSITIVE_INFINITY && fieldOf(revision.row, 'data'),
    )

  const addRevision = (
    table: MemoryTable,
    documentId: string,
    data: IonStruct | undefined,
  ): void => {
    const earlier = table.revisions.filter((revision) => revision.documentId === documentId)
    const previous = earlier.at(-1)
    if (previous !== undefined) previous.supersededMs = store.clockMs
    const metadata = ionRecord({
      id: ionString(documentId),
      version: ionInt(earlier.length),
      txTime: ionTimestampFromMs(store.clockMs),
      txId: ionString(store.transactionId),
    })
    const blockAddress = ionRecord({
      strandId: ionString('strand'),
      sequenceNo: ionInt(table.revisions.length),
    })
    const row = ionRecord({ blockAddress, ...(data === undefined ? {} : { data }), metadata })
    const committedMs = store.clockMs
    table.revisions.push({
      documentId,
      row,
      committedMs,
      supersededMs: Number.POSITIVE_INFINITY,
    })
  }

  const hasKey = (data: IonValue | undefined, index: IndexInfo, value: IonValue): boolean => {
    const field = data?.type === 'struct' ? fieldOf(data, index.field) : undefined
    return field !== undefined && equalityKey(field) === equalityKey(value)
  }

  const inRange =
    (range: HistoryRange) =>
    (revision: MemoryRevision): boolean =>
      revision.committedMs <= (range.endMs ?? Number.POSITIVE_INFINITY) &&
      revision.supersededMs >= (range.startMs ?? Number.NEGATIVE_INFINITY)

  const store: MemoryStore = {
    calls,
    readCount: 0,
    deadlineCheckCount: 0,
    clockMs: Date.UTC(2024, 0, 2, 3, 4, 5, 6),
    transactionId: 'transaction0000000000t',
    nowMs: () => store.clockMs,

    findTable(name, isExact) {
      const exact = active().find((table) => table.info.name === name)
      if (exact !== undefined || isExact) return exact?.info
      const loose = active().filter((table) => table.info.name.toLowerCase() === name.toLowerCase())
      return loose.length === 1 ? loose[0]?.info : undefined
    },
    findTableById: (tableId) => tables.find((table) => table.info.tableId === tableId)?.info,

    scan(table) {
      calls.push(`scan ${table.name}`)
      return tableOf(table).documents.values()
    },
    getById(table, documentId) {
      calls.push(`id ${table.name}`)
      return tableOf(table).documents.get(documentId)
    },
    getByIndex(table, index, value) {
      calls.push(`index ${table.name}.${index.field}`)
      const documents = [...tableOf(table).documents.values()]
      return documents.filter((document) => hasKey(document.data, index, value))
    },
    scanCommitted(table) {
      calls.push(`committed ${table.name}`)
      return latest(tableOf(table))
    },
    getCommittedById(table, documentId) {
      calls.push(`committed id ${table.name}`)
      return latest(tableOf(table)).find((revision) => revision.documentId === documentId)
    },
    getCommittedByIndex(table, index, value) {
      calls.push(`committed index ${table.name}.${index.field}`)
      return latest(tableOf(table)).filter((revision) =>
        hasKey(fieldOf(revision.row, 'data'), index, value),
      )
    },
    history(table, range) {
      calls.push(`history ${table.name}`)
      return tableOf(table).revisions.filter(inRange(range))
    },
    historyOf(table, documentId, range) {
      calls.push(`history id ${table.name}`)
      return tableOf(table)
        .revisions.filter(inRange(range))
        .filter((revision) => revision.documentId === documentId)
    },
    userTables: () =>
      tables.map((table) =>
        ionRecord({
          tableId: ionString(table.info.tableId),
          name: ionString(table.info.name),
          indexes: ionList(
            table.info.indexes.map((index) =>
              ionRecord({
                indexId: ionString(index.indexId),
                expr: ionString(`[${index.field}]`),
                status: ionString('ONLINE'),
              }),
            ),
          ),
          status: ionString(table.isActive ? 'ACTIVE' : 'INACTIVE'),
        }),
      ),

    insert(table, data) {
      const documentId = newId('document')
      tableOf(table).documents.set(documentId, { documentId, data })
      addRevision(tableOf(table), documentId, data)
      return documentId
    },
    update(table, documentId, data) {
      tableOf(table).documents.set(documentId, { documentId, data })
      addRevision(tableOf(table), documentId, data)
    },
    delete(table, documentId) {
      tableOf(table).documents.delete(documentId)
      addRevision(tableOf(table), documentId, undefined)
    },

    createTable(name, tags) {
      if (Object.keys(tags).length > 0) calls.push(`tags ${JSON.stringify(tags)}`)
      const tableId = newId('table')
      const info = { tableId, name, indexes: [] }
      tables.push({ info, isActive: true, documents: new Map(), revisions: [] })
      return tableId
    },
    dropTable(table) {
      tableOf(table).isActive = false
      return table.tableId
    },
    undropTable(tableId) {
      const found = tables.find((table) => table.info.tableId === tableId)
      if (found === undefined) throw new Error(`no table ${tableId}`)
      found.isActive = true
      return tableId
    },
    createIndex(table, field) {
      const found = tableOf(table)
      const index = { indexId: newId('index'), field }
      found.info = { ...found.info, indexes: [...found.info.indexes, index] }
      return table.tableId
    },
    dropIndex(table, indexId) {
      const found = tableOf(table)
      const indexes = found.info.indexes.filter((index) => index.indexId !== indexId)
      found.info = { ...found.info, indexes }
      return table.tableId
    },
    exec(procedure, args) {
      calls.push(`exec ${procedure}/${args.length}`)
      return [ionRecord({ procedure: ionString(procedure) })]
    },
    countRead(count) {
      store.readCount += count
    },
    checkDeadline() {
      store.deadlineCheckCount++
    },
  }
  return store
}
