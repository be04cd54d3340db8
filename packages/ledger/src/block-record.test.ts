import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type BlockBody,
  decodeBlockBody,
  encodeBlockBody,
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
