/**
 * Answers by idempotency key, so that a repeated request gets the first answer instead of a second transaction.
 * In memory: bounded by age, count and length, the oldest first; a restart forgets. Failures are not kept: nothing was
 * committed, and the repeated request may do better.
 */
import type { Clock } from '@cairn/core'
import { serverError } from '../errors.ts'
import { FifoMap } from '../fifo-map.ts'

export interface IdempotencyLimits {
  readonly idempotencyMsMax: number
  readonly idempotencyCountMax: number
  /** Characters of all answers together. */
  readonly idempotencyLengthMax: number
}

interface UnderWay {
  /** Of the request that came first. */
  readonly bodyHash: string
  readonly answer: Promise<string>
}

interface Answered {
  readonly bodyHash: string
  readonly startedMs: number
  readonly answer: string
}

export class IdempotencyTable {
  readonly #clock: Clock
  readonly #limits: IdempotencyLimits
  /** Each ends in the life of a transaction; none is forgotten before. */
  readonly #underWay = new Map<string, UnderWay>()
  readonly #answered = new FifoMap<Answered>()
  #length = 0

  constructor(clock: Clock, limits: IdempotencyLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get count(): number {
    return this.#underWay.size + this.#answered.size
  }

  /**
   * The answer of `run`, which is called when the key is new. Who comes while it runs waits, and shares its outcome.
   * @param key Whose and which.
   * @throws QldbServerError IDEMPOTENCY_KEY_REUSED when the first request had another body; what `run` throws.
   */
  async once(key: string, bodyHash: string, run: () => Promise<string>): Promise<string> {
    this.#forgetOld()
    const known = this.#underWay.get(key) ?? this.#answered.get(key)
    if (known !== undefined) {
      if (known.bodyHash === bodyHash) return known.answer
      throw serverError(
        { code: 'IDEMPOTENCY_KEY_REUSED' },
        'Another request was made with this idempotency key.',
      )
    }
    const running = run()
    const startedMs = this.#clock.nowMs()
    this.#underWay.set(key, { bodyHash, answer: running })
    try {
      const answer = await running
      this.#answered.set(key, { bodyHash, startedMs, answer })
      this.#length += answer.length
      return answer
    } finally {
      this.#underWay.delete(key)
    }
  }

  #forgetOld(): void {
    const { idempotencyMsMax, idempotencyCountMax, idempotencyLengthMax } = this.#limits
    const oldestMs = this.#clock.nowMs() - idempotencyMsMax
    for (let it = this.#answered.oldest(); it !== undefined; it = this.#answered.oldest()) {
      const isTooMuch = this.count >= idempotencyCountMax || this.#length > idempotencyLengthMax
      if (it.value.startedMs > oldestMs && !isTooMuch) return
      this.#answered.delete(it.key)
      this.#length -= it.value.answer.length
    }
  }
}
