/**
 * What opening a journal does: checks the sealed segments' ends, scans the last segment, cuts a torn tail, refuses
 * damage. Nothing on the disk is changed before everything is judged, but what was being overwritten (overwrite.ts).
 *
 *     frames of the last segment     … │ n-1 │ X: not intact │ … │ m │ …
 *
 * A crash while a group is written may leave any of its sectors behind, so intact frames may follow the broken place X
 * as long as they belong to the group that record n was in. A group is written only after the one before it was synced:
 * an intact frame whose group began after n proves that X was once whole, and acknowledged. That is damage.
 */
import { createHash, type Hash } from 'node:crypto'
import {
  equalBytes,
  type FileSystem,
  hashBytesSize,
  type Logger,
  type OpenFile,
  toHex,
} from '@cairn/core'
import { damaged, JournalError } from './errors.ts'
import { finishOverwriting } from './overwrite.ts'
import { PositionTable } from './positions.ts'
import type { Segment } from './segment.ts'
import {
  alignUp,
  encodeHeader,
  footerBytesSize,
  headerBytesSize,
  parseSegmentName,
  type SegmentHeader,
  segmentName,
} from './segment-format.ts'
import {
  nonZeroEnd,
  readFooterAtEnd,
  readHeader,
  readUpToEnd,
  SegmentReader,
} from './segment-reader.ts'

/** A segment gets its name only when its header is on the disk; before that it is this file. */
export const spareFileName = 'spare.journal'

export interface RecoveredJournal {
  readonly segments: Segment[]
  readonly nextSequenceNo: number
  readonly tipHash: Uint8Array
  /** Over the last segment's written part. */
  readonly sha256: Hash
}

/**
 * Opens every segment and brings the last one into a state that can be appended to.
 * @throws JournalError DAMAGED or UNSUPPORTED_VERSION; the segments opened so far are closed again.
 */
export async function recover(
  directory: string,
  fileSystem: FileSystem,
  logger: Logger,
): Promise<RecoveredJournal> {
  const recovery = new Recovery(directory, fileSystem, logger)
  try {
    return await recovery.run()
  } catch (error) {
    await recovery.closeFiles()
    throw error
  }
}

/** Numbers of the first records of the segments in `directory`, ascending. */
export async function listSegments(
  directory: string,
  fileSystem: FileSystem,
): Promise<readonly number[]> {
  const names = await fileSystem.list(directory)
  return names
    .map(parseSegmentName)
    .filter((firstSequenceNo) => firstSequenceNo !== undefined)
    .sort((a, b) => a - b)
}

class Recovery {
  readonly #directory: string
  readonly #fileSystem: FileSystem
  readonly #logger: Logger
  readonly #segments: Segment[] = []
  #tipHash: Uint8Array = new Uint8Array(hashBytesSize)
  #nextSequenceNo = 0
  #sha256: Hash = createHash('sha256')

  constructor(directory: string, fileSystem: FileSystem, logger: Logger) {
    this.#directory = directory
    this.#fileSystem = fileSystem
    this.#logger = logger
  }

  async run(): Promise<RecoveredJournal> {
    await finishOverwriting(this.#directory, this.#fileSystem, this.#logger)
    const firstNumbers = await listSegments(this.#directory, this.#fileSystem)
    for (let i = 0; i < firstNumbers.length; i++) {
      const firstSequenceNo = firstNumbers[i] as number
      if (i < firstNumbers.length - 1) await this.#openSealed(firstSequenceNo)
      else await this.#openLast(firstSequenceNo)
    }
    await this.#removeSpare()
    // A name that an earlier process made may still be in memory only.
    await this.#fileSystem.syncDirectory(this.#directory)
    return {
      segments: this.#segments,
      nextSequenceNo: this.#nextSequenceNo,
      tipHash: this.#tipHash,
      sha256: this.#sha256,
    }
  }

  async closeFiles(): Promise<void> {
    for (const segment of this.#segments) await segment.file?.close()
  }

  async #removeSpare(): Promise<void> {
    const path = this.#pathOf(spareFileName)
    if (await this.#fileSystem.exists(path)) await this.#fileSystem.remove(path)
  }

  #pathOf(name: string): string {
    return `${this.#directory}/${name}`
  }

  async #openFile(name: string, mode: 'read' | 'durable'): Promise<OpenFile> {
    return await this.#fileSystem.open(this.#pathOf(name), mode)
  }

  #addSegment(file: OpenFile, header: SegmentHeader): Segment {
    const name = segmentName(header.firstSequenceNo)
    const segment: Segment = {
      name,
      path: this.#pathOf(name),
      header,
      file,
      end: headerBytesSize,
      recordCount: 0,
      positions: undefined,
      isSealed: false,
      isOverwritten: false,
    }
    this.#segments.push(segment)
    return segment
  }

