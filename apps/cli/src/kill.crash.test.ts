import { mkdtemp, rm } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QLDB } from '@aws-sdk/client-qldb'
import { verifyLedgerDirectory } from '@cairn/ledger'
import { createSeededRandom } from '@cairn/testing'
import { QldbDriver, RetryConfig } from 'amazon-qldb-driver-nodejs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildProgram, type Daemon, startDaemon } from './testing/daemon.ts'

const roundCount = Number(process.env['CAIRN_KILL_ROUNDS'] ?? 20)
const writerCount = 32
const seed = Number(process.env['CAIRN_SEED'] ?? Date.now() % 1_000_000)
const ledgerName = 'crash'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const region = 'us-east-1'

let folder: string
let daemon: Daemon
/** Of the first start, with nothing to read: what a start takes on this machine. */
let firstStartMs: number

beforeAll(async () => {
  buildProgram()
  folder = await mkdtemp(join(tmpdir(), 'cairn-kill-'))
  daemon = await startDaemon(join(folder, 'data'))
  firstStartMs = daemon.startMs
  const control = new QLDB({ endpoint: daemon.api, region, credentials })
  await control.createLedger({ Name: ledgerName, PermissionsMode: 'ALLOW_ALL' })
  const driver = openDriver()
  await driver.executeLambda(async (tx) => {
    for (const table of ['Debit', 'Credit']) {
      await tx.execute(`CREATE TABLE ${table}`)
      await tx.execute(`CREATE INDEX ON ${table} (round)`)
    }
  })
  driver.close()
})
afterAll(async () => {
  await daemon.kill()
  await rm(folder, { recursive: true })
})

function openDriver(): QldbDriver {
  return new QldbDriver(
    ledgerName,
    { endpoint: daemon.api, region, credentials },
    { httpAgent: new Agent({ keepAlive: true, maxSockets: writerCount }) },
    writerCount,
    new RetryConfig(0),
  )
}

/** Books until the server is gone; a booking is a document in each of two tables. Answers those acknowledged. */
async function book(
  driver: QldbDriver,
  round: number,
  writer: number,
  onAcknowledged: () => void,
): Promise<string[]> {
  const acknowledged: string[] = []
  for (let n = 0; ; n++) {
    const entry = `${writer}-${n}`
    try {
      await driver.executeLambda(async (tx) => {
        await tx.execute('INSERT INTO Debit ?', { round, entry })
        await tx.execute('INSERT INTO Credit ?', { round, entry })
      })
    } catch {
      // Only the kill can end a booking: documents are new, so there are no conflicts.
      return acknowledged
    }
    acknowledged.push(entry)
    onAcknowledged()
  }
}

async function entriesOf(driver: QldbDriver, table: string, round: number): Promise<Set<string>> {
  const query = `SELECT VALUE entry FROM ${table} WHERE round = ?`
  const result = await driver.executeLambda((tx) => tx.execute(query, round))
  return new Set(result.getResultList().map((value) => value.stringValue() ?? ''))
}

describe(`a server killed ${roundCount} times under ${writerCount} writers (seed ${seed})`, () => {
  it('loses nothing acknowledged, keeps no half transaction, and its chain verifies', async () => {
    const random = createSeededRandom(seed)
    const startMs: number[] = []
    let acknowledgedCount = 0
    for (let round = 0; round < roundCount; round++) {
      const driver = openDriver()
      // By what was done, not by a clock, so that a slow machine does as much; then a little on, to any step.
      const killAt = 5 + random.below(36)
      const part = random.fraction()
      const beginMs = performance.now()
      let count = 0
      let isKilled: Promise<void> | undefined
      const onAcknowledged = () => {
        if (++count !== killAt) return
        const delayMs = (part * (performance.now() - beginMs)) / 2
        isKilled = new Promise((resolve) => setTimeout(resolve, delayMs)).then(() => daemon.kill())
      }
      const booked = await Promise.all(
        Array.from({ length: writerCount }, (_, no) => book(driver, round, no, onAcknowledged)),
      )
      expect(isKilled, `round ${round}: ended before it was killed`).toBeDefined()
      await isKilled
      driver.close()
      daemon = await startDaemon(join(folder, 'data'))
      startMs.push(daemon.startMs)
      const reader = openDriver()
      const debits = await entriesOf(reader, 'Debit', round)
      const credits = await entriesOf(reader, 'Credit', round)
      reader.close()
      const lost = booked.flat().filter((entry) => !debits.has(entry))
      expect(lost, `round ${round}: acknowledged and lost`).toEqual([])
      expect([...debits].sort(), `round ${round}: half transactions`).toEqual([...credits].sort())
      const [report] = await verifyLedgerDirectory({ directory: join(folder, 'data') })
      expect(report?.findings, `round ${round}`).toEqual([])
      acknowledgedCount += booked.flat().length
    }
    startMs.sort((a, b) => a - b)
    const median = startMs[Math.floor(startMs.length / 2)] ?? 0
    console.log(
      `${acknowledgedCount} acknowledged, none lost; restart ${median.toFixed(0)} ms (median), ` +
        `${(startMs.at(-1) ?? 0).toFixed(0)} ms (longest of ${startMs.length})`,
    )
    expect(acknowledgedCount).toBeGreaterThan(roundCount)
    expect(median, 'restart, median').toBeLessThan(10 * firstStartMs)
  })
})
