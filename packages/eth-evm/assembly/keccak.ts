/**
 * Keccak-256 over linear memory: padding of the original submission (0x01), rate of 136 bytes. The 25 lanes stay in
 * locals through all rounds, which is why the round is written out.
 */
import { keccakConstants, keccakState } from './layout'

const rateBytes: u32 = 136

/** Writes the round constants (FIPS 202, 3.2.5); once, before the first hash. */
export function prepareKeccak(): void {
  let register: u32 = 1
  for (let round: u32 = 0; round < 24; round++) {
    let constant: u64 = 0
    for (let j: u32 = 0; j < 7; j++) {
      if ((register & 1) != 0) constant |= (1 as u64) << (((1 as u64) << j) - 1)
      register = (register << 1) ^ ((register >> 7) * 0x171)
    }
    store<u64>(keccakConstants + (round << 3), constant)
  }
}

/** The hash of `size` bytes at `at`, left as 32 bytes in `keccakState`. */
export function keccak(at: u32, size: u32): void {
  memory.fill(keccakState, 0, 200)
  let from = at
  let left = size
  while (left >= rateBytes) {
    for (let i: u32 = 0; i < rateBytes; i += 8) {
      store<u64>(keccakState + i, load<u64>(keccakState + i) ^ load<u64>(from + i))
    }
    permute()
    from += rateBytes
    left -= rateBytes
  }
  let i: u32 = 0
  for (; i + 8 <= left; i += 8) {
    store<u64>(keccakState + i, load<u64>(keccakState + i) ^ load<u64>(from + i))
  }
  for (; i < left; i++) store<u8>(keccakState + i, load<u8>(keccakState + i) ^ load<u8>(from + i))
  store<u8>(keccakState + left, load<u8>(keccakState + left) ^ 0x01)
  store<u8>(keccakState + 135, load<u8>(keccakState + 135) ^ 0x80)
  permute()
}

