/**
 * What a pool needs over time: transactions that have waited too long are taken out, and the journal of local ones is
 * kept. The pool itself has no timers.
 */
import type { Clock, FileSystem, Logger } from '@cairn/core'
import { PoolJournal } from './pool-journal.ts'
import type { TransactionPool } from './transaction-pool.ts'

export interface PoolKeeperOptions {
  readonly pool: TransactionPool
  readonly clock: Clock
  readonly logger: Logger
  /** Where local transactions are kept: `D/geth/transactions.rlp`. Without it they are gone after a restart. */
  readonly journal?: { readonly fileSystem: FileSystem; readonly path: string }
}

/** How often transactions are looked through for those that have waited too long (geth: evictionInterval). */
const expiryIntervalMs = 60_000
/** How often the journal is written anew (geth: `--txpool.rejournal`). */
const journalIntervalMs = 60 * 60 * 1000

export class PoolKeeper {
  readonly #pool: TransactionPool
  readonly #clock: Clock
  readonly #journal: PoolJournal | undefined
  readonly #closing = new AbortController()
  #caring: Promise<void> = Promise.resolve()

  private constructor({ pool, clock, logger, journal }: PoolKeeperOptions) {
    this.#pool = pool
    this.#clock = clock
    this.#journal = journal && new PoolJournal({ ...journal, pool, logger })
  }

  /** Puts the transactions of the journal into the pool, and begins. */
  static async open(options: PoolKeeperOptions): Promise<PoolKeeper> {
    const keeper = new PoolKeeper(options)
    const count = await keeper.#journal?.open()
    if (count !== undefined && count > 0) {
      options.logger.log('info', 'local transactions are back in the pool', { count })
    }
    keeper.#caring = keeper.#care()
    return keeper
  }

  /** Ends; the journal is whole on the disk afterwards. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#caring
    await this.#journal?.close()
  }

  async #care(): Promise<void> {
    const { signal } = this.#closing
    let sinceJournalMs = 0
    while (await isAwakeAfter(this.#clock, expiryIntervalMs, signal)) {
      this.#pool.removeExpired()
      sinceJournalMs += expiryIntervalMs
      if (sinceJournalMs < journalIntervalMs) continue
      sinceJournalMs = 0
      await this.#journal?.rotate()
    }
  }
}

/** False when the wait was ended from outside. */
async function isAwakeAfter(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false
  try {
    await clock.sleep(ms, signal)
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}
