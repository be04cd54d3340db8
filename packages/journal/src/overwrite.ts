/**
 * Puts other bodies of the same length in place of those of records that are on the disk, so that what a record said
 * can be taken out of it: hashes, numbers, links and lengths stay, checksums and the footer follow.
 *
 *     redo file written and synced → frames and footer written, synced → redo file removed
 *
 * A crash at any step leaves all old, or a redo file from which the opening makes all new.
 */
import { createHash } from 'node:crypto'
import { assert, equalBytes, type FileSystem, type Logger, type OpenFile } from '@cairn/core'
import { damaged } from './errors.ts'
import type { JournalRecord } from './journal.ts'
import {
  applyPatches,
  encodeRedo,
  type Patch,
  patchBytes,
  type Redo,
  readRedo,
  redoFileName,
  removeRedo,
} from './redo-file.ts'
import type { Segment } from './segment.ts'
import {
  encodeFooter,
  encodeFrame,
  footerBytesSize,
  frameBytesFor,
  frameGroupFirstSequenceNo,
  parseSegmentName,
  segmentName,
  viewOf,
} from './segment-format.ts'
import { readFooterAtEnd, readHeader, readUpToEnd } from './segment-reader.ts'

/** Of one segment that are replaced at one time: bounds the redo file. A single larger one is taken alone. */
export const overwrittenBytesMax: number = 16 * 1024 * 1024
/** Between two turns for the rest of the process; 1 MiB is hashed in about 1 ms. */
const hashedBytesPerTurn = 1024 * 1024

export interface Overwritten {
  readonly record: JournalRecord
  /** Of the frame in its segment. */
  readonly offset: number
}

/**
 * What has to be written to replace frames of one segment: the frames, and the footer of a sealed one.
 * @throws JournalError DAMAGED when a sealed segment is not what was sealed: a new footer would hide that. SHORT_READ
 */
export async function patchesFor(
  segment: Segment,
  overwritten: readonly Overwritten[],
): Promise<readonly Patch[]> {
  const { file, header } = segment
  assert(file !== undefined, 'records that are on the disk are in a file')
  const patches = overwritten.map((item) => framePatch(file, header.salt, item))
  if (!segment.isSealed) return patches
  const footer = readFooterAtEnd(file, header)
  const hashes = await hashSegment(file, segment.end, patches)
  if (footer === undefined || !equalBytes(footer.sha256, hashes.before)) {
    const endOffset = segment.end + footerBytesSize
    const { firstSequenceNo } = header
    const endSequenceNo = firstSequenceNo + segment.recordCount
    const records = { startSequenceNo: firstSequenceNo, endSequenceNo }
    throw damaged(
      { file: segment.path, startOffset: 0, endOffset, ...records },
      'a segment is not what was sealed',
    )
  }
  const bytes = encodeFooter(header, { ...footer, sha256: hashes.after })
  return [...patches, { offset: segment.end, bytes }]
}

function framePatch(file: OpenFile, salt: Uint8Array, { record, offset }: Overwritten): Patch {
  const bytes = new Uint8Array(frameBytesFor(record.body.length))
  readUpToEnd(file, bytes, offset)
  const view = viewOf(bytes)
  const { sequenceNo, hash, previousHash, body } = record
  const groupNo = frameGroupFirstSequenceNo(view, 0)
  encodeFrame(bytes, view, 0, salt, sequenceNo, groupNo, hash, previousHash, body)
  return { offset, bytes }
}

/** SHA-256 over a segment's first `end` bytes as they are, and as they are with `patches`. */
export async function hashSegment(
  file: OpenFile,
  end: number,
  patches: readonly Patch[],
): Promise<{ readonly before: Uint8Array; readonly after: Uint8Array }> {
  const before = createHash('sha256')
  const after = createHash('sha256')
  for (let offset = 0; offset < end; offset += hashedBytesPerTurn) {
    const bytes = new Uint8Array(Math.min(hashedBytesPerTurn, end - offset))
    readUpToEnd(file, bytes, offset)
    before.update(bytes)
    patchBytes(bytes, offset, patches)
    after.update(bytes)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { before: before.digest(), after: after.digest() }
}

/** Writes the redo file. When it fails none is left: it must not be found after the segment has grown or was sealed. */
export async function writeRedo(
  redo: Redo,
  directory: string,
  fileSystem: FileSystem,
): Promise<void> {
  const path = `${directory}/${redoFileName}`
  try {
    await fileSystem.writeFileAtomic(path, encodeRedo(redo))
  } catch (error) {
    if (await fileSystem.exists(path)) await removeRedo(directory, fileSystem)
    throw new RedoNotWritten(error)
  }
}

/** Nothing has changed yet. */
export class RedoNotWritten extends Error {
  override readonly name = 'RedoNotWritten'

  constructor(cause: unknown) {
    super('the redo file could not be written', { cause })
  }
}

/**
 * Finishes what a process that ended was overwriting. Before anything in the journal is judged.
 * @throws JournalError DAMAGED, UNSUPPORTED_VERSION
 */
export async function finishOverwriting(
  directory: string,
  fileSystem: FileSystem,
  logger: Logger,
): Promise<void> {
  const redo = await readRedo(directory, fileSystem)
  if (redo === undefined) return
  const path = `${directory}/${segmentName(redo.firstSequenceNo)}`
  if (await hasSalt(path, redo.salt, fileSystem)) {
    await applyPatches(path, redo.patches, fileSystem)
    logger.log('info', 'journal: finished overwriting records after the process ended', { path })
  }
  await removeRedo(directory, fileSystem)
}

async function hasSalt(path: string, salt: Uint8Array, fileSystem: FileSystem): Promise<boolean> {
  if (!(await fileSystem.exists(path))) return false
  const file = await fileSystem.open(path, 'read')
  try {
    const header = readHeader(file)
    return typeof header === 'object' && Buffer.compare(header.salt, salt) === 0
  } finally {
    await file.close()
  }
}

/**
 * Removes what crashes left beside the segments: bytes of groups that were never confirmed, and unfinished files. They
 * may hold what is being overwritten, and nothing needs them.
 */
export async function removeRemains(directory: string, fileSystem: FileSystem): Promise<void> {
  const names = (await fileSystem.list(directory)).filter(isRemains)
  for (const name of names) await fileSystem.remove(`${directory}/${name}`)
  if (names.length > 0) await fileSystem.syncDirectory(directory)
}

function isRemains(name: string): boolean {
  return parseSegmentName(name) === undefined && /\.torn-|\.tmp$/.test(name)
}
