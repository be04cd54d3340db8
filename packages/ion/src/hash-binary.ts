/**
 * Ion hash of a value straight from its binary encoding. No value is built: what the encoding and the hash write
 * alike is copied, what an encoder may write in several ways (padded numbers, 32-bit floats, padding, ordered
 * structs) is brought to its one form. Spec: Ion Hash 1.0.
 */
import { BinaryReader } from './binary-reader.ts'
import { binaryError } from './errors.ts'
import { keptValueBytesMax } from './field-digests.ts'
import type { HashSink } from './hash-sink.ts'
import { serializeValue, writeFloat } from './hash-value.ts'
import { checkDepth } from './limits.ts'
import type { SymbolTable } from './symbol-table.ts'
import { decodeUtf8 } from './utf8.ts'
import { noAnnotations } from './value.ts'

/**
 * A hit costs a quarter of what hashing a field does, a miss that much more: what comes again once in three times is
 * worth looking for. Misses count up, a hit halves them; with this many a field is looked for once in a while only.
 */
const missesMax = 8
/** A prime, since documents of one shape have their fields in one order. */
const sampleInterval = 61
let sampledCount = 0

/** Reads as `BinaryReader` does and writes the serialised form instead of building values. */
export class HashReader extends BinaryReader {
  readonly #out: HashSink

  constructor(bytes: Uint8Array, out: HashSink) {
    super(bytes, undefined)
    this.#out = out
  }

  /** Writes the serialised form of the value at `pos`. */
  serializeTopLevel(): void {
    this.#serialize(this.end, 0)
  }

  /**
   * As `serializeTopLevel`, and tells of each element of a list where its serialised form lies.
   * @returns false when the value is no list, or null or annotated; nothing was read or written then.
   */
  serializeList(onElement: (start: number, end: number) => void): boolean {
    const out = this.#out
    const descriptor = this.bytes[this.pos] as number
    if (descriptor >> 4 !== 11 || descriptor === 0xbf) return false
    this.pos++
    const valueEnd = this.readEnd(descriptor & 15, this.end)
    out.begin(0xb0)
    while (this.pos < valueEnd) {
      const start = out.size
      if (this.#serialize(valueEnd, 1)) onElement(start, out.size)
    }
    out.end()
    return true
  }

  /** @returns false for padding, which is skipped. */
  #serialize(end: number, depth: number): boolean {
    const start = this.pos
    const out = this.#out
    const descriptor = this.bytes[start] as number
    const type = descriptor >> 4
    const low = descriptor & 15
    if (type === 14) {
      this.#serializeAnnotated(end, depth)
      return true
    }
    if (type === 15) throw binaryError(start, 'Type code 15 is reserved.')
    this.pos = start + 1
    if (low === 15) {
      // null.int has one form, whatever sign its code gives.
      out.begin(type === 3 ? 0x2f : descriptor)
      out.end()
      return true
    }
    if (type === 1) {
      if (low > 1) throw binaryError(start, 'A bool has no such length.')
      out.begin(descriptor)
      out.end()
      return true
    }
    let length = low
    if (low === 14 || (low === 1 && type === 13)) length = this.readVarUint(end)
    const pos = this.pos
    if (length > end - pos) {
      throw binaryError(start, 'A value is longer than the bytes that hold it.')
    }
    const valueEnd = pos + length
    switch (type) {
      case 0:
        this.pos = valueEnd
        return false
      case 2:
      case 3:
        this.#serializeInt(start, type, valueEnd)
        return true
      case 4:
        out.begin(0x40)
        writeFloat(this.readFloat(valueEnd), out)
        break
      case 5:
        serializeValue(this.readDecimal(valueEnd, noAnnotations), out, depth)
        return true
      case 6:
        serializeValue(this.readTimestamp(start, valueEnd, noAnnotations), out, depth)
        return true
      case 7:
        this.#serializeSymbol(this.readSymbolId(valueEnd))
        return true
      case 8:
        this.#serializeString(valueEnd)
        break
      case 9:
      case 10:
        out.begin(descriptor & 0xf0)
        out.writeEscaped(this.bytes, pos, valueEnd)
        this.pos = valueEnd
        break
      case 11:
      case 12:
        checkDepth(depth + 1)
        out.begin(descriptor & 0xf0)
        while (this.pos < valueEnd) this.#serialize(valueEnd, depth + 1)
        break
      default:
        if (low === 1 && length === 0) throw binaryError(start, 'An ordered struct is empty.')
        checkDepth(depth + 1)
        this.#serializeFields(valueEnd, depth + 1)
    }
    out.end()
    return true
  }

