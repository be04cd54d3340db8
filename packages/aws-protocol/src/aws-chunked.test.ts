import { describe, expect, it } from 'vitest'
import { decodeAwsChunked } from './aws-chunked.ts'

function decode(text: string) {
  const { body, trailers } = decodeAwsChunked(Buffer.from(text))
  return { text: Buffer.from(body).toString(), trailers: [...trailers] }
}

describe('decodeAwsChunked', () => {
  it('joins chunks and reads trailers, ended once or twice', () => {
    const chunks = '5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n'
    const trailers = [['x-amz-checksum-crc32', 'DUoRhQ==']]
    for (const end of ['', '\r\n']) {
      expect(decode(`${chunks}x-amz-checksum-crc32:DUoRhQ==\r\n${end}`)).toEqual({
        text: 'hello world',
        trailers,
      })
    }
    expect(decode('0\r\n\r\n')).toEqual({ text: '', trailers: [] })
  })

  it.each([
    [''],
    ['5\r\nhello'],
    ['5\r\nhello\r\n'],
    ['6\r\nhello\r\n0\r\n\r\n'],
    ['4\r\nhello\r\n0\r\n\r\n'],
    ['-1\r\n\r\n0\r\n\r\n'],
    ['ffffffffff\r\n\r\n'],
    ['5;chunk-signature=ad80\r\nhello\r\n0\r\n\r\n'],
    ['0\r\nno trailer\r\n'],
    ['0\r\na:b'],
  ])('refuses %j', (text) => {
    expect(() => decode(text)).toThrow(/aws-chunked/)
  })
})
