/**
 * The head of a request: request line and header lines, by RFC 9112 and stricter where two readers could differ
 * (request smuggling): no line folding, no bare CR or LF, no blank before a colon, one length and no other.
 */
import { HttpError, headMalformed, lengthAmbiguous } from './errors.ts'

export interface RequestHead {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Bytes of the body; 0 when there is none, and when it is chunked. */
  readonly contentLength: number
  readonly isChunked: boolean
  /** The client waits for `100 Continue` before it sends the body. */
  readonly isContinueExpected: boolean
  /** The client sends nothing after this request. */
  readonly isLast: boolean
}

/** Method (RFC 9110: a token), target (visible ASCII), version. */
const requestLinePattern = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!-~]+) HTTP\/([0-9])\.([0-9])$/
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// Lines of blanks, tabs, visible ASCII and obs-text, each with its whole line end. 0.28 µs for 700 bytes; looking for
// what is illegal with one alternation takes 0.75.
const legalLinesPattern = /^(?:[\t -~\x80-\xff]*\r\n)*$/
const contentLengthPattern = /^[0-9]{1,15}$/
const absoluteTargetPattern = /^https?:\/\/[^/?#]+/i

/** Names as common clients spell them to lower case: no check and no new string for these. */
const knownNames: ReadonlyMap<string, string> = new Map(
  [
    'Accept',
    'Accept-Encoding',
    'Accept-Language',
    'Amz-Sdk-Invocation-Id',
    'Amz-Sdk-Request',
    'Authorization',
    'Connection',
    'Content-Length',
    'Content-Type',
    'Expect',
    'Host',
    'Idempotency-Key',
    'Sec-Fetch-Mode',
    'Transfer-Encoding',
    'User-Agent',
    'X-Amz-Content-Sha256',
    'X-Amz-Date',
    'X-Amz-Security-Token',
    'X-Amz-Target',
    'X-Amz-User-Agent',
  ].flatMap((name): [string, string][] => {
    const lower = name.toLowerCase()
    return [
      [lower, lower],
      [name, lower],
    ]
  }),
)

/** Lines that may not come twice: each decides who answers, or where the request ends. */
const singleNames: ReadonlySet<string> = new Set(['content-length', 'host', 'transfer-encoding'])

/**
 * @param text Latin-1, from the first byte of the request line to the line end of the last header line.
 * @throws HttpError HEAD_MALFORMED, HEADER_COUNT_EXCEEDED, LENGTH_AMBIGUOUS, TRANSFER_CODING_UNKNOWN,
 *   EXPECTATION_UNKNOWN, VERSION_NOT_SUPPORTED
 */
export function parseRequestHead(text: string, headerCountMax: number): RequestHead {
  if (!legalLinesPattern.test(text)) throw headMalformed('a control character or a bare line end')
  const lineEnd = text.indexOf('\r\n')
  const match = requestLinePattern.exec(text.slice(0, lineEnd))
  if (match === null) throw headMalformed('the request line')
  const [, method = '', target = '', major, minor] = match
  if (major !== '1') {
    throw new HttpError(
      { code: 'VERSION_NOT_SUPPORTED' },
      { shortMessage: 'The server speaks HTTP/1.1.' },
    )
  }
  const headers = parseHeaderLines(text, lineEnd + 2, headerCountMax)
  const isVersion10 = minor === '0'
  if (!isVersion10 && headers['host'] === undefined) throw headMalformed('Host is missing')

  const isChunked = chunkingOf(headers, isVersion10)
  const originTarget = target.charCodeAt(0) === slash ? target : originFormOf(target, method)
  const at = originTarget.indexOf('?')
  return {
    method,
    path: at < 0 ? originTarget : originTarget.slice(0, at),
    query: at < 0 ? '' : originTarget.slice(at + 1),
    headers,
    contentLength: isChunked ? 0 : contentLengthOf(headers),
    isChunked,
    isContinueExpected: isContinueExpected(headers, isVersion10),
    // Keeping an HTTP/1.0 connection is an extension that nobody needs any more.
    isLast: isVersion10 || hasToken(headers['connection'], 'close'),
  }
}

const tab = 0x09
const space = 0x20
const slash = 0x2f

/** Also checks trailers, whose contents nobody needs. */
export function parseHeaderLines(
  text: string,
  start: number,
  headerCountMax: number,
): Record<string, string | undefined> {
  // Without a prototype, so that `__proto__` and `constructor` are names like others.
  const headers: Record<string, string | undefined> = Object.create(null)
  let count = 0
  for (let at = start; at < text.length; ) {
    if (++count > headerCountMax) {
      throw new HttpError(
        { code: 'HEADER_COUNT_EXCEEDED', countMax: headerCountMax },
        { shortMessage: `The request has more than ${headerCountMax} header lines.` },
      )
    }
    const end = text.indexOf('\r\n', at)
    const colon = text.indexOf(':', at)
    if (colon < 0 || colon > end) throw headMalformed('a header line without a colon')
    const name = lowerCaseName(text.slice(at, colon))
    let from = colon + 1
    while (isBlank(text.charCodeAt(from))) from++
    let to = end
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--
    const value = text.slice(from, to)
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (singleNames.has(name)) throw headMalformed(`${name} stands there twice`)
    else headers[name] = `${before}, ${value}`
    at = end + 2
  }
  return headers
}

function isBlank(code: number): boolean {
  return code === space || code === tab
}

function lowerCaseName(raw: string): string {
  const known = knownNames.get(raw)
  if (known !== undefined) return known
  // A folded line, and a blank before the colon, are no tokens either.
  if (!tokenPattern.test(raw)) throw headMalformed('the name of a header')
  return raw.toLowerCase()
}

function chunkingOf(headers: RequestHead['headers'], isVersion10: boolean): boolean {
  const coding = headers['transfer-encoding']
  if (coding === undefined) return false
  if (headers['content-length'] !== undefined) {
    throw lengthAmbiguous('it has both Content-Length and Transfer-Encoding')
  }
  if (isVersion10) throw lengthAmbiguous('HTTP/1.0 has no Transfer-Encoding')
  if (coding.toLowerCase() === 'chunked') return true
  throw new HttpError(
    { code: 'TRANSFER_CODING_UNKNOWN' },
    { shortMessage: 'The server knows one transfer coding: chunked.' },
  )
}

function contentLengthOf(headers: RequestHead['headers']): number {
  const text = headers['content-length']
  if (text === undefined) return 0
  if (!contentLengthPattern.test(text)) throw lengthAmbiguous('Content-Length is no number')
  return Number(text)
}

function isContinueExpected(headers: RequestHead['headers'], isVersion10: boolean): boolean {
  const expectation = headers['expect']
  // RFC 9110, 10.1.1: of an HTTP/1.0 client it is ignored.
  if (expectation === undefined || isVersion10) return false
  if (expectation.toLowerCase() === '100-continue') return true
  throw new HttpError(
    { code: 'EXPECTATION_UNKNOWN' },
    { shortMessage: 'The server meets one expectation: 100-continue.' },
  )
}

/** `http://host/path` as proxies send it, and the `*` of OPTIONS (RFC 9112, 3.2.2 and 3.2.4). */
function originFormOf(target: string, method: string): string {
  if (target === '*' && method === 'OPTIONS') return target
  const match = absoluteTargetPattern.exec(target)
  if (match === null) throw headMalformed('the target of the request')
  const rest = target.slice(match[0].length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Whether a comma-separated list holds `token`, in any case. */
function hasToken(list: string | undefined, token: string): boolean {
  if (list === undefined || list === 'keep-alive') return false
  return list.split(',').some((item) => item.trim().toLowerCase() === token)
}
