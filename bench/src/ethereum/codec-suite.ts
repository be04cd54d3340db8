/**
 * What a signed transaction costs before it runs (reading it, recovering its sender) beside the official library, and
 * what an empty Clique block costs to import: header rules, seal, votes, its place in the chain on the disk.
 */
import { join } from 'node:path'
import { silentLogger, toHex } from '@cairn/core'
import { Chain, CliqueEngine, prepareHeader } from '@cairn/eth-chain'
import {
  addressOfPrivateKey,
  type Block,
  type BlockHeader,
  blockHash,
  cliqueExtraData,
  createJavascriptBackend,
  dataToHex,
  decodeTransaction,
  emptyTrieRoot,
  encodeTransaction,
  type Genesis,
  parseGenesis,
  recoverSender,
  sealCliqueHeader,
  signingHash,
  signTransaction,
} from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { createMemoryDatabase, type Database, openLmdbDatabase } from '@cairn/eth-state'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createTxFromRLP } from '@ethereumjs/tx'
import { machineFacts } from '../machine.ts'
import { figure, range, type SuiteResult, type Table } from '../report.ts'
import { type Contestant, loop, type Measurement, runRounds } from '../rounds.ts'
import type { SuiteContext } from '../suite.ts'
import { measured } from '../tables.ts'

/** ethereum-node spec 10, "performance gates": blocks a second of one core. */
const blocksBar = 4000
const blocksStretch = 10_000
/** ethereum-node spec 10: native recovery was measured at 15,000 a second against 670 in JavaScript. */
const recoveryTimesBar = 10
const recoveryTimesStretch = 20

const transactionCount = 64
const blockCount = 10_000
const batchBlockCount = 256

const readOurs = 'read a transaction: cairn'
const readTheirs = 'read a transaction: @ethereumjs/tx'
const recoverOurs = 'recover its sender: cairn, native'
const recoverJavascript = 'recover its sender: cairn, JavaScript'
const recoverTheirs = 'recover its sender: @ethereumjs/tx'
const importOurs = 'import an empty Clique block: cairn, onto the disk'

export async function codecSuite(context: SuiteContext): Promise<SuiteResult> {
  const { directory, durationMs, progress, roundCount } = context
  const machine = machineFacts(directory)
  progress('signing transactions and blocks')
  const contestants = [...transactionContestants(durationMs), importContestant(context)]
  progress('warming up')
  for (const contestant of contestants) await contestant.run()
  const measurements = await runRounds(contestants, roundCount, progress)
  return {
    name: 'ethereum-codec',
    title: 'Ethereum: transactions before they run, empty blocks; one thread, CPU time',
    machine,
    settings: {
      transactions: transactionCount,
      'blocks each import': blockCount,
      signers: 3,
      rounds: roundCount,
      'seconds per turn': durationMs / 1000,
    },
    tables: [table(measurements)],
    bars: [
      {
        text: 'sender recovered faster than the official library does',
        value: cpuUs(measurements, recoverTheirs) / cpuUs(measurements, recoverOurs),
        bar: recoveryTimesBar,
        stretch: recoveryTimesStretch,
        better: 'more',
        unit: 'x',
      },
      {
        text: 'empty Clique blocks imported a second, 10,000 onto the disk',
        value: measured(measurements, importOurs).operationsPerSecond.median,
        bar: blocksBar,
        stretch: blocksStretch,
        better: 'more',
        unit: 'blocks/s',
      },
    ],
    measurements,
  }
}

function transactionContestants(durationMs: number): Contestant[] {
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun })
  const privateKey = new Uint8Array(32).fill(7)
  const transactions = Array.from({ length: transactionCount }, (_, index) =>
    signTransaction(
      {
        type: 2,
        chainId: 1n,
        nonce: BigInt(index),
        maxPriorityFeePerGas: 10n ** 9n,
        maxFeePerGas: 30n * 10n ** 9n,
        gasLimit: 60_000n,
        to: new Uint8Array(20).fill(index),
        value: 0n,
        // As long as the call of an ERC-20's transfer.
        data: new Uint8Array(68).fill(index),
        accessList: [],
      },
      privateKey,
    ),
  )
  const raws = transactions.map(encodeTransaction)
  const hashes = transactions.map(signingHash)
  const signed = raws.map((raw) => createTxFromRLP(raw, { common }))
  const sender = toHex(addressOfPrivateKey(privateKey))
  const javascript = createJavascriptBackend()
  let turn = 0
  const next = <T>(list: readonly T[]): T => list[turn++ % transactionCount] as T
  if (toHex(recoverSender(next(transactions))) !== sender) throw new Error('another sender')
  if (toHex(next(signed).getSenderAddress().bytes) !== sender) throw new Error('another sender')
  return [
    loop(readOurs, durationMs, () => decodeTransaction(next(raws))),
    loop(readTheirs, durationMs, () => createTxFromRLP(next(raws), { common })),
    loop(recoverOurs, durationMs, () => recoverSender(next(transactions))),
    loop(recoverJavascript, durationMs, () => {
      const index = turn++ % transactionCount
      const { signature } = transactions[index] as (typeof transactions)[number]
      return javascript.recoverPublicKey(hashes[index] as Uint8Array, signature)
    }),
    // Each is made anew: the library remembers the sender of one that it was asked about.
    loop(recoverTheirs, durationMs, () => {
      return createTxFromRLP(next(raws), { common }).getSenderAddress()
    }),
  ]
}

