import { describe, expect, it } from 'vitest'
import { evaluate } from '../testing/run.ts'
import { isLike, parseLikePattern } from './like.ts'

describe('LIKE', () => {
  it.each([
    ["'abc' LIKE 'abc'", 'true'],
    ["'abc' LIKE 'a%'", 'true'],
    ["'abc' LIKE '%c'", 'true'],
    ["'abc' LIKE '%b%'", 'true'],
    ["'abc' LIKE '_b_'", 'true'],
    ["'abc' LIKE '__'", 'false'],
    ["'abc' LIKE ''", 'false'],
    ["'' LIKE '%'", 'true'],
    ["'aXbXc' LIKE 'a%X_'", 'true'],
    ["'😀' LIKE '_'", 'true'],
    ["'a.c' LIKE 'a.c'", 'true'],
    ["'abc' LIKE 'a.c'", 'false'],
    ["'10%' LIKE '10\\%' ESCAPE '\\'", 'true'],
    ["'100' LIKE '10\\%' ESCAPE '\\'", 'false'],
    ["'abc' NOT LIKE 'a%'", 'false'],
    ["'abc' LIKE null", 'null'],
    ["null LIKE 'a'", 'null'],
    ["1 LIKE 'a'", 'missing'],
    ["'a' LIKE 'ab' ESCAPE 'a'", 'missing'],
    ["'a' LIKE 'a' ESCAPE 'ab'", 'missing'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))

  it('takes the pattern from a parameter', () =>
    expect(evaluate("'abc' LIKE ?", '"_b%"')).toBe('true'))

  it('takes no exponential time', () => {
    const pattern = parseLikePattern(`${'%a'.repeat(200)}%b`, undefined) ?? []
    expect(isLike('a'.repeat(20_000), pattern)).toBe(false)
  })

  it('refuses patterns that are too long', () =>
    expect(() => evaluate("'a' LIKE ?", `"${'a'.repeat(1025)}"`)).toThrow('at most 1024'))
})
