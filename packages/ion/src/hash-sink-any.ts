/** Ion hash output over any hash function. Plain and slow: for conformance vectors and other algorithms. */
import { compareBytes } from '@cairn/core'
import { HashSink } from './hash-sink.ts'

export class AnyHashSink extends HashSink {
  readonly start = 0
  readonly #hash: (bytes: Uint8Array) => Uint8Array
  /** Of the fields of each open struct. */
  readonly #digests: Uint8Array[][] = []

  constructor(hash: (bytes: Uint8Array) => Uint8Array) {
    super()
    this.#hash = hash
  }

  openStruct(): void {
    this.#digests.push([])
  }

  openField(): number {
    return this.size
  }

  closeField(start: number): void {
    this.#digests.at(-1)?.push(this.#hash(this.bytes.subarray(start, this.size)))
    this.size = start
  }

  closeStruct(): void {
    const digests = this.#digests.pop() ?? []
    for (const digest of digests.sort(compareBytes)) this.writeEscaped(digest, 0, digest.length)
  }
}
