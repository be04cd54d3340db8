/**
 * Makes genesis blocks of private Clique chains, as puppeth does: every fork active from block 0, sealers in the extra
 * data, balances. With Cancun's rules unless geth shall be able to join, which allows none later than London's there.
 */
import type { ChainConfig } from './chain-config.ts'
import { cliqueEpochDefault, forkBlockKeys } from './chain-config.ts'
import { cliqueExtraData, type Genesis, type GenesisAccount } from './genesis.ts'

export interface CliqueGenesisOptions {
  readonly chainId: bigint
  /** Least seconds between blocks; 0 seals when a transaction comes. */
  readonly periodSeconds: bigint
  readonly epoch?: bigint
  /** 20 bytes each, at least one, in any order. */
  readonly signers: readonly Uint8Array[]
  readonly balances: readonly { readonly address: Uint8Array; readonly balance: bigint }[]
  readonly gasLimit: bigint
  /** `london` makes a chain that geth up to 1.13 can join. */
  readonly forks: 'cancun' | 'london'
  /** Seconds since 1970. */
  readonly timestamp: bigint
}

/** What puppeth gives to each account that it funds: 2^249 wei. */
export const puppethBalance: bigint = 2n ** 249n
/** Accounts that hold 1 wei each where precompiled contracts are or may come to be, so that nobody can delete them. */
export const precompileDustCount = 256

const emptyBytes = new Uint8Array(0)
/** Of no meaning on chains of today; geth writes it only where a chain had the fork. */
const leftOut: ReadonlySet<string> = new Set(['daoForkBlock', 'mergeNetsplitBlock'])

/** @throws GenesisError when a signer is there twice, or there is none. */
export function cliqueGenesis(options: CliqueGenesisOptions): Genesis {
  return {
    config: configOf(options),
    nonce: new Uint8Array(8),
    timestamp: options.timestamp,
    extraData: cliqueExtraData(options.signers),
    gasLimit: options.gasLimit,
    difficulty: 1n,
    mixHash: new Uint8Array(32),
    coinbase: new Uint8Array(20),
    accounts: accountsOf(options.balances),
    number: 0n,
    gasUsed: 0n,
    parentHash: new Uint8Array(32),
    baseFeePerGas: undefined,
  }
}

function configOf(options: CliqueGenesisOptions): ChainConfig {
  const forks: { [key: string]: bigint } = {}
  for (const key of forkBlockKeys) if (!leftOut.has(key)) forks[key] = 0n
  if (options.forks === 'cancun') {
    forks['shanghaiTime'] = 0n
    forks['cancunTime'] = 0n
  }
  const { periodSeconds, epoch = cliqueEpochDefault, chainId } = options
  return { ...forks, chainId, clique: { periodSeconds, epoch } }
}

/** An address that is named twice has the sum. */
function accountsOf(balances: CliqueGenesisOptions['balances']): GenesisAccount[] {
  const accounts = new Map<string, GenesisAccount>()
  for (const { address, balance } of balances) {
    const key = Buffer.from(address).toString('hex')
    const before = accounts.get(key)?.balance ?? 0n
    accounts.set(key, {
      address,
      balance: before + balance,
      nonce: 0n,
      code: emptyBytes,
      storage: [],
    })
  }
  return [...accounts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, account]) => account)
}

/** 1 wei for each address from 0x00 to 0xff, as puppeth proposes. */
export function precompileDust(): { readonly address: Uint8Array; readonly balance: bigint }[] {
  return Array.from({ length: precompileDustCount }, (_, index) => {
    const address = new Uint8Array(20)
    address[19] = index
    return { address, balance: 1n }
  })
}
