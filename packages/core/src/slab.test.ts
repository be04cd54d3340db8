import { describe, expect, it } from 'vitest'
import { SlabAllocator } from './slab.ts'

describe('SlabAllocator', () => {
  it('gives zeroed arrays that do not overlap, small and large', () => {
    const slabs = new SlabAllocator()
    const sizes = Array.from({ length: 500 }, (_, i) => (i * 37) % 5000)
    const given = sizes.map((size, i) => {
      const bytes = slabs.allocate(size)
      expect(bytes.length).toBe(size)
      expect(bytes.every((byte) => byte === 0)).toBe(true)
      return bytes.fill(i % 251)
    })
    for (const [i, bytes] of given.entries()) {
      expect(bytes.every((byte) => byte === i % 251)).toBe(true)
    }
  })

  it('gives large arrays buffers of their own', () => {
    expect(new SlabAllocator().allocate(5000).buffer.byteLength).toBe(5000)
  })
})