  /** Header and footer only; the bytes between are for verifyJournal. */
  async #openSealed(firstSequenceNo: number): Promise<void> {
    const name = segmentName(firstSequenceNo)
    const file = await this.#openFile(name, 'read')
    const header = await this.#checkedHeader(file, firstSequenceNo)
    const segment = this.#addSegment(file, header)
    const footer = readFooterAtEnd(file, header)
    if (footer === undefined) {
      const endOffset = file.sizeSync()
      const startOffset = Math.max(headerBytesSize, endOffset - footerBytesSize)
      const records = { startSequenceNo: firstSequenceNo, endSequenceNo: firstSequenceNo }
      throw damaged(
        { file: segment.path, startOffset, endOffset, ...records },
        'a sealed segment does not end with its footer',
      )
    }
    segment.isSealed = true
    segment.end = file.sizeSync() - footerBytesSize
    segment.recordCount = footer.recordCount
    this.#nextSequenceNo = firstSequenceNo + footer.recordCount
    this.#tipHash = footer.lastHash
  }

  /** Holds the header against the file's name and the end of the segment before it. */
  async #checkedHeader(file: OpenFile, firstSequenceNo: number): Promise<SegmentHeader> {
    try {
      return this.#checkHeader(file, firstSequenceNo)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  #checkHeader(file: OpenFile, firstSequenceNo: number): SegmentHeader {
    const path = this.#pathOf(segmentName(firstSequenceNo))
    const range = { file: path, startOffset: 0, endOffset: headerBytesSize }
    if (firstSequenceNo > this.#nextSequenceNo) {
      const records = { startSequenceNo: this.#nextSequenceNo, endSequenceNo: firstSequenceNo }
      throw damaged({ ...range, ...records }, 'records before this segment are missing')
    }
    const records = { startSequenceNo: firstSequenceNo, endSequenceNo: firstSequenceNo }
    const header = readHeader(file)
    if (typeof header === 'number') {
      throw new JournalError(
        { code: 'UNSUPPORTED_VERSION', file: path, version: header },
        {
          shortMessage: 'The journal was written by a newer version.',
          metaMessages: [`File: ${path}`, `Format: ${header}`, 'Start the version that wrote it.'],
        },
      )
    }
    if (header === undefined || header.firstSequenceNo !== firstSequenceNo) {
      throw damaged({ ...range, ...records }, 'the header of a segment is not intact')
    }
    const isLinked = equalBytes(header.previousHash, this.#tipHash)
    if (firstSequenceNo < this.#nextSequenceNo || !isLinked) {
      throw damaged({ ...range, ...records }, 'a segment does not continue the one before it')
    }
    return header
  }

  async #openLast(firstSequenceNo: number): Promise<void> {
    const name = segmentName(firstSequenceNo)
    const file = await this.#openFile(name, 'durable')
    if (readHeader(file) === undefined && nonZeroEnd(file, headerBytesSize) === headerBytesSize) {
      await file.close()
      await this.#setAsideUnwritten(name)
      return
    }
    const header = await this.#checkedHeader(file, firstSequenceNo)
    await this.#repair(this.#scan(this.#addSegment(file, header), file))
  }

  /** A segment without a header and without a record: a crash came while it was made. It is made again when needed. */
  async #setAsideUnwritten(name: string): Promise<void> {
    const path = this.#pathOf(name)
    this.#logger.log('warn', 'journal: a segment was being made when the process ended', { path })
    await this.#fileSystem.rename(path, await this.#freePath(`${path}.torn-0`))
  }

  /** Reads all frames; answers what has to be done, changes nothing. */
  #scan(segment: Segment, file: OpenFile): Scan {
    const reader = new SegmentReader(file, segment.header)
    const positions = new PositionTable()
    const tipHash = segment.header.previousHash.slice()
    this.#sha256.update(encodeHeader(segment.header))
    let offset = headerBytesSize
    let next = segment.header.firstSequenceNo
    let groupOffset = offset
    let groupFirstSequenceNo = -1
    while (reader.readFrame(offset)) {
      const isNewGroup = reader.groupFirstSequenceNo !== groupFirstSequenceNo
      if (isNewGroup) {
        groupFirstSequenceNo = reader.groupFirstSequenceNo
        groupOffset = offset
      }
      const isNext = reader.sequenceNo === next && reader.hasPreviousHash(tipHash)
      if (!isNext || (isNewGroup && groupFirstSequenceNo !== next)) {
        throw this.#damagedAt(segment, offset, offset + alignUp(reader.length), next, next + 1)
      }
      positions.push(offset, reader.length)
      this.#sha256.update(reader.frameView())
      tipHash.set(reader.hashView())
      offset += alignUp(reader.length)
      next++
    }
    segment.end = offset
    segment.recordCount = positions.count
    segment.positions = positions
    this.#nextSequenceNo = next
    this.#tipHash = tipHash
    const end = this.#judgeEnd(segment, file, reader)
    return { segment, file, groupOffset, ...end }
  }

  /** Tells a sealed end, a clean one and a torn one apart. */
  #judgeEnd(
    segment: Segment,
    file: OpenFile,
    reader: SegmentReader,
  ): { footerEnd: number; tornEnd: number } {
    const { end } = segment
    const next = this.#nextSequenceNo
    const footer = reader.readFooter(end)
    if (footer !== undefined) {
      const footerEnd = end + footerBytesSize
      const isRight =
        footer.recordCount === segment.recordCount &&
        equalBytes(footer.lastHash, this.#tipHash) &&
        equalBytes(footer.sha256, this.#sha256.copy().digest()) &&
        nonZeroEnd(file, footerEnd) === footerEnd
      if (!isRight) throw this.#damagedAt(segment, end, footerEnd, next, next)
      segment.isSealed = true
      return { footerEnd, tornEnd: end }
    }
    const tornEnd = nonZeroEnd(file, end)
    if (tornEnd > end) {
      const later = reader.findLaterGroup(end, next)
      if (later !== undefined) {
        throw this.#damagedAt(segment, end, later.offset, next, later.sequenceNo)
      }
    }
    return { footerEnd: end, tornEnd }
  }

  #damagedAt(
    segment: Segment,
    startOffset: number,
    endOffset: number,
    startSequenceNo: number,
    endSequenceNo: number,
  ): JournalError {
    const range = { file: segment.path, startOffset, endOffset, startSequenceNo, endSequenceNo }
    return damaged(range, 'bytes that were once written and synced are not what they were')
  }

  async #repair(scan: Scan): Promise<void> {
    const { segment, file } = scan
    if (segment.isSealed && file.sizeSync() > scan.footerEnd) await file.truncate(scan.footerEnd)
    if (scan.tornEnd > segment.end) await this.#cutTail(scan)
    // Reading back proves little after a failed fsync: Linux keeps the pages it could not write, marked clean. Only
    // the last group can be concerned, so it is written once more before anybody calls its records durable.
    if (scan.footerEnd > scan.groupOffset) {
      const group = new Uint8Array(scan.footerEnd - scan.groupOffset)
      readUpToEnd(file, group, scan.groupOffset)
      await file.write(group, scan.groupOffset)
    }
    await file.syncData()
  }

  /** Keeps the bytes of the unfinished group beside the segment and puts zeros in their place. */
  async #cutTail({ segment, file, tornEnd }: Scan): Promise<void> {
    const bytes = new Uint8Array(tornEnd - segment.end)
    readUpToEnd(file, bytes, segment.end)
    const savedAs = await this.#freePath(`${segment.path}.torn-${segment.end}`)
    await this.#fileSystem.writeFileAtomic(savedAs, bytes)
    bytes.fill(0)
    await file.write(bytes, segment.end)
    this.#logger.log('warn', 'journal: cut a group that was being written when the process ended', {
      file: segment.path,
      startOffset: segment.end,
      endOffset: tornEnd,
      nextSequenceNo: this.#nextSequenceNo,
      tipHash: toHex(this.#tipHash),
      savedAs,
    })
  }

  async #freePath(path: string): Promise<string> {
    let free = path
    for (let i = 2; await this.#fileSystem.exists(free); i++) free = `${path}-${i}`
    return free
  }
}

interface Scan {
  readonly segment: Segment
  readonly file: OpenFile
  /** Where the last group begins. */
  readonly groupOffset: number
  /** Behind the footer, or behind the last frame when there is none. */
  readonly footerEnd: number
  /** Behind the last byte that is not zero, or the segment's end. */
  readonly tornEnd: number
}
