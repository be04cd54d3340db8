/**
 * Judges one segment for verify.ts: every byte belongs to the header, to an intact frame that continues the one before
 * it, to the footer or to the zeros of the last segment, or is named in a finding.
 */
import { createHash, type Hash } from 'node:crypto'
import { type Clock, equalBytes, type OpenFile } from '@cairn/core'
import { JournalError } from './errors.ts'
import type { JournalRecord } from './journal.ts'
import { hashSegment } from './overwrite.ts'
import type { Patch } from './redo-file.ts'
import {
  alignUp,
  footerBytesSize,
  frameHeaderBytesSize,
  headerBytesSize,
  type SegmentFooter,
  type SegmentHeader,
} from './segment-format.ts'
import { nonZeroEnd, readHeader, readUpToEnd, SegmentReader } from './segment-reader.ts'
import type { JournalFinding } from './verify.ts'

export interface SegmentJudgeOptions {
  /** Closed when the segment is judged. */
  readonly file: OpenFile
  readonly path: string
  readonly firstSequenceNo: number
  /** Of the next segment; undefined for the last one. */
  readonly nextFirstSequenceNo: number | undefined
  readonly clock: Clock
  /** What the redo file has for this segment by now: a process that ended, or one at work, is overwriting it. */
  readonly readPatches: () => Promise<readonly Patch[]>
  readonly onFinding: (finding: JournalFinding) => void
  readonly onRecord: (record: JournalRecord) => void
  readonly onBytes: (bytes: number) => void
}

/** Where a segment ends. The hash is undefined when the last record is not intact. */
export interface SegmentEnd {
  readonly nextSequenceNo: number
  readonly tipHash: Uint8Array | undefined
}

/** Between two turns for the rest of the process. */
const stepBytesMax = 4 * 1024 * 1024
/** How often an unfinished end is looked at before it is believed. A running writer's write takes less than a pause. */
const lookCountMax = 5
const pauseMs = 20

export class SegmentJudge {
  readonly #options: SegmentJudgeOptions
  readonly #file: OpenFile
  readonly #isLast: boolean
  readonly #sha256: Hash = createHash('sha256')
  #findingCount = 0
  #offset = headerBytesSize
  #reportedOffset = 0
  #next = 0
  #groupFirstSequenceNo = -1
  #tipHash: Uint8Array | undefined

  constructor(options: SegmentJudgeOptions) {
    this.#options = options
    this.#file = options.file
    this.#isLast = options.nextFirstSequenceNo === undefined
  }

