/**
 * SHA-256 for every floor, synchronous. Node's own one-call form where there is one, else @noble/hashes (browsers).
 * The result is always fresh and may be kept.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

export const hashBytesSize = 32

interface NodeCrypto {
  hash?: (algorithm: string, data: Uint8Array, encoding: 'latin1') => string
}

// process.getBuiltinModule (Node 20.16) reaches node:crypto without an import that a browser bundler would trip over.
const nodeCrypto = (
  globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
).process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined
const nodeHash = nodeCrypto?.hash

/**
 * SHA-256 of `bytes` as a string of 32 characters with codes 0 to 255. Such strings order as the digests do.
 */
export function sha256Latin1(bytes: Uint8Array): string {
  // 0.20 µs for 40 bytes, where 'hex' takes 0.22 and 'buffer' 0.69 (Node 20.20), and half the characters to decode.
  if (nodeHash !== undefined) return nodeHash('sha256', bytes, 'latin1')
  return String.fromCharCode(...nobleSha256(bytes))
}

/** SHA-256 of `bytes` written to `out` at `offset`. */
export function sha256Into(bytes: Uint8Array, out: Uint8Array, offset: number): void {
  if (nodeHash === undefined) {
    out.set(nobleSha256(bytes), offset)
    return
  }
  const digest = nodeHash('sha256', bytes, 'latin1')
  for (let i = 0; i < hashBytesSize; i++) out[offset + i] = digest.charCodeAt(i)
}

export function sha256(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(hashBytesSize)
  sha256Into(bytes, out, 0)
  return out
}
