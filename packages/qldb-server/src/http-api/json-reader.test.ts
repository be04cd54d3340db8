import { encodeIon, formatIon, ionInt, jsFromIon, nestingDepthMax } from '@cairn/ion'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJson } from './json-reader.ts'

const read = (text: string) => readJson(Buffer.from(text))
const ionTextOf = (text: string) => formatIon(read(text))

describe('readJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const value: unknown = JSON.parse(text)
        if (hasOddities(text)) return
        const spaced = JSON.stringify(value, null, indent)
        expect(JSON.stringify(jsFromIon(read(spaced)), numberOf)).toBe(JSON.stringify(value))
      }),
    )
  })

  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['41250', '41250'],
    ['-123456789012345', '-123456789012345'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['9007199254740993', '9007199254740993'],
    ['184.50', '184.50'],
    ['0.1', '0.1'],
    ['-0.0', '-0.0'],
    ['1e3', '1d3'],
    ['1.50E+2', '150.'],
    ['25e-2', '0.25'],
    ['12345678901234567890.123456789012345678901', '12345678901234567890.123456789012345678901'],
    ['"a\\u00e4\\n\\/\\ud83d\\ude00\\\\"', '"aä\\n/😀\\\\"'],
    ['"\u2028\x7f"', '"\\u2028\\x7f"'],
    [' [ true , false,null , {} , [ ] ] ', '[true,false,null,{},[]]'],
    ['{"a":{"b":[{"c":""}]}}', '{a:{b:[{c:""}]}}'],
    ['{"__proto__":1,"constructor":2}', '{__proto__:1,constructor:2}'],
    ['{"$ion":"2024-03-01T09:30:00.000Z"}', '2024-03-01T09:30:00.000Z'],
    ['{"a":[{"$ion":"{{aGk=}}"},{"$ion":"x::sym"}]}', '{a:[{{aGk=}},x::sym]}'],
    ['{"$ion":"null.int"}', 'null.int'],
    ['{"$ion":1,"b":2}', '{$ion:1,b:2}'],
  ])('reads %s as %s', (text, ionText) => {
    expect(ionTextOf(text).replaceAll(', ', ',').replaceAll(': ', ':')).toBe(ionText)
  })

  it('gives ints the one form that Ion ints have here', () => {
    for (const text of ['9007199254740991', '9007199254740992', '100000000000000', '-0']) {
      expect(read(text)).toEqual(ionInt(BigInt(text)))
    }
  })

  it.each([
    '',
    ' ',
    '{',
    '[1,]',
    '[1 2]',
    '{"a":1,}',
    '{"a" 1}',
    '{a:1}',
    "'a'",
    '"a',
    '"a\\"',
    '"\n"',
    '"\\x41"',
    '"\\ud800"',
    '01',
    '+1',
    '1.',
    '.5',
    '1e',
    '--1',
    'NaN',
    'trues',
    'nul',
    '1 2',
    '{}{}',
    '// comment\n1',
    '2024-01-01T',
    '1e99999999999',
    '9'.repeat(10_001),
    '{"$ion":1}',
    '{"$ion":"1 2"}',
    '{"$ion":"{"}',
    '{"$ion":""}',
    '{"secret":"kept","b":',
  ])('refuses %j', (text) => {
    expect(() => read(text)).toThrow(/^The (?:request body is not JSON: |\$ion before )/)
    expect(() => read(text)).not.toThrow(/secret|kept/)
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => readJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow('not UTF-8')
  })

  it('nests as deeply as Ion may, and no deeper', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
    expect(encodeIon(read(nested(nestingDepthMax))).length).toBeGreaterThan(nestingDepthMax)
    expect(() => read(nested(nestingDepthMax + 1))).toThrow('it nests too deeply')
    expect(() => read('['.repeat(1_000_000))).toThrow('it nests too deeply')
  })

  it('reads each number that JSON may write to its very value', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(jsFromIon(read(JSON.stringify(value))))).toBe(value + 0)
      }),
    )
  })
})

/** Ints that JSON.parse rounds. */
function numberOf(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

/** Where the two differ on purpose: names twice, `__proto__`, halves of surrogate pairs, rounded numbers. */
function hasOddities(text: string): boolean {
  return /__proto__|\$ion|\\u[dD]|\p{Surrogate}|-0\b/u.test(text)
}
