/** Hashes made in place are those of the encoded bytes. */
import { sha256 } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { BlockHasher, revisionLeafHash } from './block-hasher.ts'
import {
  type BlockHeader,
  encodeBlockEntry,
  encodeBlockHeader,
  encodeRevisionLeaf,
} from './canonical.ts'
import { tlogLeafHash } from './hasher.ts'

const hashOf = (n: number): Uint8Array => sha256(Uint8Array.of(n))

function headerOf(n: number): BlockHeader {
  return {
    strandId: 'CairnTestStrand0000001',
    sequenceNo: n * 1e9,
    // Lengths and widths change from block to block.
    transactionId: 'é'.repeat(n % 5) + 'x'.repeat(n % 7),
    blockTimestamp: '2026-01-01T00:00:00.000Z',
    previousBlockHash: n === 0 ? new Uint8Array(0) : hashOf(n),
    items: Array.from({ length: n % 4 }, (_, i) => ({ role: 'opaque', hash: hashOf(i) })),
    revisionCount: n,
    revisionsTree: hashOf(n + 1),
  }
}

describe('BlockHasher', () => {
  it('hashes header and entry as their encodings hash, whatever came before', () => {
    const hasher = new BlockHasher()
    for (let n = 0; n < 200; n++) {
      const header = encodeBlockHeader(headerOf(n))
      expect(hasher.headerHash(headerOf(n))).toEqual(sha256(header))
      const blockHash = hashOf(n + 2)
      const entry = encodeBlockEntry({ header, form: 'native', blockHash })
      expect(hasher.entryHash('native', blockHash)).toEqual(tlogLeafHash(entry))
    }
  })

  it('makes one entry of one header, and none of a header that was refused', () => {
    const hasher = new BlockHasher()
    hasher.headerHash(headerOf(1))
    hasher.entryHash('native', hashOf(1))
    expect(() => hasher.entryHash('native', hashOf(1))).toThrow('begins with a header')
    hasher.headerHash(headerOf(1))
    const wrong = { ...headerOf(1), strandId: '\ud800' }
    expect(() => hasher.headerHash(wrong)).toThrow('strandId')
    expect(() => hasher.entryHash('native', hashOf(1))).toThrow('begins with a header')
  })

  it('fits the largest entry and refuses one item more', () => {
    const hasher = new BlockHasher()
    const item = { role: 'opaque', hash: hashOf(0) } as const
    const withItems = (count: number) => ({ ...headerOf(1), items: new Array(count).fill(item) })
    const countMax = 1980
    const header = encodeBlockHeader(withItems(countMax))
    expect(hasher.headerHash(withItems(countMax))).toEqual(sha256(header))
    const entry = encodeBlockEntry({ header, form: 'native', blockHash: hashOf(3) })
    expect(hasher.entryHash('native', hashOf(3))).toEqual(tlogLeafHash(entry))
    expect(() => hasher.headerHash(withItems(countMax + 1))).toThrow('larger than')
  })
})

describe('revisionLeafHash', () => {
  it('hashes as the encoded leaf hashes', () => {
    for (const tableId of ['CairnTestTable00000001', '', 'é', 'x'.repeat(255)]) {
      const [a, b] = [hashOf(1), hashOf(2)]
      const leaf = encodeRevisionLeaf({ kind: 'data', tableId, hashes: [a, b] })
      expect(revisionLeafHash('data', tableId, a, b)).toEqual(tlogLeafHash(leaf))
      const deletion = encodeRevisionLeaf({ kind: 'deletion', tableId, hashes: [a] })
      expect(revisionLeafHash('deletion', tableId, a, undefined)).toEqual(tlogLeafHash(deletion))
    }
  })

  it('refuses hashes that are not those of the kind', () => {
    expect(() => revisionLeafHash('data', 't', hashOf(1), undefined)).toThrow('has its hash')
    expect(() => revisionLeafHash('deletion', 't', hashOf(1), hashOf(2))).toThrow('has its hash')
  })
})
