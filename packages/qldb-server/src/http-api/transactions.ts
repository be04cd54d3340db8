/**
 * `POST /v1/ledgers/{name}/transactions`: all statements in one transaction, in one request. Where a QLDB driver sends
 * three requests and hashes along, this sends one; the server repeats transactions that meet others.
 */
import { hash } from 'node:crypto'
import type { Authorizer, Identity } from '@cairn/aws-protocol'
import { encodeBase64 } from '@cairn/aws-protocol'
import { BaseError, type Clock } from '@cairn/core'
import { decodeIon, formatIon } from '@cairn/ion'
import {
  type CommitResult,
  LedgerError,
  type LedgerHost,
  type Result,
  type ResultPage,
  type Transaction,
} from '@cairn/ledger'
import type { ArnSettings } from '../arn.ts'
import { QldbServerError, serverError } from '../errors.ts'
import type { QldbServerLimits } from '../limits.ts'
import type { RequestContext } from '../request-context.ts'
import type { SlowStatements } from '../slow-statements.ts'
import { guardStatements, type StatementGuardOptions } from '../statement-guard.ts'
import { IdempotencyTable } from './idempotency-table.ts'
import { formatJson } from './json-writer.ts'
import { toldError } from './problems.ts'
import {
  parseTransactionRequest,
  type RowFormat,
  type StatementRequest,
  type TransactionRequest,
} from './transaction-request.ts'

/** What is left of the bytes that an answer may have. */
interface ResultRoom {
  bytes: number
}

export class TransactionRunner {
  readonly #guard: StatementGuardOptions
  readonly #host: LedgerHost
  readonly #clock: Clock
  readonly #limits: QldbServerLimits
  readonly #slowStatements: SlowStatements
  readonly #idempotency: IdempotencyTable

  constructor(options: {
    readonly host: LedgerHost
    readonly clock: Clock
    readonly limits: QldbServerLimits
    readonly slowStatements: SlowStatements
    readonly authorizer: Authorizer
    readonly arns: ArnSettings
  }) {
    this.#guard = options
    this.#host = options.host
    this.#clock = options.clock
    this.#limits = options.limits
    this.#slowStatements = options.slowStatements
    this.#idempotency = new IdempotencyTable(options.clock, options.limits)
  }

  /**
   * @returns The JSON body of the answer.
   * @throws QldbServerError, LedgerError, PartiqlError
   */
  async transact(
    identity: Identity,
    ledgerName: string,
    body: Uint8Array,
    context: RequestContext,
  ): Promise<string> {
    const ledger = this.#host.getLedger(ledgerName)
    const request = parseTransactionRequest(body, this.#limits.statementCountMax)
    const options = guardStatements(this.#guard, identity, ledger)
    const run = () => this.#run(() => ledger.startTransaction(options), request, context)
    const { idempotencyKey } = request
    if (idempotencyKey === undefined) return run()
    // The strand, not the name: a new ledger of an old name knows no keys.
    const key = JSON.stringify([ledger.strandId, identity.principal, idempotencyKey])
    const bodyHash = hash('sha256', body, 'base64')
    return this.#idempotency.once(key, bodyHash, run)
  }

  /** Repeats at once: what this transaction met is committed, and the next snapshot has it. */
  async #run(
    start: () => Transaction,
    request: TransactionRequest,
    context: RequestContext,
  ): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(start(), request, context)
      } catch (error) {
        if (!isConflict(error) || attempt >= this.#limits.attemptCountMax) throw error
      }
    }
  }

  async #attempt(
    transaction: Transaction,
    request: TransactionRequest,
    context: RequestContext,
  ): Promise<string> {
    const room: ResultRoom = { bytes: this.#limits.resultBytesMax }
    try {
      let results = ''
      for (const [index, statement] of request.statements.entries()) {
        try {
          const rows = await this.#rowsOf(transaction, statement, request.format, room, context)
          results += `${index === 0 ? '' : ','}{"rows":[${rows}]}`
        } catch (cause) {
          throw new QldbServerError(
            { code: 'STATEMENT_FAILED', index },
            { shortMessage: `Statement ${index + 1} failed.`, cause },
          )
        }
      }
      return answerOf(await transaction.commit(), results)
    } catch (error) {
      transaction.abort()
      throw error
    }
  }

  async #rowsOf(
    transaction: Transaction,
    { statement, parameters }: StatementRequest,
    format: RowFormat,
    room: ResultRoom,
    context: RequestContext,
  ): Promise<string> {
    const running = this.#slowStatements.start(statement, transaction)
    const startedMs = this.#clock.nowMs()
    try {
      const result = await transaction.execute(statement, parameters)
      return await this.#readRows(result, format, room, (page) =>
        this.#slowStatements.note(running, context, page, result.accesses),
      )
    } catch (error) {
      const ms = this.#clock.nowMs() - startedMs - running.ms
      const code = error instanceof BaseError ? error.code : 'INTERNAL'
      this.#slowStatements.failed(running, context, ms, code)
      throw error
    }
  }

  async #readRows(
    result: Result,
    format: RowFormat,
    room: ResultRoom,
    onPage: (page: ResultPage) => void,
  ): Promise<string> {
    const { pageValueCountMax, pageBytesMax, resultBytesMax } = this.#limits
    let rows = ''
    for (;;) {
      const page = await result.nextPage(pageValueCountMax, pageBytesMax)
      onPage(page)
      for (const value of page.values) {
        room.bytes -= value.length
        if (room.bytes < 0) {
          throw serverError(
            { code: 'RESULT_TOO_LARGE', bytesMax: resultBytesMax },
            `The rows have more than ${resultBytesMax} bytes.`,
          )
        }
        rows += rows === '' ? rowOf(value, format) : `,${rowOf(value, format)}`
      }
      if (page.isLast) return rows
    }
  }
}

function rowOf(value: Uint8Array, format: RowFormat): string {
  const row = decodeIon(value)
  return format === 'json' ? formatJson(row) : JSON.stringify(formatIon(row))
}

/** Ids and base64 need no escaping. */
function answerOf(commit: CommitResult, results: string): string {
  const { transactionId, blockAddress, commitDigest } = commit
  const address =
    blockAddress === undefined
      ? 'null'
      : `{"strandId":"${blockAddress.strandId}","sequenceNo":${blockAddress.sequenceNo}}`
  return (
    `{"transactionId":"${transactionId}","blockAddress":${address},` +
    `"commitDigest":"${encodeBase64(commitDigest)}","results":[${results}]}`
  )
}

function isConflict(error: unknown): boolean {
  const cause = toldError(error)
  return cause instanceof LedgerError && cause.code === 'OCC_CONFLICT'
}
