/** An export and a stream that are killed with their server, again and again, and miss nothing in the end. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QLDB } from '@aws-sdk/client-qldb'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { decodeIon, jsFromIon } from '@cairn/ion'
import { nodeFileSystem } from '@cairn/journal'
import { folderSource, openExport, readExportedBlocks } from '@cairn/journal-export'
import { openLedger } from '@cairn/ledger'
import { createSeededRandom, type KinesisService, startKinesisService } from '@cairn/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildProgram, type Daemon, startDaemon } from './testing/daemon.ts'

const seed = Number(process.env['CAIRN_SEED'] ?? Date.now() % 1_000_000)
const blockCountMin = 3000
/** Makes an export of about ten objects. */
const documentBytes = 25_000
const killCount = 5
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const region = 'us-east-1'
const RoleArn = 'arn:aws:iam::000000000000:role/jobs'
const StreamArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/items'
const Name = 'items'

let folder: string
let kinesis: KinesisService
let daemon: Daemon
let blockCount: number

beforeAll(async () => {
  buildProgram()
  folder = await mkdtemp(join(tmpdir(), 'cairn-jobs-'))
  kinesis = await startKinesisService()
  const targets = { kinesis: { endpoint: kinesis.url, ...credentials } }
  await writeFile(join(folder, 'targets.json'), JSON.stringify(targets))
  const open = await openLedger({ directory: join(folder, 'data'), name: Name })
  await open.transact((tx) => tx.execute('CREATE TABLE Item'))
  const text = 'x'.repeat(documentBytes)
  const insert = (n: number) => open.transact((tx) => tx.execute('INSERT INTO Item ?', { n, text }))
  while (open.ledger.blockCount < blockCountMin) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => insert(i)))
  }
  blockCount = open.ledger.blockCount
  await open.close()
})
afterAll(async () => {
  await daemon.kill()
  await kinesis.close()
  await rm(folder, { recursive: true })
})

async function start(): Promise<void> {
  daemon = await startDaemon(join(folder, 'data'), ['--targets', join(folder, 'targets.json')])
}

async function withControl<T>(work: (control: QLDB) => Promise<T>): Promise<T> {
  const control = new QLDB({ endpoint: daemon.api, region, credentials: { ...credentials } })
  try {
    return await work(control)
  } finally {
    control.destroy()
  }
}

/** Numbers of block summaries as they came. */
function summaries(): number[] {
  return kinesis.records.flatMap(({ data }) => {
    // biome-ignore lint/suspicious/noExplicitAny: records of several forms.
    const { payload } = jsFromIon(decodeIon(data)) as any
    return payload.blockAddress === undefined || payload.tableInfo !== undefined
      ? []
      : [payload.blockAddress.sequenceNo as number]
  })
}

it('misses no block of an export and a stream, however often they are killed', async () => {
  await start()
  const s3 = new S3Client({
    endpoint: daemon.api,
    region,
    credentials: { ...credentials },
    forcePathStyle: true,
  })
  await s3.send(new CreateBucketCommand({ Bucket: 'exports' }))
  s3.destroy()
  const { ExportId } = await withControl(async (control) => {
    const common = { RoleArn, InclusiveStartTime: new Date(0) }
    await control.streamJournalToKinesis({
      ...common,
      LedgerName: Name,
      StreamName: 'items',
      KinesisConfiguration: { StreamArn },
    })
    return control.exportJournalToS3({
      ...common,
      Name,
      ExclusiveEndTime: new Date(),
      OutputFormat: 'ION_BINARY',
      S3ExportConfiguration: {
        Bucket: 'exports',
        Prefix: 'items/',
        EncryptionConfiguration: { ObjectEncryptionType: 'NO_ENCRYPTION' },
      },
    })
  })
  const random = createSeededRandom(seed)
  for (let kill = 0; kill < killCount; kill++) {
    const killMs = random.bytes(1)[0] as number
    await new Promise((resolve) => setTimeout(resolve, killMs))
    await daemon.kill()
    await start()
  }
  const statusOf = () =>
    withControl(async (control) => {
      const { ExportDescription } = await control.describeJournalS3Export({ Name, ExportId })
      return ExportDescription?.Status
    })
  while ((await statusOf()) === 'IN_PROGRESS') {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect(await statusOf()).toBe('COMPLETED')
  // Looked at again at each request that comes: nothing is waited for when all have come already.
  while (summaries().at(-1) !== blockCount - 1) await kinesis.untilMore()

  const expected = Array.from({ length: blockCount }, (_, no) => no)
  const source = folderSource(nodeFileSystem, join(folder, 'data', 'buckets', 'exports'))
  const numbers: number[] = []
  for await (const { sequenceNo } of readExportedBlocks(source, await openExport(source))) {
    numbers.push(sequenceNo)
  }
  expect(numbers, `seed ${seed}`).toEqual(expected)
  expect([...new Set(summaries())], `seed ${seed}`).toEqual(expected)
})
