/**
 * The engine's own records: fixed and variable integers, strings, byte runs. Big-endian.
 *
 * The writer lays records side by side into slabs and can give out views, so that a record costs no copy and no buffer
 * of its own. A slab lives as long as one of its records: good for records that are soon written away.
 */
import { assert } from '@cairn/core'

/** Some hundred records of one update. */
const slabBytesSize = 64 * 1024
/** A larger record gets a buffer of its own, so that slabs are not half empty. */
const sharedBytesMax = slabBytesSize / 8
/** Up to this length a loop over ASCII text beats the call into native code. */
const loopLengthMax = 100

export class ByteWriter {
  #bytes: Buffer<ArrayBuffer> = newSlab(slabBytesSize)
  /** Where the record being written starts, and where its next byte goes. */
  #start = 0
  #offset = 0

  /** Makes room for `size` bytes and passes them; answers where they start. May exchange the buffer. */
  #reserve(size: number): number {
    if (this.#offset + size > this.#bytes.length) this.#grow(size)
    const offset = this.#offset
    this.#offset = offset + size
    return offset
  }

  #grow(size: number): void {
    const written = this.#bytes.subarray(this.#start, this.#offset)
    const grown = newSlab(Math.max(slabBytesSize, 2 * (written.length + size)))
    grown.set(written)
    this.#bytes = grown
    this.#start = 0
    this.#offset = written.length
  }

  u8(value: number): void {
    const offset = this.#reserve(1)
    this.#bytes[offset] = value
  }

  /** Little groups of 7 bits, the lowest first, the top bit set on all but the last: up to 2^53 - 1. */
  varuint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a varuint is a safe natural number')
    let rest = value
    while (rest >= 128) {
      this.u8((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    this.u8(rest)
  }

  raw(bytes: Uint8Array): void {
    const offset = this.#reserve(bytes.length)
    this.#bytes.set(bytes, offset)
  }

  /** Length as varuint, then the bytes. */
  bytes(bytes: Uint8Array): void {
    this.varuint(bytes.length)
    this.raw(bytes)
  }

  /** Length in UTF-8 bytes as varuint, then the text. */
  text(text: string): void {
    const { length } = text
    if (length <= loopLengthMax) {
      // Room for the length, which is one byte, and the text. Ids, names and most statements are ASCII.
      const start = this.#reserve(1 + length)
      const bytes = this.#bytes
      bytes[start] = length
      if (writeAscii(text, bytes, start + 1)) return
      this.#offset = start
    }
    const size = Buffer.byteLength(text, 'utf8')
    this.varuint(size)
    const offset = this.#reserve(size)
    this.#bytes.write(text, offset, size, 'utf8')
  }

  /** The record in a buffer of its own, which the caller may keep, change and transfer to another thread. */
  take(): Uint8Array<ArrayBuffer> {
    const record = this.#view().slice()
    if (this.#bytes.length > slabBytesSize) this.#beginSlab()
    this.#offset = this.#start
    return record
  }

  /**
   * The record where it lies. The caller keeps it no longer than records live, and neither changes it nor transfers its
   * buffer: its neighbours lie there too. Large ones are copied out.
   */
  takeView(): Uint8Array {
    if (this.#offset - this.#start > sharedBytesMax) return this.take()
    const record = this.#view()
    this.#start = this.#offset
    return record
  }

  #view(): Uint8Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.#bytes
    return new Uint8Array(buffer, byteOffset + this.#start, this.#offset - this.#start)
  }

  #beginSlab(): void {
    this.#bytes = newSlab(slabBytesSize)
    this.#start = 0
  }
}

function newSlab(bytesSize: number): Buffer<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(bytesSize)
}

/** @returns false when `text` is no ASCII; then some of it is written. */
function writeAscii(text: string, out: Uint8Array, offset: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return false
    out[offset + i] = code
  }
  return true
}

/** Reads what {@link ByteWriter} wrote. Running over the end throws RangeError: the record was not written by us. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.#offset = offset
  }

  /** Of the next byte. */
  get offset(): number {
    return this.#offset
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  u8(): number {
    const byte = this.#bytes[this.#offset++]
    if (byte === undefined) throw new RangeError('record ends early')
    return byte
  }

  varuint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.u8()
      value += (byte & 127) * scale
      if (byte < 128) break
      scale *= 128
    }
    if (!Number.isSafeInteger(value)) throw new RangeError('record holds a number out of range')
    return value
  }

  /** A view into the record. */
  rawView(size: number): Uint8Array {
    const end = this.#offset + size
    if (end > this.#bytes.length) throw new RangeError('record ends early')
    const view = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return view
  }

  bytesView(): Uint8Array {
    return this.rawView(this.varuint())
  }

  text(): string {
    const view = this.bytesView()
    return Buffer.from(view.buffer, view.byteOffset, view.length).toString('utf8')
  }
}
