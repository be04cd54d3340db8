/**
 * From our error codes to what QLDB clients see: exception name, HTTP status, message, details.
 * Names and statuses: qldb-compat 1.7 and 2. Clients match some of the texts by pattern; they are tested word for word.
 */
import { AwsProtocolError, type AwsProtocolErrorType, type Fault } from '@cairn/aws-protocol'
import type { BaseError } from '@cairn/core'
import { LedgerError, type LedgerErrorType } from '@cairn/ledger'
import { PartiqlError } from '@cairn/partiql'
import { QldbServerError, type QldbServerErrorType } from './errors.ts'

type Coded = { readonly code: string }
type Member<T extends Coded, C extends T['code']> = Extract<T, { readonly code: C }>
type FaultMaker<T extends Coded> = (data: T, error: BaseError<Coded>) => Fault
/** One entry per code; the compiler misses none. An entry of undefined is an internal failure. */
type FaultTable<T extends Coded> = {
  readonly [C in T['code']]: FaultMaker<Member<T, C>> | undefined
}

/** The fault of anything unknown. It tells nothing; the log has the rest under the request's id. */
export const internalFault: Fault = {
  name: 'InternalFailure',
  status: 500,
  message: 'The request failed because of an internal error.',
}

/** @returns undefined for an internal error: answer `internalFault`, and log. */
export function sessionFaultOf(error: unknown): Fault | undefined {
  if (error instanceof PartiqlError) {
    return error.code === 'LIMIT' ? limitExceeded(error.message) : badRequest(error.message)
  }
  if (error instanceof LedgerError) return lookUp(sessionLedgerFaults, error)
  return commonFaultOf(error)
}

/** @returns undefined for an internal error: answer `internalFault`, and log. */
export function controlFaultOf(error: unknown): Fault | undefined {
  if (error instanceof LedgerError) return lookUp(controlLedgerFaults, error)
  return commonFaultOf(error)
}

function commonFaultOf(error: unknown): Fault | undefined {
  if (error instanceof QldbServerError) return lookUp(serverFaults, error)
  if (error instanceof AwsProtocolError) return lookUp(protocolFaults, error)
  return undefined
}

function lookUp<T extends Coded>(
  table: Partial<FaultTable<T>>,
  error: BaseError<T>,
): Fault | undefined {
  // The table is keyed by the code of the very data it is called with.
  const make = table[error.data.code as T['code']] as FaultMaker<T> | undefined
  return make?.(error.data, error)
}

function badRequest(message: string): Fault {
  return { name: 'BadRequestException', status: 400, message }
}

function invalidSession(message: string): Fault {
  return { name: 'InvalidSessionException', status: 400, message }
}

function limitExceeded(message: string): Fault {
  return { name: 'LimitExceededException', status: 400, message }
}

function invalidParameter(parameterName: string, message: string): Fault {
  return {
    name: 'InvalidParameterException',
    status: 400,
    message,
    details: { ParameterName: parameterName },
  }
}

function ofLedger(name: string, status: number, ledgerName: string, message: string): Fault {
  return {
    name,
    status,
    message,
    details: { ResourceType: 'Ledger', ResourceName: ledgerName },
  }
}

/** The engine's own words: they name the values at hand and what to do, and hold no documents (style.md 4). */
function badRequestInItsWords(_: unknown, error: BaseError<Coded>): Fault {
  return badRequest(error.message)
}

const unavailable: Fault = {
  name: 'CapacityExceededException',
  // 503, not 400: the driver repeats a transaction by the status, and gives up on throttling names (qldb-compat 1.7).
  status: 503,
  message: 'Capacity exceeded',
}

