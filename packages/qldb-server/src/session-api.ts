/**
 * The session API: the sub-commands of SendCommand (qldb-compat 1.2).
 * Answers are put together as text: ids and base64 need no escaping, and a page of results is copied once.
 */

import type { Authorizer, Identity } from '@cairn/aws-protocol'
import { decodeBase64, encodeBase64, isRecord } from '@cairn/aws-protocol'
import { BaseError, type Clock } from '@cairn/core'
import {
  type IoUsage,
  LedgerError,
  type LedgerHost,
  type Result,
  type ResultPage,
  type Transaction,
} from '@cairn/ledger'
import { type ArnSettings, ledgerArn } from './arn.ts'
import { overloaded, type QldbServerError, requestInvalid, serverError } from './errors.ts'
import { FinishedTransactions } from './finished-transactions.ts'
import { ionTextToBinary } from './ion-text.ts'
import type { QldbServerLimits } from './limits.ts'
import { RecentPages } from './recent-pages.ts'
import type { Load, RequestContext } from './request-context.ts'
import type { Session } from './session.ts'
import type { SessionTable } from './session-table.ts'
import type { RunningStatement, SlowStatements } from './slow-statements.ts'
import { guardStatements } from './statement-guard.ts'
import { isWellFormed } from './well-formed.ts'

/** The one value of `x-amz-target`. */
export const sendCommandTarget = 'QLDBSession.SendCommand'
const sendCommandAction = 'qldb:SendCommand'
const commitDigestBytesSize = 32

type Members = Readonly<Record<string, unknown>>

export interface SessionApiOptions {
  readonly host: LedgerHost
  readonly clock: Clock
  readonly authorizer: Authorizer
  readonly arns: ArnSettings
  readonly limits: QldbServerLimits
  readonly sessions: SessionTable
  readonly slowStatements: SlowStatements
}

const subCommands = [
  'StartSession',
  'StartTransaction',
  'ExecuteStatement',
  'FetchPage',
  'CommitTransaction',
  'AbortTransaction',
  'EndSession',
] as const
type SubCommand = (typeof subCommands)[number]
/**
 * A busy server begins nothing new and ends what was begun: a driver whose commit is turned away repeats all of its
 * work. One whose abort is turned away leaves its session behind, so what lets go of something is always done.
 */
function isTaken(name: SubCommand, load: Load): boolean {
  if (load === 'free' || name === 'AbortTransaction' || name === 'EndSession') return true
  return load === 'busy' && name !== 'StartSession' && name !== 'StartTransaction'
}

export class SessionApi {
  readonly #options: SessionApiOptions
  readonly #clock: Clock
  readonly #limits: QldbServerLimits
  readonly #finished: FinishedTransactions
  readonly #recentPages: RecentPages

