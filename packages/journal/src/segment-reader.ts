/**
 * Reads one segment file in large chunks: its header, frame after frame, its footer, and the search for what is
 * intact behind a broken place. Judges frames one by one; what a broken one means is for recovery.ts and verify.ts.
 */
import { hashBytesSize, type OpenFile } from '@cairn/core'
import { shortRead } from './errors.ts'
import { type Patch, patchBytes } from './redo-file.ts'
import {
  alignUp,
  decodeFooter,
  decodeHeader,
  footerBytesSize,
  frameGroupFirstSequenceNo,
  frameHeaderBytesSize,
  frameLengthAt,
  frameSequenceNo,
  headerBytesSize,
  isFrameIntact,
  type SegmentFooter,
  type SegmentHeader,
  viewOf,
} from './segment-format.ts'

/** One read system call per chunk: 1 MiB is past the point where larger ones are faster. */
const chunkBytesSize = 1024 * 1024

/**
 * Fills `buffer` from `position`, up to the end of the file; answers how many bytes. Taking a failed read for the end
 * of the file would make acknowledged records look torn, and recovery puts zeros where it finds a torn tail.
 * @throws JournalError SHORT_READ
 */
export function readUpToEnd(file: OpenFile, buffer: Uint8Array, position: number): number {
  // Asked for before and after: meanwhile another process may be writing more, or cutting the zeros off the end.
  const sizeBefore = file.sizeSync()
  const count = file.readSync(buffer, position)
  if (count === buffer.length) return count
  const size = Math.min(sizeBefore, file.sizeSync())
  const wanted = Math.min(buffer.length, Math.max(0, size - position))
  if (count < wanted) throw shortRead(position, wanted, count)
  return count
}

export function readHeader(file: OpenFile): SegmentHeader | number | undefined {
  const bytes = new Uint8Array(headerBytesSize)
  return readUpToEnd(file, bytes, 0) === headerBytesSize ? decodeHeader(bytes) : undefined
}

/** The footer at the very end of the file, where a sealed segment has it. */
export function readFooterAtEnd(file: OpenFile, header: SegmentHeader): SegmentFooter | undefined {
  const offset = file.sizeSync() - footerBytesSize
  if (offset < headerBytesSize || offset !== alignUp(offset)) return undefined
  const bytes = new Uint8Array(footerBytesSize)
  if (readUpToEnd(file, bytes, offset) !== footerBytesSize) return undefined
  return decodeFooter(bytes, viewOf(bytes), 0, header)
}

/** What the search behind a broken place found first. */
export interface IntactPlace {
  readonly offset: number
  /** Number of the frame, or of the record after the footer's last. */
  readonly sequenceNo: number
  /** Of a footer: the number after its last record, since it was written after the last group was synced. */
  readonly groupFirstSequenceNo: number
}

/** A moving window over the file. `seek` answers where in `bytes` a file offset lies. */
export class SegmentReader {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = viewOf(this.bytes)
  /** Of the frame that `readFrame` found: where it starts in `bytes` and its fields. */
  start = 0
  length = 0
  sequenceNo = 0
  groupFirstSequenceNo = 0
  readonly #file: OpenFile
  readonly #header: SegmentHeader
  readonly #keepsViews: boolean
  #chunkOffset = 0
  /** Bytes that stand in the redo file and not, or not whole, in the segment. */
  #patches: readonly Patch[] = []

  /** @param keepsViews Each chunk gets fresh memory, so that views into it stay valid. */
  constructor(file: OpenFile, header: SegmentHeader, keepsViews = false) {
    this.#file = file
    this.#header = header
    this.#keepsViews = keepsViews
  }

