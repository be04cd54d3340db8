import { dataFromHex, dataToHex } from '@cairn/eth-codec'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOf, CliqueTestChain } from '../testing/clique-chain.ts'
import { nonceAdd, nonceDrop, sealLimit } from './constants.ts'
import { applyHeader, type CliqueSnapshot, firstSnapshot } from './snapshot.ts'

const { genesis } = new CliqueTestChain('A')
const names = [...'ABCDEFG']
const addresses = names.map((name) => dataToHex(addressOf(name)))

interface Step {
  /** Which of those who may seal does. */
  readonly sealer: number
  readonly target: number
  readonly authorize: boolean
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  sealer: fc.nat(6),
  target: fc.nat(6),
  authorize: fc.boolean(),
})

function apply(snapshot: CliqueSnapshot, step: Step, epoch: bigint): CliqueSnapshot {
  const number = snapshot.number + 1n
  const limit = sealLimit(snapshot.signers.length)
  const barred = [...snapshot.recents]
    .filter(([seen]) => seen !== number - limit)
    .map(([, signer]) => signer)
  const free = snapshot.signers.filter((signer) => !barred.includes(signer))
  const signer = free[step.sealer % free.length]
  if (signer === undefined) return snapshot
  const isCheckpoint = number % epoch === 0n
  const coinbase = isCheckpoint ? new Uint8Array(20) : dataFromHex(addresses[step.target] as string)
  const nonce = !isCheckpoint && step.authorize ? nonceAdd : nonceDrop
  const hash = `0x${number.toString(16)}`
  return applyHeader(
    snapshot,
    { header: { ...genesis, number, coinbase, nonce }, hash, signer },
    epoch,
  )
}

describe('a snapshot', () => {
  it('holds together whatever is voted', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.array(anyStep, { minLength: 10, maxLength: 80 }),
        (signerCount, steps) => {
          const epoch = 23n
          let snapshot = firstSnapshot(0n, '0x', addresses.slice(0, signerCount))
          for (const step of steps) {
            snapshot = apply(snapshot, step, epoch)
            checkInvariants(snapshot)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  function checkInvariants({ signers, recents, votes, tally, number }: CliqueSnapshot): void {
    expect(signers).toEqual([...new Set(signers)].sort())
    // Nobody sealed two of the recent blocks, and none of them is older than matters.
    expect(new Set(recents.values()).size).toBe(recents.size)
    for (const seen of recents.keys()) expect(seen).toBeLessThanOrEqual(number)
    const pairs = votes.map(({ signer, address }) => `${signer} ${address}`)
    expect(new Set(pairs).size).toBe(pairs.length)
    for (const { signer, address, authorize } of votes) {
      expect(signers).toContain(signer)
      expect(authorize).toBe(!signers.includes(address))
    }
    // The tally is what counting the votes gives.
    const counted = new Map<string, number>()
    for (const { address } of votes) counted.set(address, (counted.get(address) ?? 0) + 1)
    expect([...tally].map(([address, { votes: count }]) => [address, count]).sort()).toEqual(
      [...counted].sort(),
    )
    for (const [address, { authorize }] of tally) expect(authorize).toBe(!signers.includes(address))
  }

  it('is not changed by what comes after it', () => {
    const first = firstSnapshot(0n, '0x', addresses.slice(0, 3))
    const second = apply(first, { sealer: 0, target: 5, authorize: true }, 100n)
    const copy = structuredClone(second)
    apply(second, { sealer: 1, target: 5, authorize: true }, 100n)
    apply(second, { sealer: 0, target: 0, authorize: false }, 100n)
    expect(second).toEqual(copy)
    expect(first.recents.size + first.votes.length + first.tally.size).toBe(0)
  })
})
