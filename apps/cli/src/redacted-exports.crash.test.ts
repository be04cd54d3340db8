/** A server that is killed while it takes redacted data out of exports: after the next start no file has it. */
import { existsSync, watch } from 'node:fs'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QLDB } from '@aws-sdk/client-qldb'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { exportFormats } from '@cairn/journal-export'
import { openLedger } from '@cairn/ledger'
import { createSeededRandom, filesWith } from '@cairn/testing'
import { QldbDriver } from 'amazon-qldb-driver-nodejs'
import type { dom } from 'ion-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildProgram, type Daemon, startDaemon } from './testing/daemon.ts'
import { runProgram } from './testing/run-program.ts'

const seed = Number(process.env['CAIRN_SEED'] ?? Date.now() % 1_000_000)
const marker = 'marker-of-a-document'
const Name = 'items'
const Bucket = 'exports'
const region = 'us-east-1'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
/** Of each format. */
const exportCount = 3
const objectCount = exportCount * exportFormats.length
/** Makes objects of about a megabyte, so that a kill can come between two of them and within one. */
const blockCountMin = 400
const documentBytes = 2500
/** Kills at the first change until one was not too late: beside other work the one who kills may be slow. */
const earlyKillCountMax = 10
/** Five minutes, for a slow and busy machine. */
const lookCountMax = 15_000

let folder: string
let data: string
let prepared: string
let digestFile: string
let daemon: Daemon | undefined

beforeAll(async () => {
  buildProgram()
  folder = await mkdtemp(join(tmpdir(), 'cairn-redacted-'))
  data = join(folder, 'data')
  prepared = join(folder, 'prepared')
  digestFile = join(folder, 'digest.json')
  const open = await openLedger({ directory: data, name: Name })
  await open.transact((tx) => tx.execute('CREATE TABLE Item'))
  await open.transact((tx) => tx.execute('INSERT INTO Item ?', { n: -1, text: marker }))
  await open.transact((tx) => tx.execute('UPDATE Item SET text = ? WHERE n = -1', 'other'))
  const text = 'x'.repeat(documentBytes)
  while (open.ledger.blockCount < blockCountMin) {
    const insert = (n: number) =>
      open.transact((tx) => tx.execute('INSERT INTO Item ?', { n, text }))
    await Promise.all(Array.from({ length: 50 }, (_, n) => insert(n)))
  }
  await open.close()
  daemon = await startDaemon(data)
  await exportAll(daemon)
  await daemon.stop()
  await cp(data, prepared, { recursive: true })
})
afterAll(async () => {
  await daemon?.kill().catch(() => undefined)
  await rm(folder, { recursive: true })
})

