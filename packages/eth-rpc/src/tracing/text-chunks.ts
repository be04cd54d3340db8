/**
 * Text that grows by small pieces to many megabytes, outside of what the garbage collector walks through: kept as
 * strings, the pieces of a long trace take more time than running it.
 */

const chunkBytes = 1024 * 1024

export class TextChunks {
  readonly #full: Buffer[] = []
  #chunk: Buffer = Buffer.alloc(0)
  #size = 0

  /** @param text ASCII only. */
  append(text: string): void {
    if (this.#size + text.length > this.#chunk.length) {
      if (this.#size > 0) this.#full.push(this.#chunk.subarray(0, this.#size))
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, text.length))
      this.#size = 0
    }
    this.#size += this.#chunk.write(text, this.#size, 'latin1')
  }

  toString(): string {
    const chunks = [...this.#full, this.#chunk.subarray(0, this.#size)]
    return chunks.map((chunk) => chunk.toString('latin1')).join('')
  }
}
