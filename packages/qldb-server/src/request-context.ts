/** What is known of a request while it is answered, for logs, metrics and traces. */

export interface RequestContext {
  readonly requestId: string
  /** As in the API: `ExecuteStatement`; `unknown` until it is known. From a closed set, never text of a client. */
  operation: string
  ledgerName: string | undefined
}
