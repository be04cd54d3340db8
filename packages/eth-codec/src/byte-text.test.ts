import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesOfText, hexOfBytes, textOfBytes } from './byte-text.ts'

describe('bytes as text', () => {
  it('gives what Buffer gives, of whole arrays and of views', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 23, maxLength: 200 }), fc.nat(20), (bytes, start) => {
        const view = bytes.subarray(start)
        expect(hexOfBytes(view)).toBe(Buffer.from(view).toString('hex'))
        expect(hexOfBytes(view, 1, 3)).toBe(Buffer.from(view).subarray(1, 3).toString('hex'))
        expect(textOfBytes(view)).toBe(Buffer.from(view).toString('latin1'))
        expect(bytesOfText(textOfBytes(view))).toEqual(new Uint8Array(view))
      }),
    )
  })
})
