import { readFileSync } from 'node:fs'
import { fromBase64, toBase64 } from '@cairn/core'
import {
  fieldOf,
  hashIon,
  type IonStruct,
  ionInt,
  ionList,
  ionString,
  ionTimestampFromMs,
  parseIonAll,
} from '@cairn/ion'
import {
  createMemoryNodeStore,
  decodeBlockEntry,
  dot,
  listProof,
  MerkleTree,
  qldbHasher,
  rootFromInclusion,
  tlogHasher,
} from '@cairn/merkle'
import { describe, expect, it } from 'vitest'
import { buildVectorLedger, treeOf, withFields } from '../test/blocks.ts'
import { type Block, parseBlock, parseRevision } from './block.ts'
import { type BlockContent, verifyBlockContent } from './block-content.ts'
import { computeBlockHash } from './block-hash.ts'
import { revisionHash, statementDigest, transactionDigest } from './hashes.ts'
import { createLedgerReplay } from './replay.ts'

// Generated once and then accepted by golang.org/x/mod/sumdb/tlog (trust 2.5).
const blockHashes = [
  '/hniqi7MXe60+zdY6oWTOX1sx2dh2J5liG3JBZ6ix94=',
  'mLfK2YPgbtkVrhXFCrJ1ti8DzENzrmTyBLPRBua0+PQ=',
  'JAUdtcZEp1vgAjksk4Fy2n7ENXFxNKrNEoPy4urAXzU=',
  'XF3XMJ+n4ghZ1vCSaMudy6oAapJnVRClF/71dlufXZw=',
  'vYDIAMKGHB9S7crGXMBqqoCqtCwbIf2UXY5lkUbA+/I=',
  'zaoAvsXKmc2/Sy4pw1w5b1rP70vqOnM2gQIeAbHNfB8=',
  'ZsK3+t6Tla13g6jtVX2V7pgye4kMDt5q+FTEPikcA5g=',
]
const leafHashes = [
  '3lhGArCZbJoftEUP6+MsC7/19BDR8medS6ddcF/U9ZY=',
  'nprsMroEuk8shz9dBiv5xojdt43K5bHc3H0Aqkw66xM=',
  'Sr0jIo4tupqiBjyLG2lNCtpgjSHs/NH4xrIfgmb1Dm4=',
  'ECnXg95Hx0ecgdRx90RUoniepN2YPklbs8N7Z2DL0wk=',
  'LU8uv+fP0PJndYSZ18bmPaqCHBJJUCpmVnaA1w4Ro6s=',
  'cly9rbdHRPxFuyy063bz7aWaNXN9IUoUMQ6ba6gsxro=',
  '8n38dD10jspho+T4QKuCBQxHq4XhVG/aDobyjN/aqkc=',
]
const entrySizes = [198, 263, 263, 263, 263, 263, 263]
const roots = {
  3: {
    qldb: 'J9j2nn1onibxV68cAFPswRDTZRKEdsMw4m96Ig/xaPM=',
    tlog: 'k31X3RTBML3BFxK1REM0dZJhH+t1cxEQrVxSQDFz9AM=',
  },
  4: {
    qldb: 'jaf6PqPTtoWPdqJ7WPiDdOA60FomeW5jRjlcR8+4nZE=',
    tlog: 'oR+9mTaO+qrEPo8GnZS49rqkF40ZSQOjNiaG/km3UF4=',
  },
  7: {
    qldb: 'fCPTUNFAiyX/5A6viIFhEW2fk6aEUCWaGk9bbvKR7nE=',
    tlog: 'R1FAiBcg4uds4CD4bLDsfutBe2dNfgchIekUgTVyjRc=',
  },
}
const q = {
  '4,5,6': 'GIY6Uv35UkLG4b1fPUDaPdDcreZhD9P7jjOBfuVlQXM=',
  '4,5': 'wSQpvWErKGYW+9U0Sn9RVzjO9MiT008OtBg/EklI9dg=',
  '0,1': 'DJzF6LLjsT2+1SKpwb21/ac7xNjKB7fqN0OgZn4091Y=',
}
const t = {
  '4,5': 'iSiQqXm9UpXbvD3u6dUy6tPwEVQ6xJl6Xq/7iysydHw=',
  '4,5,6': 'aWv7M+bIrkXMJMMuijSYCJ0CntabtLW4t9UVDbPPrTU=',
  '0,1': 'qltwrwhARQq1SufhmdHwUQAbBfXB0JJuiqoYrmM66o4=',
}

function toTexts(hashes: readonly Uint8Array[]): string[] {
  return hashes.map(toBase64)
}

