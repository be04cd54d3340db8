/**
 * `POST /v1/ledgers/{name}/transactions`: all statements in one transaction, in one request. Where a QLDB driver sends
 * three requests and hashes along, this sends one; the server repeats transactions that meet others.
 */
import { hash } from 'node:crypto'
import type { Identity } from '@cairn/aws-protocol'
import { encodeBase64 } from '@cairn/aws-protocol'
import type { Clock } from '@cairn/core'
import { decodeIon, formatIon } from '@cairn/ion'
import {
  type CommitResult,
  type Ledger,
  LedgerError,
  type LedgerHost,
  type Transaction,
} from '@cairn/ledger'
import { QldbServerError, serverError } from '../errors.ts'
import type { QldbServerLimits } from '../limits.ts'
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
  readonly #host: LedgerHost
  readonly #limits: QldbServerLimits
  readonly #idempotency: IdempotencyTable

  constructor(host: LedgerHost, clock: Clock, limits: QldbServerLimits) {
    this.#host = host
    this.#limits = limits
    this.#idempotency = new IdempotencyTable(clock, limits)
  }

  /**
   * @returns The JSON body of the answer.
   * @throws QldbServerError, LedgerError, PartiqlError
   */
  async transact(identity: Identity, ledgerName: string, body: Uint8Array): Promise<string> {
    const ledger = this.#host.getLedger(ledgerName)
    const request = parseTransactionRequest(body, this.#limits.statementCountMax)
    const { idempotencyKey } = request
    if (idempotencyKey === undefined) return this.#run(ledger, request)
    // The strand, not the name: a new ledger of an old name knows no keys.
    const key = JSON.stringify([ledger.strandId, identity.principal, idempotencyKey])
    const bodyHash = hash('sha256', body, 'base64')
    return this.#idempotency.once(key, bodyHash, () => this.#run(ledger, request))
  }

  /** Repeats at once: what this transaction met is committed, and the next snapshot has it. */
  async #run(ledger: Ledger, request: TransactionRequest): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(ledger.startTransaction(), request)
      } catch (error) {
        if (!isConflict(error) || attempt >= this.#limits.attemptCountMax) throw error
      }
    }
  }

  async #attempt(transaction: Transaction, request: TransactionRequest): Promise<string> {
    const room: ResultRoom = { bytes: this.#limits.resultBytesMax }
    try {
      let results = ''
      for (const [index, statement] of request.statements.entries()) {
        try {
          const rows = await this.#rowsOf(transaction, statement, request.format, room)
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
  ): Promise<string> {
    const { pageValueCountMax, pageBytesMax, resultBytesMax } = this.#limits
    const result = await transaction.execute(statement, parameters)
    let rows = ''
    for (;;) {
      const page = await result.nextPage(pageValueCountMax, pageBytesMax)
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