const sessionLedgerFaults: FaultTable<LedgerErrorType> = {
  LEDGER_NOT_FOUND: ({ ledgerName }) =>
    badRequest(`The Ledger with name ${ledgerName} is not found`),
  OCC_CONFLICT: () => ({
    name: 'OccConflictException',
    status: 400,
    message: 'Optimistic concurrency control failure',
  }),
  // The driver tells this one from other dead sessions by /Transaction .* has expired/.
  TRANSACTION_EXPIRED: ({ transactionId }) =>
    invalidSession(`Transaction ${transactionId} has expired`),
  TRANSACTION_CLOSED: ({ transactionId }) => badRequest(`Transaction ${transactionId} is not open`),
  COMMIT_DIGEST_MISMATCH: ({ transactionId }) =>
    badRequest(`The commit digest does not match the statements of transaction ${transactionId}`),
  PARAMETER_INVALID: badRequestInItsWords,
  TABLE_NAME_INVALID: badRequestInItsWords,
  TABLE_NOT_FOUND: badRequestInItsWords,
  TABLE_EXISTS: badRequestInItsWords,
  INDEX_NOT_FOUND: badRequestInItsWords,
  INDEX_EXISTS: badRequestInItsWords,
  DOCUMENT_INVALID: badRequestInItsWords,
  STATEMENT_NOT_SUPPORTED: badRequestInItsWords,
  REDACTION_INVALID: badRequestInItsWords,
  ADDRESS_INVALID: badRequestInItsWords,
  DOCUMENT_NOT_FOUND: badRequestInItsWords,
  LIMIT_EXCEEDED: (_, error) => limitExceeded(error.message),
  // A ledger is closed when it was deleted, or with the whole host: in both cases another attempt finds out which.
  LEDGER_CLOSED: () => unavailable,
  LEDGER_EXISTS: undefined,
  LEDGER_NAME_INVALID: undefined,
  LEDGER_PROTECTED: undefined,
  TAGS_INVALID: undefined,
  LEDGER_DAMAGED: undefined,
  LEDGER_STOPPED: undefined,
  COMMIT_NOT_CONFIRMED: undefined,
  DIRECTORY_IN_USE: undefined,
  DIRECTORY_NOT_WRITABLE: undefined,
  PROJECTION_FAILED: undefined,
}

/** Transactions and statements do not come up in the control API: their codes would be internal failures. */
const controlLedgerFaults: Partial<FaultTable<LedgerErrorType>> = {
  LEDGER_NOT_FOUND: ({ ledgerName }) =>
    ofLedger(
      'ResourceNotFoundException',
      404,
      ledgerName,
      `The Ledger with name ${ledgerName} is not found`,
    ),
  LEDGER_EXISTS: ({ ledgerName }) =>
    ofLedger(
      'ResourceAlreadyExistsException',
      409,
      ledgerName,
      `The Ledger with name ${ledgerName} already exists`,
    ),
  LEDGER_PROTECTED: ({ ledgerName }) =>
    ofLedger(
      'ResourcePreconditionNotMetException',
      412,
      ledgerName,
      `The Ledger with name ${ledgerName} is protected against deletion. ` +
        'Update it with DeletionProtection false first',
    ),
  LEDGER_NAME_INVALID: (_, error) => invalidParameter('Name', error.message),
  TAGS_INVALID: (_, error) => invalidParameter('Tags', error.message),
  ADDRESS_INVALID: ({ parameter }, error) => invalidParameter(parameter, error.message),
  DOCUMENT_NOT_FOUND: (_, error) => invalidParameter('DocumentId', error.message),
  LIMIT_EXCEEDED: (_, error) => ({
    name: 'LimitExceededException',
    status: 400,
    message: error.message,
    details: { ResourceType: 'Ledger' },
  }),
  LEDGER_CLOSED: () => unavailable,
}