describe('the vectors of trust 2.5', () => {
  const blocks = buildVectorLedger().map(parseBlock)
  const replay = createLedgerReplay()
  const contents = blocks.map((block) => replay.add(block, { catalogInfoHash: 'none' }))
  const block = (i: number) => blocks[i] as Block
  const content = (i: number) => contents[i] as BlockContent
  const qldbTree = treeOf(blocks)
  const tlogTree = new MerkleTree(tlogHasher, createMemoryNodeStore())
  for (const { leafHash } of contents) tlogTree.append(leafHash)

  it('hold for block hashes, leaf hashes and entry sizes', () => {
    expect(blocks.map((b) => toBase64(b.blockHash))).toEqual(blockHashes)
    expect(contents.map((c) => toBase64(c.leafHash))).toEqual(leafHashes)
    expect(contents.map((c) => c.entry.length)).toEqual(entrySizes)
    for (const c of contents) {
      expect(decodeBlockEntry(c.entry)).toEqual({
        header: c.headerBytes,
        form: 'native',
        blockHash: fromBase64(blockHashes[c.header.sequenceNo] as string),
        block: c.header,
      })
    }
  })

  it('hold for the roots at sizes 3, 4 and 7', () => {
    for (const size of [3, 4, 7] as const) {
      expect(toBase64(qldbTree.root(size))).toBe(roots[size].qldb)
      expect(toBase64(tlogTree.root(size))).toBe(roots[size].tlog)
      const part = createLedgerReplay()
      for (const b of blocks.slice(0, size)) part.add(b)
      expect(toBase64(part.digest())).toBe(roots[size].qldb)
      expect(toBase64(part.tlogRoot())).toBe(roots[size].tlog)
      expect(part.tip?.sequenceNo).toBe(size - 1)
    }
  })

  it('hold for inclusion and consistency proofs', () => {
    const [q2, q3, q4, q6] = [2, 3, 4, 6].map((i) => blockHashes[i] as string)
    const [t2, t3, t4, t6] = [2, 3, 4, 6].map((i) => leafHashes[i] as string)
    expect(toTexts(qldbTree.inclusionProof(5))).toEqual([q4, q6, roots[4].qldb])
    expect(toTexts(tlogTree.inclusionProof(5))).toEqual([t4, t6, roots[4].tlog])
    expect(toTexts(qldbTree.inclusionProof(6))).toEqual([q['4,5'], roots[4].qldb])
    expect(toTexts(tlogTree.inclusionProof(6))).toEqual([t['4,5'], roots[4].tlog])
    expect(toTexts(qldbTree.consistencyProof(3))).toEqual([q2, q3, q['0,1'], q['4,5,6']])
    expect(toTexts(tlogTree.consistencyProof(3))).toEqual([t2, t3, t['0,1'], t['4,5,6']])
    expect(toTexts(qldbTree.consistencyProof(4))).toEqual([q['4,5,6']])
    expect(toTexts(tlogTree.consistencyProof(4))).toEqual([t['4,5,6']])
    expect(toTexts(qldbTree.consistencyProof(6))).toEqual([q['4,5'], q6, roots[4].qldb])
    expect(toTexts(tlogTree.consistencyProof(6))).toEqual([t['4,5'], t6, roots[4].tlog])
  })

  it('hold within block 1', () => {
    const { hashes } = content(1)
    expect(toTexts(hashes.revisions[0]?.parts ?? [])).toEqual([
      'ffpkglAT/GONMCjOEKkyk+45Sk7elHB9Mjih9LT6BZQ=',
      'hDSgwgW1Qye5WMI26Gqlk0mkJn0QiJ0knkWwSW7F+XQ=',
    ])
    expect(toTexts(block(1).revisions.map((revision) => revision.hash))).toEqual([
      'Pgn6vop7R7o2Au77fpO9lD5FOVKQfQSaE+9iAJiXIkc=',
    ])
    expect(toTexts(block(1).entriesHashList)).toEqual([
      '2xMgCXbAyvCZrX3/G9PFDUXDcM496UuKIaGCh2t6f48=',
      'Pgn6vop7R7o2Au77fpO9lD5FOVKQfQSaE+9iAJiXIkc=',
      'QmuAUrkHlkMUOG3chkp9G70R/bcEhj9n99HEGVih1I4=',
    ])
  })

  it('hold for the revisions of block 5', () => {
    const { header, revisionLeafHashes } = content(5)
    const revisionsTree = 'N5bLGGA5Sp5K8yGoX8ZBMjAMFsFdSobv0k6W2W4GUw0='
    expect(toBase64(header.revisionsTree)).toBe(revisionsTree)
    const proof = listProof(revisionLeafHashes, 1, tlogHasher)
    expect(toTexts(proof)).toEqual([
      '/Adp+uaGfqlSkGKimnDxAzXUj95jz6YeAAZo9EmnL30=',
      'TACK67PXAVxgdaZj11C9SEmiKvPWdntIYcQS4k3p3W0=',
    ])
    const leaf = revisionLeafHashes[1] as Uint8Array
    expect(toBase64(rootFromInclusion(tlogHasher, leaf, 1, 3, proof))).toBe(revisionsTree)
  })

  it('join as the dot operator says', () => {
    const [q4, q5] = [4, 5].map((i) => fromBase64(blockHashes[i] as string))
    expect(toBase64(dot(q4 as Uint8Array, q5 as Uint8Array))).toBe(q['4,5'])
    expect(qldbHasher.node).toBe(dot)
  })
})

