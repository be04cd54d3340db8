/**
 * The pool as the thread that executes knows it: what may be executed, told by the pool on the other thread. It is a
 * little behind, and never ahead; what a block has taken leaves at once, so that none is tried twice.
 */
import { dataToHex, type StateReader, transactionHash } from '@cairn/eth-codec'
import type { BlocksChange } from '../chain.ts'
import { TransactionSelection } from '../pool/selection.ts'
import type { PendingTransaction } from '../sealer/candidate.ts'
import type { PendingTransactions } from '../sealer/sealer.ts'

interface Waiting extends PendingTransaction {
  /** Counts up as they arrive. */
  readonly arrival: number
}

export class ExecutableTransactions implements PendingTransactions {
  readonly #headState: () => StateReader
  readonly #byHash = new Map<string, Waiting>()
  /** By sender, then by nonce. */
  readonly #bySender = new Map<string, Map<bigint, Waiting>>()
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

  remove(hash: string): void {
    const waiting = this.#byHash.get(hash)
    if (waiting === undefined) return
    this.#byHash.delete(hash)
    const sender = dataToHex(waiting.sender)
    const own = this.#bySender.get(sender)
    const { nonce } = waiting.transaction
    if (own?.get(nonce) === waiting) own.delete(nonce)
    if (own?.size === 0) this.#bySender.delete(sender)
  }

  /** The head has moved: what a block has taken leaves, and what one had that left may be executed again. */
  follow({ removed, added }: BlocksChange): void {
    for (const { block, senders } of removed) {
      for (const [index, transaction] of block.transactions.entries()) {
        const hash = dataToHex(transactionHash(transaction))
        this.#put({ transaction, hash, sender: senders[index] as Uint8Array })
      }
    }
    for (const { block, senders } of added) {
      for (const [index, { nonce }] of block.transactions.entries()) {
        // Whichever the block has at that nonce, no other can follow.
        const own = this.#bySender.get(dataToHex(senders[index] as Uint8Array))
        const waiting = own?.get(nonce)
        if (waiting !== undefined) this.remove(waiting.hash)
      }
    }
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

  #put(transaction: PendingTransaction): void {
    const { hash, sender } = transaction
    if (this.#byHash.has(hash)) return
    const waiting = { ...transaction, arrival: this.#arrivals++ }
    const name = dataToHex(sender)
    let own = this.#bySender.get(name)
    if (own === undefined) {
      own = new Map()
      this.#bySender.set(name, own)
    }
    const { nonce } = transaction.transaction
    const replaced = own.get(nonce)
    if (replaced !== undefined) this.#byHash.delete(replaced.hash)
    own.set(nonce, waiting)
    this.#byHash.set(hash, waiting)
  }

  /** Of one sender, from its account's nonce on without a gap. What is below the nonce leaves. */
  #executableOf(own: Map<bigint, Waiting>, state: StateReader): Waiting[] {
    const [first] = own.values()
    if (first === undefined) return []
    const nonce = state.readAccount(first.sender)?.nonce ?? 0n
    for (const waiting of [...own.values()]) {
      if (waiting.transaction.nonce < nonce) this.remove(waiting.hash)
    }
    const executable: Waiting[] = []
    for (let at = nonce, next = own.get(at); next !== undefined; next = own.get(++at)) {
      executable.push(next)
    }
    return executable
  }
}
