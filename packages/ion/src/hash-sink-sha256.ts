/**
 * Ion hash output over SHA-256, built for speed. Most of an Ion hash is the digests of short struct fields, so the
 * fields of a struct wait where they were written, padded, until four can be hashed together (core, sha256-lanes.ts).
 */
import {
  blockBytesSize,
  createSha256Lanes,
  laneCount,
  lanesDataStart,
  type Sha256Lanes,
  sha256Latin1,
} from '@cairn/core'
import { beginMarker, endMarker, escapeMarker, HashSink } from './hash-sink.ts'
import { nestingDepthMax } from './limits.ts'

/** Holds most documents; a larger one moves to ordinary memory and hashes its fields one by one. */
const memoryBytesSize = 128 * 1024
/**
 * Longest field that waits for others: two blocks. The lanes take as long as their longest message, and on long ones
 * the platform's own code, which uses the processor's SHA instructions, wins.
 */
const waitingBytesMax = 2 * blockBytesSize - 9
/** Each open struct leaves at most three fields waiting below the ones of the struct inside it. */
const waitingCountMax = laneCount * (nestingDepthMax + 1)
const wordsPerDigest = 8
/** Above this number of fields, sorting by insertion is slower than the sort of the engine. */
const insertionCountMax = 64

export class Sha256Sink extends HashSink {
  readonly start: number = lanesDataStart
  readonly #lanes: Sha256Lanes | undefined = createSha256Lanes(memoryBytesSize)
  /** Fields that wait: where they start and how many blocks they have. */
  readonly #waitingStarts = new Int32Array(waitingCountMax)
  readonly #waitingBlocks = new Int32Array(waitingCountMax)
  #waitingCount = 0
  /** Number of waiting fields that belong to structs around the innermost open one. */
  #waitingBase = 0
  /** Digests of all open structs, eight numbers each; numbers order as bytes do. */
  #digests = new Uint32Array(64 * wordsPerDigest)
  #digestCount = 0
  /** Positions in `#digests`, while a struct is sorted. */
  #order = new Uint32Array(64)

