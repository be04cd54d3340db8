/**
 * `+ - * / %` over ints, decimals and floats. Ints and decimals are exact (bounds in decimal.ts); a float operand makes
 * the result a float. Wrong types, division by zero and results out of range are MISSING.
 *
 * Division: int / int truncates toward zero as SQL does; with a decimal the quotient is exact where it ends within 38
 * digits, else rounded half-even to 38. `%` has the sign of the dividend.
 */
import { type IonDecimal, type IonInt, ionDecimal, ionFloat, ionInt } from '@cairn/ion'
import {
  digitCount,
  divideHalfEven,
  type Exact,
  exactOf,
  isTooLarge,
  type NumberValue,
  normalize,
  powerOfTen,
  quotientDigitsMax,
  resultDigitsMax,
  roundToDigits,
  scaleTo,
  toDouble,
} from './decimal.ts'
import { absentOf, isAbsent, missing, type Value } from './value.ts'

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'

/** Exponents of decimals that operations may answer; the Ion encoding could hold far more. */
const exponentMax = 1_000_000

export function isNumber(value: Value): value is NumberValue {
  return value.type === 'int' || value.type === 'decimal' || value.type === 'float'
}

export function arithmetic(operator: ArithmeticOperator, left: Value, right: Value): Value {
  if (isAbsent(left) || isAbsent(right)) return absentOf(left, right)
  if (!isNumber(left) || !isNumber(right)) return missing
  if (left.type === 'int' && right.type === 'int') return intArithmetic(operator, left, right)
  if (left.type !== 'float' && right.type !== 'float') {
    return decimalArithmetic(operator, exactOf(left), exactOf(right))
  }
  return floatArithmetic(operator, floatOf(left), floatOf(right))
}

export function negate(value: Value): Value {
  if (isAbsent(value)) return value
  switch (value.type) {
    case 'int':
      return ionInt(-value.value)
    case 'decimal':
      return ionDecimal(-value.coefficient, value.exponent)
    case 'float':
      return ionFloat(-value.value)
    default:
      return missing
  }
}

export function floatOf(value: NumberValue): number {
  if (value.type === 'float') return value.value
  if (value.type === 'int') return Number(value.value)
  return toDouble(value)
}

function intArithmetic(operator: ArithmeticOperator, left: IonInt, right: IonInt): Value {
  if (typeof left.value === 'number' && typeof right.value === 'number') {
    const small = smallArithmetic(operator, left.value, right.value)
    if (Number.isSafeInteger(small)) return ionInt(small)
  }
  const a = BigInt(left.value)
  const b = BigInt(right.value)
  if (b === 0n && (operator === '/' || operator === '%')) return missing
  const result = bigArithmetic(operator, a, b)
  return isTooLarge(result) ? missing : ionInt(result)
}

/** Exact only when the result is a safe integer, which the caller tests. NaN for a division by zero. */
function smallArithmetic(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return right === 0 ? Number.NaN : Math.trunc(left / right)
    case '%':
      return right === 0 ? Number.NaN : left % right
  }
}

function bigArithmetic(operator: ArithmeticOperator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    case '%':
      return left % right
  }
}

function decimalArithmetic(operator: ArithmeticOperator, left: Exact, right: Exact): Value {
  const result = exactArithmetic(operator, left, right)
  return result === undefined ? missing : decimalValue(result)
}

/** A decimal within bounds, or MISSING. */
export function decimalValue(value: Exact): IonDecimal | typeof missing {
  const { coefficient, exponent } = roundToDigits(value, resultDigitsMax)
  if (Math.abs(exponent) > exponentMax) return missing
  return ionDecimal(coefficient, exponent)
}

function exactArithmetic(
  operator: ArithmeticOperator,
  left: Exact,
  right: Exact,
): Exact | undefined {
  switch (operator) {
    case '+':
      return addExact(left, right)
    case '-':
      return addExact(left, { coefficient: -right.coefficient, exponent: right.exponent })
    case '*':
      return {
        coefficient: left.coefficient * right.coefficient,
        exponent: left.exponent + right.exponent,
      }
    case '/':
      return right.coefficient === 0n ? undefined : divideExact(left, right, quotientDigitsMax)
    case '%':
      return right.coefficient === 0n ? undefined : remainderExact(left, right)
  }
}

export function addExact(left: Exact, right: Exact): Exact {
  const exponent = Math.min(left.exponent, right.exponent)
  const top = Math.max(topOf(left), topOf(right))
  if (top - exponent > resultDigitsMax + 1) {
    // So far apart that the smaller operand lies below the last digit kept.
    if (left.coefficient === 0n) return right
    if (right.coefficient === 0n) return left
    return topOf(left) >= topOf(right) ? left : right
  }
  return { coefficient: scaleTo(left, exponent) + scaleTo(right, exponent), exponent }
}

/** @param right Not zero. The quotient keeps the scale that the operands suggest where it is exact. */
export function divideExact(left: Exact, right: Exact, digitsMax: number): Exact {
  const preferred = left.exponent - right.exponent
  if (left.coefficient === 0n) return { coefficient: 0n, exponent: preferred }
  const shift = Math.max(
    0,
    digitsMax + digitCount(right.coefficient) - digitCount(left.coefficient) + 1,
  )
  const dividend = left.coefficient * powerOfTen(shift)
  const quotient = dividend / right.coefficient
  const isExact = quotient * right.coefficient === dividend
  if (!isExact) {
    const excess = digitCount(quotient) - digitsMax
    const scale = excess > 0 ? powerOfTen(excess) : 1n
    const coefficient = divideHalfEven(dividend, right.coefficient * scale)
    return roundToDigits(
      { coefficient, exponent: preferred - shift + Math.max(excess, 0) },
      digitsMax,
    )
  }
  const short = normalize({ coefficient: quotient, exponent: preferred - shift })
  if (short.exponent <= preferred) return roundToDigits(short, Math.max(digitsMax, 1))
  if (short.exponent - preferred > resultDigitsMax) return short
  return { coefficient: scaleTo(short, preferred), exponent: preferred }
}

function remainderExact(left: Exact, right: Exact): Exact | undefined {
  const exponent = Math.min(left.exponent, right.exponent)
  if (Math.max(topOf(left), topOf(right)) - exponent > resultDigitsMax) return undefined
  return { coefficient: scaleTo(left, exponent) % scaleTo(right, exponent), exponent }
}

function floatArithmetic(operator: ArithmeticOperator, left: number, right: number): Value {
  switch (operator) {
    case '+':
      return ionFloat(left + right)
    case '-':
      return ionFloat(left - right)
    case '*':
      return ionFloat(left * right)
    case '/':
      return right === 0 ? missing : ionFloat(left / right)
    case '%':
      return right === 0 ? missing : ionFloat(left % right)
  }
}

/** The power of ten just above the number. */
function topOf(value: Exact): number {
  return value.exponent + digitCount(value.coefficient)
}
