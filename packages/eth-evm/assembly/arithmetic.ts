/**
 * 256-bit arithmetic on words in linear memory: four 64-bit limbs, least significant first. Division is Knuth's
 * algorithm D (The Art of Computer Programming, 4.3.1) over 32-bit digits.
 */
import { scratch } from './layout'

// Parts of the scratch area, in bytes: dividend 17 digits, divisor 8, quotient 17, then operands.
const dividend: u32 = scratch
const divisor: u32 = scratch + 96
const product: u32 = scratch + 160
const left: u32 = scratch + 256
const right: u32 = scratch + 288
const quotient: u32 = scratch + 320
const square: u32 = scratch + 448
const exponentCopy: u32 = scratch + 480

// @ts-ignore: decorator
@inline
export function copyWord(from: u32, to: u32): void {
  store<u64>(to, load<u64>(from))
  store<u64>(to, load<u64>(from, 8), 8)
  store<u64>(to, load<u64>(from, 16), 16)
  store<u64>(to, load<u64>(from, 24), 24)
}

// @ts-ignore: decorator
@inline
export function setWord(to: u32, value: u64): void {
  store<u64>(to, value)
  store<u64>(to, 0, 8)
  store<u64>(to, 0, 16)
  store<u64>(to, 0, 24)
}

// @ts-ignore: decorator
@inline
export function isZero(at: u32): bool {
  return (load<u64>(at) | load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24)) == 0
}

// @ts-ignore: decorator
@inline
function isShort(at: u32): bool {
  return (load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24)) == 0
}

// @ts-ignore: decorator
@inline
export function equal(a: u32, b: u32): bool {
  return (
    ((load<u64>(a) ^ load<u64>(b)) |
      (load<u64>(a, 8) ^ load<u64>(b, 8)) |
      (load<u64>(a, 16) ^ load<u64>(b, 16)) |
      (load<u64>(a, 24) ^ load<u64>(b, 24))) ==
    0
  )
}

// @ts-ignore: decorator
@inline
export function isBelow(a: u32, b: u32): bool {
  const a3 = load<u64>(a, 24)
  const b3 = load<u64>(b, 24)
  if (a3 != b3) return a3 < b3
  const a2 = load<u64>(a, 16)
  const b2 = load<u64>(b, 16)
  if (a2 != b2) return a2 < b2
  const a1 = load<u64>(a, 8)
  const b1 = load<u64>(b, 8)
  if (a1 != b1) return a1 < b1
  return load<u64>(a) < load<u64>(b)
}

export function isBelowSigned(a: u32, b: u32): bool {
  const a3 = load<i64>(a, 24)
  const b3 = load<i64>(b, 24)
  if (a3 != b3) return a3 < b3
  return isBelow(a, b)
}

/** b becomes a + b. */
// @ts-ignore: decorator
@inline
export function add(a: u32, b: u32): void {
  let sum = load<u64>(a) + load<u64>(b)
  let carry = (sum < load<u64>(a)) as u64
  store<u64>(b, sum)
  const a1 = load<u64>(a, 8)
  sum = a1 + load<u64>(b, 8)
  let next = (sum < a1) as u64
  sum += carry
  carry = next | ((sum < carry) as u64)
  store<u64>(b, sum, 8)
  const a2 = load<u64>(a, 16)
  sum = a2 + load<u64>(b, 16)
  next = (sum < a2) as u64
  sum += carry
  carry = next | ((sum < carry) as u64)
  store<u64>(b, sum, 16)
  store<u64>(b, load<u64>(a, 24) + load<u64>(b, 24) + carry, 24)
}

