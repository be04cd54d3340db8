/**
 * Holds what is missing in a journal against what its blocks say was redacted. Hashes alone do not tell: a revision
 * whose data somebody took out by hand keeps its hash, too.
 */
import type { BlockRecord, BlockRedaction } from './block-record.ts'
import { redactionsOf } from './redaction.ts'

type Named = Pick<BlockRedaction, 'sequenceNo' | 'documentId' | 'version'>

export class RedactionAudit {
  /** Erased revisions that no block so far says were redacted. */
  readonly #unexplained = new Map<string, Named>()
  #redactedCount = 0

  /** Blocks in order. */
  add(block: BlockRecord): void {
    const { sequenceNo } = block
    for (const { documentId, version, dataHash, isErased } of block.revisions) {
      if (dataHash !== undefined) this.#redactedCount++
      const named = { sequenceNo, documentId, version }
      if (isErased) this.#unexplained.set(keyOf(named), named)
    }
    for (const redaction of redactionsOf(block)) this.#unexplained.delete(keyOf(redaction))
  }

  /** Revisions without their data. */
  get redactedCount(): number {
    return this.#redactedCount
  }

  /** One sentence for each erased revision that no block says was redacted. */
  *findings(): Generator<string> {
    for (const { sequenceNo, documentId, version } of this.#unexplained.values()) {
      yield `Block ${sequenceNo} lacks the data of document ${documentId}, version ${version}, ` +
        'and no block says that it was redacted.'
    }
  }
}

function keyOf({ sequenceNo, documentId, version }: Named): string {
  return `${sequenceNo}:${documentId}:${version}`
}
