/** `@cairn/aws-protocol`: how AWS clients talk over HTTP: SigV4, JSON 1.0, REST-JSON, fault shapes. Node only. */

export { AwsProtocolError, type AwsProtocolErrorType } from './errors.ts'
// ---- requests ----
export { type HeaderFields, type HttpRequest, type HttpResponse, headerOf } from './http.ts'
// ---- signatures ----
export { type RequestToSign, signRequest } from './sign-request.ts'
export {
  type AccessKey,
  createSignatureVerifier,
  type SignatureVerifier,
  type SignatureVerifierOptions,
  signatureSkewMsMax,
  type VerifiedSignature,
} from './verify-request.ts'
