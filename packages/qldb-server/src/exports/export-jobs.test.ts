import { createIdSource, systemRandom } from '@cairn/core'
import { ExportError } from '@cairn/journal-export'
import { createMemoryProjections, type LedgerHost, openLedgerHost } from '@cairn/ledger'
import { createMemoryFileSystem, createVirtualClock, type VirtualClock } from '@cairn/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ExportJobs, type NewExport, openExportJobs } from './export-jobs.ts'

const dayMs = 24 * 60 * 60_000
const fileSystem = () => createMemoryFileSystem()

let files: ReturnType<typeof fileSystem>
let clock: VirtualClock
let host: LedgerHost
let jobs: ExportJobs
/** What the store does with an object; objects it took. */
let onPut: (key: string) => Promise<void>
let keys: string[]

function open(): Promise<ExportJobs> {
  return openExportJobs({
    host,
    clock,
    ids: createIdSource(clock, systemRandom),
    fileSystem: files,
    directory: '/data/exports',
    objectBytesMax: 1000,
    store: {
      hasBucket: async (bucket) => bucket === 'bucket',
      async put(_bucket, key) {
        await onPut(key)
        keys.push(key)
      },
    },
  })
}

beforeEach(async () => {
  files = fileSystem()
  clock = createVirtualClock()
  keys = []
  onPut = async () => undefined
  host = await openLedgerHost({
    directory: '/data',
    fileSystem: files,
    clock,
    projections: createMemoryProjections(),
    isLocked: false,
  })
  await host.createLedger({ name: 'L', isDeletionProtected: false })
  await write(5)
  jobs = await open()
})
afterEach(async () => {
  await jobs.close()
  await host.close()
})

async function write(count: number): Promise<void> {
  const first = host.getLedger('L').startTransaction()
  await first.execute('CREATE TABLE T', [])
  await first.commit()
  for (let i = 1; i < count; i++) {
    const transaction = host.getLedger('L').startTransaction()
    await transaction.execute("INSERT INTO T VALUE {'a': 'some text that fills a block'}", [])
    await transaction.commit()
  }
  await clock.advance(1000)
}

function wanted(changes: Partial<NewExport> = {}): NewExport {
  return {
    ledgerName: 'L',
    inclusiveStartMs: 0,
    exclusiveEndMs: clock.nowMs(),
    bucket: 'bucket',
    prefix: 'p/',
    encryption: 'NO_ENCRYPTION',
    kmsKeyArn: undefined,
    format: undefined,
    roleArn: 'arn:aws:iam::0:role/r',
    ...changes,
  }
}

async function ended(exportId: string) {
  for (let turn = 0; turn < 2000; turn++) {
    const job = jobs.find('L', exportId)
    if (job?.status !== 'IN_PROGRESS') return job
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('the export does not end')
}

const isData = (key: string) => key.endsWith('.ion')

describe('export jobs', () => {
  it('tell when an object that may hold what was redacted meanwhile is written', async () => {
    let go = (): void => undefined
    const isPut = new Promise<void>((isCalled) => {
      onPut = (key) => {
        if (!isData(key)) return Promise.resolve()
        isCalled()
        return new Promise((resolve) => {
          go = resolve
        })
      }
    })
    const { request } = await jobs.create(wanted())
    await isPut
    let isWritten = false
    const written = jobs.untilWritten(request.strandId).then(() => {
      isWritten = true
    })
    await jobs.untilWritten('another strand')
    await new Promise((resolve) => setImmediate(resolve))
    expect(isWritten).toBe(false)
    onPut = async () => undefined
    go()
    await written
    expect(keys.filter(isData).length).toBeGreaterThan(0)
    await ended(request.exportId)
    await jobs.untilWritten(request.strandId)
  })

  it('write every block once, and keep their end for a week', async () => {
    const { request } = await jobs.create(wanted())
    expect(await ended(request.exportId)).toMatchObject({ status: 'COMPLETED' })
    const ranges = keys.filter(isData).map((key) => /(\d+)-(\d+)\.ion$/.exec(key)?.slice(1))
    expect(ranges[0]?.[0]).toBe('0')
    expect(ranges.at(-1)?.[1]).toBe('5')
    await clock.advance(7 * dayMs - 1)
    expect(jobs.list('L')).toHaveLength(1)
    await clock.advance(1)
    expect(jobs.list('L')).toEqual([])
    await new Promise((resolve) => setImmediate(resolve))
    expect(await files.list('/data/exports')).toEqual([])
  })

  it('are at most two at a time', async () => {
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    onPut = () => gate
    const first = await jobs.create(wanted())
    const second = await jobs.create(wanted())
    await expect(jobs.create(wanted())).rejects.toMatchObject({ code: 'JOB_LIMIT_EXCEEDED' })
    open()
    await ended(first.request.exportId)
    await ended(second.request.exportId)
    await jobs.create(wanted())
  })

  it('go on after a restart where they were', async () => {
    let count = 0
    onPut = async () => {
      // The manifest and the first object; then the store is away.
      if (++count > 2) throw new Error('away')
    }
    const { request } = await jobs.create(wanted())
    while (count < 3) await new Promise((resolve) => setImmediate(resolve))
    await jobs.close()
    const [firstKey] = keys.filter(isData)
    onPut = async () => undefined
    jobs = await open()
    expect(await ended(request.exportId)).toMatchObject({ status: 'COMPLETED' })
    expect(keys.filter((key) => key === firstKey)).toHaveLength(1)
    expect(new Set(keys.filter(isData)).size).toBe(keys.filter(isData).length)
  })

  it('try a store again that is away, and give up one that refuses', async () => {
    let isAway = true
    onPut = async () => {
      if (isAway) throw new Error('away')
    }
    const { request } = await jobs.create(wanted())
    for (let second = 0; second < 100; second++) await clock.advance(1000)
    expect(jobs.find('L', request.exportId)?.status).toBe('IN_PROGRESS')
    isAway = false
    await clock.advance(60_000)
    expect(await ended(request.exportId)).toMatchObject({ status: 'COMPLETED' })

    onPut = async (key) => {
      throw new ExportError(
        { code: 'STORE_REFUSED', bucket: 'bucket', key },
        { shortMessage: 'no' },
      )
    }
    const refused = await jobs.create(wanted())
    expect(await ended(refused.request.exportId)).toMatchObject({ status: 'CANCELLED' })
  })

  it('end with their ledger', async () => {
    onPut = async () => {
      throw new Error('away')
    }
    const { request } = await jobs.create(wanted())
    await host.deleteLedger('L')
    await clock.advance(60_000)
    await host.createLedger({ name: 'L' })
    expect(jobs.find('L', request.exportId)).toBeUndefined()
    expect(jobs.list()).toEqual([])
  })
})
