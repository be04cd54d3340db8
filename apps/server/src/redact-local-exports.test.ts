import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BucketStore } from '@cairn/aws-local'
import { createIdSource, createSystemClock, silentLogger, systemRandom } from '@cairn/core'
import { decodeIon, encodeIon, ionFromJs, jsFromIon } from '@cairn/ion'
import { nodeFileSystem } from '@cairn/journal'
import { openLedgerHost } from '@cairn/ledger'
import { openExportJobs } from '@cairn/qldb-server'
import { filesWith } from '@cairn/testing'
import { expect, it, onTestFinished } from 'vitest'
import { redactLocalExports } from './redact-local-exports.ts'

const marker = 'marker-of-a-document'

it('takes redacted data out of an object too that is being written when they are redacted', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-redacting-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  let letWrite = (): void => undefined
  const mayWrite = new Promise<void>((resolve) => {
    letWrite = resolve
  })
  let tellFilled = (): void => undefined
  const isFilled = new Promise<void>((resolve) => {
    tellFilled = resolve
  })
  const written: boolean[] = []
  const buckets = new BucketStore({
    directory: `${directory}/buckets`,
    fileSystem: {
      ...nodeFileSystem,
      async writeFileAtomic(path, bytes) {
        if (/\d+-\d+\.ion$/.test(path)) {
          written.push(Buffer.from(bytes).includes(marker))
          tellFilled()
          await mayWrite
        }
        await nodeFileSystem.writeFileAtomic(path, bytes)
      },
    },
  })
  await buckets.createBucket('exports')
  const host = await openLedgerHost({
    directory,
    eraseCopies: redactLocalExports({
      buckets,
      untilWritten: (strandId) => {
        const untilWritten = jobs.untilWritten(strandId)
        // Only now: whoever looked through the bucket before would miss the object.
        letWrite()
        return untilWritten
      },
      logger: silentLogger,
    }),
  })
  onTestFinished(() => host.close())
  await host.createLedger({ name: 'items' })
  const ledger = host.getLedger('items')
  const run = async (text: string, ...parameters: unknown[]) => {
    const transaction = ledger.startTransaction()
    const ions = parameters.map((parameter) => encodeIon(ionFromJs(parameter)))
    const page = await (await transaction.execute(text, ions)).nextPage(10, 1_000_000)
    await transaction.commit()
    // biome-ignore lint/suspicious/noExplicitAny: rows of several forms.
    return page.values.map((value): any => jsFromIon(decodeIon(value)))
  }
  await run('CREATE TABLE Item')
  await run('INSERT INTO Item ?', { text: marker })
  await run('UPDATE Item SET text = ?', 'other')
  const [tableId] = await run('SELECT VALUE tableId FROM information_schema.user_tables')
  const [old] = await run('SELECT * FROM history(Item) AS h WHERE h.metadata.version = 0')

  const clock = createSystemClock()
  const jobs = await openExportJobs({
    host,
    store: buckets,
    clock,
    ids: createIdSource(clock, systemRandom),
    fileSystem: nodeFileSystem,
    directory: `${directory}/exports`,
  })
  onTestFinished(() => jobs.close())
  await clock.sleep(2)
  await jobs.create({
    ledgerName: 'items',
    inclusiveStartMs: 0,
    exclusiveEndMs: clock.nowMs(),
    bucket: 'exports',
    prefix: '',
    encryption: 'NO_ENCRYPTION',
    kmsKeyArn: undefined,
    format: undefined,
    roleArn: 'arn:aws:iam::000000000000:role/r',
  })
  await isFilled
  await run(`EXEC REDACT_REVISION ?, '${tableId}', '${old.metadata.id}'`, old.blockAddress)
  await ledger.untilRedacted()
  // As it was filled before the redaction, and again after it.
  expect(written).toEqual([true, false])
  expect(await filesWith(directory, marker)).toEqual([])
})
