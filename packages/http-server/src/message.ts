/** A request that was received whole, and its answer, as plain records. */

/** Field names in lower case; several lines of one name are joined by `, ` (RFC 9110, 5.3). Without a prototype. */
export type HeaderFields = Readonly<Record<string, string | undefined>>

export interface HttpRequest {
  readonly method: string
  /** As received: percent-encoded, without the query. Begins with `/`, or is `*`. */
  readonly path: string
  /** As received, without the `?`; empty when there is none. */
  readonly query: string
  readonly headers: HeaderFields
  /** A view of what was received; nobody writes into it. */
  readonly body: Uint8Array
}

export interface HttpResponse {
  readonly status: number
  /** Without `content-length`, `connection` and `transfer-encoding`, which belong to the connection. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** Why a body was read and thrown away. */
export type Refusal = 'BODY_TOO_LARGE' | 'OVERLOADED'

/** What a connection asks for answers. */
export interface HttpHandler {
  /** Never rejects. */
  respond(request: HttpRequest): HttpResponse | Promise<HttpResponse>
  /** The answer to a request whose body was not kept; `request.body` is empty. */
  refuse(refusal: Refusal, request: HttpRequest): HttpResponse
  /** Answers then tell clients to leave. */
  readonly isClosing: boolean
}
