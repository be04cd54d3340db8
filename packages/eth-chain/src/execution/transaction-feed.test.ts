import { dataToHex, type StateReader, type Transaction, transactionHash } from '@cairn/eth-codec'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BlocksChange } from '../chain.ts'
import type { PendingTransaction } from '../sealer/candidate.ts'
import type { PendingSelection } from '../sealer/sealer.ts'
import { addressOf } from '../testing/clique-chain.ts'
import { PoolFixture, paying, transferOf } from '../testing/pool-fixture.ts'
import { ExecutableTransactions } from './executable-transactions.ts'
import {
  packHashes,
  packTransactions,
  unpackHashes,
  unpackTransactions,
} from './packed-transactions.ts'
import { type FeedMessage, TransactionFeed } from './transaction-feed.ts'

const names = ['A', 'B', 'C']

/** A pool, what is told of it, and who hears of it when the test says so. */
class FedPool {
  readonly fixture = new PoolFixture({ globalSlots: 12, accountSlots: 4, lifetimeMs: 1000 })
  readonly sent: FeedMessage[] = []
  readonly feed: TransactionFeed
  readonly transactions: ExecutableTransactions
  /** On the side that executes, ahead of the pool. */
  readonly #nonces = new Map(names.map((name) => [dataToHex(addressOf(name)), 0n]))

  constructor() {
    for (const name of names) this.fixture.fund(name)
    this.feed = new TransactionFeed(this.fixture.pool, (message) => this.sent.push(message))
    const state: Pick<StateReader, 'readAccount'> = {
      readAccount: (address) => ({
        nonce: this.#nonces.get(dataToHex(address)) ?? 0n,
        balance: 0n,
        codeHash: new Uint8Array(32),
      }),
    }
    this.transactions = new ExecutableTransactions(() => state as StateReader)
  }

  add(name: string, nonce: number, tip: number, isLocal: boolean): void {
    try {
      this.fixture.pool.add(transferOf(name, nonce, paying(tip)), isLocal)
    } catch {
      // Known, underpriced or too many: the pool is as it was.
    }
  }

  deliver(): void {
    const message = this.sent.shift()
    if (message === undefined) return
    for (const hash of unpackHashes(message.gone)) this.transactions.remove(hash)
    this.transactions.add(unpackTransactions(message.added))
    this.feed.taken()
  }

  /** A block of the best that is known where blocks are made; the pool hears of it later. */
  seal(count: number): void {
    const selection = this.transactions.select(0n)
    const taken: PendingTransaction[] = []
    for (let next = selection.peek(); next !== undefined && taken.length < count; ) {
      taken.push(next)
      this.#nonces.set(dataToHex(next.sender), next.transaction.nonce + 1n)
      selection.take()
      next = selection.peek()
    }
    this.transactions.follow({ removed: [], added: [blockOf(taken)] } as unknown as BlocksChange)
  }

  /** The pool comes to the head that the other side is at. */
  follow(): void {
    for (const name of names) {
      this.fixture.fund(name, 10n ** 21n, this.#nonces.get(dataToHex(addressOf(name))) ?? 0n)
    }
    this.fixture.reset()
  }

  settle(): void {
    this.follow()
    for (this.feed.flush(); this.sent.length > 0; this.feed.flush()) this.deliver()
  }
}

function blockOf(taken: readonly PendingTransaction[]): unknown {
  return {
    block: { transactions: taken.map(({ transaction }) => transaction) },
    senders: taken.map(({ sender }) => sender),
  }
}

const hashOf = (transaction: Transaction) => dataToHex(transactionHash(transaction))

/** Of each sender, what would be taken, in order. */
function takenBySender(selection: PendingSelection): Map<string, string[]> {
  const taken = new Map<string, string[]>()
  for (let next = selection.peek(); next !== undefined; next = selection.peek()) {
    const sender = dataToHex(next.sender)
    taken.set(sender, [...(taken.get(sender) ?? []), hashOf(next.transaction)])
    selection.take()
  }
  return new Map([...taken].sort())
}

type Step = (pool: FedPool) => void

/** Local ones are never dropped but for their nonce, so that most are not. */
const add = fc.tuple(fc.constantFrom(...names), fc.nat(6), fc.integer({ min: 1, max: 9 })).map(
  ([name, nonce, tip]) =>
    (pool: FedPool) =>
      pool.add(name, nonce, tip, name === 'C'),
)

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: add },
  fc.constant((pool: FedPool) => pool.feed.flush()),
  {
    weight: 3,
    arbitrary: fc.constant((pool: FedPool) => {
      pool.feed.flush()
      pool.deliver()
    }),
  },
  fc.constant((pool: FedPool) => pool.follow()),
  fc.nat(4).map((count) => (pool: FedPool) => pool.seal(count)),
  fc.constant((pool: FedPool) => {
    pool.fixture.nowMs += 2000
    pool.fixture.pool.removeExpired()
  }),
  fc.integer({ min: 1, max: 9 }).map((tip) => (pool: FedPool) => {
    pool.fixture.pool.setPriceLimit(BigInt(tip) * 10n ** 9n)
    pool.fixture.pool.setPriceLimit(1n)
  }),
)

