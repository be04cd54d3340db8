/**
 * The transaction pool: transactions that wait for a block (geth 1.13, core/txpool/legacypool, with its limits and
 * texts). Synchronous, so that out-of-order nonces from many connections meet in one place and none is lost: what was
 * taken leaves only by inclusion, replacement, expiry or an announced drop. Not here: the journal of local
 * transactions (pool-journal.ts), gossip.
 */
import { assert, type Clock } from '@cairn/core'
import { type Account, dataToHex } from '@cairn/eth-codec'
import type { PendingTransactions } from '../sealer/sealer.ts'
import { AccountQueue } from './account-queue.ts'
import { Heap } from './heap.ts'
import { PoolError, poolError } from './pool-error.ts'
import {
  compareWorth,
  costOf,
  type IncomingTransaction,
  type PooledTransaction,
  slotsOf,
} from './pooled-transaction.ts'
import { TransactionSelection } from './selection.ts'
import { checkAgainstAccount, checkIncoming, type PoolHead } from './validation.ts'

export interface PoolLimits {
  /** Pending transactions that each sender may have whatever the others do. `--txpool.accountslots` */
  readonly accountSlots: number
  /** Slots of pending transactions. `--txpool.globalslots` */
  readonly globalSlots: number
  /** Queued transactions of one sender. `--txpool.accountqueue` */
  readonly accountQueue: number
  /** Queued transactions. `--txpool.globalqueue` */
  readonly globalQueue: number
  /** How long queued transactions wait for the gap to fill. `--txpool.lifetime` */
  readonly lifetimeMs: number
  /** Least tip in wei of a transaction that is not local. `--txpool.pricelimit` */
  readonly priceLimitWei: bigint
  /** By how many per cent a replacement pays more, in fee and in tip. `--txpool.pricebump` */
  readonly priceBumpPercent: number
  /** Transactions taken over this node's own interfaces, which the limits above leave alone. geth has no bound. */
  readonly localCountMax: number
}

/** geth's defaults; the last is ours: 64 Ki transactions of some 1 KiB. */
export const poolLimitsDefault: PoolLimits = {
  accountSlots: 16,
  globalSlots: 5120,
  accountQueue: 64,
  globalQueue: 1024,
  lifetimeMs: 3 * 60 * 60 * 1000,
  priceLimitWei: 1n,
  priceBumpPercent: 10,
  localCountMax: 65_536,
}

export interface PoolOptions {
  readonly chainId: bigint
  readonly head: PoolHead
  readonly clock: Pick<Clock, 'nowMs'>
  readonly limits?: Partial<PoolLimits>
  /** Treats local transactions like all others. `--txpool.nolocals` */
  readonly noLocals?: boolean
}

/** Why a transaction left without being refused when it came. */
export type DropReason =
  /** A block has it, or another of the same sender and nonce. */
  | 'included'
  /** Its sender gave another for the same nonce that pays more. */
  | 'replaced'
  /** Its sender cannot pay for it any more, or it does not fit into a block. */
  | 'unpayable'
  /** The pool was full of better ones. */
  | 'underpriced'
  /** Its sender has too many, or too many wait for a gap to fill. */
  | 'truncated'
  | 'expired'

export interface PoolListener {
  /** A transaction was taken in, pending or queued. */
  accepted?(pooled: PooledTransaction): void
  /** Transactions that can be executed now, in order for each sender. */
  pending?(transactions: readonly PooledTransaction[]): void
  dropped?(transactions: readonly PooledTransaction[], reason: DropReason): void
}

export interface PoolContent {
  readonly pending: readonly PooledTransaction[]
  readonly queued: readonly PooledTransaction[]
}

export interface PoolStatus {
  readonly pending: number
  readonly queued: number
}

export class TransactionPool implements PendingTransactions {
  readonly #chainId: bigint
  readonly #clock: Pick<Clock, 'nowMs'>
  #limits: PoolLimits
  readonly #noLocals: boolean
  readonly #listeners = new Set<PoolListener>()
  readonly #accounts = new Map<string, AccountQueue>()
  readonly #byHash = new Map<string, PooledTransaction>()
  #head: PoolHead
  #slots = 0
  #localCount = 0
  #pendingCount = 0
  #queuedCount = 0
  #arrivals = 0
  /** The cheapest remote transactions first; made when the pool is full, dropped when the base fee moves. */
  #worst: Heap<PooledTransaction> | undefined

