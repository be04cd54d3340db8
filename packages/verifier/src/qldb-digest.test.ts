import { equalBytes, sha256, utf8 } from '@cairn/core'
import { hashIon, type IonStruct, ionInt, ionRecord, ionString } from '@cairn/ion'
import { foldProof, ProofError } from '@cairn/merkle'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BlockPlan, buildChain, treeOf } from '../test/blocks.ts'
import { type Block, type DocumentRevision, parseBlock, type Revision } from './block.ts'
import { verifyBlockContent } from './block-content.ts'
import { VerificationError } from './errors.ts'
import { verifyBlock, verifyRevision } from './qldb-digest.ts'
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

/** Forty blocks with none to five revisions, some with catalog items or redactions, and deletions among them. */
const blockCount = 40
const plans = Array.from({ length: blockCount }, (_, i): Omit<BlockPlan, 'sequenceNo'> => {
  const revisions = Array.from({ length: (i * 7) % 6 }, (_, j) => {
    const id = `CairnTestDoc${String(i).padStart(5, '0')}${String(j).padStart(5, '0')}`
    const data = ionRecord({ n: ionInt(100 * i + j), text: ionString(`document ${j}`) })
    if ((i + j) % 11 === 3) return { id, version: 2 }
    return (i + j) % 9 === 4 ? { id, dataHash: hashIon(data) } : { id, data }
  })
  return {
    revisions,
    statements: [[`STATEMENT ${i}`]],
    ...(i % 5 === 2 && { catalogInfoHash: sha256(utf8(`catalog ${i}`)) }),
    ...(i % 8 === 6 && { redaction: { sequenceNo: i - 1, id: 'x' } }),
  }
})
const blocks = buildChain(plans).map(parseBlock)
const tree = treeOf(blocks)
const blockAt = (i: number) => blocks[i] as Block

function tipAt(sequenceNo: number) {
  return { ...blockAt(0).blockAddress, sequenceNo }
}

function proofOfRevision(i: number, position: number, tip: number): Uint8Array[] {
  return [...revisionProof(blockAt(i), position), ...tree.inclusionProof(i, tip + 1)]
}

describe('proofs built by the server side', () => {
  it('verify strictly for each block and revision at every third tip', () => {
    let count = 0
    for (let tip = 0; tip < blockCount; tip += 3) {
      const target = { digest: tree.root(tip + 1), tip: tipAt(tip) }
      for (let i = 0; i <= tip; i++) {
        const block = blockAt(i)
        const proof = tree.inclusionProof(i, tip + 1)
        expect(verifyBlock({ block, proof, ...target }).grade).toBe('qldb-strict')
        for (const [position, revision] of block.revisions.entries()) {
          const revisionPath = proofOfRevision(i, position, tip)
          expect(foldProof(revision.hash, revisionPath)).toEqual(target.digest)
          const found = verifyRevision({ revision, proof: revisionPath, block, ...target })
          expect(found).toMatchObject({ grade: 'qldb-strict', kind: revision.kind, position })
          count++
        }
      }
    }
    expect(count).toBeGreaterThan(500)
  })

  it('go without a previous hash in block 0', () => {
    const [first] = buildChain([{ revisions: [{ id: 'a', data: ionRecord({}) }] }]).map(parseBlock)
    const block = first as Block
    const revision = block.revisions[0] as Revision
    const proof = revisionProof(block, 0)
    expect(proof).toHaveLength(2)
    const target = { digest: block.blockHash, tip: block.blockAddress }
    expect(verifyRevision({ revision, proof, block, ...target }).grade).toBe('qldb-strict')
  })

  it('are refused for a revision that the block does not have', () => {
    expect(() => revisionProof(blockAt(5), 99)).toThrow(ProofError)
    expect(() => revisionProof(blockAt(0), 0)).toThrow(ProofError)
  })
})

