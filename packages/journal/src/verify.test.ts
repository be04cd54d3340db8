import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@cairn/core'
import { createVirtualClock, type MemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { openJournal } from './journal.ts'
import { nodeFileSystem } from './node-file-system.ts'
import {
  appendGroups,
  appendMany,
  appendNext,
  checkRecords,
  directory,
  freshDisk,
  openAt,
} from './testing/journal-fixture.ts'
import { type JournalReport, verifyJournal } from './verify.ts'

async function closedJournal(groups: readonly number[], segmentBytes = 2048) {
  const fileSystem = await freshDisk()
  const journal = await openAt(fileSystem, { segmentBytes })
  await appendGroups(journal, groups)
  await journal.close()
  return fileSystem
}

async function segmentsOf(fileSystem: MemoryFileSystem): Promise<string[]> {
  const names = await fileSystem.list(directory)
  return names
    .filter((name) => /^\d+\.journal$/.test(name))
    .sort()
    .map((name) => `${directory}/${name}`)
}

/** The clock's pauses end at once: nobody writes to these journals meanwhile. */
function verify(fileSystem: MemoryFileSystem): Promise<JournalReport> {
  const clock = { nowMs: () => 0, sleep: () => Promise.resolve() }
  return verifyJournal({ directory, fileSystem, clock })
}

describe('verifying a journal', () => {
  it('finds nothing wrong with a sound one and reports what it holds', async () => {
    const fileSystem = await closedJournal([8, 8, 8])
    const progress: number[] = []
    const records: number[] = []
    const report = await verifyJournal({
      directory,
      fileSystem,
      onRecord: (record) => records.push(record.sequenceNo),
      onProgress: ({ judgedBytes, totalBytes }) => progress.push(judgedBytes / totalBytes),
    })
    const journal = await openAt(fileSystem, { segmentBytes: 2048, seed: 2 })
    expect(report).toMatchObject({ findings: [], recordCount: 24, nextSequenceNo: 24 })
    expect(report.tipHash).toEqual(journal.tipHash)
    expect(report.segmentCount).toBeGreaterThan(2)
    expect(records).toEqual(Array.from({ length: 24 }, (_, i) => i))
    expect(progress.at(-1)).toBe(1)
    await journal.close()
  })

  it('finds nothing in an empty folder', async () => {
    const fileSystem = await freshDisk()
    await fileSystem.makeDirectory(directory)
    expect(await verify(fileSystem)).toMatchObject({ findings: [], recordCount: 0 })
  })

  it('names every single changed byte, wherever it is', async () => {
    const fileSystem = await closedJournal([5, 1, 6, 3, 2])
    const paths = await segmentsOf(fileSystem)
    expect(paths.length).toBeGreaterThan(2)
    const sound = await verify(fileSystem)
    expect(sound.findings).toEqual([])
    let byteCount = 0
    for (const path of paths) {
      const { length } = fileSystem.contentOf(path)
      for (let offset = 0; offset < length; offset++) {
        // Every bit of the byte, over the whole of the file.
        const mask = offset % 9 === 8 ? 0xff : 1 << (offset % 9)
        fileSystem.flip(path, offset, mask)
        const { findings, recordCount } = await verify(fileSystem)
        fileSystem.flip(path, offset, mask)
        byteCount++
        const place = `${path} byte ${offset}: ${JSON.stringify(findings)}`
        const isNamed = findings.some(
          (finding) =>
            finding.file === path && finding.startOffset <= offset && offset < finding.endOffset,
        )
        expect(isNamed, place).toBe(true)
        const others = findings.filter((finding) => finding.file !== path)
        expect(others, place).toEqual([])
        expect(sound.recordCount - recordCount, place).toBeLessThanOrEqual(5)
      }
    }
    expect(byteCount).toBeGreaterThan(4000)
  })

  it('goes on behind a broken place and names each of several', async () => {
    const fileSystem = await closedJournal([2, 2, 2, 2, 2, 2], 8192)
    const path = (await segmentsOf(fileSystem))[0] as string
    const starts: number[] = []
    const journal = await openAt(fileSystem, { segmentBytes: 8192, seed: 2 })
    let offset = 64
    for (const record of journal.readFrom(0)) {
      starts.push(offset)
      offset += 96 + Math.ceil(record.body.length / 8) * 8
    }
    await journal.close()
    for (const record of [1, 2, 5]) fileSystem.flip(path, (starts[record] as number) + 40)
    const report = await verify(fileSystem)
    expect(report.recordCount).toBe(9)
    expect(report.findings).toMatchObject([
      {
        kind: 'damaged',
        startOffset: starts[1],
        endOffset: starts[3],
        startSequenceNo: 1,
        endSequenceNo: 3,
      },
      {
        kind: 'damaged',
        startOffset: starts[5],
        endOffset: starts[6],
        startSequenceNo: 5,
        endSequenceNo: 6,
      },
    ])
  })

  it('names missing segments and the records that were in them', async () => {
    const fileSystem = await closedJournal([8, 8, 8, 8])
    const paths = await segmentsOf(fileSystem)
    await fileSystem.remove(paths[1] as string)
    const missing = Number((paths[1] as string).slice(-28, -8))
    const next = Number((paths[2] as string).slice(-28, -8))
    expect((await verify(fileSystem)).findings).toMatchObject([
      { kind: 'missing', file: paths[2], startSequenceNo: missing, endSequenceNo: next },
    ])
  })

  it('tells an unfinished end from damage', async () => {
    const fileSystem = await closedJournal([2, 3], 8192)
    const path = (await segmentsOf(fileSystem))[0] as string
    const bytes = fileSystem.contentOf(path)
    const end = bytes.findLastIndex((byte) => byte !== 0)
    fileSystem.flip(path, end)
    const report = await verify(fileSystem)
    expect(report).toMatchObject({ recordCount: 4, findings: [{ kind: 'unfinished' }] })
  })

  it('sees a swap of two segments with records of equal numbers', async () => {
    const fileSystem = await closedJournal([8, 8, 8])
    const other = await freshDisk()
    const journal = await openAt(other, { segmentBytes: 2048, seed: 77 })
    await appendGroups(journal, [8, 8, 8])
    await journal.close()
    const path = (await segmentsOf(fileSystem))[0] as string
    await fileSystem.writeFileAtomic(path, other.contentOf(path))
    // The other journal holds the same records here, so only its own links can be judged: all is sound.
    expect((await verify(fileSystem)).findings).toEqual([])
    const shorter = other.contentOf(path).slice(0, -96)
    await fileSystem.writeFileAtomic(path, shorter)
    expect((await verify(fileSystem)).findings).toMatchObject([{ kind: 'damaged', file: path }])
  })

  it('waits for a group that is being written instead of calling it damage', async () => {
    const fileSystem = await closedJournal([2, 3], 8192)
    const path = (await segmentsOf(fileSystem))[0] as string
    const end = fileSystem.contentOf(path).findLastIndex((byte) => byte !== 0)
    fileSystem.flip(path, end)
    const clock = createVirtualClock()
    const verified = verifyJournal({ directory, fileSystem, clock })
    while (clock.sleeperCount === 0) await new Promise((resolve) => setImmediate(resolve))
    fileSystem.flip(path, end)
    await clock.advance(1000)
    expect(await verified).toMatchObject({ findings: [], recordCount: 5 })
  })

  it('works beside a running writer on a real disk', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'cairn-verify-'))
    const options = { directory: parent, fileSystem: nodeFileSystem, random: systemRandom }
    const journal = await openJournal({ ...options, segmentBytes: 200_000 })
    let isDone = false
    const writer = async () => {
      while (!isDone) {
        await appendMany(journal, 20)
        await appendNext(journal, 30_000)
      }
    }
    const writing = Promise.all([writer(), writer()])
    let recordCount = 0
    for (let i = 0; i < 25 || recordCount < 500; i++) {
      const atLeast = journal.durableCount
      const report = await verifyJournal(options)
      expect(report.findings).toEqual([])
      expect(report.recordCount).toBeGreaterThanOrEqual(atLeast)
      recordCount = report.recordCount
    }
    isDone = true
    await writing
    expect(checkRecords(journal.readFrom(0))).toBe(journal.durableCount)
    await journal.close()
    await rm(parent, { recursive: true })
  })
})
