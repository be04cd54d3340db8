/**
 * Binary Ion 1.0 writer: values to bytes, one encoding per value. Every length and number is minimal, floats have
 * 64 bits (0e0 none), symbols are numbered in order of first use, system symbols keep their own numbers.
 * Spec: Ion "Binary encoding". Shared symbol tables appear only for symbols that a reader could not resolve.
 */
import { concatBytes, SlabAllocator } from '@cairn/core'
import { ByteSink, varUintSize } from './byte-sink.ts'
import { limitError, valueError } from './errors.ts'
import { checkDepth, decimalExponentMax, fractionDigitsMax } from './limits.ts'
import { findNumbers, keepNumbers, noNumbers, SymbolNumbers, shapeOf } from './symbol-numbers.ts'
import { isLocalSymbolTable, localSidMin } from './symbol-table.ts'
import { timestampFault } from './timestamp.ts'
import { writeUtf8 } from './utf8.ts'
import {
  type IonDecimal,
  type IonField,
  type IonStruct,
  type IonTimestamp,
  type IonType,
  type IonValue,
  ionInt,
  ionList,
  ionRecord,
  ionString,
} from './value.ts'

const nullCodes: Readonly<Record<IonType, number>> = {
  null: 0x0f,
  bool: 0x1f,
  int: 0x2f,
  float: 0x4f,
  decimal: 0x5f,
  timestamp: 0x6f,
  symbol: 0x7f,
  string: 0x8f,
  clob: 0x9f,
  blob: 0xaf,
  list: 0xbf,
  sexp: 0xcf,
  struct: 0xdf,
}
const floatView = new DataView(new ArrayBuffer(8))
const floatBytes = new Uint8Array(floatView.buffer)
// Reused by every call: encoding is synchronous and never re-entered, and a fresh buffer of some KB costs more than
// the encoding of a document.
const sink = new ByteSink()
const slabs = new SlabAllocator()

/**
 * One value as a complete Ion stream: version marker, symbol table where one is needed, value. The bytes may be kept;
 * their buffer is shared with others and is not to be transferred.
 * @throws IonError VALUE_INVALID, LIMIT
 */
export function encodeIon(value: IonValue): Uint8Array {
  return encodeIonAll([value])
}

/** Several values as one stream under one symbol table. The bytes as with `encodeIon`. */
export function encodeIonAll(values: readonly IonValue[]): Uint8Array {
  for (const value of values) checkTopLevel(value)
  const shape = shapeOf(values[0])
  const numbers = new SymbolNumbers(findNumbers(shape))
  writeAll(values, numbers)
  const known = numbers.finishedKnown
  const { missingImports } = numbers
  if (missingImports !== undefined) return encodeWithImports(values, missingImports)
  if (known !== undefined) return withPrefix(known.prefix)
  const body = sink.bytes.slice(0, sink.size)
  const prefix = tablePrefix([], numbers.texts)
  keepNumbers(shape, numbers.texts, prefix)
  return concatBytes(prefix, body)
}

/** The stream: `prefix`, then what the sink holds. */
function withPrefix(prefix: Uint8Array): Uint8Array {
  const out = slabs.allocate(prefix.length + sink.size)
  out.set(prefix, 0)
  out.set(sink.bytes.subarray(0, sink.size), prefix.length)
  return out
}

function writeAll(values: readonly IonValue[], numbers: SymbolNumbers): void {
  sink.reset()
  for (const value of values) writeValue(value, numbers, 0)
}

/** Names the shared tables whose symbols the values use, as far as they use them. */
function encodeWithImports(
  values: readonly IonValue[],
  maxIds: ReadonlyMap<string, number>,
): Uint8Array {
  const firstSids = new Map<string, number>()
  let firstSid = localSidMin
  for (const [name, maxId] of maxIds) {
    firstSids.set(name, firstSid)
    firstSid += maxId
  }
  const numbers = new SymbolNumbers(noNumbers, firstSid, firstSids)
  writeAll(values, numbers)
  const body = sink.bytes.slice(0, sink.size)
  return concatBytes(tablePrefix(importStructs(maxIds), numbers.texts), body)
}

/** The entries of a symbol table for shared tables of which only the name is known. */
export function importStructs(maxIds: ReadonlyMap<string, number>): readonly IonStruct[] {
  return [...maxIds].map(([name, maxId]) =>
    ionRecord({ name: ionString(name), version: ionInt(1), max_id: ionInt(maxId) }),
  )
}

