/** Hashes of a block's structs, written field by field, are those of the structs that clients see. */
import { hashIon } from '@cairn/ion'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockTimestampText, metadataHash, transactionInfoHash } from './block-hashes.ts'
import { metadataToIon, timestampText, transactionInfoToIon } from './block-view.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
// Few of each, so that what is kept is met again, also under another name.
const times = fc.integer({ min: 0, max: 3 }).map((ms) => 1_767_225_600_000 + ms * 997)
const versions = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.maxSafeNat())
const ids = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
const texts = fc.oneof(
  fc.constantFrom('UPDATE T SET n = ?', 'INSERT INTO T ?'),
  fc.string({ unit: 'grapheme' }),
)
const statements = fc.array(fc.record({ text: texts, startTimeMs: times, digest: hash }), {
  maxLength: 4,
})
const revisions = fc.array(
  fc.record({
    documentId: ids,
    tableId: fc.constantFrom('CairnTestTable00000001', 'CairnTestTable00000002'),
    tableName: fc.constantFrom('T', 'U', 'Ü'),
    statements: fc.oneof(
      fc.integer({ min: 0, max: 12 }).map((index) => [index]),
      fc.array(fc.nat(), { maxLength: 4 }),
    ),
  }),
  { maxLength: 4 },
)

describe('hashes of a block', () => {
  it('of metadata', () => {
    fc.assert(
      fc.property(ids, versions, times, ids, (documentId, version, transactionTimeMs, txId) => {
        const shown = { documentId, version, transactionTimeMs, transactionId: txId }
        // Of the first document of a transaction, and of others.
        for (const id of [documentId, 'another', documentId]) {
          expect(metadataHash(id, version, transactionTimeMs, txId)).toEqual(
            hashIon(metadataToIon({ ...shown, documentId: id })),
          )
        }
      }),
    )
  })

  it('of transactionInfo', () => {
    fc.assert(
      fc.property(statements, revisions, (ran, touched) => {
        const expected = hashIon(transactionInfoToIon(ran, touched))
        expect(transactionInfoHash(ran, touched)).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('of more texts and tables than are kept', () => {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 1200; i++) {
        const ran = [{ text: `SELECT ${i}`, startTimeMs: 0, digest: new Uint8Array(32) }]
        const touched = [{ documentId: 'd', tableId: `t${i}`, tableName: 'T', statements: [0] }]
        const expected = hashIon(transactionInfoToIon(ran, touched))
        expect(transactionInfoHash(ran, touched)).toEqual(expected)
      }
    }
  })

  it('have the time of a block as text, in any order of times', () => {
    for (const ms of [5, 5, 6, 5, 0]) expect(blockTimestampText(ms)).toBe(timestampText(ms))
  })
})
