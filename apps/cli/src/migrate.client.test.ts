/**
 * The move that docs/guides/migrate-from-qldb.md describes: an export in QLDB's own shape, an old digest, an import,
 * and then the unmodified driver and SDK over https on the ledger that continues.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { GetDigestCommand, QLDBClient } from '@aws-sdk/client-qldb'
import { createSystemClock, toBase64 } from '@cairn/core'
import type { IonStruct, IonValue } from '@cairn/ion'
import { writeExport } from '@cairn/journal-export'
import { openLedger } from '@cairn/ledger'
import { startServer } from '@cairn/server'
import { createLedgerReplay, parseBlock } from '@cairn/verifier'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { QldbDriver } from 'amazon-qldb-driver-nodejs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { asQldbJournal, blocksOf } from '../../../packages/ledger/src/testing/qldb-journal.ts'
import { main } from './main.ts'

let folder: string
let strandId: string
let blocks: readonly IonValue[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-migrate-'))
  const { ledger, transact, close } = await openLedger({ directory: join(folder, 'old') })
  await transact(async (tx) => {
    await tx.execute('CREATE TABLE Vehicle')
    await tx.execute('CREATE INDEX ON Vehicle (VIN)')
  })
  for (let i = 0; i < 40; i++) {
    await transact((tx) => tx.execute('INSERT INTO Vehicle ?', { VIN: `V${i}`, Year: 2000 + i }))
  }
  await transact((tx) => tx.execute('UPDATE Vehicle SET Year = 1999 WHERE VIN = ?', 'V7'))
  strandId = ledger.strandId
  blocks = asQldbJournal(blocksOf(ledger))
  await close()
  await exportTo(join(folder, 'export'))
  const address = `{strandId: "${strandId}", sequenceNo: 30}`
  const saved = { Digest: toBase64(digestOf(31)), DigestTipAddress: { IonText: address } }
  await writeFile(join(folder, 'digest.json'), JSON.stringify(saved))
})
afterAll(() => rm(folder, { recursive: true }))

function digestOf(count: number): Uint8Array {
  const replay = createLedgerReplay({ importedBlockCount: count })
  for (const block of blocks.slice(0, count)) replay.add(parseBlock(block))
  return replay.digest()
}

async function exportTo(directory: string): Promise<void> {
  await writeExport({
    request: {
      exportId: '8UyXulxccYLAsbN1aon7e4',
      ledgerName: 'vehicle-registration',
      strandId,
      createdMs: Date.UTC(2025, 6, 30),
      inclusiveStartMs: 0,
      exclusiveEndMs: 1,
      bucket: 'my-bucket',
      prefix: 'my-prefix/',
      encryption: 'NO_ENCRYPTION',
      kmsKeyArn: undefined,
      format: 'ION_TEXT',
    },
    blocksFrom: (first) =>
      blocks
        .slice(first)
        .map((value, index) => ({ sequenceNo: first + index, value: value as IonStruct })),
    endSequenceNo: blocks.length,
    progress: { keys: [], nextSequenceNo: 0 },
    async put(key, bytes) {
      await mkdir(dirname(join(directory, key)), { recursive: true })
      await writeFile(join(directory, key), bytes)
    },
  })
}

async function cairn(...words: string[]): Promise<{ code: number; output: string }> {
  const output = new PassThrough()
  const chunks: Buffer[] = []
  output.on('data', (chunk: Buffer) => chunks.push(chunk))
  const code = await main(words, {
    input: Readable.from([]),
    output,
    errorOutput: output,
    isInteractive: false,
    isErrorOutputWatched: false,
    env: {},
    clock: createSystemClock(),
    stopSignal: () => new Promise(() => undefined),
  })
  return { code, output: Buffer.concat(chunks).toString() }
}

it('goes on with driver and SDK where QLDB left off, and the old digest holds', async () => {
  const dataDirectory = join(folder, 'data')
  const digestFile = join(folder, 'digest.json')
  const imported = await cairn(
    ...['ledger', 'import', 'vehicles', join(folder, 'export')],
    ...['--expect-digest', digestFile, '--data-dir', dataDirectory],
  )
  expect(imported).toMatchObject({
    code: 0,
    output: expect.stringMatching(/sealed by QLDB: 43/),
  })

  const anyPort = { host: '127.0.0.1', port: 0 }
  const server = await startServer({
    ...{ dataDirectory, listen: anyPort, tlsListen: anyPort },
    auth: 'off',
  })
  const { api, apiTls } = server.info.endpoints
  const httpsAgent = new Agent({ keepAlive: true, ca: await readFile(server.info.caFile) })
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const options = { endpoint: apiTls, region: 'us-east-1', credentials }
  const driver = new QldbDriver('vehicles', options, { httpsAgent })
  const control = new QLDBClient({
    ...options,
    requestHandler: new NodeHttpHandler({ httpsAgent }),
  })
  try {
    const years = await driver.executeLambda(async (tx) => {
      const result = await tx.execute(
        'SELECT h.data.Year AS y FROM history(Vehicle) AS h WHERE h.data.VIN = ?',
        'V7',
      )
      return result.getResultList().map((row) => row.get('y')?.numberValue())
    })
    expect(years).toEqual([2007, 1999])
    await driver.executeLambda((tx) =>
      tx.execute('UPDATE Vehicle SET Year = 2026 WHERE VIN = ?', 'V7'),
    )
    const { DigestTipAddress } = await control.send(new GetDigestCommand({ Name: 'vehicles' }))
    expect(DigestTipAddress?.IonText).toContain(strandId)
    expect(DigestTipAddress?.IonText).toMatch(new RegExp(`sequenceNo: ?${blocks.length}\\b`))
    const endpoint = ['--endpoint', api]
    const whole = await cairn('verify', 'ledger', 'vehicles', '--digest', digestFile, ...endpoint)
    expect(whole).toMatchObject({ code: 0, output: expect.stringMatching(/43 of them QLDB's own/) })
    const block = await cairn(
      'verify',
      'block',
      'vehicles',
      '9',
      '--digest',
      digestFile,
      ...endpoint,
    )
    expect(block).toMatchObject({ code: 0, output: expect.stringMatching(/qldb-folded/) })
    const newest = String(blocks.length)
    const native = await cairn('verify', 'block', 'vehicles', newest, ...endpoint)
    expect(native).toMatchObject({ code: 0, output: expect.stringMatching(/qldb-strict/) })
  } finally {
    driver.close()
    control.destroy()
    httpsAgent.destroy()
    await server.stop()
  }
})
