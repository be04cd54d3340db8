/**
 * JSON-RPC over HTTP: POST to any path, one text in, one text out. Statuses and texts are geth's (rpc/http.go,
 * node/rpcstack.go): empty GET for health checks, 415, 405, the check of the host against DNS rebinding, CORS.
 */
import type { HttpHandler, HttpRequest, HttpResponse, Refusal } from '@cairn/http-server'
import type { Dispatcher } from './dispatcher.ts'
import type { CallContext } from './method.ts'
import { isHostAllowed, originMatcher } from './origins.ts'

export interface HttpTransportOptions {
  readonly dispatcher: Dispatcher
  /** Origins whose pages may read the answers; `*` alone for all, and within an entry for any run of characters. */
  readonly corsOrigins: readonly string[]
  /** Host names that requests may be for, besides IP addresses; `*` for all. geth: `localhost`. */
  readonly virtualHosts: readonly string[]
}

const contentTypes: ReadonlySet<string> = new Set([
  'application/json',
  'application/json-rpc',
  'application/jsonrequest',
])
/** How long a browser may keep the answer to its question before the real call, in seconds. */
const corsSecondsMax = 600
const context: CallContext = { transport: 'http', subscriber: undefined }

export class HttpTransport implements HttpHandler {
  isClosing = false
  readonly #dispatcher: Dispatcher
  readonly #isOriginAllowed: (origin: string) => boolean
  readonly #virtualHosts: readonly string[]

  constructor(options: HttpTransportOptions) {
    this.#dispatcher = options.dispatcher
    this.#isOriginAllowed = originMatcher(options.corsOrigins)
    this.#virtualHosts = options.virtualHosts
  }

  respond(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const { method, headers } = request
    if (!isHostAllowed(headers['host'], this.#virtualHosts)) {
      return plain(403, 'invalid host specified')
    }
    const cors = this.#corsHeaders(headers['origin'])
    if (method === 'OPTIONS') return this.#preflight(request, cors)
    if (method === 'GET' && request.body.length === 0 && request.query === '') {
      return plain(200, '', cors)
    }
    if (method !== 'POST') return plain(405, 'method not allowed', cors)
    const [contentType = ''] = (headers['content-type'] ?? '').split(';')
    if (!contentTypes.has(contentType.trim().toLowerCase())) {
      const text = 'invalid content type, only application/json is supported'
      return plain(415, text, cors)
    }
    return this.#call(request, cors)
  }

  async #call(request: HttpRequest, cors: Record<string, string>): Promise<HttpResponse> {
    const { buffer, byteOffset, length } = request.body
    // As over the other transports: bytes that are no UTF-8 are replaced, and JSON.parse judges the rest.
    const text = Buffer.from(buffer, byteOffset, length).toString('utf8')
    const answer = await this.#dispatcher.dispatch(text, context)
    const headers = { 'content-type': 'application/json', ...cors }
    return { status: 200, headers, body: answer ?? '' }
  }

  #preflight({ headers }: HttpRequest, cors: Record<string, string>): HttpResponse {
    if (cors['access-control-allow-origin'] === undefined) return plain(204, '', cors)
    const asked = headers['access-control-request-headers']
    return plain(204, '', {
      ...cors,
      'access-control-allow-methods': 'POST, GET',
      'access-control-max-age': String(corsSecondsMax),
      ...(asked === undefined ? {} : { 'access-control-allow-headers': asked }),
    })
  }

  #corsHeaders(origin: string | undefined): Record<string, string> {
    if (origin === undefined) return {}
    if (!this.#isOriginAllowed(origin)) return { vary: 'Origin' }
    return { 'access-control-allow-origin': origin, vary: 'Origin' }
  }

  refuse(refusal: Refusal): HttpResponse {
    if (refusal === 'OVERLOADED') return plain(503, 'server is overloaded, try again later')
    return plain(413, 'request body too large')
  }
}

function plain(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body }
}
