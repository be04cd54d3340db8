/** The order of entries through every kind of change, against a plain Map. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FifoMap } from './fifo-map.ts'

const change = fc.record({
  kind: fc.constantFrom('set', 'delete', 'deleteOldest'),
  key: fc.constantFrom('a', 'b', 'c', 'd'),
})

describe('FifoMap', () => {
  it('has the entries and the oldest one of a Map that keeps the order', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const map = new FifoMap<number>()
        const model = new Map<string, number>()
        for (const [index, { kind, key }] of changes.entries()) {
          const changed = kind === 'deleteOldest' ? map.oldest()?.key : key
          if (changed === undefined) continue
          model.delete(changed)
          if (kind === 'set') {
            map.set(changed, index)
            model.set(changed, index)
          } else {
            map.delete(changed)
          }
          const [first] = model
          expect(map.oldest()).toEqual(
            first === undefined ? undefined : { key: first[0], value: first[1] },
          )
          expect(map.size).toBe(model.size)
          expect(map.get(key)).toBe(model.get(key))
        }
      }),
    )
  })

  it('keeps the youngest of many', () => {
    const map = new FifoMap<number>()
    const count = 200_000
    const countMax = 50_000
    for (let i = 0; i < count; i++) {
      map.set(`key ${i}`, i)
      if (map.size > countMax) map.delete(map.oldest()?.key ?? '')
    }
    expect(map.oldest()?.value).toBe(count - countMax)
  })
})