  constructor(options: SessionApiOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#limits = options.limits
    this.#finished = new FinishedTransactions(
      options.clock,
      options.limits.finishedTransactionCountMax,
      options.limits.finishedTransactionMsMax,
    )
    this.#recentPages = new RecentPages(options.limits.recentPagesLengthMax)
  }

  /**
   * @returns The JSON body of the answer.
   * @throws QldbServerError, LedgerError, PartiqlError, AwsProtocolError
   */
  async sendCommand(identity: Identity, body: Members, context: RequestContext): Promise<string> {
    const arrivedMs = this.#clock.nowMs()
    const name = subCommandOf(body)
    context.operation = name
    if (!isTaken(name, context.load)) throw overloaded()
    const members = body[name]
    if (!isRecord(members)) throw requestInvalid(name, `${name} must be an object.`)
    if (name === 'StartSession') return this.#startSession(identity, members, arrivedMs, context)

    const session = this.#options.sessions.get(
      stringMember(body, 'SendCommand', 'SessionToken'),
      identity.principal,
    )
    context.ledgerName = session.ledger.name
    this.#authorize(identity, session.ledgerArn)
    const turn = session.queue.enter()
    if (turn !== undefined) await turn
    try {
      if (session.isEnded) {
        throw serverError({ code: 'SESSION_NOT_FOUND' }, 'The session was ended meanwhile.')
      }
      return await this.#run(name, identity, session, members, arrivedMs, context)
    } finally {
      session.queue.leave()
    }
  }

  #run(
    name: Exclude<SubCommand, 'StartSession'>,
    identity: Identity,
    session: Session,
    members: Members,
    arrivedMs: number,
    context: RequestContext,
  ): string | Promise<string> {
    switch (name) {
      case 'StartTransaction':
        return this.#startTransaction(identity, session, arrivedMs)
      case 'ExecuteStatement':
        return this.#executeStatement(session, members, context)
      case 'FetchPage':
        return this.#fetchPage(session, members, context)
      case 'CommitTransaction':
        return this.#commitTransaction(session, members)
      case 'AbortTransaction':
        // Also without a transaction: the driver sends it after most failures, and drops the session when it fails.
        session.abortTransaction()
        return `{"AbortTransaction":{${this.#timing(arrivedMs)}}}`
      case 'EndSession':
        this.#options.sessions.end(session)
        return `{"EndSession":{${this.#timing(arrivedMs)}}}`
    }
  }

  #startSession(
    identity: Identity,
    members: Members,
    arrivedMs: number,
    context: RequestContext,
  ): string {
    const ledgerName = stringMember(members, 'StartSession', 'LedgerName')
    context.ledgerName = ledgerName
    const arn = ledgerArn(this.#options.arns, ledgerName)
    this.#authorize(identity, arn)
    const ledger = this.#options.host.getLedger(ledgerName)
    const session = this.#options.sessions.start(ledger, arn, identity.principal)
    return `{"StartSession":{"SessionToken":"${session.token}",${this.#timing(arrivedMs)}}}`
  }

  #startTransaction(identity: Identity, session: Session, arrivedMs: number): string {
    const open = session.transaction
    if (open !== undefined) {
      if (!this.#isOutOfTime(open)) {
        throw serverError(
          { code: 'TRANSACTION_ALREADY_OPEN', transactionId: open.id },
          'The session has an open transaction.',
        )
      }
      session.expireTransaction()
    }
    this.#options.sessions.sweep()
    const { ledger } = session
    const transaction = ledger.startTransaction(guardStatements(this.#options, identity, ledger))
    session.transaction = transaction
    session.expiredTransactionId = undefined
    return `{"StartTransaction":{"TransactionId":"${transaction.id}",${this.#timing(arrivedMs)}}}`
  }

  async #executeStatement(
    session: Session,
    members: Members,
    context: RequestContext,
  ): Promise<string> {
    const transaction = this.#openTransaction(session, 'ExecuteStatement', members)
    const text = stringMember(members, 'ExecuteStatement', 'Statement')
    const parameters = parametersOf(members)
    const { slowStatements } = this.#options
    const statement = slowStatements.start(text, transaction)
    const startedMs = this.#clock.nowMs()
    try {
      const result = await transaction.execute(text, parameters)
      const page = await this.#nextPage(result)
      slowStatements.note(statement, context, page, result.accesses)
      const pageToken = page.isLast
        ? undefined
        : this.#keepResult(session, transaction, result, statement)
      return `{"ExecuteStatement":{"FirstPage":${pageBody(page, pageToken)}}}`
    } catch (error) {
      const ms = this.#clock.nowMs() - startedMs - statement.ms
      slowStatements.failed(statement, context, ms, codeOf(error))
      this.#afterFailure(session, transaction, error)
      throw error
    }
  }

  async #fetchPage(session: Session, members: Members, context: RequestContext): Promise<string> {
    const transaction = this.#openTransaction(session, 'FetchPage', members)
    const pageToken = stringMember(members, 'FetchPage', 'NextPageToken')
    if (pageToken.startsWith(`${transaction.id}.`)) {
      const answer = this.#recentPages.get(pageToken)
      if (answer !== undefined) return answer
    }
    const resultNo = Number(pageToken.split('.')[1])
    const open = session.openResults.get(resultNo)
    if (open === undefined || pageToken !== pageTokenOf(transaction, resultNo, open.pageNo)) {
      throw serverError(
        { code: 'PAGE_TOKEN_UNKNOWN', transactionId: transaction.id },
        'The page token is not one of this transaction.',
      )
    }
    const { slowStatements } = this.#options
    const startedMs = this.#clock.nowMs()
    try {
      const page = await this.#nextPage(open.result)
      slowStatements.note(open.statement, context, page, open.result.accesses)
      open.pageNo++
      if (page.isLast) session.openResults.delete(resultNo)
      const next = page.isLast ? undefined : pageTokenOf(transaction, resultNo, open.pageNo)
      const answer = `{"FetchPage":{"Page":${pageBody(page, next)}}}`
      this.#recentPages.remember(pageToken, answer)
      return answer
    } catch (error) {
      const ms = this.#clock.nowMs() - startedMs
      slowStatements.failed(open.statement, context, ms, codeOf(error))
      this.#afterFailure(session, transaction, error)
      throw error
    }
  }

  async #commitTransaction(session: Session, members: Members): Promise<string> {
    const transactionId = stringMember(members, 'CommitTransaction', 'TransactionId')
    const digest = decodeBase64(stringMember(members, 'CommitTransaction', 'CommitDigest'))
    if (digest.length !== commitDigestBytesSize) {
      throw requestInvalid('CommitTransaction.CommitDigest', 'CommitDigest must have 32 bytes.')
    }
    const owner = `${session.ledger.strandId}/${session.principal}`
    if (session.transaction?.id !== transactionId) {
      const outcome = this.#finished.outcomeOf(transactionId, owner, digest)
      if (outcome !== undefined) {
        if ('error' in outcome) throw outcome.error
        return outcome.answer
      }
    }
    const transaction = this.#openTransaction(session, 'CommitTransaction', members)
    try {
      const result = await transaction.commit(digest)
      session.clearTransaction()
      const answer =
        `{"CommitTransaction":{"TransactionId":"${result.transactionId}",` +
        `"CommitDigest":"${encodeBase64(result.commitDigest)}",` +
        `${measures(result.processingMs, result.usage)}}}`
      this.#finished.remember(transactionId, owner, digest, { answer })
      return answer
    } catch (error) {
      this.#finished.remember(transactionId, owner, digest, { error })
      this.#afterFailure(session, transaction, error)
      // A commit ends the transaction one way or the other; the driver may begin the next without an abort.
      if (session.transaction === transaction) session.abortTransaction()
      throw error
    }
  }

  /**
   * The open transaction, which the command must name.
   * @throws QldbServerError TRANSACTION_EXPIRED, TRANSACTION_NOT_OPEN
   */
  #openTransaction(session: Session, command: SubCommand, members: Members): Transaction {
    const transactionId = stringMember(members, command, 'TransactionId')
    const transaction = session.transaction
    if (transaction?.id === transactionId) {
      if (!this.#isOutOfTime(transaction)) return transaction
      session.expireTransaction()
    }
    throw session.expiredTransactionId === transactionId
      ? serverError({ code: 'TRANSACTION_EXPIRED', transactionId }, 'The transaction has expired.')
      : serverError(
          { code: 'TRANSACTION_NOT_OPEN', transactionId },
          'The transaction is not open in this session.',
        )
  }

  /** Keeps the session's view of its transaction true to what the engine made of it. */
  #afterFailure(session: Session, transaction: Transaction, error: unknown): void {
    // Ended meanwhile, by the end of the session: nothing to keep.
    if (session.transaction !== transaction) return
    if (error instanceof LedgerError) {
      if (error.code === 'TRANSACTION_EXPIRED') session.expireTransaction()
      if (error.code === 'OCC_CONFLICT' || error.code === 'TRANSACTION_CLOSED') {
        // The driver sends no abort after a conflict, and starts the next transaction in the same session.
        session.abortTransaction()
      }
    }
  }

  #nextPage(result: Result): Promise<ResultPage> {
    return result.nextPage(this.#limits.pageValueCountMax, this.#limits.pageBytesMax)
  }

  /** @returns The token of its second page. */
  #keepResult(
    session: Session,
    transaction: Transaction,
    result: Result,
    statement: RunningStatement,
  ): string {
    const resultCountMax = this.#limits.openResultCountMax
    if (session.openResults.size >= resultCountMax) {
      throw serverError(
        { code: 'OPEN_RESULT_LIMIT_EXCEEDED', resultCountMax },
        'The transaction has too many results with pages to be read.',
      )
    }
    return pageTokenOf(transaction, session.addResult(result, statement), 1)
  }

  #isOutOfTime(transaction: Transaction): boolean {
    return this.#clock.nowMs() - transaction.startedMs >= this.#limits.transactionMsMax
  }

  #authorize(identity: Identity, resource: string): void {
    if (this.#options.authorizer.isAllowed(identity, sendCommandAction, resource)) return
    throw serverError(
      {
        code: 'ACCESS_DENIED',
        principal: identity.principal,
        action: sendCommandAction,
        resource,
      },
      'The identity may not do this.',
    )
  }

  #timing(arrivedMs: number): string {
    const processingMs = this.#clock.nowMs() - arrivedMs
    return `"TimingInformation":{"ProcessingTimeMilliseconds":${Math.round(processingMs)}}`
  }
}

