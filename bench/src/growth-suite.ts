/**
 * Whether a ledger slows down as it grows: the same updates of random documents in a large ledger and in a small one,
 * each in a process of its own, filled in bulk and then opened anew. Also what loading takes, disk and memory.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { youngGenerationFlags } from './cairn-server.ts'
import type { GrowthAnswer, GrowthTask } from './growth-process.ts'
import { type Machine, machineFacts, residentMiB } from './machine.ts'
import { figure, type SuiteResult, type Table } from './report.ts'
import { type Contestant, type Measurement, runRounds } from './rounds.ts'
import { type SuiteContext, smallDocumentCount } from './suite.ts'
import { measured, rateRatio, rateTable } from './tables.ts'

const residentGiBMax = 1.5

interface LoadedLedger {
  readonly name: string
  readonly documentCount: number
  readonly directory: string
  readonly loadSeconds: number
  /** At the end of loading: of the process itself, without mapped files. */
  readonly loadResidentMiB: number
  readonly openMs: number
  readonly diskMiB: number
  readonly process: LedgerProcess
}

export async function growthSuite(context: SuiteContext): Promise<SuiteResult> {
  const { directory, durationMs, progress, roundCount } = context
  const machine: Machine = machineFacts(directory)
  const ledgers: LoadedLedger[] = []
  for (const documentCount of [smallDocumentCount, context.scale.documentCount]) {
    ledgers.push(await loadLedger(context, documentCount))
  }
  const contestants = ledgers.map((ledger) => updates(ledger, durationMs))
  const measurements = await runRounds(contestants, roundCount, progress)

  const [small, large] = ledgers as [LoadedLedger, LoadedLedger]
  const memory = {
    bar: residentGiBMax,
    stretch: residentGiBMax,
    better: 'less',
    unit: 'GiB',
  } as const
  const ofLarge = measured(measurements, large.name).samples.map(residentOf)
  const own = Math.max(large.loadResidentMiB, ...ofLarge.map((resident) => resident.own)) / 1024
  const all = Math.max(...ofLarge.map((resident) => resident.own + resident.mapped)) / 1024
  return {
    name: 'growth',
    title: 'Growth: updates of random documents by an indexed field, 256 in flight',
    machine,
    settings: { rounds: roundCount, 'seconds per turn': durationMs / 1000 },
    tables: [rateTable(measurements, small.name), sizeTable(ledgers, measurements)],
    bars: [
      {
        text: `updates at ${large.name} against ${small.name}`,
        value: rateRatio(measurements, large.name, small.name),
        bar: 0.7,
        stretch: 0.9,
        better: 'more',
        unit: 'x',
      },
      { text: `memory of the process at ${large.name}, loading too`, value: own, ...memory },
      { text: `the same under updates, with pages of mapped files`, value: all, ...memory },
    ],
    measurements,
  }
}

function residentOf({ more }: Measurement['samples'][number]): { own: number; mapped: number } {
  return { own: more?.['residentMiB'] ?? 0, mapped: more?.['mappedMiB'] ?? 0 }
}

function sizeTable(ledgers: readonly LoadedLedger[], measurements: readonly Measurement[]): Table {
  const largest = (ledger: LoadedLedger, key: string): string =>
    figure(measured(measurements, ledger.name).more[key]?.max ?? Number.NaN)
  return {
    columns: [
      '',
      'loaded in s',
      'documents/s',
      'MiB resident then',
      'MiB on disk',
      'opened in ms',
      'MiB resident under updates',
      'and of mapped files',
    ],
    rows: ledgers.map((ledger) => [
      ledger.name,
      figure(ledger.loadSeconds),
      figure(ledger.documentCount / ledger.loadSeconds),
      figure(ledger.loadResidentMiB),
      figure(ledger.diskMiB),
      figure(ledger.openMs),
      largest(ledger, 'residentMiB'),
      largest(ledger, 'mappedMiB'),
    ]),
  }
}

async function loadLedger(context: SuiteContext, documentCount: number): Promise<LoadedLedger> {
  const name = `${documentCount.toLocaleString('en-US')} documents`
  const directory = join(context.directory, `ledger-${documentCount}`)
  const loader = await LedgerProcess.start(context, directory)
  const loaded = await loader.ask({ kind: 'load', documentCount }, (count) =>
    context.progress(`loading ${name}: ${count.toLocaleString('en-US')}`),
  )
  const loadResidentMiB = residentMiB(loader.id).own
  await loader.stop()
  // Opened anew: what loading left in memory is not what a server has that was started lately.
  const process = await LedgerProcess.start(context, directory)
  const { diskMiB, openMs } = await process.ask({ kind: 'describe' })
  return {
    name,
    documentCount,
    directory,
    loadSeconds: loaded.elapsedMs / 1000,
    loadResidentMiB,
    openMs,
    diskMiB,
    process,
  }
}

function updates({ name, documentCount, process }: LoadedLedger, durationMs: number): Contestant {
  return {
    name,
    async run() {
      const answer = await process.ask({ kind: 'update', documentCount, durationMs })
      const { own, files } = residentMiB(process.id)
      const { operationCount, elapsedMs, cpuUs } = answer
      return { operationCount, elapsedMs, cpuUs, more: { residentMiB: own, mappedMiB: files } }
    },
  }
}

/** A process with one open ledger, which does one task at a time. */
class LedgerProcess {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(context: SuiteContext, directory: string): Promise<LedgerProcess> {
    const program = join(dirname(fileURLToPath(import.meta.url)), 'growth-process.ts')
    const execArgv = [...youngGenerationFlags, '--import', 'tsx']
    const child = fork(program, [directory], { execArgv })
    const started = new LedgerProcess(child)
    context.defer(() => started.stop())
    await started.#answer()
    return started
  }

  get id(): number {
    return this.#child.pid ?? 0
  }

  async ask(task: GrowthTask, onProgress?: (count: number) => void): Promise<GrowthAnswer> {
    this.#child.send(task)
    for (;;) {
      const answer = await this.#answer()
      if (answer.loadedCount === undefined) return answer
      onProgress?.(answer.loadedCount)
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }

  #answer(): Promise<GrowthAnswer> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('The process with the ledger has ended.'))
      this.#child.once('exit', onExit)
      this.#child.once('message', (answer) => {
        this.#child.off('exit', onExit)
        resolve(answer as GrowthAnswer)
      })
    })
  }
}
