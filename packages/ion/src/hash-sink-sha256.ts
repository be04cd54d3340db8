/**
 * Ion hash output over SHA-256, built for speed. Most of an Ion hash is the digests of short struct fields, so the
 * fields of a struct wait where they were written, padded, until four can be hashed together (core, sha256-lanes.ts).
 * A 413-byte document with 25 fields takes 7.2 µs; one by one it took 11 to 18, ion-hash-js takes 170 to 430.
 */
import {
  assert,
  blockBytesSize,
  createSha256Lanes,
  laneCount,
  lanesDataStart,
  type Sha256Lanes,
  sha256,
  sha256Latin1,
} from '@cairn/core'
import { FieldDigests } from './field-digests.ts'
import { beginMarker, endMarker, escapeMarker, HashSink } from './hash-sink.ts'
import { nestingDepthMax } from './limits.ts'

/**
 * Holds a list of documents as large as a transaction may be; what is larger moves to ordinary memory and hashes its
 * fields one by one, which takes twice the time. Pages that are never written cost nothing.
 */
const memoryBytesSize = 2 * 1024 * 1024
/**
 * Longest field that waits for others: one block. Four fields of one block take 0.36 µs together and 0.2 each alone. Of
 * two blocks they take 0.72 against 0.84, and lose when one of them is short; with length the platform's code wins,
 * which uses the processor's SHA instructions.
 */
const waitingBytesMax = blockBytesSize - 9
/**
 * Views over what is hashed alone are kept up to this length, one per slot, since values of one shape lie at the same
 * places: 0.05 µs and 100 bytes less for each. The length fits into the low bits of a key.
 */
const keptViewBytesMax = 511
const keptViewCount = 512
/** Each open struct leaves at most three fields waiting below the ones of the struct inside it. */
const waitingCountMax = laneCount * (nestingDepthMax + 1)
const wordsPerDigest = 8
/** Above this number of fields, sorting by insertion is slower than the sort of the engine. */
const insertionCountMax = 64

assert(memoryBytesSize * (keptViewBytesMax + 1) < 2 ** 31, 'the key of a view is an int32')

export class Sha256Sink extends HashSink {
  readonly start: number = lanesDataStart
  readonly #lanes: Sha256Lanes | undefined = createSha256Lanes(memoryBytesSize)
  // Of each open struct: where its digests shall go, its first waiting field, its first digest.
  readonly #structStarts = new Int32Array(nestingDepthMax + 1)
  readonly #firstWaiting = new Int32Array(nestingDepthMax + 1)
  readonly #firstDigests = new Int32Array(nestingDepthMax + 1)
  /** Index of the innermost open struct in the three arrays; -1 when none is open. */
  #depth = -1
  /** Fields that wait: where they start and how long they are. */
  readonly #waitingStarts = new Int32Array(waitingCountMax)
  readonly #waitingLengths = new Int32Array(waitingCountMax)
  /** And which slot of `#known` their digest goes to, -1 for none. */
  readonly #waitingSlots = new Int32Array(waitingCountMax)
  readonly #waitingTickets = new Int32Array(waitingCountMax)
  readonly #waitingNames: (Uint8Array | undefined)[] = []
  #waitingCount = 0
  readonly #known = new FieldDigests()
  /** Of the field that is being written, as of the waiting ones. */
  #slot = -1
  #ticket = 0
  #name: Uint8Array | undefined
  /** Digests of all open structs, eight numbers each; numbers order as bytes do. */
  #digests = new Uint32Array(64 * wordsPerDigest)
  #digestCount = 0
  /** Positions in `#digests`, while a struct is sorted. */
  #order = new Uint32Array(64)
  /** Views over the memory, and their keys: the start of each above its length. */
  readonly #views: (Uint8Array | undefined)[] = new Array(keptViewCount).fill(undefined)
  readonly #viewKeys = new Int32Array(keptViewCount)

  constructor() {
    super()
    const lanes = this.#lanes
    if (lanes === undefined) return
    for (let lane = 0; lane < laneCount; lane++) {
      // A lane without a message of its own hashes what some other left behind, and nobody looks.
      lanes.arguments[lanes.pointerIndex + lane] = lanesDataStart
      lanes.arguments[lanes.countIndex + lane] = 1
    }
  }

