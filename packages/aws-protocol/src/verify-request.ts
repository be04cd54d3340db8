/**
 * Verifies AWS Signature Version 4 on a request that was received whole.
 * The body is always hashed: a request whose body was changed on the way fails also when it names no body hash.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '@cairn/core'
import { AwsProtocolError } from './errors.ts'
import { type HttpRequest, headerOf } from './http.ts'
import {
  canonicalRequestOf,
  deriveSigningKey,
  parseLongDate,
  scopeTerminator,
  sha256Hex,
  signatureAlgorithm,
  signatureOf,
} from './signature-v4.ts'

export interface AccessKey {
  readonly secretAccessKey: string
  /** When set, requests must carry it as `x-amz-security-token`. */
  readonly sessionToken?: string | undefined
}

export interface VerifiedSignature {
  readonly accessKeyId: string
  readonly region: string
  readonly service: string
}

export interface SignatureVerifierOptions {
  /** Called for each request; answers from memory. */
  lookup(accessKeyId: string): AccessKey | undefined
  readonly clock: Clock
  /** The service names that a signature may be made for, such as `qldb`. */
  readonly services: readonly string[]
  readonly skewMsMax?: number
}

export interface SignatureVerifier {
  /** @throws AwsProtocolError with one of the SIGNATURE codes, ACCESS_KEY_UNKNOWN or BODY_HASH_MISMATCH. */
  verify(request: HttpRequest): VerifiedSignature
}

/** How far a signature's time may be from ours, either way. Source: AWS General Reference, SigV4 troubleshooting. */
export const signatureSkewMsMax: number = 5 * 60_000
/** Signing keys kept, one per access key, day, region and service; the oldest goes first. */
const signingKeyCountMax = 1000
/** An Authorization header names a few dozen signed headers at most; a longer one is not parsed. */
const authorizationLengthMax = 8192

interface Authorization {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
  /** date/region/service/aws4_request */
  readonly scope: string
  readonly signedNames: readonly string[]
  readonly signature: string
}

interface CachedKey {
  readonly secretAccessKey: string
  readonly signingKey: Uint8Array
}

export function createSignatureVerifier(options: SignatureVerifierOptions): SignatureVerifier {
  const skewMsMax = options.skewMsMax ?? signatureSkewMsMax
  const signingKeys = new Map<string, CachedKey>()

  return {
    verify(request) {
      const header = headerOf(request.headers, 'authorization')
      if (header === undefined) {
        throw new AwsProtocolError(
          { code: 'SIGNATURE_MISSING' },
          { shortMessage: 'The request has no signature.' },
        )
      }
      const authorization = parseAuthorization(header)
      if (!options.services.includes(authorization.service)) {
        throw incomplete('the service of the Credential')
      }
      const longDate = headerOf(request.headers, 'x-amz-date') ?? ''
      checkDate(longDate, authorization.date, options.clock.nowMs(), skewMsMax)
      checkSignedNames(request, authorization.signedNames)

      const accessKey = options.lookup(authorization.accessKeyId)
      if (accessKey === undefined || !hasSessionToken(request, accessKey)) {
        throw new AwsProtocolError(
          { code: 'ACCESS_KEY_UNKNOWN' },
          { shortMessage: 'The access key or the security token of the request is not known.' },
        )
      }
      const bodyHash = sha256Hex(request.body)
      const namedHash = headerOf(request.headers, 'x-amz-content-sha256')
      if (namedHash !== undefined && namedHash !== bodyHash) {
        throw new AwsProtocolError(
          { code: 'BODY_HASH_MISMATCH' },
          { shortMessage: 'The body of the request is not the one that was signed.' },
        )
      }
      const canonicalRequest = canonicalRequestOf(
        request.method,
        request.path,
        request.query,
        request.headers,
        authorization.signedNames,
        bodyHash,
      )
      if (canonicalRequest === undefined) throw incomplete('a header of SignedHeaders')

      const cacheName = `${authorization.accessKeyId}/${authorization.scope}`
      const cached = signingKeys.get(cacheName)
      const isCached = cached?.secretAccessKey === accessKey.secretAccessKey
      const signingKey =
        cached !== undefined && isCached
          ? cached.signingKey
          : deriveSigningKey(
              accessKey.secretAccessKey,
              authorization.date,
              authorization.region,
              authorization.service,
            )
      const expected = signatureOf(signingKey, longDate, authorization.scope, canonicalRequest)
      if (!timingSafeEqual(Buffer.from(expected), Buffer.from(authorization.signature))) {
        throw new AwsProtocolError(
          { code: 'SIGNATURE_MISMATCH' },
          { shortMessage: 'The signature does not belong to the request.' },
        )
      }
      // Kept only after a signature that holds: strangers cannot fill the cache with scopes they make up.
      if (!isCached) {
        signingKeys.delete(cacheName)
        signingKeys.set(cacheName, { secretAccessKey: accessKey.secretAccessKey, signingKey })
        if (signingKeys.size > signingKeyCountMax) {
          for (const oldest of signingKeys.keys()) {
            signingKeys.delete(oldest)
            break
          }
        }
      }
      return authorization
    },
  }
}

