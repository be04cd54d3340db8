/**
 * The QLDB server: session API, control API and our own HTTP API on one port, told apart by `x-amz-target` and path.
 * It answers plain records (`respond`); sockets are the matter of `@cairn/http-server`, whose handler it is.
 */
import {
  type AccessKey,
  type Authorizer,
  allowAll,
  anonymous,
  createSignatureVerifier,
  type HttpRequest,
  type HttpResponse,
  headerOf,
  type Identity,
  json10ContentType,
  json10Fault,
  parseJsonBody,
  restJsonContentType,
  restJsonFault,
  type SignatureVerifier,
} from '@cairn/aws-protocol'
import {
  BaseError,
  type Clock,
  type IdSource,
  type Logger,
  type Metrics,
  noMetrics,
  type Span,
  silentLogger,
  type Tracer,
} from '@cairn/core'
import type { HttpHandler, HttpLimits, Refusal } from '@cairn/http-server'
import type { LedgerHost } from '@cairn/ledger'
import { ControlApi } from './control-api.ts'
import { overloaded, serverError } from './errors.ts'
import type { ExportJobs } from './exports/export-jobs.ts'
import { controlFaultOf, internalFault, sessionFaultOf } from './faults.ts'
import { HttpApi, httpApiPrefix } from './http-api/http-api.ts'
import { internalProblem, problemOf, toldError } from './http-api/problems.ts'
import { defaultQldbServerLimits, httpLimitsOf, type QldbServerLimits } from './limits.ts'
import type { Load, RequestContext } from './request-context.ts'
import { RequestMetrics } from './request-metrics.ts'
import { SessionApi, sendCommandTarget } from './session-api.ts'
import { SessionTable } from './session-table.ts'
import { SlowStatements } from './slow-statements.ts'
import { StatementUsage } from './statement-usage.ts'
import type { StreamJobs } from './streams/stream-jobs.ts'

type Api = 'session' | 'control' | 'http'

/** Signatures ignored, or verified with the keys that `lookup` knows. */
export type AuthenticationMode =
  | 'off'
  | { readonly mode: 'sigv4'; lookup(accessKeyId: string): AccessKey | undefined }

export interface QldbServerOptions {
  readonly host: LedgerHost
  readonly clock: Clock
  readonly ids: IdSource
  readonly logger?: Logger
  readonly auth: AuthenticationMode
  /** Default: everyone who is let in may do everything. */
  readonly authorizer?: Authorizer
  readonly limits?: Partial<QldbServerLimits>
  readonly metrics?: Metrics
  /** Absent: requests are not traced. */
  readonly tracer?: Tracer | undefined
  /** Statements that take this long are logged, with their literals masked; absent: none. */
  readonly slowStatementMsMin?: number
  /** Without it journal exports are refused. Closed by whoever opened it. */
  readonly exports?: ExportJobs
  /** Without it journal streams are refused. Closed by whoever opened it. */
  readonly streams?: StreamJobs
  /** For ARNs. Default us-east-1. */
  readonly region?: string
  /** For ARNs, 12 digits. */
  readonly accountId?: string
}

/** The handler of `createHttpServer({ handler: server, limits: server.httpLimits, clock })`. */
export interface QldbServer extends HttpHandler {
  /** Answers a request whose body was received whole. Never rejects. */
  respond(request: HttpRequest): Promise<HttpResponse>
  readonly httpLimits: Partial<HttpLimits>
  /** Answers requests that wait for blocks to come; what `close` begins with, for those who close listeners first. */
  endWaits(): void
  /**
   * Refuses new requests, waits for those under way (`drainMsMax`), then ends all sessions and their transactions.
   * The listener is closed by whoever opened it.
   */
  close(): Promise<void>
}

export function createQldbServer(options: QldbServerOptions): QldbServer {
  return new Server(options)
}

