/** What a ledger tells about its work, under `ledger="…"`. The names are documented in docs/reference/metrics.md. */
import { type Counter, type Histogram, latencyBounds, type MetricsScope } from '@cairn/core'

/** Groups hold up to 1 MiB of records. */
const groupBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

/** What is read when somebody asks. */
export interface LedgerGauges {
  readonly openTransactionCount: number
  readonly blockCount: number
  readonly journalBytes: number
  /** Blocks on the disk that the projections do not have yet. */
  readonly projectionLag: number
  readonly isStopped: boolean
}

export type TransactionOutcome = 'committed' | 'conflict' | 'failed'

export class LedgerMetrics {
  readonly #scope: MetricsScope
  readonly #commitSeconds: Histogram
  readonly #outcomes: Readonly<Record<TransactionOutcome, Counter>>
  readonly #groupRecords: Histogram
  readonly #flushSeconds: Histogram
  readonly #journalBytes: Counter

  constructor(scope: MetricsScope) {
    this.#scope = scope
    this.#commitSeconds = scope.histogram(
      'cairn_commit_seconds',
      'From the request to commit until the block is on the disk, of transactions that were committed.',
      latencyBounds,
    )
    const outcome = (name: TransactionOutcome) =>
      scope.counter('cairn_transactions_total', 'Transactions that came to their commit.', {
        outcome: name,
      })
    this.#outcomes = {
      committed: outcome('committed'),
      conflict: outcome('conflict'),
      failed: outcome('failed'),
    }
    this.#groupRecords = scope.histogram(
      'cairn_journal_group_records',
      'Blocks that went to the disk together.',
      groupBounds,
    )
    this.#flushSeconds = scope.histogram(
      'cairn_journal_flush_seconds',
      'Writing a group of blocks until the disk has it.',
      latencyBounds,
    )
    this.#journalBytes = scope.counter(
      'cairn_journal_written_bytes_total',
      'Bytes of blocks written to the journal since the start.',
    )
  }

  watch(gauges: LedgerGauges): void {
    const gauge = (name: string, help: string, read: () => number) =>
      this.#scope.gauge(name, help, read)
    gauge('cairn_transactions_open', 'Transactions that are open.', () => {
      return gauges.openTransactionCount
    })
    gauge('cairn_journal_blocks', 'Blocks on the disk.', () => gauges.blockCount)
    gauge('cairn_journal_bytes', 'Bytes of all blocks in the journal.', () => gauges.journalBytes)
    gauge(
      'cairn_projection_lag_blocks',
      'Blocks on the disk that documents and indexes in LMDB do not have yet.',
      () => gauges.projectionLag,
    )
    gauge('cairn_ledger_up', '1, or 0 after a failure that only a restart helps.', () =>
      gauges.isStopped ? 0 : 1,
    )
  }

  // Functions of their own, so that they can be handed on.

  /** @param ms Of the commit alone. */
  readonly ended = (outcome: TransactionOutcome, ms: number): void => {
    this.#outcomes[outcome].add()
    if (outcome === 'committed') this.#commitSeconds.observe(ms / 1000)
  }

  readonly groupWritten = (recordCount: number, bytes: number, ms: number): void => {
    this.#groupRecords.observe(recordCount)
    this.#journalBytes.add(bytes)
    this.#flushSeconds.observe(ms / 1000)
  }

  close(): void {
    this.#scope.close()
  }
}
