/**
 * CAST. Source: QLDB developer guide, "CAST function", PartiQL where that is silent. NULL stays NULL, MISSING stays
 * MISSING; text that is no number, a list that is no timestamp and so on are MISSING; ints lose the fraction.
 */
import {
  type IonValue,
  ionDecimal,
  ionFloat,
  ionInt,
  ionString,
  ionSymbol,
  parseIon,
} from '@cairn/ion'
import type { Position, TypeName } from '../ast.ts'
import { partiqlError } from '../errors.ts'
import { floatOf, isNumber } from '../values/arithmetic.ts'
import {
  digitCount,
  divideHalfEven,
  type Exact,
  exactOf,
  exactOfFloat,
  type NumberValue,
  powerOfTen,
  resultDigitsMax,
  scaleTo,
  truncate,
} from '../values/decimal.ts'
import { describeValue } from '../values/describe.ts'
import { integerBitsOf, isOfKind, type Kind } from '../values/type-names.ts'
import {
  bag,
  boolValue,
  elementsOf,
  isAbsent,
  list,
  missing,
  nullValue,
  textOf,
  type Value,
} from '../values/value.ts'
import { decimalText, parseTimestamp, timestampText } from './texts.ts'

/** @throws PartiqlError EVALUATION for a value that is there cast to NULL or MISSING. */
export function castValue(value: Value, kind: Kind, type: TypeName, position: Position): Value {
  if (kind === 'missing' || kind === 'null') {
    if (isAbsent(value)) return kind === 'null' ? nullValue : missing
    throw partiqlError(
      'EVALUATION',
      position,
      `${describeValue(value)} cannot be cast to ${type.name}.`,
    )
  }
  if (isAbsent(value) || kind === 'any') return value
  switch (kind) {
    case 'bool':
      return toBool(value)
    case 'int':
      return toInt(value, type)
    case 'float':
      return toFloat(value)
    case 'decimal':
      return toDecimal(value, type.parameters)
    case 'timestamp':
      return toTimestamp(value)
    case 'string':
      return toText(value, type.parameters)
    case 'symbol': {
      const text = toText(value, [])
      return text.type === 'string' ? ionSymbol(text.value) : missing
    }
    case 'list':
    case 'sexp':
    case 'bag':
      return toCollection(value, kind)
    case 'clob':
    case 'blob':
    case 'struct':
      return isOfKind(value, kind, []) ? value : missing
  }
}

/** Numbers: 0 is false. Text: 'true' in any case is true, all other text false. */
function toBool(value: Value): Value {
  if (value.type === 'bool') return value
  if (isNumber(value)) return boolValue(floatOf(value) !== 0)
  const text = textOf(value)
  return text === undefined ? missing : boolValue(text.toLowerCase() === 'true')
}

function toInt(value: Value, type: TypeName): Value {
  const whole = wholeOf(value)
  if (whole === undefined) return missing
  const bits = integerBitsOf(type.name)
  return bits === undefined || BigInt.asIntN(bits, whole) === whole ? ionInt(whole) : missing
}

/** A float gives the integer it holds, not the one its shortest text shows. */
function wholeOf(value: Value): bigint | undefined {
  const number = isNumber(value) ? value : numberFromText(value)
  if (number?.type === 'float') {
    return Number.isFinite(number.value) ? BigInt(Math.trunc(number.value)) : undefined
  }
  const exact = exactOfValue(value)
  return exact && truncate(exact)
}

function toFloat(value: Value): Value {
  if (isNumber(value)) return ionFloat(floatOf(value))
  if (value.type === 'bool') return ionFloat(value.value ? 1 : 0)
  const number = numberFromText(value)
  return number === undefined ? missing : ionFloat(floatOf(number))
}

