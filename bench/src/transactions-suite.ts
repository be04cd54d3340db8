/** In one process: find a document by an indexed field, change it, commit durably. Beside PostgreSQL on one disk. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { encodeIon } from '@cairn/ion'
import { type EmbeddedLedger, openLedger } from '@cairn/ledger'
import { machineFacts } from './machine.ts'
import { createVehicleTable, postgresLoad, startPostgres } from './postgres.ts'
import type { SuiteResult } from './report.ts'
import { type Contestant, runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { rateRatio, rateTable } from './tables.ts'
import { vehicleIon } from './vehicle.ts'

const documentCount = 10_000
/** Documents that one transaction may write. */
const insertCount = 40
/** As many as the ledger's clients: more gain PostgreSQL nothing on two cores. */
const postgresClientCount = 32
const inFlightCounts = [32, 256] as const

export async function transactionsSuite(context: SuiteContext): Promise<SuiteResult> {
  const { directory, durationMs, progress, roundCount } = context
  const machine = machineFacts(directory)
  const postgres = await startPostgres(directory, progress)
  context.defer(() => postgres.stop())
  progress(`filling PostgreSQL with ${documentCount} rows`)
  await createVehicleTable(postgres, documentCount)

  const ledger = await openLedger({ directory: join(directory, 'ledger') })
  context.defer(() => ledger.close())
  progress(`filling the ledger with ${documentCount} documents`)
  await fillLedger(ledger)

  const pgbenchDirectory = join(directory, 'pgbench')
  mkdirSync(pgbenchDirectory)
  const opponent = `PostgreSQL, ${postgresClientCount} clients`
  const contestants = [
    postgresLoad(postgres, {
      name: opponent,
      work: 'update',
      transport: 'unix',
      clientCount: postgresClientCount,
      durationMs,
      rowCount: documentCount,
      withLatencies: false,
      directory: pgbenchDirectory,
    }),
    ...inFlightCounts.map((count) => ledgerUpdates(ledger, count, durationMs)),
  ]
  const measurements = await runRounds(contestants, roundCount, progress)

  return {
    name: 'transactions',
    title: 'Durable transactions in one process: find by index, change, commit',
    machine,
    settings: {
      documents: documentCount,
      'bytes of Ion each': encodeIon(vehicleIon(1)).length,
      opponent: postgres.version,
      rounds: roundCount,
      'seconds per turn': durationMs / 1000,
    },
    tables: [rateTable(measurements, opponent)],
    bars: [
      {
        text: 'update in process, 256 in flight',
        value: rateRatio(measurements, ledgerName(256), opponent),
        bar: 4,
        stretch: 10,
        better: 'more',
        unit: 'x',
      },
    ],
    measurements,
  }
}

function ledgerName(inFlightCount: number): string {
  return `Cairn, ${inFlightCount} in flight`
}

async function fillLedger({ transact }: EmbeddedLedger): Promise<void> {
  await transact(async (transaction) => {
    await transaction.execute('CREATE TABLE Vehicle')
    await transaction.execute('CREATE INDEX ON Vehicle (Serial)')
  })
  for (let first = 1; first <= documentCount; first += insertCount) {
    const vehicles = Array.from({ length: insertCount }, (_, index) => vehicleIon(first + index))
    await transact((transaction) => transaction.execute('INSERT INTO Vehicle ?', vehicles))
  }
}

/** Keeps `inFlightCount` transactions under way until the time is up. */
function ledgerUpdates(
  { ledger, transact }: EmbeddedLedger,
  inFlightCount: number,
  durationMs: number,
): Contestant {
  return {
    name: ledgerName(inFlightCount),
    async run() {
      const blockCountBefore = ledger.digest().tipAddress.sequenceNo
      const startCpu = process.cpuUsage()
      const startMs = performance.now()
      let operationCount = 0
      const work = async (): Promise<void> => {
        while (performance.now() - startMs < durationMs) {
          const no = 1 + Math.floor(Math.random() * documentCount)
          const mileage = Math.floor(Math.random() * 1_000_000)
          await transact((transaction) =>
            transaction.execute('UPDATE Vehicle SET Mileage = ? WHERE Serial = ?', mileage, no),
          )
          operationCount++
        }
      }
      await Promise.all(Array.from({ length: inFlightCount }, work))
      const elapsedMs = performance.now() - startMs
      const cpu = process.cpuUsage(startCpu)
      const blockCount = ledger.digest().tipAddress.sequenceNo - blockCountBefore
      if (blockCount !== operationCount) throw new Error('Not every transaction made a block.')
      return { operationCount, elapsedMs, cpuUs: cpu.user + cpu.system }
    },
  }
}
