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

  it('orders bags by their elements in order, not by how they are written', () => {
    const [one, two, three] = [parseIon('1'), parseIon('2'), parseIon('[3]')]
    expect(compareTotal(bag([two, bag([one, three])]), bag([bag([three, one]), two]))).toBe(0)
    expect(compareTotal(bag([two, one]), bag([two, three]))).toBeLessThan(0)
    expect(compareTotal(bag([one]), bag([one, one]))).toBeLessThan(0)
  })

  it('takes time in proportion to the values, however fields repeat their names', () => {
    let text = '1'
    for (let level = 0; level < 13; level++) text = `{x:${text},x:${text}}`
    const startMs = performance.now()
    expect(compareTotal(parseIon(text), parseIon(text))).toBe(0)
    // 60 ms; with fields sorted anew in each comparison it was a minute. Half of that is room for a slow machine.
    expect(performance.now() - startMs).toBeLessThan(30_000)
  })
})

describe('compareText', () => {
  it('orders by code points where surrogates would mislead', () =>
    expect(compareText('\u{ffff}', '\u{10000}')).toBeLessThan(0))
})
