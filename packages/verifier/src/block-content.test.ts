import { emptyBytes, sha256, utf8 } from '@cairn/core'
import {
  fieldOf,
  hashIon,
  type IonSequence,
  type IonStruct,
  type IonValue,
  ionBlob,
  ionInt,
  ionList,
  ionNull,
  ionRecord,
  ionString,
  ionStruct,
  ionSymbol,
} from '@cairn/ion'
import { dot, merkleRoot } from '@cairn/merkle'
import { describe, expect, it } from 'vitest'
import {
  address,
  buildBlock,
  buildChain,
  buildVectorLedger,
  strandId,
  withFields,
} from '../test/blocks.ts'
import { type Block, parseBlock, parseBlockAddress, parseProof, parseRevision } from './block.ts'
import { type BlockContentOptions, verifyBlockContent } from './block-content.ts'
import { VerificationError, type VerificationErrorType } from './errors.ts'
import { createLedgerReplay, verifyChain } from './replay.ts'

function failure(action: () => unknown): VerificationErrorType | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof VerificationError) return error.data
    throw error
  }
}

const values = buildVectorLedger()
const valueAt = (i: number) => values[i] as IonStruct
const blocks = values.map(parseBlock)
const blockAt = (i: number) => blocks[i] as Block
const h = (text: string) => sha256(utf8(text))

/** The block with its list replaced, and the hashes above it made to fit. */
function withList(block: IonStruct, change: (list: Uint8Array[]) => Uint8Array[]): IonStruct {
  const { entriesHashList, previousBlockHash } = parseBlock(block)
  const list = change([...entriesHashList])
  const entriesHash = merkleRoot(list)
  return withFields(block, {
    entriesHashList: ionList(list.map((hash) => ionBlob(hash))),
    entriesHash: ionBlob(entriesHash),
    blockHash: ionBlob(dot(entriesHash, previousBlockHash)),
  })
}

describe('parseBlock', () => {
  it('reads every block of a ledger into records', () => {
    const block = blockAt(5)
    expect(block.blockAddress).toEqual({ strandId, sequenceNo: 5 })
    expect(block.revisions.map((revision) => revision.kind)).toEqual(['data', 'data', 'data'])
    expect(block.transactionInfo.documents.get('CairnTestDoc0000000051')?.statements).toEqual([1])
    expect(blockAt(6).revisions[0]).toMatchObject({
      kind: 'deletion',
      metadata: { id: 'CairnTestDoc0000000010', version: 1 },
    })
    expect(blockAt(0).revisions).toEqual([])
  })

  const info = (i: number) => fieldOf(valueAt(i), 'transactionInfo') as IonStruct
  const hashes = (...list: IonValue[]) => ionList(list)
  const cases: [string, string, Record<string, IonValue | undefined>][] = [
    ['a field left out', 'block.blockHash', { blockHash: undefined }],
    ['a field nobody knows', 'block.extra', { extra: ionInt(1) }],
    ['a null', 'block.transactionId', { transactionId: ionNull('string') }],
    ['a symbol for a string', 'block.transactionId', { transactionId: ionSymbol('t') }],
    ['an annotation', 'block.transactionId', { transactionId: ionString('t', ['a']) }],
    [
      'a negative number',
      'block.blockAddress.sequenceNo',
      { blockAddress: ionRecord({ strandId: ionString('s'), sequenceNo: ionInt(-1) }) },
    ],
    [
      'a number beyond 2^53',
      'block.blockAddress.sequenceNo',
      { blockAddress: ionRecord({ strandId: ionString('s'), sequenceNo: ionInt(2n ** 53n) }) },
    ],
    ['a short hash', 'block.entriesHash', { entriesHash: ionBlob(new Uint8Array(31)) }],
    [
      'a short hash in the list',
      'block.entriesHashList[1]',
      { entriesHashList: hashes(ionBlob(h('a')), ionBlob(emptyBytes)) },
    ],
    [
      'no previous hash after block 0',
      'block.previousBlockHash',
      { previousBlockHash: ionBlob(emptyBytes) },
    ],
    [
      'a statement without time',
      'block.transactionInfo.statements[0].startTime',
      {
        transactionInfo: withFields(info(1), {
          statements: ionList([
            ionRecord({ statement: ionString('S'), statementDigest: ionBlob(h('s')) }),
          ]),
        }),
      },
    ],
    ['statements left out', 'block.transactionInfo.statements', { transactionInfo: ionStruct([]) }],
    [
      'a revision without address',
      'block.revisions[0].blockAddress',
      {
        revisions: ionList([
          ionRecord({ hash: ionBlob(h('r')), metadata: ionRecord({ id: ionString('x') }) }),
        ]),
      },
    ],
    [
      'a redaction without version',
      'block.redactionInfo.revisions[0].version',
      {
        redactionInfo: ionRecord({
          revisions: ionList([
            ionRecord({
              blockAddress: address(0),
              tableId: ionString('t'),
              documentId: ionString('d'),
            }),
          ]),
        }),
      },
    ],
  ]

  it.each(cases)('refuses %s', (_name, path, change) => {
    const found = failure(() => parseBlock(withFields(valueAt(1), change)))
    expect(found).toMatchObject({ code: 'BLOCK_MALFORMED', path })
  })

  it('refuses a repeated field', () => {
    const repeated = ionStruct([...valueAt(1).fields, ...valueAt(2).fields])
    expect(failure(() => parseBlock(repeated))).toMatchObject({
      code: 'BLOCK_MALFORMED',
      path: 'block.blockAddress',
      expected: 'there once',
    })
    expect(failure(() => parseBlock(ionString('block')))?.code).toBe('BLOCK_MALFORMED')
  })
})

