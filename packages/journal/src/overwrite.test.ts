import { createSeededRandom, type MemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import type { Journal, JournalRecord } from './journal.ts'
import {
  appendGroups,
  appendMany,
  appendNext,
  bodyOf,
  directory,
  freshDisk,
  openAt,
} from './testing/journal-fixture.ts'
import { verifyJournal } from './verify.ts'

const segmentBytes = 2048
const clock = { nowMs: () => 0, sleep: () => Promise.resolve() }
const verify = (fileSystem: MemoryFileSystem) => verifyJournal({ directory, fileSystem, clock })
const zeros = (size: number) => new Uint8Array(size)

/** Bodies of `overwritten` records are zeros, the others as they were appended. */
function check(records: Iterable<JournalRecord>, overwritten: ReadonlySet<number>): number {
  let count = 0
  for (const { sequenceNo, body } of records) {
    const before = bodyOf(sequenceNo, body.length)
    expect(body).toEqual(overwritten.has(sequenceNo) ? zeros(body.length) : before)
    count++
  }
  return count
}

function overwrite(journal: Journal, sequenceNos: readonly number[]): Promise<void> {
  return journal.overwrite(
    sequenceNos.map((sequenceNo) => ({
      sequenceNo,
      body: zeros(journal.read(sequenceNo).body.length),
    })),
  )
}

/** Files that hold the first body of a record, which is long enough to be there once. */
async function filesWith(fileSystem: MemoryFileSystem, sequenceNo: number, size: number) {
  const wanted = Buffer.from(bodyOf(sequenceNo, size))
  const names = await fileSystem.list(directory)
  return names.filter((name) =>
    Buffer.from(fileSystem.contentOf(`${directory}/${name}`)).includes(wanted),
  )
}

async function journalWith(groups: readonly number[]) {
  const fileSystem = await freshDisk()
  const journal = await openAt(fileSystem, { segmentBytes })
  await appendGroups(journal, groups)
  return { fileSystem, journal }
}

describe('overwriting records', () => {
  it('takes bodies out of sealed segments and the last one; all else stays sound', async () => {
    const { fileSystem, journal } = await journalWith([8, 8, 8])
    const hashes = Array.from({ length: 24 }, (_, i) => journal.read(i).hash)
    const overwritten = new Set([1, 2, 9, 23])
    const sizes = new Map([...overwritten].map((no) => [no, journal.read(no).body.length]))
    await overwrite(journal, [...overwritten])
    for (const [no, size] of sizes) {
      expect(size).toBeGreaterThan(30)
      expect(await filesWith(fileSystem, no, size)).toEqual([])
    }
    expect(check(journal.readFrom(0), overwritten)).toBe(24)
    expect(Array.from({ length: 24 }, (_, i) => journal.read(i).hash)).toEqual(hashes)
    // The segment that was the last is sealed with what is in it now.
    await appendMany(journal, 16)
    await journal.close()
    expect(await verify(fileSystem)).toMatchObject({ findings: [], recordCount: 40 })
    const again = await openAt(fileSystem, { segmentBytes, seed: 2 })
    expect(check(again.readFrom(0), overwritten)).toBe(40)
    await again.close()
  })

  it('shows the new bodies to readers at every moment', async () => {
    const { journal } = await journalWith([8, 8])
    const reading = journal.readFrom(0)
    check([reading.next().value as JournalRecord], new Set())
    let isDone = false
    const done = overwrite(journal, [3]).then(() => {
      isDone = true
    })
    let hasStarted = false
    while (!isDone) {
      const { body } = journal.read(3)
      const isNew = body.every((byte) => byte === 0)
      // Once new, never the old one again, and never a broken one.
      if (hasStarted) expect(isNew).toBe(true)
      else expect(isNew || check([journal.read(3)], new Set()) === 1).toBe(true)
      hasStarted ||= isNew
      await new Promise((resolve) => setImmediate(resolve))
    }
    await done
    expect(hasStarted).toBe(true)
    expect(check(reading, new Set([3]))).toBe(15)
    await journal.close()
  })

  it('goes on beside appends and the sealing of segments', async () => {
    const { fileSystem, journal } = await journalWith([8])
    const overwritten = new Set<number>()
    const work: Promise<void>[] = []
    for (let round = 0; round < 12; round++) {
      work.push(appendMany(journal, 3))
      overwritten.add(round)
      work.push(overwrite(journal, [round]))
      if (round % 3 === 0) await Promise.all(work)
    }
    await Promise.all(work)
    await journal.close()
    expect(await verify(fileSystem)).toMatchObject({ findings: [], recordCount: 44 })
    const again = await openAt(fileSystem, { segmentBytes, seed: 2 })
    expect(check(again.readFrom(0), overwritten)).toBe(44)
    await again.close()
  })

  it('removes the torn tail that an earlier crash left aside', async () => {
    const { fileSystem, journal } = await journalWith([4])
    const end = (await verify(fileSystem)).nextSequenceNo
    await journal.close()
    const name = (await fileSystem.list(directory)).find((it) => it.endsWith('.journal')) ?? ''
    const file = await fileSystem.open(`${directory}/${name}`, 'readWrite')
    const content = fileSystem.contentOf(`${directory}/${name}`)
    await file.write(new Uint8Array([1, 2, 3]), content.findLastIndex((byte) => byte !== 0) + 100)
    await file.close()
    const again = await openAt(fileSystem, { segmentBytes, seed: 2 })
    const isTorn = (it: string) => it.includes('.torn-')
    expect((await fileSystem.list(directory)).filter(isTorn)).toHaveLength(1)
    await overwrite(again, [end - 1])
    expect((await fileSystem.list(directory)).filter(isTorn)).toEqual([])
    await again.close()
  })

  it('refuses records it does not have, and a sealed segment that is not what was sealed', async () => {
    const { fileSystem, journal } = await journalWith([8, 8, 8])
    await expect(journal.overwrite([{ sequenceNo: 24, body: zeros(1) }])).rejects.toMatchObject({
      code: 'UNKNOWN_RECORD',
    })
    const name = `${directory}/${'0'.repeat(20)}.journal`
    // The magic of the header: no frame has it, only the hash over the whole tells.
    fileSystem.flip(name, 3)
    await expect(overwrite(journal, [1])).rejects.toMatchObject({ code: 'DAMAGED' })
    fileSystem.flip(name, 3)
    await overwrite(journal, [1])
    await journal.close()
    await expect(journal.overwrite([{ sequenceNo: 2, body: zeros(194) }])).rejects.toMatchObject({
      code: 'CLOSED',
    })
  })

  it('changes nothing when the redo file cannot be written, and stops when the segment cannot', async () => {
    const { fileSystem, journal } = await journalWith([8])
    fileSystem.addFault({ operation: 'write', nth: 1, code: 'ENOSPC', path: /redo/ })
    await expect(overwrite(journal, [1])).rejects.toMatchObject({ code: 'WRITE_FAILED' })
    expect(check(journal.readFrom(0), new Set())).toBe(8)
    fileSystem.addFault({ operation: 'syncDirectory', nth: 1, code: 'EIO' })
    await expect(overwrite(journal, [1])).rejects.toMatchObject({ code: 'WRITE_FAILED' })
    expect(await fileSystem.exists(`${directory}/redo`)).toBe(false)
    await appendNext(journal)
    await overwrite(journal, [1])
    fileSystem.addFault({ operation: 'write', nth: 1, code: 'EIO', path: /\d\.journal$/ })
    await expect(overwrite(journal, [2])).rejects.toMatchObject({ code: 'WRITE_FAILED' })
    expect(journal.read(2).body.every((byte) => byte === 0)).toBe(true)
    await expect(appendNext(journal)).rejects.toMatchObject({ code: 'WRITE_FAILED' })
    await journal.close()
    expect((await verify(fileSystem)).findings).toEqual([])
    const again = await openAt(fileSystem, { segmentBytes, seed: 2 })
    expect(check(again.readFrom(0), new Set([1, 2]))).toBe(9)
    await again.close()
  })

  it('refuses a redo file that is not intact, and names it', async () => {
    const { fileSystem, journal } = await journalWith([8])
    await journal.close()
    await fileSystem.writeFileAtomic(`${directory}/redo`, new Uint8Array(50))
    await expect(openAt(fileSystem, { segmentBytes })).rejects.toMatchObject({ code: 'DAMAGED' })
    expect((await verify(fileSystem)).findings).toMatchObject([
      { kind: 'damaged', file: `${directory}/redo` },
    ])
  })
})

describe('a crash while records are overwritten', () => {
  it('leaves all old or all new bodies, and an answer that they are gone holds', async () => {
    const seen = { old: 0, new: 0, torn: 0 }
    for (let seed = 1; seed <= 400; seed++) {
      try {
        await runSeed(seed, seen)
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause })
      }
    }
    // Every ending has come up, the torn segment that only the redo file explains too.
    expect(Math.min(seen.old, seen.new, seen.torn)).toBeGreaterThan(5)
  })

  async function runSeed(seed: number, seen: { old: number; new: number; torn: number }) {
    const random = createSeededRandom(seed)
    const { fileSystem: disk, journal } = await journalWith([8, 8])
    const target = random.below(16)
    let isGone = false
    const done = overwrite(journal, [target]).then(
      () => {
        isGone = true
      },
      () => {},
    )
    const appended = appendMany(journal, random.below(4)).catch(() => {})
    for (let turns = random.below(30); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    const wasGone = isGone
    const fileSystem = seed % 2 === 0 ? disk.crash({ seed }) : disk.kill()
    await Promise.all([done, appended])
    const hasRedo = (await fileSystem.list(directory)).includes('redo')
    // The torn tail of a group is no damage.
    const { findings } = await verify(fileSystem)
    expect(findings.filter(({ kind }) => kind !== 'unfinished')).toEqual([])
    const again = await openAt(fileSystem, { segmentBytes, seed: 2 })
    const isNew = again.read(target).body.every((byte) => byte === 0)
    if (wasGone || hasRedo) expect(isNew).toBe(true)
    expect(check(again.readFrom(0), new Set(isNew ? [target] : []))).toBeGreaterThanOrEqual(16)
    seen[hasRedo ? 'torn' : isNew ? 'new' : 'old']++
    await again.close()
    expect((await verify(fileSystem)).findings).toEqual([])
  }
})