describe('commit digests captured from the driver, qldb-compat 1.5', () => {
  const id = '2UMpTNe0bEIBCHPo7QOm0S'

  it('hold without parameters', () => {
    const statement = "SELECT name FROM information_schema.user_tables WHERE status = 'ACTIVE'"
    expect(toBase64(transactionDigest(id, [statementDigest(statement)]))).toBe(
      'SOqUqTVHm3+uaGeIOS/IDjgwtSCfntJMRUr+CO9nwKI=',
    )
  })

  it('hold with a string and a time as parameters', () => {
    const statement = 'SELECT * FROM T WHERE a = ? AND d = ?'
    const time = ionTimestampFromMs(Date.UTC(2020, 0, 2, 3, 4, 5, 6))
    const digest = statementDigest(statement, [hashIon(ionString('x')), hashIon(time)])
    expect(toBase64(transactionDigest(id, [digest]))).toBe(
      '6SQvQzH2qw8rK3aWy4b+M9XrQ+0L+3LJWnCH5sPs/6Y=',
    )
  })

  it('are the hash of the transaction id without statements', () => {
    expect(transactionDigest(id, [])).toEqual(hashIon(ionString(id)))
  })

  it('fold parameters into their statement first', () => {
    const [a, b] = [hashIon(ionString('x')), hashIon(ionTimestampFromMs(0))]
    const statement = dot(dot(hashIon(ionString('S')), a), b)
    expect(statementDigest('S', [a, b])).toEqual(statement)
    expect(transactionDigest(id, [statement, a])).toEqual(
      dot(dot(hashIon(ionString(id)), statement), a),
    )
  })
})

describe('a block that QLDB made', () => {
  // The summary of the block and its one revision, as a stream delivers them; joined they are the block of an export.
  const text = readFileSync(new URL('../test/published-block.ion', import.meta.url), 'utf8')
  const [summary, revision] = parseIonAll(text) as [IonStruct, IonStruct]
  const value = withFields(summary, {
    revisionSummaries: undefined,
    revisions: ionList([revision]),
  })
  const published = parseBlock(value)

  it('hashes as QLDB says, with two opaque items', () => {
    const { items, entriesHash, blockHash } = computeBlockHash(published)
    expect(items.map(({ role, position }) => [role, position])).toEqual([
      ['transactionInfo', 3],
      ['revisionsRoot', 1],
    ])
    expect(toBase64(entriesHash)).toBe('RNGQGcOKCGLCo5S+hs1eboanNrocIzRiqzzq1s99G/Q=')
    expect(toBase64(blockHash)).toBe('lu425dAWsmvzxuNHTbn4ID4mLo0bWKkjLP2Uel4wrPQ=')
    const { statements } = published.transactionInfo
    expect(statementDigest(statements[0]?.statement as string)).toEqual(
      statements[0]?.statementDigest,
    )
  })

  it('becomes an imported entry', () => {
    const { form, header, entry } = verifyBlockContent(published, { strict: false })
    expect(form).toBe('imported')
    expect(header.blockTimestamp).toBe('2019-12-11T07:20:51.261Z')
    expect(header.items.map((item) => item.role)).toEqual([
      'opaque',
      'revisionsRoot',
      'opaque',
      'transactionInfo',
    ])
    expect(decodeBlockEntry(entry).block).toEqual(header)
    expect(() => verifyBlockContent(published, { strict: true })).toThrow(/item 0/)
  })

  it('is refused when anything hashed is changed', () => {
    const known = parseRevision(revision)
    if (known.kind !== 'data') throw new Error('the revision has data')
    expect(revisionHash({ metadata: known.metadata.ion, data: known.data })).toEqual(known.hash)
    const changedData = withFields(fieldOf(revision, 'data') as IonStruct, {
      LastName: ionString('Louis'),
    })
    const changed = withFields(value, {
      revisions: ionList([withFields(revision, { data: changedData })]),
    })
    expect(() => verifyBlockContent(parseBlock(changed), { strict: false })).toThrow(
      /revision 0 does not have the hash of its content/,
    )
    const metadata = withFields(fieldOf(revision, 'metadata') as IonStruct, { version: ionInt(1) })
    const changedMetadata = withFields(value, {
      revisions: ionList([withFields(revision, { metadata })]),
    })
    expect(() => verifyBlockContent(parseBlock(changedMetadata), { strict: false })).toThrow()
    const info = withFields(fieldOf(value, 'transactionInfo') as IonStruct, {
      statements: ionList([]),
    })
    const changedInfo = withFields(value, { transactionInfo: info })
    expect(() => verifyBlockContent(parseBlock(changedInfo), { strict: false })).toThrow(
      /does not contain the hash of its transactionInfo/,
    )
  })
})