describe('parseRevision', () => {
  const list = fieldOf(valueAt(1), 'revisions') as IonSequence
  const value = list.values[0] as IonStruct

  it('tells the kinds apart', () => {
    const dataHash = ionBlob(h('d'))
    expect(parseRevision(value).kind).toBe('data')
    expect(parseRevision(withFields(value, { data: undefined })).kind).toBe('deletion')
    expect(parseRevision(withFields(value, { data: undefined, dataHash })).kind).toBe('redacted')
    expect(parseRevision(ionRecord({ hash: dataHash }))).toEqual({ kind: 'hashOnly', hash: h('d') })
  })

  it.each<[string, string, Record<string, IonValue | undefined>]>([
    ['data beside its hash', 'revision.dataHash', { dataHash: ionBlob(h('d')) }],
    ['data that is no struct', 'revision.data', { data: ionInt(1) }],
    ['a hash with data and no metadata', 'revision.metadata', { metadata: undefined }],
    ['no hash', 'revision.hash', { hash: undefined }],
    [
      'a fifth field of metadata',
      'revision.metadata.more',
      {
        metadata: withFields(fieldOf(value, 'metadata') as IonStruct, { more: ionInt(1) }),
      },
    ],
    [
      'metadata without transaction',
      'revision.metadata.txId',
      {
        metadata: withFields(fieldOf(value, 'metadata') as IonStruct, { txId: undefined }),
      },
    ],
  ])('refuses %s', (_name, path, change) => {
    const found = failure(() => parseRevision(withFields(value, change)))
    expect(found).toMatchObject({ code: 'REVISION_MALFORMED', path })
  })

  it('reads addresses and proofs as the API gives them', () => {
    expect(parseBlockAddress(address(21))).toEqual({ strandId, sequenceNo: 21 })
    expect(failure(() => parseBlockAddress(ionInt(1)))?.code).toBe('ADDRESS_MALFORMED')
    expect(parseProof(ionList([ionBlob(h('a'))]))).toEqual([h('a')])
    expect(failure(() => parseProof(ionList([ionBlob(emptyBytes)])))).toMatchObject({
      code: 'PROOF_MALFORMED',
      path: 'proof[0]',
    })
  })
})

