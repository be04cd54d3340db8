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

/** Serialised values. What is finished lies below `size`; structs lay their fields above it in turn. */
export abstract class HashSink extends ByteSink {
  /** Where text becomes UTF-8 before it is escaped. */
  readonly #scratch = new ByteSink()

  /** Where the first byte of a value lies. */
  abstract readonly start: number

  /** Begins the fields of a struct, behind its first marker. */
  abstract openStruct(): void

  /**
   * Adds a field whose digest is at hand; where it is not, the next `closeField` keeps it.
   * @param name Its form. The field's value lies in `source` from `start` on, `size` bytes long.
   * @returns false when the field is to be written.
   */
  addKnownField(
    _name: Uint8Array,
    _sid: number,
    _source: Uint8Array,
    _start: number,
    _size: number,
  ): boolean {
    return false
  }

  /** Begins a field. @returns what `closeField` wants back. */
  abstract openField(): number

  /** Takes what was written since `openField` off the output and keeps its digest. */
  abstract closeField(start: number): void

  /** Writes the digests of the struct's fields, sorted as bytes first and escaped then. */
  abstract closeStruct(): void

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
}
