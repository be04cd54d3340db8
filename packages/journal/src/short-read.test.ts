import type { OpenFile } from '@cairn/core'
import type { MemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { readUpToEnd } from './segment-reader.ts'
import {
  appendGroups,
  checkRecords,
  directory,
  freshDisk,
  openAt,
} from './testing/journal-fixture.ts'
import { verifyJournal } from './verify.ts'

const recordCount = 60
/** More than an opening of these segments does. */
const readCountMax = 60

async function filledDisk(): Promise<MemoryFileSystem> {
  const disk = await freshDisk()
  const journal = await openAt(disk)
  await appendGroups(journal, [5, 20, 15, 8, 12])
  await journal.close()
  return disk.kill()
}

describe('a read that gives less than the file has', () => {
  it.each([
    ['grew', 96],
    ['was cut', 32],
  ])('is no short one when the file %s meanwhile', (_, sizeAfter) => {
    let size = 64
    const file: Pick<OpenFile, 'readSync' | 'sizeSync'> = {
      readSync: () => {
        const count = Math.min(size, sizeAfter)
        size = sizeAfter
        return count
      },
      sizeSync: () => size,
    }
    const buffer = new Uint8Array(128)
    expect(readUpToEnd(file as OpenFile, buffer, 0)).toBe(Math.min(64, sizeAfter))
  })

  it.each(['SHORT', 'EIO'] as const)(
    'is no torn tail: an opening that meets %s changes no record',
    async (code) => {
      let refusedCount = 0
      for (let nth = 1; nth <= readCountMax; nth++) {
        let disk = await filledDisk()
        disk.addFault({ operation: 'read', nth, code })
        const wanted = code === 'SHORT' ? 'SHORT_READ' : 'EIO'
        try {
          const journal = await openAt(disk)
          expect(checkRecords(journal.readFrom(0))).toBe(recordCount)
        } catch (error) {
          expect(error).toMatchObject({ code: wanted })
          refusedCount++
        }
        disk = disk.kill()
        const again = await openAt(disk)
        expect(checkRecords(again.readFrom(0))).toBe(recordCount)
        await again.close()
        expect((await verifyJournal({ directory, fileSystem: disk })).findings).toEqual([])
      }
      expect(refusedCount).toBeGreaterThan(3)
    },
  )

  it('is survived once by a record, and is not called damage when it comes again', async () => {
    const disk = await filledDisk()
    const journal = await openAt(disk)
    const addFault = (nth: number) =>
      disk.addFault({ operation: 'read', nth, code: 'SHORT', path: /0\.journal$/ })
    addFault(1)
    expect(checkRecords([journal.read(3)], 3)).toBe(1)
    for (let nth = 1; nth <= 4; nth++) addFault(1)
    expect(() => journal.read(3)).toThrow(expect.objectContaining({ code: 'SHORT_READ' }))
    disk.clearFaults()
    expect(checkRecords([journal.read(3)], 3)).toBe(1)
    await journal.close()
  })
})