/** `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=hex` */
const authorizationPattern =
  /^AWS4-HMAC-SHA256 +Credential=([^,\s]+) *, *SignedHeaders=([^,\s]+) *, *Signature=([0-9a-f]{64}) *$/

function parseAuthorization(header: string): Authorization {
  if (header.length > authorizationLengthMax) throw incomplete('the Authorization header')
  if (!header.startsWith(signatureAlgorithm)) throw incomplete('the signature algorithm')
  const match = authorizationPattern.exec(header)
  if (match === null) throw incomplete('the Authorization header')
  const [, credential = '', signedHeaders = '', signature = ''] = match
  const parts = credential.split('/')
  const [accessKeyId, date, region, service, terminator] = parts
  if (
    parts.length !== 5 ||
    !accessKeyId ||
    date === undefined ||
    !region ||
    !service ||
    terminator !== scopeTerminator
  ) {
    throw incomplete('the Credential')
  }
  const signedNames = signedHeaders.split(';')
  // Each is hashed as often as it is named: 8 KiB of names times one long header would be many MiB.
  if (new Set(signedNames).size < signedNames.length) throw incomplete('SignedHeaders')
  return {
    accessKeyId,
    date,
    region,
    service,
    scope: `${date}/${region}/${service}/${terminator}`,
    signedNames,
    signature,
  }
}

function checkDate(longDate: string, scopeDate: string, nowMs: number, skewMsMax: number): void {
  const signedMs = parseLongDate(longDate)
  if (signedMs === undefined) throw incomplete('x-amz-date')
  if (!longDate.startsWith(scopeDate) || scopeDate.length !== 8) {
    throw incomplete('the date of the Credential')
  }
  if (Math.abs(nowMs - signedMs) > skewMsMax) {
    throw new AwsProtocolError(
      { code: 'SIGNATURE_EXPIRED', signedMs, nowMs, skewMsMax },
      {
        shortMessage: 'The signature was made too long ago, or in the future.',
        metaMessages: ["Set the clocks of the client's machine and of this one."],
      },
    )
  }
}

/** What decides over the meaning of a request must be signed, or it could be changed on the way. */
function checkSignedNames(request: HttpRequest, signedNames: readonly string[]): void {
  if (!signedNames.includes('host')) throw incomplete('host in SignedHeaders')
  if (!signedNames.includes('x-amz-date')) throw incomplete('x-amz-date in SignedHeaders')
  for (const name of ['x-amz-target', 'x-amz-security-token']) {
    if (headerOf(request.headers, name) !== undefined && !signedNames.includes(name)) {
      throw incomplete(`${name} in SignedHeaders`)
    }
  }
}

function hasSessionToken(request: HttpRequest, accessKey: AccessKey): boolean {
  if (accessKey.sessionToken === undefined) return true
  const given = sha256Hex(headerOf(request.headers, 'x-amz-security-token') ?? '')
  return timingSafeEqual(Buffer.from(given), Buffer.from(sha256Hex(accessKey.sessionToken)))
}

function incomplete(part: string): AwsProtocolError {
  return new AwsProtocolError(
    { code: 'SIGNATURE_INCOMPLETE', part },
    { shortMessage: `The signature of the request is not complete: ${part} is missing or wrong.` },
  )
}
