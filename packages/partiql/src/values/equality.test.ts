import { type IonValue, ionDecimal, ionFloat, ionInt, ionString, parseIon } from '@cairn/ion'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalityKey, isEqual } from './equality.ts'
import { bag, missing, nullValue } from './value.ts'

const equal = (left: string, right: string): boolean => {
  const a = parseIon(left)
  const b = parseIon(right)
  const isSame = isEqual(a, b)
  // The key must agree in every case that is tested here.
  expect(equalityKey(a) === equalityKey(b)).toBe(isSame)
  return isSame
}

describe('isEqual', () => {
  it('compares numbers by value across types', () => {
    expect(equal('1', '1.00')).toBe(true)
    expect(equal('1', '1e0')).toBe(true)
    expect(equal('100', '1d2')).toBe(true)
    expect(equal('1', '1.01')).toBe(false)
  })

  it('takes a float for its shortest text', () => expect(equal('0.1', '0.1e0')).toBe(true))

  it('keeps integers apart that one double stands for', () =>
    expect(equal('9007199254740993', '9007199254740992')).toBe(false))

  it('finds all zeros equal', () => {
    expect(equal('0', '-0.00')).toBe(true)
    expect(equal('0', '-0e0')).toBe(true)
  })

  it('finds nan equal to itself', () => expect(equal('nan', 'nan')).toBe(true))

  it('tells the infinities apart', () => expect(equal('+inf', '-inf')).toBe(false))

  it('does not write out huge exponents', () =>
    expect(equal('1d1000000000', '1d-1000000000')).toBe(false))

  it('compares strings and symbols by text', () => expect(equal('"a"', 'a')).toBe(true))

  it('compares timestamps by instant', () => {
    expect(equal('2020T', '2020-01-01T00:00:00.000Z')).toBe(true)
    expect(equal('2020-01-01T01:00+01:00', '2020-01-01T00:00Z')).toBe(true)
    expect(equal('2020-01-01T01:00:00.1Z', '2020-01-01T01:00:00.10Z')).toBe(true)
    expect(equal('2020T', '2020-02T')).toBe(false)
  })

  it('compares lists in order', () => {
    expect(equal('[1, 2]', '[1.0, 2]')).toBe(true)
    expect(equal('[1, 2]', '[2, 1]')).toBe(false)
    expect(equal('[1]', '[1, 1]')).toBe(false)
  })

  it('does not find a list equal to a sexp', () => expect(equal('[1]', '(1)')).toBe(false))

  it('compares structs as multisets of fields', () => {
    expect(equal('{a:1,b:2}', '{b:2,a:1}')).toBe(true)
    expect(equal('{a:1,a:2}', '{a:2,a:1}')).toBe(true)
    expect(equal('{a:1,a:1}', '{a:1}')).toBe(false)
  })

  it('ignores annotations', () => expect(equal('x::1', '1')).toBe(true))

  it('compares lobs by bytes and kind', () => {
    expect(equal('{{aGVsbG8=}}', '{{aGVsbG8=}}')).toBe(true)
    expect(equal('{{"hello"}}', '{{aGVsbG8=}}')).toBe(false)
  })

  it('never finds different kinds equal', () => {
    expect(equal('1', '"1"')).toBe(false)
    expect(equal('true', '1')).toBe(false)
    expect(equal('[]', '{}')).toBe(false)
  })

  it('finds absent values equal to their like only', () => {
    expect(isEqual(nullValue, parseIon('null.int'))).toBe(true)
    expect(isEqual(missing, missing)).toBe(true)
    expect(isEqual(nullValue, missing)).toBe(false)
  })

  it('compares bags as multisets', () => {
    const one = ionInt(1)
    const two = ionInt(2)
    expect(isEqual(bag([one, two]), bag([two, one]))).toBe(true)
    expect(isEqual(bag([one, one]), bag([one]))).toBe(false)
  })
})

describe('equalityKey', () => {
  const scalar: fc.Arbitrary<IonValue> = fc.oneof(
    fc.bigInt({ min: -100n, max: 100n }).map((value) => ionInt(value)),
    fc
      .tuple(fc.bigInt({ min: -1000n, max: 1000n }), fc.integer({ min: -3, max: 3 }))
      .map(([coefficient, exponent]) => ionDecimal(coefficient, exponent)),
    fc.double().map((value) => ionFloat(value)),
    fc.string().map((value) => ionString(value)),
  )

  it('agrees with isEqual', () => {
    fc.assert(
      fc.property(scalar, scalar, (left, right) => {
        expect(equalityKey(left) === equalityKey(right)).toBe(isEqual(left, right))
      }),
    )
  })

  it('cannot be forged by text', () => expect(equal('["a", "b"]', '["as1:b"]')).toBe(false))
})
