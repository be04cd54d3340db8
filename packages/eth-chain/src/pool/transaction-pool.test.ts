import { concatBytes } from '@cairn/core'
import { signTransaction } from '@cairn/eth-codec'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOf, keyOf } from '../testing/clique-chain.ts'
import { gwei, PoolFixture, paying, testChainId, transferOf } from '../testing/pool-fixture.ts'
import { PoolError } from './pool-error.ts'
import { type IncomingTransaction, incomingOf, readIncoming } from './pooled-transaction.ts'
import { checkRpcTransaction } from './validation.ts'

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof PoolError) return error.shortMessage
    throw error
  }
  return 'accepted'
}

const nonces = (content: readonly IncomingTransaction[]) =>
  content.map(({ transaction }) => Number(transaction.nonce))

describe('nonces', () => {
  it('are taken in any order, and all of them are pending in the end', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          Array.from({ length: 40 }, (_, i) => i),
          { minLength: 40 },
        ),
        (order) => {
          const fixture = new PoolFixture()
          fixture.fund('A')
          for (const nonce of order) fixture.pool.add(transferOf('A', nonce), true)
          const { pending, queued } = fixture.pool.contentFrom(addressOf('A'))
          expect(nonces(pending)).toEqual(Array.from({ length: 40 }, (_, i) => i))
          expect(queued).toEqual([])
          expect(fixture.pool.nextNonce(addressOf('A'))).toBe(40n)
          expect(fixture.pendingSeen).toHaveLength(40)
          expect(fixture.dropped).toEqual([])
        },
      ),
      { numRuns: 8 },
    )
  })

  it('are not lost when three hundred come backwards, as local ones', () => {
    const fixture = new PoolFixture()
    fixture.fund('A')
    for (let nonce = 299; nonce >= 0; nonce--) fixture.pool.add(transferOf('A', nonce), true)
    expect(fixture.pool.status()).toEqual({ pending: 300, queued: 0 })
    expect(fixture.dropped).toEqual([])
  })

  it('wait in the queue behind a gap and count from the account’s own', () => {
    const fixture = new PoolFixture()
    fixture.fund('A', 10n ** 20n, 5n)
    expect(fixture.pool.nextNonce(addressOf('A'))).toBe(5n)
    fixture.pool.add(transferOf('A', 7), false)
    expect(fixture.pool.status()).toEqual({ pending: 0, queued: 1 })
    expect(fixture.pool.nextNonce(addressOf('A'))).toBe(5n)
    fixture.pool.add(transferOf('A', 5), false)
    expect(fixture.pool.nextNonce(addressOf('A'))).toBe(6n)
    fixture.pool.add(transferOf('A', 6), false)
    expect(fixture.pool.status()).toEqual({ pending: 3, queued: 0 })
    expect(fixture.pendingSeen).toEqual([5, 6, 7].map((n) => transferOf('A', n).hash))
  })
})

