import { formatIon } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import {
  type CheckedBlock,
  checkBlock,
  foldProof,
  merkleRoot,
  revisionHash,
} from './testing/independent-verifier.ts'
import { temporaryLedger } from './testing/temporary-ledger.ts'

/** Past the tree of 256 leaves: at every tip below, so that all shapes of smaller trees occur. */
const blockCount = 272

/** Inserts, updates, deletes, several documents at once, DDL, so that blocks of every shape occur. */
async function fill(open: Awaited<ReturnType<typeof temporaryLedger>>['open']): Promise<void> {
  await open.transact((tx) => tx.execute('CREATE TABLE T0'))
  for (let i = 2; open.ledger.digest().tipAddress.sequenceNo < blockCount - 1; i++) {
    await open.transact(async (tx) => {
      if (i % 97 === 0) await tx.execute(`CREATE TABLE T${i}`)
      else if (i % 11 === 0) await tx.execute('DELETE FROM T0 WHERE n = ?', i - 7)
      else if (i % 5 === 0)
        await tx.execute('UPDATE T0 AS t SET t.m = ? WHERE t.n = ?', `é${i}`, i - 1)
      else {
        const documents = Array.from({ length: (i % 4) + 1 }, () => ({
          n: i,
          at: new Date(i * 1e9),
        }))
        await tx.execute('INSERT INTO T0 ?', documents)
      }
    })
  }
}

describe('proofs', () => {
  it(`of a ledger of ${blockCount} blocks satisfy an independent verifier at every tip`, async () => {
    const { open } = await temporaryLedger()
    await fill(open)
    const { ledger } = open
    const { strandId } = ledger
    const tip = ledger.digest()
    expect(tip.tipAddress.sequenceNo).toBe(blockCount - 1)
    const blocks: CheckedBlock[] = []
    for (let sequenceNo = 0; sequenceNo <= tip.tipAddress.sequenceNo; sequenceNo++) {
      const text = formatIon(ledger.block({ strandId, sequenceNo }).value)
      blocks.push(checkBlock(text, blocks.at(-1)?.blockHash ?? Buffer.alloc(0)))
    }
    const leaves = blocks.map(({ blockHash }) => blockHash)
    expect(merkleRoot(leaves)).toEqual(Buffer.from(tip.digest))
    let proofCount = 0
    for (let n = 0; n < blocks.length; n++) {
      const tipAddress = { strandId, sequenceNo: n }
      const digest = merkleRoot(leaves.slice(0, n + 1))
      for (let sequenceNo = 0; sequenceNo <= n; sequenceNo++) {
        const block = blocks[sequenceNo] as CheckedBlock
        const address = { strandId, sequenceNo }
        const { proof } = ledger.block(address, tipAddress)
        expectEqual(foldProof(block.blockHash, proof ?? []), digest)
        // Every revision is proved against every tip; its text is checked once, at its own.
        for (const { documentId, hash } of block.revisions) {
          const proven = ledger.revision(address, documentId, tipAddress)
          if (sequenceNo === n) expectEqual(revisionHash(formatIon(proven.value)), hash)
          expectEqual(foldProof(hash, proven.proof ?? []), digest)
          proofCount++
        }
        proofCount++
      }
    }
    expect(proofCount).toBeGreaterThan(60_000)
  })
})

/** A hundred thousand comparisons: `expect` for each would take longer than the proofs. */
function expectEqual(actual: Buffer, expected: Buffer): void {
  if (!actual.equals(expected)) expect(actual).toEqual(expected)
}
