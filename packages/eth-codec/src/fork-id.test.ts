import { fromHex } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { ForkIds } from './fork-id.ts'
import { parseChainConfig } from './genesis.ts'

/** The public network: its fork identifiers are in EIP-2124 and in geth's forkid_test.go. */
const forks = {
  chainId: 1,
  homesteadBlock: 1_150_000,
  daoForkBlock: 1_920_000,
  eip150Block: 2_463_000,
  eip155Block: 2_675_000,
  eip158Block: 2_675_000,
  byzantiumBlock: 4_370_000,
  constantinopleBlock: 7_280_000,
  petersburgBlock: 7_280_000,
  istanbulBlock: 9_069_000,
  muirGlacierBlock: 9_200_000,
  berlinBlock: 12_244_000,
  londonBlock: 12_965_000,
  arrowGlacierBlock: 13_773_000,
  grayGlacierBlock: 15_050_000,
  shanghaiTime: 1_681_338_455,
  cancunTime: 1_710_338_135,
}
const genesisHash = fromHex('d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3')
const ids = new ForkIds(parseChainConfig(forks), genesisHash, 0n)

describe('fork identifiers', () => {
  it('are those of the public network at every fork', () => {
    const expected: [bigint, bigint, number, bigint][] = [
      [0n, 0n, 0xfc64ec04, 1_150_000n],
      [1_149_999n, 0n, 0xfc64ec04, 1_150_000n],
      [1_150_000n, 0n, 0x97c2c34c, 1_920_000n],
      [1_920_000n, 0n, 0x91d1f948, 2_463_000n],
      [2_463_000n, 0n, 0x7a64da13, 2_675_000n],
      [2_675_000n, 0n, 0x3edd5b10, 4_370_000n],
      [4_370_000n, 0n, 0xa00bc324, 7_280_000n],
      [7_280_000n, 0n, 0x668db0af, 9_069_000n],
      [9_069_000n, 0n, 0x879d6e30, 9_200_000n],
      [9_200_000n, 0n, 0xe029e991, 12_244_000n],
      [12_244_000n, 0n, 0x0eb440f6, 12_965_000n],
      [12_965_000n, 0n, 0xb715077d, 13_773_000n],
      [13_773_000n, 0n, 0x20c327fc, 15_050_000n],
      [15_050_000n, 0n, 0xf0afd0e3, 1_681_338_455n],
      [20_000_000n, 1_681_338_455n, 0xdce96c2d, 1_710_338_135n],
      [30_000_000n, 1_710_338_135n, 0x9f3d2254, 0n],
    ]
    for (const [number, time, hash, next] of expected) {
      expect(ids.at({ number, time })).toEqual({ hash, next })
    }
  })

  it('leave out forks that were there from the start', () => {
    const config = parseChainConfig({
      chainId: 5,
      ...Object.fromEntries(Object.keys(forks).map((key) => [key, 0])),
      cancunTime: 100,
    })
    const early = new ForkIds(config, genesisHash, 0n)
    const late = new ForkIds(config, genesisHash, 100n)
    expect(early.at({ number: 0n, time: 0n })).toEqual({ hash: 0xfc64ec04, next: 100n })
    expect(late.at({ number: 0n, time: 100n })).toEqual({ hash: 0xfc64ec04, next: 0n })
  })
})

describe('mismatch', () => {
  const petersburg = { number: 7_987_396n, time: 0n }
  const byzantium = { number: 7_279_999n, time: 0n }
  const old = new ForkIds(
    parseChainConfig({
      ...Object.fromEntries(Object.entries(forks).slice(0, 9)),
      chainId: 1,
    }),
    genesisHash,
    0n,
  )

  it('is none for the same rules, those ahead and those behind that know what comes', () => {
    expect(ids.mismatch({ hash: 0x668db0af, next: 0n }, petersburg)).toBeUndefined()
    expect(ids.mismatch({ hash: 0x668db0af, next: 9_069_000n }, petersburg)).toBeUndefined()
    // Announced and not reached yet: whether it comes will show.
    expect(old.mismatch({ hash: 0x668db0af, next: 2n ** 62n }, petersburg)).toBeUndefined()
    expect(ids.mismatch({ hash: 0x3edd5b10, next: 4_370_000n }, petersburg)).toBeUndefined()
    expect(ids.mismatch({ hash: 0x668db0af, next: 0n }, byzantium)).toBeUndefined()
    expect(ids.mismatch({ hash: 0x9f3d2254, next: 0n }, byzantium)).toBeUndefined()
  })

  it('is there for those behind that do not know what comes', () => {
    expect(ids.mismatch({ hash: 0xa00bc324, next: 0n }, petersburg)).toBe('remote needs update')
  })

  it('is there for rules unknown here, and for a fork that should be behind us', () => {
    const local = 'local incompatible or needs update'
    expect(ids.mismatch({ hash: 0xafec6b27, next: 0n }, petersburg)).toBe(local)
    expect(ids.mismatch({ hash: 0x5cddc0e1, next: 0n }, byzantium)).toBe(local)
    const beyond = { number: 88_888_888n, time: 2_000_000_000n }
    expect(ids.mismatch({ hash: 0x9f3d2254, next: 88_888_888n }, beyond)).toBe(local)
    expect(ids.mismatch({ hash: 0x9f3d2254, next: 1_999_999_999n }, beyond)).toBe(local)
    expect(ids.mismatch({ hash: 0x9f3d2254, next: 2_000_000_001n }, beyond)).toBeUndefined()
    expect(ids.mismatch({ hash: 0xa00bc324, next: 7_279_999n }, byzantium)).toBe(local)
  })
})
