/** The contract between a compiled statement and whoever runs it. */
import type { IonValue } from '@cairn/ion'
import type { ParsedStatement } from './ast.ts'
import type { Store, TableInfo } from './store.ts'

/**
 * Yielded in place of a row now and then, so that one long statement does not hold a thread that others share. Whoever
 * runs a statement may go on at once or let others run first.
 */
export const pause: unique symbol = Symbol('pause')

export type Rows = Generator<IonValue | typeof pause, void, undefined>

/** The names of QLDB's statement permissions (qldb-compat 2, STANDARD mode). */
export type StatementAction =
  | 'PartiQLSelect'
  | 'PartiQLInsert'
  | 'PartiQLUpdate'
  | 'PartiQLDelete'
  | 'PartiQLCreateTable'
  | 'PartiQLDropTable'
  | 'PartiQLUndropTable'
  | 'PartiQLCreateIndex'
  | 'PartiQLDropIndex'
  | 'PartiQLHistoryFunction'
  | 'PartiQLRedact'

/** What binding needs of a catalog. */
export type Catalog = Pick<Store, 'findTable' | 'findTableById'>

/**
 * A statement bound to the tables and indexes of one catalog version, without state: it may be kept, and run many times
 * with different parameters, until one of its tables changes its definition.
 */
export interface CompiledStatement {
  readonly parsed: ParsedStatement
  readonly isReadOnly: boolean
  readonly actions: readonly { readonly action: StatementAction; readonly table?: TableInfo }[]
  /**
   * How it reads tables: `Vehicle: index VIN`, `Person: document id`, `T: scan`. An index that is younger than the last
   * turn of a projection is replaced by a scan when it runs.
   */
  readonly accesses: readonly string[]
  /**
   * Runs it. Writes of DML and DDL happen before the first row is given. Rows of a query are computed as they are
   * pulled. Rows never hold MISSING or bags (a bag is a list).
   * @throws PartiqlError, from here or while rows are pulled.
   */
  run(parameters: readonly IonValue[], store: Store): Rows
}
