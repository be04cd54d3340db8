/**
 * Ion hash of a value that is written piece by piece: for values of a known shape that are hashed with every block,
 * such as metadata. No tree of values is built, and pieces that come again are hashed once. Spec: Ion Hash 1.0.
 */
import { assert } from '@cairn/core'
import { Sha256Sink } from './hash-sink-sha256.ts'
import { checkDepth, nestingDepthMax } from './limits.ts'

/**
 * Writes one value at a time: `begin`, its pieces, `finish`. What an error leaves half written, the next `begin` drops.
 *
 * @example
 * const name = ionHashName('id')
 * const writer = new IonHashWriter()
 * writer.begin()
 * writer.startStruct()
 * writer.startField(name)
 * writer.string('GddsXfIYfDlKCEprOLOwYt')
 * writer.endField()
 * writer.endStruct()
 * const hash = writer.finish() // hashIon(ionRecord({ id: ionString('GddsXfIYfDlKCEprOLOwYt') }))
 */
export class IonHashWriter {
  readonly #sink = new Sha256Sink()
  /** Where the open fields start, the innermost at `#fieldCount - 1`. */
  readonly #fieldStarts = new Int32Array(nestingDepthMax + 1)
  #fieldCount = 0
  /** Containers that are open. */
  #depth = 0

  begin(): void {
    this.#sink.reset()
    this.#fieldCount = 0
    this.#depth = 0
  }

  /** @throws IonError LIMIT */
  startStruct(): void {
    checkDepth(++this.#depth)
    this.#sink.begin(0xd0)
    this.#sink.openStruct()
  }

  endStruct(): void {
    this.#depth--
    this.#sink.closeStruct()
    this.#sink.end()
  }

  /** @param name Its form. */
  startField(name: Uint8Array): void {
    this.#fieldStarts[this.#fieldCount++] = this.#sink.openField()
    this.#sink.writeBytes(name)
  }

  /** A field whose name does not come again. @throws IonError VALUE_INVALID */
  startFieldNamed(name: string): void {
    this.#fieldStarts[this.#fieldCount++] = this.#sink.openField()
    this.#sink.writeSymbol(name)
  }

  endField(): void {
    this.#sink.closeField(this.#fieldStarts[--this.#fieldCount] as number)
  }

  /** A whole field by its digest. */
  fieldDigest(digest: Uint8Array): void {
    this.#sink.addDigest(digest)
  }

  /** @throws IonError LIMIT */
  startList(): void {
    checkDepth(++this.#depth)
    this.#sink.begin(0xb0)
  }

  endList(): void {
    this.#depth--
    this.#sink.end()
  }

  /** @throws IonError VALUE_INVALID */
  string(text: string): void {
    this.#sink.begin(0x80)
    this.#sink.writeEscapedText(text)
    this.#sink.end()
  }

  blob(bytes: Uint8Array): void {
    this.#sink.begin(0xa0)
    this.#sink.writeEscaped(bytes, 0, bytes.length)
    this.#sink.end()
  }

  /** A whole value by its form. */
  form(form: Uint8Array): void {
    this.#sink.writeBytes(form)
  }

  /** @returns the hash of the value, 32 bytes. */
  finish(): Uint8Array {
    assert(
      this.#depth === 0 && this.#fieldCount === 0,
      'a value is hashed when all of it is written',
    )
    return this.#sink.digest()
  }
}
