import { fromHex, toHex } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { blockHash } from './block-header.ts'
import { type ChainConfig, forkAt, gethIncompatibility } from './chain-config.ts'
import { GenesisError } from './errors.ts'
import {
  cliqueExtraData,
  cliqueSigners,
  genesisHeader,
  genesisStateChanges,
  genesisToJson,
  parseChainConfig,
  parseGenesis,
} from './genesis.ts'
import { emptyCodeHash, emptyTrieRoot, keccak256 } from './keccak256.ts'

const signer = 'e0a2bd4258d2768837baa26a28fe71dc079f84c7'
const allForks = {
  homesteadBlock: 0,
  eip150Block: 0,
  eip155Block: 0,
  eip158Block: 0,
  byzantiumBlock: 0,
  constantinopleBlock: 0,
  petersburgBlock: 0,
  istanbulBlock: 0,
  berlinBlock: 0,
  londonBlock: 0,
}

function genesisJson(changes: object = {}, config: object = {}): Record<string, unknown> {
  return {
    config: { chainId: 4242, ...allForks, clique: { period: 5, epoch: 30000 }, ...config },
    difficulty: '0x1',
    gasLimit: '30000000',
    extraData: `0x${'00'.repeat(32)}${signer}${'00'.repeat(65)}`,
    alloc: { [signer]: { balance: '0x10' } },
    ...changes,
  }
}

function codeOf(json: unknown): string {
  try {
    parseGenesis(json)
  } catch (error) {
    if (error instanceof GenesisError) return error.code
    throw error
  }
  return 'accepted'
}

