import { createHash, createHmac } from 'node:crypto'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AwsProtocolError } from './errors.ts'
import type { HttpRequest } from './http.ts'
import { type RequestToSign, signRequest } from './sign-request.ts'
import { createSigner } from './signature-v4.ts'
import { createSignatureVerifier, type SignatureVerifierOptions } from './verify-request.ts'

// The bundler condition of the test runner picks a build of the SDK that Node cannot load; require takes the other one.
const { SignatureV4 } = createRequire(import.meta.url)(
  '@smithy/signature-v4',
) as typeof import('@smithy/signature-v4')

const nowMs = Date.UTC(2024, 1, 3, 4, 5, 6)
const accessKeyId = 'AKIDEXAMPLE'
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

type SourceData = string | ArrayBuffer | ArrayBufferView

function toBytes(data: SourceData): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** node:crypto behind the interface that the SDK's signer wants. */
class Sha256 {
  readonly #hash
  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', toBytes(secret))
  }
  update(data: SourceData) {
    this.#hash.update(toBytes(data))
  }
  digest() {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }
  reset() {}
}

const oracle = new SignatureV4({
  service: 'qldb',
  region: 'eu-west-1',
  credentials: { accessKeyId, secretAccessKey },
  sha256: Sha256,
})

interface OracleRequest {
  method: string
  path: string
  query: Record<string, string | string[]>
  headers: Record<string, string>
  body: string
}

async function signWithOracle(request: OracleRequest, signer = oracle) {
  const signed = await signer.sign(
    { protocol: 'https:', hostname: 'localhost', ...request },
    { signingDate: new Date(nowMs) },
  )
  return signed.headers
}

function encodeQuery(query: Record<string, string | string[]>): string {
  return Object.entries(query)
    .flatMap(([name, values]) => [values].flat().map((value) => [name, value] as const))
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}

function toHttpRequest(request: OracleRequest, headers: Record<string, string>): HttpRequest {
  return {
    method: request.method,
    path: request.path,
    query: encodeQuery(request.query),
    headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v])),
    body: Buffer.from(request.body),
  }
}

function verifier(options: Partial<SignatureVerifierOptions> = {}) {
  return createSignatureVerifier({
    lookup: (id) => (id === accessKeyId ? { secretAccessKey } : undefined),
    clock: { nowMs: () => nowMs, sleep: () => Promise.resolve() },
    services: ['qldb'],
    ...options,
  })
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof AwsProtocolError) return error.code
    throw error
  }
  return 'none'
}

const session: OracleRequest = {
  method: 'POST',
  path: '/',
  query: {},
  headers: {
    host: '127.0.0.1:4510',
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'QLDBSession.SendCommand',
    'x-amz-user-agent': 'aws-sdk-js/3.918.0  QLDB-Driver-for-Node.js-v3.1.0 ',
    'content-length': '49',
    'user-agent': 'not signed',
  },
  body: '{"StartSession":{"LedgerName":"vehicle-registration"}}',
}
const tags: OracleRequest = {
  method: 'DELETE',
  path: '/tags/arn%3Aaws%3Aqldb%3Aus-east-1%3A000000000000%3Aledger%2FL',
  query: { tagKeys: ['b c', 'a', 'ä!*(\'"'], 'tag-x': 'z', tag: '1+1=2&' },
  headers: { host: 'localhost' },
  body: '',
}

describe('signRequest', () => {
  it.each([session, tags])('signs as the AWS SDK does: $method $path', async (request) => {
    const expected = await signWithOracle(request)
    const ours = signRequest({
      method: request.method,
      host: request.headers['host'],
      path: request.path,
      query: encodeQuery(request.query),
      headers: request.headers,
      body: request.body,
      accessKeyId,
      secretAccessKey,
      region: 'eu-west-1',
      service: 'qldb',
      nowMs,
    })
    expect(ours).toEqual(expected)
  })

  it('signs a session token and takes a url', async () => {
    const withToken = new SignatureV4({
      service: 'qldb',
      region: 'eu-west-1',
      credentials: { accessKeyId, secretAccessKey, sessionToken: 'token/+=' },
      sha256: Sha256,
    })
    const expected = await signWithOracle(
      { ...tags, query: { max_results: '3' }, headers: { host: 'localhost:4511' } },
      withToken,
    )
    const ours = signRequest({
      method: 'DELETE',
      url: `https://localhost:4511${tags.path}?max_results=3`,
      accessKeyId,
      secretAccessKey,
      sessionToken: 'token/+=',
      region: 'eu-west-1',
      service: 'qldb',
      nowMs,
    })
    expect(ours).toEqual(expected)
  })
})

