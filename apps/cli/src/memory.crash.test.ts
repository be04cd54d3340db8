/** Memory of the real process: 3,000 sessions held open at once, and a result of 100 MB read page by page. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QldbDriver, RetryConfig } from 'amazon-qldb-driver-nodejs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildProgram, type Daemon, startDaemon } from './testing/daemon.ts'

const sessionCount = 3000
const requestsAtOnce = 100
/** With an open transaction: about 7 KB were measured. Generous, since memory of a process moves by megabytes. */
const sessionBytesMax = 60_000
const documentCount = 100
const documentBytes = 100_000
/** Each document comes this often: 100 MB. */
const timesRead = 10
/** Above all the room for young objects, which V8 fills before it collects. Generous. */
const growthBytesMax = 500 * 1024 * 1024

let folder: string
let daemon: Daemon

beforeAll(async () => {
  buildProgram()
  folder = await mkdtemp(join(tmpdir(), 'cairn-memory-'))
  const limits = join(folder, 'limits.json')
  const transactionMsMax = 110_000
  await writeFile(limits, JSON.stringify({ activeSessionCountMax: sessionCount, transactionMsMax }))
  daemon = await startDaemon(join(folder, 'data'), ['--limits', limits])
  const ledger = { Name: 'memory', PermissionsMode: 'ALLOW_ALL' }
  expect((await post('/ledgers', ledger)).status).toBe(200)
  await transact(['CREATE TABLE Large'])
  const inserts = Array.from({ length: 20 }, () => 'INSERT INTO Large ?')
  for (let i = 0; i < documentCount; i += inserts.length) {
    await transact(inserts, { pad: 'x'.repeat(documentBytes) })
  }
})
afterAll(async () => {
  await daemon.kill()
  await rm(folder, { recursive: true })
})

async function post(path: string, body: object, target?: string) {
  const answer = await fetch(`${daemon.api}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(target === undefined ? {} : { 'x-amz-target': target }),
    },
    body: JSON.stringify(body),
  })
  return { status: answer.status, body: JSON.parse(await answer.text()) }
}

async function transact(texts: readonly string[], ...parameters: unknown[]): Promise<void> {
  const statements = texts.map((statement) => ({ statement, parameters }))
  const answer = await post('/v1/ledgers/memory/transactions', { statements })
  expect(answer).toMatchObject({ status: 200 })
}

function send(command: object) {
  return post('/', command, 'QLDBSession.SendCommand')
}

async function metric(name: string): Promise<number> {
  const page = await (await fetch(`${daemon.api}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1])
}

/** `work` for each number below `count`, some at a time. */
async function forAll<T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = new Array(count)
  let next = 0
  const worker = async () => {
    for (let i = next++; i < count; i = next++) results[i] = await work(i)
  }
  await Promise.all(Array.from({ length: requestsAtOnce }, worker))
  return results
}

const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MiB`

describe('memory of a server', () => {
  it(`holds ${sessionCount} sessions with open transactions, refuses the next`, async () => {
    const before = await metric('process_resident_memory_bytes')
    const sessions = await forAll(sessionCount, async () => {
      const { body } = await send({ StartSession: { LedgerName: 'memory' } })
      const SessionToken: string = body.StartSession.SessionToken
      const started = await send({ SessionToken, StartTransaction: {} })
      const TransactionId: string = started.body.StartTransaction.TransactionId
      return { SessionToken, TransactionId }
    })
    const execute = ({ SessionToken, TransactionId }: (typeof sessions)[number]) =>
      send({
        SessionToken,
        ExecuteStatement: { TransactionId, Statement: 'SELECT VALUE 1 FROM << 1 >> AS x' },
      })
    const answers = await forAll(sessionCount, (i) => execute(sessions[i] ?? expect.unreachable()))
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(await metric('cairn_sessions')).toBe(sessionCount)
    const held = (await metric('process_resident_memory_bytes')) - before
    const refused = await send({ StartSession: { LedgerName: 'memory' } })
    expect([refused.status, refused.body.__type]).toEqual([400, 'LimitExceededException'])

    await forAll(sessionCount, async (i) => {
      const { SessionToken } = sessions[i] ?? expect.unreachable()
      expect((await send({ SessionToken, EndSession: {} })).status).toBe(200)
    })
    expect(await metric('cairn_sessions')).toBe(0)
    console.log(`${sessionCount} sessions with open transactions: ${megabytes(held)} more`)
    expect(held).toBeLessThan(sessionCount * sessionBytesMax)
  })

  it('streams a result of 100 MB in bounded memory', async () => {
    const driver = new QldbDriver(
      'memory',
      {
        endpoint: daemon.api,
        region: 'us-east-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      },
      { httpAgent: new Agent({ keepAlive: true }) },
      1,
      new RetryConfig(0),
    )
    const before = await metric('process_resident_memory_bytes')
    let [rowCount, bytes, peak] = [0, 0, before]
    await driver.executeLambda(async (transaction) => {
      const statement = 'SELECT d.pad FROM ? AS n, Large AS d'
      const times = Array.from({ length: timesRead }, (_, i) => i)
      const rows = await transaction.executeAndStreamResults(statement, times)
      for await (const row of rows) {
        rowCount++
        bytes += row.get('pad')?.stringValue()?.length ?? 0
        if (rowCount % 50 === 0) {
          peak = Math.max(peak, await metric('process_resident_memory_bytes'))
        }
      }
    })
    driver.close()
    expect(rowCount).toBe(documentCount * timesRead)
    expect(bytes).toBe(documentCount * timesRead * documentBytes)
    const most = `server at ${megabytes(before)} before and ${megabytes(peak)} at most`
    console.log(`${megabytes(bytes)} read, ${most}`)
    expect(peak - before).toBeLessThan(growthBytesMax)
  })
})
