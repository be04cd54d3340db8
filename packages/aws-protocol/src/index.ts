/** `@cairn/aws-protocol`: how AWS clients talk over HTTP: SigV4, JSON 1.0, REST-JSON, fault shapes. Node only. */

// ---- signatures ----
export { type Authorizer, allowAll, anonymous, type Identity } from './authorizer.ts'
// ---- bodies and paths ----
export { decodeAwsChunked } from './aws-chunked.ts'
export { decodeBase64, encodeBase64 } from './base64.ts'
export { AwsProtocolError, type AwsProtocolErrorType } from './errors.ts'
export {
  type Fault,
  json10ContentType,
  json10Fault,
  restJsonContentType,
  restJsonFault,
} from './faults.ts'
// ---- requests ----
export { type HeaderFields, type HttpRequest, type HttpResponse, headerOf } from './http.ts'
export { isRecord, jsonDepthMax, parseJsonBody } from './json-body.ts'
export { createPolicyAuthorizer, isAllowedBy, type Policy, parsePolicy } from './policy.ts'
export { createRouter, parseQuery, type Route, type RouteMatch, type Router } from './router.ts'
export { type RequestToSign, signRequest } from './sign-request.ts'
export { createSigner, deriveSigningKey, type Signer } from './signature-v4.ts'
export { signedServiceOf } from './signed-service.ts'
export { fromEpochSeconds, toEpochSeconds } from './timestamps.ts'
export {
  type AccessKey,
  createSignatureVerifier,
  type SignatureVerifier,
  type SignatureVerifierOptions,
  signatureSkewMsMax,
  unsignedPayloads,
  type VerifiedSignature,
} from './verify-request.ts'
