/**
 * What clients of the HTTP API see of our errors: RFC 9457 problem details with code, status, detail and remedy.
 * 400: the request has to change. 409: send it again. 503: send it again after a while. The codes are ours, and stable.
 */

import type { HttpResponse } from '@cairn/aws-protocol'
import { AwsProtocolError, type AwsProtocolErrorType } from '@cairn/aws-protocol'
import { BaseError } from '@cairn/core'
import { LedgerError, type LedgerErrorType } from '@cairn/ledger'
import { PartiqlError, type PartiqlErrorType } from '@cairn/partiql'
import { QldbServerError, type QldbServerErrorType } from '../errors.ts'

export const problemContentType = 'application/problem+json'

/** Status, title, and what the reader can do. */
type Entry = readonly [status: number, title: string, remedy: string]
/** One entry per code; the compiler misses none. Undefined: an internal failure. */
type ProblemTable<T extends { readonly code: string }> = {
  readonly [C in T['code']]: Entry | undefined
}

const statementRemedy = 'Correct the statement or its parameters.'
const againRemedy = 'Send the request again after a second.'
const signRemedy = 'Sign the request with AWS Signature Version 4 for the service qldb.'

const ledgerProblems: ProblemTable<LedgerErrorType> = {
  LEDGER_NOT_FOUND: [404, 'No such ledger', 'Create the ledger, or correct the name in the path.'],
  OCC_CONFLICT: [
    409,
    'Another transaction changed what this one read',
    'Send the request again. Transactions that read less, by indexed fields, meet less often.',
  ],
  TRANSACTION_EXPIRED: [
    422,
    'The transaction took too long',
    'Make several smaller transactions, and index the fields that their conditions compare.',
  ],
  TRANSACTION_CLOSED: [503, 'The transaction was ended', againRemedy],
  PARAMETER_INVALID: [400, 'A parameter cannot be used', statementRemedy],
  TABLE_NOT_FOUND: [400, 'No such table', 'Create the table, or correct its name.'],
  TABLE_EXISTS: [400, 'The table exists already', 'Use it, or choose another name.'],
  TABLE_NAME_INVALID: [400, 'The name of the table cannot be used', statementRemedy],
  INDEX_NOT_FOUND: [400, 'No such index', statementRemedy],
  INDEX_EXISTS: [400, 'The index exists already', 'Nothing needs to be done: fields have one.'],
  DOCUMENT_INVALID: [400, 'The document cannot be stored', statementRemedy],
  LIMIT_EXCEEDED: [400, 'A limit was passed', 'Stay below the limit that the detail names.'],
  STATEMENT_NOT_SUPPORTED: [400, 'The statement is not supported', statementRemedy],
  REDACTION_INVALID: [400, 'The revision cannot be redacted', statementRemedy],
  ADDRESS_INVALID: [400, 'The block address is not one of this ledger', statementRemedy],
  DOCUMENT_NOT_FOUND: [400, 'No such document', statementRemedy],
  LEDGER_STOPPED: [503, 'The ledger has stopped', 'Look at the log of the server, and restart it.'],
  COMMIT_NOT_CONFIRMED: [
    500,
    'The commit is not confirmed',
    'Look for the data once the server was restarted, before you send the request again.',
  ],
  LEDGER_CLOSED: [503, 'The ledger was closed', againRemedy],
  COMMIT_DIGEST_MISMATCH: undefined,
  LEDGER_EXISTS: undefined,
  LEDGER_NAME_INVALID: undefined,
  LEDGER_PROTECTED: undefined,
  TAGS_INVALID: undefined,
  LEDGER_DAMAGED: undefined,
  DIRECTORY_IN_USE: undefined,
  DIRECTORY_NOT_WRITABLE: undefined,
  PROJECTION_FAILED: undefined,
}

const partiqlProblems: ProblemTable<PartiqlErrorType> = {
  SYNTAX: [400, 'The text is no PartiQL statement', 'Correct the statement at the place named.'],
  SEMANTIC: [400, 'The statement means nothing here', 'Correct the statement at the place named.'],
  EVALUATION: [400, 'The statement cannot be run on these values', statementRemedy],
  LIMIT: [400, 'A limit was passed', 'Make the statement smaller, or let it read less.'],
  PARAMETER_COUNT: [
    400,
    'The number of parameters differs from the number of ?',
    'Give one parameter for each ? of the statement.',
  ],
}

