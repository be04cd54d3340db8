import { jsFromIon, parseIon } from '@cairn/ion'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJson } from './json-reader.ts'
import { formatJson } from './json-writer.ts'

describe('formatJson', () => {
  it.each([
    ['null.string', 'null'],
    ['true', 'true'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['-7', '-7'],
    ['1.5e0', '1.5'],
    ['1e30', '1e+30'],
    ['nan', 'null'],
    ['-inf', 'null'],
    ['184.50', '184.50'],
    ['-0.05', '-0.05'],
    ['0.000001', '0.000001'],
    ['1d-20', '1e-20'],
    ['15d3', '15e3'],
    ['7d0', '7'],
    ['-0.0', '-0.0'],
    ['2024-03-01T09:30:00.000Z', '"2024-03-01T09:30:00.000Z"'],
    ['2024T', '"2024T"'],
    ['\'a "symbol"\'', '"a \\"symbol\\""'],
    ['"text\\n\u2028"', '"text\\n\u2028"'],
    ['{{aGVsbG8=}}', '"aGVsbG8="'],
    ['{{"cl\\x01b"}}', '"cl\\u0001b"'],
    ['(a [1, 2] {})', '["a",[1,2],{}]'],
    ["note::{a: x::1, 'b c': {d: null}}", '{"a":1,"b c":{"d":null}}'],
    ['$0', '"$0"'],
  ])('writes %s as %s', (ionText, json) => {
    expect(formatJson(parseIon(ionText))).toBe(json)
    expect(() => JSON.parse(json)).not.toThrow()
  })

  it('writes back what was read, digit for digit', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.integer({ min: -30, max: 30 }), (coefficient, exponent) => {
        // A decimal without a fraction is written as JSON writes it, and read as an int.
        fc.pre(exponent !== 0)
        const value = readJson(Buffer.from(`[${coefficient}e${exponent},${coefficient}]`))
        expect(readJson(Buffer.from(formatJson(value)))).toEqual(value)
        expect(JSON.parse(formatJson(value))).toEqual([
          Number(`${coefficient}e${exponent}`),
          Number(jsFromIon(readJson(Buffer.from(String(coefficient))))),
        ])
      }),
    )
  })
})
