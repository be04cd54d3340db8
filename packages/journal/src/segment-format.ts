/**
 * The journal's on-disk format: segment header, frame, footer, file names. Numbers are little-endian and everything
 * starts at a multiple of 8 bytes, so a search for the next intact frame looks at every eighth byte only.
 * Not here: reading files (segment-reader.ts), what a broken frame means (recovery.ts, verify.ts).
 *
 * A segment holds the records from the number in its name on:
 *
 *     0        64                                              end          end + 96
 *     ┌────────┬─────────┬─────────┬─────────┬─ ─ ─ ─┬─────────┬────────────┐
 *     │ header │ frame n │ frame … │ frame … │       │ frame m │ footer     │   sealed: the file ends here
 *     └────────┴─────────┴─────────┴─────────┴─ ─ ─ ─┴─────────┼────────────┘
 *                                                              │ zeros …        last segment: written ahead
 *
 *     header   0  magic "cairnjnl"                    frame    0  checksum u32 of bytes 4 to the padded end
 *              8  version u32                                  4  length u32, without padding
 *             12  checksum u32 of the other 60 bytes           8  salt of the segment
 *             16  salt, 8 random bytes                        16  sequenceNo u64
 *             24  firstSequenceNo u64                         24  groupFirstSequenceNo u64
 *             32  hash before the first record                32  hash
 *             64                                              64  previousHash
 *                                                             96  body
 *     footer   0  checksum u32 of bytes 4 to 96                …  zero to seven zeros
 *              4  0xffffffff, which is no frame's length
 *              8  salt of the segment                  The salt keeps a frame of another segment, or one that a
 *             16  firstSequenceNo u64                  client stored inside a body, from being taken for a frame.
 *             24  recordCount u64                      The group's number tells a torn tail from damage: a group
 *             32  hash of the last record              is only written after the one before it was synced.
 *             64  SHA-256 of bytes 0 to the footer
 */
import { crc32 } from 'node:zlib'
import { assert, hashBytesSize, utf8 } from '@cairn/core'

export const headerBytesSize = 64
export const frameHeaderBytesSize = 96
export const footerBytesSize = 96
export const saltBytesSize = 8
const alignment = 8
const formatVersion = 1
const footerMarker = 0xffff_ffff
const magic = utf8('cairnjnl')
assert(magic.length === 8)

/** Largest body of one record. Bounds what a reader must hold; a ledger's transaction is at most 4 MiB of documents. */
export const recordBytesMax: number = 48 * 1024 * 1024
/** Offsets within a segment are kept in 32 bits (positions.ts). */
export const segmentBytesMax = 0x8000_0000
export const segmentBytesMin = 1024
assert(headerBytesSize + frameHeaderBytesSize + recordBytesMax + footerBytesSize < segmentBytesMax)

/**
 * CRC-32 of IEEE 802.3. Not CRC-32C, which such formats often take for its instruction: zlib's is the one that Node
 * has natively (6.9 GB/s against 0.3-0.5 GB/s for a table of JavaScript), and both find every burst up to 32 bits.
 */
const checksumOf: (bytes: Uint8Array) => number = crc32

export interface SegmentHeader {
  readonly salt: Uint8Array
  readonly firstSequenceNo: number
  /** Hash of the record before the first, zeros in the first segment. */
  readonly previousHash: Uint8Array
}

export interface SegmentFooter {
  readonly recordCount: number
  readonly lastHash: Uint8Array
  readonly sha256: Uint8Array
}

export function alignUp(size: number): number {
  return Math.ceil(size / alignment) * alignment
}

/** Bytes that a record with a body of `bodyBytes` takes in a segment. */
export function frameBytesFor(bodyBytes: number): number {
  return alignUp(frameHeaderBytesSize + bodyBytes)
}

const sequenceNoDigits = 20
const segmentNamePattern = /^(\d{20})\.journal$/

export function segmentName(firstSequenceNo: number): string {
  return `${String(firstSequenceNo).padStart(sequenceNoDigits, '0')}.journal`
}

/** The first record number in a segment's name, or undefined for any other file. */
export function parseSegmentName(name: string): number | undefined {
  const digits = segmentNamePattern.exec(name)?.[1]
  if (digits === undefined) return undefined
  const firstSequenceNo = Number(digits)
  return Number.isSafeInteger(firstSequenceNo) ? firstSequenceNo : undefined
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function setUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true)
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true)
}

/** Above 2^53 the number is rounded; callers compare with numbers that are exact. */
export function getUint64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true)
}