describe('add', () => {
  it('refuses with the text of geth', () => {
    const fixture = new PoolFixture()
    const { pool } = fixture
    fixture.fund('A', 10n ** 18n, 3n)
    pool.add(transferOf('A', 3), false)
    const legacy = { type: 0, maxPriorityFeePerGas: 3n * gwei } as const
    const cases: [string, IncomingTransaction][] = [
      ['already known', transferOf('A', 3)],
      ['nonce too low: next nonce 3, tx nonce 2', transferOf('A', 2)],
      [
        'oversized data: transaction size 131190, limit 131072',
        transferOf('A', 4, { data: new Uint8Array(131_072), gasLimit: 29_000_000n }),
      ],
      [
        'max initcode size exceeded: code size 49153, limit 49152',
        transferOf('A', 4, { to: undefined, data: new Uint8Array(49_153), gasLimit: 9_000_000n }),
      ],
      ['exceeds block gas limit', transferOf('A', 4, { gasLimit: 30_000_001n })],
      [
        'max priority fee per gas higher than max fee per gas',
        transferOf('A', 4, { maxPriorityFeePerGas: 4n * gwei }),
      ],
      [
        'intrinsic gas too low: gas 20999, minimum needed 21000',
        transferOf('A', 4, { gasLimit: 20_999n }),
      ],
      [
        'transaction underpriced: gas tip cap 0, minimum needed 1',
        transferOf('A', 4, { maxPriorityFeePerGas: 0n }),
      ],
      ['invalid sender', transferOf('A', 4, { chainId: 1n })],
      ['nonce has max value', transferOf('A', 2n ** 64n - 1n)],
      [
        'insufficient funds for gas * price + value: balance 0, tx cost 63000000000001, overshot 63000000000001',
        transferOf('poor', 0),
      ],
      [
        `insufficient funds for gas * price + value: balance ${10n ** 18n}, queued cost 63000000000001, tx cost ${10n ** 18n}, overshot 63000000000001`,
        transferOf('A', 4, { value: 10n ** 18n - 63_000_000_000_000n }),
      ],
      [
        'replacement transaction underpriced',
        transferOf('A', 3, { maxPriorityFeePerGas: 2n * gwei }),
      ],
    ]
    for (const [text, incoming] of cases) {
      expect(refusal(() => pool.add(incoming, false))).toBe(text)
    }
    expect(refusal(() => pool.add(transferOf('A', 4, legacy), false))).toBe('accepted')
  })

  it('refuses types that the fork does not know', () => {
    const fixture = new PoolFixture()
    fixture.fund('A')
    fixture.reset({ fork: 'berlin' })
    expect(refusal(() => fixture.pool.add(transferOf('A', 0), true))).toBe(
      'transaction type not supported: type 2 rejected, pool not yet in London',
    )
    fixture.reset({ fork: 'istanbul' })
    const type1 = { type: 1, maxPriorityFeePerGas: 3n * gwei } as const
    expect(refusal(() => fixture.pool.add(transferOf('A', 0, type1), true))).toBe(
      'transaction type not supported: type 1 rejected, pool not yet in Berlin',
    )
  })

  it('refuses a signature that is none', () => {
    const { raw } = transferOf('A', 0)
    const cut = concatBytes(raw.subarray(0, -1), Uint8Array.of((raw.at(-1) as number) ^ 1))
    const fixture = new PoolFixture()
    expect(refusal(() => fixture.pool.add(readIncoming(cut), false))).not.toBe('accepted')
    const { transaction } = transferOf('A', 0)
    const zero = { ...transaction.signature, r: new Uint8Array(32) }
    const none = incomingOf({ ...transaction, signature: zero })
    expect(refusal(() => fixture.pool.add(none, false))).toBe('invalid sender')
  })

  it('keeps nothing of the message that brought a transaction', () => {
    const { raw } = transferOf('A', 0)
    // A Buffer, since its slices share memory with it.
    const message = Buffer.concat([new Uint8Array(100_000), raw])
    const incoming = readIncoming(message.subarray(100_000))
    message.fill(0)
    expect(incoming.raw).toEqual(raw)
    expect(incoming.raw.buffer.byteLength).toBe(raw.length)
    expect(incoming.transaction).toEqual(transferOf('A', 0).transaction)
  })

  it('takes a sender that is known already, and transactions without a tip from local ones', () => {
    const fixture = new PoolFixture()
    fixture.fund('A')
    const incoming = { ...transferOf('A', 0, { maxPriorityFeePerGas: 0n }), sender: addressOf('A') }
    expect(fixture.pool.add(incoming, true)).toMatchObject({ isLocal: true })
    const strict = new PoolFixture({}, { noLocals: true })
    strict.fund('A')
    expect(refusal(() => strict.pool.add(incoming, true))).toMatch(/^transaction underpriced/)
  })

  it('raises its least tip while it runs, and keeps what is local', () => {
    const fixture = new PoolFixture()
    for (const name of 'ABC') fixture.fund(name)
    const [remote] = ['A', 'B'].map((name, index) =>
      fixture.pool.add(transferOf(name, 0, paying(1)), index === 1),
    )
    fixture.pool.setPriceLimit(2n * gwei)
    expect(fixture.dropped).toEqual([[remote?.hash, 'underpriced']])
    expect(fixture.pool.status()).toEqual({ pending: 1, queued: 0 })
    expect(refusal(() => fixture.pool.add(transferOf('C', 0, paying(1)), false))).toBe(
      'transaction underpriced: gas tip cap 1000000000, minimum needed 2000000000',
    )
    fixture.pool.setPriceLimit(1n)
    fixture.pool.add(transferOf('C', 0, paying(1)), false)
    expect(fixture.pool.status()).toEqual({ pending: 2, queued: 0 })
  })
})

