/** What makes a connection unusable: after each of these it is answered with `statusOf` and closed. */
import { BaseError } from '@cairn/core'

export type HttpErrorType =
  /** `part` of the head is not what RFC 9112 allows. */
  | { readonly code: 'HEAD_MALFORMED'; readonly part: string }
  | { readonly code: 'HEAD_TOO_LARGE'; readonly bytesMax: number }
  | { readonly code: 'HEADER_COUNT_EXCEEDED'; readonly countMax: number }
  /** Two readers could see different ends of the body. */
  | { readonly code: 'LENGTH_AMBIGUOUS'; readonly part: string }
  | { readonly code: 'CHUNK_MALFORMED' }
  | { readonly code: 'TRANSFER_CODING_UNKNOWN' }
  | { readonly code: 'EXPECTATION_UNKNOWN' }
  | { readonly code: 'VERSION_NOT_SUPPORTED' }
  | { readonly code: 'REQUEST_TIMEOUT' }
  /** More was thrown away than is: the client does not stop. It gets no answer. */
  | { readonly code: 'BODY_ENDLESS'; readonly bytesMax: number }

export class HttpError extends BaseError<HttpErrorType> {
  override readonly name = 'HttpError'
}

const statuses: Readonly<Record<HttpErrorType['code'], number>> = {
  HEAD_MALFORMED: 400,
  HEAD_TOO_LARGE: 431,
  HEADER_COUNT_EXCEEDED: 431,
  LENGTH_AMBIGUOUS: 400,
  CHUNK_MALFORMED: 400,
  TRANSFER_CODING_UNKNOWN: 501,
  EXPECTATION_UNKNOWN: 417,
  VERSION_NOT_SUPPORTED: 505,
  REQUEST_TIMEOUT: 408,
  BODY_ENDLESS: 413,
}

export function statusOf(error: HttpError): number {
  return statuses[error.code]
}

export function headMalformed(part: string): HttpError {
  return new HttpError(
    { code: 'HEAD_MALFORMED', part },
    { shortMessage: `The head of the request is malformed: ${part}.` },
  )
}

export function lengthAmbiguous(part: string): HttpError {
  return new HttpError(
    { code: 'LENGTH_AMBIGUOUS', part },
    { shortMessage: `The length of the request is not clear: ${part}.` },
  )
}

export function chunkMalformed(): HttpError {
  return new HttpError(
    { code: 'CHUNK_MALFORMED' },
    { shortMessage: 'A chunk of the request body is malformed.' },
  )
}

export function headTooLarge(bytesMax: number): HttpError {
  return new HttpError(
    { code: 'HEAD_TOO_LARGE', bytesMax },
    { shortMessage: `The head of the request is larger than ${bytesMax} bytes.` },
  )
}

export function requestTimeout(): HttpError {
  return new HttpError(
    { code: 'REQUEST_TIMEOUT' },
    { shortMessage: 'The request did not arrive in time.' },
  )
}
