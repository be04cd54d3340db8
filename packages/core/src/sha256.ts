/**
 * SHA-256 for every floor, synchronous. Node's own one-call form where there is one, else @noble/hashes (browsers).
 * The result is always fresh and may be kept.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

export const hashBytesSize = 32

interface NodeCrypto {
  hash?: (algorithm: string, data: Uint8Array, encoding: 'hex') => string
}

// process.getBuiltinModule (Node 20.16) reaches node:crypto without an import that a browser bundler would trip over.
const nodeCrypto = (
  globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
).process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined
const nodeHash = nodeCrypto?.hash

const nibbles = new Uint8Array(128)
for (let i = 0; i < 16; i++) nibbles['0123456789abcdef'.charCodeAt(i)] = i

/** SHA-256 of `bytes` written to `out` at `offset`. */
export function sha256Into(bytes: Uint8Array, out: Uint8Array, offset: number): void {
  if (nodeHash === undefined) {
    out.set(nobleSha256(bytes), offset)
    return
  }
  // The 'hex' form costs a third of the 'buffer' form (storage-engine 4), decoding included.
  const hex = nodeHash('sha256', bytes, 'hex')
  for (let i = 0; i < hashBytesSize; i++) {
    out[offset + i] =
      ((nibbles[hex.charCodeAt(2 * i)] as number) << 4) |
      (nibbles[hex.charCodeAt(2 * i + 1)] as number)
  }
}

export function sha256(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(hashBytesSize)
  sha256Into(bytes, out, 0)
  return out
}
