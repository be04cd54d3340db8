/** Journal streams by the unmodified AWS SDK, into a service in the place of Kinesis and to a webhook. */
import { createHmac } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QLDB } from '@aws-sdk/client-qldb'
import { createIdSource, createSystemClock, systemRandom } from '@cairn/core'
import { decodeIon, jsFromIon } from '@cairn/ion'
import { nodeFileSystem } from '@cairn/journal'
import { createKinesisTarget } from '@cairn/journal-stream'
import { openLedgerHost } from '@cairn/ledger'
import { openStreamJobs } from '@cairn/qldb-server'
import { createSeededRandom, type KinesisService, startKinesisService } from '@cairn/testing'
import { QldbDriver } from 'amazon-qldb-driver-nodejs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from './start-server.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const region = 'us-east-1'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const RoleArn = 'arn:aws:iam::000000000000:role/stream'
const kinesisArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/journal'
const webhookArn = 'arn:cairn:webhook:us-east-1:000000000000:endpoint/orders'
const webhookSecret = 'a secret of at least thirty-two characters'
let folder: string
let kinesis: KinesisService
let webhook: Server
const hooked: { recordType: string }[] = []
let server: RunningServer
let control: QLDB

async function start(): Promise<void> {
  server = await startServer({
    dataDirectory: join(folder, 'data'),
    targetsFile: join(folder, 'targets.json'),
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'off',
  })
  control = new QLDB({ endpoint: server.info.endpoints.api, region, credentials })
}

