import { utf8 } from '@cairn/core'
import { createMemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { type JobBook, keptMsMax, openJobBook } from './job-book.ts'

interface TestJob {
  readonly step: number
  readonly note: string
  readonly endedMs: number | undefined
}

const id = 'A'.repeat(22)
const other = 'B'.repeat(22)

function start() {
  const fileSystem = createMemoryFileSystem()
  const time = { nowMs: 0 }
  const clock = { nowMs: () => time.nowMs, sleep: async () => undefined }
  const open = (): Promise<JobBook<TestJob>> =>
    openJobBook<TestJob>({ fileSystem, clock, directory: 'jobs' })
  return { fileSystem, time, open }
}

describe('a book of jobs', () => {
  it('keeps changes of a job one after the other, and over a restart', async () => {
    const { open } = start()
    const book = await open()
    await book.add(id, { step: 0, note: '', endedMs: undefined })
    await Promise.all([book.keep(id, { step: 1 }), book.keep(id, { note: 'x' })])
    const expected = { step: 1, note: 'x' }
    expect(book.get(id)).toMatchObject(expected)
    const again = await open()
    expect(again.all()).toHaveLength(1)
    expect(again.get(id)).toMatchObject(expected)
  })

  it('does not have what could not be written', async () => {
    const { open, fileSystem } = start()
    const book = await open()
    fileSystem.addFault({ operation: 'write', nth: 1, code: 'ENOSPC' })
    await expect(book.add(id, { step: 0, note: '', endedMs: undefined })).rejects.toThrow('ENOSPC')
    expect(book.all()).toEqual([])
    await book.add(id, { step: 0, note: '', endedMs: undefined })
    fileSystem.addFault({ operation: 'write', nth: 1, code: 'EIO' })
    await expect(book.keep(id, { step: 1 })).rejects.toThrow('EIO')
    expect(book.get(id).step).toBe(0)
    await book.keep(id, { step: 2 })
    expect(book.get(id).step).toBe(2)
  })

  it('forgets what ended a week ago, and leaves alone what is no job', async () => {
    const { open, fileSystem, time } = start()
    const book = await open()
    await book.add(id, { step: 0, note: '', endedMs: 5 })
    await book.add(other, { step: 0, note: '', endedMs: undefined })
    await fileSystem.writeFileAtomic(`jobs/${'C'.repeat(22)}.json`, utf8('{'))
    time.nowMs = keptMsMax + 4
    expect(book.all()).toHaveLength(2)
    time.nowMs = keptMsMax + 5
    expect(book.all()).toHaveLength(1)
    await expect.poll(() => fileSystem.exists(`jobs/${id}.json`)).toBe(false)
    expect([...(await open()).entries()].map(([each]) => each)).toEqual([other])
  })
})