describe('createSignatureVerifier', () => {
  it.each([session, tags])('accepts what the AWS SDK signed: $method $path', async (request) => {
    const signed = toHttpRequest(request, await signWithOracle(request))
    const checked = verifier()
    for (let i = 0; i < 2; i++) {
      const identity = checked.verify(signed)
      expect(identity).toMatchObject({ accessKeyId, region: 'eu-west-1', service: 'qldb' })
    }
  })

  it('accepts what signRequest signed, whatever the path, query, headers and body are', () => {
    const checked = verifier()
    const pathSegment = fc.string({ minLength: 1 }).map((text) => encodeURIComponent(text))
    fc.assert(
      fc.property(
        fc.array(pathSegment),
        fc.array(fc.tuple(fc.webQueryParameters(), fc.webQueryParameters())),
        fc.string({ maxLength: 20 }).map((text) => encodeURIComponent(text)),
        fc.uint8Array(),
        (segments, pairs, header, body) => {
          const request = {
            method: 'POST',
            path: `/${segments.join('/')}`,
            query: pairs.map(([name, value]) => `${name}=${value}`).join('&'),
            headers: { 'x-amz-target': header },
            body,
          }
          const headers = signRequest({
            ...request,
            host: 'h',
            accessKeyId,
            secretAccessKey,
            region: 'r',
            service: 'qldb',
            nowMs,
          })
          checked.verify({ ...request, headers })
        },
      ),
    )
  })

  it('accepts signatures without a body hash in the headers, as botocore makes them', async () => {
    const bare = new SignatureV4({
      service: 'qldb',
      region: 'eu-west-1',
      credentials: { accessKeyId, secretAccessKey },
      sha256: Sha256,
      applyChecksum: false,
    })
    const signed = toHttpRequest(session, await signWithOracle(session, bare))
    expect(signed.headers['x-amz-content-sha256']).toBeUndefined()
    expect(verifier().verify(signed).accessKeyId).toBe(accessKeyId)
    const changed = { ...signed, body: Buffer.from('{}') }
    expect(codeOf(() => verifier().verify(changed))).toBe('SIGNATURE_MISMATCH')
  })

  const base: RequestToSign = {
    method: 'POST',
    host: 'localhost',
    headers: { 'x-amz-target': 'QLDBSession.SendCommand' },
    body: '{}',
    accessKeyId,
    secretAccessKey,
    region: 'us-east-1',
    service: 'qldb',
    nowMs,
  }
  const received = (signed: Partial<RequestToSign> = {}, changes: Partial<HttpRequest> = {}) => ({
    method: 'POST',
    path: '/',
    query: '',
    headers: signRequest({ ...base, ...signed }),
    body: Buffer.from('{}'),
    ...changes,
  })
  const withHeader = (name: string, value: string | undefined, signed = received()) => ({
    ...signed,
    headers: { ...signed.headers, [name]: value },
  })

  it('refuses a wrong secret, an unknown key and no signature at all', () => {
    expect(codeOf(() => verifier().verify(received({ secretAccessKey: 'wrong' })))).toBe(
      'SIGNATURE_MISMATCH',
    )
    expect(codeOf(() => verifier().verify(received({ accessKeyId: 'AKIDOTHER' })))).toBe(
      'ACCESS_KEY_UNKNOWN',
    )
    expect(codeOf(() => verifier().verify(received({}, { headers: {} })))).toBe('SIGNATURE_MISSING')
  })

  it.each([
    ['method', { method: 'PUT' }],
    ['path', { path: '/x' }],
    ['query', { query: 'a=1' }],
  ])('notices a changed %s', (_, changes) => {
    expect(codeOf(() => verifier().verify(received({}, changes)))).toBe('SIGNATURE_MISMATCH')
  })

  it('notices a changed header', () => {
    const changed = withHeader('x-amz-target', 'Other.Target')
    expect(codeOf(() => verifier().verify(changed))).toBe('SIGNATURE_MISMATCH')
  })

  it('notices a changed body, with and without a body hash in the headers', () => {
    const changed = received({}, { body: Buffer.from('{"a":1}') })
    expect(codeOf(() => verifier().verify(changed))).toBe('BODY_HASH_MISMATCH')
    const unsigned = withHeader('x-amz-content-sha256', 'UNSIGNED-PAYLOAD')
    expect(codeOf(() => verifier().verify(unsigned))).toBe('BODY_HASH_MISMATCH')
  })

  it('takes five minutes of skew either way and not a second more', () => {
    const fiveMinutes = 5 * 60_000
    for (const skew of [fiveMinutes, -fiveMinutes]) {
      verifier().verify(received({ nowMs: nowMs + skew }))
      const late = received({ nowMs: nowMs + skew + Math.sign(skew) * 1000 })
      expect(codeOf(() => verifier().verify(late))).toBe('SIGNATURE_EXPIRED')
    }
  })

  it('asks for the target and the host to be signed', () => {
    const { headers, ...rest } = received({ headers: {} })
    const added = { ...rest, headers: { ...headers, 'x-amz-target': 'QLDBSession.SendCommand' } }
    expect(codeOf(() => verifier().verify(added))).toBe('SIGNATURE_INCOMPLETE')
    const authorization = String(received().headers['authorization'])
    const hostless = withHeader('authorization', authorization.replace('host;', ''))
    expect(codeOf(() => verifier().verify(hostless))).toBe('SIGNATURE_INCOMPLETE')
  })

  it.each([
    'AWS4-HMAC-SHA256',
    'Bearer x',
    'AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=00',
    `AWS4-HMAC-SHA256 Credential=a/20240203/r/qldb, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    `AWS4-HMAC-SHA256 Credential=a/20240203/r/s3/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    `AWS4-HMAC-SHA256 Credential=a/20240202/r/qldb/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    `AWS4-HMAC-SHA256 ${'a'.repeat(9000)}`,
  ])('refuses the header %.80s', (header) => {
    const request = withHeader('authorization', header)
    expect(codeOf(() => verifier().verify(request))).toBe('SIGNATURE_INCOMPLETE')
  })

  it.each(['', '2024-02-03T04:05:06Z', '20241303T040506Z', '20240203T040506'])(
    'refuses the date %j',
    (date) => {
      const request = withHeader('x-amz-date', date)
      expect(codeOf(() => verifier().verify(request))).toBe('SIGNATURE_INCOMPLETE')
    },
  )

  it('refuses headers that are signed twice, which would be hashed as often', () => {
    const authorization = String(received().headers['authorization'])
    const request = withHeader('authorization', authorization.replace('host;', 'host;host;'))
    expect(codeOf(() => verifier().verify(request))).toBe('SIGNATURE_INCOMPLETE')
  })

  it('does not take the names that every object has for headers', () => {
    const authorization = String(received().headers['authorization'])
    const request = withHeader('authorization', authorization.replace('host;', 'constructor;host;'))
    expect(codeOf(() => verifier().verify(request))).toBe('SIGNATURE_INCOMPLETE')
  })

  it('wants the session token of the key when the key has one', () => {
    const checked = verifier({ lookup: () => ({ secretAccessKey, sessionToken: 'token' }) })
    checked.verify(received({ sessionToken: 'token' }))
    expect(codeOf(() => checked.verify(received({ sessionToken: 'other' })))).toBe(
      'ACCESS_KEY_UNKNOWN',
    )
    expect(codeOf(() => checked.verify(received()))).toBe('ACCESS_KEY_UNKNOWN')
  })

  it('looks at everything again of a credential that it knows', () => {
    let isKnown = true
    let timeMs = nowMs
    const checked = verifier({
      lookup: () => (isKnown ? { secretAccessKey } : undefined),
      clock: { nowMs: () => timeMs, sleep: () => Promise.resolve() },
    })
    const good = received()
    const authorization = String(good.headers['authorization'])
    const ended = (end: string) => withHeader('authorization', authorization.slice(0, -64) + end)
    for (let no = 0; no < 2; no++) expect(checked.verify(good).accessKeyId).toBe(accessKeyId)

    for (const end of ['0'.repeat(64), '\xff'.repeat(64), authorization.slice(-64).toUpperCase()]) {
      expect(codeOf(() => checked.verify(ended(end)))).toBe('SIGNATURE_MISMATCH')
    }
    for (const end of ['', authorization.slice(-63), `${authorization.slice(-64)}0`]) {
      expect(codeOf(() => checked.verify(ended(end)))).toBe('SIGNATURE_INCOMPLETE')
    }
    const changed = { ...good, body: Buffer.from('{"a":1}') }
    expect(codeOf(() => checked.verify(changed))).toBe('BODY_HASH_MISMATCH')
    expect(codeOf(() => checked.verify(withHeader('host', 'other')))).toBe('SIGNATURE_MISMATCH')
    expect(codeOf(() => checked.verify(withHeader('x-amz-date', 'then')))).toBe(
      'SIGNATURE_INCOMPLETE',
    )
    timeMs += 3_600_000
    expect(codeOf(() => checked.verify(good))).toBe('SIGNATURE_EXPIRED')
    timeMs = nowMs
    isKnown = false
    expect(codeOf(() => checked.verify(good))).toBe('ACCESS_KEY_UNKNOWN')
    isKnown = true
    checked.verify(good)
  })

  it('forgets a signing key when the secret of the access key changes', () => {
    let secret = secretAccessKey
    const checked = verifier({ lookup: () => ({ secretAccessKey: secret }) })
    checked.verify(received())
    secret = 'rotated'
    expect(codeOf(() => checked.verify(received()))).toBe('SIGNATURE_MISMATCH')
    checked.verify(received({ secretAccessKey: 'rotated' }))
  })
})

describe('signatures for S3', () => {
  const s3Oracle = new SignatureV4({
    service: 's3',
    region: 'eu-west-1',
    credentials: { accessKeyId, secretAccessKey },
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: true,
  })
  const verifier = createSignatureVerifier({
    lookup: () => ({ secretAccessKey }),
    clock: { nowMs: () => nowMs, sleep: () => Promise.resolve() },
    services: ['s3', 'qldb'],
  })
  const signed = async (headers: Record<string, string>, signer = s3Oracle) =>
    (await signer.sign(
      {
        protocol: 'https:',
        hostname: 'localhost',
        method: 'PUT',
        path: '/bucket/a%20b/%C3%A4+.txt',
        query: { 'x-id': 'PutObject' },
        headers: { host: 'localhost', ...headers },
        body: 'body',
      },
      { signingDate: new Date(nowMs) },
    )) as { headers: Record<string, string> }
  const verify = (headers: Record<string, string>, body = 'body') =>
    verifier.verify({
      method: 'PUT',
      path: '/bucket/a%20b/%C3%A4+.txt',
      query: 'x-id=PutObject',
      headers,
      body: Buffer.from(body),
    })

  it('are over the path as it is', async () => {
    const { headers } = await signed({})
    expect(verify(headers).service).toBe('s3')
    expect(() => verify(headers, 'other')).toThrow(AwsProtocolError)
  })

  it.each(['UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'])(
    'may leave the body out as %s, for S3 alone',
    async (payload) => {
      const { headers } = await signed({ 'x-amz-content-sha256': payload })
      expect(verify(headers, 'any body').service).toBe('s3')
      const other = { ...headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD '.trim() }
      if (payload !== 'UNSIGNED-PAYLOAD') expect(() => verify(other)).toThrow(AwsProtocolError)
      const ofQldb = await signed({ 'x-amz-content-sha256': payload }, oracle)
      expect(() => verify(ofQldb.headers)).toThrow(AwsProtocolError)
    },
  )

  it('name the hash of the body among what is signed', async () => {
    const { headers } = await signed({})
    const { authorization = '' } = headers
    const without = authorization.replace(';x-amz-content-sha256', '')
    expect(() => verify({ ...headers, authorization: without })).toThrow(/x-amz-content-sha256/)
  })
})

describe('createSigner', () => {
  it('makes the HMAC-SHA256 that node:crypto makes, of short and long texts in turn', () => {
    const keys = fc.uint8Array({ minLength: 1, maxLength: 64 })
    const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 2000 }), { minLength: 1 })
    fc.assert(
      fc.property(keys, texts, (key, signed) => {
        const sign = createSigner(key)
        for (const text of signed) {
          expect(sign(text)).toBe(createHmac('sha256', key).update(text).digest('hex'))
        }
      }),
    )
  })
})
