import { describe, expect, it } from 'vitest'
import { formatIonAsJson } from './json-text.ts'
import { parseIon } from './text-reader.ts'

describe('formatIonAsJson', () => {
  it.each([
    ['null.struct', 'null'],
    [
      '[true, 12, 12.50, -0.0, 1d3, 5d-30, 1e100, nan, +inf]',
      '[true,12,12.50,-0.0,1e3,5e-30,1e+100,null,null]',
    ],
    [
      'a::{b:sym, c:2020-01-02T03:04:05.006Z, d:(x "y")}',
      '{"b":"sym","c":"2020-01-02T03:04:05.006Z","d":["x","y"]}',
    ],
    ['[{{aGk=}}, {{"hi"}}, "\\"\\n"]', '["aGk=","hi","\\"\\n"]'],
  ])('makes of %s %s', (ion, json) => {
    expect(formatIonAsJson(parseIon(ion))).toBe(json)
    JSON.parse(json)
  })
})
