/** Exact comparison of Ion numbers across int, decimal and float. No step builds a number larger than its inputs. */
import type { IonDecimal, IonFloat, IonInt } from './value.ts'

export type IonNumber = IonInt | IonDecimal | IonFloat

/** A finite number as `coefficient × 10^exponent`. */
interface Scaled {
  readonly coefficient: bigint
  readonly exponent: number
}

/**
 * Order of two numbers by exact value: negative, zero or positive. `1`, `1.0` and `1e0` are equal, so are `0` and
 * `-0.`; nan equals itself and comes before every other number, so that sorting is well defined.
 */
export function compareNumbers(a: IonNumber, b: IonNumber): number {
  const x = a.type === 'decimal' ? undefined : a.value
  const y = b.type === 'decimal' ? undefined : b.value
  // JavaScript compares number and bigint, and each with itself, by exact value.
  if (x !== undefined && y !== undefined) return compareNative(x, y)
  if (typeof x === 'number' && !Number.isFinite(x)) return x === Infinity ? 1 : -1
  if (typeof y === 'number' && !Number.isFinite(y)) return y === Infinity ? -1 : 1
  return compareScaled(scale(a), scale(b))
}

function compareNative(x: number | bigint, y: number | bigint): number {
  if (x < y) return -1
  if (x > y) return 1
  // Equal, or one of the two is nan.
  return Number(!isNan(x)) - Number(!isNan(y))
}

function isNan(value: number | bigint): boolean {
  return typeof value === 'number' && Number.isNaN(value)
}

function scale(value: IonNumber): Scaled {
  if (value.type === 'decimal') return value
  if (typeof value.value === 'bigint') return { coefficient: value.value, exponent: 0 }
  return scaleFloat(value.value)
}

const floatView = new DataView(new ArrayBuffer(8))

/** A finite double exactly: m × 2^-k is m × 5^k × 10^-k. At most 767 digits. */
function scaleFloat(value: number): Scaled {
  if (Number.isSafeInteger(value)) return { coefficient: BigInt(value), exponent: 0 }
  floatView.setFloat64(0, value)
  const bits = floatView.getBigUint64(0)
  const biased = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xf_ffff_ffff_ffffn
  // IEEE 754: subnormals have no hidden bit and share the exponent of the smallest normal number.
  const magnitude = biased === 0 ? fraction : fraction | 0x10_0000_0000_0000n
  const shift = Math.max(biased, 1) - 1075
  const signed = value < 0 ? -magnitude : magnitude
  if (shift >= 0) return { coefficient: signed << BigInt(shift), exponent: 0 }
  return { coefficient: signed * 5n ** BigInt(-shift), exponent: shift }
}

function compareScaled(a: Scaled, b: Scaled): number {
  const signA = a.coefficient === 0n ? 0 : a.coefficient < 0n ? -1 : 1
  const signB = b.coefficient === 0n ? 0 : b.coefficient < 0n ? -1 : 1
  if (signA !== signB || signA === 0) return signA - signB
  // The place of the first digit decides between numbers of different size. Where it is the same, the exponents
  // differ by no more than the digits do, so bringing them together costs no more than the longer input.
  const placeA = digitCount(a.coefficient) + a.exponent
  const placeB = digitCount(b.coefficient) + b.exponent
  if (placeA !== placeB) return (placeA - placeB) * signA
  const exponent = Math.min(a.exponent, b.exponent)
  const x = a.coefficient * 10n ** BigInt(a.exponent - exponent)
  const y = b.coefficient * 10n ** BigInt(b.exponent - exponent)
  return x < y ? -1 : x > y ? 1 : 0
}

function digitCount(value: bigint): number {
  const length = value.toString().length
  return value < 0n ? length - 1 : length
}
