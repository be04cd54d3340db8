/** Keys of the chain's tables: numbers big-endian, so that ranges run upwards. */
import { bytesToNumber, numberToFixedBytes } from '@cairn/eth-codec'

export function encodeU64(value: bigint): Uint8Array {
  return numberToFixedBytes(value, 8)
}

export function decodeU64(bytes: Uint8Array, offset = 0): bigint {
  return bytesToNumber(bytes.subarray(offset, offset + 8))
}

/** Place of a transaction on the canonical chain: block number u64, index u32. */
export function encodePlace(number: bigint, index: number): Uint8Array {
  return numberToFixedBytes((number << 32n) | BigInt(index), 12)
}

export function decodePlace(bytes: Uint8Array): { number: bigint; index: number } {
  return { number: decodeU64(bytes), index: Number(bytesToNumber(bytes.subarray(8, 12))) }
}