  constructor(options: PoolOptions) {
    this.#chainId = options.chainId
    this.#head = options.head
    this.#clock = options.clock
    this.#limits = { ...poolLimitsDefault, ...options.limits }
    this.#noLocals = options.noLocals ?? false
  }

  /** @returns a function that ends the subscription. Listeners are called before `add` and `reset` return. */
  subscribe(listener: PoolListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get head(): PoolHead {
    return this.#head
  }

  get limits(): PoolLimits {
    return this.#limits
  }

  /**
   * Sets the least tip of transactions that are not local, and drops those that wait and pay less.
   * @param wei As geth's miner.setGasPrice.
   */
  setPriceLimit(wei: bigint): void {
    const isRaised = wei > this.#limits.priceLimitWei
    this.#limits = { ...this.#limits, priceLimitWei: wei }
    if (!isRaised) return
    const changes = new Changes()
    for (const pooled of [...this.#byHash.values()]) {
      const isCheap = pooled.transaction.maxPriorityFeePerGas < wei
      if (isCheap && !pooled.isLocal) this.#remove(pooled, 'underpriced', changes)
    }
    this.#truncate(changes)
    this.#announce(changes)
  }

  status(): PoolStatus {
    return { pending: this.#pendingCount, queued: this.#queuedCount }
  }

  get(hash: string): PooledTransaction | undefined {
    return this.#byHash.get(hash)
  }

  /** The nonce for the next transaction of this sender, counting what is pending. */
  nextNonce(address: Uint8Array): bigint {
    const queue = this.#accounts.get(dataToHex(address))
    return queue?.nextNonce ?? this.#head.readAccount(address)?.nonce ?? 0n
  }

  /** By sender, `0x` and 40 digits. */
  content(): Map<string, PoolContent> {
    return new Map([...this.#accounts].map(([from, queue]) => [from, contentOf(queue)]))
  }

  contentFrom(address: Uint8Array): PoolContent {
    const queue = this.#accounts.get(dataToHex(address))
    return queue === undefined ? { pending: [], queued: [] } : contentOf(queue)
  }

  /** All that came in over this node's own interfaces: what the journal keeps. */
  locals(): PooledTransaction[] {
    return [...this.#byHash.values()].filter(({ isLocal }) => isLocal)
  }

  /** Calls back with each transaction that can be executed from now on. @returns what ends it. */
  onExecutable(listener: (transaction: PooledTransaction) => void): () => void {
    return this.subscribe({
      pending: (transactions) => {
        for (const transaction of transactions) listener(transaction)
      },
    })
  }

  /** Whether any can be executed now. */
  hasAny(): boolean {
    return this.#pendingCount > 0
  }

  /** What a sealer takes now, best first; later arrivals are announced to listeners. */
  select(baseFee: bigint = this.#head.baseFee): TransactionSelection<PooledTransaction> {
    const senders = [...this.#accounts.values()]
      .filter(({ pendingCount }) => pendingCount > 0)
      .map((queue) => queue.pending())
    return new TransactionSelection(senders, baseFee)
  }

  /**
   * Takes a transaction in.
   * @param isLocal It came over this node's own interfaces: no least tip, no limits but one of their own.
   * @throws PoolError when it is refused.
   */
  add(incoming: IncomingTransaction, isLocal: boolean): PooledTransaction {
    const changes = new Changes()
    const pooled = this.#add(incoming, this.#terms(isLocal), changes)
    this.#truncate(changes)
    this.#announce(changes)
    return pooled
  }

  /** Takes in many, as gossip brings them. @returns for each what {@link add} gives, or the error. */
  addMany(
    incoming: readonly IncomingTransaction[],
    isLocal: boolean,
  ): (PooledTransaction | PoolError)[] {
    const changes = new Changes()
    const terms = this.#terms(isLocal)
    const results = incoming.map((each) => this.#tryAdd(each, terms, changes))
    this.#truncate(changes)
    this.#announce(changes)
    return results
  }

  #terms(wantsLocal: boolean): Terms {
    const isLocal = wantsLocal && !this.#noLocals
    return { isLocal, tipMin: isLocal ? 0n : this.#limits.priceLimitWei }
  }

  #tryAdd(
    incoming: IncomingTransaction,
    terms: Terms,
    changes: Changes,
  ): PooledTransaction | PoolError {
    try {
      return this.#add(incoming, terms, changes)
    } catch (error) {
      if (error instanceof PoolError) return error
      throw error
    }
  }

  #add(
    incoming: IncomingTransaction,
    { isLocal, tipMin }: Terms,
    changes: Changes,
  ): PooledTransaction {
    if (this.#byHash.has(incoming.hash)) throw poolError('ALREADY_KNOWN')
    const head = this.#head
    const sender = checkIncoming(incoming, { head, chainId: this.#chainId, tipMin })
    const from = dataToHex(sender)
    const account = head.readAccount(sender)
    const known = this.#accounts.get(from)
    checkAgainstAccount(incoming.transaction, account, known)
    const pooled: PooledTransaction = {
      ...incoming,
      sender,
      from,
      cost: costOf(incoming.transaction),
      isLocal: isLocal || known?.isLocal === true,
      arrival: this.#arrivals,
    }
    const old = known?.get(incoming.transaction.nonce)
    if (old !== undefined) this.#checkReplacement(old, pooled)
    else this.#checkRoom(pooled, known, account, changes)
    this.#arrivals++
    this.#insert(pooled, account, old, changes)
    changes.accepted.push(pooled)
    return pooled
  }

  #checkReplacement(old: PooledTransaction, next: PooledTransaction): void {
    const percent = BigInt(100 + this.#limits.priceBumpPercent)
    const isMore = (a: bigint, b: bigint) => b > a && b >= (a * percent) / 100n
    const { maxFeePerGas, maxPriorityFeePerGas } = old.transaction
    if (
      isMore(maxFeePerGas, next.transaction.maxFeePerGas) &&
      isMore(maxPriorityFeePerGas, next.transaction.maxPriorityFeePerGas)
    ) {
      return
    }
    throw poolError('REPLACEMENT_UNDERPRICED', '', {
      facts: [
        `The pool has ${old.hash} with this nonce.`,
        `A replacement pays at least ${this.#limits.priceBumpPercent} % more, in fee and in tip.`,
      ],
    })
  }

  /** Makes room for a transaction at a nonce of its own, or refuses it. */
  #checkRoom(
    pooled: PooledTransaction,
    known: AccountQueue | undefined,
    account: Account | undefined,
    changes: Changes,
  ): void {
    if (pooled.isLocal) {
      if (this.#localCount < this.#limits.localCountMax) return
      throw poolError('POOL_FULL', '', {
        facts: [`${this.#localCount} local transactions wait.`, 'Send more when blocks have some.'],
      })
    }
    const { nonce } = pooled.transaction
    const isGapped = nonce > (known?.nextNonce ?? account?.nonce ?? 0n)
    if (isGapped && known !== undefined) this.#checkAccountQueue(nonce, known)
    const { globalSlots, globalQueue } = this.#limits
    const excess = this.#slots + slotsOf(pooled) - globalSlots - globalQueue
    if (excess > 0) this.#makeRoom(pooled, excess, isGapped, changes)
  }

  /** A queue that is full takes only what comes before its last one, which then goes. */
  #checkAccountQueue(nonce: bigint, known: AccountQueue): void {
    if (known.queuedCount < this.#limits.accountQueue) return
    const last = known.queued().at(-1)?.transaction.nonce
    if (last !== undefined && nonce < last) return
    throw poolError('ACCOUNT_LIMIT', `: pooled ${known.count} txs`)
  }

  #makeRoom(pooled: PooledTransaction, excess: number, isGapped: boolean, changes: Changes): void {
    const worst = this.#worstFirst()
    const going: PooledTransaction[] = []
    let error: PoolError | undefined
    for (let left = excess; left > 0; ) {
      const candidate = this.#popWorst(worst)
      if (candidate === undefined) {
        error = poolError('POOL_FULL')
        break
      }
      going.push(candidate)
      left -= slotsOf(candidate)
      if (compareWorth(pooled, candidate, this.#head.baseFee) <= 0) {
        error = poolError('UNDERPRICED')
        break
      }
      if (isGapped && this.#isPending(candidate)) {
        error = poolError('FUTURE_REPLACES_PENDING')
        break
      }
    }
    if (error !== undefined) {
      for (const each of going) worst.push(each)
      throw error
    }
    for (const each of going) this.#remove(each, 'underpriced', changes)
  }

  #isPending({ from, transaction }: PooledTransaction): boolean {
    return this.#accounts.get(from)?.isPending(transaction.nonce) === true
  }

  #worstFirst(): Heap<PooledTransaction> {
    if (this.#worst === undefined) {
      const { baseFee } = this.#head
      const remotes = [...this.#byHash.values()].filter(({ isLocal }) => !isLocal)
      this.#worst = new Heap((a, b) => {
        const worth = compareWorth(a, b, baseFee)
        return worth === 0 ? b.arrival - a.arrival : worth
      }, remotes)
    }
    return this.#worst
  }

  /** Passes over those that have left the pool meanwhile. */
  #popWorst(worst: Heap<PooledTransaction>): PooledTransaction | undefined {
    for (let top = worst.pop(); top !== undefined; top = worst.pop()) {
      if (this.#byHash.get(top.hash) === top) return top
    }
    return undefined
  }

  #insert(
    pooled: PooledTransaction,
    account: Account | undefined,
    old: PooledTransaction | undefined,
    changes: Changes,
  ): void {
    const queue = this.#accounts.get(pooled.from) ?? this.#openQueue(pooled.from, account)
    if (old !== undefined) {
      this.#forget(old)
      changes.drop(old, 'replaced')
    }
    changes.touched.add(queue)
    this.#uncount(queue)
    const start = queue.put(pooled)
    this.#count(queue)
    queue.lastMs = this.#clock.nowMs()
    if (pooled.isLocal && !queue.isLocal) this.#makeLocal(queue)
    this.#byHash.set(pooled.hash, pooled)
    this.#slots += slotsOf(pooled)
    if (pooled.isLocal) this.#localCount++
    else this.#worst?.push(pooled)
    const isReplacement = old !== undefined && queue.isPending(pooled.transaction.nonce)
    changes.pending.push(...(isReplacement ? [pooled] : queue.pending(start)))
  }

  #openQueue(from: string, account: Account | undefined): AccountQueue {
    const queue = new AccountQueue(from, account?.nonce ?? 0n)
    this.#accounts.set(from, queue)
    return queue
  }

  /** From its first local transaction on, all of a sender's are: a gap among them must not be dropped. */
  #makeLocal(queue: AccountQueue): void {
    queue.isLocal = true
    for (const each of queue.all()) {
      if (each.isLocal || !this.#byHash.has(each.hash)) continue
      const local = { ...each, isLocal: true }
      queue.put(local)
      this.#byHash.set(local.hash, local)
      this.#localCount++
    }
  }

  #count({ pendingCount, queuedCount }: AccountQueue): void {
    this.#pendingCount += pendingCount
    this.#queuedCount += queuedCount
  }

  #uncount({ pendingCount, queuedCount }: AccountQueue): void {
    this.#pendingCount -= pendingCount
    this.#queuedCount -= queuedCount
  }

  #forget(pooled: PooledTransaction): void {
    const isThere = this.#byHash.delete(pooled.hash)
    assert(isThere, 'a transaction leaves the pool that is not in it')
    this.#slots -= slotsOf(pooled)
    if (pooled.isLocal) this.#localCount--
  }

  #remove(pooled: PooledTransaction, reason: DropReason, changes: Changes): void {
    const queue = this.#accounts.get(pooled.from)
    assert(queue !== undefined, 'a transaction in the pool has no queue')
    this.#uncount(queue)
    queue.remove(pooled.transaction.nonce)
    this.#count(queue)
    if (queue.count === 0) this.#accounts.delete(pooled.from)
    this.#forget(pooled)
    changes.drop(pooled, reason)
  }

