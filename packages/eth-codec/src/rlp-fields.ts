/**
 * The fields of records in RLP: numbers without leading zeros, bytes of a fixed length, lists of a fixed count. Every
 * record's reader names the field, so that an error says what was wrong with which.
 */
import { RlpError } from './errors.ts'
import type { RlpItem } from './rlp.ts'

/** @throws RlpError when the field is a list. */
export function bytesField(item: RlpItem | undefined, field: string): Uint8Array {
  if (item instanceof Uint8Array) return item
  throw fieldError(field, item === undefined ? 'is missing' : 'is a list, bytes were expected')
}

/** @throws RlpError when the field is not bytes of that length. */
export function fixedField(
  item: RlpItem | undefined,
  field: string,
  bytesSize: number,
): Uint8Array {
  const bytes = bytesField(item, field)
  if (bytes.length === bytesSize) return bytes
  throw fieldError(field, `has ${bytes.length} bytes in place of ${bytesSize}`)
}

/** An address, or undefined for the empty bytes that stand for the creation of a contract. */
export function addressOrNoneField(
  item: RlpItem | undefined,
  field: string,
): Uint8Array | undefined {
  const bytes = bytesField(item, field)
  return bytes.length === 0 ? undefined : fixedField(bytes, field, 20)
}

/** @throws RlpError when the field is not a number, has leading zeros, or takes more than `bytesMax` bytes. */
export function numberField(item: RlpItem | undefined, field: string, bytesMax: number): bigint {
  return bytesToNumber(numberBytesField(item, field, bytesMax))
}

/** The bytes of a number, checked as {@link numberField} does; for numbers that stay bytes. */
export function numberBytesField(
  item: RlpItem | undefined,
  field: string,
  bytesMax: number,
): Uint8Array {
  const bytes = bytesField(item, field)
  if (bytes.length > bytesMax) {
    throw fieldError(field, `is a number of ${bytes.length} bytes, ${bytesMax} are allowed`)
  }
  if (bytes[0] === 0) throw fieldError(field, 'is a number with leading zeros')
  return bytes
}

/** @throws RlpError when the field is bytes, or has another count of items. */
export function listField(
  item: RlpItem | undefined,
  field: string,
  count?: number,
): readonly RlpItem[] {
  if (item === undefined || item instanceof Uint8Array) {
    throw fieldError(field, item === undefined ? 'is missing' : 'is bytes, a list was expected')
  }
  if (count === undefined || item.length === count) return item
  throw fieldError(field, `has ${item.length} items in place of ${count}`)
}

export function fieldError(field: string, reason: string): RlpError {
  return new RlpError(
    { code: 'RLP_FIELD', field, reason },
    { shortMessage: `The field "${field}" ${reason}.` },
  )
}

/** Big-endian, any length; nothing is zero. */
export function bytesToNumber(bytes: Uint8Array): bigint {
  const { length } = bytes
  // Numbers of up to 6 bytes, which most are, never leave the small integers and doubles.
  if (length <= 6) {
    let small = 0
    for (let i = 0; i < length; i++) small = small * 256 + (bytes[i] as number)
    return BigInt(small)
  }
  let value = 0n
  for (let start = 0, end = length % 6; start < length; start = end, end += 6) {
    let part = 0
    for (let i = start; i < end; i++) part = part * 256 + (bytes[i] as number)
    value = (value << 48n) | BigInt(part)
  }
  return value
}

/** Big-endian without leading zeros; zero has no bytes. @param value Not negative. */
export function numberToBytes(value: bigint): Uint8Array {
  if (value <= 0xffffffffffffn) {
    let rest = Number(value)
    let size = 0
    for (let left = rest; left > 0; left = Math.floor(left / 256)) size++
    const small = new Uint8Array(size)
    for (let i = size - 1; i >= 0; i--) {
      small[i] = rest % 256
      rest = Math.floor(rest / 256)
    }
    return small
  }
  let size = 6
  for (let left = value >> 48n; left > 0n; left >>= 8n) size++
  return numberToFixedBytes(value, size)
}

/** Big-endian, filled with zeros in front. @param value From 0 to 256 to the power of `bytesSize`, less 1. */
export function numberToFixedBytes(value: bigint, bytesSize: number): Uint8Array {
  const bytes = new Uint8Array(bytesSize)
  let end = bytesSize
  let rest = value
  for (; end >= 6 && rest > 0n; end -= 6) {
    let part = Number(rest & 0xffff_ffff_ffffn)
    for (let i = end - 1; part > 0; i--) {
      bytes[i] = part % 256
      part = Math.floor(part / 256)
    }
    rest >>= 48n
  }
  for (; end > 0 && rest > 0n; end--) {
    bytes[end - 1] = Number(rest & 0xffn)
    rest >>= 8n
  }
  if (rest > 0n) throw new RangeError(`a number does not fit into ${bytesSize} bytes`)
  return bytes
}

/** The same bytes with zeros in front, up to `bytesSize`. */
export function padStart(bytes: Uint8Array, bytesSize: number): Uint8Array {
  if (bytes.length === bytesSize) return bytes
  const padded = new Uint8Array(bytesSize)
  padded.set(bytes, bytesSize - bytes.length)
  return padded
}
