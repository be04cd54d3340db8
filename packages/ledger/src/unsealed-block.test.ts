import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './byte-writer.ts'
import { readUnsealedBlock, type UnsealedBlock, writeUnsealedBlock } from './unsealed-block.ts'

describe('unsealed blocks', () => {
  it('are read as they were written', () => {
    const hash = new Uint8Array(32).fill(7)
    const table = { tableId: 'T1', tableName: 'Vehicle', tableNo: 3 }
    const block: UnsealedBlock = {
      sequenceNo: 2 ** 40,
      transactionId: '0007KbqoyqAIch6XRbQ4iA',
      timestampMs: 1_700_000_000_000,
      statements: [{ text: 'INSERT INTO Véhicule ?', startTimeMs: 5, digest: hash }],
      catalogChange: {
        info: Uint8Array.of(1),
        catalog: Uint8Array.of(2, 3),
        createdIndexes: [{ tableNo: 3, indexNo: 4, indexId: 'I', field: 'VIN' }],
        droppedIndexNos: [9],
      },
      revisions: [
        {
          ...table,
          documentId: 'D1',
          version: 0,
          previous: undefined,
          statements: [0],
          data: Uint8Array.of(1, 2),
          dataHash: hash,
          indexChanges: [{ indexNo: 4, indexId: 'I', oldKey: undefined, newKey: Uint8Array.of(5) }],
        },
        {
          ...table,
          documentId: 'D2',
          version: 300,
          previous: { sequenceNo: 7, ordinal: 2 },
          statements: [0, 1],
          data: undefined,
          dataHash: undefined,
          indexChanges: [{ indexNo: 4, indexId: 'I', oldKey: Uint8Array.of(5), newKey: undefined }],
        },
      ],
      redactions: [
        { sequenceNo: 7, tableId: 'T1', documentId: 'D2', version: 299, supersededNo: 8 },
      ],
    }
    const writer = new ByteWriter()
    for (let i = 0; i < 3; i++) writeUnsealedBlock(writer, block)
    const reader = new ByteReader(writer.take())
    for (let i = 0; i < 3; i++) {
      expect(structuredClone(readUnsealedBlock(reader))).toEqual(structuredClone(block))
    }
    expect(reader.isAtEnd).toBe(true)
  })
})
