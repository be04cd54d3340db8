/** Precompiles 2 and 3: SHA-256, and RIPEMD-160 left-padded to a word. */
import { sha256 as sha256Hash } from '@cairn/core'
import { ripemd160 as ripemd160Hash } from '@noble/hashes/legacy.js'

export function sha256(input: Uint8Array): Uint8Array {
  return sha256Hash(input)
}

export function ripemd160(input: Uint8Array): Uint8Array {
  const output = new Uint8Array(32)
  output.set(ripemd160Hash(input), 12)
  return output
}
