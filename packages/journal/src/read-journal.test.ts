import { createVirtualClock, type MemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import type { JournalRecord } from './journal.ts'
import { readJournal } from './read-journal.ts'
import {
  appendGroups,
  appendMany,
  checkRecords,
  directory,
  freshDisk,
  openAt,
} from './testing/journal-fixture.ts'

async function read(fileSystem: MemoryFileSystem): Promise<JournalRecord[]> {
  const records: JournalRecord[] = []
  const clock = { ...createVirtualClock(), sleep: () => Promise.resolve() }
  for await (const record of readJournal({ directory, fileSystem, clock })) records.push(record)
  return records
}

/** Turns one byte of the file that holds record `sequenceNo` over, from the end of what is written. */
async function damage(fileSystem: MemoryFileSystem, name: string, offset: number): Promise<void> {
  const file = await fileSystem.open(`${directory}/${name}`, 'readWrite')
  const byte = new Uint8Array(1)
  file.readSync(byte, offset)
  await file.write(Uint8Array.of((byte[0] as number) ^ 1), offset)
  await file.close()
}

describe('reading a journal beside its writer', () => {
  it('gives every record over several segments, and goes as far as the disk', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem, { segmentBytes: 2048 })
    await appendGroups(journal, [8, 8, 8])
    const records = await read(fileSystem)
    expect(checkRecords(records)).toBe(24)
    await appendMany(journal, 5)
    expect(checkRecords(await read(fileSystem))).toBe(29)
    await journal.close()
    expect(checkRecords(await read(fileSystem))).toBe(29)
    // What was read stays what it was.
    expect(checkRecords(records)).toBe(24)
  })

  it('stops at a place that is not what was written', async () => {
    const fileSystem = await freshDisk()
    const journal = await openAt(fileSystem, { segmentBytes: 4096 })
    await appendGroups(journal, [4, 4, 4, 4, 4, 4])
    await journal.close()
    const [first = ''] = (await fileSystem.list(directory))
      .filter((it) => /^\d+\.journal$/.test(it))
      .sort()
    await damage(fileSystem, first, 300)
    await expect(read(fileSystem)).rejects.toMatchObject({ code: 'DAMAGED' })
  })
})
