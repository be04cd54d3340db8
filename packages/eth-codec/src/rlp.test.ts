import { concatBytes, fromHex, toHex, utf8 } from '@cairn/core'
import { RLP } from '@ethereumjs/rlp'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RlpError } from './errors.ts'
import {
  decodeRlp,
  encodeRlp,
  peekRlpHeader,
  type RlpItem,
  rlpDepthMax,
  rlpListItemViews,
} from './rlp.ts'

const { item: anyItem } = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small' },
    fc.uint8Array({ maxLength: 80 }),
    fc.uint8Array({ minLength: 250, maxLength: 260 }),
    fc.array(tie('item'), { maxLength: 6 }),
  ),
}))

function codeOf(hex: string): string {
  try {
    decodeRlp(fromHex(hex))
  } catch (error) {
    if (error instanceof RlpError) return error.code
    throw error
  }
  return 'accepted'
}

function nested(depth: number): RlpItem {
  let item: RlpItem = []
  for (let i = 1; i < depth; i++) item = [item]
  return item
}

describe('encodeRlp and decodeRlp', () => {
  it('give back what they were given, and agree with the official library', () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        const bytes = encodeRlp(item)
        expect(toHex(bytes)).toBe(toHex(RLP.encode(item as Parameters<typeof RLP.encode>[0])))
        expect(decodeRlp(bytes)).toEqual(item)
      }),
    )
  })

  it('accept only the encoding that they would write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        let item: RlpItem
        try {
          item = decodeRlp(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(RlpError)
          return
        }
        expect(toHex(encodeRlp(item))).toBe(toHex(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  it('hold lengths of every size', () => {
    for (const size of [0, 1, 55, 56, 255, 256, 65_535, 65_536, 16_777_216]) {
      const item = new Uint8Array(size).fill(0xaa)
      const bytes = encodeRlp([item])
      const [back] = decodeRlp(bytes) as readonly Uint8Array[]
      expect(back?.length).toBe(size)
    }
  })
})

describe('decodeRlp', () => {
  it('refuses what is cut off', () => {
    expect(codeOf('')).toBe('RLP_TRUNCATED')
    expect(codeOf('83dead')).toBe('RLP_TRUNCATED')
    expect(codeOf('b8')).toBe('RLP_TRUNCATED')
    expect(codeOf('b838aa')).toBe('RLP_TRUNCATED')
    expect(codeOf('c28080c0'.slice(0, 4))).toBe('RLP_TRUNCATED')
    expect(codeOf('c2c180')).toBe('accepted')
    expect(codeOf('c1c180')).toBe('RLP_TRUNCATED')
    expect(codeOf(`bb${'ff'.repeat(4)}`)).toBe('RLP_TRUNCATED')
    expect(codeOf(`bf${'ff'.repeat(8)}`)).toBe('RLP_TRUNCATED')
  })

  it('refuses longer forms of the same value', () => {
    expect(codeOf('8100')).toBe('RLP_NOT_CANONICAL')
    expect(codeOf('817f')).toBe('RLP_NOT_CANONICAL')
    expect(codeOf('8180')).toBe('accepted')
    expect(codeOf(`b837${'11'.repeat(55)}`)).toBe('RLP_NOT_CANONICAL')
    expect(codeOf(`b90038${'11'.repeat(56)}`)).toBe('RLP_NOT_CANONICAL')
    expect(codeOf(`f837${'11'.repeat(55)}`)).toBe('RLP_NOT_CANONICAL')
  })

  it('refuses bytes behind the item', () => {
    expect(codeOf('8080')).toBe('RLP_TRAILING_BYTES')
    expect(codeOf('c000')).toBe('RLP_TRAILING_BYTES')
  })

  it('bounds depth, size and count', () => {
    expect(codeOf(toHex(encodeRlp(nested(rlpDepthMax))))).toBe('accepted')
    expect(codeOf(toHex(encodeRlp(nested(rlpDepthMax + 1))))).toBe('RLP_TOO_DEEP')
    expect(codeOf('c1'.repeat(100_000))).toBe('RLP_TRUNCATED')
    const three = encodeRlp([utf8('a'), utf8('b')])
    expect(() => decodeRlp(three, { itemCountMax: 2 })).toThrow(/too many/)
    expect(decodeRlp(three, { itemCountMax: 3 })).toHaveLength(2)
    expect(() => decodeRlp(three, { bytesMax: 2 })).toThrow(/larger/)
  })
})

describe('rlpListItemViews', () => {
  it('cuts a list into its encoded items', () => {
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 6 }), (items) => {
        const views = rlpListItemViews(encodeRlp(items))
        expect(views.map(toHex)).toEqual(items.map((item) => toHex(encodeRlp(item))))
      }),
    )
  })

  it('refuses byte strings and items that leave their list', () => {
    expect(() => rlpListItemViews(fromHex('80'))).toThrow(/byte string/)
    expect(() => rlpListItemViews(fromHex('c182ffff'.slice(0, 4)))).toThrow(/end inside/)
    expect(() => rlpListItemViews(fromHex('c000'))).toThrow(/behind/)
  })
})

describe('peekRlpHeader', () => {
  it('tells where an item ends before its payload is there', () => {
    const item = encodeRlp([new Uint8Array(1000)])
    const stream = concatBytes(Uint8Array.of(7), item)
    expect(peekRlpHeader(stream.subarray(0, 6), 1)).toEqual({
      isList: true,
      start: 4,
      end: 1 + item.length,
    })
    expect(peekRlpHeader(stream, 0)).toEqual({ isList: false, start: 0, end: 1 })
  })
})