/** Version marker and local symbol table. */
function tablePrefix(imports: readonly IonStruct[], texts: readonly string[]): Uint8Array {
  if (imports.length === 0 && texts.length === 0) return noNumbers.prefix
  const symbols = ionList(texts.map((text) => ionString(text)))
  const fields = imports.length > 0 ? { imports: ionList(imports), symbols } : { symbols }
  const table = { ...ionRecord(fields), annotations: ['$ion_symbol_table'] }
  writeAll([table], new SymbolNumbers(noNumbers))
  return concatBytes(noNumbers.prefix, sink.bytes.subarray(0, sink.size))
}

/** A reader would take these for parts of the stream and swallow them. */
function checkTopLevel(value: IonValue): void {
  if (isLocalSymbolTable(value)) {
    throw valueError('a struct annotated $ion_symbol_table cannot stand at the top level')
  }
  if (value.type === 'symbol' && value.text === '$ion_1_0' && value.annotations.length === 0) {
    throw valueError('the symbol $ion_1_0 cannot stand at the top level')
  }
}

function writeValue(value: IonValue, numbers: SymbolNumbers, depth: number): void {
  if (value.annotations.length > 0) writeAnnotated(value, numbers, depth)
  else writePlain(value, numbers, depth)
}

function writeAnnotated(value: IonValue, numbers: SymbolNumbers, depth: number): void {
  const sids = value.annotations.map((text) => numbers.sidOf(text))
  let sidsSize = 0
  for (const sid of sids) sidsSize += varUintSize(sid)
  const start = openValue(2)
  sink.writeVarUint(sidsSize)
  for (const sid of sids) sink.writeVarUint(sid)
  writePlain(value, numbers, depth)
  closeValue(0xe0, start, 2)
}

function writePlain(value: IonValue, numbers: SymbolNumbers, depth: number): void {
  switch (value.type) {
    case 'struct':
      writeStruct(value.fields, numbers, depth + 1)
      break
    case 'string':
      writeString(value.value)
      break
    case 'int':
      writeInt(value.value)
      break
    case 'list':
      writeSequence(0xb0, value.values, numbers, depth + 1)
      break
    case 'sexp':
      writeSequence(0xc0, value.values, numbers, depth + 1)
      break
    case 'bool':
      sink.writeByte(value.value ? 0x11 : 0x10)
      break
    case 'null':
      sink.writeByte(nullCodes[value.of])
      break
    case 'float':
      writeFloat(value.value)
      break
    case 'decimal':
      writeDecimal(value)
      break
    case 'timestamp':
      writeTimestamp(value)
      break
    case 'symbol':
      writeSymbol(numbers.sidOf(value.text))
      break
    case 'clob':
    case 'blob':
      writeLob(value.type === 'clob' ? 0x90 : 0xa0, value.value)
      break
    default:
      throw valueError('it has no Ion type')
  }
}

/** Leaves room for a header of `headerSize` bytes; `closeValue` fills it once the length is known. */
function openValue(headerSize: number): number {
  const start = sink.size
  sink.reserve(headerSize)
  sink.size = start + headerSize
  return start
}

/** Writes type code and length in front of what was written since `openValue`, moving it when the guess was wrong. */
function closeValue(code: number, start: number, guessedSize: number): void {
  const length = sink.size - start - guessedSize
  const headerSize = length < 14 ? 1 : 1 + varUintSize(length)
  if (headerSize !== guessedSize) {
    if (headerSize > guessedSize) sink.reserve(headerSize - guessedSize)
    sink.bytes.copyWithin(start + headerSize, start + guessedSize, sink.size)
    sink.size += headerSize - guessedSize
  }
  const { bytes } = sink
  if (length < 14) {
    bytes[start] = code | length
    return
  }
  bytes[start] = code | 14
  let rest = length
  for (let i = headerSize - 1; i > 0; i--) {
    bytes[start + i] = (rest & 0x7f) | (i === headerSize - 1 ? 0x80 : 0)
    rest = Math.floor(rest / 0x80)
  }
}

function writeStruct(fields: readonly IonField[], numbers: SymbolNumbers, depth: number): void {
  checkDepth(depth)
  const headerSize = containerHeaderSize(fields.length * 10)
  const start = openValue(headerSize)
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as IonField
    sink.writeVarUint(numbers.sidOf(field.name))
    writeValue(field.value, numbers, depth)
  }
  closeValue(0xd0, start, headerSize)
}

function writeSequence(
  code: number,
  values: readonly IonValue[],
  numbers: SymbolNumbers,
  depth: number,
): void {
  checkDepth(depth)
  const headerSize = containerHeaderSize(values.length * 8)
  const start = openValue(headerSize)
  for (let i = 0; i < values.length; i++) writeValue(values[i] as IonValue, numbers, depth)
  closeValue(code, start, headerSize)
}

