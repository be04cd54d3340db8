/** Journal exports by the unmodified AWS SDK: into local buckets, and to an S3 service elsewhere: another Cairn. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ExportJournalToS3CommandInput,
  type JournalS3ExportDescription,
  QLDB,
} from '@aws-sdk/client-qldb'
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { nodeFileSystem } from '@cairn/journal'
import {
  type ExportFormat,
  folderSource,
  openExport,
  readExportedBlocks,
} from '@cairn/journal-export'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { QldbDriver } from 'amazon-qldb-driver-nodejs'
import { dumpText, load, loadAll } from 'ion-js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RunningServer, type StartServerOptions, startServer } from './start-server.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const region = 'us-east-1'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const Bucket = 'exports'
const RoleArn = 'arn:aws:iam::000000000000:role/QLDBTutorialJournalExportRole'
let folder: string
let server: RunningServer
let control: QLDB
let s3: S3Client
let ledgerNo = 0
let Name = ''

async function start(name: string, changes: Partial<StartServerOptions> = {}) {
  return startServer({
    dataDirectory: join(folder, name),
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'off',
    ...changes,
  })
}

async function clientsOf({ info }: RunningServer) {
  const ca = await readFile(info.caFile, 'utf8')
  const httpsAgent = new Agent({ ca, keepAlive: true })
  const settings = {
    endpoint: info.endpoints.apiTls,
    region,
    credentials,
    requestHandler: new NodeHttpHandler({ httpsAgent }),
  }
  return { ca, httpsAgent, control: new QLDB(settings), s3: new S3Client(settings) }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-export-'))
  server = await start('data')
  const clients = await clientsOf(server)
  control = clients.control
  s3 = clients.s3
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(async () => {
  control.destroy()
  s3.destroy()
  await server.stop()
  await rm(folder, { recursive: true })
})
afterEach(() => control.deleteLedger({ Name }))
beforeEach(async () => {
  Name = `export-${++ledgerNo}`
  await makeLedger()
})

/** A ledger with 12 blocks. */
async function makeLedger(on = server): Promise<void> {
  const clients = await clientsOf(on)
  await clients.control.createLedger({
    Name,
    PermissionsMode: 'ALLOW_ALL',
    DeletionProtection: false,
  })
  const { httpsAgent } = clients
  const driver = new QldbDriver(
    Name,
    { endpoint: on.info.endpoints.apiTls, region, credentials },
    { httpsAgent },
  )
  await driver.executeLambda((tx) => tx.execute('CREATE TABLE Vehicle'))
  for (let no = 0; no < 10; no++) {
    await driver.executeLambda((tx) => tx.execute('INSERT INTO Vehicle ?', { no, at: new Date() }))
  }
  driver.close()
  httpsAgent.destroy()
  clients.control.destroy()
  clients.s3.destroy()
}

function input(
  changes: Partial<ExportJournalToS3CommandInput> = {},
): ExportJournalToS3CommandInput {
  return {
    Name,
    InclusiveStartTime: new Date(Date.now() - 3_600_000),
    ExclusiveEndTime: new Date(),
    RoleArn,
    S3ExportConfiguration: {
      Bucket,
      Prefix: `${Name}/`,
      EncryptionConfiguration: { ObjectEncryptionType: 'NO_ENCRYPTION' },
    },
    ...changes,
  }
}

async function completed(exportId: string | undefined, by = control) {
  const look = async () =>
    (await by.describeJournalS3Export({ Name, ExportId: exportId })).ExportDescription
  const status = async () => (await look())?.Status
  await expect.poll(status, { interval: 10 }).not.toBe('IN_PROGRESS')
  return look()
}

async function exportAll(format?: ExportFormat): Promise<JournalS3ExportDescription | undefined> {
  // The blocks are older than the end of the export.
  await new Promise((resolve) => setTimeout(resolve, 5))
  const named = format === undefined ? {} : { OutputFormat: format }
  const { ExportId } = await control.exportJournalToS3(input(named))
  return completed(ExportId)
}

