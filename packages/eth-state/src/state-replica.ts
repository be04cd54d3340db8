/**
 * The committed states of a chain that another thread commits, read through a replica of its database: the last 128, or
 * all in archive mode. Not here: tries and proofs, of which the newest nodes are in the memory of whoever commits.
 */
import { ChainState, type State } from './chain-state.ts'
import { CommittedRows } from './committed-rows.ts'
import type { Database } from './database.ts'
import type { StateStoreOptions } from './state-store.ts'
import { openTables, readMeta, type Tables } from './state-tables.ts'

export class StateReplica {
  readonly #tables: Tables
  readonly #rows: CommittedRows

  /** @throws StateError STATE_FORMAT */
  constructor(database: Database, { isArchive = false, tableSuffix = '' }: StateStoreOptions) {
    this.#tables = openTables(database, tableSuffix)
    this.#rows = new CommittedRows(this.#tables, isArchive, readMeta(this.#tables.meta))
  }

  /** The state of that root; undefined when it is not kept. */
  stateAt(root: Uint8Array): State | undefined {
    const commitNo = this.#rows.commitOf(root)
    if (commitNo === undefined) return undefined
    return new ChainState(this.#rows, root.slice(), commitNo, undefined)
  }

  /**
   * The database is at another moment.
   * @param isUndone Whether commits were undone since, rather than only added to.
   */
  follow(isUndone: boolean): void {
    this.#rows.follow(readMeta(this.#tables.meta), isUndone)
  }
}
