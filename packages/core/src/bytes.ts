/** Byte helpers that every floor uses: comparison, joining, hexadecimal, base64. Browser-safe. */

const hexDigits = '0123456789abcdef'
const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const base64Values = new Int16Array(128).fill(-1)
for (let i = 0; i < 64; i++) base64Values[base64Alphabet.charCodeAt(i)] = i

/** Zero bytes. Frozen by use: nobody writes into an empty array. */
export const emptyBytes: Uint8Array = new Uint8Array(0)

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** @throws TypeError when `bytes` is not valid UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Unsigned lexicographic order; a prefix comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const part of parts) size += part.length
  const out = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

export function toHex(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15)
  return out
}

/** @throws TypeError when `text` is not an even number of hexadecimal digits. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw new TypeError('not hexadecimal')
  const out = new Uint8Array(text.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return out
}

/** RFC 4648 base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const group =
      ((bytes[i] as number) << 16) |
      ((left > 1 ? (bytes[i + 1] as number) : 0) << 8) |
      (left > 2 ? (bytes[i + 2] as number) : 0)
    out += base64Alphabet.charAt(group >> 18) + base64Alphabet.charAt((group >> 12) & 63)
    out += left > 1 ? base64Alphabet.charAt((group >> 6) & 63) : '='
    out += left > 2 ? base64Alphabet.charAt(group & 63) : '='
  }
  return out
}

/**
 * RFC 4648 base64, strict: padded, no white space, unused bits zero.
 * @throws TypeError when `text` is anything else.
 */
export function fromBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw new TypeError('not base64: the length is not a multiple of 4')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const out = new Uint8Array((text.length / 4) * 3 - padding)
  let offset = 0
  for (let i = 0; i < text.length; i += 4) {
    const isLast = i + 4 === text.length
    let group = 0
    for (let j = 0; j < 4; j++) {
      const code = text.charCodeAt(i + j)
      const isPadding = isLast && j >= 4 - padding
      const value = isPadding ? 0 : code < 128 ? (base64Values[code] as number) : -1
      if (value < 0) throw new TypeError(`not base64: character ${i + j}`)
      group = (group << 6) | value
    }
    const count = isLast ? 3 - padding : 3
    if (count < 3 && (group & ((1 << (8 * (3 - count))) - 1)) !== 0) {
      throw new TypeError('not base64: unused bits are set')
    }
    for (let j = 0; j < count; j++) out[offset++] = (group >> (16 - 8 * j)) & 255
  }
  return out
}
