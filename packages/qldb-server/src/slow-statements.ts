/**
 * The log of slow statements: text with its literals masked, how long, how many rows, how tables were read. Never
 * parameters. A statement counts with all pages that were asked for, and is logged once, when it passes the threshold.
 */
import type { Logger } from '@cairn/core'
import type { ResultPage, Transaction } from '@cairn/ledger'
import { maskLiterals } from '@cairn/partiql'
import type { RequestContext } from './request-context.ts'
import type { StatementUsage } from './statement-usage.ts'

/** Characters of a statement in the log. */
const loggedLengthMax = 2000

/** A statement and what it took so far. */
export interface RunningStatement {
  readonly text: string
  readonly transactionId: string
  ms: number
  rowCount: number
  isLogged: boolean
}

export class SlowStatements {
  readonly #logger: Logger
  readonly #thresholdMs: number
  readonly #usage: StatementUsage

  /** @param thresholdMs Infinity: nothing is slow. */
  constructor(logger: Logger, thresholdMs: number, usage: StatementUsage) {
    this.#usage = usage
    this.#logger = logger
    this.#thresholdMs = thresholdMs
  }

  start(text: string, transaction: Transaction): RunningStatement {
    return { text, transactionId: transaction.id, ms: 0, rowCount: 0, isLogged: false }
  }

  note(
    statement: RunningStatement,
    context: RequestContext,
    page: Pick<ResultPage, 'processingMs' | 'values'>,
    accesses: readonly string[],
  ): void {
    const isFirst = statement.ms === 0
    statement.ms += page.processingMs
    const { text, ms } = statement
    const ledgerName = context.ledgerName ?? ''
    if (isFirst) this.#usage.noteFirst(ledgerName, text, ms, accesses)
    else this.#usage.noteMore(ledgerName, text, page.processingMs, ms)
    statement.rowCount += page.values.length
    // Nothing takes less than a millisecond here: with a threshold of 0 everything is logged.
    if (statement.ms < this.#thresholdMs || statement.isLogged) return
    this.#log(statement, context, { accesses })
  }

  /** @param code Why it ended. */
  failed(statement: RunningStatement, context: RequestContext, ms: number, code: string): void {
    statement.ms += ms
    if (statement.ms < this.#thresholdMs || statement.isLogged) return
    this.#log(statement, context, { error: code })
  }

  #log(
    statement: RunningStatement,
    { requestId, ledgerName }: RequestContext,
    more: Readonly<Record<string, unknown>>,
  ): void {
    const { text, transactionId, ms, rowCount } = statement
    statement.isLogged = true
    const masked = maskLiterals(text)
    this.#logger.log('warn', 'slow statement', {
      requestId,
      ledger: ledgerName,
      transactionId,
      ms,
      rows: rowCount,
      ...more,
      statement: masked.length > loggedLengthMax ? `${masked.slice(0, loggedLengthMax)} …` : masked,
    })
  }
}
