/**
 * Crashes at any moment on a disk that forgets unsynced sectors and names in any combination. A failure names its seed.
 */
import { createSeededRandom, type MemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import type { Journal } from './journal.ts'
import {
  appendNext,
  checkRecords,
  directory,
  freshDisk,
  openAt,
} from './testing/journal-fixture.ts'
import { verifyJournal } from './verify.ts'

const seedCount = 400
const livesPerSeed = 4

interface Acknowledged {
  count: number
}

/** Appends bursts until the process ends; notes what was acknowledged. */
async function live(
  journal: Journal,
  seed: number,
  acknowledged: Acknowledged,
  isEnded: () => boolean,
): Promise<void> {
  const random = createSeededRandom(seed)
  while (!isEnded()) {
    const burst = 1 + random.below(8)
    for (let i = 0; i < burst; i++) {
      const count = journal.nextSequenceNo + 1
      appendNext(journal, random.below(random.chance(0.1) ? 1500 : 200)).then(
        () => {
          if (!isEnded()) acknowledged.count = Math.max(acknowledged.count, count)
        },
        () => {},
      )
    }
    const pause = random.below(6)
    for (let i = 0; i < pause; i++) await turn()
  }
}

async function check(fileSystem: MemoryFileSystem, journal: Journal, acknowledged: number) {
  expect(journal.durableCount).toBe(journal.nextSequenceNo)
  expect(journal.durableCount).toBeGreaterThanOrEqual(acknowledged)
  expect(checkRecords(journal.readFrom(0))).toBe(journal.durableCount)
  for (let i = 0; i < journal.durableCount; i += 3) checkRecords([journal.read(i)], i)
  const report = await verifyJournal({ directory, fileSystem })
  expect(report.findings).toEqual([])
  expect(report.recordCount).toBe(journal.durableCount)
}

/** What ends: the machine, so that unsynced bytes may be lost, or only the process. */
type Ending = 'machine' | 'process' | 'either'

function end(fileSystem: MemoryFileSystem, ending: Ending, seed: number): MemoryFileSystem {
  const isPowerLoss = ending === 'either' ? seed % 2 === 0 : ending === 'machine'
  return isPowerLoss ? fileSystem.crash({ seed }) : fileSystem.kill()
}

async function runSeed(seed: number, ending: Ending): Promise<number> {
  const random = createSeededRandom(seed)
  const segmentBytes = [2048, 4096, 20_000][random.below(3)] as number
  const acknowledged: Acknowledged = { count: 0 }
  let fileSystem = await freshDisk()
  for (let life = 0; life < livesPerSeed; life++) {
    let isEnded = false
    const turns = random.below(60)
    const disk = fileSystem
    // The opening itself may be cut off as well; it then fails on the dead file system.
    const ended = openAt(disk, { segmentBytes, seed: seed * 100 + life }).then(
      (journal) => live(journal, seed * 1000 + life, acknowledged, () => isEnded),
      (error: unknown) => {
        if (!isEnded) throw error
      },
    )
    for (let i = 0; i < turns; i++) await turn()
    isEnded = true
    fileSystem = end(disk, ending, seed * 7 + life)
    await ended
    const journal = await openAt(fileSystem, { segmentBytes, seed: seed * 100 + 50 + life })
    await check(fileSystem, journal, acknowledged.count)
    acknowledged.count = journal.durableCount
    // Half of the lives go on from a journal that was closed, half from one that is cut off again.
    if (random.chance(0.5)) await journal.close()
    else fileSystem = end(fileSystem, ending, seed * 13 + life)
  }
  const last = await openAt(fileSystem, { segmentBytes, seed: seed * 100 + 99 })
  await check(fileSystem, last, acknowledged.count)
  await last.close()
  return acknowledged.count
}

describe('after a crash', () => {
  it.each<Ending>(['machine', 'process', 'either'])(
    'of %s, every acknowledged record is there and the rest is a prefix',
    async (ending) => {
      let recordCount = 0
      for (let seed = 1; seed <= seedCount; seed++) {
        try {
          recordCount += await runSeed(seed, ending)
        } catch (cause) {
          throw new Error(`seed ${seed}`, { cause })
        }
      }
      expect(recordCount).toBeGreaterThan(10 * seedCount)
    },
    120_000,
  )
})

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
