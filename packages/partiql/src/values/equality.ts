/**
 * PartiQL equality: numbers by value across int, decimal and float (NaN equals itself), strings and symbols by text,
 * timestamps by instant, structs and bags as multisets, annotations ignored, different kinds never equal.
 */
import { toHex } from '@cairn/core'
import type { IonTimestamp, SymbolText } from '@cairn/ion'
import { isNumber } from './arithmetic.ts'
import { exactOf, exactOfFloat, type NumberValue, normalize } from './decimal.ts'
import { compareNumbers, compareTimestamps } from './order.ts'
import {
  absentOf,
  boolValue,
  isAbsent,
  type SequenceValue,
  type StructValue,
  type Value,
} from './value.ts'

/** `left = right`: absent when an operand is. */
export function equals(left: Value, right: Value): Value {
  if (isAbsent(left) || isAbsent(right)) return absentOf(left, right)
  return boolValue(isEqual(left, right))
}

/** Whether `left = right` is TRUE. Texts and plain ints, the usual keys, come first. */
export function isSame(left: Value, right: Value): boolean {
  if (left.type === 'string' && right.type === 'string') return left.value === right.value
  if (left.type === 'int' && right.type === 'int' && typeof left.value === typeof right.value) {
    return left.value === right.value
  }
  return !isAbsent(left) && !isAbsent(right) && isEqual(left, right)
}

/** Equality inside containers and for grouping: NULL equals NULL, MISSING equals MISSING. */
export function isEqual(left: Value, right: Value): boolean {
  if (left === right) return true
  switch (left.type) {
    case 'null':
    case 'missing':
      return left.type === right.type
    case 'bool':
      return right.type === 'bool' && left.value === right.value
    case 'int':
    case 'float':
    case 'decimal':
      return isNumber(right) && compareNumbers(left, right) === 0
    case 'timestamp':
      return right.type === 'timestamp' && compareTimestamps(left, right) === 0
    case 'string':
    case 'symbol':
      return (right.type === 'string' || right.type === 'symbol') && isSameText(left, right)
    case 'list':
    case 'sexp':
      return right.type === left.type && isEqualSequence(left, right)
    case 'struct':
      return right.type === 'struct' && isEqualStruct(left, right)
    case 'clob':
    case 'blob':
    case 'bag':
      return right.type === left.type && equalityKey(left) === equalityKey(right)
  }
}

/**
 * A text that two values share exactly when they are equal as `isEqual` has it. For hash tables: groups, sets, indexes.
 * It is as long as the value; hash it where it is kept.
 */
export function equalityKey(value: Value): string {
  switch (value.type) {
    case 'null':
      return 'n'
    case 'missing':
      return 'm'
    case 'bool':
      return value.value ? 't' : 'f'
    case 'int':
    case 'float':
    case 'decimal':
      return numberKey(value)
    case 'timestamp':
      return timestampKey(value)
    case 'string':
      return textKey(value.value)
    case 'symbol':
      return textKey(value.text)
    case 'clob':
    case 'blob':
      return `${value.type === 'clob' ? 'C' : 'B'}${toHex(value.value)};`
    case 'list':
      return `[${value.values.map(equalityKey).join('')}]`
    case 'sexp':
      return `(${value.values.map(equalityKey).join('')})`
    case 'bag':
      return `<${value.values.map(equalityKey).sort().join('')}>`
    case 'struct': {
      const fields = value.fields.map((field) => textKey(field.name) + equalityKey(field.value))
      return `{${fields.sort().join('')}}`
    }
  }
}

function numberKey(value: NumberValue): string {
  if (value.type === 'int') {
    if (typeof value.value === 'number' && value.value % 10 !== 0) return `${value.value}e0;`
  } else if (value.type === 'float' && !Number.isFinite(value.value)) {
    return `${value.value};`
  }
  const exact = normalize(value.type === 'float' ? exactOfFloat(value.value) : exactOf(value))
  return `${exact.coefficient}e${exact.exponent};`
}

function timestampKey(value: IonTimestamp): string {
  const fraction = normalize({
    coefficient: value.fractionCoefficient,
    exponent: -value.fractionDigits,
  })
  const { year, month, day, hour, minute, second } = value
  const whole = [year, month, day, hour, minute, second].join('-')
  return `T${whole}.${fraction.coefficient}e${fraction.exponent};`
}

function textKey(text: SymbolText): string {
  return typeof text === 'string'
    ? `s${text.length}:${text}`
    : `$${text.importSid},${textKey(text.importName ?? '')}`
}

function isSameText(
  left: { readonly type: 'string'; readonly value: string } | SymbolLike,
  right: { readonly type: 'string'; readonly value: string } | SymbolLike,
): boolean {
  const a = left.type === 'string' ? left.value : left.text
  const b = right.type === 'string' ? right.value : right.text
  return a === b || (typeof a === 'object' && typeof b === 'object' && textKey(a) === textKey(b))
}

interface SymbolLike {
  readonly type: 'symbol'
  readonly text: SymbolText
}

function isEqualSequence(left: SequenceValue, right: SequenceValue): boolean {
  if (left.values.length !== right.values.length) return false
  return left.values.every((value, index) => {
    const other = right.values[index]
    return other !== undefined && isEqual(value, other)
  })
}

function isEqualStruct(left: StructValue, right: StructValue): boolean {
  if (left.fields.length !== right.fields.length) return false
  const isPairwise = left.fields.every((field, index) => {
    const other = right.fields[index]
    return other !== undefined && field.name === other.name && isEqual(field.value, other.value)
  })
  return isPairwise || equalityKey(left) === equalityKey(right)
}
