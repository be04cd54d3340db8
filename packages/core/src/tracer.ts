/** Traces as an interface, implemented in `apps/` over an API that may or may not be listened to. */

export interface Span {
  set(name: string, value: string | number): void
  /** @param error Marks the span as failed; its message must hold no secrets and no documents. */
  end(error?: string): void
}

export interface Tracer {
  /**
   * Begins the span of a request.
   * @param headers Of the request, for the trace that it belongs to.
   */
  startRequest(name: string, headers: Readonly<Record<string, unknown>>): Span
}
