/** What a request may do wrong that the engine never sees. Wire faults are made from these codes in faults.ts. */
import { BaseError } from '@cairn/core'

export type QldbServerErrorType =
  // ---- session API ----
  /** A member is absent, of the wrong kind, or too many: `member` names it. */
  | { readonly code: 'REQUEST_INVALID'; readonly member: string }
  | { readonly code: 'SESSION_NOT_FOUND' }
  | { readonly code: 'SESSION_EXPIRED'; readonly sessionId: string }
  | {
      readonly code: 'SESSION_LIMIT_EXCEEDED'
      readonly ledgerName: string
      readonly sessionCountMax: number
    }
  | { readonly code: 'TRANSACTION_ALREADY_OPEN'; readonly transactionId: string }
  | { readonly code: 'TRANSACTION_NOT_OPEN'; readonly transactionId: string }
  | { readonly code: 'TRANSACTION_EXPIRED'; readonly transactionId: string }
  | { readonly code: 'PAGE_TOKEN_UNKNOWN'; readonly transactionId: string }
  | { readonly code: 'OPEN_RESULT_LIMIT_EXCEEDED'; readonly resultCountMax: number }
  // ---- control API ----
  | { readonly code: 'PARAMETER_INVALID'; readonly parameterName: string }
  | {
      readonly code: 'RESOURCE_NOT_FOUND'
      readonly resourceType: string
      readonly resourceName: string
    }
  | { readonly code: 'OPERATION_NOT_AVAILABLE'; readonly operation: string }
  /** As many exports or streams of a ledger as there may be at once. */
  | {
      readonly code: 'JOB_LIMIT_EXCEEDED'
      readonly resourceType: string
      readonly countMax: number
    }
  | { readonly code: 'STREAM_EXISTS'; readonly streamName: string }
  | { readonly code: 'STREAM_ENDED'; readonly streamId: string; readonly status: string }
  // ---- HTTP API ----
  /** `cause` says what went wrong; `index` from 0. */
  | { readonly code: 'STATEMENT_FAILED'; readonly index: number }
  | { readonly code: 'RESULT_TOO_LARGE'; readonly bytesMax: number }
  | { readonly code: 'IDEMPOTENCY_KEY_REUSED' }
  | { readonly code: 'CONTENT_TYPE_UNKNOWN' }
  | { readonly code: 'METHOD_NOT_ALLOWED'; readonly allowed: readonly string[] }
  // ---- all ----
  | { readonly code: 'OPERATION_UNKNOWN' }
  | {
      readonly code: 'ACCESS_DENIED'
      readonly principal: string
      readonly action: string
      readonly resource: string
    }
  | { readonly code: 'BODY_TOO_LARGE'; readonly bytesMax: number }
  /** As many commands, or as many bytes of bodies, as there may be at once. */
  | { readonly code: 'OVERLOADED' }
  | { readonly code: 'SERVER_CLOSING' }

export class QldbServerError extends BaseError<QldbServerErrorType> {
  override readonly name = 'QldbServerError'
}

/** For codes whose wire text is fixed in faults.ts. */
export function serverError(data: QldbServerErrorType, shortMessage: string): QldbServerError {
  return new QldbServerError(data, { shortMessage })
}

export function overloaded(): QldbServerError {
  return serverError({ code: 'OVERLOADED' }, 'The server runs as many commands as it may.')
}

/** @param member The name of the member in the request, such as `ExecuteStatement.Statement`. */
export function requestInvalid(
  member: string,
  shortMessage: string,
  cause?: unknown,
): QldbServerError {
  return new QldbServerError({ code: 'REQUEST_INVALID', member }, { shortMessage, cause })
}

export function parameterInvalid(
  parameterName: string,
  shortMessage: string,
  cause?: unknown,
): QldbServerError {
  return new QldbServerError({ code: 'PARAMETER_INVALID', parameterName }, { shortMessage, cause })
}