/** One import of all blocks into a chain of its own is a turn, however long it takes; in batches as a file has them. */
function importContestant({ directory, defer }: SuiteContext): Contestant {
  const keys = [1, 2, 3].map((each) => new Uint8Array(32).fill(each))
  const genesis = genesisOf(keys)
  const openChain = (database: Database) =>
    new Chain({
      database,
      evm: new Evm(),
      clock: { nowMs: () => 2 ** 45, sleep: () => Promise.resolve() },
      genesis,
      logger: silentLogger,
    })
  const blocks = sealBlocks(openChain(createMemoryDatabase()), keys)
  let runNo = 0
  return {
    name: importOurs,
    async run() {
      const database = openLmdbDatabase(join(directory, `import-${++runNo}`))
      defer(() => database.close())
      const chain = openChain(database)
      const startMs = performance.now()
      const startCpu = process.cpuUsage()
      for (let i = 0; i < blockCount; i += batchBlockCount) {
        chain.importBlocks(blocks.slice(i, i + batchBlockCount))
      }
      const cpu = process.cpuUsage(startCpu)
      if (chain.head.header.number !== BigInt(blockCount)) throw new Error('blocks are missing')
      return {
        operationCount: blockCount,
        elapsedMs: performance.now() - startMs,
        cpuUs: cpu.user + cpu.system,
      }
    },
  }
}

function genesisOf(keys: readonly Uint8Array[]): Genesis {
  const forks = ['homestead', 'eip150', 'eip155', 'eip158', 'byzantium', 'constantinople']
  const blockForks = [...forks, 'petersburg', 'istanbul', 'berlin', 'london']
  return parseGenesis({
    config: {
      chainId: 4242,
      ...Object.fromEntries(blockForks.map((name) => [`${name}Block`, 0])),
      clique: { period: 1, epoch: 30_000 },
    },
    gasLimit: 30_000_000,
    difficulty: 1,
    extraData: dataToHex(cliqueExtraData(keys.map(addressOfPrivateKey))),
    alloc: {},
  }).genesis
}

function sealBlocks({ config, head }: Chain, keys: readonly Uint8Array[]): Block[] {
  const { clique } = config
  if (clique === undefined) throw new Error('not a chain of Clique')
  const headers = new Map<string, BlockHeader>([[head.hash, head.header]])
  const options = { config: { ...config, clique }, nowSeconds: () => 2n ** 40n }
  const engine = new CliqueEngine({
    ...options,
    headers: { headerByHash: (hash) => headers.get(hash) },
  })
  let parent = head.header
  return Array.from({ length: blockCount }, (_, index) => {
    const key = keys[index % keys.length] as Uint8Array
    const parentHash = blockHash(parent)
    const prepared = prepareHeader({
      config: options.config,
      parent,
      parentHash,
      snapshot: engine.snapshotAt(dataToHex(parentHash)),
      signer: dataToHex(addressOfPrivateKey(key)),
      proposal: undefined,
      vanity: new Uint8Array(0),
      gasLimitWanted: 30_000_000n,
      nowSeconds: 0n,
    })
    const execution = {
      stateRoot: parent.stateRoot,
      transactionsRoot: emptyTrieRoot,
      receiptsRoot: emptyTrieRoot,
      logsBloom: new Uint8Array(256),
      gasUsed: 0n,
    }
    parent = sealCliqueHeader({ ...prepared, ...execution }, key)
    headers.set(dataToHex(blockHash(parent)), parent)
    return { header: parent, transactions: [], uncles: [] }
  })
}

const peers: Readonly<Record<string, string>> = {
  [readOurs]: readTheirs,
  [recoverOurs]: recoverTheirs,
  [recoverJavascript]: recoverTheirs,
}

function table(measurements: readonly Measurement[]): Table {
  return {
    columns: ['', 'CPU µs', 'min – max', 'faster than official'],
    rows: measurements.map(({ name, cpuUsPerOperation: cpu }) => {
      if (cpu === undefined) throw new Error('no CPU time')
      const peer = peers[name]
      const ratio = peer === undefined ? '' : `${figure(cpuUs(measurements, peer) / cpu.median)} x`
      return [name, figure(cpu.median), range(cpu), ratio]
    }),
  }
}

function cpuUs(measurements: readonly Measurement[], name: string): number {
  const found = measurements.find((measurement) => measurement.name === name)
  if (found?.cpuUsPerOperation === undefined) throw new Error(`${name} was not measured`)
  return found.cpuUsPerOperation.median
}