describe('replacement', () => {
  const price = (fee: bigint, tip: bigint) => ({ maxFeePerGas: fee, maxPriorityFeePerGas: tip })

  it('needs ten per cent more of both, in the queue too', () => {
    for (const nonce of [0, 3]) {
      const fixture = new PoolFixture()
      fixture.fund('A')
      const old = fixture.pool.add(transferOf('A', nonce, price(100n, 10n)), false)
      const tries: [bigint, bigint, boolean][] = [
        [110n, 10n, false],
        [109n, 11n, false],
        [100n, 11n, false],
        [110n, 11n, true],
      ]
      for (const [fee, tip, isTaken] of tries) {
        const next = transferOf('A', nonce, price(fee, tip))
        const text = isTaken ? 'accepted' : 'replacement transaction underpriced'
        expect(refusal(() => fixture.pool.add(next, false))).toBe(text)
      }
      expect(fixture.dropped).toEqual([[old.hash, 'replaced']])
      expect(fixture.pool.get(old.hash)).toBeUndefined()
      expect(fixture.pool.status().pending + fixture.pool.status().queued).toBe(1)
    }
  })

  it('of a wei takes one wei more', () => {
    const fixture = new PoolFixture()
    fixture.fund('A')
    fixture.pool.add(transferOf('A', 0, price(1n, 1n)), false)
    const same = transferOf('A', 0, { ...price(1n, 1n), value: 2n })
    expect(refusal(() => fixture.pool.add(same, false))).toMatch(/^replacement/)
    expect(refusal(() => fixture.pool.add(transferOf('A', 0, price(2n, 2n)), false))).toBe(
      'accepted',
    )
  })

  it('counts what it costs more, not all of it', () => {
    const fixture = new PoolFixture()
    const cost = 21_000n * 200n + 1n
    fixture.fund('A', cost)
    fixture.pool.add(transferOf('A', 0, price(100n, 100n)), false)
    expect(refusal(() => fixture.pool.add(transferOf('A', 0, price(200n, 200n)), false))).toBe(
      'accepted',
    )
  })

  it('counts with what it costs in all that comes after', () => {
    const fixture = new PoolFixture()
    const cost = (fee: bigint) => 21_000n * fee + 1n
    fixture.fund('A', cost(200n) + cost(100n))
    fixture.pool.add(transferOf('A', 0, price(100n, 100n)), false)
    fixture.pool.add(transferOf('A', 0, price(200n, 200n)), false)
    expect(refusal(() => fixture.pool.add(transferOf('A', 1, price(101n, 101n)), false))).toMatch(
      /^insufficient funds .*overshot 21000$/,
    )
    expect(refusal(() => fixture.pool.add(transferOf('A', 1, price(100n, 100n)), false))).toBe(
      'accepted',
    )
  })

  it('of a pending one leaves those behind it pending and is announced', () => {
    const fixture = new PoolFixture()
    fixture.fund('A')
    for (const nonce of [0, 1, 2]) fixture.pool.add(transferOf('A', nonce), false)
    const next = fixture.pool.add(transferOf('A', 1, price(10n * gwei, 10n * gwei)), false)
    expect(fixture.pendingSeen.at(-1)).toBe(next.hash)
    expect(fixture.pool.status()).toEqual({ pending: 3, queued: 0 })
  })
})

