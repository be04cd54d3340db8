import { concatBytes, createSystemClock } from '@cairn/core'
import { type BlockHeader, dataToHex, emptyCodeHash, sealCliqueHeader } from '@cairn/eth-codec'
import { describe, expect, it } from 'vitest'
import { HeaderError, type HeaderErrorCode } from '../header-error.ts'
import {
  addressOf,
  CliqueTestChain,
  type HeaderChanges,
  hashOf,
  keyOf,
  londonConfig,
  namesOf,
} from '../testing/clique-chain.ts'
import { CliqueEngine } from './clique-engine.ts'
import { nonceAdd } from './constants.ts'
import type { CliqueSnapshot } from './snapshot.ts'

const quickEpoch = { ...londonConfig, clique: { periodSeconds: 5n, epoch: 3n } }

/** The error of a header, or `accepted`. */
function verdict(chain: CliqueTestChain, header: BlockHeader): HeaderErrorCode | 'accepted' {
  try {
    chain.engine.verifyHeader(header)
  } catch (error) {
    if (error instanceof HeaderError) {
      expect(error.data.number).toBe(header.number)
      return error.code
    }
    throw error
  }
  return 'accepted'
}

/** Seals blocks one after the other, all of them known; answers the last. */
function grow(chain: CliqueTestChain, from: BlockHeader, signers: string): BlockHeader {
  let head = from
  for (const signer of signers) head = chain.add(chain.seal(head, signer))
  return head
}

