/**
 * Fork identifiers (EIP-2124, with times as in EIP-6122): which rules a node has passed, in four bytes, and whether it
 * and another can be on one chain.
 */
import { crc32 } from 'node:zlib'
import { type ChainConfig, forkBlockKeys, forkTimeKeys } from './chain-config.ts'

export interface ForkId {
  /** CRC-32 of the genesis hash and all forks passed. */
  readonly hash: number
  /** Block or time of the next fork that is known; 0 for none. */
  readonly next: bigint
}

/** Where a node is: its head. */
export interface ForkPosition {
  readonly number: bigint
  /** Seconds. */
  readonly time: bigint
}

/** Nexts above this are times: when Ethereum began, in seconds (geth, forkid.timestampThreshold). */
const timeMin = 1_438_269_973n

interface Fork {
  readonly start: bigint
  readonly isTime: boolean
}

/** Why another node is not on this chain; texts are geth's. */
export type ForkMismatch = 'remote needs update' | 'local incompatible or needs update'

/** The forks of one chain, and what their identifiers are. */
export class ForkIds {
  readonly #forks: readonly Fork[]
  /** The identifier's hash before the fork with the same index, then after the last. */
  readonly #sums: readonly number[]

  /** @param genesisTime Seconds; forks by time up to it count as there from the start. */
  constructor(config: ChainConfig, genesisHash: Uint8Array, genesisTime: bigint) {
    this.#forks = [
      ...starts(config, forkBlockKeys, 0n).map((start) => ({ start, isTime: false })),
      ...starts(config, forkTimeKeys, genesisTime).map((start) => ({ start, isTime: true })),
    ]
    const sums = [crc32(genesisHash)]
    for (const { start } of this.#forks) sums.push(crc32(uint64Bytes(start), sums.at(-1)))
    this.#sums = sums
  }

  /** The identifier of a node whose head is there. */
  at(position: ForkPosition): ForkId {
    const passed = this.#passedCount(position)
    return { hash: this.#sums[passed] as number, next: this.#forks[passed]?.start ?? 0n }
  }

  /**
   * Whether a node that tells `remote` can be on this chain, seen from a head there.
   * @returns undefined when it can.
   */
  mismatch(remote: ForkId, position: ForkPosition): ForkMismatch | undefined {
    const passed = this.#passedCount(position)
    const known = this.#sums.indexOf(remote.hash)
    if (known === passed) {
      // The same rules; but a fork that the other announces may be behind us already, unknown to us.
      return this.#hasPassed(remote.next, passed, position)
        ? 'local incompatible or needs update'
        : undefined
    }
    if (known < 0) return 'local incompatible or needs update'
    // The other is ahead, on forks that are known here.
    if (known > passed) return undefined
    // The other is behind: it must know the fork that comes next for it.
    return this.#forks[known]?.start === remote.next ? undefined : 'remote needs update'
  }

  #passedCount(position: ForkPosition): number {
    const index = this.#forks.findIndex(({ start, isTime }) => {
      return (isTime ? position.time : position.number) < start
    })
    return index < 0 ? this.#forks.length : index
  }

  #hasPassed(next: bigint, passed: number, { number, time }: ForkPosition): boolean {
    if (next === 0n) return false
    // Behind the last fork that is known the next one can only be by time.
    const head = (this.#forks[passed]?.isTime ?? true) ? time : number
    return head >= next || (next > timeMin && time >= next)
  }
}

function starts(
  config: ChainConfig,
  keys: readonly (typeof forkBlockKeys)[number][] | readonly (typeof forkTimeKeys)[number][],
  from: bigint,
): bigint[] {
  const found = keys.flatMap((key) => config[key] ?? []).filter((start) => start > from)
  return [...new Set(found)].sort((a, b) => (a < b ? -1 : 1))
}

function uint64Bytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value)
  return bytes
}
