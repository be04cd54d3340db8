/** What may be wrong with a request before its operation is looked at: its signature, its body, its path. */
import { BaseError } from '@cairn/core'

export type AwsProtocolErrorType =
  // ---- signature ----
  | { readonly code: 'SIGNATURE_MISSING' }
  /** The Authorization header, or a header that must be signed, is absent or malformed. */
  | { readonly code: 'SIGNATURE_INCOMPLETE'; readonly part: string }
  | { readonly code: 'ACCESS_KEY_UNKNOWN' }
  | {
      readonly code: 'SIGNATURE_EXPIRED'
      readonly signedMs: number
      readonly nowMs: number
      readonly skewMsMax: number
    }
  | { readonly code: 'SIGNATURE_MISMATCH' }
  /** The body is not the one that `x-amz-content-sha256` names. */
  | { readonly code: 'BODY_HASH_MISMATCH' }
  // ---- body and path ----
  | { readonly code: 'JSON_INVALID' }
  | { readonly code: 'JSON_TOO_DEEP'; readonly depthMax: number }
  | { readonly code: 'BASE64_INVALID' }
  | { readonly code: 'PATH_INVALID' }
  | { readonly code: 'CHUNKS_INVALID' }
  // ---- policies ----
  | { readonly code: 'POLICY_INVALID'; readonly reason: string }

export class AwsProtocolError extends BaseError<AwsProtocolErrorType> {
  override readonly name = 'AwsProtocolError'
}
