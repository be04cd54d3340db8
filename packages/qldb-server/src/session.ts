/** One session: bound to a ledger and an identity, with at most one open transaction and its open results. */
import type { Ledger, Result, Transaction } from '@cairn/ledger'
import { CommandQueue } from './command-queue.ts'
import type { RunningStatement } from './slow-statements.ts'

/** A result with pages still to be read. */
interface OpenResult {
  readonly result: Result
  readonly statement: RunningStatement
  /** The number of the page that the valid token names. */
  pageNo: number
}

export class Session {
  /** For messages and logs; the token is a secret and appears in neither. */
  readonly id: string
  readonly token: string
  readonly ledger: Ledger
  readonly ledgerArn: string
  readonly principal: string
  readonly startedMs: number
  readonly queue: CommandQueue = new CommandQueue()
  lastUsedMs: number
  isEnded = false
  transaction: Transaction | undefined
  /** The transaction whose time ran out last: commands that name it learn so until the next one starts. */
  expiredTransactionId: string | undefined
  readonly openResults: Map<number, OpenResult> = new Map()
  #resultCount = 0

  constructor(
    id: string,
    token: string,
    ledger: Ledger,
    ledgerArn: string,
    principal: string,
    startedMs: number,
  ) {
    this.id = id
    this.token = token
    this.ledger = ledger
    this.ledgerArn = ledgerArn
    this.principal = principal
    this.startedMs = startedMs
    this.lastUsedMs = startedMs
  }

  /** Keeps `result` until its last page or the end of the transaction. Its next page has number 1. */
  addResult(result: Result, statement: RunningStatement): number {
    const resultNo = this.#resultCount++
    this.openResults.set(resultNo, { result, statement, pageNo: 1 })
    return resultNo
  }

  /** Forgets the transaction and its results; does not end it in the engine. */
  clearTransaction(): void {
    this.transaction = undefined
    this.openResults.clear()
    this.#resultCount = 0
  }

  abortTransaction(): void {
    this.transaction?.abort()
    this.clearTransaction()
  }

  /** Ends the open transaction as out of time. */
  expireTransaction(): void {
    this.expiredTransactionId = this.transaction?.id
    this.abortTransaction()
  }

  /** For a session whose client went away: lets go of what the transaction holds in memory. */
  expireTransactionIfOld(nowMs: number, transactionMsMax: number): void {
    const transaction = this.transaction
    if (transaction === undefined || nowMs - transaction.startedMs < transactionMsMax) return
    // A command under way finds out by itself, and tells its client the reason.
    if (!this.queue.isBusy) this.expireTransaction()
  }
}