describe('limits', () => {
  it('hold the queued ones of a sender: the last has no room, an earlier one takes its place', () => {
    const fixture = new PoolFixture({ accountQueue: 3 })
    fixture.fund('A')
    for (const nonce of [2, 4, 6]) fixture.pool.add(transferOf('A', nonce), false)
    expect(refusal(() => fixture.pool.add(transferOf('A', 8), false))).toBe(
      'account limit exceeded: pooled 3 txs',
    )
    fixture.pool.add(transferOf('A', 3), false)
    expect(nonces(fixture.pool.contentFrom(addressOf('A')).queued)).toEqual([2, 3, 4])
    expect(fixture.dropped).toEqual([[transferOf('A', 6).hash, 'truncated']])
  })

  it('hold all queued ones: senders silent for longest give first', () => {
    const fixture = new PoolFixture({ globalQueue: 4 })
    for (const name of 'ABC') {
      fixture.fund(name)
      fixture.nowMs += 1000
      for (const nonce of [5, 6]) {
        if (name !== 'C') fixture.pool.add(transferOf(name, nonce), false)
      }
    }
    fixture.pool.add(transferOf('C', 9), false)
    expect(fixture.dropped).toEqual([[transferOf('A', 6).hash, 'truncated']])
    expect(fixture.pool.status()).toEqual({ pending: 0, queued: 4 })
  })

  it('hold the pending ones: who has most gives, down to what everybody may have', () => {
    const fixture = new PoolFixture({ globalSlots: 8, accountSlots: 2, globalQueue: 100 })
    for (const name of 'ABC') fixture.fund(name)
    for (let nonce = 0; nonce < 6; nonce++) fixture.pool.add(transferOf('A', nonce), false)
    for (let nonce = 0; nonce < 2; nonce++) fixture.pool.add(transferOf('B', nonce), false)
    expect(fixture.dropped).toEqual([])
    for (let nonce = 0; nonce < 2; nonce++) fixture.pool.add(transferOf('C', nonce), false)
    expect(fixture.dropped).toEqual([
      [transferOf('A', 5).hash, 'truncated'],
      [transferOf('A', 4).hash, 'truncated'],
    ])
    expect(fixture.pool.status().pending).toBe(8)
  })

  it('leave local ones alone, up to a bound of their own', () => {
    const fixture = new PoolFixture({
      globalSlots: 2,
      accountSlots: 1,
      accountQueue: 1,
      globalQueue: 1,
      localCountMax: 10,
    })
    fixture.fund('A')
    for (let nonce = 0; nonce < 10; nonce++) fixture.pool.add(transferOf('A', 2 * nonce), true)
    expect(fixture.pool.status()).toEqual({ pending: 1, queued: 9 })
    expect(refusal(() => fixture.pool.add(transferOf('A', 30), true))).toBe('txpool is full')
    expect(fixture.dropped).toEqual([])
    expect(fixture.pool.locals()).toHaveLength(10)
  })

  it('of a full pool let the better push out the worst, and nothing else', () => {
    const fixture = new PoolFixture({ globalSlots: 3, globalQueue: 1 })
    for (const name of 'ABCDEF') fixture.fund(name)
    for (const [index, name] of [...'ABCD'].entries()) {
      fixture.pool.add(transferOf(name, 0, paying(index + 2)), false)
    }
    fixture.dropped.length = 0
    expect(refusal(() => fixture.pool.add(transferOf('E', 0, paying(1)), false))).toBe(
      'transaction underpriced',
    )
    expect(refusal(() => fixture.pool.add(transferOf('E', 5, paying(9)), false))).toBe(
      'future transaction tries to replace pending transaction',
    )
    expect(fixture.dropped).toEqual([])
    const better = fixture.pool.add(transferOf('F', 0, paying(6)), false)
    expect(fixture.dropped).toEqual([[transferOf('A', 0, paying(2)).hash, 'underpriced']])
    expect(fixture.pool.get(better.hash)).toBe(better)
    expect(fixture.pool.contentFrom(addressOf('A')).pending).toEqual([])
  })

  it('of a full pool follow what comes later and the base fee', () => {
    const fixture = new PoolFixture({ globalSlots: 2, globalQueue: 0 })
    for (const name of 'ABCDEF') fixture.fund(name)
    const add = (name: string, tip: bigint, fee: bigint) => {
      const fees = { maxPriorityFeePerGas: tip * gwei, maxFeePerGas: fee * gwei }
      return fixture.pool.add(transferOf(name, 0, fees), false).hash
    }
    const last = () => fixture.dropped.at(-1)?.[0]
    const a = add('A', 2n, 100n)
    const b = add('B', 9n, 12n)
    // From now on there is an order of the worst; C is the worst of it when D comes.
    const c = add('C', 3n, 100n)
    expect(last()).toBe(a)
    add('D', 5n, 100n)
    expect(last()).toBe(c)
    // B earns 9 gwei at a base fee of 1, and 1 at 11.
    fixture.reset({ baseFee: 11n * gwei })
    add('E', 6n, 100n)
    expect(last()).toBe(b)
  })

  it('count large transactions by their slots', () => {
    const fixture = new PoolFixture({ globalSlots: 4, globalQueue: 0 })
    fixture.fund('A')
    fixture.fund('B')
    const large = { data: new Uint8Array(100_000), gasLimit: 1_000_000n }
    fixture.pool.add(transferOf('A', 0, { ...large, ...paying(1) }), false)
    expect(refusal(() => fixture.pool.add(transferOf('B', 0, paying(1)), false))).toBe(
      'transaction underpriced',
    )
    expect(refusal(() => fixture.pool.add(transferOf('B', 0, paying(2)), false))).toBe('accepted')
    expect(fixture.pool.status()).toEqual({ pending: 1, queued: 0 })
  })
})