function codeOf(error: unknown): string {
  return error instanceof BaseError ? error.code : 'INTERNAL'
}

/** @throws QldbServerError REQUEST_INVALID when there is none, or several. */
function subCommandOf(body: Members): SubCommand {
  let found: SubCommand | undefined
  for (const name of subCommands) {
    if (body[name] === undefined || body[name] === null) continue
    if (found !== undefined) throw severalCommands(found, name)
    found = name
  }
  if (found === undefined) {
    throw requestInvalid('SendCommand', 'The request holds no command; it must hold one.')
  }
  return found
}

function severalCommands(first: string, second: string): QldbServerError {
  return requestInvalid(
    'SendCommand',
    `The request holds several commands, ${first} and ${second} among them; it must hold one.`,
  )
}

function stringMember(members: Members, command: string, name: string): string {
  const value = members[name]
  if (typeof value === 'string' && isWellFormed(value)) return value
  throw requestInvalid(`${command}.${name}`, `${name} of ${command} must be a string.`)
}

function parametersOf(members: Members): readonly Uint8Array[] {
  const holders = members['Parameters']
  if (holders === undefined || holders === null) return []
  if (!Array.isArray(holders)) {
    throw requestInvalid('ExecuteStatement.Parameters', 'Parameters must be a list.')
  }
  return holders.map(parameterOf)
}

