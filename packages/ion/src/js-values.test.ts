/** Plain JavaScript values to Ion and back. */
import { describe, expect, it } from 'vitest'
import { IonError } from './errors.ts'
import { embedIon, ionFromJs, jsFromIon } from './js-values.ts'
import { parseIon } from './text-reader.ts'
import { formatIon } from './text-writer.ts'
import { ionDecimal, ionInt, ionSymbol } from './value.ts'

describe('ionFromJs', () => {
  it('follows the rules of the driver', () => {
    const value = ionFromJs({
      none: null,
      left: undefined,
      yes: true,
      int: 3,
      big: 2n ** 70n,
      half: 0.5,
      nan: Number.NaN,
      minusZero: -0,
      large: 1e21,
      text: 'x',
      at: new Date('2020-01-01T00:00:00Z'),
      bytes: Uint8Array.of(1),
      list: [1, [2]],
      bare: Object.assign(Object.create(null), { a: 1 }),
    })
    expect(formatIon(value)).toBe(
      "{none:null,yes:true,int:3,big:1180591620717411303424,half:0.5e0,'nan':nan,minusZero:-0e0," +
        'large:1000000000000000000000,text:"x",at:2020-01-01T00:00:00.000Z,bytes:{{AQ==}},list:[1,[2]],bare:{a:1}}',
    )
  })

  it('lets Ion values through and only those', () => {
    const price = ionDecimal(150n, -2)
    expect(formatIon(ionFromJs({ price, symbols: [ionSymbol('a')] }))).toBe(
      '{price:1.50,symbols:[a]}',
    )
    expect(formatIon(ionFromJs([embedIon(ionInt(1, ['a'])), parseIon('2020T')]))).toBe(
      '[a::1,2020T]',
    )
    // Data that only looks like an Ion value, as a client could send it.
    const lookalike = JSON.parse('{"type":"int","value":1,"annotations":[]}') as unknown
    expect(formatIon(ionFromJs(lookalike))).toBe('{type:"int",value:1,annotations:[]}')
  })

  it('refuses what is no data', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    for (const value of [undefined, () => 1, Symbol('a'), new Map(), new Date(Number.NaN), cycle]) {
      expect(() => ionFromJs(value)).toThrow(IonError)
    }
  })
})

describe('jsFromIon', () => {
  it('gives plain values', () => {
    const value = parseIon(
      'a::{n:null.int,b:true,i:1,l:9007199254740993,f:1.5e0,d:1.50,z:-0.,y:2020T,m:2020-02T,day:2020-02-03T,' +
        't:2020-01-01T01:00:00.5+01:00,s:sym,u:$0,x:"t",blob:{{AQ==}},clob:{{"a"}},list:[1,(2)],d:2}',
    )
    expect(jsFromIon(value)).toEqual({
      n: null,
      b: true,
      i: 1,
      l: 9007199254740993n,
      f: 1.5,
      d: 1.5,
      z: -0,
      y: '2020T',
      m: '2020-02T',
      day: new Date('2020-02-03T00:00:00Z'),
      t: new Date('2020-01-01T00:00:00.500Z'),
      s: 'sym',
      u: '$0',
      x: 't',
      blob: Uint8Array.of(1),
      clob: Uint8Array.of(97),
      list: [1, [2]],
    })
  })

  it('rounds decimals once', () => {
    expect(jsFromIon(parseIon('0.1'))).toBe(0.1)
    expect(jsFromIon(parseIon('123456789012345678901234567890d-25'))).toBe(12345.678901234567)
    expect(jsFromIon(parseIon('1d-2147483647'))).toBe(0)
  })

  it('makes a plain member of __proto__', () => {
    const out = jsFromIon(parseIon('{__proto__:{polluted:1},constructor:2}')) as object
    expect(Object.getPrototypeOf(out)).toBe(Object.prototype)
    expect(Object.keys(out)).toEqual(['__proto__', 'constructor'])
    expect(ionFromJs(out)).toEqual(parseIon('{__proto__:{polluted:1},constructor:2}'))
  })
})
