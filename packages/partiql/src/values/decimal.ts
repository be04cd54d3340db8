/**
 * Exact numbers `coefficient × 10^exponent` over bigint, and the bounds that keep them small. Ints, decimals and floats
 * all become one of these for comparison; a float stands for its shortest decimal text, so `0.1e0 = 0.1`.
 */
import type { IonDecimal, IonFloat, IonInt } from '@cairn/ion'

export interface Exact {
  readonly coefficient: bigint
  readonly exponent: number
}

export type NumberValue = IonInt | IonDecimal | IonFloat

/**
 * Digits that the result of one operation may have. Larger integers are out of range; decimals are rounded half-even to
 * so many. Ours: far more than any amount needs, far less than what would hold up a thread.
 */
export const resultDigitsMax = 4096

/** The bits that `resultDigitsMax` digits need, and a few more; a cheap first test. */
const resultBitsMax = Math.ceil(resultDigitsMax * Math.log2(10)) + 8

/** Digits of quotients that do not end sooner. Source: PartiQL's decimals, 38 digits. */
export const quotientDigitsMax = 38

export function exactOf(value: IonInt | IonDecimal): Exact {
  if (value.type === 'decimal') return value
  return { coefficient: BigInt(value.value), exponent: 0 }
}

/** @param value A finite number. */
export function exactOfFloat(value: number): Exact {
  if (Number.isSafeInteger(value)) return { coefficient: BigInt(value), exponent: 0 }
  const [mantissa = '0', power = '0'] = String(value).split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  return { coefficient: BigInt(whole + fraction), exponent: Number(power) - fraction.length }
}

export function digitCount(coefficient: bigint): number {
  const magnitude = coefficient < 0n ? -coefficient : coefficient
  return magnitude <= 999_999_999_999_999n
    ? String(Number(magnitude)).length
    : magnitude.toString().length
}

/** True when an integer is beyond what an operation may answer. */
export function isTooLarge(value: bigint): boolean {
  const bits = value.toString(16).length * 4
  return bits > resultBitsMax
}

/** Orders two exact numbers. Never scales by more than the digits at hand. */
export function compareExact(left: Exact, right: Exact): number {
  const leftSign = signOf(left.coefficient)
  const rightSign = signOf(right.coefficient)
  if (leftSign !== rightSign) return leftSign < rightSign ? -1 : 1
  if (leftSign === 0) return 0
  if (left.exponent === right.exponent) return compareBigints(left.coefficient, right.coefficient)
  const leftTop = left.exponent + digitCount(left.coefficient)
  const rightTop = right.exponent + digitCount(right.coefficient)
  if (leftTop !== rightTop) return leftTop < rightTop ? -leftSign : leftSign
  // Equal tops: the exponents differ by no more than the digits of one side.
  const exponent = Math.min(left.exponent, right.exponent)
  return compareBigints(scaleTo(left, exponent), scaleTo(right, exponent))
}

/** The coefficient of `value` at a smaller or equal exponent. */
export function scaleTo(value: Exact, exponent: number): bigint {
  return value.coefficient * powerOfTen(value.exponent - exponent)
}

export function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent)
}

/** Without zeros at the end: equal numbers have equal forms. Zero is 0 × 10^0. */
export function normalize(value: Exact): Exact {
  if (value.coefficient === 0n) return { coefficient: 0n, exponent: 0 }
  const digits = value.coefficient.toString()
  let end = digits.length
  while (digits.charCodeAt(end - 1) === 48) end--
  if (end === digits.length) return value
  return {
    coefficient: BigInt(digits.slice(0, end)),
    exponent: value.exponent + digits.length - end,
  }
}

/** Rounds half-even to so many digits. Zeros at the end go only as far as rounding made them. */
export function roundToDigits(value: Exact, digitsMax: number): Exact {
  const excess = digitCount(value.coefficient) - digitsMax
  if (excess <= 0) return value
  const coefficient = divideHalfEven(value.coefficient, powerOfTen(excess))
  const rounded = { coefficient, exponent: value.exponent + excess }
  // 999.9 to three digits is 1000: one digit too many again.
  return digitCount(coefficient) > digitsMax ? roundToDigits(rounded, digitsMax) : rounded
}

export function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  const remainder = dividend - quotient * divisor
  if (remainder === 0n) return quotient
  const twice = magnitudeOf(remainder) * 2n
  const size = magnitudeOf(divisor)
  const isUp = twice > size || (twice === size && quotient % 2n !== 0n)
  if (!isUp) return quotient
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n
}

/** The whole part, toward zero; undefined when it is too large to write out. */
export function truncate(value: Exact): bigint | undefined {
  if (value.exponent === 0) return value.coefficient
  if (value.exponent < 0) {
    const digits = digitCount(value.coefficient)
    return -value.exponent >= digits ? 0n : value.coefficient / powerOfTen(-value.exponent)
  }
  if (value.coefficient === 0n) return 0n
  if (value.exponent + digitCount(value.coefficient) > resultDigitsMax) return undefined
  return value.coefficient * powerOfTen(value.exponent)
}

/** The nearest double. */
export function toDouble(value: Exact): number {
  return Number(`${value.coefficient}e${value.exponent}`)
}

export function magnitudeOf(value: bigint): bigint {
  return value < 0n ? -value : value
}

function signOf(value: bigint): number {
  return value === 0n ? 0 : value < 0n ? -1 : 1
}

function compareBigints(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0
}