describe('verifyBlockContent, strict', () => {
  const check = (value: IonStruct, options: Partial<BlockContentOptions> = {}) =>
    failure(() => verifyBlockContent(parseBlock(value), { strict: true, ...options }))

  it('accepts every native block, with catalog information and redaction too', () => {
    for (const value of values) expect(check(value)).toBeUndefined()
    const catalogInfoHash = h('catalog')
    const full = buildBlock({
      sequenceNo: 4,
      previousBlockHash: h('p'),
      revisions: [
        { id: 'a', data: ionRecord({}) },
        { id: 'b', dataHash: h('gone') },
        { id: 'c', version: 7 },
      ],
      catalogInfoHash,
      redaction: { sequenceNo: 1, id: 'x' },
    })
    const content = verifyBlockContent(parseBlock(full), { strict: true, catalogInfoHash })
    expect(content.header.items.map((item) => item.role)).toEqual([
      'transactionInfo',
      'revisionsRoot',
      'redactionInfo',
      'catalogInfo',
    ])
    expect(check(full)).toBeUndefined()
    expect(check(full, { catalogInfoHash: 'none' })?.code).toBe('CATALOG_INFO_MISMATCH')
    expect(check(full, { catalogInfoHash: h('other') })?.code).toBe('CATALOG_INFO_MISMATCH')
    expect(check(valueAt(1), { catalogInfoHash })?.code).toBe('CATALOG_INFO_MISMATCH')
    expect(check(valueAt(1), { catalogInfoHash: 'none' })).toBeUndefined()
  })

  it('notices each single value that is changed', () => {
    const redacting = buildBlock({
      sequenceNo: 4,
      previousBlockHash: h('p'),
      revisions: [
        { id: 'b', dataHash: h('gone') },
        { id: 'c', version: 7 },
      ],
      statements: [['DELETE', h('parameter')]],
      catalogInfoHash: h('catalog'),
      redaction: { sequenceNo: 1, id: 'x' },
    })
    for (const value of [valueAt(0), valueAt(5), redacting]) {
      const count = changeScalar(value, -1).count
      expect(count).toBeGreaterThan(6)
      for (let i = 0; i < count; i++) {
        expect(check(changeScalar(value, i).value as IonStruct), `value ${i}`).toBeDefined()
      }
    }
  })

  it('keeps its hashes when data is redacted', () => {
    const plan = { sequenceNo: 4, previousBlockHash: h('p') }
    const data = ionRecord({ secret: ionString('s') })
    const before = parseBlock(buildBlock({ ...plan, revisions: [{ id: 'a', data }] }))
    const after = parseBlock(
      buildBlock({ ...plan, revisions: [{ id: 'a', dataHash: hashIon(data) }] }),
    )
    expect(after.revisions[0]?.kind).toBe('redacted')
    const entryOf = (block: Block) => verifyBlockContent(block, { strict: true }).entry
    expect(entryOf(after)).toEqual(entryOf(before))
  })

  it('refuses stated hashes that do not follow', () => {
    expect(check(withFields(valueAt(1), { blockHash: ionBlob(h('x')) }))?.code).toBe(
      'BLOCK_HASH_MISMATCH',
    )
    expect(check(withFields(valueAt(1), { entriesHash: ionBlob(h('x')) }))?.code).toBe(
      'ENTRIES_HASH_MISMATCH',
    )
    const other = fieldOf(valueAt(2), 'transactionInfo') as IonValue
    expect(check(withFields(valueAt(1), { transactionInfo: other }))).toMatchObject({
      code: 'ITEM_MISSING',
      role: 'transactionInfo',
    })
    expect(check(withFields(valueAt(5), { revisions: undefined }))?.code).toBe('HEADER_MISMATCH')
  })

  it('refuses items out of order, left out or added', () => {
    const swapped = withList(valueAt(1), ([a, b, ...rest]) => [
      b as Uint8Array,
      a as Uint8Array,
      ...rest,
    ])
    expect(check(swapped)).toMatchObject({ code: 'ITEM_ORDER', role: 'transactionInfo' })
    expect(check(withList(valueAt(1), (list) => list.slice(0, -1)))?.code).toBe('HEADER_MISMATCH')
    expect(check(withList(valueAt(1), (list) => [...list, h('x')]))?.code).toBe('HEADER_MISMATCH')
    expect(check(withList(valueAt(1), (list) => [...list, h('x'), h('y')]))).toMatchObject({
      code: 'ITEM_UNEXPLAINED',
      position: 3,
    })
    // In the place of the catalog item, and yet not in the header.
    const inserted = withList(valueAt(1), (list) => [
      ...list.slice(0, -1),
      h('x'),
      ...list.slice(-1),
    ])
    expect(check(inserted)?.code).toBe('HEADER_MISMATCH')
  })

  it('refuses revisions that belong elsewhere or say nothing', () => {
    const foreign = buildBlock({
      sequenceNo: 1,
      previousBlockHash: h('p'),
      revisions: [{ id: 'a', data: ionRecord({}) }],
    })
    expect(check(withFields(foreign, { blockAddress: address(2) }))?.code).toBe('ADDRESS_MISMATCH')
    expect(check(withFields(foreign, { transactionId: ionString('other') }))?.code).toBe(
      'TRANSACTION_MISMATCH',
    )
    const { hash } = parseBlock(foreign).revisions[0] as { hash: Uint8Array }
    const opaque = withFields(foreign, {
      revisions: ionList([ionRecord({ hash: ionBlob(hash) })]),
    })
    expect(check(opaque)?.code).toBe('REVISION_OPAQUE')
    expect(failure(() => verifyBlockContent(parseBlock(opaque), { strict: false }))).toBeUndefined()
  })

  it('refuses a document of no table, annotated data and other forms of time', () => {
    const info = fieldOf(valueAt(1), 'transactionInfo') as IonStruct
    const bare = withFields(info, { documents: undefined })
    const noTable = withList(withFields(valueAt(1), { transactionInfo: bare }), ([, ...rest]) => [
      hashIon(bare),
      ...rest,
    ])
    expect(check(noTable)).toMatchObject({
      code: 'TABLE_UNKNOWN',
      documentId: 'CairnTestDoc0000000010',
    })
    const annotated = buildBlock({
      sequenceNo: 1,
      previousBlockHash: h('p'),
      revisions: [{ id: 'a', data: ionStruct([], ['note']) }],
    })
    expect(check(annotated)?.code).toBe('DATA_ANNOTATED')
    const time = blockAt(1).blockTimestamp
    for (const change of [
      { offsetMinutes: undefined },
      { offsetMinutes: 60 },
      { fractionDigits: 6 },
    ]) {
      const changed = withFields(valueAt(1), { blockTimestamp: { ...time, ...change } })
      expect(check(changed)).toMatchObject({ code: 'TIME_FORM', path: 'blockTimestamp' })
    }
  })

  it('refuses what has no canonical bytes', () => {
    const long = withFields(valueAt(0), { transactionId: ionString('x'.repeat(256)) })
    expect(check(long)?.code).toBe('BLOCK_MALFORMED')
  })

  it('names the block and both hashes', () => {
    const changed = parseBlock(withFields(valueAt(1), { blockHash: ionBlob(new Uint8Array(32)) }))
    expect(() => verifyBlockContent(changed, { strict: true })).toThrow(
      [
        'Block 1 of strand CairnTestStrand0000001: ' +
          'blockHash is not entriesHash joined with previousBlockHash.',
        'Stated: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
        'Computed: mLfK2YPgbtkVrhXFCrJ1ti8DzENzrmTyBLPRBua0+PQ=',
      ].join('\n'),
    )
  })
})