/** b becomes a - b. */
// @ts-ignore: decorator
@inline
export function subtract(a: u32, b: u32): void {
  const a0 = load<u64>(a)
  const b0 = load<u64>(b)
  let borrow = (a0 < b0) as u64
  store<u64>(b, a0 - b0)
  const a1 = load<u64>(a, 8)
  const b1 = load<u64>(b, 8)
  store<u64>(b, a1 - b1 - borrow, 8)
  borrow = ((a1 < b1) as u64) | (((a1 == b1) as u64) & borrow)
  const a2 = load<u64>(a, 16)
  const b2 = load<u64>(b, 16)
  store<u64>(b, a2 - b2 - borrow, 16)
  borrow = ((a2 < b2) as u64) | (((a2 == b2) as u64) & borrow)
  store<u64>(b, load<u64>(a, 24) - load<u64>(b, 24) - borrow, 24)
}

export function negate(at: u32): void {
  let carry: u64 = 1
  for (let i: u32 = 0; i < 32; i += 8) {
    const limb = ~load<u64>(at + i) + carry
    carry = carry & ((limb == 0) as u64)
    store<u64>(at + i, limb)
  }
}

/** b becomes a * b. */
export function multiply(a: u32, b: u32): void {
  if (isShort(a) && isShort(b)) {
    const x = load<u64>(a)
    const y = load<u64>(b)
    store<u64>(b, x * y)
    store<u64>(b, multiplyHigh(x, y), 8)
    return
  }
  const a0 = load<u64>(a)
  const a1 = load<u64>(a, 8)
  const a2 = load<u64>(a, 16)
  const a3 = load<u64>(a, 24)
  const b0 = load<u64>(b)
  const b1 = load<u64>(b, 8)
  const b2 = load<u64>(b, 16)
  const b3 = load<u64>(b, 24)
  // Column by column; the highest needs low halves only.
  let r1 = multiplyHigh(a0, b0)
  let r2: u64 = 0
  let r3: u64 = 0
  let low = a0 * b1
  r1 += low
  r2 += ((r1 < low) as u64) + multiplyHigh(a0, b1)
  low = a1 * b0
  r1 += low
  let carry = ((r1 < low) as u64) + multiplyHigh(a1, b0)
  r2 += carry
  r3 += (r2 < carry) as u64
  low = a0 * b2
  r2 += low
  r3 += ((r2 < low) as u64) + multiplyHigh(a0, b2)
  low = a1 * b1
  r2 += low
  r3 += ((r2 < low) as u64) + multiplyHigh(a1, b1)
  low = a2 * b0
  r2 += low
  r3 += ((r2 < low) as u64) + multiplyHigh(a2, b0)
  r3 += a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0
  store<u64>(b, a0 * b0)
  store<u64>(b, r1, 8)
  store<u64>(b, r2, 16)
  store<u64>(b, r3, 24)
}

// @ts-ignore: decorator
@inline
function multiplyHigh(x: u64, y: u64): u64 {
  const xl = x & 0xffffffff
  const xh = x >> 32
  const yl = y & 0xffffffff
  const yh = y >> 32
  const middle = xh * yl + ((xl * yl) >> 32)
  const cross = xl * yh + (middle & 0xffffffff)
  return xh * yh + (middle >> 32) + (cross >> 32)
}

/** b becomes a / b, 0 when b is 0. */
export function divide(a: u32, b: u32): void {
  if (isShort(a) && isShort(b)) {
    const y = load<u64>(b)
    store<u64>(b, y == 0 ? 0 : load<u64>(a) / y)
    return
  }
  if (isZero(b)) return
  divideLong(a, 8, b)
  copyWord(quotient, b)
}

/** b becomes a mod b, 0 when b is 0. */
export function modulo(a: u32, b: u32): void {
  if (isShort(a) && isShort(b)) {
    const y = load<u64>(b)
    store<u64>(b, y == 0 ? 0 : load<u64>(a) % y)
    return
  }
  if (isZero(b)) return
  divideLong(a, 8, b)
  copyWord(dividend, b)
}

export function divideSigned(a: u32, b: u32): void {
  const isNegative = (load<i64>(a, 24) ^ load<i64>(b, 24)) < 0
  makeAbsolute(a, b)
  divide(left, right)
  if (isNegative) negate(right)
  copyWord(right, b)
}

