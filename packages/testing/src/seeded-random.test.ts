import { describe, expect, it } from 'vitest'
import { createSeededRandom } from './seeded-random.ts'

describe('seeded random', () => {
  it('repeats for a seed and differs between seeds', () => {
    const first = createSeededRandom(1).bytes(64)
    expect(createSeededRandom(1).bytes(64)).toEqual(first)
    expect(createSeededRandom(2).bytes(64)).not.toEqual(first)
    expect(createSeededRandom(1 + 2 ** 32).bytes(64)).not.toEqual(first)
  })

  it('spreads evenly', () => {
    const random = createSeededRandom(7)
    const counts = [0, 0, 0, 0, 0]
    for (let i = 0; i < 10_000; i++) {
      const value = random.below(5)
      counts[value] = (counts[value] as number) + 1
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200)
    expect(random.chance(0)).toBe(false)
    expect(random.chance(1)).toBe(true)
  })
})
