/**
 * Power-loss replay: what a real run did to a real disk is recorded, then each moment of it is replayed on a disk that
 * keeps any combination of what was not synced. Whatever it keeps, the ledger opens with all that was acknowledged.
 */
import { nodeFileSystem } from '@cairn/journal'
import { type DiskRecording, type MemoryFileSystem, recordFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { openLedger } from './library.ts'
import { createMemoryProjections } from './memory-projection.ts'
import { temporaryDirectory } from './testing/temporary-ledger.ts'
import { verifyLedgerDirectory } from './verify-directory.ts'

/** Small, so that segments are begun and ended within the run. */
const segmentBytes = 8192
const burstCount = 12
const burstSize = 5
const crashesPerMoment = 2

/** Commits bursts that share groups, and notes after each answer how many documents were acknowledged. */
async function run(directory: string): Promise<DiskRecording> {
  const recording = recordFileSystem(nodeFileSystem)
  const options = { fileSystem: recording.fileSystem, directory: `${directory}/data`, segmentBytes }
  const open = await openLedger({ ...options, retryCountMax: 1000 })
  await open.transact((tx) => tx.execute('CREATE TABLE Entry'))
  let count = 0
  for (let burst = 0; burst < burstCount; burst++) {
    const commits = Array.from({ length: burstSize }, async (_, i) => {
      const serial = burst * burstSize + i
      await open.transact((tx) =>
        tx.execute('INSERT INTO Entry ?', { serial, pad: 'x'.repeat(200) }),
      )
      recording.note(++count)
    })
    await Promise.all(commits)
  }
  await open.close()
  return recording
}

/** Documents in the ledger that a crashed disk holds. */
async function entryCount(fileSystem: MemoryFileSystem, directory: string): Promise<number> {
  const options = { fileSystem, directory: `${directory}/data`, isLocked: false, segmentBytes }
  const open = await openLedger({ ...options, projections: createMemoryProjections() })
  try {
    const { value } = await open.transact(async (tx) => {
      const tables = await tx.execute('SELECT VALUE name FROM information_schema.user_tables')
      if (tables.values.length === 0) return []
      return (await tx.execute('SELECT VALUE serial FROM Entry')).values
    })
    return new Set(value).size
  } finally {
    await open.close()
  }
}

describe('losing power at any moment of a recorded run', () => {
  it('keeps all that was acknowledged, and a chain that verifies', async () => {
    const directory = await temporaryDirectory()
    const recording = await run(directory)
    let stateCount = 0
    let lastCount = 0
    for (let length = 0; length <= recording.length; length++) {
      for (let seed = 0; seed < crashesPerMoment; seed++) {
        const { disk, noted } = await recording.replay(length, directory)
        const crashed = disk.crash({ seed: 1000 * length + seed })
        lastCount = await entryCount(crashed, directory)
        expect(lastCount, `call ${length}, seed ${seed}`).toBeGreaterThanOrEqual(noted)
        const reports = await verifyLedgerDirectory({
          directory: `${directory}/data`,
          fileSystem: crashed,
        })
        expect(reports.flatMap(({ findings }) => findings)).toEqual([])
        stateCount++
      }
    }
    expect(lastCount).toBe(burstCount * burstSize)
    console.log(`${recording.length} calls and answers, ${stateCount} states after a loss of power`)
  })
})
