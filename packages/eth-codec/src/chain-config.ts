/**
 * The `config` of a genesis file: chain id, when each fork starts, the parameters of Clique. Keys and the checks of
 * their order are geth's (params.ChainConfig, 1.13), with Shanghai and Cancun allowed on Clique chains: there they
 * switch on rules of execution only.
 */
import { GenesisError } from './errors.ts'
import type { ForkName } from './forks.ts'

/** Blocks at which forks start, in order. A glacier only moves the difficulty bomb, but counts in the fork id. */
export const forkBlockKeys = [
  'homesteadBlock',
  'daoForkBlock',
  'eip150Block',
  'eip155Block',
  'eip158Block',
  'byzantiumBlock',
  'constantinopleBlock',
  'petersburgBlock',
  'istanbulBlock',
  'muirGlacierBlock',
  'berlinBlock',
  'londonBlock',
  'arrowGlacierBlock',
  'grayGlacierBlock',
  'mergeNetsplitBlock',
] as const

/** Times, in seconds, at which later forks start, in order. */
export const forkTimeKeys = ['shanghaiTime', 'cancunTime'] as const

export type ForkBlockKey = (typeof forkBlockKeys)[number]
export type ForkTimeKey = (typeof forkTimeKeys)[number]

export interface CliqueConfig {
  /** Least seconds between blocks; 0 seals when a transaction comes. */
  readonly periodSeconds: bigint
  /** Blocks from one checkpoint to the next, at which votes are forgotten. */
  readonly epoch: bigint
}

/** A fork without an entry never starts. */
export type ChainConfig = {
  readonly chainId: bigint
  readonly clique: CliqueConfig | undefined
} & { readonly [key in ForkBlockKey | ForkTimeKey]?: bigint }

/** geth's default (EIP-225 recommends it). */
export const cliqueEpochDefault = 30_000n

const optionalForks: ReadonlySet<string> = new Set([
  'daoForkBlock',
  'muirGlacierBlock',
  'arrowGlacierBlock',
  'grayGlacierBlock',
  'mergeNetsplitBlock',
  'cancunTime',
])

/** Rule sets by the key that starts them, the last first. Petersburg is special and has its own line in forkAt. */
const blockForks: readonly (readonly [ForkName, ForkBlockKey])[] = [
  ['london', 'londonBlock'],
  ['berlin', 'berlinBlock'],
  ['istanbul', 'istanbulBlock'],
  ['petersburg', 'petersburgBlock'],
  ['constantinople', 'constantinopleBlock'],
  ['byzantium', 'byzantiumBlock'],
  ['spuriousDragon', 'eip158Block'],
  ['tangerineWhistle', 'eip150Block'],
  ['homestead', 'homesteadBlock'],
]

/** The rules of execution in a block. @param time In seconds. */
export function forkAt(config: ChainConfig, number: bigint, time: bigint): ForkName {
  if (isReached(config.londonBlock, number)) {
    if (isReached(config.cancunTime, time)) return 'cancun'
    if (isReached(config.shanghaiTime, time)) return 'shanghai'
  }
  for (const [fork, key] of blockForks) {
    if (!isReached(config[key], number)) continue
    // Petersburg takes back a part of Constantinople; a file that does not name it starts both together.
    if (fork === 'constantinople' && config.petersburgBlock === undefined) return 'petersburg'
    return fork
  }
  return 'frontier'
}

export function isLondon(config: ChainConfig, number: bigint): boolean {
  return isReached(config.londonBlock, number)
}

function isReached(start: bigint | undefined, now: bigint): boolean {
  return start !== undefined && start <= now
}

/**
 * A later fork must not start while an earlier one is missing or starts later.
 * @throws GenesisError with geth's text in the short message.
 */
export function checkForkOrder(config: ChainConfig): void {
  let last: { readonly key: string; readonly start: bigint | undefined; readonly isTime: boolean } =
    {
      key: 'homesteadBlock',
      start: config.homesteadBlock,
      isTime: false,
    }
  for (const key of [...forkBlockKeys.slice(1), ...forkTimeKeys]) {
    const isTime = key.endsWith('Time')
    const start = config[key] ?? impliedStart(config, key)
    if (start !== undefined) {
      const here = `${key} enabled at ${isTime ? 'timestamp' : 'block'} ${start}`
      if (last.start === undefined) throw forkOrder(key, `${last.key} not enabled, but ${here}`)
      if (last.isTime === isTime && last.start > start) {
        const there = `${last.key} enabled at ${isTime ? 'timestamp' : 'block'} ${last.start}`
        throw forkOrder(key, `${there}, but ${here}`)
      }
    }
    if (start !== undefined || !optionalForks.has(key)) last = { key, start, isTime }
  }
}

function impliedStart(config: ChainConfig, key: string): bigint | undefined {
  return key === 'petersburgBlock' ? config.constantinopleBlock : undefined
}

function forkOrder(fork: string, reason: string): GenesisError {
  return new GenesisError(
    { code: 'FORK_ORDER', fork, reason },
    {
      shortMessage: `unsupported fork ordering: ${reason}`,
      metaMessages: ['Each fork has to start no earlier than the one before it.'],
    },
  )
}

/**
 * Whether geth up to 1.13 can join: it refuses every header of a Clique chain on which Shanghai is active.
 * @returns undefined when it can, otherwise what keeps it away.
 */
export function gethIncompatibility(config: ChainConfig): string | undefined {
  if (config.clique === undefined || config.shanghaiTime === undefined) return undefined
  const forks = config.cancunTime === undefined ? 'Shanghai' : 'Shanghai and Cancun'
  return `geth cannot join this chain: it runs the ${forks} rules on Clique, which geth refuses`
}