async function readBlocks(directory: string) {
  const source = folderSource(nodeFileSystem, directory)
  const contents = await openExport(source)
  const blocks = []
  for await (const block of readExportedBlocks(source, contents)) blocks.push(block)
  return { contents, blocks }
}

describe('journal exports', () => {
  it.each([undefined, 'ION_TEXT', 'ION_BINARY'] as const)(
    'write each block as GetBlock gives it (%s)',
    async (format) => {
      const description = await exportAll(format)
      expect(description).toMatchObject({
        LedgerName: Name,
        Status: 'COMPLETED',
        RoleArn,
        ...(format === undefined ? {} : { OutputFormat: format }),
        S3ExportConfiguration: input().S3ExportConfiguration,
      })
      const directory = join(folder, 'data', 'buckets', Bucket, Name)
      const { contents, blocks } = await readBlocks(directory)
      expect(blocks.map(({ sequenceNo }) => sequenceNo)).toEqual([...new Array(12).keys()])
      expect(contents).toMatchObject({ ledgerName: Name })

      // What AWS's own readers do: manifest, keys, values by ion-js.
      const prefix = description?.S3ExportConfiguration?.Prefix
      const { strandId } = contents
      const manifestKey = `${prefix}${description?.ExportId}.${strandId}.completed.manifest`
      const get = async (Key: string) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
        return (await Body?.transformToByteArray()) ?? new Uint8Array(0)
      }
      const keys =
        load(await get(manifestKey))
          ?.get('keys')
          ?.elements() ?? []
      for (const key of keys) {
        const text = key.stringValue() ?? ''
        const values = loadAll(await get(text))
        expect(text.split('.')[1]).toBe(`0-${values.length - 1}`)
        for (const value of values) {
          const { Block } = await control.getBlock({
            Name,
            BlockAddress: { IonText: dumpText(value.get('blockAddress')) },
          })
          expect(load(Block?.IonText ?? '')?.ionEquals(value)).toBe(true)
        }
      }
      expect(keys).toHaveLength(1)
    },
  )

  it('write JSON Lines', async () => {
    expect(await exportAll('JSON')).toMatchObject({ Status: 'COMPLETED', OutputFormat: 'JSON' })
    const { contents } = await readBlocks(join(folder, 'data', 'buckets', Bucket, Name))
    const key = contents.objects[0]?.key ?? ''
    const text = await readFile(join(folder, 'data', 'buckets', Bucket, key))
    const lines = text.toString().trimEnd().split('\n')
    const blocks = lines.map((line) => JSON.parse(line))
    expect(blocks.map(({ blockAddress }) => blockAddress.sequenceNo)).toHaveLength(12)
    expect(blocks[5].revisions[0].data.no).toBe(3)
  })

  it('take the blocks of a range of time', async () => {
    const block = async (sequenceNo: number) => {
      const { DigestTipAddress } = await control.getDigest({ Name })
      const strand = /strandId:"(\w+)"/.exec(DigestTipAddress?.IonText ?? '')?.[1]
      const IonText = `{strandId:"${strand}",sequenceNo:${sequenceNo}}`
      const { Block } = await control.getBlock({ Name, BlockAddress: { IonText } })
      return load(Block?.IonText ?? '')
        ?.get('blockTimestamp')
        ?.dateValue() as Date
    }
    const range = { InclusiveStartTime: await block(4), ExclusiveEndTime: await block(9) }
    const { ExportId } = await control.exportJournalToS3(input(range))
    await completed(ExportId)
    const { blocks } = await readBlocks(join(folder, 'data', 'buckets', Bucket, Name))
    const times = await Promise.all([3, 4, 5, 6, 7, 8, 9].map(block))
    const expected = times.flatMap((time, i) =>
      time >= range.InclusiveStartTime && time < range.ExclusiveEndTime ? [i + 3] : [],
    )
    expect(blocks.map(({ sequenceNo }) => sequenceNo)).toEqual(expected)
  })

  it('are listed page by page, not those of an earlier ledger of the name', async () => {
    const first = await exportAll()
    const second = await exportAll()
    const page = await control.listJournalS3ExportsForLedger({ Name, MaxResults: 1 })
    expect(page.JournalS3Exports?.map(({ ExportId }) => ExportId)).toEqual([first?.ExportId])
    const next = await control.listJournalS3ExportsForLedger({ Name, NextToken: page.NextToken })
    expect(next.JournalS3Exports?.map(({ ExportId }) => ExportId)).toEqual([second?.ExportId])
    expect(next.NextToken).toBeUndefined()
    const all = await control.listJournalS3Exports({})
    expect(all.JournalS3Exports?.map(({ ExportId }) => ExportId)).toContain(second?.ExportId)

    await control.deleteLedger({ Name })
    await expect(control.listJournalS3ExportsForLedger({ Name })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await makeLedger()
    const { JournalS3Exports } = await control.listJournalS3ExportsForLedger({ Name })
    expect(JournalS3Exports).toEqual([])
    await expect(
      control.describeJournalS3Export({ Name, ExportId: first?.ExportId }),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  it('refuse what QLDB refused', async () => {
    const now = Date.now()
    const bad: [Partial<ExportJournalToS3CommandInput>, string][] = [
      [{ ExclusiveEndTime: new Date(now + 60_000) }, 'ExclusiveEndTime'],
      [
        { InclusiveStartTime: new Date(now), ExclusiveEndTime: new Date(now) },
        'InclusiveStartTime',
      ],
      [{ ExclusiveEndTime: new Date(now - 3_000_000) }, 'InclusiveStartTime'],
      [{ RoleArn: 'role' }, 'RoleArn'],
      [{ OutputFormat: 'XML' as never }, 'OutputFormat'],
      [
        {
          S3ExportConfiguration: {
            ...(input().S3ExportConfiguration as object),
            Bucket: 'not-there',
          } as never,
        },
        'S3ExportConfiguration',
      ],
    ]
    for (const [changes, ParameterName] of bad) {
      await expect(control.exportJournalToS3(input(changes))).rejects.toMatchObject({
        name: 'InvalidParameterException',
        ParameterName,
      })
    }
    await expect(control.exportJournalToS3(input({ Name: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })
})

describe('exports to an S3 service elsewhere', () => {
  it('go there, over https, and are limited and gone on with when it was away', async () => {
    let remote = await start('remote')
    const remoteClients = await clientsOf(remote)
    await remoteClients.s3.send(new CreateBucketCommand({ Bucket }))
    const tlsListen = { ...anyPort, port: Number(new URL(remote.info.endpoints.apiTls).port) }
    const targetsFile = join(folder, 'targets.json')
    const s3Target = {
      endpoint: remote.info.endpoints.apiTls,
      accessKeyId: 'test',
      secretAccessKey: 'test',
      caFile: remote.info.caFile,
    }
    await writeFile(targetsFile, JSON.stringify({ s3: s3Target }))
    let near = await start('near', { targetsFile })
    await makeLedger(near)
    let clients = await clientsOf(near)
    const { ExportId } = await clients.control.exportJournalToS3(input())
    await completed(ExportId, clients.control)
    const directory = join(folder, 'remote', 'buckets', Bucket, Name)
    expect((await readBlocks(directory)).blocks).toHaveLength(12)

    // Two may be under way; the store is gone before they end.
    await rm(join(folder, 'remote', 'buckets', Bucket, Name), { recursive: true })
    const started = []
    for (const OutputFormat of ['ION_BINARY', 'JSON'] as const) {
      started.push(await clients.control.exportJournalToS3(input({ OutputFormat })))
    }
    await Promise.all([near.stop(), remote.stop()])
    remote = await start('remote', { tlsListen })
    near = await start('near', { targetsFile })
    clients = await clientsOf(near)
    for (const each of started) {
      expect(await completed(each.ExportId, clients.control)).toMatchObject({ Status: 'COMPLETED' })
    }
    const names = await readdir(directory)
    expect(names.filter((name) => name.endsWith('.completed.manifest'))).toHaveLength(2)
    clients.control.destroy()
    remoteClients.s3.destroy()
    await near.stop()
    await remote.stop()
  })
})