/** @returns An Ion stream; that it holds one value is for the engine to see, which reads it. */
function parameterOf(holder: unknown, index: number): Uint8Array {
  const { IonBinary: binary, IonText: text } = isRecord(holder) ? holder : {}
  if (typeof binary === 'string' && typeof text !== 'string') return decodeBase64(binary)
  if (typeof text === 'string' && typeof binary !== 'string') return ionTextToBinary(text, index)
  throw requestInvalid(
    'ExecuteStatement.Parameters',
    `Parameter ${index + 1} must hold either IonBinary or IonText.`,
  )
}

/** Tokens name transaction, result and page: what a transaction does not know belongs to another one. */
function pageTokenOf(transaction: Transaction, resultNo: number, pageNo: number): string {
  return `${transaction.id}.${resultNo}.${pageNo}`
}

/** The page, then the measures of the command that made it: `{"Values":[…]},"TimingInformation":…`. */
function pageBody(page: ResultPage, nextPageToken: string | undefined): string {
  let values = ''
  for (const value of page.values) {
    values +=
      values === ''
        ? `{"IonBinary":"${encodeBase64(value)}"}`
        : `,{"IonBinary":"${encodeBase64(value)}"}`
  }
  const token = nextPageToken === undefined ? '' : `,"NextPageToken":"${nextPageToken}"`
  return `{"Values":[${values}]${token}},${measures(page.processingMs, page.usage)}`
}

function measures(processingMs: number, usage: IoUsage): string {
  return (
    `"TimingInformation":{"ProcessingTimeMilliseconds":${processingMs}},` +
    `"ConsumedIOs":{"ReadIOs":${usage.readIos},"WriteIOs":${usage.writeIos}}`
  )
}