export function encodeHeader(header: SegmentHeader): Uint8Array {
  const out = new Uint8Array(headerBytesSize)
  const view = viewOf(out)
  out.set(magic, 0)
  view.setUint32(8, formatVersion, true)
  out.set(header.salt, 16)
  setUint64(view, 24, header.firstSequenceNo)
  out.set(header.previousHash, 32)
  view.setUint32(12, checksumOf(out), true)
  return out
}

/** The header, the version of a newer format, or undefined when the bytes are no header. */
export function decodeHeader(bytes: Uint8Array): SegmentHeader | number | undefined {
  if (bytes.length < headerBytesSize) return undefined
  const header = bytes.slice(0, headerBytesSize)
  const view = viewOf(header)
  const checksum = view.getUint32(12, true)
  view.setUint32(12, 0, true)
  if (checksumOf(header) !== checksum) return undefined
  for (let i = 0; i < magic.length; i++) if (header[i] !== magic[i]) return undefined
  const version = view.getUint32(8, true)
  if (version !== formatVersion) return version
  return {
    salt: header.slice(16, 16 + saltBytesSize),
    firstSequenceNo: getUint64(view, 24),
    previousHash: header.slice(32, 32 + hashBytesSize),
  }
}

export function encodeFooter(header: SegmentHeader, footer: SegmentFooter): Uint8Array {
  const out = new Uint8Array(footerBytesSize)
  const view = viewOf(out)
  view.setUint32(4, footerMarker, true)
  out.set(header.salt, 8)
  setUint64(view, 16, header.firstSequenceNo)
  setUint64(view, 24, footer.recordCount)
  out.set(footer.lastHash, 32)
  out.set(footer.sha256, 64)
  view.setUint32(0, checksumOf(out.subarray(4)), true)
  return out
}

/** The footer that starts at `offset`, or undefined when there is none of this segment. */
export function decodeFooter(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  header: SegmentHeader,
): SegmentFooter | undefined {
  if (offset + footerBytesSize > bytes.length) return undefined
  if (view.getUint32(offset + 4, true) !== footerMarker) return undefined
  const checked = bytes.subarray(offset + 4, offset + footerBytesSize)
  if (view.getUint32(offset, true) !== checksumOf(checked)) return undefined
  for (let i = 0; i < saltBytesSize; i++) {
    if (bytes[offset + 8 + i] !== header.salt[i]) return undefined
  }
  if (getUint64(view, offset + 16) !== header.firstSequenceNo) return undefined
  return {
    recordCount: getUint64(view, offset + 24),
    lastHash: bytes.slice(offset + 32, offset + 64),
    sha256: bytes.slice(offset + 64, offset + 96),
  }
}

/**
 * Writes one frame at `offset`, padding included. Positional arguments and no result object: this is the hot path.
 * @param view Over the same memory as `bytes`.
 */
export function encodeFrame(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  salt: Uint8Array,
  sequenceNo: number,
  groupFirstSequenceNo: number,
  hash: Uint8Array,
  previousHash: Uint8Array,
  body: Uint8Array,
): void {
  const length = frameHeaderBytesSize + body.length
  const paddedEnd = offset + alignUp(length)
  view.setUint32(offset + 4, length, true)
  bytes.set(salt, offset + 8)
  setUint64(view, offset + 16, sequenceNo)
  setUint64(view, offset + 24, groupFirstSequenceNo)
  bytes.set(hash, offset + 32)
  bytes.set(previousHash, offset + 64)
  bytes.set(body, offset + frameHeaderBytesSize)
  for (let i = offset + length; i < paddedEnd; i++) bytes[i] = 0
  view.setUint32(offset, checksumOf(bytes.subarray(offset + 4, paddedEnd)), true)
}

/** The length field of the frame at `offset`; 0 when no frame can have it. */
export function frameLengthAt(view: DataView, offset: number): number {
  const length = view.getUint32(offset + 4, true)
  return length >= frameHeaderBytesSize && length <= frameHeaderBytesSize + recordBytesMax
    ? length
    : 0
}

/** Whether the salt and the checksum of the frame of `length` bytes at `offset` are right. */
export function isFrameIntact(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  salt: Uint8Array,
): boolean {
  for (let i = 0; i < saltBytesSize; i++) if (bytes[offset + 8 + i] !== salt[i]) return false
  const checked = bytes.subarray(offset + 4, offset + alignUp(length))
  return view.getUint32(offset, true) === checksumOf(checked)
}

export function frameSequenceNo(view: DataView, offset: number): number {
  return getUint64(view, offset + 16)
}

export function frameGroupFirstSequenceNo(view: DataView, offset: number): number {
  return getUint64(view, offset + 24)
}
