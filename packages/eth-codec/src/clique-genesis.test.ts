import { describe, expect, it } from 'vitest'
import { cliqueGenesis, precompileDust } from './clique-genesis.ts'
import { cliqueSigners, genesisToJson, parseGenesis } from './genesis.ts'

const address = (no: number) => new Uint8Array(20).fill(no)
const options = {
  chainId: 4242n,
  periodSeconds: 5n,
  signers: [address(9), address(3)],
  balances: [
    { address: address(3), balance: 5n },
    { address: address(3), balance: 7n },
    ...precompileDust(),
  ],
  gasLimit: 30_000_000n,
  forks: 'cancun',
  timestamp: 1_700_000_000n,
} as const

describe('cliqueGenesis', () => {
  it('reads back as it was written, without a warning', () => {
    const genesis = cliqueGenesis(options)
    const parsed = parseGenesis(JSON.parse(JSON.stringify(genesisToJson(genesis))))
    expect(parsed).toEqual({ genesis, warnings: [] })
    expect(cliqueSigners(genesis.extraData)).toEqual([address(3), address(9)])
  })

  it('adds up the balances of an address, and gives dust to 256', () => {
    const { accounts } = cliqueGenesis(options)
    expect(accounts).toHaveLength(257)
    expect(accounts.find((it) => it.address[0] === 3)?.balance).toBe(12n)
  })

  it('sets no later fork than London where geth is to join', () => {
    expect(cliqueGenesis({ ...options, forks: 'london' }).config).not.toHaveProperty('cancunTime')
    expect(cliqueGenesis(options).config).toHaveProperty('cancunTime', 0n)
  })
})