describe('imported blocks', () => {
  it('may hold opaque items, and say the time as they have it', () => {
    const value = buildBlock({
      sequenceNo: 3,
      previousBlockHash: h('p'),
      revisions: [{ id: 'a', data: ionRecord({}) }],
      opaque: [h('o'), h('o')],
      isNative: false,
    })
    const time = parseBlock(value).blockTimestamp
    const unknownOffset = withFields(value, {
      blockTimestamp: { ...time, offsetMinutes: undefined },
    })
    const { header, form } = verifyBlockContent(parseBlock(unknownOffset), { strict: false })
    expect(form).toBe('imported')
    expect(header.items.map((item) => item.role)).toEqual([
      'opaque',
      'opaque',
      'transactionInfo',
      'revisionsRoot',
    ])
    expect(header.blockTimestamp).toBe('2026-01-01T00:00:03.000-00:00')
  })
})

describe('a chain', () => {
  it('holds from block to block', () => {
    expect(failure(() => verifyChain(undefined, blockAt(0)))).toBeUndefined()
    for (let i = 1; i < 7; i++) {
      expect(failure(() => verifyChain(blockAt(i - 1), blockAt(i)))).toBeUndefined()
    }
  })

  it('is broken by a block left out, changed, or of another strand', () => {
    expect(failure(() => verifyChain(undefined, blockAt(1)))).toMatchObject({
      code: 'SEQUENCE_MISMATCH',
      expected: 0,
    })
    expect(failure(() => verifyChain(blockAt(1), blockAt(3)))).toMatchObject({
      code: 'SEQUENCE_MISMATCH',
      expected: 2,
    })
    const other = { ...blockAt(1), blockHash: h('other') }
    expect(failure(() => verifyChain(other, blockAt(2)))?.code).toBe('CHAIN_BROKEN')
    const strand = { ...blockAt(1), blockAddress: { strandId: 'other', sequenceNo: 1 } }
    expect(failure(() => verifyChain(strand, blockAt(2)))?.code).toBe('STRAND_MISMATCH')
    const late = { ...blockAt(0), previousBlockHash: h('before') }
    expect(failure(() => verifyChain(undefined, late))?.code).toBe('CHAIN_BROKEN')
  })
})

