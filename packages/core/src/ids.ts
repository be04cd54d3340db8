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

function halfToText(high: number, low: number): string {
  // Long division of a 64-bit number by 62 in two 32-bit limbs keeps BigInt off the path of every insert.
  let text = ''
  let h = high
  let l = low
  for (let i = 0; i < digitsPerHalf; i++) {
    const remainder = h % 62
    h = Math.floor(h / 62)
    const rest = remainder * 0x1_0000_0000 + l
    l = Math.floor(rest / 62)
    text = alphabet.charAt(rest % 62) + text
  }
  return text
}

/** @param bytes 16 bytes. */
export function idFromBytes(bytes: Uint8Array): string {
  assert(bytes.length === idBytesSize, 'an id has 16 bytes')
  const view = new DataView(bytes.buffer, bytes.byteOffset, idBytesSize)
  return (
    halfToText(view.getUint32(0), view.getUint32(4)) +
    halfToText(view.getUint32(8), view.getUint32(12))
  )
}

/** The 16 bytes of an id, or undefined when `text` is no id. */
export function idToBytes(text: string): Uint8Array | undefined {
  if (text.length !== idTextLength) return undefined
  const out = new Uint8Array(idBytesSize)
  const view = new DataView(out.buffer)
  for (let half = 0; half < 2; half++) {
    let high = 0
    let low = 0
    for (let i = 0; i < digitsPerHalf; i++) {
      const digit = alphabet.indexOf(text.charAt(half * digitsPerHalf + i))
      if (digit < 0) return undefined
      const rest = low * 62 + digit
      low = rest % 0x1_0000_0000
      high = high * 62 + Math.floor(rest / 0x1_0000_0000)
      if (high > 0xffff_ffff) return undefined
    }
    view.setUint32(8 * half, high)
    view.setUint32(8 * half + 4, low)
  }
  return out
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
  const take = (size: number): Uint8Array => {
    if (used + size > pool.length) {
      pool = random.bytes(poolBytesSize)
      used = 0
    }
    used += size
    return pool.subarray(used - size, used)
  }
  return {
    random: () => idFromBytes(take(idBytesSize)),
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
      const bytes = new Uint8Array(idBytesSize)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, Math.floor(lastMs / 0x1_0000))
      view.setUint32(4, (lastMs % 0x1_0000) * 0x1_0000 + counter)
      bytes.set(take(8), 8)
      return idFromBytes(bytes)
    },
  }
}
