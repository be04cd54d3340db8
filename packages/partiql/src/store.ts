/**
 * What the executor needs of a database, in its own words; `ledger` implements it for one open transaction.
 * All calls are synchronous: reads come from a memory map or an overlay. The store records the read set for
 * optimistic concurrency control as it is asked, and applies writes to the transaction's own view at once.
 */

import type { IonStruct, IonValue } from '@cairn/ion'
import type { HeldTotal } from './compile/held-rows.ts'

export interface IndexInfo {
  readonly indexId: string
  /** The top-level field. */
  readonly field: string
}

export interface TableInfo {
  readonly tableId: string
  readonly name: string
  readonly indexes: readonly IndexInfo[]
}

/** One document of a user view. */
export interface StoredDocument {
  readonly documentId: string
  /** The same object for the same revision while it is held: results that pass it through are not encoded again. */
  readonly data: IonValue
}

/** One revision of a committed view or of history, as the struct the user sees (qldb-compat 3.2). */
export interface StoredRevision {
  readonly documentId: string
  readonly row: IonStruct
}

export interface HistoryRange {
  /** Inclusive, in milliseconds since the epoch (fractions of a millisecond cut). */
  readonly startMs: number | undefined
  readonly endMs: number | undefined
}

export interface Store {
  /** TXID(). */
  readonly transactionId: string
  /** What open results of the transaction keep in memory together; absent: nobody counts. */
  readonly heldTotal?: HeldTotal
  /** UTCNOW(): the same instant for a whole statement. */
  nowMs(): number

  /** An active table by name: exact, else (when not `isExact`) unique without regard to case. */
  findTable(name: string, isExact: boolean): TableInfo | undefined
  /** A table by id, active or dropped, for history. */
  findTableById(tableId: string): TableInfo | undefined

  /** Every document of the user view, own writes included, in the order of insertion. */
  scan(table: TableInfo): Iterable<StoredDocument>
  getById(table: TableInfo, documentId: string): StoredDocument | undefined
  /**
   * Documents whose field equals `value` by PartiQL equality, or more: the executor tests the predicate again. None
   * comes twice, here as in `scan`: DML relies on it. An array costs the executor less than a generator.
   */
  getByIndex(table: TableInfo, index: IndexInfo, value: IonValue): Iterable<StoredDocument>

  scanCommitted(table: TableInfo): Iterable<StoredRevision>
  getCommittedById(table: TableInfo, documentId: string): StoredRevision | undefined
  getCommittedByIndex(table: TableInfo, index: IndexInfo, value: IonValue): Iterable<StoredRevision>

  history(table: TableInfo, range: HistoryRange): Iterable<StoredRevision>
  historyOf(table: TableInfo, documentId: string, range: HistoryRange): Iterable<StoredRevision>

  /** Rows of information_schema.user_tables, in the order of creation. */
  userTables(): Iterable<IonStruct>

  /** Answers the new document's id. */
  insert(table: TableInfo, data: IonStruct): string
  update(table: TableInfo, documentId: string, data: IonStruct): void
  delete(table: TableInfo, documentId: string): void

  /** DDL answers the table's id. Names, limits and states are checked by the store, which throws its own errors. */
  /** @param tags Of its `aws_tags`, checked; empty when there are none. */
  createTable(name: string, tags: Readonly<Record<string, string>>): string
  dropTable(table: TableInfo): string
  undropTable(tableId: string): string
  createIndex(table: TableInfo, field: string): string
  dropIndex(table: TableInfo, indexId: string): string
  /** Answers the rows of the result. */
  exec(procedure: string, args: readonly IonValue[]): readonly IonStruct[]

  /**
   * Called once per document read by each operator (ConsumedIOs.ReadIOs), and often enough in every loop. Throws when
   * the transaction's time is over.
   */
  countRead(count: number): void
  checkDeadline(): void
}
