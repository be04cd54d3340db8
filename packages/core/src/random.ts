/** Randomness as a parameter. The default is the platform's cryptographic generator. */

export interface Random {
  /** `size` fresh bytes; the caller may keep them. */
  bytes(size: number): Uint8Array
}

/** Web Crypto refuses larger requests at once (W3C Web Cryptography API, getRandomValues). */
const requestBytesMax = 65_536

export const systemRandom: Random = {
  bytes(size) {
    const out = new Uint8Array(size)
    for (let offset = 0; offset < size; offset += requestBytesMax) {
      globalThis.crypto.getRandomValues(out.subarray(offset, offset + requestBytesMax))
    }
    return out
  },
}
