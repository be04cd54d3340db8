/**
 * Keeps the thread that executes informed of what the pool has to be executed: everything at first, then what comes and
 * goes, one message for each turn of the event loop. When the other thread is busy, what comes waits here as what it is
 * in the pool already, and goes in larger messages.
 */
import type { PooledTransaction } from '../pool/pooled-transaction.ts'
import type { TransactionPool } from '../pool/transaction-pool.ts'
import { packedSize, packHashes, packTransactions } from './packed-transactions.ts'

/** Bytes of one message: some thousand transfers, which take the other thread 50 ms to execute. */
const messageBytesMax = 256 * 1024
/** On their way and not dealt with: one is being executed, the next is there when it has been. */
const messageCountMax = 2

export interface FeedMessage {
  readonly added: Uint8Array<ArrayBuffer>
  /** To be removed before the others are added. */
  readonly gone: Uint8Array<ArrayBuffer>
}

export class TransactionFeed {
  readonly #send: (message: FeedMessage) => void
  /** Not sent yet. No more than the pool holds. */
  readonly #waiting = new Map<string, PooledTransaction>()
  /** Sent, and in the pool. */
  readonly #sent = new Set<string>()
  /** Sent, and then not in the pool any more though no block has them; they may have come again, and wait. */
  readonly #gone = new Set<string>()
  readonly #unsubscribe: () => void
  #underWay = 0
  #isScheduled = false
  #isOver = false

  constructor(pool: TransactionPool, send: (message: FeedMessage) => void) {
    this.#send = send
    for (const { pending } of pool.content().values()) this.#add(pending)
    this.#unsubscribe = pool.subscribe({
      pending: (transactions) => this.#add(transactions),
      dropped: (transactions, reason) => {
        for (const { hash } of transactions) this.#drop(hash, reason !== 'included')
      },
    })
  }

  /** Sends what is there, as far as the other thread keeps up. */
  flush(): void {
    while (this.#underWay < messageCountMax && this.#waiting.size + this.#gone.size > 0) {
      this.#sendSome()
    }
  }

  /** The other thread has dealt with a message, maybe with one from before this feed. */
  taken(): void {
    this.#underWay = Math.max(0, this.#underWay - 1)
    this.#schedule()
  }

  close(): void {
    this.#isOver = true
    this.#unsubscribe()
  }

  #add(transactions: readonly PooledTransaction[]): void {
    for (const pooled of transactions) {
      // What waited for a gap to fill is announced again, and is known there.
      if (this.#sent.has(pooled.hash)) continue
      this.#waiting.set(pooled.hash, pooled)
    }
    this.#schedule()
  }

  /** @param isTold A block that has it tells the other thread as much. */
  #drop(hash: string, isTold: boolean): void {
    this.#waiting.delete(hash)
    if (!this.#sent.delete(hash) || !isTold) return
    this.#gone.add(hash)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isOver) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (!this.#isOver) this.flush()
    })
  }

  #sendSome(): void {
    const transactions: PooledTransaction[] = []
    let size = 0
    for (const pooled of this.#waiting.values()) {
      size += packedSize(pooled)
      if (size > messageBytesMax && transactions.length > 0) break
      transactions.push(pooled)
      this.#waiting.delete(pooled.hash)
      this.#sent.add(pooled.hash)
    }
    const gone = packHashes(this.#gone)
    this.#gone.clear()
    this.#underWay++
    this.#send({ added: packTransactions(transactions), gone })
  }
}
