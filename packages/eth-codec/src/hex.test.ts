import { describe, expect, it } from 'vitest'
import { dataFromHex, dataToHex, looseDataFromHex, quantityFromHex, quantityToHex } from './hex.ts'

describe('data', () => {
  it('has two digits a byte behind 0x', () => {
    expect(dataToHex(Uint8Array.of(0, 255, 16))).toBe('0x00ff10')
    expect(dataToHex(new Uint8Array(4).subarray(2, 2))).toBe('0x')
    expect(dataFromHex('0x00fF10')).toEqual(Uint8Array.of(0, 255, 16))
    expect(dataFromHex('0x')).toEqual(new Uint8Array(0))
    expect(looseDataFromHex('00ff')).toEqual(Uint8Array.of(0, 255))
    expect(looseDataFromHex('0X00ff')).toEqual(Uint8Array.of(0, 255))
  })

  it('is refused otherwise, without being shown', () => {
    for (const text of ['', '00', '0x0', '0xzz', '0x00 ', 'x']) {
      expect(() => dataFromHex(text)).toThrow(/not data/)
    }
    expect(() => dataFromHex('0x0011', 3)).toThrow(/2 bytes in place of 3/)
    expect(() => dataFromHex('0xsecret')).not.toThrow(/secret/)
  })

  it('owns its memory', () => {
    expect(dataFromHex('0x0102').buffer.byteLength).toBe(2)
  })
})

describe('quantities', () => {
  it('are as short as they can be', () => {
    expect(quantityToHex(0n)).toBe('0x0')
    expect(quantityToHex(1024)).toBe('0x400')
    expect(quantityFromHex('0x0')).toBe(0n)
    expect(quantityFromHex('0xFf')).toBe(255n)
  })

  it('are refused with leading zeros or without digits', () => {
    for (const text of ['0x', '0x00', '0x01', '1', '', '0xg', '-0x1']) {
      expect(() => quantityFromHex(text)).toThrow(/not a quantity/)
    }
  })
})