class Server implements QldbServer {
  readonly httpLimits: Partial<HttpLimits>
  readonly #clock: Clock
  readonly #ids: IdSource
  readonly #logger: Logger
  readonly #limits: QldbServerLimits
  readonly #verifier: SignatureVerifier | undefined
  readonly #sessions: SessionTable
  readonly #sessionApi: SessionApi
  readonly #controlApi: ControlApi
  readonly #httpApi: HttpApi
  readonly #metrics: RequestMetrics
  readonly #tracer: Tracer | undefined
  #commandCount = 0
  #isClosing = false
  #onIdle: (() => void) | undefined

  constructor(options: QldbServerOptions) {
    const { host, clock, ids, auth } = options
    const limits = { ...defaultQldbServerLimits, ...options.limits }
    const authorizer = options.authorizer ?? allowAll
    const arns = {
      region: options.region ?? 'us-east-1',
      accountId: options.accountId ?? '000000000000',
    }
    this.#clock = clock
    this.#ids = ids
    this.#logger = options.logger ?? silentLogger
    this.#limits = limits
    this.#verifier =
      auth === 'off'
        ? undefined
        : createSignatureVerifier({ lookup: auth.lookup.bind(auth), clock, services: ['qldb'] })
    const sessions = new SessionTable(clock, ids, limits)
    const usage = new StatementUsage()
    const slowStatements = new SlowStatements(
      this.#logger,
      options.slowStatementMsMin ?? Number.POSITIVE_INFINITY,
      usage,
    )
    const metrics = options.metrics ?? noMetrics
    this.#metrics = new RequestMetrics(metrics)
    metrics.gauge('cairn_sessions', 'Sessions that are open.', () => sessions.count)
    metrics.gauge('cairn_requests_running', 'Requests being answered.', () => this.#commandCount)
    this.#tracer = options.tracer
    this.#sessions = sessions
    const common = { host, clock, authorizer, arns, limits, slowStatements, usage }
    this.#sessionApi = new SessionApi({ ...common, sessions })
    this.#controlApi = new ControlApi(
      { host, arns, sessions, exports: options.exports, streams: options.streams },
      authorizer,
    )
    this.#httpApi = new HttpApi(common)
    this.httpLimits = httpLimitsOf(limits)
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  async respond(request: HttpRequest): Promise<HttpResponse> {
    const api = apiOf(request)
    const requestId = this.#ids.random()
    const context = this.#contextOf(requestId)
    const startedMs = performance.now()
    const span = this.#tracer?.startRequest(api, request.headers)
    let status = 200
    this.#commandCount++
    try {
      this.#admit(context, api)
      if (api === 'http') {
        const response = await this.#httpApi.respond(request, context, this.#identify)
        status = response.status
        return response
      }
      const identity = this.#identify(request)
      const body =
        api === 'session'
          ? await this.#sendCommand(identity, request, context)
          : await this.#controlApi.respond(identity, request, context)
      const contentType = api === 'session' ? json10ContentType : restJsonContentType
      const headers = { 'content-type': contentType, 'x-amzn-RequestId': requestId }
      return { status: 200, headers, body }
    } catch (error) {
      const response = this.#faultResponse(error, api, context)
      status = response.status
      return response
    } finally {
      this.#commandCount--
      this.#metrics.answered(context.operation, status, performance.now() - startedMs)
      if (span !== undefined) endSpan(span, context, status)
      if (this.#commandCount === 0) this.#onIdle?.()
    }
  }

  refuse(refusal: Refusal, request: HttpRequest): HttpResponse {
    const bytesMax = this.#limits.bodyBytesMax
    const error =
      refusal === 'BODY_TOO_LARGE'
        ? serverError({ code: 'BODY_TOO_LARGE', bytesMax }, 'The request body is too large.')
        : serverError({ code: 'OVERLOADED' }, 'The server holds as many bytes as it may.')
    const requestId = this.#ids.random()
    const context = this.#contextOf(requestId)
    const response = this.#faultResponse(error, apiOf(request), context)
    this.#metrics.answered(context.operation, response.status, 0)
    return response
  }

  endWaits(): void {
    this.#httpApi.close()
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.endWaits()
    if (this.#commandCount > 0) await this.#drain()
    this.#sessions.endAll()
  }

  async #drain(): Promise<void> {
    const timeout = new AbortController()
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
    const late = this.#clock.sleep(this.#limits.drainMsMax, timeout.signal).then(
      () =>
        this.#logger.log('warn', 'closing with commands under way', {
          commandCount: this.#commandCount,
        }),
      () => undefined,
    )
    await Promise.race([idle, late])
    timeout.abort()
  }

  #contextOf(requestId: string): RequestContext {
    return { requestId, operation: 'unknown', ledgerName: undefined, load: this.#load() }
  }

  #load(): Load {
    const { commandCountMax } = this.#limits
    if (this.#commandCount < commandCountMax) return 'free'
    return this.#commandCount < fullFactor * commandCountMax ? 'busy' : 'full'
  }

  /** Commands of sessions are looked at one by one (session-api.ts). */
  #admit({ load }: RequestContext, api: Api): void {
    if (this.#isClosing) {
      throw serverError({ code: 'SERVER_CLOSING' }, 'The server is being closed.')
    }
    if (load !== 'free' && api !== 'session') throw overloaded()
  }

  // A function, so that it can be handed on.
  readonly #identify = (request: HttpRequest): Identity => {
    if (this.#verifier === undefined) return anonymous
    const { accessKeyId } = this.#verifier.verify(request)
    return { principal: accessKeyId, isAuthenticated: true }
  }

  #sendCommand(identity: Identity, request: HttpRequest, context: RequestContext): Promise<string> {
    const target = headerOf(request.headers, 'x-amz-target')
    if (target !== sendCommandTarget || request.method !== 'POST' || request.path !== '/') {
      throw serverError(
        { code: 'OPERATION_UNKNOWN' },
        `The session API has one operation: POST / with x-amz-target ${sendCommandTarget}.`,
      )
    }
    return this.#sessionApi.sendCommand(identity, parseJsonBody(request.body), context)
  }

  #faultResponse(error: unknown, api: Api, context: RequestContext): HttpResponse {
    const { requestId } = context
    if (api === 'http') {
      const problem = problemOf(error, requestId)
      const told = toldError(error)
      const isTold = problem !== undefined && told instanceof BaseError
      this.#metrics.failed(isTold ? told.code : 'INTERNAL')
      if (problem !== undefined) return problem
      this.#logFailure(error, context)
      return internalProblem(requestId)
    }
    let fault = api === 'session' ? sessionFaultOf(error) : controlFaultOf(error)
    if (fault === undefined) {
      fault = internalFault
      this.#logFailure(error, context)
    }
    this.#metrics.failed(fault.name)
    const response = api === 'session' ? json10Fault(fault) : restJsonFault(fault)
    return { ...response, headers: { ...response.headers, 'x-amzn-RequestId': requestId } }
  }

  #logFailure(error: unknown, { requestId, operation, ledgerName }: RequestContext): void {
    const told = toldError(error)
    const text = told instanceof Error ? (told.stack ?? told.message) : String(told)
    this.#logger.log('error', 'request failed', {
      requestId,
      operation,
      ledger: ledgerName,
      error: text,
    })
  }
}

/** How many times `commandCountMax` requests of transactions that were begun may come to. */
const fullFactor = 2

function endSpan(span: Span, context: RequestContext, status: number): void {
  span.set('cairn.request_id', context.requestId)
  span.set('cairn.operation', context.operation)
  if (context.ledgerName !== undefined) span.set('cairn.ledger', context.ledgerName)
  span.set('http.response.status_code', status)
  // A client's own mistake is no failure of the server.
  span.end(status >= 500 ? 'the request failed' : undefined)
}

function apiOf(request: HttpRequest): Api {
  if (headerOf(request.headers, 'x-amz-target') !== undefined) return 'session'
  return request.path.startsWith(httpApiPrefix) ? 'http' : 'control'
}
