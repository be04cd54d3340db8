/** Values cut out of a stream, however it comes in pieces. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonStream } from './json-stream.ts'

const container = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()))

describe('JsonStream', () => {
  it('finds each value, whatever the pieces', () => {
    const separators = fc.constantFrom('', '\n', ' \t\r\n')
    fc.assert(
      fc.property(
        fc.array(container, { maxLength: 5 }),
        separators,
        fc.integer({ min: 1, max: 9 }),
        (values, separator, pieceSize) => {
          const bytes = Buffer.from(values.map((it) => JSON.stringify(it)).join(separator))
          const stream = new JsonStream(1 << 20)
          const found: unknown[] = []
          for (let i = 0; i < bytes.length; i += pieceSize) {
            const piece = Buffer.from(bytes.subarray(i, i + pieceSize))
            for (const text of stream.push(piece)) found.push(JSON.parse(text))
            // The socket's buffer is used again.
            piece.fill(0)
          }
          expect(found).toEqual(JSON.parse(JSON.stringify(values)))
        },
      ),
    )
  })

  it.each(['1', '"a"', ']', 'x', '{} }'])('refuses %s', (text) => {
    expect(() => new JsonStream(100).push(Buffer.from(text))).toThrow()
  })

  it('refuses a value that does not end', () => {
    const stream = new JsonStream(100)
    stream.push(Buffer.from('['.repeat(60)))
    expect(() => stream.push(Buffer.from('['.repeat(60)))).toThrow('more than 100 bytes')
  })
})