  override reset(): void {
    if (this.#lanes === undefined) super.reset()
    else this.bytes = this.#lanes.bytes
    this.reserve(this.start)
    this.size = this.start
    this.#depth = -1
    this.#waitingCount = 0
    this.#digestCount = 0
    this.#slot = -1
  }

  openStruct(): void {
    const depth = ++this.#depth
    this.#structStarts[depth] = this.size
    this.#firstWaiting[depth] = this.#waitingCount
    this.#firstDigests[depth] = this.#digestCount
  }

  override addKnownField(
    name: Uint8Array,
    sid: number,
    source: Uint8Array,
    start: number,
    size: number,
  ): boolean {
    const slot = this.#known.find(name, sid, source, start, size)
    if (slot >= 0) {
      this.#reserveDigests(1)
      this.#known.copyDigest(slot, this.#digests, this.#digestCount++ * wordsPerDigest)
      return true
    }
    this.#slot = ~slot
    this.#ticket = this.#known.reserve(~slot, source, start, size)
    this.#name = name
    return false
  }

  openField(): number {
    // Fields start on a multiple of four, so that their padding is written as numbers.
    const start = (this.size + 3) & ~3
    this.reserve(start - this.size)
    this.size = start
    return start
  }

  closeField(start: number): void {
    const length = this.size - start
    const end = start + blockBytesSize
    const lanes = this.#lanes
    const slot = this.#slot
    this.#slot = -1
    if (
      length > waitingBytesMax ||
      lanes === undefined ||
      this.bytes !== lanes.bytes ||
      end > this.bytes.length
    ) {
      this.#digestNow(start, length)
      if (slot >= 0) this.#keep(slot, this.#ticket, this.#name, this.#digestCount - 1)
      this.size = start
      return
    }
    const index = this.#waitingCount++
    this.#waitingStarts[index] = start
    this.#waitingLengths[index] = length
    this.#waitingSlots[index] = slot
    if (slot >= 0) {
      this.#waitingTickets[index] = this.#ticket
      this.#waitingNames[index] = this.#name
    }
    this.size = end
    const base = this.#firstWaiting[this.#depth] as number
    if (this.#waitingCount - base === laneCount) this.#digestWaiting(lanes, base)
  }

  #keep(slot: number, ticket: number, name: Uint8Array | undefined, index: number): void {
    assert(name !== undefined, 'a field is kept with its name')
    this.#known.fill(slot, ticket, name, this.#digests, index * wordsPerDigest)
  }

  #keepWaiting(waiting: number, index: number): void {
    const slot = this.#waitingSlots[waiting] as number
    if (slot < 0) return
    const ticket = this.#waitingTickets[waiting] as number
    this.#keep(slot, ticket, this.#waitingNames[waiting], index)
  }

  closeStruct(): void {
    const depth = this.#depth--
    const base = this.#firstWaiting[depth] as number
    if (this.#waitingCount > base && this.#lanes !== undefined) {
      this.#digestWaiting(this.#lanes, base)
    }
    this.size = this.#structStarts[depth] as number
    const first = this.#firstDigests[depth] as number
    const count = this.#digestCount - first
    this.#sort(first, count)
    this.reserve(2 * 4 * wordsPerDigest * count)
    for (let i = 0; i < count; i++) this.#writeDigest(this.#order[i] as number)
    this.#digestCount = first
  }

  /** Adds a field to the innermost struct by its digest of 32 bytes. */
  addDigest(digest: Uint8Array): void {
    this.#reserveDigests(1)
    const at = this.#digestCount++ * wordsPerDigest
    for (let word = 0; word < wordsPerDigest; word++) {
      const i = 4 * word
      this.#digests[at + word] =
        ((digest[i] as number) << 24) |
        ((digest[i + 1] as number) << 16) |
        ((digest[i + 2] as number) << 8) |
        (digest[i + 3] as number)
    }
  }

