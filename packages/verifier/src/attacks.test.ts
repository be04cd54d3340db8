/** The forgeries of trust 1: each passes a bare fold, and a strict check of the same digest refuses it. */
import { emptyBytes, sha256, utf8 } from '@cairn/core'
import {
  hashIon,
  type IonStruct,
  type IonValue,
  ionBlob,
  ionInt,
  ionList,
  ionRecord,
  ionString,
  ionTimestampFromMs,
} from '@cairn/ion'
import {
  createMemoryNodeStore,
  dot,
  foldProof,
  MerkleTree,
  merkleRoot,
  qldbHasher,
  rootFromInclusion,
  rootsFromConsistency,
  tlogHasher,
} from '@cairn/merkle'
import { describe, expect, it } from 'vitest'
import {
  address,
  type BlockPlan,
  buildBlock,
  buildChain,
  buildVectorLedger,
  treeOf,
  withFields,
} from '../test/blocks.ts'
import { type Block, type DocumentRevision, parseBlock, parseRevision } from './block.ts'
import { VerificationError } from './errors.ts'
import { verifyBlock, verifyRevision } from './qldb-digest.ts'
import { createLedgerReplay } from './replay.ts'
import { revisionProof } from './revision-proof.ts'

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof VerificationError) return error.code
    throw error
  }
}

/** A ledger with its newest digest, and proofs from it. */
function openLedger(values: readonly IonStruct[]) {
  const blocks = values.map(parseBlock)
  const tree = treeOf(blocks)
  const tip = (blocks.at(-1) as Block).blockAddress
  const digest = tree.root()
  const block = (i: number) => blocks[i] as Block
  return {
    tip,
    digest,
    tree,
    block,
    values,
    revision: (i: number, position = 0) => block(i).revisions[position] as DocumentRevision,
    proofOfBlock: (i: number) => tree.inclusionProof(i),
    proofOfRevision: (i: number, position = 0) => [
      ...revisionProof(block(i), position),
      ...tree.inclusionProof(i),
    ],
  }
}

const ledger = openLedger(buildVectorLedger())
const { digest, tip } = ledger

describe('A1: an inner node shown as a leaf', () => {
  const proof = ledger.proofOfBlock(5)
  const inner = dot(ledger.block(5).blockHash, proof[0] as Uint8Array)

  it('passes a fold', () => {
    expect(foldProof(inner, proof.slice(1))).toEqual(digest)
  })

  it('is no block and has no proof of the right length', () => {
    const forged: Block = { ...ledger.block(5), blockHash: inner }
    const check = (block: Block) => () => verifyBlock({ block, proof: proof.slice(1), digest, tip })
    expect(codeOf(check(forged))).toBe('BLOCK_HASH_MISMATCH')
    expect(codeOf(check(ledger.block(5)))).toBe('PROOF_LENGTH')
    expect(() => rootFromInclusion(qldbHasher, inner, 5, 7, proof.slice(1))).toThrow()
  })
})

describe('A2: an insert shown as a deletion', () => {
  const revision = ledger.revision(3)
  const metadataHash = hashIon(revision.metadata.ion)
  const deletion: DocumentRevision = {
    kind: 'deletion',
    blockAddress: revision.blockAddress,
    metadata: revision.metadata,
    hash: metadataHash,
  }
  const dataHash = revision.kind === 'data' ? hashIon(revision.data) : emptyBytes
  const proof = [dataHash, ...ledger.proofOfRevision(3)]

  it('passes a fold', () => {
    const found = verifyRevision({ revision: deletion, proof, digest, tip })
    expect(found).toMatchObject({ grade: 'qldb-folded', kind: 'deletion', position: undefined })
  })

  it('is not in the block', () => {
    const block = ledger.block(3)
    expect(codeOf(() => verifyRevision({ revision: deletion, proof, digest, tip, block }))).toBe(
      'REVISION_NOT_IN_BLOCK',
    )
  })
})

