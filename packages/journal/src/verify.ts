/**
 * Reads every written byte of a journal and judges it, without changing anything: headers, frames, footers, the links
 * between records and between segments, the zeros behind the end. Goes on behind a broken place.
 * Works beside a running writer; what is appended after the start may or may not be covered.
 * Not here: whether bodies make sense and hash to their hash; `onRecord` hands them to who knows.
 */
import { type Clock, createSystemClock, type FileSystem, hashBytesSize } from '@cairn/core'
import { type DamagedRange, JournalError } from './errors.ts'
import type { JournalRecord } from './journal.ts'
import { listSegments } from './recovery.ts'
import { type Patch, readRedo } from './redo-file.ts'
import { segmentName } from './segment-format.ts'
import { SegmentJudge } from './segment-judge.ts'

export interface VerifyJournalOptions {
  readonly directory: string
  readonly fileSystem: FileSystem
  /** Called every few MiB. */
  readonly onProgress?: (progress: JournalProgress) => void
  /** Called for each intact record, in order. Its bytes are views that are only valid during the call. */
  readonly onRecord?: (record: JournalRecord) => void
  /** For the pauses between two looks at the end of a journal that is being written. */
  readonly clock?: Clock
}

export interface JournalProgress {
  readonly file: string
  readonly judgedBytes: number
  readonly totalBytes: number
}

/**
 * `damaged`: bytes or links are not what was written. `missing`: segments are not there.
 * `unfinished`: bytes behind the last intact record that opening the journal would cut, as a crash leaves them. Damage
 * to the last group of a stopped journal looks the same; a writer at work leaves none for longer than a moment.
 */
export interface JournalFinding extends DamagedRange {
  readonly kind: 'damaged' | 'missing' | 'unfinished'
  /** One sentence. */
  readonly message: string
}

export interface JournalReport {
  /** In the order of the journal; empty when all is well. */
  readonly findings: readonly JournalFinding[]
  readonly segmentCount: number
  /** Intact records. */
  readonly recordCount: number
  readonly judgedBytes: number
  readonly nextSequenceNo: number
  /** Hash of the last record, 32 zero bytes when there is none; undefined when that record is not intact. */
  readonly tipHash: Uint8Array | undefined
}

/** @throws JournalError UNSUPPORTED_VERSION; whatever reading the files throws. */
export async function verifyJournal(options: VerifyJournalOptions): Promise<JournalReport> {
  const { directory, fileSystem, clock = createSystemClock() } = options
  const firstNumbers = await listSegments(directory, fileSystem)
  const paths = firstNumbers.map((first) => `${directory}/${segmentName(first)}`)
  const totalBytes = await sizeOf(paths, fileSystem)
  const findings: JournalFinding[] = []
  await judgeRedo(directory, fileSystem, (finding) => findings.push(finding))
  let judgedBytes = 0
  let recordCount = 0
  let nextSequenceNo = 0
  let tipHash: Uint8Array | undefined = new Uint8Array(hashBytesSize)
  for (const [i, path] of paths.entries()) {
    const judge = new SegmentJudge({
      file: await fileSystem.open(path, 'read'),
      path,
      firstSequenceNo: firstNumbers[i] as number,
      nextFirstSequenceNo: firstNumbers[i + 1],
      clock,
      readPatches: () => patchesOf(firstNumbers[i] as number, directory, fileSystem),
      onFinding: (finding) => findings.push(finding),
      onRecord(record) {
        recordCount++
        options.onRecord?.(record)
      },
      onBytes(bytes) {
        judgedBytes += bytes
        options.onProgress?.({ file: path, judgedBytes, totalBytes })
      },
    })
    const end = await judge.run(nextSequenceNo, tipHash)
    nextSequenceNo = end.nextSequenceNo
    tipHash = end.tipHash
  }
  const segmentCount = paths.length
  return { findings, segmentCount, recordCount, judgedBytes, nextSequenceNo, tipHash }
}

/** What a redo file holds for one segment. It may come and go beside a running writer, and is written whole. */
export async function patchesOf(
  firstSequenceNo: number,
  directory: string,
  fileSystem: FileSystem,
): Promise<readonly Patch[]> {
  const redo = await readRedo(directory, fileSystem).catch(noRedo)
  return redo?.firstSequenceNo === firstSequenceNo ? redo.patches : []
}

function noRedo(error: unknown): undefined {
  if (error instanceof JournalError && error.code === 'DAMAGED') return undefined
  throw error
}

/** The opening refuses a journal whose redo file is not intact: what it was to make whole may be torn. */
async function judgeRedo(
  directory: string,
  fileSystem: FileSystem,
  onFinding: (finding: JournalFinding) => void,
): Promise<void> {
  try {
    await readRedo(directory, fileSystem)
  } catch (error) {
    if (!(error instanceof JournalError && error.data.code === 'DAMAGED')) throw error
    const { file, startOffset, endOffset, startSequenceNo, endSequenceNo } = error.data
    const range = { file, startOffset, endOffset, startSequenceNo, endSequenceNo }
    onFinding({ kind: 'damaged', ...range, message: error.shortMessage })
  }
}

async function sizeOf(paths: readonly string[], fileSystem: FileSystem): Promise<number> {
  let size = 0
  for (const path of paths) {
    const file = await fileSystem.open(path, 'read')
    size += file.sizeSync()
    await file.close()
  }
  return size
}
