import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Heap } from './heap.ts'

it('gives the least first, whatever was pushed, popped and replaced before', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('push', 'replace'), value: fc.nat(50) }),
    fc.record({ kind: fc.constant('pop'), value: fc.constant(0) }),
  )
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.array(step, { maxLength: 60 }), (start, steps) => {
      const heap = new Heap<number>((a, b) => a - b, [...start])
      const sorted = [...start].sort((a, b) => a - b)
      for (const { kind, value } of steps) {
        if (kind === 'pop') expect(heap.pop()).toBe(sorted.shift())
        else if (kind === 'push') heap.push(value)
        else if (sorted.length > 0) {
          heap.replaceTop(value)
          sorted.shift()
        } else continue
        if (kind !== 'pop') sorted.push(value)
        sorted.sort((a, b) => a - b)
        expect(heap.peek()).toBe(sorted[0])
        expect(heap.size).toBe(sorted.length)
      }
      while (sorted.length > 0) expect(heap.pop()).toBe(sorted.shift())
      expect(heap.pop()).toBeUndefined()
    }),
  )
})
