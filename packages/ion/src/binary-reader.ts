/**
 * Binary Ion 1.0 reader: bytes to values. Spec: Ion "Binary encoding".
 * `BinaryCursor` holds the stream level and the primitive reads, which the hash shares (hash-binary.ts).
 */
import { toHex } from '@cairn/core'
import { binaryError, limitError, valueCountError } from './errors.ts'
import { checkDepth, decimalExponentMax, fractionDigitsMax } from './limits.ts'
import {
  applySymbolTable,
  type IonCatalog,
  ionSymbolTableSid,
  isLocalSymbolTable,
  type SymbolTable,
  systemTable,
} from './symbol-table.ts'
import { findTable, keepTable } from './table-cache.ts'
import { makeTimestamp, timestampFault } from './timestamp.ts'
import { decodeUtf8 } from './utf8.ts'
import {
  type Annotations,
  type IonDecimal,
  type IonField,
  type IonInt,
  type IonNull,
  type IonTimestamp,
  type IonType,
  type IonValue,
  ionBlob,
  ionBool,
  ionClob,
  ionFloat,
  ionList,
  ionNegativeZero,
  ionNull,
  ionSexp,
  ionString,
  ionStruct,
  ionSymbol,
  noAnnotations,
  type SymbolText,
  type TimestampPrecision,
} from './value.ts'

/** Type of null by type code; codes 2 and 3 are both int. */
export const nullTypes: readonly IonType[] = [
  'null',
  'bool',
  'int',
  'int',
  'float',
  'decimal',
  'timestamp',
  'symbol',
  'string',
  'clob',
  'blob',
  'list',
  'sexp',
  'struct',
]
// Values without content are the same objects in every result: nobody writes into values.
const sharedNulls: readonly IonNull[] = nullTypes.map((of) => ionNull(of))
const sharedTrue = ionBool(true)
const sharedFalse = ionBool(false)
const zeroFields = { year: 0, month: 1, day: 1, hour: 0, minute: 0 }

/**
 * Every value of a binary Ion stream, in order.
 * @param catalog Shared symbol tables, where the stream imports some.
 * @throws IonError
 */
export function decodeIonAll(bytes: Uint8Array, catalog?: IonCatalog): IonValue[] {
  const reader = new BinaryReader(bytes, catalog)
  const values: IonValue[] = []
  while (reader.seekValue()) values.push(reader.readTopLevel())
  return values
}

/**
 * The one value of a binary Ion stream.
 * @throws IonError
 * @example
 * ```ts
 * const document = decodeIon(encodeIon(ionRecord({ VIN: ionString('1N4AL11D75C109151') })))
 * ```
 */
export function decodeIon(bytes: Uint8Array): IonValue {
  const reader = new BinaryReader(bytes, undefined)
  if (!reader.seekValue()) throw valueCountError(0)
  const value = reader.readTopLevel()
  if (reader.seekValue()) throw valueCountError(2)
  return value
}

/** A place in a binary stream and the symbol table in force there. */
export class BinaryCursor {
  readonly bytes: Uint8Array
  readonly end: number
  pos = 0
  table: SymbolTable = systemTable
  /** Where the annotations end whose wrapper `readWrapperStart` read last. */
  annotationsEnd = 0
  readonly #catalog: IonCatalog | undefined

  constructor(bytes: Uint8Array, catalog: IonCatalog | undefined) {
    // A Node Buffer has another hidden class; one class keeps the reads below monomorphic.
    this.bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.length
    this.#catalog = catalog
    if (this.end < 4 || bytes[0] !== 0xe0) {
      throw binaryError(0, 'The bytes do not start with the Ion 1.0 version marker.')
    }
  }

  /**
   * Moves to the next value that belongs to the user, past version markers, symbol tables and padding.
   * @returns false at the end of the stream.
   */
  seekValue(): boolean {
    while (this.pos < this.end) {
      const start = this.pos
      const descriptor = this.bytes[start] as number
      const type = descriptor >> 4
      if (descriptor === 0xe0) {
        this.#readVersionMarker()
      } else if (type === 0 && descriptor !== 0x0f) {
        this.pos++
        this.pos = this.readEnd(descriptor & 15, this.end)
      } else if (type === 7 && descriptor !== 0x7f) {
        // `$ion_1_0` as a symbol at the top level means nothing (spec, "Ion Version Markers").
        this.pos++
        const valueEnd = this.readEnd(descriptor & 15, this.end)
        if (this.table.textOf(this.readSymbolId(valueEnd)) !== '$ion_1_0') {
          this.pos = start
          return true
        }
        this.pos = valueEnd
      } else if (type !== 14 || !this.#skipSymbolTable()) {
        return true
      }
    }
    return false
  }

