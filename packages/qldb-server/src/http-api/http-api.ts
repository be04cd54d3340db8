/** Cairn's own HTTP API, below `/v1/`: plain JSON, one request per transaction. Its description: open-api.ts. */

import type { Authorizer, HttpResponse, Identity } from '@cairn/aws-protocol'
import { createRouter, type HttpRequest, headerOf, type Router } from '@cairn/aws-protocol'
import type { Clock } from '@cairn/core'
import type { LedgerHost } from '@cairn/ledger'
import { type ArnSettings, ledgerArn } from '../arn.ts'
import { QldbServerError, serverError } from '../errors.ts'
import type { QldbServerLimits } from '../limits.ts'
import type { RequestContext } from '../request-context.ts'
import type { SlowStatements } from '../slow-statements.ts'
import type { StatementUsage } from '../statement-usage.ts'
import { readBlocks } from './blocks.ts'
import { openApiDocument } from './open-api.ts'
import { TransactionRunner } from './transactions.ts'

/** Paths that belong to this API. */
export const httpApiPrefix = '/v1/'
const jsonContentType = 'application/json'
/** The action in policies: the same as for the session API, which does the same in more requests. */
const transactAction = 'qldb:SendCommand'
/** As for each block of the control API. */
const blocksAction = 'qldb:GetBlock'
/** Figures about a ledger are part of what describes it. */
const statisticsAction = 'qldb:DescribeLedger'
const shownStatementCount = 20

export interface HttpApiOptions {
  readonly host: LedgerHost
  readonly clock: Clock
  readonly authorizer: Authorizer
  readonly arns: ArnSettings
  readonly limits: QldbServerLimits
  readonly slowStatements: SlowStatements
  readonly usage: StatementUsage
}

type Operation = 'transact' | 'blocks' | 'statistics' | 'describe'

export const httpApiRoutes: readonly { method: string; pattern: string; operation: Operation }[] = [
  { method: 'POST', pattern: '/v1/ledgers/{name}/transactions', operation: 'transact' },
  { method: 'GET', pattern: '/v1/ledgers/{name}/statistics', operation: 'statistics' },
  { method: 'GET', pattern: '/v1/ledgers/{name}/blocks', operation: 'blocks' },
  { method: 'GET', pattern: '/v1/openapi.json', operation: 'describe' },
]
const router: Router<Operation> = createRouter(httpApiRoutes)
const methods = [...new Set(httpApiRoutes.map(({ method }) => method))]

export class HttpApi {
  readonly #options: HttpApiOptions
  readonly #runner: TransactionRunner
  readonly #closing = new AbortController()
  #description = ''

  constructor(options: HttpApiOptions) {
    this.#options = options
    this.#runner = new TransactionRunner(options)
  }

  /**
   * @param identify Called for operations that ask who is there.
   * @throws QldbServerError, LedgerError, PartiqlError, AwsProtocolError
   */
  async respond(
    request: HttpRequest,
    context: RequestContext,
    identify: (request: HttpRequest) => Identity,
  ): Promise<HttpResponse> {
    const { requestId } = context
    // The connection drops the body of an answer to HEAD.
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const match = router.match(method, request.path)
    if (match === undefined) return this.#refuseMethod(request, requestId)
    if (match.operation === 'describe') {
      context.operation = 'DescribeHttpApi'
      this.#description ||= JSON.stringify(openApiDocument)
      return jsonResponse(this.#description, requestId)
    }
    const ledgerName = match.labels['name'] as string
    if (match.operation === 'blocks') return this.#blocks(request, context, ledgerName, identify)
    const isStatistics = match.operation === 'statistics'
    context.operation = isStatistics ? 'GetStatistics' : 'Transact'
    context.ledgerName = ledgerName
    const identity = identify(request)
    this.#authorize(identity, ledgerName, isStatistics ? statisticsAction : transactAction)
    if (isStatistics) return jsonResponse(await this.#statistics(ledgerName), requestId)
    checkContentType(request)
    const answer = await this.#runner.transact(identity, ledgerName, request.body, context)
    return jsonResponse(answer, requestId)
  }

  /** Answers those who wait for blocks. */
  close(): void {
    this.#closing.abort()
  }

  async #blocks(
    request: HttpRequest,
    context: RequestContext,
    ledgerName: string,
    identify: (request: HttpRequest) => Identity,
  ): Promise<HttpResponse> {
    context.operation = 'ReadBlocks'
    context.ledgerName = ledgerName
    this.#authorize(identify(request), ledgerName, blocksAction)
    const { host, clock } = this.#options
    const { signal } = this.#closing
    const body = await readBlocks(host.getLedger(ledgerName), request.query, clock, signal)
    return jsonResponse(body, context.requestId)
  }

  #refuseMethod(request: HttpRequest, requestId: string): HttpResponse {
    const allowed = methods.filter((method) => router.match(method, request.path) !== undefined)
    if (allowed.length === 0) {
      throw serverError({ code: 'OPERATION_UNKNOWN' }, 'The path names no operation of this API.')
    }
    if (allowed.includes('GET')) allowed.push('HEAD')
    allowed.push('OPTIONS')
    if (request.method === 'OPTIONS') {
      const headers = { allow: allowed.join(', '), 'x-amzn-RequestId': requestId }
      return { status: 204, headers, body: '' }
    }
    throw new QldbServerError(
      { code: 'METHOD_NOT_ALLOWED', allowed },
      { shortMessage: `This path answers to ${allowed.join(', ')}.` },
    )
  }

  /** @throws LedgerError LEDGER_NOT_FOUND */
  async #statistics(ledgerName: string): Promise<string> {
    const { host, usage } = this.#options
    const statistics = await host.getLedger(ledgerName).statistics()
    const used = usage.read(ledgerName, shownStatementCount)
    return JSON.stringify({ ledger: ledgerName, ...statistics, ...used })
  }

  #authorize(identity: Identity, ledgerName: string, action: string): void {
    const resource = ledgerArn(this.#options.arns, ledgerName)
    if (this.#options.authorizer.isAllowed(identity, action, resource)) return
    throw serverError(
      { code: 'ACCESS_DENIED', principal: identity.principal, action, resource },
      `${identity.principal} may not do ${action} on ${resource}.`,
    )
  }
}

/**
 * Other types are refused: a web page of anywhere can make a browser of this machine send text/plain to a server on
 * loopback, but not application/json without asking first, which is answered without permission.
 */
function checkContentType(request: HttpRequest): void {
  const contentType = headerOf(request.headers, 'content-type')
  if (contentType === jsonContentType) return
  if (/^application\/json *;/i.test(contentType ?? '')) return
  throw serverError(
    { code: 'CONTENT_TYPE_UNKNOWN' },
    'The content type of the request must be application/json.',
  )
}

function jsonResponse(body: string, requestId: string): HttpResponse {
  const headers = { 'content-type': jsonContentType, 'x-amzn-RequestId': requestId }
  return { status: 200, headers, body }
}
