/** The bytes of a body that comes in pieces. Grows with what came: a length that was only announced costs nothing. */
import { emptyBytes } from '@cairn/core'

const firstBytesSize = 16 * 1024

export class BodyBuffer {
  #bytes: Uint8Array = emptyBytes
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @param sizeMax What the body will have at most; no more room is taken. */
  append(piece: Uint8Array, sizeMax: number): void {
    const size = this.#size + piece.length
    if (size > this.#bytes.length) {
      const room = Math.max(size, 2 * this.#bytes.length, firstBytesSize)
      const bytes = Buffer.allocUnsafeSlow(Math.min(room, Math.max(size, sizeMax)))
      bytes.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = bytes
    }
    this.#bytes.set(piece, this.#size)
    this.#size = size
  }

  /** What was appended, for the caller to keep. The buffer is empty afterwards. */
  take(): Uint8Array {
    const body = this.#bytes.subarray(0, this.#size)
    this.clear()
    return body
  }

  clear(): void {
    this.#bytes = emptyBytes
    this.#size = 0
  }
}
