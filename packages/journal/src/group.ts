/** A group: the frames of one write and one fdatasync, encoded one behind the other straight into its buffer. */
import type { JournalError } from './errors.ts'
import type { Segment } from './segment.ts'
import { encodeFrame, frameBytesFor, viewOf } from './segment-format.ts'

/** Most ledgers are idle most of the time; a busy one's buffer doubles up to the bound of a group. */
const bufferBytesAtFirst = 64 * 1024

export class Group {
  readonly segment: Segment
  readonly startOffset: number
  readonly firstSequenceNo: number
  /** Shared by all who append to the group. */
  readonly written: Promise<void>
  resolve: () => void = () => {}
  reject: (error: JournalError) => void = () => {}
  endSequenceNo: number
  used = 0
  buffer: Uint8Array
  #view: DataView
  readonly #bytesMax: number

  constructor(segment: Segment, firstSequenceNo: number, buffer: Uint8Array, bytesMax: number) {
    this.segment = segment
    this.startOffset = segment.end
    this.firstSequenceNo = firstSequenceNo
    this.endSequenceNo = firstSequenceNo
    this.buffer = buffer
    this.#view = viewOf(buffer)
    this.#bytesMax = bytesMax
    this.written = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  get endOffset(): number {
    return this.startOffset + this.used
  }

  /** A frame larger than the bound has a group to itself. */
  hasRoom(frameBytes: number): boolean {
    return this.used + frameBytes <= this.#bytesMax
  }

  add(sequenceNo: number, hash: Uint8Array, previousHash: Uint8Array, body: Uint8Array): void {
    const end = this.used + frameBytesFor(body.length)
    if (end > this.buffer.length) this.#grow(end)
    const { salt } = this.segment.header
    const { buffer, used, firstSequenceNo } = this
    encodeFrame(
      buffer,
      this.#view,
      used,
      salt,
      sequenceNo,
      firstSequenceNo,
      hash,
      previousHash,
      body,
    )
    this.used = end
    this.endSequenceNo = sequenceNo + 1
  }

  bytesView(): Uint8Array {
    return this.buffer.subarray(0, this.used)
  }

  #grow(size: number): void {
    const grown = new Uint8Array(Math.max(size, 2 * this.buffer.length))
    grown.set(this.bytesView())
    this.buffer = grown
    this.#view = viewOf(grown)
  }
}

/** One buffer fills while another is written; more are made when the queue is longer, and not kept. */
const keptCountMax = 2

export class GroupBuffers {
  readonly #kept: Uint8Array[] = []
  readonly #bytesMax: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  take(segment: Segment, firstSequenceNo: number, frameBytes: number): Group {
    const size = Math.max(bufferBytesAtFirst, frameBytes)
    const buffer = this.#kept.pop() ?? new Uint8Array(size)
    return new Group(segment, firstSequenceNo, buffer, this.#bytesMax)
  }

  give(group: Group): void {
    const isKept = this.#kept.length < keptCountMax && group.buffer.length <= this.#bytesMax
    if (isKept) this.#kept.push(group.buffer)
  }
}
