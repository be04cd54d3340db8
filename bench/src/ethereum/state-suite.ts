/**
 * What a block of 2,000 changed accounts costs the state of an Ethereum chain: reading them, new nodes and hashes of
 * the trie, the root, and the write. In a state of 200,000 accounts and in one five times as large.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type AccountChange, emptyCodeHash, keccak256, textOfBytes } from '@cairn/eth-codec'
import { openLmdbDatabase, openStateStore, type StateStore } from '@cairn/eth-state'
import { machineFacts } from '../machine.ts'
import { figure, range, type SuiteResult } from '../report.ts'
import { type Contestant, runRounds } from '../rounds.ts'
import type { SuiteContext } from '../suite.ts'
import { measured } from '../tables.ts'

const accountCountSmall = 200_000
const accountCountLarge = 1_000_000
const changedCount = 2000
/** Accounts made per commit while filling. */
const portionCount = 20_000
/** Blocks before the clock runs: nodes and rows in use are in memory then, as they are in a node that runs. */
const warmUpBlockCount = 10
/**
 * Blocks of a turn, for each second of its length: the same number for either size, so that the nodes of as many
 * blocks are written in each turn of the default length.
 */
const blocksPerSecond = 16

interface FilledState {
  readonly name: string
  readonly store: StateStore
  /** 20 bytes each, one after the other. */
  readonly addresses: Uint8Array
}

export async function stateSuite(context: SuiteContext): Promise<SuiteResult> {
  const { directory, durationMs, progress, roundCount } = context
  const machine = machineFacts(directory)
  const states = [accountCountSmall, accountCountLarge].map((count) => fill(context, count))
  const contestants = states.map((state) => changes(state, durationMs))
  for (const { store, addresses } of states) {
    for (let i = 0; i < warmUpBlockCount; i++) commitBlock(store, pick(addresses))
  }
  const measurements = await runRounds(contestants, roundCount, progress)
  const [small, large] = states.map(({ name }) => cpuMs(measurements, name)) as [number, number]
  return {
    name: 'ethereum-state',
    title: `Ethereum state: a block of ${changedCount.toLocaleString('en-US')} changed accounts`,
    machine,
    settings: {
      rounds: roundCount,
      'blocks per turn': Math.ceil((blocksPerSecond * durationMs) / 1000),
    },
    tables: [
      {
        columns: ['', 'CPU ms a block', 'min – max', 'growth'],
        rows: measurements.map(({ name, cpuUsPerOperation: cpu }) => {
          if (cpu === undefined) throw new Error('no CPU time')
          const inMs = { ...cpu, min: cpu.min / 1000, max: cpu.max / 1000 }
          const growth = `${figure(cpu.median / 1000 / small)} x`
          return [name, figure(cpu.median / 1000), range(inMs), growth]
        }),
      },
    ],
    bars: [
      {
        text: '2,000 accounts changed in a state of 200,000, with root and write',
        value: small,
        bar: 120,
        stretch: 60,
        better: 'less',
        unit: 'ms',
      },
      {
        text: 'the same in a state of 1,000,000, against 200,000',
        value: large / small,
        bar: 1.5,
        stretch: 1.2,
        better: 'less',
        unit: 'x',
      },
    ],
    measurements,
  }
}

function cpuMs(measurements: Parameters<typeof measured>[0], name: string): number {
  return (measured(measurements, name).cpuUsPerOperation?.median ?? Number.NaN) / 1000
}

function fill(context: SuiteContext, accountCount: number): FilledState {
  const name = `${accountCount.toLocaleString('en-US')} accounts`
  const database = openLmdbDatabase(join(context.directory, `state-${accountCount}`))
  context.defer(() => database.close())
  const store = openStateStore(database)
  const addresses = orderedAddresses(accountCount)
  const account = { nonce: 1n, balance: 10n ** 18n, codeHash: emptyCodeHash }
  for (let start = 0; start < accountCount; start += portionCount) {
    context.progress(`filling: ${start} of ${name}`)
    const accounts = Array.from({ length: portionCount }, (_, i) => ({
      address: addressAt(addresses, start + i),
      account,
      storageCleared: false,
      storage: [],
    }))
    store.commit(store.stage(store.head, { accounts, codes: [] }))
  }
  return { name, store, addresses }
}

/**
 * By chance, in the order of their hashes: each page of LMDB is written once. Large portions in any order would free
 * all pages each time, and leave lists of free ones that no chain has that grew block by block.
 */
function orderedAddresses(count: number): Uint8Array {
  const made = Array.from({ length: count }, () => {
    const address = randomBytes(20)
    return { address, hash: textOfBytes(keccak256(address)) }
  })
  made.sort((a, b) => (a.hash < b.hash ? -1 : 1))
  const addresses = new Uint8Array(20 * count)
  for (const [index, { address }] of made.entries()) addresses.set(address, 20 * index)
  return addresses
}

function addressAt(addresses: Uint8Array, index: number): Uint8Array {
  return addresses.subarray(20 * index, 20 * index + 20)
}

/** Different accounts by chance. */
function pick(addresses: Uint8Array): Uint8Array[] {
  const indexes = new Set<number>()
  while (indexes.size < changedCount) {
    indexes.add(randomBytes(4).readUInt32BE() % (addresses.length / 20))
  }
  return Array.from(indexes, (index) => addressAt(addresses, index))
}

function commitBlock(store: StateStore, picked: readonly Uint8Array[]): void {
  const { head } = store
  const accounts: AccountChange[] = []
  for (const address of picked) {
    const before = head.readAccount(address)
    if (before === undefined) throw new Error('an account is missing')
    const account = { ...before, nonce: before.nonce + 1n, balance: before.balance - 1n }
    accounts.push({ address, account, storageCleared: false, storage: [] })
  }
  store.commit(store.stage(head, { accounts, codes: [] }))
}

function changes({ name, store, addresses }: FilledState, durationMs: number): Contestant {
  const operationCount = Math.ceil((blocksPerSecond * durationMs) / 1000)
  return {
    name,
    async run() {
      let elapsedMs = 0
      let cpuUs = 0
      for (let i = 0; i < operationCount; i++) {
        const picked = pick(addresses)
        const cpuBefore = process.cpuUsage()
        const startMs = performance.now()
        commitBlock(store, picked)
        elapsedMs += performance.now() - startMs
        const { user, system } = process.cpuUsage(cpuBefore)
        cpuUs += user + system
      }
      return { operationCount, elapsedMs, cpuUs }
    },
  }
}
