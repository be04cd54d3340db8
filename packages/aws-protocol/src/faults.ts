/**
 * Fault bodies of AWS JSON 1.0 and REST-JSON. The header names the exception in both.
 * A body never has a member `Code`: the SDK would take it for the exception's name (qldb-compat 1.7).
 */
import type { HttpResponse } from './http.ts'

export interface Fault {
  /** The exception's name without a namespace, such as `BadRequestException`. */
  readonly name: string
  readonly status: number
  readonly message: string
  /** Further members of the exception, such as `ResourceName`. Never `Code`. */
  readonly details?: Readonly<Record<string, string>>
}

export const json10ContentType = 'application/x-amz-json-1.0'
export const restJsonContentType = 'application/json'

export function json10Fault(fault: Fault): HttpResponse {
  return {
    status: fault.status,
    headers: { 'content-type': json10ContentType, 'x-amzn-ErrorType': fault.name },
    body: JSON.stringify({ __type: fault.name, Message: fault.message, ...fault.details }),
  }
}

export function restJsonFault(fault: Fault): HttpResponse {
  return {
    status: fault.status,
    headers: { 'content-type': restJsonContentType, 'x-amzn-ErrorType': fault.name },
    body: JSON.stringify({ Message: fault.message, ...fault.details }),
  }
}
