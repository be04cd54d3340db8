/** Growing buffer for the engine's own records: fixed and variable integers, strings, byte runs. Big-endian. */
import { assert } from '@cairn/core'

const initialBytesSize = 1024

export class ByteWriter {
  #bytes: Uint8Array = new Uint8Array(initialBytesSize)
  #size = 0

  #reserve(size: number): number {
    const offset = this.#size
    const needed = offset + size
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
      grown.set(this.#bytes.subarray(0, offset))
      this.#bytes = grown
    }
    this.#size = needed
    return offset
  }

  u8(value: number): void {
    // Reserving may exchange the buffer, so it comes first.
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
    this.bytes(Buffer.from(text, 'utf8'))
  }

  /** A copy that the caller may keep; the writer is empty afterwards. */
  take(): Uint8Array {
    const out = this.#bytes.slice(0, this.#size)
    this.#size = 0
    return out
  }
}

/** Reads what {@link ByteWriter} wrote. Running over the end throws RangeError: the record was not written by us. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.#offset = offset
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
