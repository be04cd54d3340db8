import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigintToWord, bytesToWord, equalWords, wordToBigint, wordToBytes } from './words.ts'

const number = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })

describe('words', () => {
  it('hold any number of 256 bits', () => {
    fc.assert(
      fc.property(number, (value) => {
        const words = new Int32Array(16)
        bigintToWord(value, words, 8)
        expect(wordToBigint(words, 8)).toBe(value)
        expect(wordToBigint(words, 0)).toBe(0n)
      }),
    )
  })

  it('are big-endian bytes, also of fewer than 32', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 32 }), (bytes) => {
        const words = new Int32Array(8).fill(-1)
        bytesToWord(bytes, words, 0)
        const text = Buffer.from(bytes).toString('hex')
        expect(wordToBigint(words, 0)).toBe(BigInt(`0x0${text}`))
        expect(Buffer.from(wordToBytes(words, 0)).toString('hex')).toBe(text.padStart(64, '0'))
        const again = new Int32Array(8)
        bytesToWord(wordToBytes(words, 0), again, 0)
        expect(equalWords(words, 0, again, 0)).toBe(true)
      }),
    )
  })
})
