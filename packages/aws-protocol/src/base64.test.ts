import { fromBase64, toBase64 } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64, encodeBase64 } from './base64.ts'

describe('base64', () => {
  it('writes and reads what the portable codec writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect(encodeBase64(bytes)).toBe(toBase64(bytes))
        expect(decodeBase64(toBase64(bytes))).toEqual(bytes)
      }),
    )
  })

  it.each(['A', 'AA', 'AAA', 'A===', 'AB==', 'AAB=', 'A A=', 'AAA\n', 'AA==AAAA', 'ÄAAA', '-_-_'])(
    'refuses %j',
    (text) => {
      expect(() => decodeBase64(text)).toThrow('not base64')
    },
  )

  it('refuses characters whose low byte alone is one of base64', () => {
    expect(() => decodeBase64('\u0141AAA')).toThrow('not base64')
    expect(() => decodeBase64('AAA\u043d')).toThrow('not base64')
  })

  it('agrees with the portable codec on what is base64', () => {
    const character = fc.constantFrom(...'AQgwZ+/=-_ \n')
    const text = fc.array(character, { maxLength: 12 }).map((all) => all.join(''))
    const outcome = (decode: (text: string) => Uint8Array, input: string) => {
      try {
        return toBase64(decode(input))
      } catch {
        return 'refused'
      }
    }
    fc.assert(
      fc.property(text, (input) => {
        expect(outcome(decodeBase64, input)).toBe(outcome(fromBase64, input))
      }),
      { numRuns: 2000 },
    )
  })
})