describe('a check against a digest', () => {
  const withRevisions = blocks.filter((block) => block.revisions.length > 0)
  const choice = fc
    .record({
      block: fc.constantFrom(...withRevisions),
      pick: fc.nat(),
      late: fc.nat(),
      bit: fc.nat(255),
    })
    .map(({ block, pick, late, bit }) => {
      const i = block.blockAddress.sequenceNo
      const position = pick % block.revisions.length
      const tip = i + (late % (blockCount - i))
      const revision = block.revisions[position] as DocumentRevision
      const proof = proofOfRevision(i, position, tip)
      return { block, revision, proof, digest: tree.root(tip + 1), tip: tipAt(tip), pick, bit }
    })

  it('notices one flipped bit, a hash more, less or elsewhere', () => {
    fc.assert(
      fc.property(choice, ({ pick, bit, ...given }) => {
        const { proof, block, revision, digest } = given
        const at = pick % proof.length
        const flip = (hash: Uint8Array) =>
          hash.map((byte, j) => (j === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
        const flipped = proof.map((hash, i) => (i === at ? flip(hash) : hash))
        const { block: _, ...folded } = given
        for (const check of [given, folded]) {
          expect(codeOf(() => verifyRevision(check))).toBeUndefined()
          expect(codeOf(() => verifyRevision({ ...check, proof: flipped }))).toMatch(/MISMATCH/)
          expect(codeOf(() => verifyRevision({ ...check, proof: proof.slice(1) }))).toBeDefined()
          expect(
            codeOf(() => verifyRevision({ ...check, proof: [...proof, digest] })),
          ).toBeDefined()
          expect(codeOf(() => verifyRevision({ ...check, digest: flip(digest) }))).toBe(
            'QLDB_DIGEST_MISMATCH',
          )
          expect(
            codeOf(() =>
              verifyRevision({ ...check, revision: { ...revision, hash: flip(digest) } }),
            ),
          ).toBe('REVISION_HASH_MISMATCH')
        }
        const next = (at + 1) % proof.length
        const swapped = [...proof]
        swapped[at] = proof[next] as Uint8Array
        swapped[next] = proof[at] as Uint8Array
        if (!equalBytes(swapped[at] as Uint8Array, swapped[next] as Uint8Array)) {
          expect(codeOf(() => verifyRevision({ ...given, proof: swapped }))).toMatch(/MISMATCH/)
        }
        const other = blockAt((block.blockAddress.sequenceNo + 1) % blockCount)
        expect(codeOf(() => verifyRevision({ ...given, block: other }))).toBe('ADDRESS_MISMATCH')
      }),
    )
  })

  it('asks for the proof of the revision at its own position', () => {
    const block = withRevisions.find(({ revisions }) => revisions.length === 5) as Block
    const i = block.blockAddress.sequenceNo
    const target = { block, digest: tree.root(), tip: tipAt(blockCount - 1) }
    for (const [position, revision] of block.revisions.entries()) {
      for (let other = 0; other < 5; other++) {
        const proof = proofOfRevision(i, other, blockCount - 1)
        const code = codeOf(() => verifyRevision({ ...target, revision, proof }))
        expect(code === undefined).toBe(other === position)
      }
    }
  })

  it('names the part of the block that a proof of the right length misses', () => {
    const block = withRevisions.find(({ revisions }) => revisions.length > 1) as Block
    const i = block.blockAddress.sequenceNo
    const revision = block.revisions[0] as Revision
    const proof = proofOfRevision(i, 0, blockCount - 1)
    const target = { block, revision, digest: tree.root(), tip: tipAt(blockCount - 1) }
    const wrong = sha256(utf8('wrong'))
    const partOf = (at: number) => {
      try {
        verifyRevision({ ...target, proof: proof.map((hash, k) => (k === at ? wrong : hash)) })
      } catch (error) {
        const { data } = error as VerificationError
        return data.code === 'PROOF_MISMATCH' ? data.part : data.code
      }
      return undefined
    }
    const inBlock = revisionProof(block, 0).length
    expect(partOf(0)).toBe('revisionsRoot')
    expect(partOf(inBlock - 2)).toBe('entriesHash')
    expect(partOf(inBlock - 1)).toBe('previousBlockHash')
    expect(partOf(inBlock)).toBe('QLDB_DIGEST_MISMATCH')
  })

  it('takes the header of a receipt only when it is the block\u2019s own', () => {
    const block = withRevisions[0] as Block
    const other = withRevisions[1] as Block
    const i = block.blockAddress.sequenceNo
    const parameters = {
      block,
      revision: block.revisions[0] as Revision,
      proof: proofOfRevision(i, 0, blockCount - 1),
      digest: tree.root(),
      tip: tipAt(blockCount - 1),
    }
    const headerOf = (b: Block) => verifyBlockContent(b, { strict: true }).headerBytes
    expect(verifyRevision({ ...parameters, header: headerOf(block) }).grade).toBe('qldb-strict')
    expect(codeOf(() => verifyRevision({ ...parameters, header: headerOf(other) }))).toBe(
      'HEADER_MISMATCH',
    )
  })

  it('refuses tips that cannot be, and proofs that are none', () => {
    const block = blockAt(3)
    const proof = tree.inclusionProof(3)
    const target = { block, proof, digest: tree.root() }
    const tip = tipAt(blockCount - 1)
    expect(codeOf(() => verifyBlock({ ...target, tip: { ...tip, strandId: 'other' } }))).toBe(
      'STRAND_MISMATCH',
    )
    expect(codeOf(() => verifyBlock({ ...target, tip: tipAt(2) }))).toBe('INDEX_OUT_OF_RANGE')
    expect(codeOf(() => verifyBlock({ ...target, tip: tipAt(2 ** 53 - 1) }))).toBe(
      'ADDRESS_MALFORMED',
    )
    const short = proof.map((hash) => hash.subarray(1))
    for (const strict of [true, false]) {
      expect(codeOf(() => verifyBlock({ ...target, tip, proof: short, strict }))).toBe(
        'PROOF_MALFORMED',
      )
    }
    expect(codeOf(() => verifyBlock({ ...target, tip, proof: [] }))).toBe('PROOF_LENGTH')
    expect(codeOf(() => verifyBlock({ ...target, tip, proof: [], strict: false }))).toBe(
      'QLDB_DIGEST_MISMATCH',
    )
  })

  it('says nothing about a revision of which only the hash is known', () => {
    const revision: Revision = { kind: 'hashOnly', hash: blockAt(0).blockHash }
    const target = { proof: tree.inclusionProof(0), digest: tree.root(), tip: tipAt(39) }
    expect(codeOf(() => verifyRevision({ ...target, revision }))).toBe('REVISION_MALFORMED')
  })
})

it('shows a redacted revision to be the one that had data', () => {
  const data: IonStruct = ionRecord({ secret: ionString('s') })
  const revisionsOf = (plan: NonNullable<BlockPlan['revisions']>[number]) =>
    buildChain([{}, { revisions: [plan] }]).map(parseBlock)
  const before = revisionsOf({ id: 'a', data })
  const after = revisionsOf({ id: 'a', dataHash: hashIon(data) })
  const digest = treeOf(before).root()
  expect(treeOf(after).root()).toEqual(digest)
  const block = after[1] as Block
  const proof = [...revisionProof(block, 0), ...treeOf(after).inclusionProof(1)]
  for (const [chain, kind] of [
    [before, 'data'],
    [after, 'redacted'],
  ] as const) {
    const revision = chain[1]?.revisions[0] as Revision
    const found = verifyRevision({ revision, proof, digest, tip: block.blockAddress, block })
    expect(found).toMatchObject({ grade: 'qldb-strict', kind })
  }
})
