import { describe, expect, it } from 'vitest'
import { createIdSource, idFromBytes, idToBytes, writeIdBytes } from './ids.ts'
import { systemRandom } from './random.ts'

describe('ids', () => {
  it('writes each 64-bit half as 11 padded digits', () => {
    expect(idFromBytes(new Uint8Array(16))).toBe('0000000000000000000000')
    expect(idFromBytes(new Uint8Array(16).fill(255))).toBe('LygHa16AHYFLygHa16AHYF')
  })

  it('reads back what it wrote and refuses what is no id', () => {
    for (let i = 0; i < 500; i++) {
      const bytes = systemRandom.bytes(16)
      expect(idToBytes(idFromBytes(bytes))).toEqual(bytes)
    }
    expect(idToBytes('LygHa16AHYGLygHa16AHYF')).toBeUndefined()
    expect(idToBytes('000000000000000000000-')).toBeUndefined()
    expect(idToBytes('0')).toBeUndefined()
  })

  it('writes the bytes of an id into others', () => {
    const id = systemRandom.bytes(16)
    const out = new Uint8Array(20).fill(7)
    expect(writeIdBytes(idFromBytes(id), out, 3)).toBe(true)
    expect(out).toEqual(Uint8Array.of(7, 7, 7, ...id, 7))
    expect(writeIdBytes('no id', out, 3)).toBe(false)
  })

  it('refuses a character that is no digit wherever it stands, and a half of more than 64 bits', () => {
    for (const wrong of ['-', '{', '\u0000', 'é', '\u0131']) {
      for (let i = 0; i < 22; i++) {
        const text = `${'1'.repeat(i)}${wrong}${'1'.repeat(21 - i)}`
        expect(idToBytes(text)).toBeUndefined()
      }
    }
    expect(idToBytes('LygHa16AHYFLygHa16AHYG')).toBeUndefined()
    expect(idToBytes('zzzzzzzzzzz00000000000')).toBeUndefined()
    expect(idToBytes('00000000000zzzzzzzzzzz')).toBeUndefined()
  })

  it('agrees with arithmetic on big numbers', () => {
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    for (let i = 0; i < 500; i++) {
      const bytes = systemRandom.bytes(16)
      // Runs of equal bits, where carries are.
      if (i % 2 === 0) bytes.fill(i % 4 === 0 ? 255 : 0, i % 16, (i % 16) + 5)
      let value = new DataView(bytes.buffer).getBigUint64(8)
      for (const digit of [...idFromBytes(bytes).slice(11)].reverse()) {
        expect(digit).toBe(alphabet[Number(value % 62n)])
        value /= 62n
      }
    }
  })

  it('gives ordered ids that rise, also within a millisecond and when the clock stands still', () => {
    let nowMs = 1_700_000_000_000
    const clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() }
    const ids = createIdSource(clock, systemRandom)
    let last = ''
    for (let i = 0; i < 70_000; i++) {
      if (i === 69_000) nowMs++
      const id = ids.ordered()
      expect(id > last).toBe(true)
      last = id
    }
  })
})