async function stop(): Promise<void> {
  control.destroy()
  await server.stop()
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-stream-'))
  kinesis = await startKinesisService()
  webhook = createServer(async (request, response) => {
    const body = Buffer.concat((await request.toArray()) as Buffer[])
    const stamp = String(request.headers['x-cairn-timestamp'])
    const hmac = createHmac('sha256', webhookSecret).update(`${stamp}.`).update(body)
    const isGenuine = request.headers['x-cairn-signature'] === `v1=${hmac.digest('hex')}`
    if (isGenuine) hooked.push(...JSON.parse(body.toString()).records)
    response.writeHead(isGenuine ? 204 : 401).end()
  })
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`
  await writeFile(
    join(folder, 'targets.json'),
    JSON.stringify({
      kinesis: { endpoint: kinesis.url, accessKeyId: 'test', secretAccessKey: 'test' },
      webhooks: { orders: { url, secret: webhookSecret } },
    }),
  )
  await start()
})
afterAll(async () => {
  await stop()
  await kinesis.close()
  webhook.close()
  await rm(folder, { recursive: true })
})

async function createLedger(Name: string): Promise<void> {
  await control.createLedger({ Name, PermissionsMode: 'ALLOW_ALL', DeletionProtection: false })
  await transact(Name, 'CREATE TABLE T')
}

async function transact(
  ledger: string,
  statement: string,
  ...parameters: unknown[]
): Promise<void> {
  const httpAgent = new Agent({ keepAlive: true })
  const endpoint = server.info.endpoints.api
  const driver = new QldbDriver(ledger, { endpoint, region, credentials }, { httpAgent })
  await driver.executeLambda((tx) => tx.execute(statement, ...parameters))
  driver.close()
  httpAgent.destroy()
}

async function stream(Name: string, changes: object = {}): Promise<string> {
  const { StreamId } = await control.streamJournalToKinesis({
    LedgerName: Name,
    StreamName: `${Name}-stream`,
    RoleArn,
    InclusiveStartTime: new Date(0),
    KinesisConfiguration: { StreamArn: kinesisArn },
    ...changes,
  })
  return StreamId as string
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(isTrue, { interval: 20 }).toBe(true)
}

const statusOf = async (LedgerName: string, StreamId: string) =>
  (await control.describeJournalKinesisStream({ LedgerName, StreamId })).Stream?.Status

interface Received {
  /** As consumers know a record again. */
  readonly name: string
  readonly recordType: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of any shape.
  readonly payload: any
  readonly arrivedMs: number
}

/** What was taken apart already: the service forgets nothing. */
const seen: (Received & { readonly qldbStreamArn: string })[] = []

/** Records of a ledger's stream, as they came. */
function received(ledger: string): Received[] {
  for (const { data, arrivedMs } of kinesis.records.slice(seen.length)) {
    const record = jsFromIon(decodeIon(data)) as Omit<(typeof seen)[0], 'name' | 'arrivedMs'>
    const { recordType, payload } = record
    const what =
      payload.controlRecordType ?? payload.blockAddress?.sequenceNo ?? payload.revision.metadata.id
    seen.push({ ...record, name: `${recordType} ${what}`, arrivedMs })
  }
  return seen.filter(({ qldbStreamArn }) => qldbStreamArn.includes(`:stream/${ledger}/`))
}

describe('StreamJournalToKinesis', () => {
  it.each([true, false])('delivers blocks and revisions (aggregated: %s)', async (mode) => {
    const ledger = `simple-${mode}`
    await createLedger(ledger)
    await transact(ledger, 'INSERT INTO T ?', [{ a: 1 }, { a: 2 }])
    const KinesisConfiguration = { StreamArn: kinesisArn, AggregationEnabled: mode }
    const StreamId = await stream(ledger, { KinesisConfiguration, Tags: { team: 'x' } })
    await until(() => received(ledger).length >= 6)
    const types = received(ledger).map(({ recordType }) => recordType)
    const summary = 'BLOCK_SUMMARY'
    const details = 'REVISION_DETAILS'
    expect(types).toEqual(['CONTROL', summary, summary, summary, details, details])
    const revision = received(ledger)[4]?.payload
    expect(revision.tableInfo.tableName).toBe('T')
    expect(revision.revision.data).toEqual({ a: 1 })

    const { Stream } = await control.describeJournalKinesisStream({ LedgerName: ledger, StreamId })
    expect(Stream).toMatchObject({
      LedgerName: ledger,
      StreamId,
      StreamName: `${ledger}-stream`,
      Status: 'ACTIVE',
      RoleArn,
      KinesisConfiguration,
      Arn: `arn:aws:qldb:us-east-1:000000000000:stream/${ledger}/${StreamId}`,
    })
    const ResourceArn = Stream?.Arn as string
    await control.tagResource({ ResourceArn, Tags: { team: 'y', more: '' } })
    await control.untagResource({ ResourceArn, TagKeys: ['more'] })
    expect((await control.listTagsForResource({ ResourceArn })).Tags).toEqual({ team: 'y' })

    await expect(stream(ledger)).rejects.toMatchObject({ name: 'ResourceAlreadyExistsException' })
    await control.cancelJournalKinesisStream({ LedgerName: ledger, StreamId })
    expect(await statusOf(ledger, StreamId)).toBe('CANCELED')
    await expect(
      control.cancelJournalKinesisStream({ LedgerName: ledger, StreamId }),
    ).rejects.toMatchObject({ name: 'ResourcePreconditionNotMetException' })
    const countBefore = received(ledger).length
    await transact(ledger, 'INSERT INTO T ?', { a: 3 })

    // The name is free again. An end in the past completes at once.
    const ended = await stream(ledger, { ExclusiveEndTime: new Date() })
    await until(async () => (await statusOf(ledger, ended)) === 'COMPLETED')
    expect(received(ledger).slice(countBefore)[0]?.name).toBe('CONTROL CREATED')
    expect(received(ledger).at(-1)?.name).toBe('CONTROL COMPLETED')
    const { Streams } = await control.listJournalKinesisStreamsForLedger({
      LedgerName: ledger,
      MaxResults: 1,
    })
    expect(Streams?.map((each) => each.StreamId)).toEqual([StreamId])
    await control.deleteLedger({ Name: ledger })
  })

  it('delivers to a signed webhook of the targets file', async () => {
    await createLedger('hooks')
    await stream('hooks', { KinesisConfiguration: { StreamArn: webhookArn } })
    await until(() => hooked.length >= 3)
    expect(hooked.map(({ recordType }) => recordType)).toEqual([
      'CONTROL',
      'BLOCK_SUMMARY',
      'BLOCK_SUMMARY',
    ])
    await expect(
      stream('hooks', {
        StreamName: 'other',
        KinesisConfiguration: { StreamArn: `${webhookArn}-no` },
      }),
    ).rejects.toMatchObject({
      name: 'InvalidParameterException',
      ParameterName: 'KinesisConfiguration',
    })
    await control.deleteLedger({ Name: 'hooks' })
  })

  it('refuses a sixth stream', async () => {
    await createLedger('many')
    for (let no = 1; no <= 5; no++) await stream('many', { StreamName: `s-${no}` })
    await expect(stream('many')).rejects.toMatchObject({
      name: 'LimitExceededException',
      ResourceType: 'JournalKinesisStream',
    })
    await control.deleteLedger({ Name: 'many' })
  })

  it('misses nothing over restarts of the server and absences of the target', async () => {
    const seed = Date.now() % 100_000
    const random = createSeededRandom(seed)
    const chance = () => (random.bytes(1)[0] as number) / 256
    const ledger = 'restarts'
    await createLedger(ledger)
    const StreamId = await stream(ledger)
    let blockCount = 2
    for (let round = 0; round < 6; round++) {
      const isAway = round === 2 || chance() < 0.3
      if (isAway) await kinesis.goAway()
      for (let no = 0; no < 5 + chance() * 20; no++) {
        await transact(ledger, 'INSERT INTO T ?', { round, no })
        blockCount++
      }
      if (round === 2) await until(async () => (await statusOf(ledger, StreamId)) === 'IMPAIRED')
      if (chance() < 0.5) {
        await stop()
        await start()
      }
      if (isAway) await kinesis.comeBack()
    }
    await until(async () => (await statusOf(ledger, StreamId)) === 'ACTIVE')
    await until(() =>
      received(ledger).some(({ name }) => name === `BLOCK_SUMMARY ${blockCount - 1}`),
    )
    const summaries = received(ledger)
      .map(({ name }) => name)
      .filter((name) => name.startsWith('BLOCK_SUMMARY'))
    const expected = Array.from({ length: blockCount }, (_, no) => `BLOCK_SUMMARY ${no}`)
    expect([...new Set(summaries)], `seed ${seed}`).toEqual(expected)
    await control.deleteLedger({ Name: ledger })
  })
})

describe('a stream at 2,000 transactions per second', () => {
  it('does not fall behind', async () => {
    const clock = createSystemClock()
    const directory = join(folder, 'fast')
    const host = await openLedgerHost({ directory })
    await host.createLedger({ name: 'fast' })
    const ledger = host.getLedger('fast')
    const commit = async (statement: string) => {
      const transaction = ledger.startTransaction()
      await transaction.execute(statement, [])
      await transaction.commit()
    }
    await commit('CREATE TABLE T')
    const streams = await openStreamJobs({
      host,
      clock,
      ids: createIdSource(clock, systemRandom),
      arns: { region, accountId: '000000000000' },
      fileSystem: nodeFileSystem,
      directory: join(directory, 'streams'),
      openTarget: (kinesisStreamArn, isAggregated) =>
        createKinesisTarget({
          endpoint: kinesis.url,
          region,
          credentials: { ...credentials },
          authorityPem: undefined,
          kinesisStreamArn,
          isAggregated,
        }),
    })
    await streams.create({
      ledgerName: 'fast',
      streamName: 'fast',
      roleArn: RoleArn,
      inclusiveStartMs: 0,
      exclusiveEndMs: undefined,
      targetArn: kinesisArn,
      isAggregated: true,
      tags: {},
    })
    const perTick = 20
    const tickMs = 10
    const tickCount = 300
    const startMs = Date.now()
    const commits: Promise<void>[] = []
    for (let tick = 0; tick < tickCount; tick++) {
      for (let no = 0; no < perTick; no++) {
        commits.push(commit(`INSERT INTO T VALUE {'tick': ${tick}, 'no': ${no}}`))
      }
      const aheadMs = startMs + (tick + 1) * tickMs - Date.now()
      if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs))
    }
    await Promise.all(commits)
    const commitMs = Date.now() - startMs
    const rate = Math.round((tickCount * perTick * 1000) / commitMs)
    const lastName = `BLOCK_SUMMARY ${ledger.blockCount - 1}`
    await until(() => received('fast').at(-2)?.name === lastName)
    const behindMs = Date.now() - startMs - commitMs
    const lags = received('fast')
      .filter(({ name }) => name.startsWith('BLOCK_SUMMARY'))
      .slice(2)
      .map(({ payload, arrivedMs }) => arrivedMs - payload.blockTimestamp.getTime())
      .sort((a, b) => a - b)
    const [p50, p99, highest] = [0.5, 0.99, 1].map(
      (part) => lags[Math.min(lags.length - 1, Math.floor(part * lags.length))],
    )
    console.log(
      `${rate} tx/s: lag p50 ${p50} ms, p99 ${p99} ms, highest ${highest} ms; ` +
        `all there ${behindMs} ms after the last commit`,
    )
    expect(lags).toHaveLength(tickCount * perTick)
    // Less than a second is the aim, which the line above shows on a machine of its own. Where five programs share a
    // core it is seconds; what must hold on any is that the stream keeps at least half the pace of the commits.
    expect(behindMs).toBeLessThan(commitMs)
    await streams.close()
    await host.close()
  })
})
