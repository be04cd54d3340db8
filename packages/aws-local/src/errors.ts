/** What a request to the local S3, STS and IAM may do wrong. What clients see of it: faults.ts. */
import { BaseError } from '@cairn/core'

export type AwsLocalErrorType =
  // ---- S3 ----
  | { readonly code: 'BUCKET_NAME_INVALID'; readonly bucket: string }
  | { readonly code: 'BUCKET_NOT_FOUND'; readonly bucket: string }
  | { readonly code: 'BUCKET_LIMIT_EXCEEDED'; readonly bucketCountMax: number }
  /** A key that would be no path below its bucket, or one through an object. */
  | { readonly code: 'KEY_INVALID'; readonly key: string }
  | { readonly code: 'KEY_NOT_FOUND'; readonly key: string }
  | { readonly code: 'RANGE_INVALID' }
  | { readonly code: 'ARGUMENT_INVALID'; readonly argument: string }
  | { readonly code: 'CHECKSUM_MISMATCH'; readonly algorithm: string }
  // ---- IAM ----
  | { readonly code: 'ENTITY_EXISTS'; readonly name: string }
  | { readonly code: 'ENTITY_NOT_FOUND'; readonly name: string }
  | { readonly code: 'ENTITY_LIMIT_EXCEEDED'; readonly countMax: number }
  | { readonly code: 'INPUT_INVALID'; readonly member: string }
  // ---- all ----
  | { readonly code: 'OPERATION_UNKNOWN' }
  | { readonly code: 'ACCESS_DENIED'; readonly action: string; readonly resource: string }
  | { readonly code: 'BODY_TOO_LARGE' }
  | { readonly code: 'OVERLOADED' }

export class AwsLocalError extends BaseError<AwsLocalErrorType> {
  override readonly name = 'AwsLocalError'
}

export function localError(data: AwsLocalErrorType, shortMessage: string): AwsLocalError {
  return new AwsLocalError(data, { shortMessage })
}
