/** The base of every error family: a closed union keyed by `code`, with the facts as typed fields. */

export interface ErrorDetails {
  /** One sentence: what happened. */
  readonly shortMessage: string
  /** The values at hand, then what the reader can do. */
  readonly metaMessages?: readonly string[]
  /** Page and anchor below `docs/`. */
  readonly docsPath?: string
  readonly cause?: unknown
}

/**
 * An error that the world may cause. `data` holds the facts, `message` is made for people.
 * Secrets, keys and document contents never enter a message.
 */
export abstract class BaseError<T extends { readonly code: string }> extends Error {
  readonly data: T
  readonly shortMessage: string
  readonly docsPath: string | undefined

  constructor(data: T, details: ErrorDetails) {
    const lines = [details.shortMessage, ...(details.metaMessages ?? [])]
    super(lines.join('\n'), details.cause === undefined ? undefined : { cause: details.cause })
    this.data = data
    this.shortMessage = details.shortMessage
    this.docsPath = details.docsPath
  }

  get code(): T['code'] {
    return this.data.code
  }
}
