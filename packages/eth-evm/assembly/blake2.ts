/**
 * The compression function of BLAKE2b with a free number of rounds, for the built-in contract of EIP-152: a gas for a
 * round asks for some ten nanoseconds, where JavaScript without 64-bit numbers takes two hundred.
 */
import { blakeBox, blakeSchedule } from './layout'

/** Ten permutations of sixteen message words, a nibble each (RFC 7693, 2.7); the first is the lowest nibble. */
export function prepareBlake2(): void {
  putSchedule(0, 0xfedcba9876543210)
  putSchedule(1, 0x357b20c16df984ae)
  putSchedule(2, 0x491763eadf250c8b)
  putSchedule(3, 0x8f04a562ebcd1397)
  putSchedule(4, 0xd386cb1efa427509)
  putSchedule(5, 0x91ef57d438b0a6c2)
  putSchedule(6, 0xb8293670a4def15c)
  putSchedule(7, 0xa2684f05931ce7bd)
  putSchedule(8, 0x5a417d2c803b9ef6)
  putSchedule(9, 0x0dc3e9bf5167482a)
}

function putSchedule(round: u32, nibbles: u64): void {
  for (let i: u32 = 0; i < 16; i++) {
    const index = ((nibbles >> ((i as u64) << 2)) & 15) as u8
    store<u8>(blakeSchedule + (round << 4) + i, index)
  }
}

// @ts-ignore: decorator
@inline
function word(schedule: u32, index: u32): u64 {
  return load<u64>(blakeBox + 68 + ((load<u8>(schedule + index) as u32) << 3))
}

/** In the box lies the input of EIP-152: rounds 4, h 64, m 128, t 16, f 1; h becomes the answer. */
export function blake2(): void {
  const rounds = bswap<u32>(load<u32>(blakeBox))
  let v0 = load<u64>(blakeBox, 4)
  let v1 = load<u64>(blakeBox, 12)
  let v2 = load<u64>(blakeBox, 20)
  let v3 = load<u64>(blakeBox, 28)
  let v4 = load<u64>(blakeBox, 36)
  let v5 = load<u64>(blakeBox, 44)
  let v6 = load<u64>(blakeBox, 52)
  let v7 = load<u64>(blakeBox, 60)
  let v8: u64 = 0x6a09e667f3bcc908
  let v9: u64 = 0xbb67ae8584caa73b
  let v10: u64 = 0x3c6ef372fe94f82b
  let v11: u64 = 0xa54ff53a5f1d36f1
  let v12 = (0x510e527fade682d1 as u64) ^ load<u64>(blakeBox, 196)
  let v13 = (0x9b05688c2b3e6c1f as u64) ^ load<u64>(blakeBox, 204)
  let v14: u64 = 0x1f83d9abfb41bd6b
  let v15: u64 = 0x5be0cd19137e2179
  if (load<u8>(blakeBox, 212) != 0) v14 = ~v14
  let row: u32 = 0
  for (let round: u32 = 0; round < rounds; round++) {
    const s = blakeSchedule + (row << 4)
    row = row == 9 ? 0 : row + 1
    v0 = v0 + v4 + word(s, 0)
    v12 = rotr<u64>(v12 ^ v0, 32)
    v8 += v12
    v4 = rotr<u64>(v4 ^ v8, 24)
    v0 = v0 + v4 + word(s, 1)
    v12 = rotr<u64>(v12 ^ v0, 16)
    v8 += v12
    v4 = rotr<u64>(v4 ^ v8, 63)
    v1 = v1 + v5 + word(s, 2)
    v13 = rotr<u64>(v13 ^ v1, 32)
    v9 += v13
    v5 = rotr<u64>(v5 ^ v9, 24)
    v1 = v1 + v5 + word(s, 3)
    v13 = rotr<u64>(v13 ^ v1, 16)
    v9 += v13
    v5 = rotr<u64>(v5 ^ v9, 63)
    v2 = v2 + v6 + word(s, 4)
    v14 = rotr<u64>(v14 ^ v2, 32)
    v10 += v14
    v6 = rotr<u64>(v6 ^ v10, 24)
    v2 = v2 + v6 + word(s, 5)
    v14 = rotr<u64>(v14 ^ v2, 16)
    v10 += v14
    v6 = rotr<u64>(v6 ^ v10, 63)
    v3 = v3 + v7 + word(s, 6)
    v15 = rotr<u64>(v15 ^ v3, 32)
    v11 += v15
    v7 = rotr<u64>(v7 ^ v11, 24)
    v3 = v3 + v7 + word(s, 7)
    v15 = rotr<u64>(v15 ^ v3, 16)
    v11 += v15
    v7 = rotr<u64>(v7 ^ v11, 63)
    v0 = v0 + v5 + word(s, 8)
    v15 = rotr<u64>(v15 ^ v0, 32)
    v10 += v15
    v5 = rotr<u64>(v5 ^ v10, 24)
    v0 = v0 + v5 + word(s, 9)
    v15 = rotr<u64>(v15 ^ v0, 16)
    v10 += v15
    v5 = rotr<u64>(v5 ^ v10, 63)
    v1 = v1 + v6 + word(s, 10)
    v12 = rotr<u64>(v12 ^ v1, 32)
    v11 += v12
    v6 = rotr<u64>(v6 ^ v11, 24)
    v1 = v1 + v6 + word(s, 11)
    v12 = rotr<u64>(v12 ^ v1, 16)
    v11 += v12
    v6 = rotr<u64>(v6 ^ v11, 63)
    v2 = v2 + v7 + word(s, 12)
    v13 = rotr<u64>(v13 ^ v2, 32)
    v8 += v13
    v7 = rotr<u64>(v7 ^ v8, 24)
    v2 = v2 + v7 + word(s, 13)
    v13 = rotr<u64>(v13 ^ v2, 16)
    v8 += v13
    v7 = rotr<u64>(v7 ^ v8, 63)
    v3 = v3 + v4 + word(s, 14)
    v14 = rotr<u64>(v14 ^ v3, 32)
    v9 += v14
    v4 = rotr<u64>(v4 ^ v9, 24)
    v3 = v3 + v4 + word(s, 15)
    v14 = rotr<u64>(v14 ^ v3, 16)
    v9 += v14
    v4 = rotr<u64>(v4 ^ v9, 63)
  }
  store<u64>(blakeBox, load<u64>(blakeBox, 4) ^ v0 ^ v8, 4)
  store<u64>(blakeBox, load<u64>(blakeBox, 12) ^ v1 ^ v9, 12)
  store<u64>(blakeBox, load<u64>(blakeBox, 20) ^ v2 ^ v10, 20)
  store<u64>(blakeBox, load<u64>(blakeBox, 28) ^ v3 ^ v11, 28)
  store<u64>(blakeBox, load<u64>(blakeBox, 36) ^ v4 ^ v12, 36)
  store<u64>(blakeBox, load<u64>(blakeBox, 44) ^ v5 ^ v13, 44)
  store<u64>(blakeBox, load<u64>(blakeBox, 52) ^ v6 ^ v14, 52)
  store<u64>(blakeBox, load<u64>(blakeBox, 60) ^ v7 ^ v15, 60)
}
