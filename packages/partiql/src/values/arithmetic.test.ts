import { describe, expect, it } from 'vitest'
import { evaluate } from '../testing/run.ts'

describe('arithmetic', () => {
  it.each([
    ['1 + 2', '3'],
    ['9007199254740991 + 1', '9007199254740992'],
    ['9223372036854775807 * 9223372036854775807', '85070591730234615847396907784232501249'],
    ['7 / 2', '3'],
    ['-7 / 2', '-3'],
    ['-7 % 3', '-1'],
    ['0.1 + 0.2', '0.3'],
    ['1.10 + 1', '2.10'],
    ['1.5 * 1.5', '2.25'],
    ['1.00 / 4', '0.25'],
    ['1 / 3.0', '0.33333333333333333333333333333333333333'],
    ['2 / 3.0', '0.66666666666666666666666666666666666667'],
    ['5.5 % 2', '1.5'],
    ['-(1.50)', '-1.50'],
    ['+5', '5'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))

  it('makes a float of an operation with a float', () =>
    expect(evaluate('1 + `5e-1`')).toBe('1.5e0'))

  it.each(['1 / 0', '1.0 / 0', '`1e0` / 0', '1 % 0', "1 + 'a'", "-'a'", "+'a'", 'true + 1'])(
    '%s is MISSING',
    (expression) => expect(evaluate(expression)).toBe('missing'),
  )

  it('is NULL with NULL, also beside MISSING', () => {
    expect(evaluate('1 + null')).toBe('null')
    expect(evaluate('missing + null')).toBe('null')
    expect(evaluate('missing + 1')).toBe('missing')
  })

  it('does not write out the difference of far exponents', () =>
    expect(evaluate('? + ?', '1d900000', '1d-900000')).toBe('1d900000'))

  it('is MISSING where the exponent leaves the range', () =>
    expect(evaluate('? * ?', '1d900000', '1d900000')).toBe('missing'))

  it('is MISSING where an integer gets too large', () => {
    const large = '9'.repeat(4000)
    expect(evaluate('? * ?', large, large)).toBe('missing')
  })

  it('does not take the remainder of far exponents', () =>
    expect(evaluate('? % 3.5', '1d900000')).toBe('missing'))
})
