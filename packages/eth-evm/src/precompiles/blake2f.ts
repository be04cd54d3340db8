/** Precompile 9: the compression function of BLAKE2b (RFC 7693, 3.2) with a free number of rounds (EIP-152). */

/** 4 bytes rounds, 64 state, 128 message, 16 offset counters, 1 flag. */
const inputBytes = 213

const initialVector = new Uint32Array([
  0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a,
  0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19,
])

const sigma: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
]

/** @param compress does the same to an input of the right form, faster. */
export function blake2f(
  input: Uint8Array,
  compress: (input: Uint8Array) => Uint8Array = compressBlake2,
): Uint8Array | undefined {
  if (input.length !== inputBytes || (input[inputBytes - 1] as number) > 1) return undefined
  return compress(input)
}

function compressBlake2(input: Uint8Array): Uint8Array {
  const flag = input[inputBytes - 1] as number
  const view = new DataView(input.buffer, input.byteOffset, input.length)
  const rounds = view.getUint32(0)
  // Numbers of 64 bits as two of 32: low half first.
  const v = new Uint32Array(32)
  const m = new Uint32Array(32)
  for (let i = 0; i < 16; i++) v[i] = view.getUint32(4 + 4 * i, true)
  v.set(initialVector, 16)
  for (let i = 0; i < 32; i++) m[i] = view.getUint32(68 + 4 * i, true)
  for (let i = 0; i < 4; i++) v[24 + i] = (v[24 + i] as number) ^ view.getUint32(196 + 4 * i, true)
  if (flag === 1) {
    v[28] = ~(v[28] as number)
    v[29] = ~(v[29] as number)
  }
  for (let round = 0; round < rounds; round++) {
    const s = sigma[round % 10] as readonly number[]
    mix(v, 0, 4, 8, 12, m, s[0] as number, s[1] as number)
    mix(v, 1, 5, 9, 13, m, s[2] as number, s[3] as number)
    mix(v, 2, 6, 10, 14, m, s[4] as number, s[5] as number)
    mix(v, 3, 7, 11, 15, m, s[6] as number, s[7] as number)
    mix(v, 0, 5, 10, 15, m, s[8] as number, s[9] as number)
    mix(v, 1, 6, 11, 12, m, s[10] as number, s[11] as number)
    mix(v, 2, 7, 8, 13, m, s[12] as number, s[13] as number)
    mix(v, 3, 4, 9, 14, m, s[14] as number, s[15] as number)
  }
  const output = new Uint8Array(64)
  const out = new DataView(output.buffer)
  for (let i = 0; i < 16; i++) {
    const mixed = (v[i] as number) ^ (v[i + 16] as number)
    out.setUint32(4 * i, view.getUint32(4 + 4 * i, true) ^ mixed, true)
  }
  return output
}

/** The function G of RFC 7693, 3.1. */
function mix(
  v: Uint32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  m: Uint32Array,
  x: number,
  y: number,
): void {
  addTo(v, 2 * a, v[2 * b] as number, v[2 * b + 1] as number)
  addTo(v, 2 * a, m[2 * x] as number, m[2 * x + 1] as number)
  xorRotated(v, 2 * d, 2 * a, 32)
  addTo(v, 2 * c, v[2 * d] as number, v[2 * d + 1] as number)
  xorRotated(v, 2 * b, 2 * c, 24)
  addTo(v, 2 * a, v[2 * b] as number, v[2 * b + 1] as number)
  addTo(v, 2 * a, m[2 * y] as number, m[2 * y + 1] as number)
  xorRotated(v, 2 * d, 2 * a, 16)
  addTo(v, 2 * c, v[2 * d] as number, v[2 * d + 1] as number)
  xorRotated(v, 2 * b, 2 * c, 63)
}

function addTo(v: Uint32Array, at: number, low: number, high: number): void {
  const sum = (v[at] as number) + low
  v[at] = sum
  v[at + 1] = (v[at + 1] as number) + high + (sum > 0xffffffff ? 1 : 0)
}

/** v[at] becomes (v[at] ^ v[other]) rotated right. */
function xorRotated(v: Uint32Array, at: number, other: number, bits: number): void {
  const low = (v[at] as number) ^ (v[other] as number)
  const high = (v[at + 1] as number) ^ (v[other + 1] as number)
  if (bits === 32) {
    v[at] = high
    v[at + 1] = low
  } else if (bits === 63) {
    v[at] = (low << 1) | (high >>> 31)
    v[at + 1] = (high << 1) | (low >>> 31)
  } else {
    v[at] = (low >>> bits) | (high << (32 - bits))
    v[at + 1] = (high >>> bits) | (low << (32 - bits))
  }
}