  /** @param expectedNo, previousHash Where the segment before ends. */
  async run(expectedNo: number, previousHash: Uint8Array | undefined): Promise<SegmentEnd> {
    try {
      this.#tipHash = previousHash
      const header = this.#judgeHeader(expectedNo)
      if (header !== undefined) {
        const reader = new SegmentReader(this.#file, header)
        reader.patchWith(await this.#options.readPatches())
        await this.#judgeFrames(reader)
      }
      await this.#step(Math.max(this.#offset, this.#file.sizeSync()))
      return { nextSequenceNo: this.#next, tipHash: this.#tipHash }
    } finally {
      await this.#file.close()
    }
  }

  #find(
    kind: JournalFinding['kind'],
    startOffset: number,
    endOffset: number,
    endSequenceNo: number,
    message: string,
    startSequenceNo: number = this.#next,
  ): void {
    this.#findingCount++
    const range = { startOffset, endOffset, startSequenceNo, endSequenceNo }
    this.#options.onFinding({ kind, file: this.#options.path, ...range, message })
  }

  async #step(offset: number): Promise<void> {
    this.#options.onBytes(offset - this.#reportedOffset)
    this.#reportedOffset = offset
    await new Promise((resolve) => setImmediate(resolve))
  }

  // The header

  /** The header, or one made up from the first frame when only the header is broken. */
  #judgeHeader(expectedNo: number): SegmentHeader | undefined {
    const { firstSequenceNo, path } = this.#options
    this.#next = firstSequenceNo
    if (firstSequenceNo > expectedNo) {
      this.#find('missing', 0, 0, firstSequenceNo, 'Records before it are missing.', expectedNo)
      this.#tipHash = undefined
    }
    const header = readHeader(this.#file)
    if (typeof header === 'number') {
      throw new JournalError(
        { code: 'UNSUPPORTED_VERSION', file: path, version: header },
        {
          shortMessage: 'The journal was written by a newer version.',
          metaMessages: [`File: ${path}`, `Format: ${header}`, 'Verify with that version.'],
        },
      )
    }
    if (header?.firstSequenceNo !== firstSequenceNo) return this.#withoutHeader()
    const isLinked = this.#tipHash === undefined || equalBytes(header.previousHash, this.#tipHash)
    if (firstSequenceNo < expectedNo || !isLinked) {
      const message = 'The segment does not continue the one before it.'
      this.#find('damaged', 0, headerBytesSize, firstSequenceNo, message)
    }
    this.#tipHash = header.previousHash
    this.#hashBytes(0, headerBytesSize)
    return header
  }

  #withoutHeader(): SegmentHeader | undefined {
    const isUnwritten = nonZeroEnd(this.#file, headerBytesSize) === headerBytesSize
    if (this.#isLast && isUnwritten) {
      const end = nonZeroEnd(this.#file, 0)
      const message = 'The segment was being made and has no record yet.'
      if (end > 0) this.#find('unfinished', 0, end, this.#next, message)
      return undefined
    }
    const message = 'The header of the segment is not intact.'
    this.#find('damaged', 0, headerBytesSize, this.#next, message)
    // The salt stands in every frame too, so the frames can be judged without the header.
    const frame = new Uint8Array(frameHeaderBytesSize)
    readUpToEnd(this.#file, frame, headerBytesSize)
    const salt = frame.slice(8, 16)
    const { firstSequenceNo, nextFirstSequenceNo } = this.#options
    const header = { salt, firstSequenceNo, previousHash: frame.slice(64, 96) }
    if (new SegmentReader(this.#file, header).readFrame(headerBytesSize)) return header
    const endNo = nextFirstSequenceNo ?? this.#next
    const size = this.#file.sizeSync()
    const advice = 'Without its header and first record the rest of the segment cannot be judged.'
    this.#find('damaged', headerBytesSize, size, endNo, advice)
    this.#skipTo(size, endNo)
    return undefined
  }

  // Frames

  async #judgeFrames(reader: SegmentReader): Promise<void> {
    for (;;) {
      if (this.#offset - this.#reportedOffset >= stepBytesMax) await this.#step(this.#offset)
      if (reader.readFrame(this.#offset)) {
        this.#judgeFrame(reader)
        continue
      }
      const footer = reader.readFooter(this.#offset)
      if (footer !== undefined) {
        await this.#judgeFooter(footer, reader)
        return
      }
      if (!(await this.#judgeBreak(reader))) return
    }
  }

  /** An intact frame may still not be the one that belongs here. */
  #judgeFrame(reader: SegmentReader): void {
    const { sequenceNo, groupFirstSequenceNo } = reader
    const end = this.#offset + alignUp(reader.length)
    const isOwnGroup =
      groupFirstSequenceNo === sequenceNo || groupFirstSequenceNo === this.#groupFirstSequenceNo
    const isAfterBreak = this.#tipHash === undefined
    const isNext =
      sequenceNo === this.#next &&
      (isAfterBreak || isOwnGroup) &&
      (this.#tipHash === undefined || reader.hasPreviousHash(this.#tipHash))
    if (!isNext) {
      const message = 'A record does not continue the one before it.'
      this.#find('damaged', this.#offset, end, sequenceNo + 1, message, sequenceNo)
    }
    this.#options.onRecord({
      sequenceNo,
      hash: reader.hashView(),
      previousHash: reader.previousHashView(),
      body: reader.bodyView(),
    })
    this.#sha256.update(reader.frameView())
    this.#groupFirstSequenceNo = groupFirstSequenceNo
    this.#tipHash = reader.hashView().slice()
    this.#next = sequenceNo + 1
    this.#offset = end
  }

  /**
   * Nothing intact is at the offset. Answers whether judging goes on there, or behind the break.
   *
   * Beside a running writer the bytes may have come in the meantime. A group is written only after the one before it
   * was synced: when a later group is found, another look at this place must find it intact, else it is damaged.
   * What is being overwritten is in the redo file before it is broken in the segment.
   */
  async #judgeBreak(reader: SegmentReader): Promise<boolean> {
    for (let look = 1; ; look++) {
      const later = this.#isLast
        ? reader.findLaterGroup(this.#offset + 8, this.#next)
        : reader.findIntact(this.#offset + 8, this.#next)
      reader.patchWith(await this.#options.readPatches())
      if (reader.readFrame(this.#offset) || reader.readFooter(this.#offset) !== undefined) {
        return true
      }
      if (later !== undefined) return this.#skipDamage(reader)
      if (!this.#isLast) return this.#skipRest()
      const end = nonZeroEnd(this.#file, this.#offset)
      if (end === this.#offset) return false
      if (look === lookCountMax) {
        const message = 'Bytes behind the last record are no whole record.'
        this.#find('unfinished', this.#offset, end, this.#next, message)
        return false
      }
      await this.#options.clock.sleep(pauseMs)
    }
  }

  #skipDamage(reader: SegmentReader): boolean {
    const place = reader.findIntact(this.#offset + 8, this.#next)
    if (place === undefined) return this.#skipRest()
    const message = 'Bytes are not what was written.'
    this.#find('damaged', this.#offset, place.offset, place.sequenceNo, message)
    this.#skipTo(place.offset, place.sequenceNo)
    return true
  }

  /** Of a segment that has a successor, and so was sealed. */
  #skipRest(): boolean {
    const end = this.#file.sizeSync()
    const endNo = this.#options.nextFirstSequenceNo ?? this.#next
    const message = 'The segment is not intact up to its footer.'
    this.#find('damaged', this.#offset, Math.max(end, this.#offset), endNo, message)
    this.#skipTo(end, endNo)
    return false
  }

  #skipTo(offset: number, sequenceNo: number): void {
    this.#offset = offset
    this.#next = sequenceNo
    this.#tipHash = undefined
    this.#groupFirstSequenceNo = -1
  }

  // The footer

  async #judgeFooter(footer: SegmentFooter, reader: SegmentReader): Promise<void> {
    const { firstSequenceNo } = this.#options
    const end = this.#offset + footerBytesSize
    const endNo = firstSequenceNo + footer.recordCount
    const isRight =
      endNo === this.#next &&
      (this.#tipHash === undefined || equalBytes(footer.lastHash, this.#tipHash))
    if (!isRight) {
      const message = 'The footer does not fit the records before it.'
      this.#find('damaged', this.#offset, end, Math.max(endNo, this.#next), message)
    }
    // After a finding the hash cannot be right; it would only say so again.
    const isWhole = this.#findingCount > 0 || equalBytes(footer.sha256, this.#sha256.digest())
    if (!isWhole && !(await this.#isWholeByNow(reader))) {
      const message = 'The segment is not what was sealed, though each record is intact by itself.'
      this.#find('damaged', 0, this.#offset, this.#next, message, firstSequenceNo)
    }
    const size = this.#file.sizeSync()
    // A crash may have come between the footer and the cutting of the file.
    const tailEnd = this.#isLast ? nonZeroEnd(this.#file, end) : size
    if (tailEnd > end) {
      this.#find('damaged', end, tailEnd, this.#next, 'Bytes follow the footer.')
    }
    this.#tipHash = footer.lastHash
    this.#offset = end
  }

  /** Beside a running writer the segment may have been overwritten between its frames and its footer. */
  async #isWholeByNow(reader: SegmentReader): Promise<boolean> {
    const end = this.#offset
    for (let look = 1; look <= lookCountMax; look++) {
      const patches = await this.#options.readPatches()
      reader.patchWith(patches)
      const footer = reader.readFooter(end)
      const { after } = await hashSegment(this.#file, end, patches)
      if (footer !== undefined && equalBytes(footer.sha256, after)) return true
      if (look < lookCountMax) await this.#options.clock.sleep(pauseMs)
    }
    return false
  }

  #hashBytes(offset: number, size: number): void {
    const bytes = new Uint8Array(size)
    readUpToEnd(this.#file, bytes, offset)
    this.#sha256.update(bytes)
  }
}
