/**
 * The transactions of one sender by nonce. Those from the account's nonce on without a gap are pending: they can be
 * executed one after the other. The others are queued until the gap is filled.
 */
import type { PooledTransaction } from './pooled-transaction.ts'

export class AccountQueue {
  /** `0x` and 40 digits. */
  readonly from: string
  /** The account's nonce in the state at the head. */
  #nonce: bigint
  /** First nonce that is not pending. */
  #pendingEnd: bigint
  #pendingCost = 0n
  /** Some transaction came in over this node's own interfaces. */
  isLocal = false
  /** When a transaction of this sender last came in. */
  lastMs = 0
  readonly #byNonce = new Map<bigint, PooledTransaction>()

  constructor(from: string, nonce: bigint) {
    this.from = from
    this.#nonce = nonce
    this.#pendingEnd = nonce
  }

  get count(): number {
    return this.#byNonce.size
  }

  get pendingCount(): number {
    return Number(this.#pendingEnd - this.#nonce)
  }

  get queuedCount(): number {
    return this.count - this.pendingCount
  }

  /** The nonce of the next transaction that would be pending. */
  get nextNonce(): bigint {
    return this.#pendingEnd
  }

  /** Most that the pending transactions can take together, in wei. */
  get pendingCost(): bigint {
    return this.#pendingCost
  }

  get(nonce: bigint): PooledTransaction | undefined {
    return this.#byNonce.get(nonce)
  }

  isPending(nonce: bigint): boolean {
    return nonce >= this.#nonce && nonce < this.#pendingEnd
  }

  /** Pending transactions in order. @param from The first nonce wanted. */
  pending(from: bigint = this.#nonce): PooledTransaction[] {
    const transactions: PooledTransaction[] = []
    for (let nonce = from; nonce < this.#pendingEnd; nonce++) {
      transactions.push(this.#byNonce.get(nonce) as PooledTransaction)
    }
    return transactions
  }

  /** Queued transactions in order. */
  queued(): PooledTransaction[] {
    if (this.queuedCount === 0) return []
    return [...this.#byNonce.values()]
      .filter(({ transaction }) => !this.isPending(transaction.nonce))
      .sort((a, b) => (a.transaction.nonce < b.transaction.nonce ? -1 : 1))
  }

  all(): PooledTransaction[] {
    return [...this.#byNonce.values()]
  }

  /**
   * Puts a transaction at its nonce, in place of the one there. What it makes pending is pending at once.
   * @returns the nonce from which on transactions became pending; the queue's end when none did.
   */
  put(pooled: PooledTransaction): bigint {
    const { nonce } = pooled.transaction
    const old = this.#byNonce.get(nonce)
    this.#byNonce.set(nonce, pooled)
    if (old !== undefined && this.isPending(nonce)) {
      this.#pendingCost += pooled.cost - old.cost
      return this.#pendingEnd
    }
    return this.#extend()
  }

  /** Takes a transaction out; later ones that were pending are queued. */
  remove(nonce: bigint): void {
    if (this.isPending(nonce)) {
      for (let at = nonce; at < this.#pendingEnd; at++) {
        this.#pendingCost -= (this.#byNonce.get(at) as PooledTransaction).cost
      }
      this.#pendingEnd = nonce
    }
    this.#byNonce.delete(nonce)
  }

  /**
   * Follows the account to another state.
   * @param nonce The account's in it.
   * @param isKept Whether a transaction may stay; those below `nonce` may not.
   * @returns those that may not, taken out.
   */
  moveTo(nonce: bigint, isKept: (pooled: PooledTransaction) => boolean): PooledTransaction[] {
    const going = this.all().filter((pooled) => !isKept(pooled))
    for (const { transaction } of going) this.#byNonce.delete(transaction.nonce)
    this.#nonce = nonce
    this.#pendingEnd = nonce
    this.#pendingCost = 0n
    this.#extend()
    return going
  }

  #extend(): bigint {
    const start = this.#pendingEnd
    for (;;) {
      const next = this.#byNonce.get(this.#pendingEnd)
      if (next === undefined) return start
      this.#pendingCost += next.cost
      this.#pendingEnd++
    }
  }
}
