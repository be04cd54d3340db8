import { parseIon } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { compareText, compareTotal } from './order.ts'
import { bag, missing } from './value.ts'

describe('compareTotal', () => {
  it('orders the kinds as PartiQL does', () => {
    const texts = ['null', 'false', 'true', 'nan', '-inf', '-1', '0.5', '1e0', '2', '+inf']
    const rest = ['2020T', '2020-02T', '"a"', 'b', '{{}}', '{{AA==}}', '[]', '[1]', '(1)', '{a:1}']
    const values = [...[...texts, ...rest].map((text) => parseIon(text)), bag([])]
    const shuffled = values.toReversed()
    expect(shuffled.sort(compareTotal)).toEqual(values)
  })

  it('finds NULL and MISSING alike', () => expect(compareTotal(missing, parseIon('null'))).toBe(0))

  it('orders a list before the longer one it begins', () =>
    expect(compareTotal(parseIon('[1, 2]'), parseIon('[1, 2, 0]'))).toBeLessThan(0))

  it('orders structs by their fields, not by how they are written', () =>
    expect(compareTotal(parseIon('{b:2,a:1}'), parseIon('{a:1,b:2}'))).toBe(0))
})

describe('compareText', () => {
  it('orders by code points where surrogates would mislead', () =>
    expect(compareText('\u{ffff}', '\u{10000}')).toBeLessThan(0))
})