export function moduloSigned(a: u32, b: u32): void {
  const isNegative = load<i64>(a, 24) < 0
  makeAbsolute(a, b)
  modulo(left, right)
  if (isNegative) negate(right)
  copyWord(right, b)
}

function makeAbsolute(a: u32, b: u32): void {
  copyWord(a, left)
  copyWord(b, right)
  if (load<i64>(left, 24) < 0) negate(left)
  if (load<i64>(right, 24) < 0) negate(right)
}

/** n becomes (a + b) mod n, 0 when n is 0. */
export function addModulo(a: u32, b: u32, n: u32): void {
  if (isZero(n)) return
  copyWord(b, product)
  add(a, product)
  // A sum below one of its parts went over 2^256.
  store<u32>(product, isBelow(product, a) ? 1 : 0, 32)
  divideLong(product, 9, n)
  copyWord(dividend, n)
}

/** n becomes (a * b) mod n, 0 when n is 0. */
export function multiplyModulo(a: u32, b: u32, n: u32): void {
  if (isZero(n)) return
  memory.fill(product, 0, 64)
  for (let i: u32 = 0; i < 32; i += 4) {
    const digit = load<u32>(a + i) as u64
    if (digit == 0) continue
    let carry: u64 = 0
    for (let j: u32 = 0; j < 32; j += 4) {
      const sum = digit * (load<u32>(b + j) as u64) + (load<u32>(product + i + j) as u64) + carry
      store<u32>(product + i + j, sum as u32)
      carry = sum >> 32
    }
    store<u32>(product + i + 32, carry as u32)
  }
  divideLong(product, 16, n)
  copyWord(dividend, n)
}

/** Leaves the quotient's lower word in `quotient` and the remainder in `dividend`. The divisor is not zero. */
function divideLong(from: u32, fromDigits: u32, by: u32): void {
  memory.fill(quotient, 0, 68)
  let n: u32 = 8
  while (load<u32>(by + ((n - 1) << 2)) == 0) n--
  let m = fromDigits
  while (m > 0 && load<u32>(from + ((m - 1) << 2)) == 0) m--
  memory.fill(dividend, 0, 72)
  memory.copy(dividend, from, m << 2)
  if (m < n) return
  if (n == 1) {
    const digit = load<u32>(by) as u64
    let rest: u64 = 0
    for (let j = m; j > 0; j--) {
      const at = (j - 1) << 2
      const value = (rest << 32) | (load<u32>(dividend + at) as u64)
      store<u32>(quotient + at, (value / digit) as u32)
      rest = value % digit
    }
    memory.fill(dividend, 0, 72)
    store<u64>(dividend, rest)
    return
  }
  const shift = clz<u32>(load<u32>(by + ((n - 1) << 2)))
  shiftDigits(by, divisor, n, shift)
  // One more digit for what the shift pushes out.
  store<u32>(dividend + (m << 2), shiftDigits(dividend, dividend, m, shift))
  const top = load<u32>(divisor + ((n - 1) << 2)) as u64
  const second = load<u32>(divisor + ((n - 2) << 2)) as u64
  for (let j: i32 = (m - n) as i32; j >= 0; j--) {
    const at = dividend + ((j as u32) << 2)
    const upper =
      ((load<u32>(at + (n << 2)) as u64) << 32) | (load<u32>(at + ((n - 1) << 2)) as u64)
    let guess = upper / top
    let rest = upper % top
    while (
      guess >> 32 != 0 ||
      guess * second > ((rest << 32) | (load<u32>(at + ((n - 2) << 2)) as u64))
    ) {
      guess--
      rest += top
      if (rest >> 32 != 0) break
    }
    let borrow: i64 = 0
    let carry: u64 = 0
    for (let i: u32 = 0; i < n; i++) {
      const p = guess * (load<u32>(divisor + (i << 2)) as u64) + carry
      carry = p >> 32
      const t = (load<u32>(at + (i << 2)) as i64) - borrow - ((p & 0xffffffff) as i64)
      store<u32>(at + (i << 2), t as u32)
      borrow = (t >> 63) & 1
    }
    const t = (load<u32>(at + (n << 2)) as i64) - borrow - (carry as i64)
    store<u32>(at + (n << 2), t as u32)
    if (t < 0) {
      guess--
      let c: u64 = 0
      for (let i: u32 = 0; i < n; i++) {
        const s = (load<u32>(at + (i << 2)) as u64) + (load<u32>(divisor + (i << 2)) as u64) + c
        store<u32>(at + (i << 2), s as u32)
        c = s >> 32
      }
      store<u32>(at + (n << 2), load<u32>(at + (n << 2)) + (c as u32))
    }
    store<u32>(quotient + ((j as u32) << 2), guess as u32)
  }
  // Back to where the remainder was before the shift.
  if (shift != 0) {
    for (let i: u32 = 0; i < n; i++) {
      const here = load<u32>(dividend + (i << 2)) >> shift
      store<u32>(dividend + (i << 2), here | (load<u32>(dividend + ((i + 1) << 2)) << (32 - shift)))
    }
  }
  memory.fill(dividend + (n << 2), 0, 72 - (n << 2))
}

