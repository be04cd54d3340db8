/** An HTTP request and its answer as plain records, so that protocols do not depend on what reads the socket. */

/** Field names in lower case. Several lines of one name may be a list, or joined by `, ` (RFC 9110 5.3). */
export type HeaderFields = Readonly<Record<string, string | readonly string[] | undefined>>

export interface HttpRequest {
  readonly method: string
  /** As received: percent-encoded, without the query. Begins with `/`. */
  readonly path: string
  /** As received, without the `?`; empty when there is none. */
  readonly query: string
  readonly headers: HeaderFields
  readonly body: Uint8Array
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The text of a header, or undefined. Guards against names that every object answers to, such as `constructor`. */
export function headerOf(headers: HeaderFields, name: string): string | undefined {
  const value: unknown = headers[name]
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.join(', ') : undefined
}