describe('a replay', () => {
  it('stands still on a bad block and goes on with the right one', () => {
    const replay = createLedgerReplay({ strandId })
    replay.add(blockAt(0))
    const [digest, root] = [replay.digest(), replay.tlogRoot()]
    const bad = parseBlock(withFields(valueAt(1), { blockHash: ionBlob(h('x')) }))
    expect(failure(() => replay.add(bad))?.code).toBe('BLOCK_HASH_MISMATCH')
    expect(failure(() => replay.add(blockAt(2)))?.code).toBe('SEQUENCE_MISMATCH')
    expect([replay.digest(), replay.tlogRoot(), replay.blockCount]).toEqual([digest, root, 1])
    replay.add(blockAt(1))
    expect(replay.tip).toEqual({ strandId, sequenceNo: 1 })
  })

  it('refuses another strand from the first block on', () => {
    const replay = createLedgerReplay({ strandId: 'another' })
    expect(failure(() => replay.add(blockAt(0)))?.code).toBe('STRAND_MISMATCH')
    expect(replay.tip).toBeUndefined()
    expect(replay.digest()).toEqual(emptyBytes)
  })

  it('takes native blocks behind imported ones', () => {
    const mixed = buildChain([{ isNative: false }, { isNative: false }, {}, {}]).map(parseBlock)
    const replay = createLedgerReplay({ importedBlockCount: 2 })
    expect(mixed.map((block) => replay.add(block).form)).toEqual([
      'imported',
      'imported',
      'native',
      'native',
    ])
    const tooFew = createLedgerReplay({ importedBlockCount: 1 })
    tooFew.add(mixed[0] as Block)
    expect(failure(() => tooFew.add(mixed[1] as Block))?.code).toBe('HEADER_MISMATCH')
  })
})

/** `value` with its scalar number `target` changed, and how many scalars it has. */
function changeScalar(value: IonValue, target: number): { value: IonValue; count: number } {
  let count = 0
  const visit = (part: IonValue): IonValue => {
    if (part.type === 'struct') {
      const fields = part.fields.map((field) => ({ name: field.name, value: visit(field.value) }))
      return { ...part, fields }
    }
    if (part.type === 'list') return { ...part, values: part.values.map(visit) }
    if (count++ !== target) return part
    switch (part.type) {
      case 'string':
        return ionString(`${part.value}x`)
      case 'int':
        return ionInt(Number(part.value) + 1)
      case 'timestamp':
        return { ...part, fractionCoefficient: part.fractionCoefficient + 1n }
      case 'blob':
        return ionBlob(part.value.length > 0 ? part.value.map((byte) => byte ^ 1) : h('some'))
      default:
        throw new Error(`no block has a ${part.type} here`)
    }
  }
  const changed = visit(value)
  return { value: changed, count }
}
