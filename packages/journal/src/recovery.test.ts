import type { Logger } from '@cairn/core'
import { createSeededRandom, type MemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { JournalError } from './errors.ts'
import { encodeHeader, frameBytesFor, headerBytesSize, segmentName } from './segment-format.ts'
import {
  appendGroups,
  appendMany,
  appendNext,
  checkRecords,
  directory,
  freshDisk,
  openAt,
  sizeOf,
} from './testing/journal-fixture.ts'

const firstSegment = `${directory}/${segmentName(0)}`

/** Where each record of the first segment starts, and the end, when bodies have their usual sizes. */
function offsetsOf(count: number): number[] {
  const offsets = [headerBytesSize]
  for (let i = 0; i < count; i++) {
    offsets.push((offsets.at(-1) as number) + frameBytesFor(sizeOf(i)))
  }
  return offsets
}

async function closedJournal(groups: readonly number[], segmentBytes = 8192) {
  const fileSystem = await freshDisk()
  const journal = await openAt(fileSystem, { segmentBytes })
  await appendGroups(journal, groups)
  await journal.close()
  return fileSystem
}

async function put(fileSystem: MemoryFileSystem, path: string, bytes: Uint8Array): Promise<void> {
  await fileSystem.writeFileAtomic(path, bytes)
}

async function refusal(fileSystem: MemoryFileSystem): Promise<JournalError> {
  const names = (await fileSystem.list(directory)).sort()
  const before = names.map((name) => fileSystem.contentOf(`${directory}/${name}`))
  const error = await openAt(fileSystem, { seed: 9 }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(JournalError)
  expect((await fileSystem.list(directory)).sort()).toEqual(names)
  expect(names.map((name) => fileSystem.contentOf(`${directory}/${name}`))).toEqual(before)
  return error as JournalError
}

describe('a torn tail', () => {
  it('is cut at every length of it, saved beside the segment, and the journal goes on', async () => {
    const whole = (await closedJournal([3, 4])).contentOf(firstSegment)
    const offsets = offsetsOf(7)
    const end = offsets[7] as number
    const groupStart = offsets[3] as number
    for (let length = groupStart; length <= end; length++) {
      const fileSystem = await freshDisk()
      await fileSystem.makeDirectory(directory)
      await put(fileSystem, firstSegment, whole.slice(0, length))
      const journal = await openAt(fileSystem, { seed: 2 })
      const kept = offsets.filter((offset) => offset <= length).length - 1
      expect(journal.durableCount).toBe(kept)
      const cut = offsets[kept] as number
      const torn = `${firstSegment}.torn-${cut}`
      const tail = whole.slice(cut, length)
      const tailEnd = tail.findLastIndex((byte) => byte !== 0) + 1
      expect(await fileSystem.exists(torn)).toBe(tailEnd > 0)
      if (tailEnd > 0) expect(fileSystem.contentOf(torn)).toEqual(tail.slice(0, tailEnd))
      await appendMany(journal, 2)
      await journal.close()
      const again = await openAt(fileSystem, { seed: 3 })
      expect(checkRecords(again.readFrom(0))).toBe(kept + 2)
      await again.close()
    }
  })

  it('may have intact frames of its own group behind the break', async () => {
    const messages: [string, Readonly<Record<string, unknown>> | undefined][] = []
    const logger: Logger = { log: (_, message, fields) => messages.push([message, fields]) }
    const fileSystem = await closedJournal([3, 4])
    const offsets = offsetsOf(7)
    fileSystem.flip(firstSegment, (offsets[4] as number) + 50)
    const journal = await openAt(fileSystem, { seed: 2, logger })
    expect(journal.durableCount).toBe(4)
    expect(messages).toEqual([
      [
        'journal: cut a group that was being written when the process ended',
        expect.objectContaining({
          file: firstSegment,
          startOffset: offsets[4],
          savedAs: `${firstSegment}.torn-${offsets[4]}`,
          nextSequenceNo: 4,
        }),
      ],
    ])
    await appendMany(journal, 1)
    await journal.close()
    const bytes = fileSystem.contentOf(firstSegment)
    const end = (offsets[4] as number) + frameBytesFor(sizeOf(4))
    expect(bytes.slice(end).every((byte) => byte === 0)).toBe(true)
  })

  it('is saved under a name of its own when it happens twice at one place', async () => {
    const fileSystem = await closedJournal([2])
    const end = offsetsOf(2)[2] as number
    for (let i = 0; i < 3; i++) {
      fileSystem.flip(firstSegment, end + i)
      await (await openAt(fileSystem, { seed: 2 + i })).close()
    }
    const names = (await fileSystem.list(directory)).filter((name) => name.includes('torn'))
    const torn = `${segmentName(0)}.torn-${end}`
    expect(names.sort()).toEqual([torn, `${torn}-2`, `${torn}-3`])
  })

  it('may be a segment that was being made', async () => {
    const header = encodeHeader({
      salt: new Uint8Array(8),
      firstSequenceNo: 0,
      previousHash: new Uint8Array(32),
    })
    for (const bytes of [new Uint8Array(0), new Uint8Array(5000), header.slice(0, 40)]) {
      const fileSystem = await freshDisk()
      await fileSystem.makeDirectory(directory)
      await put(fileSystem, firstSegment, bytes)
      const journal = await openAt(fileSystem)
      expect(journal.nextSequenceNo).toBe(0)
      await appendMany(journal, 3)
      await journal.close()
      const again = await openAt(fileSystem, { seed: 2 })
      expect(checkRecords(again.readFrom(0))).toBe(3)
      await again.close()
    }
  })

  it('may be a footer, or a sealed segment that was not yet cut to its size', async () => {
    const fileSystem = await closedJournal([8, 8, 8], 2048)
    const names = (await fileSystem.list(directory)).filter((name) => /^\d+\.journal$/.test(name))
    const [first, ...rest] = names.sort()
    for (const name of rest) await fileSystem.remove(`${directory}/${name}`)
    const path = `${directory}/${first}`
    const sealed = fileSystem.contentOf(path)
    const counts = new Set<number>()
    for (let length = sealed.length - 96; length <= sealed.length; length++) {
      const torn = new Uint8Array(2048)
      torn.set(sealed.subarray(0, length))
      await put(fileSystem, path, torn)
      const journal = await openAt(fileSystem, { segmentBytes: 2048, seed: length })
      counts.add(journal.durableCount)
      await appendNext(journal)
      expect(checkRecords(journal.readFrom(0))).toBe(journal.nextSequenceNo)
      await journal.close()
      for (const name of await fileSystem.list(directory)) {
        if (name !== first) await fileSystem.remove(`${directory}/${name}`)
      }
    }
    expect(counts.size).toBe(1)
  })
})

describe('damage', () => {
  it('before a later group is refused, with the place, and nothing is changed', async () => {
    const offsets = offsetsOf(9)
    for (let record = 0; record < 6; record++) {
      const fileSystem = await closedJournal([3, 3, 3])
      fileSystem.flip(firstSegment, (offsets[record] as number) + 70)
      const error = await refusal(fileSystem)
      // Up to the first group that was written after the damaged record was synced.
      const laterNo = record < 3 ? 3 : 6
      expect(error.data).toEqual({
        code: 'DAMAGED',
        file: firstSegment,
        startOffset: offsets[record],
        endOffset: offsets[laterNo],
        startSequenceNo: record,
        endSequenceNo: laterNo,
      })
      expect(error.message).toContain('Restore this file from a backup')
      expect(error.message).toContain(`Records: ${record} to ${laterNo - 1}`)
    }
  })

  it('of many records at once is one range', async () => {
    const fileSystem = await closedJournal([2, 2, 2, 2, 2])
    const offsets = offsetsOf(10)
    const start = (offsets[3] as number) + 5
    const end = (offsets[6] as number) + 5
    for (let offset = start; offset < end; offset++) fileSystem.flip(firstSegment, offset)
    expect((await refusal(fileSystem)).data).toMatchObject({
      startOffset: offsets[3],
      endOffset: offsets[7],
      startSequenceNo: 3,
      endSequenceNo: 7,
    })
  })

  it('is a missing segment, a first one or one between', async () => {
    const fileSystem = await closedJournal([8, 8, 8, 8], 2048)
    const names = (await fileSystem.list(directory)).filter((name) => /^\d+\.journal$/.test(name))
    names.sort()
    expect(names.length).toBeGreaterThan(3)
    for (const missing of names.slice(0, -1)) {
      const path = `${directory}/${missing}`
      const bytes = fileSystem.contentOf(path)
      await fileSystem.remove(path)
      const error = await refusal(fileSystem)
      expect(error.code).toBe('DAMAGED')
      expect(error.message).toContain('records before this segment are missing')
      expect(error.data).toMatchObject({ startSequenceNo: Number(missing.slice(0, 20)) })
      await put(fileSystem, path, bytes)
    }
    await (await openAt(fileSystem, { segmentBytes: 2048 })).close()
  })

  it('is a broken header or footer of a sealed segment, and a broken header before records', async () => {
    const fileSystem = await closedJournal([8, 8, 8, 8], 2048)
    const names = (await fileSystem.list(directory)).filter((name) => /^\d+\.journal$/.test(name))
    for (const name of names.sort()) {
      const path = `${directory}/${name}`
      const { length } = fileSystem.contentOf(path)
      const isLast = name === names.at(-1)
      const places = isLast ? [0, 20, 63] : [0, 20, 63, length - 96, length - 1]
      for (const offset of places) {
        fileSystem.flip(path, offset)
        const error = await refusal(fileSystem)
        expect(error.data).toMatchObject({ code: 'DAMAGED', file: path })
        fileSystem.flip(path, offset)
      }
    }
  })

  it('is a segment of another journal', async () => {
    const other = await freshDisk()
    const journal = await openAt(other, { segmentBytes: 2048, seed: 5 })
    for (let i = 0; i < 30; i++) await appendNext(journal, 30)
    await journal.close()
    const fileSystem = await closedJournal([8, 8, 8, 8], 2048)
    const names = (await fileSystem.list(directory)).filter((name) => /^\d+\.journal$/.test(name))
    const shared = (await other.list(directory)).filter((name) => names.includes(name))
    expect(shared).toContain(segmentName(0))
    const size = other.contentOf(firstSegment).length
    const noise = createSeededRandom(3).bytes(size)
    await put(fileSystem, firstSegment, noise)
    expect((await refusal(fileSystem)).code).toBe('DAMAGED')
    await put(fileSystem, firstSegment, other.contentOf(firstSegment))
    expect((await refusal(fileSystem)).message).toMatch(/missing|does not continue/)
  })

  it('is not a format of a later version', async () => {
    const fileSystem = await closedJournal([3])
    const bytes = fileSystem.contentOf(firstSegment)
    // A header with version 2: the checksum is made over the changed bytes with the library's own encoder's help.
    const { crc32 } = await import('node:zlib')
    const view = new DataView(bytes.buffer)
    view.setUint32(8, 2, true)
    view.setUint32(12, 0, true)
    view.setUint32(12, crc32(bytes.subarray(0, 64)), true)
    await put(fileSystem, firstSegment, bytes)
    expect((await refusal(fileSystem)).data).toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      version: 2,
    })
  })
})
