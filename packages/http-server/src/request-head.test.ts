import { describe, expect, it } from 'vitest'
import { HttpError } from './errors.ts'
import { parseRequestHead } from './request-head.ts'

function parse(...lines: readonly string[]) {
  return parseRequestHead(`${lines.join('\r\n')}\r\n`, 100)
}

function codeOf(...lines: readonly string[]): string {
  try {
    parse(...lines)
  } catch (error) {
    if (error instanceof HttpError) return error.code
    throw error
  }
  return 'none'
}

const line = 'POST / HTTP/1.1'
const host = 'host: x'

describe('parseRequestHead', () => {
  it('reads method, path, query and headers', () => {
    const head = parse(
      'PATCH /a%2Fb?c=d?e HTTP/1.1',
      'Host: 127.0.0.1:4510',
      'X-Odd_Name!: \t two  words \t',
      'EMPTY:',
      'x-obs: \xe4\xff',
    )
    expect(head).toMatchObject({ method: 'PATCH', path: '/a%2Fb', query: 'c=d?e', isLast: false })
    expect({ ...head.headers }).toEqual({
      host: '127.0.0.1:4510',
      'x-odd_name!': 'two  words',
      empty: '',
      'x-obs': '\xe4\xff',
    })
  })

  it('joins lines of one name, in order', () => {
    expect(parse(line, host, 'a: 1', 'A: 2', 'a:').headers['a']).toBe('1, 2, ')
  })

  it('takes names that objects have for names like others', () => {
    const { headers } = parse(line, host, '__proto__: 1', 'constructor: 2')
    expect(Object.entries(headers)).toContainEqual(['__proto__', '1'])
    expect(headers['constructor']).toBe('2')
    expect(headers['tostring']).toBeUndefined()
    expect(headers['toString']).toBeUndefined()
  })

  it.each([
    ['GET http://proxy.example:80/a?b HTTP/1.1', '/a', 'b'],
    ['GET HTTPS://proxy.example HTTP/1.1', '/', ''],
    ['GET http://proxy.example?q HTTP/1.1', '/', 'q'],
    ['OPTIONS * HTTP/1.1', '*', ''],
  ])('reads the target of %s', (requestLine, path, query) => {
    expect(parse(requestLine, host)).toMatchObject({ path, query })
  })

  it('knows when the connection ends', () => {
    expect(parse('GET / HTTP/1.0').isLast).toBe(true)
    expect(parse('GET / HTTP/1.0', 'connection: keep-alive').isLast).toBe(true)
    expect(parse(line, host, 'connection: keep-alive').isLast).toBe(false)
    expect(parse(line, host, 'connection: foo, Close').isLast).toBe(true)
    expect(parse(line, host, 'connection: closed').isLast).toBe(false)
  })

  it('knows the length', () => {
    expect(parse(line, host, 'content-length: 0012')).toMatchObject({
      contentLength: 12,
      isChunked: false,
    })
    expect(parse(line, host, 'transfer-encoding: Chunked')).toMatchObject({
      contentLength: 0,
      isChunked: true,
    })
  })

  it('knows who waits for 100 Continue', () => {
    expect(parse(line, host, 'expect: 100-Continue').isContinueExpected).toBe(true)
    expect(parse('POST / HTTP/1.0', 'expect: 100-continue').isContinueExpected).toBe(false)
  })

  it.each([
    ['no target', 'GET HTTP/1.1'],
    ['two blanks', 'GET  / HTTP/1.1'],
    ['a blank in the target', 'GET /a b HTTP/1.1'],
    ['a tab', 'GET\t/ HTTP/1.1'],
    ['a blank before', ' GET / HTTP/1.1'],
    ['a blank after', 'GET / HTTP/1.1 '],
    ['no method', '/ HTTP/1.1'],
    ['a method that is no token', 'G(T / HTTP/1.1'],
    ['a long method', `${'M'.repeat(33)} / HTTP/1.1`],
    ['a target that is no path', 'GET index.html HTTP/1.1'],
    ['an authority as target', 'CONNECT host:443 HTTP/1.1'],
    ['an asterisk without OPTIONS', 'GET * HTTP/1.1'],
    ['obs-text in the target', 'GET /\xe4 HTTP/1.1'],
    ['lower case', 'GET / http/1.1'],
    ['no version', 'GET /'],
    ['nothing', ''],
  ])('refuses a request line with %s', (_, requestLine) => {
    expect(codeOf(requestLine, host)).toBe('HEAD_MALFORMED')
  })

  it.each([
    ['a folded line', [host, ' folded']],
    ['a folded line by tab', [host, '\tfolded: 1']],
    ['a blank before the colon', [host, 'content-length : 5']],
    ['a tab before the colon', [host, 'content-length\t: 5']],
    ['no colon', [host, 'nonsense']],
    ['no name', [host, ': value']],
    ['a name that is no token', [host, 'a b: c']],
    ['a bare LF in a value', [host, 'a: b\ncontent-length: 5']],
    ['a bare CR in a value', [host, 'a: b\rcontent-length: 5']],
    ['a NUL', [host, 'a: \0']],
    ['an escape', [host, 'a: \x1b']],
    ['a DEL', [host, 'a: \x7f']],
    ['two hosts', [host, host]],
    ['no host', ['a: b']],
    ['two lengths that are equal', [host, 'content-length: 5', 'content-length: 5']],
    ['two lengths that differ', [host, 'content-length: 5', 'Content-Length: 6']],
    [
      'two codings',
      [host, 'transfer-encoding: chunked', 'transfer-encoding: identity', 'content-length: 4'],
    ],
  ])('refuses %s', (_, lines) => {
    expect(codeOf(line, ...lines)).toBe('HEAD_MALFORMED')
  })

  it.each(['', '+5', '-1', '5,5', '5, 5', '0x5', '5 5', '5.0', '1e3', 'five', '9'.repeat(16)])(
    'refuses the length %j',
    (length) => {
      expect(codeOf(line, host, `content-length: ${length}`)).toBe('LENGTH_AMBIGUOUS')
    },
  )

  it('refuses a length beside a coding, and a coding in HTTP/1.0', () => {
    const coding = 'transfer-encoding: chunked'
    expect(codeOf(line, host, coding, 'content-length: 5')).toBe('LENGTH_AMBIGUOUS')
    expect(codeOf('POST / HTTP/1.0', coding)).toBe('LENGTH_AMBIGUOUS')
  })

  it.each(['gzip', 'gzip, chunked', 'chunked, chunked', 'xchunked', 'identity', '"chunked"', ''])(
    'refuses the coding %j',
    (coding) => {
      expect(codeOf(line, host, `transfer-encoding: ${coding}`)).toBe('TRANSFER_CODING_UNKNOWN')
    },
  )

  it('refuses what it does not speak', () => {
    expect(codeOf('GET / HTTP/2.0', host)).toBe('VERSION_NOT_SUPPORTED')
    expect(codeOf('GET / HTTP/0.9', host)).toBe('VERSION_NOT_SUPPORTED')
    expect(codeOf(line, host, 'expect: a miracle')).toBe('EXPECTATION_UNKNOWN')
  })

  it('counts the lines', () => {
    const lines = Array.from({ length: 99 }, (_, index) => `a${index}: b`)
    expect(codeOf(line, host, ...lines)).toBe('none')
    expect(codeOf(line, host, ...lines, 'one: more')).toBe('HEADER_COUNT_EXCEEDED')
  })
})
