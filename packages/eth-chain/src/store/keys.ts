/** Keys of the chain's tables: numbers big-endian, so that ranges run upwards. */

export function encodeU64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value)
  return bytes
}

export function decodeU64(bytes: Uint8Array, offset = 0): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(offset)
}

/** Place of a transaction on the canonical chain: block number u64, index u32. */
export function encodePlace(number: bigint, index: number): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, number)
  view.setUint32(8, index)
  return bytes
}

export function decodePlace(bytes: Uint8Array): { number: bigint; index: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { number: view.getBigUint64(0), index: view.getUint32(8) }
}
