/**
 * Target `journal`: damage to the files of a journal. An input is a list of edits; each is made to a fresh copy of the
 * folder, which is then opened and verified.
 */
import { silentLogger } from '@cairn/core'
import { JournalError, openJournal, verifyJournal } from '@cairn/journal'
import { createMemoryFileSystem, createSeededRandom, type MemoryFileSystem } from '@cairn/testing'
import {
  appendMany,
  checkRecords,
  directory,
  freshDisk,
  openAt,
} from '../../../packages/journal/src/testing/journal-fixture.ts'
import { mustHold, type Target, Violation } from '../target.ts'

type Files = ReadonlyMap<string, Uint8Array>

const recordCount = 40
const segmentBytes = 4096
/** Six bytes make one edit: what, which file, where in it (three bytes), with what. */
const editBytesSize = 6
const editCountMax = 12

export const journalTarget: Target = {
  name: 'journal',
  oracle:
    'opening and verifying end, with JournalError at most; what an opened journal reads are records that were appended, from the first on without a gap; verifying finds no less than opening',
  sources: /\/packages\/journal\/src\//,
  batchCount: 64,
  async open() {
    const original = await makeFiles()
    const names = [...original.keys()].sort()
    return {
      seeds: seedEdits(),
      dictionary: [],
      generate: (random) => random.bytes(editBytesSize * (1 + random.below(4))),
      async run(input) {
        const damaged = edited(original, names, input)
        const disk = await diskOf(damaged)
        const hasFindings = await verify(disk)
        const isOpened = await open(disk)
        if (!isOpened) mustHold(hasFindings, 'verifying finds nothing and opening refuses')
      },
    }
  },
}

async function makeFiles(): Promise<Files> {
  const disk = await freshDisk()
  const journal = await openAt(disk, { segmentBytes })
  await appendMany(journal, recordCount >> 1)
  await appendMany(journal, recordCount >> 1)
  await journal.close()
  const files = new Map<string, Uint8Array>()
  for (const name of await disk.list(directory)) {
    files.set(name, disk.contentOf(`${directory}/${name}`))
  }
  return files
}

/** One edit of each kind at some places. */
function seedEdits(): Uint8Array[] {
  const kinds = [0, 1, 2, 3, 4, 5, 6, 7]
  return kinds.map((kind) => Uint8Array.of(kind, kind, 0, 1, 70 + kind, 5))
}

function edited(original: Files, names: readonly string[], input: Uint8Array): Files {
  const files = new Map(original)
  const editCount = Math.min(editCountMax, Math.ceil(input.length / editBytesSize))
  for (let i = 0; i < editCount; i++) {
    const [kind = 0, file = 0, high = 0, middle = 0, low = 0, value = 0] = input.subarray(
      i * editBytesSize,
    )
    const name = names[file % names.length] ?? ''
    const bytes = files.get(name)
    if (bytes === undefined) continue
    const at = ((high << 16) | (middle << 8) | low) % Math.max(1, bytes.length)
    const other = names[value % names.length] ?? ''
    edit(files, { kind: kind % 8, name, at, value, other, bytes })
  }
  return files
}

interface Edit {
  readonly kind: number
  readonly name: string
  readonly at: number
  readonly value: number
  readonly other: string
  readonly bytes: Uint8Array
}

function edit(files: Map<string, Uint8Array>, { kind, name, at, value, other, bytes }: Edit): void {
  const out = bytes.slice()
  switch (kind) {
    case 0:
      out[at] = value
      break
    case 1:
      out[at] = (out[at] ?? 0) ^ (1 << (value & 7))
      break
    case 2:
      out.fill(0, at, Math.min(out.length, at + value))
      break
    case 3:
      files.set(name, bytes.slice(0, at))
      return
    case 4:
      out.copyWithin(at, (at + 8 * value) % Math.max(1, out.length))
      break
    case 5:
      files.set(name, Buffer.concat([bytes, bytes.subarray(at, at + value)]))
      return
    case 6:
      files.delete(name)
      return
    default:
      files.set(name, (files.get(other) ?? bytes).slice())
      return
  }
  files.set(name, out)
}

async function diskOf(files: Files): Promise<MemoryFileSystem> {
  const disk = createMemoryFileSystem()
  await disk.makeDirectory('/data')
  await disk.makeDirectory(directory)
  for (const [name, bytes] of files) {
    const file = await disk.open(`${directory}/${name}`, 'create')
    if (bytes.length > 0) await file.write(bytes, 0)
    await file.syncData()
    await file.close()
  }
  return disk
}

/** Whether anything was found. */
async function verify(fileSystem: MemoryFileSystem): Promise<boolean> {
  const clock = { nowMs: () => 0, sleep: () => Promise.resolve() }
  try {
    const { findings } = await verifyJournal({ directory, fileSystem, clock })
    return findings.length > 0
  } catch (error) {
    if (error instanceof JournalError) return true
    throw error
  }
}

async function open(fileSystem: MemoryFileSystem): Promise<boolean> {
  const random = createSeededRandom(7)
  try {
    const journal = await openJournal({
      directory,
      fileSystem,
      random,
      segmentBytes,
      logger: silentLogger,
    })
    try {
      const count = readBack(() => checkRecords(journal.readFrom(0)))
      if (count !== undefined) {
        mustHold(count === journal.nextSequenceNo, 'an opened journal reads fewer records')
      }
    } finally {
      await journal.close()
    }
    return true
  } catch (error) {
    if (error instanceof JournalError) return false
    throw error
  }
}

/** Damage behind what opening looks at is told when it is read. */
function readBack(work: () => number): number | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof JournalError) return undefined
    if (error instanceof Error && error.message.endsWith('is wrong')) {
      throw new Violation(`an opened journal gives what was never appended: ${error.message}`)
    }
    throw error
  }
}
