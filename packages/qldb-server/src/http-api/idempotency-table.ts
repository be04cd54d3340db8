/**
 * Answers by idempotency key, so that a repeated request gets the first answer instead of a second transaction.
 * In memory: bounded by age, count and length, the oldest first; a restart forgets. Failures are not kept: nothing was
 * committed, and the repeated request may do better.
 */
import type { Clock } from '@cairn/core'
import { serverError } from '../errors.ts'

export interface IdempotencyLimits {
  readonly idempotencyMsMax: number
  readonly idempotencyCountMax: number
  /** Characters of all answers together. */
  readonly idempotencyLengthMax: number
}

interface Entry {
  /** Of the request that came first. */
  readonly bodyHash: string
  readonly startedMs: number
  /** While it is under way. */
  pending: Promise<string> | undefined
  answer: string
}

export class IdempotencyTable {
  readonly #clock: Clock
  readonly #limits: IdempotencyLimits
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>()
  #length = 0

  constructor(clock: Clock, limits: IdempotencyLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get count(): number {
    return this.#entries.size
  }

  /**
   * The answer of `run`, which is called when the key is new. Who comes while it runs waits, and shares its outcome.
   * @param key Whose and which.
   * @throws QldbServerError IDEMPOTENCY_KEY_REUSED when the first request had another body; what `run` throws.
   */
  async once(key: string, bodyHash: string, run: () => Promise<string>): Promise<string> {
    this.#forgetOld()
    const known = this.#entries.get(key)
    if (known !== undefined) {
      if (known.bodyHash === bodyHash) return known.pending ?? known.answer
      throw serverError(
        { code: 'IDEMPOTENCY_KEY_REUSED' },
        'Another request was made with this idempotency key.',
      )
    }
    const pending = run()
    const startedMs = this.#clock.nowMs()
    const entry: Entry = { bodyHash, startedMs, pending, answer: '' }
    this.#entries.set(key, entry)
    try {
      entry.answer = await pending
    } catch (error) {
      this.#entries.delete(key)
      throw error
    }
    entry.pending = undefined
    this.#length += entry.answer.length
    return entry.answer
  }

  #forgetOld(): void {
    const { idempotencyMsMax, idempotencyCountMax, idempotencyLengthMax } = this.#limits
    const oldestMs = this.#clock.nowMs() - idempotencyMsMax
    for (const [key, entry] of this.#entries) {
      const isTooMuch =
        this.#entries.size >= idempotencyCountMax || this.#length > idempotencyLengthMax
      // One under way ends in the life of a transaction; it is not forgotten before.
      if (entry.pending !== undefined) continue
      if (entry.startedMs > oldestMs && !isTooMuch) return
      this.#entries.delete(key)
      this.#length -= entry.answer.length
    }
  }
}