const serverProblems: ProblemTable<QldbServerErrorType> = {
  REQUEST_INVALID: [400, 'The request is malformed', 'See /v1/openapi.json for its form.'],
  ACCESS_DENIED: [403, 'Access denied', 'Ask whoever runs the server for the permission.'],
  OPERATION_UNKNOWN: [404, 'No such operation', 'See /v1/openapi.json for what there is.'],
  METHOD_NOT_ALLOWED: [405, 'The method is not allowed', 'Use a method that Allow names.'],
  BODY_TOO_LARGE: [413, 'The request body is too large', 'Make several smaller transactions.'],
  CONTENT_TYPE_UNKNOWN: [
    415,
    'The content type is not known',
    'Send content-type: application/json.',
  ],
  RESULT_TOO_LARGE: [
    422,
    'The result is larger than an answer may be',
    'Select fewer rows or fields; the QLDB session API gives results in pages. Nothing was committed.',
  ],
  IDEMPOTENCY_KEY_REUSED: [
    422,
    'The idempotency key belongs to another request',
    'Make a new key for each new request, and use it again only to repeat the same one.',
  ],
  OVERLOADED: [503, 'The server is busy', againRemedy],
  SERVER_CLOSING: [503, 'The server is being closed', againRemedy],
  // Its cause is looked up instead.
  STATEMENT_FAILED: undefined,
  SESSION_NOT_FOUND: undefined,
  SESSION_EXPIRED: undefined,
  SESSION_LIMIT_EXCEEDED: undefined,
  TRANSACTION_ALREADY_OPEN: undefined,
  TRANSACTION_NOT_OPEN: undefined,
  TRANSACTION_EXPIRED: undefined,
  PAGE_TOKEN_UNKNOWN: undefined,
  OPEN_RESULT_LIMIT_EXCEEDED: undefined,
  PARAMETER_INVALID: undefined,
  RESOURCE_NOT_FOUND: undefined,
  JOB_LIMIT_EXCEEDED: undefined,
  STREAM_EXISTS: undefined,
  STREAM_ENDED: undefined,
  OPERATION_NOT_AVAILABLE: undefined,
}

const protocolProblems: ProblemTable<AwsProtocolErrorType> = {
  SIGNATURE_MISSING: [401, 'The request is not signed', signRemedy],
  SIGNATURE_INCOMPLETE: [400, 'The signature is not complete', signRemedy],
  ACCESS_KEY_UNKNOWN: [403, 'The access key is not known', 'Use a key of the key file.'],
  SIGNATURE_EXPIRED: [403, 'The signature is too old or too new', 'Set the clock of the client.'],
  SIGNATURE_MISMATCH: [403, 'The signature does not fit', 'Check the secret key, and what signs.'],
  BODY_HASH_MISMATCH: [403, 'The body is not the one that was signed', signRemedy],
  PATH_INVALID: [400, 'The path is not percent-encoded UTF-8', 'Encode the name of the ledger.'],
  CHUNKS_INVALID: undefined,
  POLICY_INVALID: undefined,
  JSON_INVALID: undefined,
  JSON_TOO_DEEP: undefined,
  BASE64_INVALID: undefined,
}

/** @returns undefined for an internal error: answer `internalProblem`, and log. */
export function problemOf(error: unknown, requestId: string): HttpResponse | undefined {
  const told = toldError(error)
  const entry = entryOf(told)
  if (entry === undefined || !(told instanceof BaseError)) return undefined
  const [status, title, remedy] = entry
  const body = {
    type: `urn:cairn:error:${told.code}`,
    title,
    status,
    detail: told.message.split('\n').map(withStop).join(' '),
    code: told.code,
    remedy,
    ...(isOfStatement(error) ? { statementIndex: error.data.index } : {}),
    requestId,
  }
  return problemResponse(status, body, requestId, extraHeadersOf(told, status))
}

/** What is behind the failure of a statement; else the error itself. */
export function toldError(error: unknown): unknown {
  return isOfStatement(error) ? error.cause : error
}

function isOfStatement(error: unknown): error is QldbServerError & { data: { index: number } } {
  return error instanceof QldbServerError && error.code === 'STATEMENT_FAILED'
}

function withStop(line: string): string {
  return /[.!?]$/.test(line) ? line : `${line}.`
}

export function internalProblem(requestId: string): HttpResponse {
  const body = {
    type: 'urn:cairn:error:INTERNAL',
    title: 'The request failed because of an internal error',
    status: 500,
    detail: 'The log of the server has the reason under the id of the request.',
    code: 'INTERNAL',
    remedy: 'Tell whoever runs the server the requestId.',
    requestId,
  }
  return problemResponse(500, body, requestId, {})
}

function entryOf(error: unknown): Entry | undefined {
  if (error instanceof PartiqlError) return partiqlProblems[error.code]
  if (error instanceof LedgerError) return ledgerProblems[error.code]
  if (error instanceof QldbServerError) return serverProblems[error.code]
  if (error instanceof AwsProtocolError) return protocolProblems[error.code]
  return undefined
}

function extraHeadersOf(error: BaseError<{ code: string }>, status: number) {
  const headers: Record<string, string> = {}
  if (status === 503) headers['retry-after'] = '1'
  // RFC 9110, 15.5.2: names a scheme; the one of the Authorization header.
  if (status === 401) headers['www-authenticate'] = 'AWS4-HMAC-SHA256'
  if (error instanceof QldbServerError && error.data.code === 'METHOD_NOT_ALLOWED') {
    headers['allow'] = error.data.allowed.join(', ')
  }
  return headers
}

function problemResponse(
  status: number,
  body: object,
  requestId: string,
  headers: Readonly<Record<string, string>>,
): HttpResponse {
  return {
    status,
    headers: { 'content-type': problemContentType, ...headers, 'x-amzn-RequestId': requestId },
    body: JSON.stringify(body),
  }
}
