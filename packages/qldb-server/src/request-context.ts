/** What is known of a request while it is answered, for logs, metrics and traces. */

/** `busy`: nothing new is begun. `full`: only what lets go of something is done. */
export type Load = 'free' | 'busy' | 'full'

export interface RequestContext {
  readonly requestId: string
  /** As in the API: `ExecuteStatement`; `unknown` until it is known. From a closed set, never text of a client. */
  operation: string
  ledgerName: string | undefined
  readonly load: Load
}
