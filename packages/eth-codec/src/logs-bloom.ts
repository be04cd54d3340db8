/** The Bloom filter of logs in receipts and headers: 2048 bits, three of them for each address and topic. */
import { keccak256 } from './keccak256.ts'
import { pooledBytes } from './pooled-bytes.ts'
import type { Log } from './receipt.ts'

export const bloomBytesSize = 256

/** The filter of the addresses and topics of these logs, 256 bytes. */
export function logsBloom(logs: readonly Log[]): Uint8Array {
  const bloom = pooledBytes(bloomBytesSize)
  for (const { address, topics } of logs) {
    addToBloom(bloom, address)
    for (const topic of topics) addToBloom(bloom, topic)
  }
  return bloom
}

/** Sets in `bloom` the bits of a value that is not hashed yet. */
export function addToBloom(bloom: Uint8Array, value: Uint8Array): void {
  const hash = keccak256(value)
  for (let i = 0; i < 6; i += 2) {
    const bit = bitAt(hash, i)
    const index = bloomBytesSize - 1 - (bit >> 3)
    bloom[index] = (bloom[index] as number) | (1 << (bit & 7))
  }
}

/** Whether the value may be in it: false is certain, true is not. */
export function bloomHas(bloom: Uint8Array, value: Uint8Array): boolean {
  const hash = keccak256(value)
  for (let i = 0; i < 6; i += 2) {
    const bit = bitAt(hash, i)
    const byte = bloom[bloomBytesSize - 1 - (bit >> 3)] as number
    if ((byte & (1 << (bit & 7))) === 0) return false
  }
  return true
}

/** Adds every bit of `other` to `bloom`: the filter of a block is that of its receipts together. */
export function mergeBloom(bloom: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < bloomBytesSize; i++) {
    bloom[i] = (bloom[i] as number) | (other[i] as number)
  }
}

/** The lowest 11 bits of a pair of bytes (Yellow Paper, section 4.3.1). */
function bitAt(hash: Uint8Array, offset: number): number {
  return (((hash[offset] as number) << 8) | (hash[offset + 1] as number)) & 2047
}
