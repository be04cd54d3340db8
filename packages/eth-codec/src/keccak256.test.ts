import { toHex, utf8 } from '@cairn/core'
import { keccak_256 } from '@noble/hashes/sha3.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyCodeHash, emptyTrieRoot, emptyUnclesHash, keccak256 } from './keccak256.ts'

describe('keccak256', () => {
  it('agrees with another implementation at every length around its block', () => {
    for (let size = 0; size < 300; size++) {
      const bytes = new Uint8Array(size).map((_, i) => i * 7 + size)
      expect(toHex(keccak256(bytes))).toBe(toHex(keccak_256(bytes)))
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40_000 }), (bytes) => {
        expect(toHex(keccak256(bytes))).toBe(toHex(keccak_256(bytes)))
      }),
      { numRuns: 20 },
    )
  })

  it('hashes views at any offset and gives bytes of its own', () => {
    const bytes = utf8('__hello')
    const first = keccak256(bytes.subarray(2))
    const kept = toHex(first)
    keccak256(bytes)
    expect(toHex(first)).toBe(kept)
    expect(kept).toBe(toHex(keccak256(utf8('hello'))))
    expect(kept).toBe('1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8')
  })

  it('has the hashes of empty things', () => {
    expect(toHex(emptyCodeHash)).toBe(
      'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
    )
    expect(toHex(emptyTrieRoot)).toBe(
      '56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
    )
    expect(toHex(emptyUnclesHash)).toBe(
      '1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
    )
  })
})