describe('parseGenesis', () => {
  it('makes the header of a public Clique chain', () => {
    // Görli: chain 5, values of geth 1.13 (params/config.go, core/genesis.go) and its published genesis hash.
    const { genesis } = parseGenesis({
      config: {
        chainId: 5,
        ...allForks,
        istanbulBlock: 1_561_651,
        berlinBlock: 4_460_644,
        londonBlock: 5_062_605,
        clique: { period: 15, epoch: 30_000 },
      },
      timestamp: '0x5c51a607',
      extraData: `0x22466c6578692069732061207468696e6722202d204166726900000000000000${signer}${'00'.repeat(65)}`,
      gasLimit: '0xa00000',
      difficulty: '0x1',
      alloc: {},
    })
    const stateRoot = fromHex('5d6cded585e73c4e322c30c2f782a336316f17dd85a4863b9d838d2d4b8b3008')
    const header = genesisHeader(genesis, () => stateRoot)
    expect(header.baseFeePerGas).toBeUndefined()
    expect(toHex(blockHash(header))).toBe(
      'bf7e331f7f7c1dd2e05159666b3bf8bc7a8a3a9eb1d518969eab529dd9b88c1a',
    )
  })

  it('reads numbers and addresses in every spelling', () => {
    const { genesis, warnings } = parseGenesis(
      genesisJson({
        nonce: '0x42',
        timestamp: 1_700_000_000,
        mixhash: '0x01',
        alloc: {
          '0xAbCdef0000000000000000000000000000000001': {
            balance: '1000000000000000000000',
            nonce: '0x2',
            code: '0x6001',
            storage: { '0x1': '0xff', '02': '0x', '0x03': '0x0' },
            secretKey: '0x00',
          },
          '0000000000000000000000000000000000000001': { balance: 1 },
        },
      }),
    )
    expect(warnings).toEqual([])
    expect(toHex(genesis.nonce)).toBe('0000000000000042')
    expect(toHex(genesis.mixHash)).toBe('01'.padStart(64, '0'))
    expect(genesis.gasLimit).toBe(30_000_000n)
    expect(genesis.accounts.map(({ address }) => toHex(address))).toEqual([
      '01'.padStart(40, '0'),
      'abcdef0000000000000000000000000000000001',
    ])
    const contract = genesis.accounts[1]
    expect(contract).toMatchObject({ balance: 10n ** 21n, nonce: 2n })
    expect(contract?.storage.map(({ slot, value }) => [toHex(slot), toHex(value)])).toEqual([
      ['01'.padStart(64, '0'), 'ff'.padStart(64, '0')],
    ])
    const changes = genesisStateChanges(genesis)
    expect(changes.codes).toEqual([{ codeHash: keccak256(fromHex('6001')), code: fromHex('6001') }])
    expect(changes.accounts[0]?.account).toEqual({
      nonce: 0n,
      balance: 1n,
      codeHash: emptyCodeHash,
    })
  })

  it('fills in what is left out', () => {
    const { genesis } = parseGenesis(genesisJson({ gasLimit: 0 }, { clique: {} }))
    expect(genesis.config.clique).toEqual({ periodSeconds: 0n, epoch: 30_000n })
    const header = genesisHeader(genesis, () => emptyTrieRoot)
    expect(header).toMatchObject({
      number: 0n,
      baseFeePerGas: 1_000_000_000n,
      gasLimit: 4_712_388n,
    })
    const given = parseGenesis(genesisJson({ baseFeePerGas: '0x7' })).genesis
    expect(genesisHeader(given, () => emptyTrieRoot).baseFeePerGas).toBe(7n)
  })

  it('is read back from what it writes', () => {
    const { genesis } = parseGenesis(
      genesisJson({
        baseFeePerGas: 5,
        alloc: {
          [signer]: {
            balance: (2n ** 249n).toString(),
            nonce: 1,
            code: '00',
            storage: { '1': '2' },
          },
        },
      }),
    )
    const text = JSON.stringify(genesisToJson(genesis))
    expect(parseGenesis(JSON.parse(text))).toEqual({ genesis, warnings: [] })
  })

  it('warns of members without a meaning, and refuses forks it does not know', () => {
    const json = genesisJson(
      { blobs: 1 },
      { terminalTotalDifficulty: 0, consensus: 'x', ethash: {} },
    )
    expect(parseGenesis(json).warnings).toEqual([
      'blobs has no meaning here and is ignored',
      'config.consensus has no meaning here and is ignored',
    ])
    expect(codeOf(genesisJson({}, { pragueTime: 0 }))).toBe('FORK_NOT_SUPPORTED')
    expect(codeOf(genesisJson({}, { osakaTime: 5 }))).toBe('FORK_NOT_SUPPORTED')
  })

  it('refuses what is missing or no value, and says where', () => {
    const refused: [unknown, RegExp][] = [
      [[], /the file is not a JSON object/],
      [genesisJson({ config: undefined }), /config is missing/],
      [genesisJson({ alloc: undefined }), /alloc is missing/],
      [genesisJson({ gasLimit: undefined }), /gasLimit is missing/],
      [genesisJson({ difficulty: undefined }), /difficulty is missing/],
      [genesisJson({}, { chainId: undefined }), /chainId is missing/],
      [genesisJson({ gasLimit: 1e20 }), /gasLimit .*write it as text/],
      [genesisJson({ gasLimit: -1 }), /gasLimit/],
      [genesisJson({ gasLimit: '0x1ffffffffffffffff' }), /gasLimit is beyond 64 bits/],
      [genesisJson({ gasLimit: '9'.repeat(4_000_000) }), /gasLimit has more than 256 digits/],
      [genesisJson({ timestamp: 'noon' }), /timestamp is not a number/],
      [genesisJson({ alloc: { '0x12': { balance: 1 } } }), /alloc\.0x12 has 1 bytes/],
      [genesisJson({ alloc: { [signer]: {} } }), /balance is not a number/],
      [
        genesisJson({ alloc: { [signer]: { balance: 1 }, [`0x${signer}`]: { balance: 1 } } }),
        /twice/,
      ],
      [
        genesisJson({ alloc: { [signer]: { balance: 1, code: '0x0' } } }),
        /code is not hexadecimal/,
      ],
      [genesisJson({ coinbase: '0x00' }), /coinbase/],
      [genesisJson({ extraData: '0x00' }), /no Clique signers/],
    ]
    for (const [json, message] of refused) expect(() => parseGenesis(json)).toThrow(message)
  })
})

