import { encodeIon, parseIon } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { formatResult } from './result-format.ts'

function streams(...texts: string[]): Uint8Array[] {
  return texts.map((text) => encodeIon(parseIon(text)))
}

const rows = streams(
  '{VIN: "1N4AL11D75C109151", Year: 2011, Owners: {PrimaryOwner: "Ada"}, Penalty: 90.250}',
  '{VIN: "KM8SRDHF6EU074761", Color: red, Year: null, Penalty: 0.}',
)

describe('formatResult', () => {
  it('makes a table of the fields of all rows', () => {
    expect(`\n${formatResult(rows, 'table')}`).toMatchInlineSnapshot(`
      "
      VIN                Year  Owners                Penalty  Color
      -----------------  ----  --------------------  -------  -----
      1N4AL11D75C109151  2011  {PrimaryOwner:"Ada"}   90.250
      KM8SRDHF6EU074761  null                              0  red
      (2 rows)
      "
    `)
  })

  it('counts rows', () => {
    expect(formatResult([], 'table')).toBe('(0 rows)\n')
    expect(formatResult(streams('1'), 'table')).toBe('value\n-----\n    1\n(1 row)\n')
  })

  it('keeps every digit and every row in JSON lines', () => {
    expect(formatResult(rows, 'json').split('\n')).toEqual([
      '{"VIN":"1N4AL11D75C109151","Year":2011,"Owners":{"PrimaryOwner":"Ada"},"Penalty":90.250}',
      '{"VIN":"KM8SRDHF6EU074761","Color":"red","Year":null,"Penalty":0}',
      '',
    ])
  })

  it.each([
    ['null.int', 'null'],
    ['true', 'true'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['-0.05', '-0.05'],
    ['-0.00', '-0.00'],
    ['12d3', '12e3'],
    ['1.5e0', '1.5'],
    ['nan', 'null'],
    ['2020-01-02T03:04:05.006Z', '"2020-01-02T03:04:05.006Z"'],
    ["'a b'", '"a b"'],
    ['x::"a"', '"a"'],
    ['{{aGk=}}', '"aGk="'],
    ['{{"hi"}}', '"hi"'],
    ['(a [1, {b: 2, b: 3}])', '["a",[1,{"b":2}]]'],
  ])('writes %s as JSON', (ion, json) => {
    expect(formatResult(streams(ion), 'json')).toBe(`${json}\n`)
  })

  it('writes Ion as Ion', () => {
    expect(formatResult(streams('a::{b: 1.50}'), 'ion')).toBe('a::{b:1.50}\n')
  })
})
