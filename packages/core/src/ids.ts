/**
 * 128-bit identifiers as 22 characters of base62: two big-endian 64-bit halves of 11 digits each.
 * Source: qldb-compat 3.1, inferred from and checked on published QLDB ids. Zero-padded and in ASCII order,
 * so the text order is the order of the numbers.
 */
import { assert } from './assert.ts'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const digitsPerHalf = 11
export const idBytesSize = 16
export const idTextLength: number = 2 * digitsPerHalf

const two32 = 0x1_0000_0000
/** Values of three digits: the largest group that 32 more bits still go beside in a double. */
const groupValues = 62 ** 3
const digitCodes = Uint8Array.from(alphabet, (digit) => digit.charCodeAt(0))
/** By character code; 255 for what is no digit. */
const digitValues = new Uint8Array(128).fill(255)
for (let i = 0; i < alphabet.length; i++) digitValues[alphabet.charCodeAt(i)] = i

// Reused by every call: the characters of one id.
const codes = new Uint8Array(idTextLength)

/**
 * Writes the 64-bit number `high`, `low` as 11 digits that start at `offset` of `codes`. Long division in two 32-bit
 * limbs, three digits at a time, keeps BigInt off the path of every insert. Products instead of remainders, which are
 * slow beyond 31 bits.
 */
function writeHalf(high: number, low: number, offset: number): void {
  let h = high
  let l = low
  for (let end = offset + digitsPerHalf; end > offset + 2; end -= 3) {
    const quotient = Math.floor(h / groupValues)
    const rest = (h - quotient * groupValues) * two32 + l
    h = quotient
    // Below 2^50, so that the quotient's error stays below one part in `groupValues` and the floor is exact.
    l = Math.floor(rest / groupValues)
    writeGroup(rest - l * groupValues, end)
  }
  // 64 bits are less than 62^11, so two digits are left, and they are in the low limb.
  codes[offset + 1] = digitCodes[l % 62] as number
  codes[offset] = digitCodes[(l / 62) | 0] as number
}

/** Three digits that end before `end`. */
function writeGroup(group: number, end: number): void {
  const pair = (group / 62) | 0
  codes[end - 1] = digitCodes[group - pair * 62] as number
  codes[end - 2] = digitCodes[pair % 62] as number
  codes[end - 3] = digitCodes[(pair / 62) | 0] as number
}

/** The id of four 32-bit numbers. 0.09 µs and one string; digit by digit it took 0.57 and 640 bytes. */
function idFromWords(a: number, b: number, c: number, d: number): string {
  writeHalf(a, b, 0)
  writeHalf(c, d, digitsPerHalf)
  return codesToText(codes)
}

/** One call with all characters makes a flat string, which look-ups need; halves would make a rope. */
function codesToText(c: Uint8Array): string {
  return String.fromCharCode(
    c[0] as number,
    c[1] as number,
    c[2] as number,
    c[3] as number,
    c[4] as number,
    c[5] as number,
    c[6] as number,
    c[7] as number,
    c[8] as number,
    c[9] as number,
    c[10] as number,
    c[11] as number,
    c[12] as number,
    c[13] as number,
    c[14] as number,
    c[15] as number,
    c[16] as number,
    c[17] as number,
    c[18] as number,
    c[19] as number,
    c[20] as number,
    c[21] as number,
  )
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  )
}

/** @param bytes 16 bytes. */
export function idFromBytes(bytes: Uint8Array): string {
  assert(bytes.length === idBytesSize, 'an id has 16 bytes')
  return idFromWords(wordAt(bytes, 0), wordAt(bytes, 4), wordAt(bytes, 8), wordAt(bytes, 12))
}

/** The 16 bytes of an id, or undefined when `text` is no id. */
export function idToBytes(text: string): Uint8Array | undefined {
  const out = new Uint8Array(idBytesSize)
  return writeIdBytes(text, out, 0) ? out : undefined
}

/**
 * Writes the 16 bytes of an id to `out` at `offset`.
 * @returns false when `text` is no id; what is in `out` then means nothing.
 */
export function writeIdBytes(text: string, out: Uint8Array, offset: number): boolean {
  return (
    text.length === idTextLength &&
    readHalf(text, 0, out, offset) &&
    readHalf(text, digitsPerHalf, out, offset + 8)
  )
}

/** Reads 11 digits into 8 bytes. @returns false for a character that is no digit, and for more than 64 bits. */
function readHalf(text: string, start: number, out: Uint8Array, offset: number): boolean {
  // The first two digits fit into the low limb; then three at a time.
  const first = digitAt(text, start) * 62 + digitAt(text, start + 1)
  let high = 0
  let low = first
  for (let i = start + 2; i < start + digitsPerHalf; i += 3) {
    const group = (digitAt(text, i) * 62 + digitAt(text, i + 1)) * 62 + digitAt(text, i + 2)
    const rest = low * groupValues + group
    const carry = Math.floor(rest / two32)
    low = rest - carry * two32
    high = high * groupValues + carry
  }
  if (!(high < two32)) return false
  writeWord(out, offset, high)
  writeWord(out, offset + 4, low)
  return true
}

/** NaN for a character that is no digit: it spreads through all that is computed from it. */
function digitAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  const value = code < 128 ? (digitValues[code] as number) : 255
  return value === 255 ? Number.NaN : value
}

function writeWord(out: Uint8Array, offset: number, word: number): void {
  out[offset] = word >>> 24
  out[offset + 1] = word >>> 16
  out[offset + 2] = word >>> 8
  out[offset + 3] = word
}

export interface IdSource {
  /** A fresh id: not guessable, in no order. For sessions, strands and transactions. */
  random(): string
  /**
   * A fresh id greater than every one this source gave before, so that keys built from it are appended to a B-tree
   * rather than scattered over it. 48 bits of milliseconds, 16 bits of counter, 64 random bits.
   */
  ordered(): string
}

/** Random bytes are drawn in blocks: one call to the generator costs as much as a few hundred bytes. */
const poolBytesSize = 4096

export function createIdSource(clock: Clock, random: Random): IdSource {
  let pool = random.bytes(poolBytesSize)
  let used = 0
  let lastMs = 0
  let counter = 0
  /** Where `size` fresh bytes of the pool start. */
  const take = (size: number): number => {
    if (used + size > pool.length) {
      pool = random.bytes(poolBytesSize)
      used = 0
    }
    used += size
    return used - size
  }
  return {
    random() {
      const at = take(idBytesSize)
      return idFromWords(
        wordAt(pool, at),
        wordAt(pool, at + 4),
        wordAt(pool, at + 8),
        wordAt(pool, at + 12),
      )
    },
    ordered() {
      const nowMs = Math.max(clock.nowMs(), lastMs)
      if (nowMs === lastMs) counter++
      else counter = 0
      lastMs = nowMs
      if (counter > 0xffff) {
        // More than 65,536 ids in one millisecond: borrow the next one.
        lastMs++
        counter = 0
      }
      const at = take(8)
      const high = Math.floor(lastMs / 0x1_0000)
      const low = (lastMs - high * 0x1_0000) * 0x1_0000 + counter
      return idFromWords(high, low, wordAt(pool, at), wordAt(pool, at + 4))
    },
  }
}