describe('reset', () => {
  it('takes out what is included and keeps the rest in order', () => {
    const fixture = new PoolFixture()
    fixture.fund('A')
    for (let nonce = 0; nonce < 5; nonce++) fixture.pool.add(transferOf('A', nonce), false)
    fixture.fund('A', 10n ** 20n, 3n)
    fixture.reset()
    expect(nonces(fixture.pool.contentFrom(addressOf('A')).pending)).toEqual([3, 4])
    expect(fixture.pendingSeen).toHaveLength(5)
    expect(fixture.dropped.map(([, reason]) => reason)).toEqual([
      'included',
      'included',
      'included',
    ])
    fixture.fund('A', 10n ** 20n, 5n)
    fixture.reset()
    expect(fixture.pool.status()).toEqual({ pending: 0, queued: 0 })
    expect(fixture.pool.content().size).toBe(0)
  })

  it('brings transactions of abandoned blocks back, whatever tip they pay', () => {
    const fixture = new PoolFixture()
    fixture.fund('A', 10n ** 20n, 2n)
    fixture.pool.add(transferOf('A', 2), false)
    fixture.fund('A', 10n ** 20n, 0n)
    const returning = [transferOf('A', 0, { maxPriorityFeePerGas: 0n }), transferOf('A', 1)]
    fixture.reset({}, returning)
    expect(nonces(fixture.pool.contentFrom(addressOf('A')).pending)).toEqual([0, 1, 2])
    expect(fixture.dropped).toEqual([])
  })

  it('queues what stands behind a gap that a reorganisation opened', () => {
    const fixture = new PoolFixture()
    fixture.fund('A', 10n ** 20n, 2n)
    fixture.pool.add(transferOf('A', 2), false)
    fixture.fund('A', 10n ** 20n, 0n)
    fixture.reset()
    expect(fixture.pool.status()).toEqual({ pending: 0, queued: 1 })
    fixture.fund('A', 10n ** 20n, 2n)
    fixture.reset()
    expect(fixture.pool.status()).toEqual({ pending: 1, queued: 0 })
    expect(fixture.pendingSeen).toEqual([transferOf('A', 2).hash, transferOf('A', 2).hash])
  })

  it('takes out what cannot be paid or does not fit any more, and queues what is behind it', () => {
    const fixture = new PoolFixture()
    fixture.fund('A')
    fixture.pool.add(transferOf('A', 0), false)
    fixture.pool.add(transferOf('A', 1, { value: 10n ** 18n }), false)
    fixture.pool.add(transferOf('A', 2, { gasLimit: 1_000_000n }), false)
    fixture.fund('A', 10n ** 17n)
    fixture.reset()
    expect(fixture.pool.status()).toEqual({ pending: 1, queued: 1 })
    fixture.reset({ gasLimit: 900_000n })
    expect(fixture.pool.status()).toEqual({ pending: 1, queued: 0 })
    expect(fixture.dropped.map(([, reason]) => reason)).toEqual(['unpayable', 'unpayable'])
  })
})

