import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, systemRandom, toHex } from '@cairn/core'
import { createSeededRandom } from '@cairn/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JournalError } from './errors.ts'
import { type Journal, openJournal } from './journal.ts'
import { nodeFileSystem } from './node-file-system.ts'
import { recordBytesMax } from './segment-format.ts'
import {
  appendGroups,
  appendMany,
  appendNext,
  bodyOf,
  checkRecords,
  directory,
  freshDisk,
  hashOf,
  openAt,
} from './testing/journal-fixture.ts'

const segmentFiles = (names: readonly string[]) =>
  names.filter((name) => /^\d+\.journal$/.test(name)).sort()

/** Long enough for whatever the journal does in the background on a disk in memory. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
}

function checkAllReads(journal: Journal): void {
  const one: ReturnType<Journal['read']>[] = []
  for (let i = 0; i < journal.nextSequenceNo; i++) one.push(journal.read(i))
  expect(checkRecords(one)).toBe(journal.nextSequenceNo)
}

describe('a journal', () => {
  it('is empty at first', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem)
    expect(journal.nextSequenceNo).toBe(0)
    expect(journal.durableCount).toBe(0)
    expect(toHex(journal.tipHash)).toBe('00'.repeat(32))
    expect([...journal.readFrom(0)]).toEqual([])
    expect(() => journal.read(0)).toThrow('no such record')
    await journal.close()
    expect(await fileSystem.list(directory)).toEqual([])
  })

  it('numbers, chains and keeps what is appended', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem)
    const body = bodyOf(0, 10)
    const hash = hashOf(journal.tipHash, body)
    const written = journal.append(hash, body)
    expect(journal.nextSequenceNo).toBe(1)
    expect(journal.durableCount).toBe(0)
    expect(journal.tipHash).toEqual(hash)
    await written
    expect(journal.durableCount).toBe(1)
    expect(journal.read(0)).toEqual({
      sequenceNo: 0,
      hash,
      previousHash: new Uint8Array(32),
      body,
    })
    await appendGroups(journal, [1, 5, 20, 3])
    checkAllReads(journal)
    expect(checkRecords(journal.readFrom(0))).toBe(30)
    expect(checkRecords(journal.readFrom(17), 17)).toBe(13)
    expect([...journal.readFrom(30)]).toEqual([])
    await journal.close()
  })

  it('takes copies: neither the inputs nor what was read changes it', async () => {
    const journal = await openAt(await freshDisk())
    const body = bodyOf(0, 50)
    const hash = hashOf(journal.tipHash, body)
    const written = journal.append(hash, body)
    body.fill(0)
    hash.fill(0)
    journal.read(0).body.fill(0)
    expect(checkRecords([journal.read(0)])).toBe(1)
    await written
    journal.read(0).body.fill(0)
    expect(checkRecords([journal.read(0)])).toBe(1)
    await journal.close()
  })

  it('reads records that are queued and in flight', async () => {
    const journal = await openAt(await freshDisk())
    const first = appendMany(journal, 10)
    checkAllReads(journal)
    expect([...journal.readFrom(0)]).toEqual([])
    // The first group is being written from here on; the next ones queue up behind it, some in the next segment.
    await new Promise((resolve) => setImmediate(resolve))
    const second = appendMany(journal, 40)
    expect(journal.durableCount).toBe(0)
    checkAllReads(journal)
    await first
    expect(journal.durableCount).toBe(10)
    checkAllReads(journal)
    expect(checkRecords(journal.readFrom(3), 3)).toBe(7)
    await second
    checkAllReads(journal)
    await journal.close()
  })

  it('lets a reader follow the durable end', async () => {
    const journal = await openAt(await freshDisk(), { segmentBytes: 1_000_000 })
    await appendMany(journal, 3)
    const records = journal.readFrom(0)
    expect(records.next().value?.sequenceNo).toBe(0)
    await appendMany(journal, 50)
    expect(checkRecords(records, 1)).toBe(52)
    await journal.close()
  })

  it('refuses numbers it does not have', async () => {
    const journal = await openAt(await freshDisk())
    await appendMany(journal, 2)
    for (const sequenceNo of [-1, 2, 0.5, Number.NaN]) {
      expect(() => journal.read(sequenceNo)).toThrow(JournalError)
    }
    expect(() => [...journal.readFrom(3)]).toThrow(JournalError)
    await journal.close()
  })

  it('writes a burst of 1,000 appends with a handful of syncs', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem, { segmentBytes: 16 * 1024 * 1024 })
    await appendMany(journal, 1)
    const before = fileSystem.counts()
    await appendMany(journal, 1000)
    const after = fileSystem.counts()
    // The burst is one group. Two more at most are of the zeros written ahead.
    expect(after.syncDataCount - before.syncDataCount).toBeLessThanOrEqual(3)
    expect(journal.durableCount).toBe(1001)
    await journal.close()
  })

  it('closes only when everything queued is durable', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem)
    const appended = appendMany(journal, 100)
    await Promise.all([journal.close(), journal.close()])
    await appended
    expect(journal.durableCount).toBe(100)
    await expect(appendNext(journal)).rejects.toMatchObject({ code: 'CLOSED' })
    const again = await openAt(fileSystem.crash({ seed: 1 }))
    expect(checkRecords(again.readFrom(0))).toBe(100)
    await again.close()
  })

  it('reads back what was appended, over any sizes, groups, segments and reopenings', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.array(fc.nat({ max: 700 }), { minLength: 1, maxLength: 12 }) },
      { weight: 1, arbitrary: fc.constant('reopen' as const) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 15 }),
        fc.integer({ min: 1024, max: 5000 }),
        async (steps, segmentBytes) => {
          const fileSystem = await freshDisk()
          let journal = await openAt(fileSystem, { segmentBytes })
          for (const [i, sizes] of steps.entries()) {
            if (sizes === 'reopen') {
              await journal.close()
              journal = await openAt(fileSystem, { segmentBytes, seed: 100 + i })
            } else {
              await Promise.all(sizes.map((size) => appendNext(journal, size)))
            }
          }
          const { tipHash, nextSequenceNo } = journal
          await journal.close()
          const again = await openAt(fileSystem, { segmentBytes, seed: 99 })
          expect(again.nextSequenceNo).toBe(nextSequenceNo)
          expect(again.tipHash).toEqual(tipHash)
          expect(checkRecords(again.readFrom(0))).toBe(nextSequenceNo)
          checkAllReads(again)
          const from = Math.floor(nextSequenceNo / 2)
          expect(checkRecords(again.readFrom(from), from)).toBe(nextSequenceNo - from)
          await again.close()
        },
      ),
      { numRuns: 150 },
    )
  })

  it('does the same on a real disk', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'cairn-journal-'))
    const options = {
      directory: `${parent}/ledger`,
      fileSystem: nodeFileSystem,
      random: systemRandom,
      segmentBytes: 100_000,
    }
    const journal = await openJournal(options)
    await appendGroups(journal, [1, 500, 1, 1500])
    checkAllReads(journal)
    await journal.close()
    const again = await openJournal(options)
    expect(checkRecords(again.readFrom(0))).toBe(2002)
    checkAllReads(again)
    await again.close()
    await rm(parent, { recursive: true })
  })
})

describe('bounds', () => {
  it('refuses a record that does not fit into a segment and takes the largest that does', async () => {
    const journal = await openAt(await freshDisk(), { segmentBytes: 1024 })
    const bytesMax = 1024 - 64 - 96 - 96
    await expect(appendNext(journal, bytesMax + 1)).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      data: { bytes: bytesMax + 1, bytesMax },
    })
    expect(journal.nextSequenceNo).toBe(0)
    for (let i = 0; i < 3; i++) await appendNext(journal, bytesMax)
    checkAllReads(journal)
    await journal.close()
  })

  it('refuses a record above the bound whatever the segment', async () => {
    const journal = await openAt(await freshDisk(), { segmentBytes: 128 * 1024 * 1024 })
    const body = new Uint8Array(recordBytesMax + 1)
    await expect(journal.append(new Uint8Array(32), body)).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
    })
    await journal.close()
  })

  it('refuses appends above the queue bound and goes on afterwards', async () => {
    const journal = await openAt(await freshDisk(), { segmentBytes: 256 * 1024 * 1024 })
    const body = new Uint8Array(20 * 1024 * 1024)
    const hash = new Uint8Array(32)
    const accepted = [1, 2, 3].map(() => journal.append(hash, body))
    const refused = journal.append(hash, body)
    await expect(refused).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    expect(journal.nextSequenceNo).toBe(3)
    await Promise.all(accepted)
    await journal.append(hash, body)
    expect(journal.durableCount).toBe(4)
    await journal.close()
  })
})

describe('segments', () => {
  it('are sealed and cut to their size, and the next one is prepared ahead', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem, { segmentBytes: 4096 })
    for (let i = 0; i < 60; i++) await appendNext(journal)
    const names = segmentFiles(await fileSystem.list(directory))
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) {
      const size = fileSystem.contentOf(`${directory}/${name}`).length
      expect(size).toBeLessThanOrEqual(4096)
    }
    await journal.close()
  })

  it('go on in a smaller size when the setting changes', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem, { segmentBytes: 100_000 })
    await appendMany(journal, 40)
    await journal.close()
    const smaller = await openAt(fileSystem, { segmentBytes: 2048, seed: 2 })
    await appendMany(smaller, 40)
    checkAllReads(smaller)
    expect(segmentFiles(await fileSystem.list(directory)).length).toBeGreaterThan(3)
    await smaller.close()
  })

  it('cost a new ledger one file of 1 MiB', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem, { segmentBytes: 64 * 1024 * 1024 })
    await appendMany(journal, 10)
    await journal.close()
    const names = await fileSystem.list(directory)
    expect(names).toEqual(['00000000000000000000.journal'])
    expect(fileSystem.contentOf(`${directory}/${names[0]}`).length).toBeLessThan(1.1 * 1024 * 1024)
  })
})

describe('the file of positions', () => {
  const path = `${directory}/positions`

  async function closedJournal() {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem)
    await appendGroups(journal, [30, 30, 30])
    await journal.close()
    return fileSystem
  }

  it('is made again when it is gone', async () => {
    const fileSystem = await closedJournal()
    await fileSystem.remove(path)
    const journal = await openAt(fileSystem, { seed: 2 })
    checkAllReads(journal)
    await journal.close()
    expect(fileSystem.contentOf(path).length).toBeGreaterThan(8 * 60)
  })

  it.each([
    ['short', (bytes: Uint8Array) => bytes.subarray(0, 8 * 11 + 3)],
    ['empty', () => new Uint8Array(0)],
    ['full of zeros', (bytes: Uint8Array) => bytes.fill(0)],
    ['full of noise', (bytes: Uint8Array) => createSeededRandom(1).bytes(bytes.length)],
    [
      'shifted by one record',
      (bytes: Uint8Array) => {
        bytes.copyWithin(8, 0)
        return bytes
      },
    ],
  ])('is corrected when it is %s', async (_, change) => {
    const fileSystem = await closedJournal()
    const right = fileSystem.contentOf(path)
    await fileSystem.writeFileAtomic(path, change(right.slice()))
    const journal = await openAt(fileSystem, { seed: 2 })
    const tail = Math.max(0, journal.nextSequenceNo - 3)
    expect(checkRecords(journal.readFrom(tail), tail)).toBe(3)
    checkAllReads(journal)
    await journal.close()
    expect(fileSystem.contentOf(path)).toEqual(right)
  })
})

describe('a failing disk', () => {
  it.each([
    ['a failed sync', 'syncData', 'EIO'],
    ['a failed write', 'write', 'EIO'],
    ['a full disk', 'write', 'ENOSPC'],
  ] as const)('stops writing after %s, and reading goes on', async (_, operation, code) => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem)
    await appendMany(journal, 5)
    await quiet()
    fileSystem.addFault({ operation, nth: 1, code })
    const failing = appendNext(journal)
    await expect(failing).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      data: { systemCode: code },
    })
    const counts = fileSystem.counts()
    await expect(appendNext(journal)).rejects.toMatchObject({ code: 'WRITE_FAILED' })
    await expect(appendNext(journal)).rejects.toThrow(
      code === 'ENOSPC' ? 'Make room' : 'Look at the disk',
    )
    expect(fileSystem.counts()).toEqual(counts)
    expect(journal.durableCount).toBe(5)
    expect(journal.nextSequenceNo).toBe(6)
    expect(checkRecords(journal.readFrom(0))).toBe(5)
    checkAllReads(journal)
    await journal.close()
  })

  it('rejects all that waits when a group fails', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem)
    await appendMany(journal, 1)
    fileSystem.addFault({ operation: 'syncData', nth: 1, code: 'EIO' })
    const groups = [appendNext(journal)]
    await new Promise((resolve) => setImmediate(resolve))
    for (let i = 0; i < 30; i++) groups.push(appendNext(journal))
    const outcomes = await Promise.allSettled(groups)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    await journal.close()
  })

  it('stops when the zeros ahead cannot be synced', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem, { segmentBytes: 16 * 1024 * 1024 })
    fileSystem.addFault({ operation: 'syncData', nth: 1, code: 'EIO', path: /0\.journal$/ })
    await appendMany(journal, 1).catch(() => {})
    await quiet()
    await expect(appendNext(journal)).rejects.toMatchObject({ code: 'WRITE_FAILED' })
    await journal.close()
  })

  it('does not stop because there is no room for zeros ahead', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem, { segmentBytes: 16 * 1024 * 1024 })
    // By this name only the zeros' file is opened; the writer's was opened before it had its name.
    fileSystem.addFault({ operation: 'write', nth: 1, code: 'ENOSPC', path: /0\.journal$/ })
    await appendGroups(journal, [3, 3, 3])
    expect(checkRecords(journal.readFrom(0))).toBe(9)
    await journal.close()
  })

  it('makes durable at the next opening what a failed sync left in memory only', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const fileSystem = await freshDisk()
      const journal = await openAt(fileSystem)
      await appendMany(journal, 5)
      await quiet()
      fileSystem.addFault({ operation: 'syncData', nth: 1, code: 'EIO' })
      await appendMany(journal, 3).catch(() => {})
      await journal.close()
      const again = await openAt(fileSystem, { seed: 2 })
      const { durableCount } = again
      expect(durableCount).toBe(8)
      await again.close()
      const last = await openAt(fileSystem.crash({ seed }), { seed: 3 })
      expect(last.durableCount).toBe(8)
      await last.close()
    }
  })

  it('says that a record is damaged when it is not there whole', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem)
    await appendGroups(journal, [20, 20])
    const name = segmentFiles(await fileSystem.list(directory))[0]
    fileSystem.flip(`${directory}/${name}`, 64 + 40)
    expect(() => journal.read(0)).toThrow('damaged')
    expect(() => [...journal.readFrom(0)]).toThrow('damaged')
    expect(checkRecords([journal.read(1)], 1)).toBe(1)
    expect(checkRecords(journal.readFrom(2), 2)).toBe(38)
    fileSystem.flip(`${directory}/${name}`, 64 + 40)
    fileSystem.addFault({ operation: 'read', nth: 1, code: 'SHORT', path: /journal$/ })
    checkAllReads(journal)
    await journal.close()
  })

  it('logs what it cannot do in the background and goes on', async () => {
    const messages: string[] = []
    const logger: Logger = { log: (_, message) => messages.push(message) }
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem, { logger })
    await appendMany(journal, 10)
    await quiet()
    fileSystem.addFault({ operation: 'write', nth: 1, code: 'EIO', path: /positions$/ })
    fileSystem.addFault({ operation: 'open', nth: 1, code: 'EIO', path: /spare/ })
    await appendGroups(journal, [4, 4, 4, 4])
    await quiet()
    expect(messages).toEqual([
      'journal: the next segment could not be prepared',
      'journal: positions could not be stored',
    ])
    checkAllReads(journal)
    await journal.close()
  })
})
