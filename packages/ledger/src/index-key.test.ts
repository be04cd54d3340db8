import { compareBytes } from '@cairn/core'
import { parseIon } from '@cairn/ion'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { indexKey } from './index-key.ts'

const keyOf = (text: string) => indexKey(parseIon(text))

describe('indexKey', () => {
  it.each([
    ['1', '1.0'],
    ['1', '1e0'],
    ['0.30', '3d-1'],
    ['0', '-0.0'],
    ['"abc"', 'abc'],
    ['"abc"', 'note::"abc"'],
    ['2020-01-01T00:00Z', '2020-01-01T01:00:00.000+01:00'],
    ['[1, 2]', '[1.0, 2e0]'],
  ])('is the same for %s and %s, which are equal', (a, b) => {
    expect(keyOf(a)).toEqual(keyOf(b))
  })

  it.each(['null', 'null.int', 'note::null'])('has none for %s', (text) => {
    expect(keyOf(text)).toBeUndefined()
  })

  it('keeps the order of numbers', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        const keys = [a, b].map((value) => indexKey({ type: 'float', value, annotations: [] }))
        const order = Math.sign(compareBytes(keys[0] as Uint8Array, keys[1] as Uint8Array))
        expect(order).toBe(a === b ? 0 : Math.sign(a < b ? -1 : 1))
      }),
    )
  })

  it('tells long texts apart and bounds its size', () => {
    const long = 'x'.repeat(5000)
    expect(keyOf(`"${long}a"`)).not.toEqual(keyOf(`"${long}b"`))
    expect(keyOf(`"${long}"`)?.length).toBe(73)
  })
})
