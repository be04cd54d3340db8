/**
 * What the two Ion hashes (of values, of binary streams) share: the output with its escapes, and structs.
 * Spec: Ion Hash 1.0. B = 0x0B starts a value, E = 0x0E ends it, ESC = 0x0C stands before each of the three in data.
 */
import { ByteSink } from './byte-sink.ts'
import { IonError } from './errors.ts'
import { writeUtf8 } from './utf8.ts'
import type { SymbolText } from './value.ts'

export const beginMarker = 0x0b
export const escapeMarker = 0x0c
export const endMarker = 0x0e

/**
 * A hash function: digest as a string of one character per byte (code 0 to 255), or of equally long groups. Strings
 * order as their bytes do, so structs sort digests without decoding them.
 */
export type Digester = (bytes: Uint8Array) => string

/** Serialised values. Below `size` lies what is finished; structs use the room above for their fields in turn. */
export class HashSink extends ByteSink {
  /** Where text becomes UTF-8 before it is escaped. */
  readonly #scratch = new ByteSink()
  readonly #digest: Digester

  constructor(digest: Digester) {
    super()
    this.#digest = digest
  }

  /** Marker and type code. */
  begin(typeQualifier: number): void {
    this.reserve(2)
    this.bytes[this.size] = beginMarker
    this.bytes[this.size + 1] = typeQualifier
    this.size += 2
  }

  end(): void {
    this.writeByte(endMarker)
  }

  /**
   * `source` from `start` to `end`, escaped.
   * @returns all bytes or-ed together: above 127 when one of them is no ASCII.
   */
  writeEscaped(source: Uint8Array, start: number, end: number): number {
    this.reserve(2 * (end - start))
    const { bytes } = this
    let { size } = this
    let union = 0
    for (let i = start; i < end; i++) {
      const byte = source[i] as number
      union |= byte
      if (byte >= beginMarker && byte <= endMarker && byte !== 0x0d) bytes[size++] = escapeMarker
      bytes[size++] = byte
    }
    this.size = size
    return union
  }

  writeEscapedText(text: string): void {
    const scratch = this.#scratch
    scratch.reset()
    scratch.reserve(3 * text.length)
    const end = writeUtf8(text, scratch.bytes, 0)
    this.writeEscaped(scratch.bytes, 0, end)
  }

  /**
   * A symbol, which may be a value, a field name or an annotation.
   * @throws IonError SYMBOL_TEXT_UNKNOWN for a symbol of a shared table that is not at hand: two of them would hash
   * alike. Spec: Ion Hash 1.0, "symbol".
   */
  writeSymbol(text: SymbolText): void {
    if (typeof text === 'string') {
      this.begin(0x70)
      this.writeEscapedText(text)
    } else {
      const { importName, importSid } = text
      if (importName !== undefined) {
        throw new IonError(
          { code: 'SYMBOL_TEXT_UNKNOWN', importName, importSid },
          {
            shortMessage: 'A symbol has no known text, so the value has no hash.',
            metaMessages: [`Shared table: ${importName}`, 'Read the value with a catalog.'],
          },
        )
      }
      this.begin(0x71)
    }
    this.end()
  }

  /** Digest of what was written since `start`, which is taken off again. */
  digestFrom(start: number): string {
    const digest = this.#digest(this.bytes.subarray(start, this.size))
    this.size = start
    return digest
  }

  /**
   * The digests of a struct's fields, sorted as bytes and escaped. Sorting comes first: the escapes would change
   * the order.
   */
  writeDigests(digests: string[]): void {
    digests.sort(compareText)
    for (const digest of digests) this.#writeEscapedDigest(digest)
  }

  #writeEscapedDigest(digest: string): void {
    const { length } = digest
    this.reserve(2 * length)
    const { bytes } = this
    let { size } = this
    for (let i = 0; i < length; i++) {
      const byte = digest.charCodeAt(i)
      if (byte >= beginMarker && byte <= endMarker && byte !== 0x0d) bytes[size++] = escapeMarker
      bytes[size++] = byte
    }
    this.size = size
  }
}

/** By UTF-16 units, which for digests are bytes. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