  #readVersionMarker(): void {
    const { bytes, pos } = this
    if (bytes[pos + 1] !== 1 || bytes[pos + 2] !== 0 || bytes[pos + 3] !== 0xea) {
      throw binaryError(pos, 'The version marker is not that of Ion 1.0.')
    }
    this.pos = pos + 4
    this.table = systemTable
  }

  /** Takes over the local symbol table at `pos`; false, and nothing moved, when the value there is none. */
  #skipSymbolTable(): boolean {
    const start = this.pos
    const wrapperEnd = this.readWrapperStart()
    const firstSid = this.readVarUint(wrapperEnd)
    if (firstSid !== ionSymbolTableSid && this.table.textOf(firstSid) !== '$ion_symbol_table') {
      this.pos = start
      return false
    }
    const isFirst = this.table === systemTable
    const known = isFirst ? findTable(this.bytes, start, wrapperEnd) : undefined
    if (known !== undefined) {
      this.table = known
      this.pos = wrapperEnd
      return true
    }
    const reader = new BinaryReader(this.bytes, undefined)
    reader.pos = start
    reader.table = this.table
    const value = reader.readTopLevel()
    if (!isLocalSymbolTable(value)) {
      this.pos = start
      return false
    }
    this.table = applySymbolTable(value, this.table, this.#catalog)
    this.pos = reader.pos
    if (isFirst && !this.table.hasImports) keepTable(this.bytes, start, wrapperEnd, this.table)
    return true
  }

  /** Reads an annotation wrapper up to its first annotation; answers where the wrapper ends. */
  readWrapperStart(): number {
    const start = this.pos
    const low = (this.bytes[start] as number) & 15
    if (low < 3 || low === 15)
      throw binaryError(start, 'An annotation wrapper cannot have that length.')
    this.pos++
    const wrapperEnd = this.readEnd(low, this.end)
    const annotationsSize = this.readVarUint(wrapperEnd)
    if (annotationsSize === 0) throw binaryError(start, 'An annotation wrapper has no annotation.')
    if (annotationsSize >= wrapperEnd - this.pos) {
      throw binaryError(start, 'An annotation wrapper has no room for its value.')
    }
    this.annotationsEnd = this.pos + annotationsSize
    return wrapperEnd
  }

  /** Where the value ends whose type descriptor has this low nibble (not 15); never beyond `end`. */
  readEnd(low: number, end: number): number {
    const length = low === 14 ? this.readVarUint(end) : low
    if (length > end - this.pos) {
      throw binaryError(this.pos, 'A value is longer than the bytes that hold it.')
    }
    return this.pos + length
  }

  readVarUint(end: number): number {
    const { bytes } = this
    let { pos } = this
    if (pos >= end) throw this.truncated()
    let byte = bytes[pos++] as number
    let value = byte & 0x7f
    while (byte < 0x80) {
      if (pos >= end) throw this.truncated()
      byte = bytes[pos++] as number
      value = value * 0x80 + (byte & 0x7f)
      if (value > Number.MAX_SAFE_INTEGER) {
        throw limitError('VarUInt', value, Number.MAX_SAFE_INTEGER, 'A VarUInt is too large.')
      }
    }
    this.pos = pos
    return value
  }

  /** A VarInt; negative zero is -0. */
  readVarInt(end: number): number {
    const { bytes } = this
    let { pos } = this
    if (pos >= end) throw this.truncated()
    let byte = bytes[pos++] as number
    const isNegative = (byte & 0x40) !== 0
    let value = byte & 0x3f
    while (byte < 0x80) {
      if (pos >= end) throw this.truncated()
      byte = bytes[pos++] as number
      value = value * 0x80 + (byte & 0x7f)
      if (value > Number.MAX_SAFE_INTEGER) {
        throw limitError('VarInt', value, Number.MAX_SAFE_INTEGER, 'A VarInt is too large.')
      }
    }
    this.pos = pos
    return isNegative ? -value : value
  }

  /** An unsigned integer that fills the bytes from `pos` to `end`. */
  readMagnitude(end: number): number | bigint {
    const { bytes } = this
    let { pos } = this
    while (pos < end && bytes[pos] === 0) pos++
    this.pos = end
    if (end - pos <= 7) {
      let value = 0
      for (let i = pos; i < end; i++) value = value * 0x100 + (bytes[i] as number)
      // Seven bytes may pass 2^53; rounding is monotonic, so the comparison still decides rightly.
      if (value <= Number.MAX_SAFE_INTEGER) return value
    }
    return BigInt(`0x${toHex(bytes.subarray(pos, end))}`)
  }

  readSymbolId(end: number): number {
    const sid = this.readMagnitude(end)
    if (typeof sid === 'number') return sid
    throw binaryError(end, 'A symbol id is too large.')
  }

  /** A 32- or 64-bit float that fills the bytes from `pos` to `end`; none at all is 0e0. */
  readFloat(end: number): number {
    const { bytes, pos } = this
    const size = end - pos
    this.pos = end
    if (size === 0) return 0
    if (size !== 8 && size !== 4) throw binaryError(pos, 'A float has 0, 4 or 8 bytes.')
    const view = new DataView(bytes.buffer, bytes.byteOffset + pos, size)
    return size === 8 ? view.getFloat64(0) : view.getFloat32(0)
  }

  truncated(): Error {
    return binaryError(this.pos, 'The bytes end within a value.')
  }
}