  /** SHA-256 of what was written since `reset`. */
  digest(): Uint8Array {
    return sha256(this.#view(this.start, this.size - this.start))
  }

  /** SHA-256 of finished output between two places, such as one element of a list. */
  digestOf(start: number, end: number): Uint8Array {
    return sha256(this.#view(start, end - start))
  }

  #view(start: number, length: number): Uint8Array {
    if (length > keptViewBytesMax || this.bytes !== this.#lanes?.bytes) {
      return this.bytes.subarray(start, start + length)
    }
    const key = start * (keptViewBytesMax + 1) + length
    const slot = ((start << 3) + length) & (keptViewCount - 1)
    const kept = this.#views[slot]
    if (kept !== undefined && this.#viewKeys[slot] === key) return kept
    const view = this.bytes.subarray(start, start + length)
    this.#views[slot] = view
    this.#viewKeys[slot] = key
    return view
  }

  /** Hashes the waiting fields from `base` on, those of the innermost struct, and takes them off the output. */
  #digestWaiting(lanes: Sha256Lanes, base: number): void {
    const count = this.#waitingCount - base
    this.#waitingCount = base
    this.size = this.#waitingStarts[base] as number
    if (count === 1) {
      this.#digestNow(this.size, this.#waitingLengths[base] as number)
      this.#keepWaiting(base, this.#digestCount - 1)
      return
    }
    for (let lane = 0; lane < count; lane++) {
      const start = this.#waitingStarts[base + lane] as number
      pad(lanes, start, this.#waitingLengths[base + lane] as number)
      lanes.arguments[lanes.pointerIndex + lane] = start
    }
    lanes.run(1)
    this.#reserveDigests(count)
    const { words, stateIndex } = lanes
    const digests = this.#digests
    let at = this.#digestCount * wordsPerDigest
    for (let lane = 0; lane < count; lane++) {
      for (let word = 0; word < wordsPerDigest; word++) {
        digests[at++] = words[stateIndex + laneCount * word + lane] as number
      }
    }
    for (let lane = 0; lane < count; lane++) this.#keepWaiting(base + lane, this.#digestCount++)
  }

  #digestNow(start: number, length: number): void {
    this.#reserveDigests(1)
    const digest = sha256Latin1(this.#view(start, length))
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
      const value = (digests[position + word] as number) | 0
      // Zero bytes of `probe` are bytes from 0x08 to 0x0F of `value`; without any, nothing needs an escape.
      const probe = (value & 0xf8f8_f8f8) ^ 0x0808_0808
      if (((probe - 0x0101_0101) & ~probe & 0x8080_8080) === 0) {
        bytes[size] = value >>> 24
        bytes[size + 1] = (value >>> 16) & 0xff
        bytes[size + 2] = (value >>> 8) & 0xff
        bytes[size + 3] = value & 0xff
        size += 4
      } else {
        size = writeEscapedWord(value, bytes, size)
      }
    }
    this.size = size
  }
}

function writeEscapedWord(value: number, bytes: Uint8Array, offset: number): number {
  let size = offset
  for (let shift = 24; shift >= 0; shift -= 8) {
    const byte = (value >>> shift) & 0xff
    if (byte >= beginMarker && byte <= endMarker && byte !== 0x0d) bytes[size++] = escapeMarker
    bytes[size++] = byte
  }
  return size
}

/**
 * Pads a message of one block that starts on a multiple of four: a one bit, zeros, the length in bits, of which two
 * bytes suffice here. FIPS 180-4, 5.1.1.
 */
function pad(lanes: Sha256Lanes, start: number, length: number): void {
  const { bytes, words } = lanes
  const messageEnd = start + length
  const end = start + blockBytesSize
  bytes[messageEnd] = 0x80
  bytes[messageEnd + 1] = 0
  bytes[messageEnd + 2] = 0
  bytes[messageEnd + 3] = 0
  for (let i = (messageEnd + 4) >> 2; i < end >> 2; i++) words[i] = 0
  bytes[end - 2] = length >> 5
  bytes[end - 1] = (length << 3) & 0xff
}
