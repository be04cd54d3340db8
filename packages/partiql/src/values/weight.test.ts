import { parseIon } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { PartiqlError } from '../errors.ts'
import { bag, list, struct, type Value } from './value.ts'
import { weightMax, weightOf } from './weight.ts'

const one = parseIon('1')

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof PartiqlError) return error.code
    throw error
  }
  return 'none'
}

describe('weightOf', () => {
  it('grows with text, bytes, digits and elements', () => {
    const light = ['""', 'a', '0', '1.5', '{{}}', '2020T'].map((text) => weightOf(parseIon(text)))
    expect(Math.max(...light)).toBeLessThan(32)
    for (const text of [`"${'a'.repeat(99)}"`, `{{"${'a'.repeat(99)}"}}`, '9'.repeat(250)]) {
      expect(weightOf(parseIon(text))).toBeGreaterThan(99)
    }
    expect(weightOf(parseIon(`[${'1,'.repeat(20)}]`))).toBeGreaterThan(160)
  })

  it('counts a part as often as it is held', () => {
    const inner = list(new Array<Value>(200).fill(one))
    expect(weightOf(list([inner, inner]))).toBeGreaterThan(2 * 200 * 8)
  })
})

describe('values that a statement makes', () => {
  const doublings: readonly [name: string, double: (value: Value) => Value][] = [
    ['lists', (value) => list([value, value])],
    ['bags', (value) => bag([value, value])],
    ['structs', (value) => struct([value, value].map((one) => ({ name: 'a', value: one })))],
  ]
  for (const [name, double] of doublings) {
    it(`have a bound: ${name} of the same ${name}`, () => {
      let value: Value = one
      const code = codeOf(() => {
        for (let i = 0; i < 100; i++) value = double(value)
      })
      expect(code).toBe('LIMIT')
      expect(weightOf(value)).toBeLessThanOrEqual(weightMax)
      expect(weightOf(value)).toBeGreaterThan(weightMax / 4)
    })
  }
})
