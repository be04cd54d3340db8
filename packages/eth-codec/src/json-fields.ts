/**
 * Fields of geth's JSON files: numbers as decimal, hexadecimal or JSON numbers, bytes with or without `0x`, keys in any
 * case (Go reads them so). Errors name the path of the value.
 */
import { GenesisError } from './errors.ts'

/** Of a number as text, with room for leading zeros: reading decimals takes longer than their length. */
const digitCountMax = 256

/** The members of a JSON object by their key in lower case. */
export type JsonFields = ReadonlyMap<string, unknown>

/** @throws GenesisError when `value` is no object. */
export function jsonFields(value: unknown, path: string): JsonFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw jsonFieldError(path, 'is not a JSON object')
  }
  return new Map(Object.entries(value).map(([key, member]) => [key.toLowerCase(), member]))
}

/**
 * A number: 5, "5" or "0x5"; empty text is 0, as in geth.
 * @throws GenesisError when it is none, negative, beyond `bitsMax`, or a JSON number too large to be exact.
 */
export function jsonNumber(value: unknown, path: string, bitsMax: number): bigint {
  const number = numberOf(value, path)
  if (number >> BigInt(bitsMax) !== 0n) throw jsonFieldError(path, `is beyond ${bitsMax} bits`)
  return number
}

function numberOf(value: unknown, path: string): bigint {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return BigInt(value)
    throw jsonFieldError(path, 'is a JSON number beyond 2^53 or no whole number, write it as text')
  }
  if (value === '') return 0n
  if (typeof value === 'string' && value.length > digitCountMax) {
    throw jsonFieldError(path, `has more than ${digitCountMax} digits`)
  }
  if (typeof value === 'string' && /^(?:0x[0-9a-f]+|\d+)$/i.test(value)) {
    return BigInt(value.toLowerCase())
  }
  throw jsonFieldError(path, 'is not a number: decimal, 0x and hexadecimal digits, or JSON')
}

/**
 * Bytes in hexadecimal, with or without `0x`.
 * @param bytesSize Exactly so many, when given.
 * @throws GenesisError otherwise.
 */
export function jsonBytes(value: unknown, path: string, bytesSize?: number): Uint8Array {
  const digits = typeof value === 'string' ? value.replace(/^0x/i, '') : undefined
  if (digits === undefined || digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
    throw jsonFieldError(path, 'is not hexadecimal with two digits a byte')
  }
  if (bytesSize !== undefined && digits.length !== 2 * bytesSize) {
    throw jsonFieldError(path, `has ${digits.length / 2} bytes in place of ${bytesSize}`)
  }
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}

/** A word of 32 bytes of which leading zeros may be left out, down to half a byte. @throws GenesisError. */
export function jsonWord(value: unknown, path: string): Uint8Array {
  const digits = typeof value === 'string' ? value.replace(/^0x/i, '') : ''
  if (typeof value !== 'string' || digits.length > 64) {
    throw jsonFieldError(path, 'is not a word of at most 32 bytes')
  }
  return jsonBytes(digits.padStart(64, '0'), path, 32)
}

export function jsonFieldError(path: string, reason: string): GenesisError {
  return new GenesisError(
    { code: 'GENESIS_FIELD', path, reason },
    { shortMessage: `The genesis file cannot be used: ${path} ${reason}.` },
  )
}
