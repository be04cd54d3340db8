import type { BlockHeader, ChainConfig } from '@cairn/eth-codec'
import { describe, expect, it } from 'vitest'
import { checkGasFields, nextBaseFee, nextGasLimit } from './gas-rules.ts'
import { CliqueTestChain, londonConfig } from './testing/clique-chain.ts'

const { genesis } = new CliqueTestChain('A')
const laterLondon: ChainConfig = { ...londonConfig, londonBlock: 5n }

function parentOf(changes: Partial<BlockHeader>): BlockHeader {
  return { ...genesis, number: 10n, gasLimit: 20_000_000n, baseFeePerGas: 1000n, ...changes }
}

describe('nextBaseFee', () => {
  it('follows the gas used, by an eighth at most', () => {
    // The cases of EIP-1559's own arithmetic, with geth's three from eip1559_test.go.
    const cases: [bigint, bigint, bigint, bigint][] = [
      [1_000_000_000n, 20_000_000n, 10_000_000n, 1_000_000_000n],
      [1_000_000_000n, 20_000_000n, 9_000_000n, 987_500_000n],
      [1_000_000_000n, 20_000_000n, 11_000_000n, 1_012_500_000n],
      [1000n, 20_000_000n, 20_000_000n, 1125n],
      [1000n, 20_000_000n, 0n, 875n],
      [7n, 20_000_000n, 10_000_001n, 8n],
      [0n, 20_000_000n, 20_000_000n, 1n],
      [0n, 20_000_000n, 0n, 0n],
    ]
    for (const [baseFeePerGas, gasLimit, gasUsed, expected] of cases) {
      const parent = parentOf({ baseFeePerGas, gasLimit, gasUsed })
      expect(nextBaseFee(londonConfig, parent)).toBe(expected)
    }
  })

  it('starts at one gwei, and stands a gas limit of nothing', () => {
    expect(nextBaseFee(laterLondon, parentOf({ number: 4n, baseFeePerGas: undefined }))).toBe(
      10n ** 9n,
    )
    expect(nextBaseFee(londonConfig, parentOf({ gasLimit: 1n, gasUsed: 0n }))).toBe(875n)
  })
})

describe('checkGasFields', () => {
  const verdict = (config: ChainConfig, parent: BlockHeader, changes: Partial<BlockHeader>) => {
    const header = { ...parent, number: parent.number + 1n, gasUsed: 0n, ...changes }
    try {
      checkGasFields(config, header, parent)
      return 'accepted'
    } catch (error) {
      return (error as Error).message.split('\n')[0]
    }
  }

  it('lets the gas limit move by less than a part in 1024', () => {
    const parent = parentOf({ gasUsed: 10_000_000n })
    const limit = (gasLimit: bigint) => verdict(londonConfig, parent, { gasLimit })
    expect(limit(20_000_000n + 19_530n)).toBe('accepted')
    expect(limit(20_000_000n - 19_530n)).toBe('accepted')
    expect(limit(20_000_000n + 19_531n)).toBe(
      'invalid gas limit: have 20019531, want 20000000 +-= 19530',
    )
    expect(limit(20_000_000n - 19_531n)).toMatch(/^invalid gas limit: have 19980469/)
    const low = parentOf({ gasLimit: 5001n, gasUsed: 2500n })
    expect(verdict(londonConfig, low, { gasLimit: 4999n })).toBe('invalid gas limit below 5000')
  })

  it('doubles the gas limit at London, once', () => {
    const before = parentOf({ number: 4n, gasLimit: 10_000_000n, baseFeePerGas: undefined })
    const at = { gasLimit: 20_000_000n, baseFeePerGas: 10n ** 9n }
    expect(verdict(laterLondon, before, at)).toBe('accepted')
    expect(verdict(laterLondon, before, { ...at, gasLimit: 10_000_000n })).toMatch(/gas limit/)
    expect(verdict(laterLondon, before, { ...at, baseFeePerGas: 5n })).toBe(
      'invalid baseFee: have 5, want 1000000000',
    )
  })

  it('knows no base fee before London', () => {
    const before = parentOf({ number: 2n, baseFeePerGas: undefined })
    expect(verdict(laterLondon, before, {})).toBe('accepted')
    expect(verdict(laterLondon, before, { baseFeePerGas: 7n })).toBe(
      'invalid baseFee before fork: have 7, want <nil>',
    )
  })
})

describe('nextGasLimit', () => {
  it('goes towards what is wanted as fast as it may, and what it gives is valid', () => {
    const parent = parentOf({})
    expect(nextGasLimit(londonConfig, parent, 30_000_000n)).toBe(20_000_000n + 19_530n)
    expect(nextGasLimit(londonConfig, parent, 10_000_000n)).toBe(20_000_000n - 19_530n)
    expect(nextGasLimit(londonConfig, parent, 20_000_005n)).toBe(20_000_005n)
    expect(nextGasLimit(londonConfig, parent, 20_000_000n)).toBe(20_000_000n)
    expect(nextGasLimit(londonConfig, parentOf({ gasLimit: 5001n }), 0n)).toBe(5000n)
    const before = parentOf({ number: 4n, gasLimit: 10_000_000n, baseFeePerGas: undefined })
    expect(nextGasLimit(laterLondon, before, 0n)).toBe(20_000_000n - 19_530n)
    for (const wanted of [0n, 20_000_000n, 2n ** 62n]) {
      const gasLimit = nextGasLimit(londonConfig, parent, wanted)
      const header = { ...parent, number: 11n, gasLimit, baseFeePerGas: 875n }
      expect(() => checkGasFields(londonConfig, header, parent)).not.toThrow()
    }
  })
})