describe('a header', () => {
  const chain = new CliqueTestChain('ABC', { config: quickEpoch })
  const one = grow(chain, chain.genesis, 'A')
  const two = grow(chain, one, 'B')
  const plain = (changes: HeaderChanges) => chain.seal(one, 'B', undefined, changes)
  const checkpoint = (changes: HeaderChanges) => chain.seal(two, 'C', undefined, changes)
  const withExtra = (size: number) => ({ extraData: new Uint8Array(size) })

  it('is accepted when it follows the rules', () => {
    expect(verdict(chain, plain({}))).toBe('accepted')
    expect(verdict(chain, checkpoint({}))).toBe('accepted')
    expect(verdict(chain, chain.genesis)).toBe('accepted')
    expect(verdict(chain, plain({ coinbase: addressOf('D'), nonce: nonceAdd }))).toBe('accepted')
  })

  const negatives: readonly [HeaderErrorCode, string, BlockHeader][] = [
    ['FUTURE_BLOCK', 'block in the future', plain({ timestamp: 2n ** 40n + 1n })],
    [
      'CHECKPOINT_BENEFICIARY',
      'beneficiary in checkpoint block non-zero',
      checkpoint({ coinbase: addressOf('D') }),
    ],
    [
      'VOTE_INVALID',
      'vote nonce not 0x00..0 or 0xff..f',
      plain({ nonce: new Uint8Array(8).fill(1) }),
    ],
    ['CHECKPOINT_VOTE', 'vote nonce in checkpoint block non-zero', checkpoint({ nonce: nonceAdd })],
    [
      'VANITY_MISSING',
      'extra-data 32 byte vanity prefix missing',
      { ...plain({}), extraData: new Uint8Array(31) },
    ],
    [
      'SIGNATURE_MISSING',
      'extra-data 65 byte signature suffix missing',
      { ...plain({}), extraData: new Uint8Array(96) },
    ],
    ['EXTRA_SIGNERS', 'non-checkpoint block contains extra signer list', plain(withExtra(117))],
    ['CHECKPOINT_SIGNERS', 'invalid signer list on checkpoint block', checkpoint(withExtra(98))],
    ['MIX_DIGEST', 'non-zero mix digest', plain({ mixHash: new Uint8Array(32).fill(1) })],
    ['UNCLE_HASH', 'non empty uncle hash', plain({ unclesHash: emptyCodeHash })],
    ['DIFFICULTY_INVALID', 'invalid difficulty', plain({ difficulty: 3n })],
    ['GAS_LIMIT_INVALID', 'invalid gas limit', plain({ gasLimit: 2n ** 63n })],
    ['UNKNOWN_ANCESTOR', 'unknown ancestor', plain({ parentHash: new Uint8Array(32) })],
    ['UNKNOWN_ANCESTOR', 'unknown ancestor', plain({ number: 5n })],
    ['TIMESTAMP_INVALID', 'invalid timestamp', plain({ timestamp: one.timestamp + 4n })],
    [
      'GAS_USED_INVALID',
      'invalid gasUsed: have 30000001, gasLimit 30000000',
      plain({ gasUsed: 30_000_001n }),
    ],
    ['BASE_FEE_INVALID', 'invalid baseFee: have <nil>', plain({ baseFeePerGas: undefined })],
    [
      'CHECKPOINT_MISMATCH',
      'mismatching signer list on checkpoint block',
      checkpoint(withExtra(32 + 40 + 65)),
    ],
    ['UNAUTHORIZED_SIGNER', 'unauthorized signer', chain.seal(one, 'E')],
    ['RECENTLY_SIGNED', 'recently signed', chain.seal(two, 'B')],
    ['DIFFICULTY_WRONG', 'wrong difficulty', plain({ difficulty: 3n - plain({}).difficulty })],
    ['SEAL_INVALID', 'invalid seal', chain.unsealed(one, 'B')],
  ]

  it.each(negatives)('%s: %s', (code, text, header) => {
    expect(verdict(chain, header)).toBe(code)
    expect(() => chain.engine.verifyHeader(header)).toThrow(text)
  })

  it('is named by its first fault, in the order of geth', () => {
    const all: [HeaderErrorCode, HeaderChanges][] = [
      ['FUTURE_BLOCK', { timestamp: 2n ** 41n }],
      ['CHECKPOINT_BENEFICIARY', { coinbase: addressOf('D') }],
      ['VOTE_INVALID', { nonce: new Uint8Array(8).fill(7) }],
      ['CHECKPOINT_SIGNERS', withExtra(98)],
      ['MIX_DIGEST', { mixHash: emptyCodeHash }],
      ['UNCLE_HASH', { unclesHash: emptyCodeHash }],
      ['DIFFICULTY_INVALID', { difficulty: 0n }],
      ['GAS_LIMIT_INVALID', { gasLimit: 2n ** 63n }],
      ['UNKNOWN_ANCESTOR', { parentHash: emptyCodeHash }],
      ['GAS_USED_INVALID', { gasUsed: 2n ** 62n }],
    ]
    // With every fault from the nth on, the nth is told. A checkpoint has all of them.
    for (let first = 0; first < all.length; first++) {
      const changes = Object.assign({}, ...all.slice(first).map(([, change]) => change))
      const header = { ...checkpoint({}), ...changes }
      expect([first, verdict(chain, header)]).toEqual([first, all[first]?.[0]])
    }
  })

  it('at a checkpoint names all signers, none less and none more, in order', () => {
    const whole = checkpoint({}).extraData
    const named = [0, 1, 2].map((i) => whole.subarray(32 + 20 * i, 52 + 20 * i))
    const verdictOf = (...signers: (Uint8Array | undefined)[]) => {
      const list = concatBytes(...signers.map((each) => each ?? new Uint8Array(20)))
      const extraData = concatBytes(new Uint8Array(32), list, new Uint8Array(65))
      return verdict(chain, checkpoint({ extraData }))
    }
    const [a, b, c] = named
    expect(verdictOf(a, b, c)).toBe('accepted')
    for (const list of [[], [a, b], [a, b, c, c], [b, a, c], [a, b, addressOf('D')]]) {
      expect(verdictOf(...list)).toBe('CHECKPOINT_MISMATCH')
    }
  })

  it('needs a seal over all of it', () => {
    const sealed = plain({})
    expect(verdict(chain, { ...sealed, stateRoot: emptyCodeHash })).toBe('UNAUTHORIZED_SIGNER')
    const forged = sealCliqueHeader(chain.unsealed(one, 'B'), keyOf('D'))
    expect(verdict(chain, forged)).toBe('UNAUTHORIZED_SIGNER')
  })

  it('of the first blocks may repeat a sealer, and the next one is refused, as by geth', () => {
    // Five signers, limit 3: geth's unsigned subtraction lets block 2 pass and block 3 finds the repetition.
    const five = new CliqueTestChain('ABCDE')
    const first = five.add(five.seal(five.genesis, 'A'))
    const second = five.seal(first, 'A')
    expect(verdict(five, second)).toBe('accepted')
    five.add(second)
    expect(() => five.seal(second, 'B')).toThrow('recently signed')
  })
})

describe('signers in turn', () => {
  it('seal with difficulty 2, one after the other, and everybody else with 1', () => {
    const chain = new CliqueTestChain('ABC')
    const order = chain.engine
      .snapshotAt(hashOf(chain.genesis))
      .signers.map((each) => namesOf([each]))
    let head = chain.genesis
    for (let number = 1; number < 7; number++) {
      const inTurn = order[number % 3] as string
      const other = order[(number + 1) % 3] as string
      expect(chain.seal(head, inTurn).difficulty).toBe(2n)
      expect(chain.seal(head, other).difficulty).toBe(1n)
      head = chain.add(chain.seal(head, inTurn))
      expect(verdict(chain, head)).toBe('accepted')
    }
  })
})

