import { describe, expect, it } from 'vitest'
import { AwsProtocolError } from './errors.ts'
import { jsonDepthMax, parseJsonBody } from './json-body.ts'

const parse = (text: string) => parseJsonBody(Buffer.from(text))

function codeOf(text: string): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof AwsProtocolError) return error.code
    throw error
  }
  return 'none'
}

describe('parseJsonBody', () => {
  it('reads an object, and nothing as an empty one', () => {
    expect(parse('{"StartSession":{"LedgerName":"L"}}')).toEqual({
      StartSession: { LedgerName: 'L' },
    })
    expect(parse('')).toEqual({})
  })

  it.each(['{', 'null', '[]', '"x"', '1', '{"a":1}}', '{"a', '{"a\\"', '{} x'])(
    'refuses %j',
    (text) => {
      expect(codeOf(text)).toBe('JSON_INVALID')
    },
  )

  it('refuses bytes that are not UTF-8', () => {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')])
    expect(() => parseJsonBody(body)).toThrow('not a JSON object')
  })

  it('does not repeat the body in the message', () => {
    expect(() => parse('{"secret')).toThrow(/^The request body is not a JSON object\.$/)
  })

  it('takes the deepest nesting and refuses one more', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    expect(codeOf(nested(jsonDepthMax))).toBe('none')
    expect(codeOf(nested(jsonDepthMax + 1))).toBe('JSON_TOO_DEEP')
    expect(codeOf('{"a":'.repeat(1_000_000))).toBe('JSON_TOO_DEEP')
  })

  it('does not count brackets in strings, also after escaped quotes', () => {
    const text = JSON.stringify({ a: `\\"${'[{'.repeat(100)}\\`, [`"${'['.repeat(50)}`]: '\\\\' })
    expect(codeOf(text)).toBe('none')
  })
})