/** Builds values. The depth counts the containers around a value. */
export class BinaryReader extends BinaryCursor {
  readTopLevel(): IonValue {
    const value = this.#read(this.end, 0, noAnnotations)
    // seekValue stops at values only; a wrapper refuses padding.
    if (value === undefined) throw binaryError(this.pos, 'Padding stands in place of a value.')
    return value
  }

  /** The value at `pos`, or undefined for padding, which is skipped. */
  #read(end: number, depth: number, annotations: Annotations): IonValue | undefined {
    const start = this.pos
    const descriptor = this.bytes[start] as number
    const type = descriptor >> 4
    const low = descriptor & 15
    if (type === 14) return this.#readAnnotated(end, depth)
    if (type === 15) throw binaryError(start, 'Type code 15 is reserved.')
    this.pos = start + 1
    if (low === 15) {
      if (annotations.length > 0) return ionNull(nullTypes[type] as IonType, annotations)
      return sharedNulls[type]
    }
    if (type === 1) return this.#bool(start, low, annotations)
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
        return undefined
      case 2:
        return int(this.readMagnitude(valueEnd), annotations)
      case 3: {
        const magnitude = this.readMagnitude(valueEnd)
        if (magnitude === 0) throw binaryError(start, 'An int is a negative zero.')
        return int(-magnitude, annotations)
      }
      case 4:
        return ionFloat(this.readFloat(valueEnd), annotations)
      case 5:
        return this.readDecimal(valueEnd, annotations)
      case 6:
        return this.readTimestamp(start, valueEnd, annotations)
      case 7:
        return ionSymbol(this.table.textOf(this.readSymbolId(valueEnd)), annotations)
      case 8:
        this.pos = valueEnd
        return ionString(decodeUtf8(this.bytes, pos, valueEnd), annotations)
      case 9:
        this.pos = valueEnd
        return ionClob(this.bytes.slice(pos, valueEnd), annotations)
      case 10:
        this.pos = valueEnd
        return ionBlob(this.bytes.slice(pos, valueEnd), annotations)
      case 11:
        return ionList(this.#values(valueEnd, depth + 1), annotations)
      case 12:
        return ionSexp(this.#values(valueEnd, depth + 1), annotations)
      default:
        if (low === 1 && length === 0) throw binaryError(start, 'An ordered struct is empty.')
        return ionStruct(this.#fields(valueEnd, depth + 1), annotations)
    }
  }

  #bool(start: number, low: number, annotations: Annotations): IonValue {
    if (low > 1) throw binaryError(start, 'A bool has no such length.')
    if (annotations.length > 0) return ionBool(low === 1, annotations)
    return low === 1 ? sharedTrue : sharedFalse
  }

