/**
 * Target `sigv4`: signed requests, changed anywhere, in front of the verifier. A request that is let in must be the one
 * that was signed, up to what the standard says is the same: compared by a canonical form written a second time here.
 */
import {
  AwsProtocolError,
  createSignatureVerifier,
  type HttpRequest,
  signRequest,
} from '@cairn/aws-protocol'
import { allowing, inputOfText, mustHold, type Target } from '../target.ts'

const nowMs = Date.UTC(2024, 0, 2, 3, 4, 5)
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const keys: Readonly<Record<string, { secretAccessKey: string; sessionToken?: string }>> = {
  AKIDEXAMPLE: { secretAccessKey },
  AKIDSESSION: { secretAccessKey, sessionToken: 'session/token==' },
}
const clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() }

interface Signed {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

const plain: readonly Omit<Signed, 'headers'>[] = [
  { method: 'POST', path: '/', query: '', body: '{"StartSession":{"LedgerName":"L"}}' },
  { method: 'GET', path: '/ledgers/a%20b/x', query: 'b=2&a=1&a=%2F', body: '' },
  { method: 'PATCH', path: '/tags/arn%3Aaws', query: 'tagKeys=', body: '{}' },
]

const signed: readonly Signed[] = plain.flatMap((request) =>
  Object.keys(keys).map((accessKeyId) => ({
    ...request,
    headers: signRequest({
      ...request,
      host: '127.0.0.1:4510',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'A.B',
        'x-c': ' d  e ',
      },
      accessKeyId,
      secretAccessKey,
      sessionToken: keys[accessKeyId]?.sessionToken,
      region: 'us-east-1',
      service: 'qldb',
      nowMs,
    }),
  })),
)

/** As text, one part per line, so that mutations reach each of them. */
function textOf({ method, path, query, headers, body }: Signed): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`${method} ${path}?${query}`, ...lines, '', body].join('\n')
}

function requestOf(input: Uint8Array): HttpRequest {
  // Headers come from the wire as Latin-1.
  const text = Buffer.from(input).toString('latin1')
  const end = text.indexOf('\n\n')
  const head = end < 0 ? text : text.slice(0, end)
  const [start = '', ...lines] = head.split('\n')
  const [method = '', address = ''] = start.split(' ')
  const [path = '', query = ''] = address.split('?', 2)
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const at = line.indexOf(':')
    if (at < 0) continue
    const name = line.slice(0, at).toLowerCase()
    const value = line.slice(at + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const body = end < 0 ? new Uint8Array(0) : input.slice(end + 2)
  return { method, path, query, headers, body }
}

/** What a signature stands for: the method, the path, the parameters, the signed headers, the body. */
function meaningOf({ method, path, query, headers, body }: HttpRequest): string {
  const authorization = String(headers['authorization'] ?? '')
  const names = /SignedHeaders=([^, ]*)/.exec(authorization)?.[1]?.split(';') ?? []
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const decoded = (text: string): string => {
    try {
      return decodeURIComponent(text)
    } catch {
      return text
    }
  }
  const parameters = query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', ...rest] = part.split('=')
      return JSON.stringify([decoded(name), decoded(rest.join('='))])
    })
  const values = names.map((name) => [
    name,
    String(headers[name] ?? '')
      .split(/[ \t\r\n]+/)
      .filter((word) => word !== '')
      .join(' '),
  ])
  return JSON.stringify([
    method,
    segments,
    // An empty path is signed as `/`.
    segments.length > 0 && path.endsWith('/'),
    parameters.sort(),
    values,
    Buffer.from(body).toString('base64'),
  ])
}

export const sigv4Target: Target = {
  name: 'sigv4',
  oracle:
    'only AwsProtocolError; no request is let in whose method, address, signed headers or body were not signed',
  sources: /\/packages\/aws-protocol\/src\//,
  open() {
    const seeds = signed.map((request) => inputOfText(textOf(request)))
    const meanings = new Set(seeds.map((seed) => meaningOf(requestOf(seed))))
    const verifier = createSignatureVerifier({
      clock,
      services: ['qldb'],
      lookup: (id) => (Object.hasOwn(keys, id) ? keys[id] : undefined),
    })
    for (const seed of seeds) verifier.verify(requestOf(seed))
    return {
      seeds,
      dictionary: tokens,
      run(input) {
        const request = requestOf(input)
        const identity = allowing([AwsProtocolError], () => verifier.verify(request))
        if (identity === undefined) return
        mustHold(identity.accessKeyId in keys, 'an unknown key is let in')
        mustHold(meanings.has(meaningOf(request)), 'a request that nobody signed is let in')
      },
    }
  },
}

const tokens = [
  ...['AWS4-HMAC-SHA256 ', 'Credential=', 'SignedHeaders=', 'Signature=', ';', ',', '/', ' ', '\t'],
  ...['AKIDEXAMPLE', 'AKIDSESSION', '20240102', '20240102T030405Z', 'us-east-1', 'qldb', 'iam'],
  ...['aws4_request', 'host', 'x-amz-date', 'x-amz-target', 'x-amz-content-sha256: ', '\n', '\n\n'],
  ...['__proto__', 'constructor', '%2F', '%', '..', '/./', '//', '&', '=', '?', '0'.repeat(64)],
].map(inputOfText)
