/**
 * The process of one ledger for the suite `growth`: opens the ledger of a folder, then does what its parent asks for,
 * one task after the other, until the parent lets go of it.
 */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { encodeIon, ionInt, ionList } from '@cairn/ion'
import { type EmbeddedLedger, openLedger } from '@cairn/ledger'
import { vehicleIon } from './vehicle.ts'

export type GrowthTask =
  | { readonly kind: 'load'; readonly documentCount: number }
  | { readonly kind: 'update'; readonly documentCount: number; readonly durationMs: number }
  | { readonly kind: 'describe' }

export interface GrowthAnswer {
  /** While loading: so far. */
  readonly loadedCount?: number
  readonly operationCount: number
  readonly elapsedMs: number
  readonly cpuUs: number
  /** Of opening the ledger. */
  readonly openMs: number
  readonly diskMiB: number
}

const transactionSize = 1000
const loadsInFlight = 4
const updatesInFlight = 256
const reportedCount = 500_000
const updateText = 'UPDATE Vehicle SET Mileage = ? WHERE Serial = ?'
/** QLDB allows 40 documents and 128 KiB a parameter; a ledger of one's own may be opened with other limits. */
const limits = { writtenDocumentCountMax: transactionSize, parameterBytesMax: 1024 * 1024 }

const directory = process.argv[2] ?? ''
const openStartMs = performance.now()
const embedded = await openLedger({ directory, limits })
const openMs = performance.now() - openStartMs

process.on('message', (task: GrowthTask) => void perform(task))
// The parent has ended, or has no more tasks.
process.once('disconnect', () => void embedded.close().then(() => process.exit(0)))
tell({ operationCount: 0, elapsedMs: 0, cpuUs: 0 })

async function perform(task: GrowthTask): Promise<void> {
  const startCpu = process.cpuUsage()
  const startMs = performance.now()
  const operationCount = await operationsOf(task)
  const elapsedMs = performance.now() - startMs
  const cpu = process.cpuUsage(startCpu)
  tell({ operationCount, elapsedMs, cpuUs: cpu.user + cpu.system })
}

function operationsOf(task: GrowthTask): Promise<number> | number {
  switch (task.kind) {
    case 'load':
      return load(embedded, task.documentCount)
    case 'update':
      return update(embedded, task.documentCount, task.durationMs)
    case 'describe':
      return 0
  }
}

function tell(answer: Omit<GrowthAnswer, 'openMs' | 'diskMiB'>): void {
  process.send?.({ ...answer, openMs, diskMiB: bytesBelow(directory) / 2 ** 20 })
}

async function load({ ledger, transact }: EmbeddedLedger, documentCount: number): Promise<number> {
  await transact(async (transaction) => {
    await transaction.execute('CREATE TABLE Vehicle')
    await transaction.execute('CREATE INDEX ON Vehicle (Serial)')
  })
  let next = 1
  let reports = 0
  const work = async (): Promise<void> => {
    while (next <= documentCount) {
      const first = next
      next += transactionSize
      const length = Math.min(transactionSize, documentCount - first + 1)
      const vehicles = Array.from({ length }, (_, index) => vehicleIon(first + index))
      const transaction = ledger.startTransaction()
      await transaction.execute('INSERT INTO Vehicle ?', [encodeIon(ionList(vehicles))])
      await transaction.commit()
      if (Math.floor(first / reportedCount) === reports) continue
      reports++
      tell({ loadedCount: reports * reportedCount, operationCount: 0, elapsedMs: 0, cpuUs: 0 })
    }
  }
  await Promise.all(Array.from({ length: loadsInFlight }, work))
  return documentCount
}

async function update(
  { transact }: EmbeddedLedger,
  documentCount: number,
  durationMs: number,
): Promise<number> {
  const startMs = performance.now()
  let operationCount = 0
  const work = async (): Promise<void> => {
    while (performance.now() - startMs < durationMs) {
      const no = 1 + Math.floor(Math.random() * documentCount)
      const mileage = Math.floor(Math.random() * 1_000_000)
      await transact((transaction) => transaction.execute(updateText, ionInt(mileage), ionInt(no)))
      operationCount++
    }
  }
  await Promise.all(Array.from({ length: updatesInFlight }, work))
  return operationCount
}

/** As the disk holds them: files with room ahead count with that room. */
function bytesBelow(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    bytes += entry.isDirectory() ? bytesBelow(path) : lstatSync(path).blocks * 512
  }
  return bytes
}
