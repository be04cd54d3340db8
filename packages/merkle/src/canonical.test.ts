import { concatBytes, sha256, toHex, utf8 } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type BlockEntry,
  type BlockHeader,
  type BlockItemRole,
  blockEntryBytesMax,
  decodeBlockEntry,
  decodeBlockHeader,
  decodeRevisionLeaf,
  encodeBlockEntry,
  encodeBlockHeader,
  encodeRevisionLeaf,
  type RevisionLeaf,
} from './canonical.ts'
import { CanonicalBytesError } from './errors.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
const shortText = fc.string({ unit: 'binary', maxLength: 60 })
const roles: readonly BlockItemRole[] = [
  'opaque',
  'transactionInfo',
  'revisionsRoot',
  'redactionInfo',
  'catalogInfo',
]
const headers: fc.Arbitrary<BlockHeader> = fc
  .record({
    strandId: shortText,
    sequenceNo: fc.maxSafeNat(),
    transactionId: shortText,
    blockTimestamp: fc.constant('2026-01-01T00:00:00.000Z'),
    previousBlockHash: hash,
    items: fc.array(fc.record({ role: fc.constantFrom(...roles), hash }), { maxLength: 6 }),
    revisionCount: fc.nat(0xffff_ffff),
    revisionsTree: hash,
  })
  .map((header) =>
    header.sequenceNo % 3 === 0
      ? { ...header, sequenceNo: 0, previousBlockHash: new Uint8Array(0) }
      : header,
  )
const leaves: fc.Arbitrary<RevisionLeaf> = fc.oneof(
  fc.record({
    kind: fc.constant('data' as const),
    tableId: shortText,
    hashes: fc.tuple(hash, hash),
  }),
  fc.record({
    kind: fc.constantFrom('deletion' as const, 'hashOnly' as const),
    tableId: shortText,
    hashes: fc.tuple(hash),
  }),
)

const h = (text: string) => sha256(utf8(text))
const header: BlockHeader = {
  strandId: 'strand',
  sequenceNo: 2 ** 32 + 5,
  transactionId: 'tx',
  blockTimestamp: '2026-01-01T00:00:00.000Z',
  previousBlockHash: h('previous'),
  items: [{ role: 'transactionInfo', hash: h('info') }],
  revisionCount: 258,
  revisionsTree: h('tree'),
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof CanonicalBytesError) return error.code
    throw error
  }
}

