/** Exact order of numbers across types. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareNumbers, type IonNumber } from './numbers.ts'
import { parseIon } from './text-reader.ts'
import { ionDecimal, ionFloat, ionInt } from './value.ts'

function number(text: string): IonNumber {
  const value = parseIon(text)
  if (value.type !== 'int' && value.type !== 'decimal' && value.type !== 'float') {
    throw new TypeError('not a number')
  }
  return value
}

const compare = (a: string, b: string) => Math.sign(compareNumbers(number(a), number(b)))

describe('compareNumbers', () => {
  it.each([
    ['nan', '-inf', '-1e308', '-1d30', '-9007199254740993', '-1.5', '-1d-400', '0', '5e-324'],
    ['5e-324', '1d-323', '0.1', '0.1e0', '1', '9007199254740992e0', '9007199254740993'],
    ['9007199254740993', '1d2147483647', '+inf'],
    ['-1d2147483647', '-1e308', '-1d-2147483647', '0.', '1d-2147483647', '5e-324'],
    ['1e22', '10000000000000000000001.', '10000000000000000000002'],
  ])('orders %s, %s, %s, …', (...texts) => {
    for (const [i, a] of texts.entries()) {
      for (const [j, b] of texts.entries()) {
        expect(compare(a, b), `${a} to ${b}`).toBe(Math.sign(i - j))
      }
    }
  })

  it.each([
    ['1', '1.0'],
    ['1', '1e0'],
    ['0', '-0.'],
    ['0.', '-0e0'],
    ['0d2000000000', '0e0'],
    ['0.5', '5e-1'],
    ['100', '1d2'],
    ['9007199254740994', '9007199254740994e0'],
    ['18014398509481984', '18014398509481984d0'],
    ['nan', 'nan'],
    ['+inf', '+inf'],
  ])('%s equals %s', (a, b) => {
    expect(compare(a, b)).toBe(0)
    expect(compare(b, a)).toBe(0)
  })

  it('knows the exact value of every double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        // toFixed-like exact expansion by way of BigInt: value = m / 2^k.
        let scaled = value
        let k = 0
        while (!Number.isInteger(scaled)) {
          scaled *= 2
          k++
        }
        const exact = ionDecimal(BigInt(scaled) * 5n ** BigInt(k), -k)
        expect(compareNumbers(ionFloat(value), exact)).toBe(0)
        const above = ionDecimal(exact.coefficient * 10n + 1n, -k - 1)
        expect(compareNumbers(ionFloat(value), above)).toBeLessThan(0)
      }),
    )
  })

  it('agrees with bigints', () => {
    const one = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n })
    fc.assert(
      fc.property(one, one, fc.integer({ min: 0, max: 30 }), (a, b, digits) => {
        const expected = a < b ? -1 : a > b ? 1 : 0
        const decimal = ionDecimal(b * 10n ** BigInt(digits), -digits)
        expect(Math.sign(compareNumbers(ionInt(a), decimal))).toBe(expected)
        expect(Math.sign(compareNumbers(decimal, ionInt(a)))).toBe(0 - expected + 0)
      }),
    )
  })
})
