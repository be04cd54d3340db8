/**
 * Signs a request with AWS Signature Version 4, for our own clients and tests.
 * Agrees byte for byte with @smithy/signature-v4 on the same headers; S3's single encoding of paths is not offered.
 */
import {
  canonicalRequestOf,
  createSigner,
  deriveSigningKey,
  longDateOf,
  scopeTerminator,
  sha256Hex,
  signatureAlgorithm,
  signatureOf,
} from './signature-v4.ts'

export interface RequestToSign {
  readonly method: string
  /** The whole address. Either this, or `host` with `path` and `query`. */
  readonly url?: string | URL | undefined
  /** With the port when it is not the scheme's own. */
  readonly host?: string | undefined
  /** Percent-encoded, as it goes on the wire. Default `/`. */
  readonly path?: string | undefined
  /** Percent-encoded, without the `?`. Default empty. */
  readonly query?: string | undefined
  /** All of them are signed, but the few that proxies change. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Uint8Array | string | undefined
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly region: string
  readonly service: string
  readonly nowMs: number
}

/** Headers that agents and proxies set or change. Source: @smithy/signature-v4, ALWAYS_UNSIGNABLE_HEADERS. */
const unsignedNames: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'connection',
  'expect',
  'from',
  'keep-alive',
  'max-forwards',
  'pragma',
  'referer',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-amzn-trace-id',
])

/**
 * The headers to send: those given, in lower case, and `host`, `x-amz-date`, `x-amz-content-sha256`,
 * `x-amz-security-token` when there is a session token, and `authorization`.
 *
 * @example
 * const headers = signRequest({
 *   method: 'GET', url: 'https://127.0.0.1:4511/ledgers', region: 'us-east-1', service: 'qldb',
 *   accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', nowMs: Date.now(),
 * })
 */
export function signRequest(request: RequestToSign): Record<string, string> {
  const url = request.url === undefined ? undefined : new URL(request.url)
  const host = url?.host ?? request.host
  if (host === undefined) throw new TypeError('a request to sign needs a url or a host')
  const longDate = longDateOf(request.nowMs)
  const bodyHash = sha256Hex(request.body ?? '')

  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    headers[name.toLowerCase()] = value
  }
  headers['host'] = host
  headers['x-amz-date'] = longDate
  headers['x-amz-content-sha256'] = bodyHash
  if (request.sessionToken !== undefined) headers['x-amz-security-token'] = request.sessionToken

  const signedNames = Object.keys(headers)
    .filter((name) => !unsignedNames.has(name) && !/^(proxy-|sec-)/.test(name))
    .sort()
  const signedList = signedNames.join(';')
  const canonicalRequest = canonicalRequestOf(
    request.method,
    url?.pathname ?? request.path ?? '/',
    url?.search.slice(1) ?? request.query ?? '',
    headers,
    signedNames,
    signedList,
    bodyHash,
  ) as string // every name of the list is one of our own headers
  const date = longDate.slice(0, 8)
  const scope = `${date}/${request.region}/${request.service}/${scopeTerminator}`
  const key = deriveSigningKey(request.secretAccessKey, date, request.region, request.service)
  const signature = signatureOf(createSigner(key), longDate, scope, canonicalRequest)
  headers['authorization'] =
    `${signatureAlgorithm} Credential=${request.accessKeyId}/${scope}, ` +
    `SignedHeaders=${signedList}, Signature=${signature}`
  return headers
}