describe('A3: a document inserted to be read as the metadata of another', () => {
  const forgedMetadata = ionRecord({
    id: ionString('CairnTestVictim0000001'),
    version: ionInt(9),
    txTime: ionTimestampFromMs(Date.UTC(2026, 0, 1)),
    txId: ionString('CairnTestTxn0000000001'),
  })
  const planted = openLedger(
    buildChain([
      {},
      { revisions: [{ id: 'CairnTestDoc0000000001', data: forgedMetadata }] },
      { revisions: [{ id: 'CairnTestDoc0000000002', data: ionRecord({ n: ionInt(2) }) }] },
    ]),
  )
  const truth = planted.revision(1)
  const block = planted.block(1)
  const proof = planted.proofOfRevision(1)
  const parameters = { proof, digest: planted.digest, tip: planted.tip }
  const trueMetadataHash = hashIon(truth.metadata.ion)
  const forgeries: [string, IonStruct, Uint8Array[]][] = [
    [
      'a revision of the victim',
      ionRecord({
        blockAddress: address(1),
        hash: ionBlob(truth.hash),
        data: truth.metadata.ion,
        metadata: forgedMetadata,
      }),
      proof,
    ],
    [
      'a redacted revision of the victim',
      ionRecord({
        blockAddress: address(1),
        hash: ionBlob(truth.hash),
        dataHash: ionBlob(trueMetadataHash),
        metadata: forgedMetadata,
      }),
      proof,
    ],
    [
      'a deletion of the victim',
      ionRecord({
        blockAddress: address(1),
        hash: ionBlob(hashIon(forgedMetadata)),
        metadata: forgedMetadata,
      }),
      [trueMetadataHash, ...proof],
    ],
  ]

  it.each(forgeries)('passes a fold as %s and is not in the block', (_name, value, forgedProof) => {
    const revision = parseRevision(value)
    const folded = verifyRevision({ ...parameters, revision, proof: forgedProof })
    expect(folded).toMatchObject({ grade: 'qldb-folded', documentId: 'CairnTestVictim0000001' })
    expect(
      codeOf(() => verifyRevision({ ...parameters, revision, proof: forgedProof, block })),
    ).toBe('REVISION_NOT_IN_BLOCK')
  })

  it('leaves the document itself provable', () => {
    expect(verifyRevision({ ...parameters, revision: truth, block })).toMatchObject({
      grade: 'qldb-strict',
      documentId: 'CairnTestDoc0000000001',
      position: 0,
    })
  })
})

/** Contents of blocks that no hash ties to a place: QLDB's items only, and no revisions. */
function unbound(text: string): Omit<BlockPlan, 'sequenceNo'> {
  return { isNative: false, timeMs: Date.UTC(2026, 0, 1), statements: [[text]] }
}

describe('A4: another position', () => {
  it('passes a fold, and in a native block no check', () => {
    const loose = openLedger(buildChain(['a', 'b', 'c', 'd'].map(unbound)))
    const moved = parseBlock(withFields(loose.values[1] as IonStruct, { blockAddress: address(2) }))
    const place = { proof: loose.proofOfBlock(1), digest: loose.digest, tip: loose.tip }
    expect(verifyBlock({ block: moved, ...place, strict: false }).grade).toBe('qldb-folded')
    expect(() => createLedgerReplay({ importedBlockCount: 9 }).add(moved)).toThrow()

    const native = openLedger(buildChain([{}, {}, {}, {}]))
    const movedNative = withFields(native.values[1] as IonStruct, { blockAddress: address(2) })
    const parameters = { proof: native.proofOfBlock(1), digest: native.digest, tip: native.tip }
    expect(codeOf(() => verifyBlock({ block: parseBlock(movedNative), ...parameters }))).toBe(
      'HEADER_MISMATCH',
    )
  })
})

describe('A5: two whole ledgers with one digest', () => {
  const replayOf = (values: readonly IonStruct[], importedBlockCount: number) => {
    const replay = createLedgerReplay({ importedBlockCount })
    for (const value of values) replay.add(parseBlock(value))
    return replay
  }

  it('pass a replay by the rules of QLDB, and have two tlog roots', () => {
    const one = replayOf(buildChain(['X', 'Y', 'Y'].map(unbound)), 3)
    const other = replayOf(buildChain(['Y', 'X', 'X'].map(unbound)), 3)
    expect(one.digest()).toEqual(other.digest())
    expect(one.tlogRoot()).not.toEqual(other.tlogRoot())
  })

  it('have two digests when blocks carry their header', () => {
    const native = (text: string) => ({ ...unbound(text), isNative: true })
    const one = replayOf(buildChain(['X', 'Y', 'Y'].map(native)), 0)
    const other = replayOf(buildChain(['Y', 'X', 'X'].map(native)), 0)
    expect(one.digest()).not.toEqual(other.digest())
  })
})

