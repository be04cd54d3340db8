/**
 * Orders of values: `<` and its kin within a kind, and PartiQL's total order over all kinds for ORDER BY, MIN and MAX:
 * absent, bool, number, timestamp, text, lob, list, sexp, struct, bag.
 */
import { compareBytes } from '@cairn/core'
import type { IonTimestamp } from '@cairn/ion'
import { isNumber } from './arithmetic.ts'
import { compareExact, exactOf, exactOfFloat, type NumberValue } from './decimal.ts'
import { equalityKey } from './equality.ts'
import { absentOf, boolValue, isAbsent, missing, textOf, type Value } from './value.ts'

export type OrderOperator = '<' | '<=' | '>' | '>='

/** `left < right` and so on: MISSING between different kinds and for kinds without an order. */
export function ordered(operator: OrderOperator, left: Value, right: Value): Value {
  if (isAbsent(left) || isAbsent(right)) return absentOf(left, right)
  const order = compareScalars(left, right)
  if (order === undefined) return missing
  switch (operator) {
    case '<':
      return boolValue(order < 0)
    case '<=':
      return boolValue(order <= 0)
    case '>':
      return boolValue(order > 0)
    case '>=':
      return boolValue(order >= 0)
  }
}

/** Negative, zero or positive within a kind that has an order, else undefined. */
export function compareScalars(left: Value, right: Value): number | undefined {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right)
  if (left.type === 'timestamp' && right.type === 'timestamp') {
    return compareTimestamps(left, right)
  }
  if (left.type === 'bool' && right.type === 'bool') return Number(left.value) - Number(right.value)
  const leftText = textOf(left)
  const rightText = textOf(right)
  if (leftText !== undefined && rightText !== undefined) return compareText(leftText, rightText)
  return undefined
}

/** By value. NaN is lowest and equal to itself, so that the order is total. */
export function compareNumbers(left: NumberValue, right: NumberValue): number {
  if (left.type !== 'decimal' && right.type !== 'decimal') {
    const a = left.value
    const b = right.value
    if (typeof a === 'number' && typeof b === 'number') return comparePlain(a, b)
  }
  if (left.type === 'float' && !Number.isFinite(left.value)) return left.value > 0 ? 1 : -1
  if (right.type === 'float' && !Number.isFinite(right.value)) return right.value > 0 ? -1 : 1
  return compareExact(exactOfNumber(left), exactOfNumber(right))
}

/** By instant: the fields are UTC, coarse precisions begin at their first moment. */
export function compareTimestamps(left: IonTimestamp, right: IonTimestamp): number {
  return (
    left.year - right.year ||
    left.month - right.month ||
    left.day - right.day ||
    left.hour - right.hour ||
    left.minute - right.minute ||
    left.second - right.second ||
    compareExact(
      { coefficient: left.fractionCoefficient, exponent: -left.fractionDigits },
      { coefficient: right.fractionCoefficient, exponent: -right.fractionDigits },
    )
  )
}

/** By code points, which differs from `<` on strings where surrogates meet U+E000 to U+FFFF. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i)
    const b = right.charCodeAt(i)
    if (a !== b) return codeUnitRank(a) - codeUnitRank(b)
  }
  return left.length - right.length
}

/** The total order. NULL and MISSING are alike and lowest. */
export function compareTotal(left: Value, right: Value): number {
  const leftRank = rankOf(left)
  const rightRank = rankOf(right)
  if (leftRank !== rightRank) return leftRank - rightRank
  const order = compareScalars(left, right)
  if (order !== undefined) return order
  return isContainer(left)
    ? compareForms(formOf(left), formOf(right))
    : compareUnordered(left, right)
}

function isContainer({ type }: Value): boolean {
  return type === 'list' || type === 'sexp' || type === 'bag' || type === 'struct'
}

/** Scalars of one rank that have no order of their own. */
function compareUnordered(left: Value, right: Value): number {
  if (isAbsent(left)) return 0
  const isLob = left.type === 'clob' || left.type === 'blob'
  if (isLob && (right.type === 'clob' || right.type === 'blob')) {
    return compareBytes(left.value, right.value)
  }
  return compareText(equalityKey(left), equalityKey(right))
}

/**
 * A value with bags and the fields of structs in order, all the way down. Sorting them anew in each comparison of their
 * containers would multiply with every level of nesting.
 */
type Form = Value | OrderedParts

interface OrderedParts {
  readonly rank: number
  readonly parts: readonly Form[]
}

function formOf(value: Value): Form {
  switch (value.type) {
    case 'list':
    case 'sexp':
      return { rank: rankOf(value), parts: value.values.map(formOf) }
    case 'bag':
      return { rank: rankOf(value), parts: value.values.map(formOf).sort(compareForms) }
    case 'struct':
      return { rank: rankOf(value), parts: fieldForms(value) }
    default:
      return value
  }
}

function compareForms(left: Form, right: Form): number {
  const leftRank = 'rank' in left ? left.rank : rankOf(left)
  const rightRank = 'rank' in right ? right.rank : rankOf(right)
  if (leftRank !== rightRank) return leftRank - rightRank
  if ('rank' in left && 'rank' in right) return compareParts(left.parts, right.parts)
  if ('rank' in left || 'rank' in right) return 0
  return compareScalars(left, right) ?? compareUnordered(left, right)
}

function rankOf(value: Value): number {
  switch (value.type) {
    case 'null':
    case 'missing':
      return 0
    case 'bool':
      return 1
    case 'int':
    case 'float':
    case 'decimal':
      return 2
    case 'timestamp':
      return 3
    case 'string':
    case 'symbol':
      return 4
    case 'clob':
    case 'blob':
      return 5
    case 'list':
      return 6
    case 'sexp':
      return 7
    case 'struct':
      return 8
    case 'bag':
      return 9
  }
}

function compareParts(left: readonly Form[], right: readonly Form[]): number {
  for (const [index, part] of left.entries()) {
    const other = right[index]
    if (other === undefined) return 1
    const order = compareForms(part, other)
    if (order !== 0) return order
  }
  return left.length - right.length
}

/** Names and values one after the other, by name, then by value. */
function fieldForms(value: Value & { readonly type: 'struct' }): readonly Form[] {
  const pairs = value.fields.map((field) => {
    const text = typeof field.name === 'string' ? field.name : `$${field.name.importSid}`
    return { name: text, form: formOf(field.value) }
  })
  pairs.sort((a, b) => compareText(a.name, b.name) || compareForms(a.form, b.form))
  return pairs.flatMap((pair): readonly Form[] => [
    { type: 'string', value: pair.name, annotations: [] },
    pair.form,
  ])
}

function comparePlain(left: number, right: number): number {
  if (left < right) return -1
  if (left > right) return 1
  if (left === right) return 0
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : -1
  return 1
}

function exactOfNumber(value: NumberValue): { coefficient: bigint; exponent: number } {
  return value.type === 'float' ? exactOfFloat(value.value) : exactOf(value)
}

/** Moves surrogates above the rest of the basic plane. */
function codeUnitRank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
