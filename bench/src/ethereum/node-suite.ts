/**
 * Whole Ethereum nodes side by side: Cairn, anvil and, where it is installed, Hardhat's node. Transfers of ether and
 * of an ERC-20 token over HTTP until they are mined, with a block a second and with blocks on demand.
 */
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { machineFacts } from '../machine.ts'
import { type Bar, figure, range, type SuiteResult, type Table } from '../report.ts'
import { type Contestant, type Measurement, runRounds, type Sample } from '../rounds.ts'
import type { SuiteContext } from '../suite.ts'
import { measured, rateRatio } from '../tables.ts'
import { type BenchNode, findAnvil, startAnvil, startCairnNode, startHardhat } from './nodes.ts'
import { accountCount, batchCount, connectionCount, TransferBench, type Work } from './transfers.ts'
import { VmPeer } from './vm-peer.ts'

/** Transactions of a turn, for each second of its length: at least. */
const batchedPerSecond = 4000
const singlePerSecond = 2000
/** Some three full blocks of tokens: more of a node that stands in one second's rhythm would only take time. */
const periodicPerSecond = 2400
/** For the library in this process, which takes most of a millisecond for each. */
const vmPerSecond = 500
const vmName = 'EthereumJS VM: ERC-20, in process'
/** A node that is through with these long before its turn should end gets up to so many times as many. */
const growthMax = 4
/** How often a peer that does not answer or mine any more is started anew before the run ends. */
const restartCountMax = 3

interface Mode {
  readonly label: string
  readonly work: Work
  /** Transactions in a request. */
  readonly size: number
  readonly perSecond: number
}

const tokensBatched: Mode = {
  label: 'ERC-20, batches',
  work: 'erc20',
  size: batchCount,
  perSecond: batchedPerSecond,
}
const tokensSingly: Mode = {
  label: 'ERC-20, singly',
  work: 'erc20',
  size: 1,
  perSecond: singlePerSecond,
}
const demandModes: readonly Mode[] = [
  tokensBatched,
  tokensSingly,
  { ...tokensBatched, label: 'ether, batches', work: 'ether' },
  { ...tokensSingly, label: 'ether, singly', work: 'ether' },
]
const periodicModes: readonly Mode[] = [
  { ...tokensBatched, perSecond: periodicPerSecond },
  { ...tokensBatched, label: 'ether, batches', work: 'ether', perSecond: periodicPerSecond },
]

export async function nodeSuite(context: SuiteContext): Promise<SuiteResult> {
  const machine = machineFacts(context.directory)
  const anvil = findAnvil()
  const { hardhatDirectory } = context
  const leftOut = [
    ...(anvil === undefined ? ['anvil (its package has no program for this platform)'] : []),
    ...(hardhatDirectory === undefined ? ['Hardhat (--hardhat=D names where it is)'] : []),
  ]
  for (const name of leftOut) context.progress(`left out: ${name}`)

  const folder = (name: string): string => {
    const path = join(context.directory, name)
    mkdirSync(path, { recursive: true })
    return path
  }
  const vm = await VmPeer.open()
  const vmCount = Math.ceil((vmPerSecond * context.durationMs) / 1000)
  await vm.run(vmCount)
  const vmContestant = { name: vmName, run: () => vm.run(vmCount) }
  const demand = await measure(
    context,
    true,
    demandModes,
    [vmContestant],
    [
      () => startCairnNode('cairn', folder('demand'), 'demand'),
      ...(anvil === undefined ? [] : [() => startAnvil('anvil', anvil, 'demand')]),
      ...(hardhatDirectory === undefined
        ? []
        : [() => startHardhat('hardhat', hardhatDirectory, folder('hardhat'))]),
    ],
  )
  const periodic = await measure(
    context,
    false,
    periodicModes,
    [],
    [
      () => startCairnNode('cairn', folder('periodic'), 1),
      ...(anvil === undefined ? [] : [() => startAnvil('anvil', anvil, 1)]),
    ],
  )
  return {
    name: 'ethereum',
    title: 'Ethereum nodes over HTTP: transactions until they are mined',
    machine,
    settings: {
      accounts: accountCount,
      connections: connectionCount,
      'transactions a batch': batchCount,
      ...(anvil === undefined ? {} : { anvil: versionOf('@foundry-rs/anvil/package.json') }),
      ...(hardhatDirectory === undefined
        ? {}
        : { hardhat: versionOf(join(hardhatDirectory, 'node_modules/hardhat/package.json')) }),
      ...(leftOut.length === 0 ? {} : { 'left out': leftOut.join(', ') }),
      rounds: context.roundCount,
      'seconds per turn': context.durationMs / 1000,
    },
    tables: [
      nodeTable('a block on demand', demand, demandModes),
      nodeTable('a block a second', periodic, periodicModes),
    ],
    bars: [...anvilBars(demand, periodic), ...hardhatBars(demand), vmBar(demand)],
    measurements: [
      ...demand.map((each) => ({ ...each, name: `on demand: ${each.name}` })),
      ...periodic.map((each) => ({ ...each, name: `each second: ${each.name}` })),
    ],
  }
}

/** What takes as long as a turn should: in a third of that, starting and ending would count for too much. */
function countOf({ operationCount, elapsedMs }: Sample, durationMs: number): number {
  const growth = Math.min(growthMax, Math.max(1, durationMs / elapsedMs))
  return Math.ceil(operationCount * growth)
}

type Start = () => Promise<BenchNode>