  override reset(): void {
    super.reset()
    if (this.#lanes !== undefined) this.bytes = this.#lanes.bytes
    this.reserve(this.start)
    this.size = this.start
    this.#waitingCount = 0
    this.#waitingBase = 0
    this.#digestCount = 0
  }

  openStruct(): number {
    const mark = this.#digestCount * waitingCountMax + this.#waitingBase
    this.#waitingBase = this.#waitingCount
    return mark
  }

  closeField(start: number): void {
    const length = this.size - start
    const blockCount = (length + 9 + blockBytesSize - 1) >> 6
    const end = start + blockCount * blockBytesSize
    const { bytes } = this
    if (
      length > waitingBytesMax ||
      this.#lanes === undefined ||
      bytes !== this.#lanes.bytes ||
      end > bytes.length
    ) {
      this.#digestNow(start, this.size)
      this.size = start
      return
    }
    // FIPS 180-4, 5.1.1: a one bit, zeros, the length in bits, of which two bytes suffice here.
    bytes[start + length] = 0x80
    for (let i = start + length + 1; i < end - 2; i++) bytes[i] = 0
    bytes[end - 2] = length >> 5
    bytes[end - 1] = (length << 3) & 0xff
    this.#waitingStarts[this.#waitingCount] = start
    this.#waitingBlocks[this.#waitingCount] = blockCount
    this.#waitingCount++
    this.size = end
    if (this.#waitingCount - this.#waitingBase === laneCount) this.#digestWaiting(this.#lanes)
  }

  closeStruct(mark: number): void {
    if (this.#waitingCount > this.#waitingBase && this.#lanes !== undefined) {
      this.#digestWaiting(this.#lanes)
    }
    const first = Math.floor(mark / waitingCountMax)
    this.#waitingBase = mark % waitingCountMax
    const count = this.#digestCount - first
    this.#sort(first, count)
    this.reserve(2 * 4 * wordsPerDigest * count)
    for (let i = 0; i < count; i++) this.#writeDigest(this.#order[i] as number)
    this.#digestCount = first
  }

  /** Hashes the waiting fields of the innermost struct and takes them off the output. */
  #digestWaiting(lanes: Sha256Lanes): void {
    const base = this.#waitingBase
    const count = this.#waitingCount - base
    let blockCountMax = 0
    for (let lane = 0; lane < laneCount; lane++) {
      const blockCount = lane < count ? (this.#waitingBlocks[base + lane] as number) : 0
      const start = lane < count ? (this.#waitingStarts[base + lane] as number) : lanesDataStart
      if (blockCount > blockCountMax) blockCountMax = blockCount
      lanes.arguments[lanes.pointerIndex + lane] = start
      lanes.arguments[lanes.countIndex + lane] = blockCount
    }
    lanes.run(blockCountMax)
    this.#reserveDigests(count)
    const { words, stateIndex } = lanes
    const digests = this.#digests
    let at = this.#digestCount * wordsPerDigest
    for (let lane = 0; lane < count; lane++) {
      for (let word = 0; word < wordsPerDigest; word++) {
        digests[at++] = words[stateIndex + laneCount * word + lane] as number
      }
    }
    this.#digestCount += count
    this.#waitingCount = base
    this.size = this.#waitingStarts[base] as number
  }

  #digestNow(start: number, end: number): void {
    this.#reserveDigests(1)
    const digest = sha256Latin1(this.bytes.subarray(start, end))
    const at = this.#digestCount++ * wordsPerDigest
    for (let word = 0; word < wordsPerDigest; word++) {
      const i = 4 * word
      this.#digests[at + word] =
        (digest.charCodeAt(i) << 24) |
        (digest.charCodeAt(i + 1) << 16) |
        (digest.charCodeAt(i + 2) << 8) |
        digest.charCodeAt(i + 3)
    }
  }

  #reserveDigests(count: number): void {
    const needed = (this.#digestCount + count) * wordsPerDigest
    if (needed <= this.#digests.length) return
    const grown = new Uint32Array(2 * needed)
    grown.set(this.#digests)
    this.#digests = grown
  }

  /** Puts the positions of `count` digests from the `first` on into `#order`, sorted. */
  #sort(first: number, count: number): void {
    if (this.#order.length < count) this.#order = new Uint32Array(2 * count)
    const order = this.#order
    if (count > insertionCountMax) {
      for (let i = 0; i < count; i++) order[i] = (first + i) * wordsPerDigest
      order.subarray(0, count).sort((a, b) => this.#compare(a, b))
      return
    }
    const digests = this.#digests
    for (let i = 0; i < count; i++) {
      const position = (first + i) * wordsPerDigest
      const key = digests[position] as number
      let j = i
      while (j > 0) {
        const other = order[j - 1] as number
        const otherKey = digests[other] as number
        if (otherKey < key || (otherKey === key && this.#compare(other, position) <= 0)) break
        order[j] = other
        j--
      }
      order[j] = position
    }
  }

  #compare(a: number, b: number): number {
    for (let word = 0; word < wordsPerDigest; word++) {
      const difference = (this.#digests[a + word] as number) - (this.#digests[b + word] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  /** Writes one digest, escaped; there is room for it. */
  #writeDigest(position: number): void {
    const { bytes } = this
    const digests = this.#digests
    let { size } = this
    for (let word = 0; word < wordsPerDigest; word++) {
      const value = digests[position + word] as number
      for (let shift = 24; shift >= 0; shift -= 8) {
        const byte = (value >>> shift) & 0xff
        if (byte >= beginMarker && byte <= endMarker && byte !== 0x0d) bytes[size++] = escapeMarker
        bytes[size++] = byte
      }
    }
    this.size = size
  }
}
