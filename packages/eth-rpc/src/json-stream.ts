/**
 * Cuts a stream of JSON values, with or without anything between them, into its values: what IPC clients send has no
 * frames. Looks at brackets and strings only; JSON.parse judges the rest.
 */
export class JsonStream {
  readonly #bytesMax: number
  #pieces: Buffer[] = []
  #size = 0
  #depth = 0
  #isInString = false
  #isEscaped = false

  /** @param bytesMax Of one value. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /**
   * @returns the values that are complete now, as text.
   * @throws Error for what is no object or array, or is too large; the stream cannot be understood from there on.
   */
  push(chunk: Buffer): string[] {
    const values: string[] = []
    let start = 0
    for (let i = 0; i < chunk.length; i++) {
      if (!this.#takeByte(chunk[i] as number, this.#depth === 0)) {
        if (this.#depth === 0 && !this.#isInString) start = i + 1
        continue
      }
      this.#pieces.push(chunk.subarray(start, i + 1))
      values.push(Buffer.concat(this.#pieces).toString('utf8'))
      this.#pieces = []
      this.#size = 0
      start = i + 1
    }
    this.#keep(chunk.subarray(start))
    return values
  }

  /** @returns true when the byte ends a value. */
  #takeByte(byte: number, isBetween: boolean): boolean {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === 0x5c) this.#isEscaped = true
      else if (byte === 0x22) this.#isInString = false
      return false
    }
    switch (byte) {
      case 0x7b: // {
      case 0x5b: // [
        this.#depth++
        return false
      case 0x7d: // }
      case 0x5d: // ]
        if (isBetween) throw new Error('a value that was never opened ends')
        this.#depth--
        return this.#depth === 0
      case 0x22: // "
        if (isBetween) throw new Error('neither an object nor an array')
        this.#isInString = true
        return false
      default:
        if (isBetween && !isSpace(byte)) throw new Error('neither an object nor an array')
        return false
    }
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return
    this.#size += rest.length
    if (this.#size > this.#bytesMax) throw new Error(`more than ${this.#bytesMax} bytes`)
    // The socket uses its buffer again.
    this.#pieces.push(Buffer.from(rest))
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