/** All modes on all nodes, which run side by side and are idle while it is another's turn. */
async function measure(
  context: SuiteContext,
  isOnDemand: boolean,
  modes: readonly Mode[],
  others: readonly Contestant[],
  starts: readonly Start[],
): Promise<readonly Measurement[]> {
  const contestants: Contestant[] = [...others]
  const seats: Seat[] = []
  for (const start of starts) {
    const seat = await Seat.open(context, start)
    seats.push(seat)
    context.progress(`${seat.name}: a first round that does not count`)
    for (const mode of modes) {
      if (mode.size > 1 && !seat.takesBatches) continue
      const least = Math.ceil((mode.perSecond * context.durationMs) / 1000)
      const first = await seat.run(mode, least)
      const count = isOnDemand ? countOf(first, context.durationMs) : least
      contestants.push({ name: nameOf(seat.name, mode), run: () => seat.run(mode, count) })
    }
  }
  const measurements = await runRounds(contestants, context.roundCount, context.progress)
  for (const seat of seats) await seat.close()
  return measurements
}

/** A node with accounts and a token. A peer that hangs is started anew and begins its turn again; ours ends the run. */
class Seat {
  readonly #context: SuiteContext
  readonly #start: Start
  #node: BenchNode
  #bench: TransferBench
  #restartCount = 0

  private constructor(context: SuiteContext, start: Start, node: BenchNode, bench: TransferBench) {
    this.#context = context
    this.#start = start
    this.#node = node
    this.#bench = bench
  }

  static async open(context: SuiteContext, start: Start): Promise<Seat> {
    const node = await start()
    context.defer(() => node.stop())
    context.progress(`${node.name}: accounts and a token`)
    return new Seat(context, start, node, await TransferBench.open(node))
  }

  get name(): string {
    return this.#node.name
  }

  get takesBatches(): boolean {
    return this.#node.isInOrder
  }

  async run(mode: Mode, count: number): Promise<Sample> {
    for (;;) {
      try {
        return await this.#bench.run(mode.work, count, mode.size)
      } catch (error) {
        if (this.name === 'cairn' || this.#restartCount >= restartCountMax) throw error
        this.#restartCount++
        const reason = error instanceof Error ? error.message : String(error)
        this.#context.progress(`${this.name} is started anew: ${reason}`)
        await this.close()
        const fresh = await Seat.open(this.#context, this.#start)
        this.#node = fresh.#node
        this.#bench = fresh.#bench
      }
    }
  }

  async close(): Promise<void> {
    this.#bench.close()
    await this.#node.stop()
  }
}

function nameOf(node: string, mode: Mode): string {
  return `${node}: ${mode.label}`
}

function nodeTable(
  label: string,
  measurements: readonly Measurement[],
  modes: readonly Mode[],
): Table {
  const rows = [
    ...modes.flatMap((mode) => measurements.filter(({ name }) => name.endsWith(`: ${mode.label}`))),
    ...measurements.filter(({ name }) => name === vmName),
  ]
  return {
    columns: [label, 'mined/s', 'min – max', 'CPU µs each', 'min – max', 'load'],
    rows: rows.map(({ name, operationsPerSecond: rate, cpuUsPerOperation: cpu, more }) => [
      name,
      figure(rate.median),
      range(rate),
      cpu === undefined ? '' : figure(cpu.median),
      cpu === undefined ? '' : range(cpu),
      more['loadCpuUs'] === undefined ? '' : figure(more['loadCpuUs'].median),
    ]),
  }
}

/** Goals and stretches of ethereum-node spec 10. */
function anvilBars(demand: readonly Measurement[], periodic: readonly Measurement[]): Bar[] {
  const [cairn, anvil] = [nameOf('cairn', tokensBatched), nameOf('anvil', tokensBatched)]
  if (!demand.some(({ name }) => name === anvil)) return []
  const [cpu, anvilCpu] = [cairn, anvil].map(
    (name) => measured(periodic, name).cpuUsPerOperation?.median,
  )
  const rate = (mode: Mode): number =>
    rateRatio(demand, nameOf('cairn', mode), nameOf('anvil', mode))
  const more = { better: 'more', unit: 'x' } as const
  const bars: Bar[] = [
    {
      text: 'ERC-20 transfers mined a second against anvil, sent singly',
      ...{ value: rate(tokensSingly), bar: 2, stretch: 5, ...more },
    },
    {
      text: 'ERC-20 transfers mined a second against anvil, in batches',
      ...{ value: rate(tokensBatched), bar: 1, stretch: 2, ...more },
    },
  ]
  if (cpu === undefined || anvilCpu === undefined) return bars
  const text = 'CPU of a mined ERC-20 transfer against anvil, a block a second'
  const value = cpu / anvilCpu
  return [{ text, value, bar: 2, stretch: 1, better: 'less', unit: 'x' }, ...bars]
}

function hardhatBars(demand: readonly Measurement[]): Bar[] {
  const hardhat = nameOf('hardhat', tokensSingly)
  if (!demand.some(({ name }) => name === hardhat)) return []
  return [
    {
      text: 'ERC-20 transfers mined a second against Hardhat, sent singly',
      value: rateRatio(demand, nameOf('cairn', tokensSingly), hardhat),
      bar: 3,
      stretch: 8,
      better: 'more',
      unit: 'x',
    },
  ]
}

function vmBar(demand: readonly Measurement[]): Bar {
  return {
    text: 'ERC-20 transfers mined a second, in batches, against the EthereumJS VM alone',
    value: rateRatio(demand, nameOf('cairn', tokensBatched), vmName),
    ...{ bar: 5, stretch: 12, better: 'more', unit: 'x' },
  }
}

function versionOf(manifest: string): string {
  return (createRequire(import.meta.url)(manifest) as { readonly version: string }).version
}