/** Keeps a digest too. */
async function exportAll({ api: endpoint }: Daemon): Promise<void> {
  const settings = { endpoint, region, credentials: { ...credentials } }
  const s3 = new S3Client({ ...settings, forcePathStyle: true })
  const control = new QLDB(settings)
  await s3.send(new CreateBucketCommand({ Bucket }))
  await writeFile(digestFile, JSON.stringify(await digestOf(control)))
  for (const OutputFormat of exportFormats) {
    for (let no = 0; no < exportCount; no++) {
      const { ExportId } = await control.exportJournalToS3({
        Name,
        InclusiveStartTime: new Date(0),
        ExclusiveEndTime: new Date(),
        RoleArn: 'arn:aws:iam::000000000000:role/exports',
        OutputFormat,
        S3ExportConfiguration: {
          Bucket,
          Prefix: `${OutputFormat}-${no}/`,
          EncryptionConfiguration: { ObjectEncryptionType: 'NO_ENCRYPTION' },
        },
      })
      const status = async () =>
        (await control.describeJournalS3Export({ Name, ExportId })).ExportDescription?.Status
      while ((await status()) === 'IN_PROGRESS') {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
  s3.destroy()
  control.destroy()
}

async function digestOf(control: QLDB) {
  const { Digest, DigestTipAddress } = await control.getDigest({ Name })
  return { Digest: Buffer.from(Digest ?? []).toString('base64'), DigestTipAddress }
}

/** Answers when the redaction is committed. */
async function redact({ api: endpoint }: Daemon): Promise<void> {
  const driver = new QldbDriver(Name, { endpoint, region, credentials })
  const rows = async (text: string, ...parameters: unknown[]): Promise<dom.Value[]> =>
    (await driver.executeLambda((tx) => tx.execute(text, ...parameters))).getResultList()
  const [tableId] = await rows('SELECT VALUE tableId FROM information_schema.user_tables')
  const [old] = await rows('SELECT * FROM history(Item) AS h WHERE h.data.text = ?', marker)
  const id = old?.get('metadata', 'id')?.stringValue()
  const statement = `EXEC REDACT_REVISION ?, '${tableId?.stringValue()}', '${id}'`
  await rows(statement, old?.get('blockAddress'))
  driver.close()
}

const bucketPath = () => join(data, 'buckets', Bucket)

/** Folders of data objects, one for each export. */
async function objectFolders(): Promise<string[]> {
  const names = await readdir(bucketPath(), { recursive: true })
  const objects = names.filter((name) => /\d+-\d+\.(ion|json)$/.test(name))
  expect(objects).toHaveLength(objectCount)
  return objects.map((name) => join(bucketPath(), name, '..'))
}

/** Resolves at the change so many names further on, counted from 1: an object makes about four. */
async function changeNo(count: number): Promise<{ readonly come: Promise<void> }> {
  let left = count
  const folders = await objectFolders()
  const come = new Promise<void>((resolve) => {
    const watchers = folders.map((path) =>
      watch(path, () => {
        left--
        if (left > 0) return
        for (const watcher of watchers) watcher.close()
        resolve()
      }),
    )
  })
  return { come }
}

/** The server that was started again goes on by itself. */
async function untilGone({ errorOutput }: Daemon): Promise<void> {
  for (let look = 0; look < lookCountMax; look++) {
    // A folder may go while it is listed: the projection's, when its copy takes its place.
    const found = await filesWith(data, marker).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    if (found?.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`the data does not go:\n${errorOutput()}`)
}

describe('a server that is killed while it redacts exports', () => {
  it(`leaves nothing in any file after the next start, seed ${seed}`, async () => {
    const random = createSeededRandom(seed)
    let interruptedCount = 0
    const parts: (readonly [first: number, step: number])[] = [
      [4, 12],
      [12, 12],
      [1, 3],
    ]
    for (const [round, [first, step]] of parts.entries()) {
      const killedAt = first + ((random.bytes(1)[0] as number) % step)
      await rm(data, { recursive: true })
      await cp(prepared, data, { recursive: true })
      daemon = await startDaemon(data)
      const change = await changeNo(killedAt)
      await redact(daemon)
      await change.come
      await daemon.kill()
      const left = await filesWith(bucketPath(), marker)
      if (left.length > 0) interruptedCount++
      const isLast = round === parts.length - 1
      if (isLast && interruptedCount === 0 && round < earlyKillCountMax) parts.push([1, 1])
      daemon = await startDaemon(data)
      await untilGone(daemon)
      // Whole again before it is looked at: the projection is copied last.
      await daemon.stop()
      const where = `seed ${seed}, killed at change ${killedAt}`
      expect(await filesWith(data, marker), where).toEqual([])
      expect((await readdir(bucketPath(), { recursive: true })).join(), where).not.toContain('.tmp')
    }
    expect(interruptedCount).toBeGreaterThan(0)
    for (const format of exportFormats) await expectImportable(format)
  })
})

/** With a digest from before the redaction. */
async function expectImportable(format: string): Promise<void> {
  const source = join(bucketPath(), `${format}-0`)
  const target = join(folder, `imported-${format}`)
  const words = ['ledger', 'import', 'again', source, '--data-dir', target]
  const run = await runProgram([...words, '--expect-digest', digestFile, '--json'])
  expect(run, run.errorOutput).toMatchObject({ code: 0 })
  expect(JSON.parse(run.output)).toMatchObject({ redactedRevisionCount: 1 })
  expect(existsSync(join(target, 'ledgers'))).toBe(true)
  expect(await filesWith(target, marker)).toEqual([])
}
