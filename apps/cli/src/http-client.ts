/**
 * A small HTTP/1.1 client for the server's own APIs: JSON bodies, signatures when there are credentials, faults as
 * errors that name the remedy. Keeps one connection. Not here: redirects, compression, proxies.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { signRequest } from '@cairn/aws-protocol'
import type { Clock } from '@cairn/core'
import { CliError } from './errors.ts'

export interface HttpClientOptions {
  readonly endpoint: URL
  /** Trusted for https, in place of the system's authorities. */
  readonly authorityPem: string | undefined
  readonly credentials: Credentials | undefined
  readonly region: string
  readonly clock: Clock
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface ApiRequest {
  readonly method: string
  /** Percent-encoded, with the query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpClient {
  readonly endpoint: string
  /**
   * Sends a request and answers the parsed body, `{}` when there is none.
   * @throws CliError SERVER_NOT_FOUND, SERVER_NOT_TRUSTED, ANSWER_INVALID, REQUEST_REFUSED
   */
  send(request: ApiRequest): Promise<Record<string, unknown>>
  close(): void
}

/** A transaction lives 30 s, so no answer takes longer than twice that. */
const answerTimeoutMs = 60_000
/** Pages hold 1 MiB of Ion; a block with the largest transaction as text stays below this. */
const answerBytesMax = 64 * 1024 * 1024
/** Signatures name the service; it is the same for both APIs (qldb-compat 1.1). */
const signingService = 'qldb'

interface RawAnswer {
  readonly status: number
  readonly errorType: string | undefined
  readonly text: string
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const endpoint = options.endpoint.origin
  const isTls = options.endpoint.protocol === 'https:'
  const agent = isTls
    ? new HttpsAgent({
        keepAlive: true,
        maxSockets: 1,
        ...(options.authorityPem === undefined ? {} : { ca: options.authorityPem }),
      })
    : new HttpAgent({ keepAlive: true, maxSockets: 1 })
  const start = isTls ? httpsRequest : httpRequest

  const exchange = (request: ApiRequest): Promise<RawAnswer> =>
    new Promise((resolve, reject) => {
      const url = new URL(request.path, endpoint)
      const outgoing = start(url, {
        agent,
        method: request.method,
        headers: headersOf(url, request, options),
        timeout: answerTimeoutMs,
      })
      outgoing.on('timeout', () =>
        outgoing.destroy(new Error(`no answer in ${answerTimeoutMs} ms`)),
      )
      outgoing.on('error', (error) => reject(connectionError(error, endpoint)))
      outgoing.on('response', (incoming) => {
        readText(incoming).then(
          (text) =>
            resolve({
              status: incoming.statusCode ?? 0,
              errorType: firstOf(incoming.headers['x-amzn-errortype']),
              text,
            }),
          (error: Error) => reject(connectionError(error, endpoint)),
        )
      })
      outgoing.end(request.body)
    })

  return {
    endpoint,
    async send(request) {
      const answer = await exchange(request)
      const body = parseBody(answer, endpoint)
      if (answer.status >= 400) throw refusal(answer, body, options.credentials !== undefined)
      return body
    },
    close: () => agent.destroy(),
  }
}

function headersOf(
  url: URL,
  request: ApiRequest,
  { credentials, region, clock }: HttpClientOptions,
): Record<string, string> {
  const headers: Record<string, string> = { ...request.headers }
  if (request.body !== undefined) headers['content-length'] = `${Buffer.byteLength(request.body)}`
  if (credentials === undefined) return headers
  return signRequest({
    method: request.method,
    url,
    headers,
    body: request.body,
    ...credentials,
    region,
    service: signingService,
    nowMs: clock.nowMs(),
  })
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > answerBytesMax) throw new Error(`the answer is larger than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseBody({ text, status }: RawAnswer, endpoint: string): Record<string, unknown> {
  if (text === '') return {}
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>
  } catch {
    // Falls through: the text itself may be a page of a proxy and does not help.
  }
  throw new CliError(
    { code: 'ANSWER_INVALID', endpoint },
    {
      shortMessage: 'The server gave an answer that is not of this API.',
      metaMessages: [`Endpoint: ${endpoint}, status ${status}`, 'Is it a Cairn server?'],
    },
  )
}

function refusal(
  { status, errorType }: RawAnswer,
  body: Record<string, unknown>,
  isSigned: boolean,
): CliError {
  // The header may carry more behind a colon, the body a prefix before a hash sign (qldb-compat 1.7).
  const named = errorType ?? (typeof body['__type'] === 'string' ? body['__type'] : undefined)
  const fault = named?.split(':')[0]?.split('#').at(-1) ?? `HTTP ${status}`
  const message = body['Message'] ?? body['message']
  const isAboutKeys = status === 401 || status === 403
  const keyHint = isSigned
    ? 'Is AWS_ACCESS_KEY_ID one of the keys in keys/access-keys.json of the data folder?'
    : 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, see keys/access-keys.json in the data folder.'
  return new CliError(
    { code: 'REQUEST_REFUSED', fault, status },
    {
      shortMessage: typeof message === 'string' ? message : 'The server refused the request.',
      metaMessages: [fault, ...(isAboutKeys ? [keyHint] : [])],
    },
  )
}

function connectionError(cause: Error, endpoint: string): CliError {
  const { code } = cause as NodeJS.ErrnoException
  if (code !== undefined && /CERT|SIGNATURE|SELF_SIGNED|ISSUER|ALTNAME/.test(code)) {
    return new CliError(
      { code: 'SERVER_NOT_TRUSTED', endpoint },
      {
        shortMessage: `The certificate of ${endpoint} is not trusted (${code}).`,
        metaMessages: ['Name the authority of the server: --ca-file DATA/tls/ca.pem'],
        cause,
      },
    )
  }
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EHOSTUNREACH') {
    return new CliError(
      { code: 'SERVER_NOT_FOUND', endpoint },
      {
        shortMessage: `No server answers at ${endpoint}.`,
        metaMessages: ['Start one with: npx cairn up', 'or name another one with --endpoint URL.'],
        cause,
      },
    )
  }
  return new CliError(
    { code: 'ANSWER_INVALID', endpoint },
    {
      shortMessage: `The exchange with ${endpoint} broke off.`,
      metaMessages: [cause.message],
      cause,
    },
  )
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
