/**
 * Import of a journal export: each block read, checked against its hashes and the block before it, written to the
 * journal, put into both hash trees and the projections. One vehicle of about 400 bytes per block, one index.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodeIon } from '@cairn/ion'
import { nodeFileSystem } from '@cairn/journal'
import {
  type ExportFormat,
  exportFormats,
  folderSource,
  openExport,
  readExportedBlocks,
  writeExport,
} from '@cairn/journal-export'
import { type EmbeddedLedger, type ImportSource, importLedger, openLedger } from '@cairn/ledger'
import { machineFacts } from './machine.ts'
import { figure, range, type SuiteResult } from './report.ts'
import { type Contestant, runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { measured } from './tables.ts'
import { vehicleIon } from './vehicle.ts'

const inFlightCount = 256
/** Per second of a turn: turns have a fixed work, made ahead. */
const blocksPerSecond = 8000

export async function importSuite(context: SuiteContext): Promise<SuiteResult> {
  const { directory, durationMs, progress, roundCount } = context
  const machine = machineFacts(directory)
  const blockCount = Math.ceil((blocksPerSecond * durationMs) / 1000)
  progress(`building a ledger of ${blockCount} blocks and its exports`)
  const ledger = await openLedger({ directory: join(directory, 'ledger') })
  await fill(ledger, blockCount)
  const contestants: Contestant[] = []
  for (const format of exportFormats) {
    const folder = join(directory, format)
    await writeFolder(ledger, folder, format)
    contestants.push(await importContestant(folder, join(directory, 'imported'), format))
  }
  await ledger.close()
  const measurements = await runRounds(contestants, roundCount, progress)
  return {
    name: 'import',
    title: 'Import of a journal export, every block checked',
    machine,
    settings: {
      blocks: blockCount,
      'bytes of Ion each': encodeIon(vehicleIon(1)).length,
      rounds: roundCount,
    },
    tables: [
      {
        columns: ['', 'blocks/s', 'min – max', 'CPU µs each'],
        rows: measurements.map(({ name, operationsPerSecond: rate, cpuUsPerOperation: cpu }) => [
          name,
          figure(rate.median),
          range(rate),
          cpu === undefined ? '' : figure(cpu.median),
        ]),
      },
    ],
    bars: exportFormats.map((format) => ({
      text: `import of an export in ${format}`,
      value: measured(measurements, format).operationsPerSecond.median,
      bar: 5000,
      stretch: 10_000,
      better: 'more',
      unit: 'blocks/s',
    })),
    measurements,
  }
}

async function fill({ transact }: EmbeddedLedger, blockCount: number): Promise<void> {
  await transact(async (transaction) => {
    await transaction.execute('CREATE TABLE Vehicle')
    await transaction.execute('CREATE INDEX ON Vehicle (Serial)')
  })
  let next = 1
  const work = async (): Promise<void> => {
    while (next <= blockCount) {
      const vehicle = vehicleIon(next++)
      await transact((transaction) => transaction.execute('INSERT INTO Vehicle ?', vehicle))
    }
  }
  await Promise.all(Array.from({ length: inFlightCount }, work))
}

async function writeFolder(
  { ledger }: EmbeddedLedger,
  folder: string,
  format: ExportFormat,
): Promise<void> {
  await writeExport({
    request: {
      exportId: 'bench00000000000000000',
      ledgerName: 'bench',
      strandId: ledger.strandId,
      createdMs: 0,
      inclusiveStartMs: 0,
      exclusiveEndMs: 1,
      bucket: 'bench',
      prefix: '',
      encryption: 'NO_ENCRYPTION',
      kmsKeyArn: undefined,
      format,
    },
    blocksFrom: (sequenceNo) => ledger.blocksFrom(sequenceNo),
    endSequenceNo: ledger.blockCount,
    progress: { keys: [], nextSequenceNo: 0 },
    async put(key, bytes) {
      await mkdir(dirname(join(folder, key)), { recursive: true })
      await writeFile(join(folder, key), bytes)
    },
  })
}

async function importContestant(
  folder: string,
  target: string,
  format: ExportFormat,
): Promise<Contestant> {
  const source = await sourceOf(folder)
  return {
    name: format,
    async run() {
      await rm(target, { recursive: true, force: true })
      await mkdir(target)
      const startCpu = process.cpuUsage()
      const startMs = performance.now()
      const { blockCount } = await importLedger({ directory: target, name: 'imported', source })
      const elapsedMs = performance.now() - startMs
      const cpu = process.cpuUsage(startCpu)
      return { operationCount: blockCount, elapsedMs, cpuUs: cpu.user + cpu.system }
    },
  }
}

/** An export as QLDB writes them: tables and indexes are read from the statements. */
async function sourceOf(folder: string): Promise<ImportSource> {
  const objects = folderSource(nodeFileSystem, folder)
  const contents = await openExport(objects)
  const { strandId, firstSequenceNo, lastSequenceNo } = contents
  return {
    strandId,
    firstSequenceNo,
    lastSequenceNo,
    bringsCatalog: false,
    async *blocksFrom(fromSequenceNo) {
      for await (const block of readExportedBlocks(objects, contents, { fromSequenceNo })) {
        yield { value: block.value, source: block.key, isFromJson: block.format === 'JSON' }
      }
    },
  }
}
