/**
 * Reads the records of a journal in order without opening it: nothing is changed, and a process may be writing to it.
 * For copies; verify.ts goes on behind a broken place, this one stops there.
 */
import { type Clock, createSystemClock, type FileSystem, hashBytesSize } from '@cairn/core'
import { damaged } from './errors.ts'
import type { JournalRecord } from './journal.ts'
import { listSegments } from './recovery.ts'
import { alignUp, headerBytesSize, segmentName } from './segment-format.ts'
import { nonZeroEnd, readHeader, SegmentReader } from './segment-reader.ts'
import { patchesOf } from './verify.ts'

export interface ReadJournalOptions {
  readonly directory: string
  readonly fileSystem: FileSystem
  /** For the pauses between two looks at a place that is being written. */
  readonly clock?: Clock
}

/** How often a broken place is looked at before it is believed, since it may be in the middle of a write. */
const lookCountMax = 5
const pauseMs = 20

/**
 * What was on the disk when the end was reached. Hashes and bodies are views into chunks of about 1 MiB that are not
 * used again: copy what you keep for long.
 * @throws JournalError DAMAGED, SHORT_READ, UNSUPPORTED_VERSION
 */
export async function* readJournal(options: ReadJournalOptions): AsyncGenerator<JournalRecord> {
  const { directory, fileSystem } = options
  const firstNumbers = await listSegments(directory, fileSystem)
  let next = 0
  let previousHash: Uint8Array = new Uint8Array(hashBytesSize)
  // A writer may begin a new segment meanwhile: then this list's last one is read to its end all the same.
  for (const [i, first] of firstNumbers.entries()) {
    for await (const record of readSegment(options, first, previousHash)) {
      next = record.sequenceNo + 1
      previousHash = record.hash
      yield record
    }
    const due = firstNumbers[i + 1]
    if (due !== undefined && next !== due)
      throw broken(`${directory}/${segmentName(first)}`, next, due)
  }
}

async function* readSegment(
  { directory, fileSystem, clock = createSystemClock() }: ReadJournalOptions,
  first: number,
  firstPreviousHash: Uint8Array,
): AsyncGenerator<JournalRecord> {
  const path = `${directory}/${segmentName(first)}`
  const file = await fileSystem.open(path, 'read')
  try {
    const header = readHeader(file)
    if (header === undefined || typeof header === 'number') throw broken(path, first, first + 1)
    const reader = new SegmentReader(file, header, true)
    reader.patchWith(await patchesOf(first, directory, fileSystem))
    let sequenceNo = first
    let previousHash = firstPreviousHash
    let offset = headerBytesSize
    for (let looks = 0; ; ) {
      if (isFrame(reader, offset, sequenceNo, previousHash)) {
        looks = 0
        previousHash = reader.hashView()
        offset += alignUp(reader.length)
        const body = reader.bodyView()
        yield { sequenceNo, hash: previousHash, previousHash: reader.previousHashView(), body }
        sequenceNo++
        continue
      }
      looks++
      // The chunk may have been read before the record was written, or while it was overwritten.
      reader.patchWith(await patchesOf(first, directory, fileSystem))
      if (looks === 1) continue
      if (reader.readFooter(offset) !== undefined || nonZeroEnd(file, offset) === offset) break
      // Only a later group, written after this place was synced, makes it damage rather than the end.
      const later = reader.findLaterGroup(offset, sequenceNo)
      if (later === undefined) break
      if (looks > lookCountMax)
        throw broken(path, sequenceNo, later.sequenceNo, offset, later.offset)
      await clock.sleep(pauseMs)
    }
    // What was read may be in the page cache only; a copy must not know more than the disk.
    await file.syncData()
  } finally {
    await file.close()
  }
}

function isFrame(
  reader: SegmentReader,
  offset: number,
  sequenceNo: number,
  previousHash: Uint8Array,
): boolean {
  return (
    reader.readFrame(offset) &&
    reader.sequenceNo === sequenceNo &&
    reader.hasPreviousHash(previousHash)
  )
}

function broken(
  file: string,
  startSequenceNo: number,
  endSequenceNo: number,
  startOffset = 0,
  endOffset = 0,
): Error {
  return damaged(
    { file, startOffset, endOffset, startSequenceNo, endSequenceNo },
    `record ${startSequenceNo} is not intact or not there`,
  )
}