describe('removeExpired', () => {
  it('takes out what has waited too long for a gap, never pending or local ones', () => {
    const fixture = new PoolFixture({ lifetimeMs: 1000 })
    for (const name of 'ABC') fixture.fund(name)
    fixture.pool.add(transferOf('A', 0), false)
    fixture.pool.add(transferOf('A', 2), false)
    fixture.pool.add(transferOf('B', 2), true)
    fixture.nowMs += 600
    fixture.pool.add(transferOf('C', 2), false)
    fixture.nowMs += 401
    fixture.pool.removeExpired()
    expect(fixture.dropped).toEqual([[transferOf('A', 2).hash, 'expired']])
    expect(fixture.pool.status()).toEqual({ pending: 1, queued: 2 })
    fixture.nowMs += 600
    fixture.pool.removeExpired()
    expect(fixture.dropped.at(-1)).toEqual([transferOf('C', 2).hash, 'expired'])
  })
})

describe('selection', () => {
  function taken(fixture: PoolFixture, baseFee?: bigint): string[] {
    const selection = fixture.pool.select(baseFee)
    const order: string[] = []
    for (let next = selection.peek(); next !== undefined; next = selection.peek()) {
      order.push(next.hash)
      selection.take()
    }
    return order
  }

  it('is by tip, each sender’s in order, earlier arrivals first', () => {
    const fixture = new PoolFixture()
    for (const name of 'ABC') fixture.fund(name)
    const a0 = fixture.pool.add(transferOf('A', 0, paying(1)), false).hash
    const a1 = fixture.pool.add(transferOf('A', 1, paying(9)), false).hash
    const b0 = fixture.pool.add(transferOf('B', 0, paying(5)), false).hash
    const c0 = fixture.pool.add(transferOf('C', 0, paying(5)), false).hash
    fixture.pool.add(transferOf('C', 2, paying(9)), false)
    expect(taken(fixture)).toEqual([b0, c0, a0, a1])
  })

  it('leaves out what is not worth the base fee, with all behind it', () => {
    const fixture = new PoolFixture()
    fixture.fund('A')
    fixture.fund('B')
    fixture.pool.add(transferOf('A', 0, paying(1)), false)
    fixture.pool.add(transferOf('A', 1, paying(9)), false)
    const b0 = fixture.pool.add(transferOf('B', 0, paying(3)), false).hash
    expect(taken(fixture, 3n * gwei)).toEqual([b0])
  })

  it('passes over a sender whose transaction failed', () => {
    const fixture = new PoolFixture()
    fixture.fund('A')
    fixture.fund('B')
    for (const nonce of [0, 1]) fixture.pool.add(transferOf('A', nonce, paying(9)), false)
    const b0 = fixture.pool.add(transferOf('B', 0, paying(1)), false).hash
    const selection = fixture.pool.select()
    selection.skipSender()
    expect(selection.peek()?.hash).toBe(b0)
    selection.take()
    selection.take()
    expect(selection.peek()).toBeUndefined()
  })
})

describe('checkRpcTransaction', () => {
  const rules = { allowsUnprotected: false, feeCapWei: 10n ** 18n }

  it('refuses what pays too much or is bound to no chain', () => {
    const dear = transferOf('A', 0, { maxFeePerGas: 10n ** 14n }).transaction
    expect(refusal(() => checkRpcTransaction(dear, rules))).toBe(
      'tx fee (2.10 ether) exceeds the configured cap (1.00 ether)',
    )
    expect(refusal(() => checkRpcTransaction(dear, { ...rules, feeCapWei: 0n }))).toBe('accepted')
    const { signature: _, ...unsigned } = transferOf('A', 0).transaction
    const unbound = signTransaction({ ...unsigned, type: 0, chainId: undefined }, keyOf('A'))
    expect(refusal(() => checkRpcTransaction(unbound, rules))).toBe(
      'only replay-protected (EIP-155) transactions allowed over RPC',
    )
    expect(refusal(() => checkRpcTransaction(unbound, { ...rules, allowsUnprotected: true }))).toBe(
      'accepted',
    )
    expect(unbound.chainId ?? testChainId).toBe(testChainId)
  })
})

