/** Which service a request was signed for, read without checking anything: services share one address. */
import { type HttpRequest, headerOf } from './http.ts'

const scopePattern = /^AWS4-HMAC-SHA256 +Credential=[^/,\s]+\/\d{8}\/[^/,\s]+\/([a-z0-9-]{1,64})\//

/** The name in the scope of the credential, such as `s3`; undefined without a signature. */
export function signedServiceOf(request: Pick<HttpRequest, 'headers'>): string | undefined {
  const header = headerOf(request.headers, 'authorization')
  return header === undefined ? undefined : scopePattern.exec(header)?.[1]
}
