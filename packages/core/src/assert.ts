/** Assertions about our own reasoning. They stay on in production: a ledger stops rather than guess. */

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/**
 * Throws when `condition` is false. For facts that only a bug in Cairn can break; what the world may do is an error.
 * @throws AssertionError
 */
export function assert(condition: boolean, message = 'assertion failed'): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Closes a union: reaching it means that a member was added and a place that must know it was not told. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected member: ${JSON.stringify(value)}`)
}
