/** Equivalence of the data model. */
import { describe, expect, it } from 'vitest'
import { equalIon } from './equal.ts'
import { parseIon } from './text-reader.ts'
import { type IonField, ionInt, ionList, ionStruct, ionSymbol } from './value.ts'

const equal = (a: string, b: string) => equalIon(parseIon(a), parseIon(b))

describe('equalIon', () => {
  it.each([
    ['1', '1.'],
    ['1.0', '1.00'],
    ['0e0', '-0e0'],
    ['0.', '-0.'],
    ['null', 'null.int'],
    ['2020T', '2020-01T'],
    ['2020-01-01T00:00Z', '2020-01-01T00:00-00:00'],
    ['"a"', 'a'],
    ['[1]', '(1)'],
    ['a::1', '1'],
    ['a::b::1', 'b::a::1'],
    ['{{"a"}}', '{{YQ==}}'],
    ['{a:1,a:1}', '{a:1,a:2}'],
    ['{a:1,b:2}', '{a:2,b:1}'],
    ['{a:1}', '{a:1,a:1}'],
  ])('%s differs from %s', (a, b) => {
    expect(equal(a, b)).toBe(false)
    expect(equal(b, a)).toBe(false)
  })

  it.each([
    ['nan', 'nan'],
    ['{a:1,b:2,a:3}', '{a:3,a:1,b:2}'],
    ['{a:{b:1,c:2},d:[x::1]}', "{d:['x'::1],a:{c:2,b:1}}"],
  ])('%s equals %s', (a, b) => {
    expect(equal(a, b)).toBe(true)
  })

  it('takes time in proportion to the depth when only the innermost values differ', () => {
    const nested = (leaf: string, name: string) =>
      parseIon(`${`{${name}:`.repeat(150)}${leaf}${'}'.repeat(150)}`)
    expect(equalIon(nested('1', 'x'), nested('2', 'x'))).toBe(false)
    const beside = (leaf: string) => parseIon(`${'{x:'.repeat(150)}${leaf}${',x:0}'.repeat(150)}`)
    expect(equalIon(beside('1'), beside('2'))).toBe(false)
    expect(equalIon(beside('1'), beside('1'))).toBe(true)
  })

  it('compares many fields of one name without trying every pair', () => {
    const fields: IonField[] = Array.from({ length: 20_000 }, (_, i) => ({
      name: 'a',
      value: ionStruct([
        { name: 'x', value: ionInt(i) },
        { name: 'y', value: ionList([ionSymbol({ importName: 't', importSid: 1 + (i % 3) })]) },
      ]),
    }))
    const flipped = fields.map(({ name, value }) => ({
      name,
      value: value.type === 'struct' ? ionStruct(value.fields.toReversed()) : value,
    }))
    expect(equalIon(ionStruct(fields), ionStruct(flipped.toReversed()))).toBe(true)
    const other = [...flipped.slice(1), { name: 'a', value: ionInt(1) }]
    expect(equalIon(ionStruct(fields), ionStruct(other))).toBe(false)
  })
})