/** A right guess saves moving the content; a wrong one costs only that. */
function containerHeaderSize(contentSize: number): number {
  if (contentSize < 14) return 1
  return contentSize < 128 ? 2 : 3
}

function writeString(text: string): void {
  const { length } = text
  const headerSize = length < 14 ? 1 : 1 + varUintSize(length)
  sink.reserve(headerSize + 3 * length)
  const start = sink.size
  sink.size = writeUtf8(text, sink.bytes, start + headerSize)
  closeValue(0x80, start, headerSize)
}

function writeInt(value: number | bigint): void {
  const start = openValue(1)
  sink.writeMagnitude(value)
  closeValue(value < 0 ? 0x30 : 0x20, start, 1)
}

function writeFloat(value: number): void {
  if (Object.is(value, 0)) {
    sink.writeByte(0x40)
    return
  }
  // A NaN made by arithmetic may carry other bits than the one that every writer shares.
  floatView.setFloat64(0, Number.isNaN(value) ? Number.NaN : value)
  sink.writeByte(0x48)
  sink.writeBytes(floatBytes)
}

function writeDecimal(value: IonDecimal): void {
  const start = openValue(1)
  writeDecimalBody(sink, value)
  closeValue(0x50, start, 1)
}

/** The representation of a decimal, which the Ion hash uses too. */
export function writeDecimalBody(out: ByteSink, value: IonDecimal): void {
  const { coefficient, exponent, isNegativeZero } = value
  if (coefficient === 0n && exponent === 0 && !isNegativeZero) return
  if (!Number.isInteger(exponent) || Math.abs(exponent) > decimalExponentMax) {
    const what = 'The exponent of a decimal is too large.'
    throw limitError('decimalExponentMax', exponent, decimalExponentMax, what)
  }
  out.writeVarInt(exponent)
  out.writeSignedMagnitude(coefficient, isNegativeZero || coefficient < 0n)
}

function writeTimestamp(value: IonTimestamp): void {
  const start = openValue(1)
  writeTimestampBody(sink, value)
  closeValue(0x60, start, 1)
}

/** The representation of a timestamp, which the Ion hash uses too. */
export function writeTimestampBody(out: ByteSink, value: IonTimestamp): void {
  const { precision, offsetMinutes } = value
  checkTimestamp(value)
  // 0xC0 is VarInt -0: the offset is not known.
  if (offsetMinutes === undefined) out.writeByte(0xc0)
  else out.writeVarInt(offsetMinutes)
  out.writeVarUint(value.year)
  if (precision === 'year') return
  out.writeVarUint(value.month)
  if (precision === 'month') return
  out.writeVarUint(value.day)
  if (precision === 'day') return
  out.writeVarUint(value.hour)
  out.writeVarUint(value.minute)
  if (precision === 'minute') return
  out.writeVarUint(value.second)
  if (value.fractionDigits === 0) return
  out.writeVarInt(-value.fractionDigits)
  out.writeSignedMagnitude(value.fractionCoefficient, false)
}

/** Refuses what no reader would take: what is stored must come back. */
function checkTimestamp(value: IonTimestamp): void {
  const { fractionDigits, fractionCoefficient } = value
  const fault = timestampFault(value, value.second, value.offsetMinutes)
  if (fault !== undefined) throw valueError(`a timestamp is out of range: ${fault}`)
  if (fractionDigits > fractionDigitsMax) {
    const what = 'The fraction of a second has too many digits.'
    throw limitError('fractionDigitsMax', fractionDigits, fractionDigitsMax, what)
  }
  // Up to 15 digits the comparison needs no bigint power.
  const isBelowOne =
    fractionDigits <= 15
      ? fractionCoefficient < 10 ** fractionDigits
      : fractionCoefficient < 10n ** BigInt(fractionDigits)
  if (fractionCoefficient < 0n || !isBelowOne) {
    throw valueError('the fraction of a second is not between 0 and 1')
  }
}

function writeSymbol(sid: number): void {
  const start = openValue(1)
  sink.writeMagnitude(sid)
  closeValue(0x70, start, 1)
}

function writeLob(code: number, bytes: Uint8Array): void {
  const { length } = bytes
  const headerSize = length < 14 ? 1 : 1 + varUintSize(length)
  const start = openValue(headerSize)
  sink.writeBytes(bytes)
  closeValue(code, start, headerSize)
}
