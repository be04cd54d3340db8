/**
 * Scenarios for whole blocks: contracts of random code in the genesis of a Clique chain, and one or two blocks of
 * transactions that call them, call nothing, or make contracts. Any bytes are one.
 */
import type { ForkName } from '@cairn/eth-codec'
import type { SeededRandom } from '@cairn/testing'
import { randomScenario, type ScenarioAccount, scenarioOf } from './evm-scenario.ts'

/** A transaction before it has a nonce and a signature. */
export interface BlockScenarioTransaction {
  /** Index of the account that sends it. */
  readonly sender: number
  /** 0, 1 or 2, as far as the fork has them. */
  readonly type: 0 | 1 | 2
  /** Index of the account it goes to; undefined makes a contract of the data. */
  readonly target: number | undefined
  readonly gasLimit: bigint
  readonly value: bigint
  readonly hasAccessList: boolean
  /** Bound to the chain, where the fork has that. */
  readonly isProtected: boolean
  readonly data: Uint8Array
}

export interface BlockScenario {
  readonly fork: ForkName
  /** Runs in WebAssembly rather than in TypeScript. */
  readonly isWasm: boolean
  /** In the genesis beside those that send: three contracts, an account with nothing but money, an empty one. */
  readonly accounts: readonly ScenarioAccount[]
  readonly blocks: readonly (readonly BlockScenarioTransaction[])[]
}

export const senderCount = 3
const transactionCountMax = 4
const transactionBytesSize = 4

/** Undefined when there are not enough bytes. */
export function blockScenarioOf(bytes: Uint8Array): BlockScenario | undefined {
  const [flags = 0, firstCount = 0, secondCount = 0] = bytes
  const counts = [1 + (firstCount % transactionCountMax), secondCount % transactionCountMax]
  const headSize = 3 + (counts[0] as number) * transactionBytesSize
  const size = headSize + (counts[1] as number) * transactionBytesSize
  const scenario = bytes.length < size ? undefined : scenarioOf(bytes.subarray(size))
  if (scenario === undefined) return undefined
  const { data, accounts } = scenario
  const blocks: BlockScenarioTransaction[][] = []
  let at = 3
  for (const count of counts) {
    const transactions: BlockScenarioTransaction[] = []
    for (let i = 0; i < count; i++, at += transactionBytesSize) {
      transactions.push(transactionOf(bytes.subarray(at, at + transactionBytesSize), data))
    }
    if (count > 0) blocks.push(transactions)
  }
  return {
    fork: chainForkOf(scenario.fork),
    isWasm: (flags & 1) === 0,
    accounts: accounts.slice(1),
    blocks,
  }
}

/** The merge is no fork of Clique chains. */
function chainForkOf(fork: ForkName): ForkName {
  return fork === 'paris' ? 'london' : fork
}

function transactionOf(bytes: Uint8Array, data: Uint8Array): BlockScenarioTransaction {
  const [who = 0, kind = 0, gas = 0, value = 0] = bytes
  const target = kind % 8
  return {
    sender: who % senderCount,
    type: ((who >> 4) % 3) as 0 | 1 | 2,
    target: target < 5 ? target : target < 7 ? 0 : undefined,
    gasLimit: BigInt(gas < 16 ? 21_000 + gas * 512 : 40_000 + gas * 1600),
    value: BigInt(value & 15),
    hasAccessList: (value & 16) !== 0,
    isProtected: (value & 32) === 0,
    // Not all transactions of a block say the same.
    data: (value & 64) === 0 ? data : data.subarray(data.length >> 1),
  }
}

export function randomBlockScenario(random: SeededRandom): Uint8Array {
  const counts = [random.below(transactionCountMax), random.chance(0.3) ? random.below(4) : 0]
  const total = 1 + (counts[0] as number) + (counts[1] as number)
  const head = [random.chance(0.9) ? 0 : 1, ...counts]
  const transactions = random.bytes(total * transactionBytesSize)
  return Uint8Array.from([...head, ...transactions, ...randomScenario(random)])
}
