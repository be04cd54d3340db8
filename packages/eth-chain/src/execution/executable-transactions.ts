/**
 * The pool as the thread that executes knows it: what may be executed, told by the pool on the other thread. It is a
 * little behind, and never ahead; what a block has taken leaves at once, so that none is tried twice.
 */
import { type StateReader, type Transaction, textOfBytes, transactionHash } from '@cairn/eth-codec'
import type { BlocksChange } from '../chain.ts'
import { TransactionSelection } from '../pool/selection.ts'
import type { PendingTransaction } from '../sealer/candidate.ts'
import type { PendingTransactions } from '../sealer/sealer.ts'

interface Waiting extends PendingTransaction {
  readonly key: string
  readonly sender: Uint8Array
  /** The sender's, by nonce. */
  readonly own: SenderQueue
  /** Counts up as they arrive. */
  readonly arrival: number
}

interface SenderQueue {
  readonly key: string
  readonly byNonce: Map<bigint, Waiting>
}

export class ExecutableTransactions implements PendingTransactions {
  readonly #headState: () => StateReader
  readonly #byHash = new Map<string, Waiting>()
  /** Blocks that were made of what waits here have the same objects. */
  readonly #byTransaction = new Map<Transaction, Waiting>()
  readonly #bySender = new Map<string, SenderQueue>()
  readonly #listeners = new Set<(transaction: PendingTransaction) => void>()
  #arrivals = 0

  constructor(headState: () => StateReader) {
    this.#headState = headState
  }

  get count(): number {
    return this.#byHash.size
  }

  add(transactions: readonly PendingTransaction[]): void {
    for (const transaction of transactions) this.#put(transaction)
    for (const transaction of transactions) {
      for (const listener of this.#listeners) listener(transaction)
    }
  }

  /** @param hash 32 bytes. */
  remove(hash: Uint8Array): void {
    const waiting = this.#byHash.get(textOfBytes(hash))
    if (waiting !== undefined) this.#remove(waiting)
  }

  /** The head has moved: what a block has taken leaves, and what one had that left may be executed again. */
  follow({ removed, added }: BlocksChange): void {
    for (const { block, senders } of removed) {
      for (const [index, transaction] of block.transactions.entries()) {
        this.#put({ transaction, sender: senders[index] as Uint8Array })
      }
    }
    for (const { block, senders } of added) {
      if (this.count === 0) return
      for (const [index, transaction] of block.transactions.entries()) {
        const waiting =
          this.#byTransaction.get(transaction) ??
          // Whichever the block has at that nonce, no other can follow.
          this.#at(senders[index] as Uint8Array, transaction.nonce)
        if (waiting !== undefined) this.#remove(waiting)
      }
    }
  }

  hasAny(): boolean {
    return this.count > 0
  }

  select(baseFee: bigint): TransactionSelection<Waiting> {
    const senders: Waiting[][] = []
    const state = this.#headState()
    for (const own of [...this.#bySender.values()]) {
      const executable = this.#executableOf(own, state)
      if (executable.length > 0) senders.push(executable)
    }
    return new TransactionSelection(senders, baseFee)
  }

  onExecutable(listener: (transaction: PendingTransaction) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #at(sender: Uint8Array, nonce: bigint): Waiting | undefined {
    return this.#bySender.get(textOfBytes(sender))?.byNonce.get(nonce)
  }

  #put({ transaction, sender }: PendingTransaction): void {
    const key = textOfBytes(transactionHash(transaction))
    if (this.#byHash.has(key)) return
    const own = this.#queueOf(sender)
    const replaced = own.byNonce.get(transaction.nonce)
    if (replaced !== undefined) this.#forget(replaced)
    const waiting = { transaction, sender, key, own, arrival: this.#arrivals++ }
    own.byNonce.set(transaction.nonce, waiting)
    this.#byHash.set(key, waiting)
    this.#byTransaction.set(transaction, waiting)
  }

  #queueOf(sender: Uint8Array): SenderQueue {
    const key = textOfBytes(sender)
    let own = this.#bySender.get(key)
    if (own === undefined) {
      own = { key, byNonce: new Map() }
      this.#bySender.set(key, own)
    }
    return own
  }

  #remove(waiting: Waiting): void {
    const { own, transaction } = waiting
    own.byNonce.delete(transaction.nonce)
    if (own.byNonce.size === 0) this.#bySender.delete(own.key)
    this.#forget(waiting)
  }

  #forget({ key, transaction }: Waiting): void {
    this.#byHash.delete(key)
    this.#byTransaction.delete(transaction)
  }

  /** Of one sender, from its account's nonce on without a gap. What is below the nonce leaves. */
  #executableOf({ byNonce }: SenderQueue, state: StateReader): Waiting[] {
    const [first] = byNonce.values()
    if (first === undefined) return []
    const nonce = state.readAccount(first.sender)?.nonce ?? 0n
    const executable: Waiting[] = []
    for (let at = nonce, next = byNonce.get(at); next !== undefined; next = byNonce.get(++at)) {
      executable.push(next)
    }
    if (executable.length === byNonce.size) return executable
    for (const waiting of [...byNonce.values()]) {
      if (waiting.transaction.nonce < nonce) this.#remove(waiting)
    }
    return executable
  }
}