describe('canonical bytes', () => {
  it('are laid out as trust 2.2 says', () => {
    expect(toHex(encodeBlockHeader(header))).toBe(
      [
        toHex(utf8('cairn/block/1\n')),
        `06${toHex(utf8('strand'))}`,
        '0000000100000005',
        `02${toHex(utf8('tx'))}`,
        `18${toHex(utf8('2026-01-01T00:00:00.000Z'))}`,
        `20${toHex(h('previous'))}`,
        `000101${toHex(h('info'))}`,
        '00000102',
        toHex(h('tree')),
      ].join(''),
    )
    expect(encodeRevisionLeaf({ kind: 'data', tableId: 'T', hashes: [h('m'), h('d')] })).toEqual(
      concatBytes(utf8('cairn/rev/1\n\u0001\u0001T'), h('m'), h('d')),
    )
    expect(encodeRevisionLeaf({ kind: 'deletion', tableId: '', hashes: [h('m')] })).toEqual(
      concatBytes(utf8('cairn/rev/1\n\u0002\u0000'), h('m')),
    )
    const bytes = encodeBlockHeader(header)
    expect(encodeBlockEntry({ header: bytes, form: 'native', blockHash: h('b') })).toEqual(
      concatBytes(bytes, Uint8Array.of(1), h('b')),
    )
    expect(encodeBlockEntry({ header: bytes, form: 'imported', blockHash: h('b') })).toEqual(
      concatBytes(bytes, Uint8Array.of(0), h('b')),
    )
  })

  it('read back as what was written', () => {
    fc.assert(
      fc.property(headers, leaves, hash, (someHeader, leaf, blockHash) => {
        const bytes = encodeBlockHeader(someHeader)
        expect(decodeBlockHeader(bytes)).toEqual(someHeader)
        expect(decodeRevisionLeaf(encodeRevisionLeaf(leaf))).toEqual(leaf)
        const entry: BlockEntry = { header: bytes, form: 'imported', blockHash }
        expect(decodeBlockEntry(encodeBlockEntry(entry))).toEqual({ ...entry, block: someHeader })
      }),
    )
  })

  it('have one form: whatever decodes encodes to the same bytes', () => {
    const bytes = encodeBlockEntry({
      header: encodeBlockHeader(header),
      form: 'native',
      blockHash: h('b'),
    })
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = bytes.slice()
        changed[at] = (changed[at] as number) ^ mask
        let decoded: ReturnType<typeof decodeBlockEntry> | undefined
        codeOf(() => {
          decoded = decodeBlockEntry(changed)
        })
        if (decoded === undefined) return
        expect(encodeBlockEntry({ ...decoded, header: encodeBlockHeader(decoded.block) })).toEqual(
          changed,
        )
      }),
    )
  })

  it('are refused when cut short anywhere or continued', () => {
    const leaf = encodeRevisionLeaf({ kind: 'data', tableId: 'table', hashes: [h('m'), h('d')] })
    const headerBytes = encodeBlockHeader(header)
    const entry = encodeBlockEntry({ header: headerBytes, form: 'native', blockHash: h('b') })
    const checks: readonly [Uint8Array, (bytes: Uint8Array) => unknown, number][] = [
      [leaf, decodeRevisionLeaf, 12],
      [headerBytes, decodeBlockHeader, 14],
      [entry, decodeBlockEntry, 14],
    ]
    for (const [bytes, decode, magicSize] of checks) {
      for (let size = 0; size < bytes.length; size++) {
        expect(codeOf(() => decode(bytes.subarray(0, size)))).toBe(
          size < magicSize ? 'VERSION_UNKNOWN' : 'BYTES_TRUNCATED',
        )
      }
      expect(codeOf(() => decode(concatBytes(bytes, Uint8Array.of(0))))).toBe('BYTES_TRAILING')
    }
  })

  it('are refused with an unknown role, kind, form or version', () => {
    const headerBytes = encodeBlockHeader(header)
    const change = (bytes: Uint8Array, at: number, value: number) => {
      const out = bytes.slice()
      out[at] = value
      return out
    }
    const roleAt = headerBytes.length - 4 - 32 - 33
    expect(codeOf(() => decodeBlockHeader(change(headerBytes, roleAt, 5)))).toBe('TAG_UNKNOWN')
    expect(codeOf(() => decodeBlockHeader(change(headerBytes, 12, 0x32)))).toBe('VERSION_UNKNOWN')
    const leaf = encodeRevisionLeaf({ kind: 'hashOnly', tableId: '', hashes: [h('m')] })
    expect(codeOf(() => decodeRevisionLeaf(change(leaf, 12, 0)))).toBe('TAG_UNKNOWN')
    expect(codeOf(() => decodeRevisionLeaf(change(leaf, 12, 4)))).toBe('TAG_UNKNOWN')
    const entry = encodeBlockEntry({ header: headerBytes, form: 'native', blockHash: h('b') })
    expect(codeOf(() => decodeBlockEntry(change(entry, headerBytes.length, 2)))).toBe('TAG_UNKNOWN')
  })

  it('are refused with a previous hash of another length, or none after block 0', () => {
    const none = new Uint8Array(0)
    expect(codeOf(() => encodeBlockHeader({ ...header, previousBlockHash: none }))).toBe(
      'LENGTH_WRONG',
    )
    const genesis = encodeBlockHeader({ ...header, sequenceNo: 0, previousBlockHash: none })
    expect(decodeBlockHeader(genesis).previousBlockHash).toEqual(none)
    const later = genesis.slice()
    later[14 + 7 + 7] = 1
    expect(codeOf(() => decodeBlockHeader(later))).toBe('LENGTH_WRONG')
  })

  it('are refused with a sequence number that no number can hold', () => {
    const bytes = encodeBlockHeader(header)
    bytes[14 + 7 + 1] = 0x20
    expect(codeOf(() => decodeBlockHeader(bytes))).toBe('NUMBER_TOO_LARGE')
    expect(codeOf(() => encodeBlockHeader({ ...header, revisionCount: 2 ** 32 }))).toBe(
      'NUMBER_TOO_LARGE',
    )
  })

  it('hold well-formed text of at most 255 bytes', () => {
    const encode = (strandId: string) => encodeBlockHeader({ ...header, strandId })
    expect(decodeBlockHeader(encode('é'.repeat(127))).strandId).toBe('é'.repeat(127))
    expect(codeOf(() => encode('é'.repeat(128)))).toBe('TEXT_MALFORMED')
    expect(codeOf(() => encode('x'.repeat(256)))).toBe('TEXT_MALFORMED')
    expect(codeOf(() => encode('\ud800'))).toBe('TEXT_MALFORMED')
    const bytes = encode('x')
    bytes[15] = 0xff
    expect(codeOf(() => decodeBlockHeader(bytes))).toBe('TEXT_MALFORMED')
  })

  it('never exceed what a tile can hold', () => {
    const item = { role: 'opaque' as const, hash: h('x') }
    const encode = (count: number) =>
      encodeBlockHeader({ ...header, items: Array.from({ length: count }, () => item) })
    const base = encode(0).length + 33
    const countMax = Math.floor((blockEntryBytesMax - base) / 33)
    expect(encode(countMax).length).toBeLessThanOrEqual(blockEntryBytesMax - 33)
    expect(codeOf(() => encode(countMax + 1))).toBe('ENTRY_TOO_LARGE')
    expect(codeOf(() => decodeBlockEntry(new Uint8Array(blockEntryBytesMax + 1)))).toBe(
      'ENTRY_TOO_LARGE',
    )
  })
})
