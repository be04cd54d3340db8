/**
 * Bulk insert: 1,000 documents of about 400 bytes per durable transaction, one index. In process, beside COPY into a
 * table with a primary key and a history table, both from text or Ion that was made before the clock runs.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeIon, ionList } from '@cairn/ion'
import { openLedger } from '@cairn/ledger'
import { endedChildrenCpuUs, machineFacts } from './machine.ts'
import {
  createVehicleTable,
  type HistoryTrigger,
  type Postgres,
  startPostgres,
  vehicleLines,
} from './postgres.ts'
import type { SuiteResult } from './report.ts'
import { type Contestant, runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { rateRatio, rateTable } from './tables.ts'
import { vehicleIon } from './vehicle.ts'

const transactionSize = 1000
/** Per second of a turn: turns have a fixed work, made ahead. */
const documentsPerSecond = 20_000
/** One per core. */
const copyCount = 2
const inFlightCount = 4
/** QLDB allows 40 documents and 128 KiB a parameter; a ledger of one's own may be opened with other limits. */
const limits = { writtenDocumentCountMax: transactionSize, parameterBytesMax: 1024 * 1024 }

const cairnName = `Cairn, ${inFlightCount} in flight`
const opponents: Readonly<Record<HistoryTrigger, string>> = {
  all: 'PostgreSQL COPY, inserts in the history',
  updates: 'PostgreSQL COPY, only updates in the history',
}

export async function bulkSuite(context: SuiteContext): Promise<SuiteResult> {
  const { directory, durationMs, progress, roundCount } = context
  const machine = machineFacts(directory)
  const postgres = await startPostgres(directory, progress)
  context.defer(() => postgres.stop())
  const documentCount = Math.ceil((documentsPerSecond * durationMs) / 1000)
  const transactionCount = copyCount * Math.ceil(documentCount / transactionSize / copyCount)
  const load = { directory, transactionCount }
  const measurements = await runRounds(
    [
      await copyContestant(postgres, 'all', load),
      await copyContestant(postgres, 'updates', load),
      await insertContestant(context, load),
    ],
    roundCount,
    progress,
  )
  return {
    name: 'bulk',
    title: 'Bulk insert: 1,000 documents per durable transaction, one index',
    machine,
    settings: {
      'documents per turn': transactionCount * transactionSize,
      'bytes of Ion each': encodeIon(vehicleIon(1)).length,
      'parallel COPY': copyCount,
      opponent: postgres.version,
      rounds: roundCount,
    },
    tables: [rateTable(measurements, opponents.all, 'documents/s')],
    bars: [
      {
        text: 'bulk insert against COPY with a history trigger',
        value: rateRatio(measurements, cairnName, opponents.all),
        bar: 1,
        stretch: 2,
        better: 'more',
        unit: 'x',
      },
    ],
    measurements,
  }
}

interface BulkLoad {
  readonly directory: string
  readonly transactionCount: number
}

/** Tables grow from round to round, as the ledger does. */
async function copyContestant(
  postgres: Postgres,
  trigger: HistoryTrigger,
  { directory, transactionCount }: BulkLoad,
): Promise<Contestant> {
  const table = `bulk_${trigger}`
  await createVehicleTable(postgres, 0, table, trigger)
  let next = 1
  return {
    name: opponents[trigger],
    async run() {
      const texts = Array.from({ length: copyCount }, () => '')
      for (let i = 0; i < transactionCount; i++, next += transactionSize) {
        texts[i % copyCount] +=
          `COPY ${table} FROM STDIN;\n${vehicleLines(next, transactionSize)}\\.\n`
      }
      const paths = texts.map((_, index) => join(directory, `copy-${index}.sql`))
      await Promise.all(paths.map((path, index) => writeFile(path, texts[index] ?? '')))
      const cpuBefore = postgres.cpuUs()
      const loadCpuBefore = endedChildrenCpuUs()
      const startMs = performance.now()
      await Promise.all(paths.map((path) => postgres.runFile(path)))
      const elapsedMs = performance.now() - startMs
      const cpuAfter = postgres.cpuUs()
      const operationCount = transactionCount * transactionSize
      const loadCpuUs = (endedChildrenCpuUs() - loadCpuBefore) / operationCount
      const cpuUs =
        cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore
      return { operationCount, elapsedMs, cpuUs, more: { loadCpuUs } }
    },
  }
}

async function insertContestant(
  context: SuiteContext,
  { directory, transactionCount }: BulkLoad,
): Promise<Contestant> {
  const { ledger, transact, close } = await openLedger({
    directory: join(directory, 'ledger'),
    limits,
  })
  context.defer(close)
  await transact(async (transaction) => {
    await transaction.execute('CREATE TABLE Vehicle')
    await transaction.execute('CREATE INDEX ON Vehicle (Serial)')
  })
  let next = 1
  return {
    name: cairnName,
    async run() {
      const parameters = Array.from({ length: transactionCount }, () => {
        const vehicles = Array.from({ length: transactionSize }, () => vehicleIon(next++))
        return encodeIon(ionList(vehicles))
      })
      const startCpu = process.cpuUsage()
      const startMs = performance.now()
      const work = async (): Promise<void> => {
        for (let list = parameters.pop(); list !== undefined; list = parameters.pop()) {
          const transaction = ledger.startTransaction()
          await transaction.execute('INSERT INTO Vehicle ?', [list])
          await transaction.commit()
        }
      }
      await Promise.all(Array.from({ length: inFlightCount }, work))
      const elapsedMs = performance.now() - startMs
      const cpu = process.cpuUsage(startCpu)
      const operationCount = transactionCount * transactionSize
      return { operationCount, elapsedMs, cpuUs: cpu.user + cpu.system }
    },
  }
}