  #serializeInt(start: number, type: number, end: number): void {
    const { bytes } = this
    let { pos } = this
    while (pos < end && bytes[pos] === 0) pos++
    if (type === 3 && pos === end) throw binaryError(start, 'An int is a negative zero.')
    this.#out.begin(type << 4)
    this.#out.writeEscaped(bytes, pos, end)
    this.#out.end()
    this.pos = end
  }

  #serializeString(end: number): void {
    const { bytes, pos } = this
    this.#out.begin(0x80)
    const union = this.#out.writeEscaped(bytes, pos, end)
    if (union > 127) decodeUtf8(bytes, pos, end)
    this.pos = end
  }

  #serializeAnnotated(end: number, depth: number): void {
    const start = this.pos
    const wrapperEnd = this.readWrapperStart()
    if (wrapperEnd > end) throw binaryError(start, 'A value is longer than the bytes that hold it.')
    const { annotationsEnd } = this
    this.#out.begin(0xe0)
    while (this.pos < annotationsEnd) this.#serializeSymbol(this.readVarUint(annotationsEnd))
    const descriptor = this.bytes[this.pos] as number
    if (descriptor >> 4 === 14) throw binaryError(this.pos, 'An annotation wrapper holds another.')
    if (!this.#serialize(wrapperEnd, depth)) {
      throw binaryError(start, 'An annotation wrapper holds padding.')
    }
    if (this.pos !== wrapperEnd) {
      throw binaryError(start, 'An annotation wrapper is longer than its value.')
    }
    this.#out.end()
  }

  #serializeFields(end: number, depth: number): void {
    const out = this.#out
    out.begin(0xd0)
    out.openStruct()
    while (this.pos < end) {
      const sid = this.readVarUint(end)
      if (this.pos >= end) throw this.truncated()
      if (this.#addKnown(sid, end)) continue
      const descriptor = this.bytes[this.pos] as number
      const start = out.openField()
      // The name of padding means nothing and need not be defined.
      if (descriptor >= 0x0f) this.#serializeSymbol(sid)
      if (this.#serialize(end, depth)) out.closeField(start)
    }
    out.closeStruct()
  }

  /** Passes a field whose digest is known. Fields whose values hardly ever come again are seldom looked for. */
  #addKnown(sid: number, end: number): boolean {
    const { table, pos } = this
    const index = sid - table.firstSid
    const name = table.hashForms[index]
    if (name === undefined) return false
    const { hashMisses } = table
    const misses = hashMisses[index] ?? 0
    if (misses >= missesMax) {
      sampledCount = (sampledCount + 1) % sampleInterval
      if (sampledCount !== 0) return false
    }
    const size = this.#scalarSize(end)
    if (size === 0) return false
    while (hashMisses.length < index) hashMisses.push(0)
    if (!this.#out.addKnownField(name, sid, this.bytes, pos, size)) {
      hashMisses[index] = Math.min(misses + 1, missesMax)
      return false
    }
    hashMisses[index] = misses >> 1
    this.pos = pos + size
    return true
  }

  /** Bytes of the value at `pos` with its descriptor; 0 when it is long, a container or annotated. */
  #scalarSize(end: number): number {
    const { bytes, pos } = this
    const descriptor = bytes[pos] as number
    // Below are the code of padding, above those of containers and annotations.
    if (descriptor < 0x0f || descriptor >= 0xb0) return 0
    const low = descriptor & 15
    let size = 1
    if (low === 14) {
      const length = bytes[pos + 1] as number
      if (length < 0x80) return 0
      size = 2 + (length & 0x7f)
    } else if (low !== 15 && descriptor >= 0x20) size = 1 + low
    return size <= keptValueBytesMax && size <= end - pos ? size : 0
  }

  #serializeSymbol(sid: number): void {
    const { table } = this
    const form = table.hashForms[sid - table.firstSid]
    this.#out.writeBytes(form ?? this.#symbolForm(table, sid))
  }

  /** Serialised form of a symbol, kept with the table: the next document of its shape asks again. */
  #symbolForm(table: SymbolTable, sid: number): Uint8Array {
    const out = this.#out
    const start = out.size
    out.writeSymbol(table.textOf(sid))
    const form = out.bytes.slice(start, out.size)
    out.size = start
    const index = sid - table.firstSid
    if (index >= 0) {
      while (table.hashForms.length < index) table.hashForms.push(undefined)
      table.hashForms[index] = form
    }
    return form
  }
}