describe('A6: another address, transaction or time', () => {
  const changes: Record<string, Record<string, IonValue>> = {
    strandId: {
      blockAddress: ionRecord({
        strandId: ionString('CairnTestStrand0000002'),
        sequenceNo: ionInt(1),
      }),
    },
    transactionId: { transactionId: ionString('CairnTestTxn0000000099') },
    blockTimestamp: { blockTimestamp: ionTimestampFromMs(0) },
  }
  const check = (values: IonStruct[], change: Record<string, IonValue>, strict: boolean) => {
    const { tree, tip: lastTip, digest: lastDigest } = openLedger(values)
    const block = parseBlock(withFields(values[1] as IonStruct, change))
    // Whoever shows another strand shows a tip of that strand.
    const shownTip = { ...lastTip, strandId: block.blockAddress.strandId }
    return () =>
      verifyBlock({
        block,
        proof: tree.inclusionProof(1),
        digest: lastDigest,
        tip: shownTip,
        strict,
      })
  }

  it.each(Object.entries(changes))('%s: passes a fold, and no header', (_name, change) => {
    const loose = buildChain(['a', 'b', 'c'].map(unbound))
    expect(check(loose, change, false)().grade).toBe('qldb-folded')
    const native = buildChain(['a', 'b', 'c'].map((s) => ({ ...unbound(s), isNative: true })))
    expect(codeOf(check(native, change, true))).toBe('HEADER_MISMATCH')
    expect(check(native, {}, true)().grade).toBe('qldb-strict')
  })
})

describe('A7: entriesHash and previousBlockHash exchanged', () => {
  /** Block 1 with the content of block 0 and what was its own entriesHash before it. */
  const exchange = (values: readonly IonStruct[]) => {
    const [first, second] = values.slice(0, 2).map(parseBlock) as [Block, Block]
    return parseBlock(
      withFields(values[1] as IonStruct, {
        entriesHash: ionBlob(second.previousBlockHash),
        previousBlockHash: ionBlob(second.entriesHash),
        entriesHashList: ionList(first.entriesHashList.map((hash) => ionBlob(hash))),
        transactionInfo: first.transactionInfo.ion,
        revisions: undefined,
      }),
    )
  }

  it('passes a fold, and no header', () => {
    const loose = openLedger(buildChain(['a', 'b', 'c'].map(unbound)))
    const forged = exchange(loose.values)
    expect(forged.transactionInfo).not.toEqual(loose.block(1).transactionInfo)
    expect(forged.blockHash).toEqual(loose.block(1).blockHash)
    const place = { proof: loose.proofOfBlock(1), digest: loose.digest, tip: loose.tip }
    expect(verifyBlock({ block: forged, ...place, strict: false }).grade).toBe('qldb-folded')

    const forgedNative = exchange(ledger.values)
    expect(
      codeOf(() =>
        verifyBlock({ block: forgedNative, proof: ledger.proofOfBlock(1), digest, tip }),
      ),
    ).toBe('HEADER_MISMATCH')
  })
})

describe('A8: another size for one digest', () => {
  const eight = openLedger(buildChain(Array.from({ length: 8 }, () => ({}))))

  it('passes a fold: eight blocks are four', () => {
    const pairs = [0, 2, 4, 6].map((i) =>
      dot(eight.block(i).blockHash, eight.block(i + 1).blockHash),
    )
    expect(merkleRoot(pairs)).toEqual(eight.digest)
  })

  it('fails a strict check, whose proof has the length of the tip it names', () => {
    const claim = { ...eight.tip, sequenceNo: 3 }
    const check = (tipOfCheck: typeof claim) => () =>
      verifyBlock({
        block: eight.block(1),
        proof: eight.proofOfBlock(1),
        digest: eight.digest,
        tip: tipOfCheck,
      })
    expect(check(eight.tip)().grade).toBe('qldb-strict')
    expect(codeOf(check(claim))).toBe('PROOF_LENGTH')
    expect(codeOf(check({ ...eight.tip, sequenceNo: 0 }))).toBe('INDEX_OUT_OF_RANGE')
  })

  it('lets new blocks stand before old ones in a consistency proof; RFC 6962 does not', () => {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => sha256(utf8(`${i}`))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    for (const [hasher, isFooled] of [
      [qldbHasher, true],
      [tlogHasher, false],
    ] as const) {
      const grow = (leaves: readonly Uint8Array[]) => {
        const tree = new MerkleTree(hasher, createMemoryNodeStore())
        for (const leaf of leaves) tree.append(leaf)
        return tree
      }
      const honest = grow([a, b, c, d])
      const old = grow([a, b]).root()
      const [, reached] = rootsFromConsistency(hasher, 2, 4, old, honest.consistencyProof(2))
      expect(reached).toEqual(honest.root())
      const forged = grow([c, d, a, b]).root()
      if (isFooled) expect(reached).toEqual(forged)
      else expect(reached).not.toEqual(forged)
    }
  })
})

it('builds what the tests forge from', () => {
  expect(parseBlock(buildBlock({ sequenceNo: 0 })).previousBlockHash).toEqual(emptyBytes)
})