  #readAnnotated(end: number, depth: number): IonValue {
    const start = this.pos
    const wrapperEnd = this.readWrapperStart()
    if (wrapperEnd > end) throw binaryError(start, 'A value is longer than the bytes that hold it.')
    const { annotationsEnd } = this
    const annotations: SymbolText[] = []
    while (this.pos < annotationsEnd) {
      annotations.push(this.table.textOf(this.readVarUint(annotationsEnd)))
    }
    const descriptor = this.bytes[this.pos] as number
    if (descriptor >> 4 === 14) throw binaryError(this.pos, 'An annotation wrapper holds another.')
    const value = this.#read(wrapperEnd, depth, annotations)
    if (value === undefined) throw binaryError(start, 'An annotation wrapper holds padding.')
    if (this.pos !== wrapperEnd) {
      throw binaryError(start, 'An annotation wrapper is longer than its value.')
    }
    return value
  }

  #values(end: number, depth: number): IonValue[] {
    checkDepth(depth)
    const values: IonValue[] = []
    while (this.pos < end) {
      const value = this.#read(end, depth, noAnnotations)
      if (value !== undefined) values.push(value)
    }
    return values
  }

  #fields(end: number, depth: number): IonField[] {
    checkDepth(depth)
    const fields: IonField[] = []
    while (this.pos < end) {
      const sid = this.readVarUint(end)
      if (this.pos >= end) throw this.truncated()
      const value = this.#read(end, depth, noAnnotations)
      // The name of padding means nothing and need not be defined.
      if (value !== undefined) fields.push({ name: this.table.textOf(sid), value })
    }
    return fields
  }

  readDecimal(end: number, annotations: Annotations): IonDecimal {
    let exponent = 0
    if (this.pos < end) exponent = this.readVarInt(end) + 0
    if (Math.abs(exponent) > decimalExponentMax) {
      const what = 'The exponent of a decimal is too large.'
      throw limitError('decimalExponentMax', exponent, decimalExponentMax, what)
    }
    const isNegative = this.pos < end && ((this.bytes[this.pos] as number) & 0x80) !== 0
    const magnitude = this.#signedMagnitude(end)
    if (magnitude === 0n && isNegative) return ionNegativeZero(exponent, annotations)
    return {
      type: 'decimal',
      coefficient: isNegative ? -magnitude : magnitude,
      exponent,
      isNegativeZero: false,
      annotations,
    }
  }

  /** The magnitude of an Int, whose top bit is a sign, from `pos` to `end`. */
  #signedMagnitude(end: number): bigint {
    const { bytes, pos } = this
    if (end - pos <= 6) {
      let value = pos < end ? (bytes[pos] as number) & 0x7f : 0
      for (let i = pos + 1; i < end; i++) value = value * 0x100 + (bytes[i] as number)
      this.pos = end
      return BigInt(value)
    }
    const copy = bytes.slice(pos, end)
    copy[0] = (copy[0] as number) & 0x7f
    this.pos = end
    return BigInt(`0x${toHex(copy)}`)
  }

  readTimestamp(start: number, end: number, annotations: Annotations): IonTimestamp {
    const offset = this.readVarInt(end)
    const fields = { ...zeroFields, year: this.readVarUint(end) }
    let precision: TimestampPrecision = 'year'
    let second = 0
    let fractionDigits = 0
    let fractionCoefficient = 0n
    if (this.pos < end) {
      precision = 'month'
      fields.month = this.readVarUint(end)
    }
    if (this.pos < end) {
      precision = 'day'
      fields.day = this.readVarUint(end)
    }
    if (this.pos < end) {
      precision = 'minute'
      fields.hour = this.readVarUint(end)
      fields.minute = this.readVarUint(end)
    }
    if (this.pos < end) {
      precision = 'second'
      second = this.readVarUint(end)
    }
    if (this.pos < end) {
      const exponent = this.readVarInt(end)
      const isNegative = this.pos < end && ((this.bytes[this.pos] as number) & 0x80) !== 0
      fractionCoefficient = this.#signedMagnitude(end)
      fractionDigits = fractionDigitsOf(start, exponent, fractionCoefficient, isNegative)
    }
    // An offset says nothing below minute precision and is dropped there (ion-tests, timestampSuperfluousOffset).
    const hasTime = precision === 'minute' || precision === 'second'
    const offsetMinutes = hasTime && !Object.is(offset, -0) ? offset : undefined
    const fault = timestampFault(fields, second, offsetMinutes)
    if (fault !== undefined) throw binaryError(start, `A timestamp is out of range: ${fault}.`)
    return makeTimestamp(
      precision,
      offsetMinutes,
      fields,
      second,
      fractionDigits,
      fractionCoefficient,
      annotations,
    )
  }
}

/** Digits after the second, checked: the fraction lies between 0 and 1, and a zero without digits is none. */
export function fractionDigitsOf(
  start: number,
  exponent: number,
  coefficient: bigint,
  isNegative: boolean,
): number {
  if (coefficient === 0n && exponent >= 0) return 0
  const digits = -exponent
  if (digits > fractionDigitsMax) {
    const what = 'The fraction of a second has too many digits.'
    throw limitError('fractionDigitsMax', digits, fractionDigitsMax, what)
  }
  if (coefficient !== 0n && (isNegative || digits <= 0 || coefficient >= 10n ** BigInt(digits))) {
    throw binaryError(start, 'The fraction of a second is not between 0 and 1.')
  }
  return digits
}

function int(value: number | bigint, annotations: Annotations): IonInt {
  return { type: 'int', value, annotations }
}