  /** Makes `size` bytes from `offset` available; their index in `bytes`, or -1 when the file ends before. */
  seek(offset: number, size: number): number {
    const index = offset - this.#chunkOffset
    if (index >= 0 && index + size <= this.bytes.length) return index
    const left = this.#file.sizeSync() - offset
    if (left < size) return -1
    const wanted = Math.max(size, Math.min(chunkBytesSize, left))
    const isReusable = !this.#keepsViews && this.bytes.buffer.byteLength >= wanted
    const buffer = isReusable ? new Uint8Array(this.bytes.buffer) : new Uint8Array(wanted)
    const count = readUpToEnd(this.#file, buffer, offset)
    if (this.#patches.length > 0) patchBytes(buffer, offset, this.#patches)
    this.bytes = buffer.subarray(0, count)
    this.view = viewOf(this.bytes)
    this.#chunkOffset = offset
    return size <= count ? 0 : -1
  }

  /** Forgets what was read, so that the next look sees what is in the file by then. */
  refresh(): void {
    this.bytes = this.bytes.subarray(0, 0)
  }

  /** From the next look on, the segment reads as it will be when the patches are in it. */
  patchWith(patches: readonly Patch[]): void {
    this.#patches = patches
    this.refresh()
  }

  /** Whether an intact frame of this segment starts at `offset`; its fields are then in place. */
  readFrame(offset: number): boolean {
    let index = this.seek(offset, frameHeaderBytesSize)
    if (index < 0) return false
    const length = frameLengthAt(this.view, index)
    if (length === 0) return false
    index = this.seek(offset, alignUp(length))
    if (index < 0 || !isFrameIntact(this.bytes, this.view, index, length, this.#header.salt)) {
      return false
    }
    this.start = index
    this.length = length
    this.sequenceNo = frameSequenceNo(this.view, index)
    this.groupFirstSequenceNo = frameGroupFirstSequenceNo(this.view, index)
    return true
  }

  hasPreviousHash(hash: Uint8Array): boolean {
    const at = this.start + 64
    for (let i = 0; i < hashBytesSize; i++) if (this.bytes[at + i] !== hash[i]) return false
    return true
  }

  hashView(): Uint8Array {
    return this.bytes.subarray(this.start + 32, this.start + 64)
  }

  previousHashView(): Uint8Array {
    return this.bytes.subarray(this.start + 64, this.start + 96)
  }

  bodyView(): Uint8Array {
    return this.bytes.subarray(this.start + frameHeaderBytesSize, this.start + this.length)
  }

  frameView(): Uint8Array {
    return this.bytes.subarray(this.start, this.start + alignUp(this.length))
  }

  readFooter(offset: number): SegmentFooter | undefined {
    const index = this.seek(offset, footerBytesSize)
    return index < 0 ? undefined : decodeFooter(this.bytes, this.view, index, this.#header)
  }

  /**
   * The first intact frame or footer from `offset` on whose group began after record `sequenceNo`, which only a group
   * written after that record was synced can have; undefined when there is none up to the end of the file.
   */
  findLaterGroup(offset: number, sequenceNo: number): IntactPlace | undefined {
    return this.#find(offset, (place) => place.groupFirstSequenceNo > sequenceNo)
  }

  /** The first intact frame or footer from `offset` on that is not before record `sequenceNo`. */
  findIntact(offset: number, sequenceNo: number): IntactPlace | undefined {
    return this.#find(offset, (place) => place.sequenceNo >= sequenceNo)
  }

  #find(from: number, isWanted: (place: IntactPlace) => boolean): IntactPlace | undefined {
    const salt = viewOf(this.#header.salt)
    const low = salt.getUint32(0, true)
    const high = salt.getUint32(4, true)
    const end = this.#file.sizeSync() - footerBytesSize
    for (let offset = alignUp(from); offset <= end; offset += 8) {
      const index = this.seek(offset, footerBytesSize)
      if (index < 0) return undefined
      if (this.view.getUint32(index + 8, true) !== low) continue
      if (this.view.getUint32(index + 12, true) !== high) continue
      const place = this.#placeAt(offset)
      if (place !== undefined && isWanted(place)) return place
    }
    return undefined
  }

  #placeAt(offset: number): IntactPlace | undefined {
    const footer = this.readFooter(offset)
    if (footer !== undefined) {
      const sequenceNo = this.#header.firstSequenceNo + footer.recordCount
      // One above: the footer was written after the group of every record before it was synced.
      return { offset, sequenceNo, groupFirstSequenceNo: sequenceNo + 1 }
    }
    if (!this.readFrame(offset)) return undefined
    const { sequenceNo, groupFirstSequenceNo } = this
    return { offset, sequenceNo, groupFirstSequenceNo }
  }
}

/** Memory compare (Buffer.equals) against zeros in pieces of this size, byte by byte only where they differ. */
const zeroPieceBytesSize = 64 * 1024
const zeroPiece = Buffer.alloc(zeroPieceBytesSize)

/** The offset behind the last byte that is not zero in [`from`, end of file), or `from` when all are zero. */
export function nonZeroEnd(file: OpenFile, from: number): number {
  const piece = Buffer.alloc(zeroPieceBytesSize)
  let end = from
  for (let offset = from; ; offset += zeroPieceBytesSize) {
    const count = readUpToEnd(file, piece, offset)
    if (!piece.subarray(0, count).equals(zeroPiece.subarray(0, count))) {
      let last = count - 1
      while (piece[last] === 0) last--
      end = offset + last + 1
    }
    if (count < zeroPieceBytesSize) return end
  }
}
