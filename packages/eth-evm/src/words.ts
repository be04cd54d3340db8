/**
 * 256-bit numbers as eight 32-bit integers, least significant first: the form of the WebAssembly stack, seen from
 * JavaScript. Storage keys and addresses are compared in it without a string or a bigint being made.
 */

/** Integers in a word. */
export const wordLength = 8

/** Big-endian bytes, at most 32, into the word at `at`. */
export function bytesToWord(bytes: Uint8Array, words: Int32Array, at: number): void {
  let end = bytes.length
  for (let i = 0; i < wordLength; i++) {
    let value = 0
    if (end >= 4) {
      value =
        ((bytes[end - 4] as number) << 24) |
        ((bytes[end - 3] as number) << 16) |
        ((bytes[end - 2] as number) << 8) |
        (bytes[end - 1] as number)
    } else {
      for (let j = 0; j < end; j++) value = (value << 8) | (bytes[j] as number)
    }
    words[at + i] = value
    end = end >= 4 ? end - 4 : 0
  }
}

/** @returns new big-endian bytes: the lower `size` ones. */
export function wordToBytes(words: Int32Array, at: number, size = 32): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0, end = size; end >= 4; i++, end -= 4) {
    const value = words[at + i] as number
    bytes[end - 4] = value >>> 24
    bytes[end - 3] = value >>> 16
    bytes[end - 2] = value >>> 8
    bytes[end - 1] = value
  }
  return bytes
}

export function wordToBigint(words: Int32Array, at: number): bigint {
  let top = wordLength - 1
  while (top > 0 && words[at + top] === 0) top--
  if (top === 0) return BigInt((words[at] as number) >>> 0)
  let value = 0n
  for (; top >= 1; top -= 2) {
    // The top may be a low half; its upper half is then zero.
    if ((top & 1) === 0) top++
    const high = (words[at + top] as number) >>> 0
    const low = (words[at + top - 1] as number) >>> 0
    value = (value << 64n) | (BigInt(high) << 32n) | BigInt(low)
  }
  return value
}

export function bigintToWord(value: bigint, words: Int32Array, at: number): void {
  let rest = value
  for (let i = 0; i < wordLength; i += 2) {
    if (rest === 0n) {
      words[at + i] = 0
      words[at + i + 1] = 0
      continue
    }
    const low = BigInt.asUintN(64, rest)
    words[at + i] = Number(low & 0xffffffffn)
    words[at + i + 1] = Number(low >> 32n)
    rest >>= 64n
  }
}

export function isZeroWord(words: Int32Array, at: number): boolean {
  return (
    ((words[at] as number) |
      (words[at + 1] as number) |
      (words[at + 2] as number) |
      (words[at + 3] as number) |
      (words[at + 4] as number) |
      (words[at + 5] as number) |
      (words[at + 6] as number) |
      (words[at + 7] as number)) ===
    0
  )
}

export function equalWords(
  left: Int32Array,
  leftAt: number,
  right: Int32Array,
  rightAt: number,
): boolean {
  for (let i = 0; i < wordLength; i++) if (left[leftAt + i] !== right[rightAt + i]) return false
  return true
}

export function copyWord(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): void {
  for (let i = 0; i < wordLength; i++) to[toAt + i] = from[fromAt + i] as number
}

export function clearWord(words: Int32Array, at: number): void {
  for (let i = 0; i < wordLength; i++) words[at + i] = 0
}