/** DECIMAL(precision, scale) rounds half-even to its scale; a number with more digits before the point is MISSING. */
function toDecimal(value: Value, [precision, scale = 0]: readonly number[]): Value {
  if (value.type === 'decimal' && precision === undefined) return value
  const exact = exactOfValue(value)
  if (exact === undefined) return missing
  if (precision === undefined) return ionDecimal(exact.coefficient, exact.exponent)
  const scaled = atScale(exact, scale)
  if (scaled === undefined || digitCount(scaled) > precision) return missing
  return ionDecimal(scaled, -scale)
}

/** The coefficient at `10^-scale`, rounded; undefined when it has too many digits to write out. */
function atScale(exact: Exact, scale: number): bigint | undefined {
  if (exact.exponent >= -scale) {
    const top = exact.exponent + digitCount(exact.coefficient)
    return top + scale > resultDigitsMax ? undefined : scaleTo(exact, -scale)
  }
  const excess = -scale - exact.exponent
  if (excess > digitCount(exact.coefficient) + 1) return 0n
  return divideHalfEven(exact.coefficient, powerOfTen(excess))
}

function exactOfValue(value: Value): Exact | undefined {
  if (value.type === 'bool') return { coefficient: value.value ? 1n : 0n, exponent: 0 }
  const number = isNumber(value) ? value : numberFromText(value)
  if (number === undefined) return undefined
  if (number.type !== 'float') return exactOf(number)
  return Number.isFinite(number.value) ? exactOfFloat(number.value) : undefined
}

/** Longest text read as a number. Ours, so that no cast holds the thread. */
const numberTextLengthMax = 4096

/** Numbers as Ion writes them, and with leading zeros or a plus sign. */
function numberFromText(value: Value): NumberValue | undefined {
  const text = textOf(value)?.trim()
  if (text === undefined || text.length > numberTextLengthMax) return undefined
  const match = /^([+-]?)(\d+)(\.\d*)?(?:([eEdD])([+-]?\d{1,6}))?$/.exec(text)
  if (match === null) return ionNumber(text)
  const [, sign = '', whole = '0', point = '', mark, power = '0'] = match
  const fraction = point.slice(1)
  const coefficient = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n)
  if (mark === undefined && point === '') return ionInt(coefficient)
  if (mark?.toLowerCase() === 'e') return ionFloat(Number(text))
  return ionDecimal(coefficient, Number(power) - fraction.length)
}

/** Other forms of Ion: 0x1F, 0b101, 1_000, nan, +inf. */
function ionNumber(text: string): NumberValue | undefined {
  if (!/^[+-]?[0-9a-fA-FxXbB_.]+$|^nan$|^[+-]inf$/.test(text)) return undefined
  const value = ionFromText(text)
  return value !== undefined && isNumber(value) ? value : undefined
}

function ionFromText(text: string): IonValue | undefined {
  try {
    return parseIon(text)
  } catch {
    return undefined
  }
}

function toTimestamp(value: Value): Value {
  if (value.type === 'timestamp') return value
  const text = textOf(value)
  return (text === undefined ? undefined : parseTimestamp(text)) ?? missing
}

/** @param parameters VARCHAR(n) cuts to n characters. */
function toText(
  value: Value,
  [lengthMax]: readonly number[],
): Value & ({ type: 'string'; value: string } | { type: 'missing' }) {
  const text = plainText(value)
  if (text === undefined) return missing
  return ionString(lengthMax === undefined ? text : Array.from(text).slice(0, lengthMax).join(''))
}

function plainText(value: Value): string | undefined {
  switch (value.type) {
    case 'string':
    case 'symbol':
      return textOf(value)
    case 'bool':
      return String(value.value)
    case 'int':
      return String(value.value)
    case 'float':
      return String(value.value)
    case 'decimal':
      return decimalText(value)
    case 'timestamp':
      return timestampText(value)
    default:
      return undefined
  }
}

function toCollection(value: Value, kind: 'list' | 'sexp' | 'bag'): Value {
  if (value.type === kind) return value
  const elements = elementsOf(value)
  if (elements === undefined) return missing
  return kind === 'bag' ? bag(elements) : list(elements, kind)
}
