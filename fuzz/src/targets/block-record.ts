/** Target `block-record`: bytes as bodies of journal records, into the reader of blocks. */
import {
  type BlockBody,
  decodeBlockBody,
  encodeBlockBody,
  hashOnlyRevision,
} from '../../../packages/ledger/src/block-record.ts'
import { allowing, mustHold, type Target } from '../target.ts'

const hash = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

const empty: BlockBody = {
  timestampMs: 1_700_000_000_000,
  transactionId: 'transaction0000000000t',
  items: [],
  headerHash: hash(1),
  statements: [],
  catalogInfo: undefined,
  revisions: [],
  redactions: [],
}
const revision = {
  tableId: 'table000000000000000t1',
  tableName: 'Vehicle',
  documentId: 'document0000000000000d',
  version: 3,
  previous: { sequenceNo: 2, ordinal: 0 },
  transactionTimeMs: 1_700_000_000_000,
  statements: [0, 200],
  hash: hash(2),
  data: Uint8Array.of(0xe0, 1, 0, 0xea, 0x21, 5),
  dataHash: undefined,
}
const full: BlockBody = {
  ...empty,
  items: [
    { role: 'transactionInfo', hash: hash(3) },
    { role: 'catalogInfo', hash: hash(4) },
  ],
  statements: [{ text: 'SELECT 1', startTimeMs: 1_700_000_000_000, digest: hash(5) }],
  catalogInfo: Uint8Array.of(0xe0, 1, 0, 0xea, 0xd0),
  revisions: [
    revision,
    { ...revision, tableId: 'other', data: undefined },
    { ...revision, data: undefined, dataHash: hash(6) },
  ],
}

const imported: BlockBody = {
  ...full,
  items: [...full.items, { role: 'opaque', hash: hash(7) }],
  revisions: [...full.revisions, hashOnlyRevision(hash(8))],
  imported: {
    form: 'imported',
    previousBlockHash: hash(9),
    transactionInfo: Uint8Array.of(0xe0, 1, 0, 0xea, 0xd0),
    redactionInfo: undefined,
    derivedCatalogInfo: Uint8Array.of(0xe0, 1, 0, 0xea, 0xd0),
  },
}

const redacting: BlockBody = {
  ...full,
  revisions: [{ ...revision, data: undefined, dataHash: hash(6), isErased: true }],
  redactions: [
    { sequenceNo: 2, tableId: 'table', documentId: 'document', version: 1, supersededNo: 3 },
  ],
}

export const blockRecordTarget: Target = {
  name: 'block-record',
  oracle:
    'only RangeError; what decodes encodes and decodes to the same block; counts allocate nothing in advance',
  sources: /\/packages\/ledger\/src\/(?:block-record|byte-writer)/,
  open: () => ({
    seeds: [empty, full, imported, redacting].map(encodeBlockBody),
    dictionary: [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x80], [0], [1], [2], [3]].map(
      (bytes) => Uint8Array.from(bytes),
    ),
    run(input) {
      const block = allowing([RangeError], () => decodeBlockBody(input))
      if (block === undefined) return
      const again = decodeBlockBody(encodeBlockBody(block))
      // Which only older versions can be.
      const revisions = block.revisions.map(({ isUnerasable: _, ...revision }) => revision)
      mustHold(
        JSON.stringify(again) === JSON.stringify({ ...block, revisions }),
        'a block differs after a round trip',
      )
    },
  }),
}
