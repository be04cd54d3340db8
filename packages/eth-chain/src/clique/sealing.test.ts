import { dataFromHex, dataToHex } from '@cairn/eth-codec'
import { createSeededRandom } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import {
  addressOf,
  CliqueTestChain,
  hashOf,
  londonConfig,
  namesOf,
} from '../testing/clique-chain.ts'
import { CliqueProposals, proposalCountMax } from './proposals.ts'
import { prepareHeader, sealDelayMs, sealingTurn } from './sealing.ts'
import { snapshotFromJson, snapshotToJson } from './snapshot-json.ts'

const text = (name: string) => dataToHex(addressOf(name))
const random = createSeededRandom(7)

describe('sealingTurn', () => {
  it('is nobody else’s, and not one’s own again too soon', () => {
    const chain = new CliqueTestChain('ABC')
    const start = chain.engine.snapshotAt(hashOf(chain.genesis))
    expect(sealingTurn(start, text('D'))).toEqual({ kind: 'unauthorized' })
    const turns = [...'ABC'].map((name) => sealingTurn(start, text(name)))
    expect(turns.filter((turn) => turn.kind === 'seal' && turn.isInTurn)).toHaveLength(1)
    const first = chain.add(chain.seal(chain.genesis, 'A'))
    const second = chain.add(chain.seal(first, 'B'))
    const third = chain.add(chain.seal(second, 'C'))
    const turn = (hash: string, name: string) => {
      return sealingTurn(chain.engine.snapshotAt(hash), text(name)).kind
    }
    // Three signers: each seals at most one block of two.
    expect(turn(hashOf(first), 'A')).toBe('recentlySigned')
    expect(turn(hashOf(second), 'A')).toBe('seal')
    expect(turn(hashOf(second), 'B')).toBe('recentlySigned')
    expect(turn(hashOf(third), 'A')).toBe('seal')
  })

  it('lets a single signer seal every block', () => {
    const chain = new CliqueTestChain('A')
    const head = chain.add(chain.seal(chain.genesis, 'A'))
    expect(sealingTurn(chain.engine.snapshotAt(hashOf(head)), text('A'))).toEqual({
      kind: 'seal',
      isInTurn: true,
      difficulty: 2n,
    })
  })
})

describe('sealDelayMs', () => {
  it('waits for the time of the header, and a little longer out of turn', () => {
    const header = { timestamp: 100n }
    const inTurn = { isInTurn: true, signerCount: 5 }
    expect(sealDelayMs(header, inTurn, 99_250, random)).toBe(750)
    expect(sealDelayMs(header, inTurn, 101_000, random)).toBe(0)
    const delays = Array.from({ length: 200 }, () =>
      sealDelayMs(header, { isInTurn: false, signerCount: 5 }, 100_000, random),
    )
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...delays)).toBeLessThan(1500)
    expect(new Set(delays).size).toBeGreaterThan(50)
  })
})

describe('prepareHeader', () => {
  const config = { ...londonConfig, clique: { periodSeconds: 5n, epoch: 2n } }
  const chain = new CliqueTestChain('AB', { config })
  const one = chain.add(chain.seal(chain.genesis, 'A'))
  const prepare = (parent: typeof one, changes: object = {}) =>
    prepareHeader({
      config,
      parent,
      parentHash: dataFromHex(hashOf(parent)),
      snapshot: chain.engine.snapshotAt(hashOf(parent)),
      signer: text('B'),
      proposal: { address: text('C'), authorize: true },
      vanity: new TextEncoder().encode('a vanity of more than thirty-two bytes'),
      gasLimitWanted: 40_000_000n,
      nowSeconds: 0n,
      ...changes,
    })

  it('votes, except at a checkpoint, where it lists the signers', () => {
    const vote = prepare(chain.genesis)
    expect(namesOf([dataToHex(vote.coinbase)])).toBe('C')
    expect(vote.nonce[0]).toBe(255)
    expect(vote.extraData).toHaveLength(97)
    expect(new TextDecoder().decode(vote.extraData.subarray(0, 32))).toBe(
      'a vanity of more than thirty-two',
    )
    const checkpoint = prepare(one)
    expect(checkpoint.coinbase.every((byte) => byte === 0)).toBe(true)
    expect(checkpoint.nonce.every((byte) => byte === 0)).toBe(true)
    expect(checkpoint.extraData).toHaveLength(97 + 40)
    const drop = prepare(chain.genesis, { proposal: { address: text('A'), authorize: false } })
    expect(drop.nonce.every((byte) => byte === 0)).toBe(true)
    expect(namesOf([dataToHex(drop.coinbase)])).toBe('A')
  })

  it('is dated a period after its parent, or now', () => {
    expect(prepare(one).timestamp).toBe(one.timestamp + 5n)
    const now = one.timestamp + 60n
    expect(prepare(one, { nowSeconds: now }).timestamp).toBe(now)
  })
})

describe('CliqueProposals', () => {
  it('are chosen only where they change something', () => {
    const chain = new CliqueTestChain('AB')
    const snapshot = chain.engine.snapshotAt(hashOf(chain.genesis))
    const proposals = new CliqueProposals()
    expect(proposals.choose(snapshot, random)).toBeUndefined()
    proposals.propose(text('A'), true)
    proposals.propose(text('C'), false)
    expect(proposals.choose(snapshot, random)).toBeUndefined()
    proposals.propose(text('B'), false)
    proposals.propose(text('D'), true)
    const chosen = new Set(
      Array.from({ length: 64 }, () => proposals.choose(snapshot, random)?.address),
    )
    expect(chosen).toEqual(new Set([text('B'), text('D')]))
    proposals.discard(text('D'))
    expect(proposals.choose(snapshot, random)).toEqual({ address: text('B'), authorize: false })
  })

  it('are bounded', () => {
    const proposals = new CliqueProposals()
    for (let i = 0; i < proposalCountMax; i++) expect(proposals.propose(`0x${i}`, true)).toBe(true)
    expect(proposals.propose('0xmore', true)).toBe(false)
    expect(proposals.propose('0x0', false)).toBe(true)
    expect(proposals.list()).toHaveLength(proposalCountMax)
  })
})

describe('snapshots as JSON', () => {
  it('are read as they were written, in the shape of clique_getSnapshot', () => {
    const chain = new CliqueTestChain('ABC')
    const head = chain.add(chain.seal(chain.add(chain.seal(chain.genesis, 'A', '+D')), 'B', '-C'))
    const snapshot = chain.engine.snapshotAt(hashOf(head))
    const json = snapshotToJson(snapshot)
    expect(json.number).toBe(2)
    expect(json.votes).toEqual([
      { signer: text('A'), block: 1, address: text('D'), authorize: true },
      { signer: text('B'), block: 2, address: text('C'), authorize: false },
    ])
    expect(json.tally[text('D')]).toEqual({ authorize: true, votes: 1 })
    expect(json.recents).toEqual({ 1: text('A'), 2: text('B') })
    expect(snapshotFromJson(JSON.parse(JSON.stringify(json)))).toEqual(snapshot)
  })
})
