/** Randomness that a seed repeats. Not for secrets: 128 bits of state and no claim to be hard to guess. */
import type { Random } from '@cairn/core'

export interface SeededRandom extends Random {
  /** In [0, 1), with 32 bits of it random. */
  fraction(): number
  /** A whole number in [0, `countMax`). */
  below(countMax: number): number
  /** True with this probability. */
  chance(probability: number): boolean
}

/** sfc32 of Chris Doty-Humphrey's PractRand: small, fast, passes its own suite. */
export function createSeededRandom(seed: number): SeededRandom {
  let a = seed >>> 0
  let b = Math.floor(seed / 0x1_0000_0000) >>> 0
  let c = 0x9e37_79b9
  let counter = 1
  const next = (): number => {
    const sum = (a + b + counter) >>> 0
    counter = (counter + 1) >>> 0
    a = (b ^ (b >>> 9)) >>> 0
    b = (c + (c << 3)) >>> 0
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0
    return sum
  }
  // Seeds that differ in one bit only part company within these steps.
  for (let i = 0; i < 15; i++) next()
  const fraction = () => next() / 0x1_0000_0000
  return {
    fraction,
    below: (countMax) => Math.floor(fraction() * countMax),
    chance: (probability) => fraction() < probability,
    bytes(size) {
      const out = new Uint8Array(size)
      for (let i = 0; i < size; i++) out[i] = next() & 255
      return out
    },
  }
}