describe('what the thread that executes is told of the pool', () => {
  it('comes to be what the pool has to be executed, whatever happens and however late it is told', () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 40, maxLength: 80 }), (list) => {
        const pool = new FedPool()
        for (const step of list) step(pool)
        pool.settle()
        expect(takenBySender(pool.transactions.select(0n))).toEqual(
          takenBySender(pool.fixture.pool.select(0n)),
        )
        // What became queued again may be there still, and nothing else.
        const { pending, queued } = pool.fixture.pool.status()
        expect(pool.transactions.count).toBeLessThanOrEqual(pending + queued)
        pool.feed.close()
      }),
      { numRuns: 120 },
    )
  })

  it('is two messages ahead at most, and then as much as fits into one', () => {
    const pool = new FedPool()
    for (let nonce = 0; nonce < 3; nonce++) {
      pool.add('A', nonce, 1, true)
      pool.feed.flush()
    }
    pool.add('B', 0, 1, true)
    pool.feed.flush()
    expect(pool.sent.map(({ added }) => unpackTransactions(added).length)).toEqual([1, 1])
    pool.deliver()
    pool.feed.flush()
    expect(pool.sent.map(({ added }) => unpackTransactions(added).length)).toEqual([1, 2])
    pool.settle()
    expect(pool.transactions.count).toBe(4)
  })

  it('takes back what was dropped, came again and was dropped before that was told', () => {
    const pool = new FedPool()
    pool.add('A', 0, 1, false)
    pool.feed.flush()
    pool.deliver()
    const drop = () => {
      pool.fixture.pool.setPriceLimit(2n * 10n ** 9n)
      pool.fixture.pool.setPriceLimit(1n)
    }
    drop()
    pool.add('A', 0, 1, false)
    drop()
    pool.settle()
    expect(pool.transactions.count).toBe(0)
    drop()
    pool.add('A', 0, 1, false)
    pool.settle()
    expect(pool.transactions.count).toBe(1)
  })

  it('takes back what a block had that left', () => {
    const pool = new FedPool()
    for (let nonce = 0; nonce < 2; nonce++) pool.add('A', nonce, 1, true)
    pool.feed.flush()
    pool.deliver()
    const waiting = pool.transactions.select(0n).peek() as PendingTransaction
    const block = blockOf([waiting])
    const change = (removed: unknown[], added: unknown[]) =>
      pool.transactions.follow({ removed, added } as unknown as BlocksChange)
    change([], [block])
    expect(pool.transactions.count).toBe(1)
    change([block], [])
    expect(pool.transactions.count).toBe(2)
    // The same nonce of the same sender in a block that was made elsewhere.
    const other = transferOf('A', 0, paying(7))
    change([], [blockOf([{ transaction: other.transaction, sender: waiting.sender }])])
    expect(pool.transactions.count).toBe(1)
  })
})

describe('packed transactions', () => {
  it('come out as they went in', () => {
    const pool = new FedPool()
    for (let nonce = 0; nonce < 3; nonce++) pool.add('A', nonce, nonce + 1, true)
    const pooled = pool.fixture.pool.contentFrom(addressOf('A')).pending
    const unpacked = unpackTransactions(packTransactions(pooled))
    expect(unpacked.map(({ transaction }) => transaction)).toEqual(
      pooled.map(({ transaction }) => transaction),
    )
    expect(unpacked.map(({ sender }) => sender)).toEqual(pooled.map(({ sender }) => sender))
    expect(unpacked.map(({ transaction }) => hashOf(transaction))).toEqual(
      pooled.map(({ hash }) => hash),
    )
    const hashes = pooled.map(({ hash }) => hash)
    expect(unpackHashes(packHashes(hashes)).map((hash) => dataToHex(hash))).toEqual(hashes)
    pool.feed.close()
  })
})
