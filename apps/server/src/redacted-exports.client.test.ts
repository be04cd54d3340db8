/** Redaction by the unmodified driver, after exports by the unmodified AWS SDK into local buckets: no file keeps it. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QLDB } from '@aws-sdk/client-qldb'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { Logger } from '@cairn/core'
import { type ExportFormat, exportFormats } from '@cairn/journal-export'
import { filesWith } from '@cairn/testing'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { QldbDriver } from 'amazon-qldb-driver-nodejs'
import type { dom } from 'ion-js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningServer, startServer } from './start-server.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const region = 'us-east-1'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const Bucket = 'exports'
const RoleArn = 'arn:aws:iam::000000000000:role/exports'
const marker = 'marker-of-a-document'

let folder: string
let data: string
let server: RunningServer
let control: QLDB
let s3: S3Client
let httpsAgent: Agent
let onRedacted: () => void
const logger: Logger = {
  log: (_level, message) => {
    if (message === 'redacted data is gone from the files') onRedacted()
  },
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-redacted-exports-'))
  data = join(folder, 'data')
  // What a process left behind that was killed while it wrote an object.
  await mkdir(join(data, 'buckets', Bucket, 'old'), { recursive: true })
  const left = join(data, 'buckets', Bucket, 'old', 'x.0-3.ion.0123456789ab.tmp')
  await writeFile(left, marker)
  server = await startServer({
    dataDirectory: data,
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'off',
    logger,
  })
  httpsAgent = new Agent({ ca: await readFile(server.info.caFile, 'utf8'), keepAlive: true })
  const settings = {
    endpoint: server.info.endpoints.apiTls,
    region,
    credentials,
    requestHandler: new NodeHttpHandler({ httpsAgent }),
  }
  control = new QLDB(settings)
  s3 = new S3Client(settings)
  await s3.send(new CreateBucketCommand({ Bucket: 'others' }))
})
afterAll(async () => {
  control.destroy()
  s3.destroy()
  httpsAgent.destroy()
  await server.stop()
  await rm(folder, { recursive: true })
})

function driverOf(name: string): QldbDriver {
  const { apiTls } = server.info.endpoints
  return new QldbDriver(name, { endpoint: apiTls, region, credentials }, { httpsAgent })
}

/** A ledger with a document that holds the marker in its first revision alone. */
async function makeLedger(Name: string): Promise<void> {
  await control.createLedger({ Name, PermissionsMode: 'ALLOW_ALL', DeletionProtection: false })
  const driver = driverOf(Name)
  await driver.executeLambda((tx) => tx.execute('CREATE TABLE Item'))
  for (const document of [
    { n: 0, text: marker },
    { n: 1, price: 1.5 },
  ]) {
    await driver.executeLambda((tx) => tx.execute('INSERT INTO Item ?', document))
  }
  await driver.executeLambda((tx) => tx.execute('UPDATE Item SET text = ? WHERE n = 0', 'other'))
  driver.close()
}

async function exportOf(Name: string, Prefix: string, OutputFormat: ExportFormat, end: Date) {
  const { ExportId } = await control.exportJournalToS3({
    Name,
    InclusiveStartTime: new Date(0),
    ExclusiveEndTime: end,
    RoleArn,
    OutputFormat,
    S3ExportConfiguration: {
      Bucket,
      Prefix,
      EncryptionConfiguration: { ObjectEncryptionType: 'NO_ENCRYPTION' },
    },
  })
  const status = async () =>
    (await control.describeJournalS3Export({ Name, ExportId })).ExportDescription?.Status
  await expect.poll(status, { interval: 10 }).toBe('COMPLETED')
}

async function redactFirstRevision(Name: string): Promise<void> {
  const driver = driverOf(Name)
  const rows = async (text: string, ...parameters: unknown[]): Promise<dom.Value[]> =>
    (await driver.executeLambda((tx) => tx.execute(text, ...parameters))).getResultList()
  const [tableId] = await rows('SELECT VALUE tableId FROM information_schema.user_tables')
  const [old] = await rows('SELECT * FROM history(Item) AS h WHERE h.data.text = ?', marker)
  const done = new Promise<void>((resolve) => {
    onRedacted = resolve
  })
  const id = old?.get('metadata', 'id')?.stringValue()
  const statement = `EXEC REDACT_REVISION ?, '${tableId?.stringValue()}', '${id}'`
  await rows(statement, old?.get('blockAddress'))
  await done
  driver.close()
}

/** The data object below a prefix: name within it, and bytes. */
async function dataObject(prefix: string): Promise<{ path: string; bytes: Buffer }> {
  const directory = join(data, 'buckets', Bucket, prefix)
  const names = await readdir(directory, { recursive: true })
  const path = join(directory, names.find((name) => /\d+-\d+\.(ion|json)$/.test(name)) ?? '')
  return { path, bytes: await readFile(path) }
}

it('takes redacted data out of earlier exports in every format, and out of nothing else', async () => {
  await makeLedger('items')
  await makeLedger('neighbour')
  await new Promise((resolve) => setTimeout(resolve, 5))
  const end = new Date()
  for (const format of exportFormats) await exportOf('items', `old/${format}/`, format, end)
  await exportOf('neighbour', 'neighbour/', 'ION_TEXT', end)
  const first = await dataObject('old/ION_TEXT')
  const [name = ''] = /[^/]+$/.exec(first.path) ?? []
  const mine = [
    { Key: 'copy.ion', Body: first.bytes },
    { Key: `mine/${name}`, Body: `{note:"${marker}"}` },
    { Key: `mine/cut/${name}`, Body: first.bytes.subarray(0, -100) },
    { Key: `mine/binary/${name}`, Body: Buffer.from(`\xe0\x01\x00\xea${marker}`, 'latin1') },
    // The blocks of another ledger under the name of one of this.
    { Key: `mine/neighbour/${name}`, Body: (await dataObject('neighbour')).bytes },
  ]
  for (const { Key, Body } of mine) {
    await s3.send(new PutObjectCommand({ Bucket: 'others', Key, Body }))
  }
  for (const format of exportFormats) {
    expect((await dataObject(`old/${format}`)).bytes.includes(marker)).toBe(true)
  }

  await redactFirstRevision('items')

  const strandOf = async (ledger: string) => {
    const { DigestTipAddress } = await control.getDigest({ Name: ledger })
    return /strandId:"(\w+)"/.exec(DigestTipAddress?.IonText ?? '')?.[1] ?? ''
  }
  const neighbour = join(data, 'ledgers', await strandOf('neighbour'))
  const kept = mine.map(({ Key }) => join(data, 'buckets', 'others', Key))
  kept.push((await dataObject('neighbour')).path)
  const found = await filesWith(data, marker)
  expect(found.filter((path) => !path.startsWith(neighbour)).sort()).toEqual(kept.sort())
  for (const { Key, Body } of mine) {
    const bytes = await readFile(join(data, 'buckets', 'others', Key))
    expect(bytes.equals(Buffer.from(Body))).toBe(true)
  }
  for (const format of exportFormats) {
    await exportOf('items', `new/${format}/`, format, end)
    const old = await dataObject(`old/${format}`)
    expect(old.bytes.equals((await dataObject(`new/${format}`)).bytes)).toBe(true)
  }
})
