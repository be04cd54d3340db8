import { sha256 } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type BlockBody,
  type BlockRevision,
  decodeBlockBody,
  encodeBlockBody,
  eraseInBody,
  hashOnlyRevision,
} from './block-record.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
const natural = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const tables = [
  { tableId: '1SUXCa3wwV0GD7kV78RbSg', tableName: 'Person' },
  { tableId: '0007KbqoyqAIch6XRbQ4iA', tableName: 'Vehicle' },
]
const revision = fc.record({
  table: fc.constantFrom(...tables),
  documentId: fc.string(),
  version: natural,
  place: fc.record({ sequenceNo: fc.nat(), ordinal: fc.nat() }),
  transactionTimeMs: natural,
  statements: fc.array(natural),
  hash,
  content: fc.oneof(
    fc.uint8Array({ minLength: 1 }).map((data) => ({ data, dataHash: undefined })),
    hash.map((dataHash) => ({ data: undefined, dataHash })),
    hash.map((dataHash) => ({ data: undefined, dataHash, isErased: true as const })),
    fc.constant({ data: undefined, dataHash: undefined }),
  ),
})
const nativeBlock = fc.record({
  timestampMs: natural,
  transactionId: fc.string(),
  items: fc.array(
    fc.record({
      role: fc.constantFrom(
        'transactionInfo' as const,
        'revisionsRoot' as const,
        'redactionInfo' as const,
        'catalogInfo' as const,
      ),
      hash,
    }),
  ),
  headerHash: hash,
  statements: fc.array(
    fc.record({ text: fc.string({ unit: 'grapheme' }), startTimeMs: natural, digest: hash }),
  ),
  catalogInfo: fc.option(fc.uint8Array({ minLength: 1 }), { nil: undefined }),
  revisions: fc.array(
    revision.map(({ table, content, place, ...rest }) => {
      const previous = rest.version === 0 ? undefined : place
      return { ...table, ...rest, previous, ...content }
    }),
  ),
  redactions: fc.array(
    fc.record({
      sequenceNo: fc.nat(),
      tableId: fc.string(),
      documentId: fc.string(),
      version: natural,
      supersededNo: fc.option(fc.nat(), { nil: undefined }),
    }),
  ),
})

const stream = fc.uint8Array({ minLength: 1 })
const importedBlock = fc
  .tuple(
    nativeBlock,
    fc.record({
      form: fc.constantFrom('native' as const, 'imported' as const),
      previousBlockHash: fc.option(hash, { nil: undefined }),
      transactionInfo: stream,
      redactionInfo: fc.option(stream, { nil: undefined }),
      derivedCatalogInfo: fc.option(stream, { nil: undefined }),
    }),
    hash,
  )
  .map(
    ([body, imported, opaque]): BlockBody => ({
      ...body,
      items: [{ role: 'opaque', hash: opaque }, ...body.items],
      revisions: [hashOnlyRevision(opaque), ...body.revisions],
      imported,
    }),
  )
const block: fc.Arbitrary<BlockBody> = fc.oneof(nativeBlock, importedBlock)

/** Views into the record compare as plain arrays. */
const plain = (body: BlockBody) => structuredClone(body)

describe('block records', () => {
  it('decode to what was encoded', () => {
    fc.assert(
      fc.property(block, (body) => {
        expect(plain(decodeBlockBody(encodeBlockBody(body)))).toEqual(plain(body))
      }),
    )
  })

  it('are refused when cut, lengthened or of another version', () => {
    fc.assert(
      fc.property(block, fc.nat(), (body, cut) => {
        const bytes = encodeBlockBody(body)
        expect(() => decodeBlockBody(bytes.subarray(0, cut % bytes.length))).toThrow(RangeError)
        expect(() => decodeBlockBody(Uint8Array.of(...bytes, 0))).toThrow(RangeError)
        expect(() => decodeBlockBody(Uint8Array.of(9, ...bytes.subarray(1)))).toThrow(RangeError)
      }),
    )
  })
})

describe('erasing data in a block record', () => {
  it('leaves a record as long, with hashes for data and all else as it was', () => {
    fc.assert(
      fc.property(block, fc.array(fc.nat(20)), (body, ordinals) => {
        const bytes = encodeBlockBody(body)
        const erased = eraseInBody(bytes, new Set(ordinals), sha256)
        const expected = body.revisions.map((it, i) => {
          const isErased = ordinals.includes(i) && it.data !== undefined
          return isErased
            ? { ...it, data: undefined, dataHash: sha256(it.data), isErased: true }
            : it
        })
        if (expected.every((it, i) => it === body.revisions[i])) {
          expect(erased).toBeUndefined()
          return
        }
        expect(erased?.length).toBe(bytes.length)
        const decoded = decodeBlockBody(erased as Uint8Array)
        expect(plain(decoded)).toEqual(plain({ ...body, revisions: expected as BlockRevision[] }))
        expect(eraseInBody(erased as Uint8Array, new Set(ordinals), sha256)).toBeUndefined()
      }),
    )
  })

  it('leaves nothing of the data, also when it is shorter than a hash', () => {
    for (const size of [1, 5, 31, 32, 33, 500]) {
      const data = new Uint8Array(size).fill(0xab)
      const body = { ...sample, revisions: [{ ...sampleRevision, data }] }
      const bytes = encodeBlockBody(body)
      const erased = eraseInBody(bytes, new Set([0]), () => new Uint8Array(32).fill(1))
      expect(bytes.includes(0xab)).toBe(true)
      expect(erased?.includes(0xab)).toBe(false)
    }
  })

  it('is seen through when something is hidden where the data was', () => {
    const data = new Uint8Array(40).fill(0xab)
    const bytes = encodeBlockBody({ ...sample, revisions: [{ ...sampleRevision, data }] })
    const erased = eraseInBody(bytes, new Set([0]), sha256) as Uint8Array
    const start = bytes.indexOf(0xab)
    for (let at = start + 32; at < start + 40; at++) {
      const changed = erased.slice()
      changed[at] = 1
      expect(() => decodeBlockBody(changed)).toThrow(RangeError)
    }
  })

  it('is refused for short data of a version that left no room for a hash', () => {
    const data = new Uint8Array(5).fill(0xab)
    const bytes = encodeBlockBody({ ...sample, revisions: [{ ...sampleRevision, data }] })
    const end = bytes.lastIndexOf(0xab) + 1
    // As version 2 wrote it: without the zeros behind the data, and without redactions.
    const old = Uint8Array.of(2, ...bytes.subarray(1, end))
    expect(decodeBlockBody(old).revisions[0]).toMatchObject({ data, isUnerasable: true })
    expect(eraseInBody(old, new Set([0]), sha256)).toBeUndefined()
  })
})

const sampleRevision: BlockRevision = {
  ...(tables[0] as (typeof tables)[number]),
  documentId: 'D1',
  version: 0,
  previous: undefined,
  transactionTimeMs: 1,
  statements: [0],
  hash: new Uint8Array(32).fill(2),
  data: undefined,
  dataHash: undefined,
}
const sample: BlockBody = {
  timestampMs: 1,
  transactionId: 'T1',
  items: [],
  headerHash: new Uint8Array(32).fill(3),
  statements: [],
  catalogInfo: undefined,
  revisions: [],
  redactions: [],
}