const serverFaults: FaultTable<QldbServerErrorType> = {
  REQUEST_INVALID: badRequestInItsWords,
  SESSION_NOT_FOUND: () => invalidSession('No such session'),
  SESSION_EXPIRED: ({ sessionId }) => invalidSession(`Session ${sessionId} has expired`),
  SESSION_LIMIT_EXCEEDED: ({ ledgerName, sessionCountMax }) =>
    limitExceeded(
      `The Ledger with name ${ledgerName} has ${sessionCountMax} active sessions, its most`,
    ),
  TRANSACTION_ALREADY_OPEN: () => badRequest('Transaction already open'),
  TRANSACTION_NOT_OPEN: ({ transactionId }) =>
    badRequest(`Transaction ${transactionId} is not open in this session`),
  TRANSACTION_EXPIRED: ({ transactionId }) =>
    invalidSession(`Transaction ${transactionId} has expired`),
  PAGE_TOKEN_UNKNOWN: ({ transactionId }) =>
    badRequest(`The page token does not belong to transaction ${transactionId}`),
  OPEN_RESULT_LIMIT_EXCEEDED: ({ resultCountMax }) =>
    limitExceeded(`The transaction has ${resultCountMax} results to be read on, its most`),
  PARAMETER_INVALID: ({ parameterName }, error) => invalidParameter(parameterName, error.message),
  RESOURCE_NOT_FOUND: ({ resourceType, resourceName }) => ({
    name: 'ResourceNotFoundException',
    status: 404,
    message: `The ${resourceType} with name ${resourceName} is not found`,
    details: { ResourceType: resourceType, ResourceName: resourceName },
  }),
  JOB_LIMIT_EXCEEDED: ({ resourceType }, error) => ({
    name: 'LimitExceededException',
    status: 400,
    message: error.message,
    details: { ResourceType: resourceType },
  }),
  STREAM_EXISTS: ({ streamName }, error) => ({
    name: 'ResourceAlreadyExistsException',
    status: 409,
    message: error.message,
    details: { ResourceType: 'JournalKinesisStream', ResourceName: streamName },
  }),
  STREAM_ENDED: ({ streamId }, error) => ({
    name: 'ResourcePreconditionNotMetException',
    status: 412,
    message: error.message,
    details: { ResourceType: 'JournalKinesisStream', ResourceName: streamId },
  }),
  OPERATION_NOT_AVAILABLE: ({ operation }) => ({
    name: 'UnsupportedOperationException',
    status: 400,
    message: `${operation} is not available in this version of Cairn`,
  }),
  OPERATION_UNKNOWN: (_, error) => ({
    name: 'UnknownOperationException',
    status: 404,
    message: error.message,
  }),
  ACCESS_DENIED: ({ principal, action, resource }) => ({
    name: 'AccessDeniedException',
    status: 403,
    message: `User: ${principal} is not authorized to perform: ${action} on resource: ${resource}`,
  }),
  BODY_TOO_LARGE: ({ bytesMax }) => ({
    name: 'RequestEntityTooLargeException',
    status: 413,
    message: `The request body is larger than ${bytesMax} bytes`,
  }),
  OVERLOADED: () => unavailable,
  SERVER_CLOSING: () => unavailable,
  // Of the HTTP API, whose answers are made in http-api/problems.ts.
  STATEMENT_FAILED: undefined,
  RESULT_TOO_LARGE: undefined,
  IDEMPOTENCY_KEY_REUSED: undefined,
  CONTENT_TYPE_UNKNOWN: undefined,
  METHOD_NOT_ALLOWED: undefined,
}

/** Names and texts that every AWS SDK knows. Source: AWS "Common Errors" and SigV4 troubleshooting. */
const protocolFaults: FaultTable<AwsProtocolErrorType> = {
  SIGNATURE_MISSING: () => ({
    name: 'MissingAuthenticationTokenException',
    status: 403,
    message: 'Missing Authentication Token',
  }),
  SIGNATURE_INCOMPLETE: (_, error) => ({
    name: 'IncompleteSignatureException',
    status: 400,
    message: error.message,
  }),
  ACCESS_KEY_UNKNOWN: () => ({
    name: 'UnrecognizedClientException',
    status: 403,
    message: 'The security token included in the request is invalid.',
  }),
  SIGNATURE_EXPIRED: ({ signedMs, nowMs, skewMsMax }) => {
    const signed = longDate(signedMs)
    const [oldest, newest] = [longDate(nowMs - skewMsMax), longDate(nowMs + skewMsMax)]
    return {
      name: 'InvalidSignatureException',
      status: 403,
      message:
        signedMs < nowMs
          ? `Signature expired: ${signed} is now earlier than ${oldest}`
          : `Signature not yet current: ${signed} is still later than ${newest}`,
    }
  },
  SIGNATURE_MISMATCH: () => ({
    name: 'InvalidSignatureException',
    status: 403,
    message:
      'The request signature we calculated does not match the signature you provided. ' +
      'Check your AWS Secret Access Key and signing method. ' +
      'Consult the service documentation for details.',
  }),
  BODY_HASH_MISMATCH: () => ({
    name: 'InvalidSignatureException',
    status: 403,
    message: 'The request body does not match x-amz-content-sha256',
  }),
  JSON_INVALID: serializationFault,
  JSON_TOO_DEEP: serializationFault,
  BASE64_INVALID: serializationFault,
  PATH_INVALID: serializationFault,
  CHUNKS_INVALID: serializationFault,
  // Policies are read at start, not in requests.
  POLICY_INVALID: undefined,
}

function serializationFault(_: unknown, error: BaseError<Coded>): Fault {
  return { name: 'SerializationException', status: 400, message: error.message }
}

function longDate(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}