describe('whatever happens', () => {
  type Step =
    | { kind: 'add'; name: string; nonce: number; tip: number; isLocal: boolean }
    | { kind: 'include'; name: string; count: number }
    | { kind: 'fund'; name: string; balance: bigint }
    | { kind: 'later'; ms: number }
    | { kind: 'baseFee'; gwei: number }

  const name = fc.constantFrom('A', 'B', 'C', 'D')
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        name,
        nonce: fc.nat(11),
        tip: fc.integer({ min: 1, max: 4 }),
        isLocal: fc.boolean(),
      }),
    },
    fc.record({
      kind: fc.constant('include' as const),
      name,
      count: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({
      kind: fc.constant('fund' as const),
      name,
      balance: fc.constantFrom(0n, 10n ** 14n, 10n ** 20n),
    }),
    fc.record({ kind: fc.constant('later' as const), ms: fc.nat(900) }),
    fc.record({ kind: fc.constant('baseFee' as const), gwei: fc.integer({ min: 1, max: 3 }) }),
  )
  const limits = {
    accountSlots: 2,
    globalSlots: 8,
    accountQueue: 3,
    globalQueue: 4,
    lifetimeMs: 1000,
    localCountMax: 12,
  }

  it('a transaction that was taken is in the pool or was told to have left, and limits hold', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
        const fixture = new PoolFixture(limits)
        const { pool } = fixture
        const states = new Map(
          [...'ABCD'].map((each) => [each, { balance: 10n ** 20n, nonce: 0n }]),
        )
        const accepted = new Map<string, string>()
        const left = new Set<string>()
        pool.subscribe({
          accepted: ({ hash, from, transaction }) => {
            left.delete(hash)
            accepted.set(hash, `${from} ${transaction.nonce}`)
          },
          dropped: (dropped) => {
            for (const { hash } of dropped) left.add(hash)
          },
        })
        const setState = (each: string, change: { balance?: bigint; nonce?: bigint }) => {
          const state = { ...(states.get(each) as { balance: bigint; nonce: bigint }), ...change }
          states.set(each, state)
          fixture.fund(each, state.balance, state.nonce)
        }
        for (const each of 'ABCD') setState(each, {})
        for (const each of steps) {
          if (each.kind === 'add') {
            refusal(() =>
              pool.add(transferOf(each.name, each.nonce, paying(each.tip)), each.isLocal),
            )
          } else if (each.kind === 'include') {
            const pendingNow = pool.contentFrom(addressOf(each.name)).pending.slice(0, each.count)
            const { nonce } = states.get(each.name) as { nonce: bigint }
            setState(each.name, { nonce: nonce + BigInt(pendingNow.length) })
            fixture.reset()
          } else if (each.kind === 'fund') {
            setState(each.name, { balance: each.balance })
            fixture.reset()
          } else if (each.kind === 'later') {
            fixture.nowMs += each.ms
            pool.removeExpired()
          } else {
            fixture.reset({ baseFee: BigInt(each.gwei) * gwei })
          }
          checkInvariants(fixture, states, accepted, left)
        }
      }),
      { numRuns: 30 },
    )
  })

  function checkInvariants(
    { pool }: PoolFixture,
    states: ReadonlyMap<string, { nonce: bigint }>,
    accepted: ReadonlyMap<string, string>,
    left: ReadonlySet<string>,
  ): void {
    const inPool = new Set<string>()
    let pendingCount = 0
    let queuedCount = 0
    for (const [each, { nonce }] of states) {
      const { pending, queued } = pool.contentFrom(addressOf(each))
      expect(nonces(pending)).toEqual(pending.map((_, index) => Number(nonce) + index))
      const end = Number(nonce) + pending.length
      for (const queuedNonce of nonces(queued)) expect(queuedNonce).toBeGreaterThan(end)
      expect(pool.nextNonce(addressOf(each))).toBe(BigInt(end))
      if (![...pending, ...queued].some(({ isLocal }) => isLocal)) {
        expect(queued.length).toBeLessThanOrEqual(limits.accountQueue)
      }
      pendingCount += pending.length
      queuedCount += queued.length
      for (const { hash } of [...pending, ...queued]) {
        inPool.add(hash)
        expect(pool.get(hash)?.hash).toBe(hash)
      }
    }
    expect(pool.status()).toEqual({ pending: pendingCount, queued: queuedCount })
    for (const hash of accepted.keys()) expect(inPool.has(hash)).toBe(!left.has(hash))
    const remotes = [...inPool].filter((hash) => pool.get(hash)?.isLocal === false)
    expect(remotes.length).toBeLessThanOrEqual(limits.globalSlots + limits.globalQueue)
  }
})