describe('a reorganisation over a vote', () => {
  it('leaves each branch with its own signers', () => {
    const chain = new CliqueTestChain('AB')
    const fork = grow(chain, chain.genesis, 'A')
    const addB = chain.add(chain.seal(fork, 'B', '+C'))
    const added = chain.add(chain.seal(addB, 'A', '+C'))
    const dropB = chain.add(chain.seal(fork, 'B', '-A'))
    const plainA = chain.add(chain.seal(dropB, 'A'))
    const voted = chain.seal(plainA, 'B', '+C')
    const signersAt = (header: BlockHeader) => {
      return namesOf(chain.engine.snapshotAt(hashOf(header)).signers)
    }
    for (const _ of [1, 2]) {
      expect(signersAt(added)).toBe('ABC')
      expect(signersAt(plainA)).toBe('AB')
    }
    expect(verdict(chain, chain.seal(added, 'C'))).toBe('accepted')
    expect(verdict(chain, chain.seal(plainA, 'C'))).toBe('UNAUTHORIZED_SIGNER')
    expect(verdict(chain, voted)).toBe('accepted')
    const { tally } = chain.engine.snapshotAt(hashOf(chain.add(voted)))
    expect([...tally.values()]).toEqual([
      { authorize: false, votes: 1 },
      { authorize: true, votes: 1 },
    ])
  })
})

describe('snapshots', () => {
  class MemorySnapshots {
    readonly kept = new Map<string, CliqueSnapshot>()
    readSnapshot = (hash: string) => this.kept.get(hash)
    writeSnapshot = (snapshot: CliqueSnapshot) => {
      this.kept.set(snapshot.hash, snapshot)
    }
  }

  it('are stored every 1024 blocks and read instead of walking back', () => {
    const snapshots = new MemorySnapshots()
    const chain = new CliqueTestChain('A', { snapshots })
    const head = grow(chain, chain.genesis, 'A'.repeat(1030))
    chain.engine.verifyHeader(head)
    expect([...snapshots.kept.values()].map(({ number }) => number)).toEqual([0n, 1024n])

    const asked: bigint[] = []
    const engine = new CliqueEngine({
      config: londonConfig,
      snapshots,
      nowSeconds: () => BigInt(Math.floor(createSystemClock().nowMs() / 1000)),
      headers: {
        headerByHash(hash) {
          const header = chain.headerByHash(hash)
          asked.push(header?.number ?? -1n)
          return header
        },
      },
    })
    expect(engine.snapshotAt(hashOf(head)).number).toBe(1030n)
    expect(Math.min(...asked.map(Number))).toBe(1024)
  })

  it('start from a checkpoint when it is far from anything known', () => {
    const chain = new CliqueTestChain('A', { config: quickEpoch })
    const head = grow(chain, chain.genesis, 'A'.repeat(12))
    const recent = (from: bigint) => ({
      headerByHash(hash: string) {
        const header = chain.headerByHash(hash)
        return header !== undefined && header.number >= from ? header : undefined
      },
    })
    const options = { config: quickEpoch, nowSeconds: () => 2n ** 40n }
    const trusting = new CliqueEngine({ ...options, headers: recent(3n), trustedDepthBlocks: 5 })
    expect(namesOf(trusting.snapshotAt(hashOf(head)).signers)).toBe('A')
    const careful = new CliqueEngine({ ...options, headers: recent(3n) })
    expect(() => careful.snapshotAt(hashOf(head))).toThrow('unknown ancestor')
  })
})

describe('verifyHeaders', () => {
  it('takes headers that are not stored yet as parents, and tells which one is wrong', () => {
    const source = new CliqueTestChain('AB')
    const headers: BlockHeader[] = []
    let head = source.genesis
    for (const signer of 'ABABAB') {
      head = source.add(source.seal(head, signer))
      headers.push(head)
    }
    const chain = new CliqueTestChain('AB')
    expect(chain.engine.verifyHeaders(headers)).toEqual(headers.map(hashOf))
    expect(chain.headerByHash(hashOf(head))).toBeUndefined()
    const broken = headers.with(3, { ...(headers[3] as BlockHeader), gasUsed: 1n })
    try {
      chain.engine.verifyHeaders(broken)
      expect.unreachable()
    } catch (error) {
      expect((error as HeaderError).data).toMatchObject({ number: 4n })
    }
  })
})

describe('signerOf', () => {
  it('is the sealer, not the coinbase', () => {
    const chain = new CliqueTestChain('A')
    const header = chain.seal(chain.genesis, 'A', '+B')
    expect(chain.engine.signerOf(header)).toBe(dataToHex(addressOf('A')))
    expect(chain.engine.signerOf(header)).toBe(dataToHex(addressOf('A')))
    expect(() => chain.engine.signerOf({ ...header, extraData: new Uint8Array(3) })).toThrow(
      'extra-data 65 byte signature suffix missing',
    )
    const cut = concatBytes(header.extraData.subarray(0, -1), Uint8Array.of(4))
    expect(() => chain.engine.signerOf({ ...header, extraData: cut })).toThrow('invalid seal')
  })
})