/** @returns the bits pushed out at the top. */
function shiftDigits(from: u32, to: u32, count: u32, shift: u32): u32 {
  if (shift == 0) {
    memory.copy(to, from, count << 2)
    return 0
  }
  let carry: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const digit = load<u32>(from + (i << 2))
    store<u32>(to + (i << 2), (digit << shift) | carry)
    carry = digit >> (32 - shift)
  }
  return carry
}

/** b becomes a to the power of b. */
export function power(a: u32, b: u32): void {
  copyWord(a, square)
  copyWord(b, exponentCopy)
  setWord(b, 1)
  let limbs: u32 = 4
  while (limbs > 0 && load<u64>(exponentCopy + ((limbs - 1) << 3)) == 0) limbs--
  for (let i: u32 = 0; i < limbs; i++) {
    let bits = load<u64>(exponentCopy + (i << 3))
    const isLast = i == limbs - 1
    for (let j: u32 = 0; j < 64; j++) {
      if ((bits & 1) != 0) multiply(square, b)
      bits >>= 1
      if (isLast && bits == 0) return
      copyWord(square, left)
      multiply(left, square)
    }
  }
}

/** Bytes of the number without leading zeros. */
export function byteCount(at: u32): u32 {
  for (let i: u32 = 4; i > 0; i--) {
    const limb = load<u64>(at + ((i - 1) << 3))
    if (limb != 0) return (i << 3) - ((clz<u64>(limb) as u32) >> 3)
  }
  return 0
}

/** The word at `at` moves left by `bits` below 256. */
export function shiftLeft(at: u32, bits: u32): void {
  const limbs = (bits >> 6) << 3
  const rest = (bits & 63) as u64
  for (let i: i32 = 24; i >= 0; i -= 8) {
    const from = i - (limbs as i32)
    let value: u64 = 0
    if (from >= 0) {
      value = load<u64>(at + (from as u32)) << rest
      if (rest != 0 && from >= 8) value |= load<u64>(at + (from as u32) - 8) >> (64 - rest)
    }
    store<u64>(at + (i as u32), value)
  }
}

/** The word at `at` moves right by `bits` below 256; `fill` comes in at the top. */
export function shiftRight(at: u32, bits: u32, fill: u64): void {
  const limbs = (bits >> 6) << 3
  const rest = (bits & 63) as u64
  for (let i: u32 = 0; i < 32; i += 8) {
    const from = i + limbs
    let value = fill
    if (from < 32) {
      value = load<u64>(at + from) >> rest
      const above = from < 24 ? load<u64>(at + from + 8) : fill
      if (rest != 0) value |= above << (64 - rest)
    }
    store<u64>(at + i, value)
  }
}
