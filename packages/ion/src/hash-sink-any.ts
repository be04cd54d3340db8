/** Ion hash output over any hash function. Plain and slow: for conformance vectors and other algorithms. */
import { compareBytes } from '@cairn/core'
import { HashSink } from './hash-sink.ts'

export class AnyHashSink extends HashSink {
  readonly start = 0
  readonly #hash: (bytes: Uint8Array) => Uint8Array
  readonly #digests: Uint8Array[] = []

  constructor(hash: (bytes: Uint8Array) => Uint8Array) {
    super()
    this.#hash = hash
  }

  openStruct(): number {
    return this.#digests.length
  }

  closeField(start: number): void {
    this.#digests.push(this.#hash(this.bytes.subarray(start, this.size)))
    this.size = start
  }

  closeStruct(mark: number): void {
    for (const digest of this.#digests.splice(mark).sort(compareBytes)) {
      this.writeEscaped(digest, 0, digest.length)
    }
  }
}