  /**
   * Follows the chain to another head: what is included leaves, what cannot be paid any more too.
   * @param returning Transactions of blocks that are not on the chain any more. They come back in where they can.
   */
  reset(head: PoolHead, returning: readonly IncomingTransaction[] = []): void {
    const changes = new Changes()
    if (head.baseFee !== this.#head.baseFee) this.#worst = undefined
    this.#head = head
    for (const queue of [...this.#accounts.values()]) this.#resetAccount(queue, changes)
    // They were good enough for a block, whatever tip they pay.
    for (const incoming of returning) {
      this.#tryAdd(incoming, { isLocal: false, tipMin: 0n }, changes)
    }
    this.#truncate(changes)
    this.#announce(changes)
  }

  #resetAccount(queue: AccountQueue, changes: Changes): void {
    const [first] = queue.all()
    assert(first !== undefined, 'a sender without transactions has a queue')
    const account = this.#head.readAccount(first.sender)
    const nonce = account?.nonce ?? 0n
    const balance = account?.balance ?? 0n
    const pendingEnd = queue.nextNonce
    this.#uncount(queue)
    const going = queue.moveTo(nonce, (pooled) => {
      return this.#reasonToDrop(pooled, nonce, balance) === undefined
    })
    for (const pooled of going) {
      this.#forget(pooled)
      changes.drop(pooled, this.#reasonToDrop(pooled, nonce, balance) ?? 'included')
    }
    this.#count(queue)
    changes.touched.add(queue)
    changes.pending.push(...queue.pending(pendingEnd > nonce ? pendingEnd : nonce))
    if (queue.count === 0) this.#accounts.delete(queue.from)
  }

  #reasonToDrop(
    { transaction, cost }: PooledTransaction,
    nonce: bigint,
    balance: bigint,
  ): DropReason | undefined {
    if (transaction.nonce < nonce) return 'included'
    if (cost > balance || transaction.gasLimit > this.#head.gasLimit) return 'unpayable'
    return undefined
  }

  /** Takes out what has waited too long for a gap to fill. To be called every minute or so. */
  removeExpired(): void {
    const changes = new Changes()
    const oldestMs = this.#clock.nowMs() - this.#limits.lifetimeMs
    for (const queue of [...this.#accounts.values()]) {
      if (queue.isLocal || queue.lastMs >= oldestMs) continue
      for (const pooled of queue.queued()) this.#remove(pooled, 'expired', changes)
    }
    this.#announce(changes)
  }

  /** Holds the limits of queued and pending transactions. */
  #truncate(changes: Changes): void {
    if (this.#queuedCount > 0) {
      for (const queue of changes.touched) this.#truncateAccount(queue, changes)
    }
    if (this.#pendingCount > this.#limits.globalSlots) this.#truncatePending(changes)
    if (this.#queuedCount > this.#limits.globalQueue) this.#truncateQueued(changes)
  }

  #truncateAccount(queue: AccountQueue, changes: Changes): void {
    const excess = queue.queuedCount - this.#limits.accountQueue
    if (queue.isLocal || excess <= 0) return
    for (const pooled of queue.queued().slice(-excess)) this.#remove(pooled, 'truncated', changes)
  }

  /** Those who have most give, the last of theirs first, down to what each sender may have anyway. */
  #truncatePending(changes: Changes): void {
    const { globalSlots, accountSlots } = this.#limits
    const senders = [...this.#accounts.values()].filter(
      (queue) => !queue.isLocal && queue.pendingCount > accountSlots,
    )
    const heap = new Heap<AccountQueue>((a, b) => b.pendingCount - a.pendingCount, senders)
    while (this.#pendingCount > globalSlots) {
      const queue = heap.peek()
      if (queue === undefined || queue.pendingCount <= accountSlots) return
      const last = queue.get(queue.nextNonce - 1n)
      assert(last !== undefined, 'the last pending transaction is missing')
      this.#remove(last, 'truncated', changes)
      heap.replaceTop(queue)
    }
  }

  /** Senders not heard of for the longest time give first, the last of theirs first. */
  #truncateQueued(changes: Changes): void {
    const senders = [...this.#accounts.values()]
      .filter((queue) => !queue.isLocal && queue.queuedCount > 0)
      .sort((a, b) => a.lastMs - b.lastMs)
    for (const queue of senders) {
      const excess = this.#queuedCount - this.#limits.globalQueue
      if (excess <= 0) return
      for (const pooled of queue.queued().slice(-excess)) this.#remove(pooled, 'truncated', changes)
    }
  }

  #announce(changes: Changes): void {
    if (this.#listeners.size === 0) return
    // What was announced as pending within this call may have been replaced, demoted or made local since.
    const pending = [...new Set(changes.pending.map(({ hash }) => hash))]
      .flatMap((hash) => this.#byHash.get(hash) ?? [])
      .filter((pooled) => this.#isPending(pooled))
    for (const listener of this.#listeners) {
      for (const pooled of changes.accepted) listener.accepted?.(pooled)
      for (const [reason, dropped] of changes.dropped) listener.dropped?.(dropped, reason)
      if (pending.length > 0) listener.pending?.(pending)
    }
  }
}

/** On which terms a transaction is taken. */
interface Terms {
  readonly isLocal: boolean
  /** Least tip in wei. */
  readonly tipMin: bigint
}

/** What one call changed, told to listeners when all of it is done. */
class Changes {
  readonly accepted: PooledTransaction[] = []
  readonly pending: PooledTransaction[] = []
  readonly dropped = new Map<DropReason, PooledTransaction[]>()
  /** Senders whose queued transactions may have become too many. */
  readonly touched = new Set<AccountQueue>()

  drop(pooled: PooledTransaction, reason: DropReason): void {
    const list = this.dropped.get(reason)
    if (list === undefined) this.dropped.set(reason, [pooled])
    else list.push(pooled)
  }
}

function contentOf(queue: AccountQueue): PoolContent {
  return { pending: queue.pending(), queued: queue.queued() }
}
