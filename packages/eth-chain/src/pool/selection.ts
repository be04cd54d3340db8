/**
 * Pending transactions in the order in which a sealer takes them: by what they earn it, each sender's in the order of
 * nonces, and earlier arrivals first where they earn the same.
 */
import { effectiveTip, type Transaction } from '@cairn/eth-codec'
import { Heap } from './heap.ts'

/** What is chosen from. */
export interface Selectable {
  readonly transaction: Transaction
  /** Counts up as they arrive. */
  readonly arrival: number
}

interface Candidate<T extends Selectable> {
  readonly pooled: T
  readonly tip: bigint
  readonly rest: readonly T[]
  readonly index: number
}

export class TransactionSelection<T extends Selectable> {
  readonly #baseFee: bigint
  readonly #heap: Heap<Candidate<T>>

  /** @param senders For each sender its pending transactions in order. */
  constructor(senders: readonly (readonly T[])[], baseFee: bigint) {
    this.#baseFee = baseFee
    const candidates = senders.flatMap((rest) => this.#candidate(rest, 0) ?? [])
    this.#heap = new Heap(compareCandidates, candidates)
  }

  /** The next one to take; undefined when there is none. */
  peek(): T | undefined {
    return this.#heap.peek()?.pooled
  }

  /** The next one was taken: its sender's next is a candidate now. */
  take(): void {
    const top = this.#heap.peek()
    if (top === undefined) return
    const next = this.#candidate(top.rest, top.index + 1)
    if (next === undefined) this.#heap.pop()
    else this.#heap.replaceTop(next)
  }

  /** The next one does not fit or failed: nothing more of its sender. */
  skipSender(): void {
    this.#heap.pop()
  }

  /** Undefined when it is not worth the base fee: then nothing behind it can be taken either. */
  #candidate(rest: readonly T[], index: number): Candidate<T> | undefined {
    const pooled = rest[index]
    if (pooled === undefined) return undefined
    const tip = effectiveTip(pooled.transaction, this.#baseFee)
    return tip < 0n ? undefined : { pooled, tip, rest, index }
  }
}

function compareCandidates(a: Candidate<Selectable>, b: Candidate<Selectable>): number {
  if (a.tip !== b.tip) return a.tip > b.tip ? -1 : 1
  return a.pooled.arrival - b.pooled.arrival
}