describe('cliqueSigners and cliqueExtraData', () => {
  const [a, b] = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)]

  it('agree', () => {
    const extraData = cliqueExtraData([b, a], new Uint8Array(40).fill(9))
    expect(extraData).toHaveLength(32 + 40 + 65)
    expect(extraData.subarray(0, 33)).toEqual(new Uint8Array([...new Array(32).fill(9), 1]))
    expect(cliqueSigners(extraData)).toEqual([a, b])
  })

  it('refuse no signers, repetitions, disorder and a seal', () => {
    const build = (...parts: Uint8Array[]) =>
      Uint8Array.from([...new Uint8Array(32), ...parts.flatMap((each) => [...each])])
    const seal = new Uint8Array(65)
    expect(() => cliqueExtraData([])).toThrow(/at least one/)
    expect(() => cliqueExtraData([a, a])).toThrow(/twice/)
    expect(() => cliqueSigners(build(b, a, seal))).toThrow(/ascending/)
    expect(() => cliqueSigners(build(a, seal.with(64, 1)))).toThrow(/not zero/)
    expect(() => cliqueSigners(build(a.subarray(1), seal))).toThrow(/bytes/)
    expect(() => cliqueSigners(new Uint8Array(10))).toThrow(/10 bytes/)
  })
})

describe('forkAt', () => {
  const config = parseChainConfig({
    chainId: 1,
    homesteadBlock: 1,
    eip150Block: 2,
    eip155Block: 3,
    eip158Block: 3,
    byzantiumBlock: 4,
    constantinopleBlock: 5,
    petersburgBlock: 6,
    istanbulBlock: 7,
    muirGlacierBlock: 7,
    berlinBlock: 8,
    londonBlock: 9,
    shanghaiTime: 100,
    cancunTime: 200,
  })

  it('tells the rules of each block', () => {
    const names = Array.from({ length: 11 }, (_, n) => forkAt(config, BigInt(n), 0n))
    expect(names).toEqual([
      'frontier',
      'homestead',
      'tangerineWhistle',
      'spuriousDragon',
      'byzantium',
      'constantinople',
      'petersburg',
      'istanbul',
      'berlin',
      'london',
      'london',
    ])
    expect([99n, 100n, 199n, 200n].map((time) => forkAt(config, 9n, time))).toEqual([
      'london',
      'shanghai',
      'shanghai',
      'cancun',
    ])
    expect(forkAt(config, 8n, 200n)).toBe('berlin')
  })

  it('starts Petersburg with Constantinople when it is not named', () => {
    const { petersburgBlock: _, ...forks } = { ...allForks, istanbulBlock: 9 }
    const { berlinBlock: _b, londonBlock: _l, ...old } = forks
    expect(forkAt(parseChainConfig({ chainId: 1, ...old }), 0n, 0n)).toBe('petersburg')
  })
})

describe('the order of forks', () => {
  it('is checked with the text of geth', () => {
    const refused: [object, RegExp][] = [
      [{ berlinBlock: undefined }, /berlinBlock not enabled, but londonBlock enabled at block 0/],
      [
        { istanbulBlock: 5 },
        /istanbulBlock enabled at block 5, but berlinBlock enabled at block 0/,
      ],
      [{ cancunTime: 5 }, /shanghaiTime not enabled, but cancunTime enabled at timestamp 5/],
      [{ shanghaiTime: 6, cancunTime: 5 }, /shanghaiTime enabled at timestamp 6, but cancunTime/],
      [{ londonBlock: undefined, shanghaiTime: 0 }, /londonBlock not enabled, but shanghaiTime/],
      [{ homesteadBlock: undefined }, /homesteadBlock not enabled/],
    ]
    for (const [change, message] of refused) {
      expect(() => parseChainConfig({ chainId: 1, ...allForks, ...change })).toThrow(message)
    }
    for (const change of [{ arrowGlacierBlock: 7 }, { daoForkBlock: 0 }, { shanghaiTime: 3 }]) {
      expect(() => parseChainConfig({ chainId: 1, ...allForks, ...change })).not.toThrow()
    }
  })
})

describe('gethIncompatibility', () => {
  it('is there for rules that geth has no Clique chain with', () => {
    const chain = (change: object): ChainConfig =>
      parseChainConfig({ chainId: 1, ...allForks, clique: {}, ...change })
    expect(gethIncompatibility(chain({}))).toBeUndefined()
    expect(gethIncompatibility(chain({ shanghaiTime: 0 }))).toMatch(/Shanghai rules/)
    expect(gethIncompatibility(chain({ shanghaiTime: 0, cancunTime: 0 }))).toMatch(/and Cancun/)
    expect(gethIncompatibility(chain({ shanghaiTime: 0, clique: undefined }))).toBeUndefined()
  })
})
