/** Text reader and writer: notations, faults with their place, bounds, layout. */
import { describe, expect, it } from 'vitest'
import { decodeIon } from './binary-reader.ts'
import { encodeIon } from './binary-writer.ts'
import { IonError } from './errors.ts'
import { parseIon, parseIonAll } from './text-reader.ts'
import { formatIon } from './text-writer.ts'
import {
  ionClob,
  ionDecimal,
  ionFloat,
  ionInt,
  ionList,
  ionNegativeZero,
  ionNull,
  ionSexp,
  ionString,
  ionStruct,
  ionSymbol,
} from './value.ts'

function faultOf(text: string): unknown {
  try {
    parseIonAll(text)
  } catch (error) {
    if (error instanceof IonError) return error.data
    throw error
  }
  return undefined
}

describe('parseIon', () => {
  it('reads exactly one value', () => {
    expect(parseIon(' /* a */ 1 // b')).toEqual(ionInt(1))
    expect(() => parseIon('')).toThrow(IonError)
    expect(() => parseIon('1 2')).toThrow(IonError)
  })

  it('reads numbers of every notation', () => {
    expect(parseIonAll('0 -0 1_000 0xFF -0b1_01 9007199254740993 -9007199254740991')).toEqual([
      ionInt(0),
      ionInt(0),
      ionInt(1000),
      ionInt(255),
      ionInt(-5),
      ionInt(9007199254740993n),
      ionInt(-9007199254740991),
    ])
    expect(parseIonAll('1. 1.50 -0. -0d3 1d-5 12.5d+2')).toEqual([
      ionDecimal(1n, 0),
      ionDecimal(150n, -2),
      ionNegativeZero(0),
      ionNegativeZero(3),
      ionDecimal(1n, -5),
      ionDecimal(125n, 1),
    ])
    expect(parseIonAll('1e0 -0e0 1.5E-3 nan +inf -inf')).toEqual(
      [1, -0, 0.0015, Number.NaN, Infinity, -Infinity].map((value) => ionFloat(value)),
    )
  })

  it('reads operators in s-expressions only', () => {
    expect(parseIon('(a+-1 -inf + inf -infx a::null.int .)')).toEqual(
      ionSexp([
        ionSymbol('a'),
        ionSymbol('+-'),
        ionInt(1),
        ionFloat(-Infinity),
        ionSymbol('+'),
        ionSymbol('inf'),
        ionSymbol('-'),
        ionSymbol('infx'),
        ionNull('int', ['a']),
        ionSymbol('.'),
      ]),
    )
    expect(faultOf('[+]')).toMatchObject({ code: 'TEXT_INVALID' })
  })

  it('joins long strings and reads escapes', () => {
    expect(parseIon("'''a\r\nb''' /* c */ '''\\x41\\u00e9\\U0001F600\\\n'''")).toEqual(
      ionString('a\nbAé\u{1f600}'),
    )
    expect(parseIon('{{"\\x00\\xff\\n"}}')).toEqual(ionClob(Uint8Array.of(0, 255, 10)))
    expect(parseIon('"\\ud83d\\ude00"')).toEqual(ionString('\u{1f600}'))
  })

  it('says line and column of a fault', () => {
    expect(faultOf('{\n  a: 1,\n  b: ]\n}')).toEqual({ code: 'TEXT_INVALID', line: 3, column: 6 })
    expect(faultOf('"abc')).toEqual({ code: 'TEXT_INVALID', line: 1, column: 5 })
    expect(faultOf('[1,,2]')).toEqual({ code: 'TEXT_INVALID', line: 1, column: 4 })
  })

  it.each([
    '{a:1 b:2}',
    '{null:1}',
    'true::1',
    'a::',
    '01',
    '1__0',
    '1_',
    '0x',
    '0b2',
    '1e',
    '1.5.5',
    '2020-13-01',
    '2021-02-29T',
    '2020-01-01T24:00Z',
    '2020-01-01T00:00+24:00',
    '2020-01-01T00:00',
    '{{ YQ= }}',
    '{{ YR== }}',
    '{{"é"}}',
    '"\ud800"',
    "'\\ud800'",
    '"\\q"',
    '"a\nb"',
    '/* open',
    '$ion_1_1',
    '$10',
    'null.integer',
    '\ufeff1',
  ])('refuses %j', (text) => {
    expect(faultOf(text)).toBeDefined()
  })

  it('bounds exponents and fractions', () => {
    expect(faultOf('1d2147483648')).toMatchObject({ code: 'LIMIT', limit: 'decimalExponentMax' })
    expect(faultOf(`1d-${'9'.repeat(400)}`)).toMatchObject({ code: 'LIMIT' })
    expect(faultOf(`2020-01-01T00:00:00.${'0'.repeat(5000)}Z`)).toMatchObject({ code: 'LIMIT' })
    // Three bytes of exponent claim two million digits.
    const stamp = Uint8Array.from([0xe0, 1, 0, 0xea, 0x6a, 0x80, 0x0f, 0xe4, 0x81, 0x81])
    expect(() =>
      decodeIon(Uint8Array.from([...stamp, 0x80, 0x80, 0x80, 0x7f, 0x7f, 0xff])),
    ).toThrow(IonError)
  })

  it('reads a number of a hundred thousand digits', () => {
    const digits = '7'.repeat(100_000)
    const value = parseIon(`[${digits}, ${digits}.5]`)
    expect(decodeIon(encodeIon(value))).toEqual(value)
  })
})

describe('formatIon', () => {
  it.each([
    'null',
    'null.struct',
    '1',
    '-9007199254740993',
    '1.',
    '1.50',
    '0.000001',
    '-0.0',
    '1d-7',
    '15d30',
    '1e0',
    '1.5e0',
    '1e+21',
    '5e-324',
    'nan',
    '-inf',
    '-0e0',
    '2020T',
    '2020-01-01T00:00-00:00',
    '2020-01-01T01:00:00.500+01:00',
    'abc',
    "'a b'",
    "'null'",
    "'$10'",
    "'$ion_2_0'",
    "'it\\'s \"x\"'",
    "''",
    '$0',
    '"it\'s \\"x\\"\\n\\x1b\\u2028é"',
    '{{aGVsbG8=}}',
    '{{"a\\"\\\\\\x80\\n"}}',
    "{a:[1,2],'b c':(x 'y z' '+'),a:a::b::{}}",
  ])('%s comes out as it went in', (text) => {
    expect(formatIon(parseIon(text))).toBe(text)
  })

  it('lays values out when asked', () => {
    const value = parseIon('{a:[1,(b c)],d:{},e:[]}')
    expect(formatIon(value, { pretty: true })).toBe(
      '{\n  a: [\n    1,\n    (\n      b\n      c\n    )\n  ],\n  d: {},\n  e: []\n}',
    )
  })

  it('keeps symbols whose table is not at hand', () => {
    const value = ionList([
      ionSymbol({ importName: 'a"b', importSid: 3 }),
      ionSymbol({ importName: 'c', importSid: 1 }),
    ])
    const text = formatIon(value)
    expect(text).toBe(
      '$ion_symbol_table::{imports:[{name:"a\\"b",version:1,max_id:3},{name:"c",version:1,max_id:1}]} [$12,$13]',
    )
    expect(parseIon(text)).toEqual(value)
  })

  it('refuses half a surrogate pair', () => {
    expect(() => formatIon(ionString('\ud800'))).toThrow(IonError)
    expect(() => formatIon(ionStruct([{ name: '\udc00', value: ionInt(1) }]))).toThrow(IonError)
  })
})