function permute(): void {
  let a0 = load<u64>(keccakState, 0)
  let a1 = load<u64>(keccakState, 8)
  let a2 = load<u64>(keccakState, 16)
  let a3 = load<u64>(keccakState, 24)
  let a4 = load<u64>(keccakState, 32)
  let a5 = load<u64>(keccakState, 40)
  let a6 = load<u64>(keccakState, 48)
  let a7 = load<u64>(keccakState, 56)
  let a8 = load<u64>(keccakState, 64)
  let a9 = load<u64>(keccakState, 72)
  let a10 = load<u64>(keccakState, 80)
  let a11 = load<u64>(keccakState, 88)
  let a12 = load<u64>(keccakState, 96)
  let a13 = load<u64>(keccakState, 104)
  let a14 = load<u64>(keccakState, 112)
  let a15 = load<u64>(keccakState, 120)
  let a16 = load<u64>(keccakState, 128)
  let a17 = load<u64>(keccakState, 136)
  let a18 = load<u64>(keccakState, 144)
  let a19 = load<u64>(keccakState, 152)
  let a20 = load<u64>(keccakState, 160)
  let a21 = load<u64>(keccakState, 168)
  let a22 = load<u64>(keccakState, 176)
  let a23 = load<u64>(keccakState, 184)
  let a24 = load<u64>(keccakState, 192)
  for (let round: u32 = 0; round < 24; round++) {
    const c0 = a0 ^ a5 ^ a10 ^ a15 ^ a20
    const c1 = a1 ^ a6 ^ a11 ^ a16 ^ a21
    const c2 = a2 ^ a7 ^ a12 ^ a17 ^ a22
    const c3 = a3 ^ a8 ^ a13 ^ a18 ^ a23
    const c4 = a4 ^ a9 ^ a14 ^ a19 ^ a24
    const d0 = c4 ^ rotl<u64>(c1, 1)
    const d1 = c0 ^ rotl<u64>(c2, 1)
    const d2 = c1 ^ rotl<u64>(c3, 1)
    const d3 = c2 ^ rotl<u64>(c4, 1)
    const d4 = c3 ^ rotl<u64>(c0, 1)
    const b0 = a0 ^ d0
    const b16 = rotl<u64>(a5 ^ d0, 36)
    const b7 = rotl<u64>(a10 ^ d0, 3)
    const b23 = rotl<u64>(a15 ^ d0, 41)
    const b14 = rotl<u64>(a20 ^ d0, 18)
    const b10 = rotl<u64>(a1 ^ d1, 1)
    const b1 = rotl<u64>(a6 ^ d1, 44)
    const b17 = rotl<u64>(a11 ^ d1, 10)
    const b8 = rotl<u64>(a16 ^ d1, 45)
    const b24 = rotl<u64>(a21 ^ d1, 2)
    const b20 = rotl<u64>(a2 ^ d2, 62)
    const b11 = rotl<u64>(a7 ^ d2, 6)
    const b2 = rotl<u64>(a12 ^ d2, 43)
    const b18 = rotl<u64>(a17 ^ d2, 15)
    const b9 = rotl<u64>(a22 ^ d2, 61)
    const b5 = rotl<u64>(a3 ^ d3, 28)
    const b21 = rotl<u64>(a8 ^ d3, 55)
    const b12 = rotl<u64>(a13 ^ d3, 25)
    const b3 = rotl<u64>(a18 ^ d3, 21)
    const b19 = rotl<u64>(a23 ^ d3, 56)
    const b15 = rotl<u64>(a4 ^ d4, 27)
    const b6 = rotl<u64>(a9 ^ d4, 20)
    const b22 = rotl<u64>(a14 ^ d4, 39)
    const b13 = rotl<u64>(a19 ^ d4, 8)
    const b4 = rotl<u64>(a24 ^ d4, 14)
    a0 = b0 ^ (~b1 & b2) ^ load<u64>(keccakConstants + (round << 3))
    a1 = b1 ^ (~b2 & b3)
    a2 = b2 ^ (~b3 & b4)
    a3 = b3 ^ (~b4 & b0)
    a4 = b4 ^ (~b0 & b1)
    a5 = b5 ^ (~b6 & b7)
    a6 = b6 ^ (~b7 & b8)
    a7 = b7 ^ (~b8 & b9)
    a8 = b8 ^ (~b9 & b5)
    a9 = b9 ^ (~b5 & b6)
    a10 = b10 ^ (~b11 & b12)
    a11 = b11 ^ (~b12 & b13)
    a12 = b12 ^ (~b13 & b14)
    a13 = b13 ^ (~b14 & b10)
    a14 = b14 ^ (~b10 & b11)
    a15 = b15 ^ (~b16 & b17)
    a16 = b16 ^ (~b17 & b18)
    a17 = b17 ^ (~b18 & b19)
    a18 = b18 ^ (~b19 & b15)
    a19 = b19 ^ (~b15 & b16)
    a20 = b20 ^ (~b21 & b22)
    a21 = b21 ^ (~b22 & b23)
    a22 = b22 ^ (~b23 & b24)
    a23 = b23 ^ (~b24 & b20)
    a24 = b24 ^ (~b20 & b21)
  }
  store<u64>(keccakState, a0, 0)
  store<u64>(keccakState, a1, 8)
  store<u64>(keccakState, a2, 16)
  store<u64>(keccakState, a3, 24)
  store<u64>(keccakState, a4, 32)
  store<u64>(keccakState, a5, 40)
  store<u64>(keccakState, a6, 48)
  store<u64>(keccakState, a7, 56)
  store<u64>(keccakState, a8, 64)
  store<u64>(keccakState, a9, 72)
  store<u64>(keccakState, a10, 80)
  store<u64>(keccakState, a11, 88)
  store<u64>(keccakState, a12, 96)
  store<u64>(keccakState, a13, 104)
  store<u64>(keccakState, a14, 112)
  store<u64>(keccakState, a15, 120)
  store<u64>(keccakState, a16, 128)
  store<u64>(keccakState, a17, 136)
  store<u64>(keccakState, a18, 144)
  store<u64>(keccakState, a19, 152)
  store<u64>(keccakState, a20, 160)
  store<u64>(keccakState, a21, 168)
  store<u64>(keccakState, a22, 176)
  store<u64>(keccakState, a23, 184)
  store<u64>(keccakState, a24, 192)
}
