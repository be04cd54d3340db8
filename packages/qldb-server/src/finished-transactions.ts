/**
 * Commits of the last minutes with their answers, so that a repeated CommitTransaction of the same transaction and
 * digest gets the first answer instead of another error (qldb-compat 6). Failures too: a client that hears "not open"
 * takes the commit for one that never was. Bounded by count and by age, in memory only.
 */
import { type Clock, equalBytes } from '@cairn/core'
import { FifoMap } from './fifo-map.ts'

/** The body of the answer, or what the commit was refused with. */
export type Outcome = { readonly answer: string } | { readonly error: unknown }

interface FinishedTransaction {
  /** Whose it was: the same identity on the same ledger may ask again. */
  readonly owner: string
  readonly digest: Uint8Array
  readonly outcome: Outcome
  readonly finishedMs: number
}

export class FinishedTransactions {
  readonly #clock: Clock
  readonly #countMax: number
  readonly #msMax: number
  readonly #byId = new FifoMap<FinishedTransaction>()

  constructor(clock: Clock, countMax: number, msMax: number) {
    this.#clock = clock
    this.#countMax = countMax
    this.#msMax = msMax
  }

  remember(transactionId: string, owner: string, digest: Uint8Array, outcome: Outcome): void {
    const nowMs = this.#clock.nowMs()
    this.#byId.set(transactionId, { owner, digest, outcome, finishedMs: nowMs })
    for (let it = this.#byId.oldest(); it !== undefined; it = this.#byId.oldest()) {
      if (this.#byId.size <= this.#countMax && nowMs - it.value.finishedMs <= this.#msMax) break
      this.#byId.delete(it.key)
    }
  }

  outcomeOf(transactionId: string, owner: string, digest: Uint8Array): Outcome | undefined {
    const finished = this.#byId.get(transactionId)
    if (finished === undefined || finished.owner !== owner) return undefined
    if (this.#clock.nowMs() - finished.finishedMs > this.#msMax) return undefined
    return equalBytes(finished.digest, digest) ? finished.outcome : undefined
  }
}
