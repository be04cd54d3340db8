/** From error codes to what clients of S3, STS and IAM see: code, HTTP status, message, in XML. */
import { AwsProtocolError, type AwsProtocolErrorType } from '@cairn/aws-protocol'
import type { HttpResponse } from '@cairn/http-server'
import { AwsLocalError, type AwsLocalErrorType } from './errors.ts'
import { xmlContentType, xmlDocument } from './xml.ts'

export interface LocalFault {
  readonly status: number
  readonly code: string
  readonly message: string
}

export const internalFault: LocalFault = {
  status: 500,
  code: 'InternalFailure',
  message: 'The request failed because of an internal error.',
}

type StatusAndCode = readonly [status: number, code: string]

const localFaults: Readonly<Record<AwsLocalErrorType['code'], StatusAndCode>> = {
  BUCKET_NAME_INVALID: [400, 'InvalidBucketName'],
  BUCKET_NOT_FOUND: [404, 'NoSuchBucket'],
  BUCKET_LIMIT_EXCEEDED: [400, 'TooManyBuckets'],
  KEY_INVALID: [400, 'InvalidArgument'],
  KEY_NOT_FOUND: [404, 'NoSuchKey'],
  RANGE_INVALID: [416, 'InvalidRange'],
  ARGUMENT_INVALID: [400, 'InvalidArgument'],
  CHECKSUM_MISMATCH: [400, 'BadDigest'],
  ENTITY_EXISTS: [409, 'EntityAlreadyExists'],
  ENTITY_NOT_FOUND: [404, 'NoSuchEntity'],
  ENTITY_LIMIT_EXCEEDED: [409, 'LimitExceeded'],
  INPUT_INVALID: [400, 'ValidationError'],
  OPERATION_UNKNOWN: [501, 'NotImplemented'],
  ACCESS_DENIED: [403, 'AccessDenied'],
  BODY_TOO_LARGE: [400, 'EntityTooLarge'],
  OVERLOADED: [503, 'SlowDown'],
}

/** Names of S3; STS and IAM know some by others, and their clients read the status. */
const protocolFaults: Readonly<Record<AwsProtocolErrorType['code'], StatusAndCode>> = {
  SIGNATURE_MISSING: [403, 'AccessDenied'],
  SIGNATURE_INCOMPLETE: [400, 'AuthorizationHeaderMalformed'],
  ACCESS_KEY_UNKNOWN: [403, 'InvalidAccessKeyId'],
  SIGNATURE_EXPIRED: [403, 'RequestTimeTooSkewed'],
  SIGNATURE_MISMATCH: [403, 'SignatureDoesNotMatch'],
  BODY_HASH_MISMATCH: [400, 'XAmzContentSHA256Mismatch'],
  JSON_INVALID: [400, 'InvalidRequest'],
  JSON_TOO_DEEP: [400, 'InvalidRequest'],
  BASE64_INVALID: [400, 'InvalidRequest'],
  PATH_INVALID: [400, 'InvalidURI'],
  CHUNKS_INVALID: [400, 'IncompleteBody'],
  POLICY_INVALID: [400, 'MalformedPolicyDocument'],
}

/** @returns undefined for an internal error: answer `internalFault`, and log. */
export function localFaultOf(error: unknown): LocalFault | undefined {
  if (error instanceof AwsLocalError) return faultOf(localFaults[error.code], error.message)
  if (error instanceof AwsProtocolError) return faultOf(protocolFaults[error.code], error.message)
  return undefined
}

function faultOf([status, code]: StatusAndCode, message: string): LocalFault {
  return { status, code, message }
}

export function s3Fault({ status, code, message }: LocalFault, requestId: string): HttpResponse {
  const content = { Code: code, Message: message, RequestId: requestId }
  return xmlResponse(status, xmlDocument('Error', content), requestId)
}

export function queryFault({ status, code, message }: LocalFault, requestId: string): HttpResponse {
  const type = status < 500 ? 'Sender' : 'Receiver'
  const content = { Error: { Type: type, Code: code, Message: message }, RequestId: requestId }
  return xmlResponse(status, xmlDocument('ErrorResponse', content), requestId)
}

function xmlResponse(status: number, body: string, requestId: string): HttpResponse {
  return {
    status,
    headers: {
      'content-type': xmlContentType,
      'x-amz-request-id': requestId,
      'x-amzn-RequestId': requestId,
    },
    body,
  }
}
