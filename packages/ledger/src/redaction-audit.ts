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
  /** Revisions without their data. */
  readonly #redacted = new Set<string>()
  /** Revisions that a block says were redacted, and that have their data. */
  readonly #pending = new Set<string>()

  /** Blocks in order. */
  add(block: BlockRecord): void {
    const { sequenceNo } = block
    for (const { documentId, version, dataHash, isErased } of block.revisions) {
      const named = { sequenceNo, documentId, version }
      if (dataHash !== undefined) this.#redacted.add(keyOf(named))
      if (isErased) this.#unexplained.set(keyOf(named), named)
    }
    for (const redaction of redactionsOf(block)) {
      const key = keyOf(redaction)
      this.#unexplained.delete(key)
      if (!this.#redacted.has(key)) this.#pending.add(key)
    }
  }

  /** Revisions whose data is gone. */
  get redactedCount(): number {
    return this.#redacted.size
  }

  /** Revisions whose data will be gone when a process that has the ledger open has come to them. */
  get pendingCount(): number {
    return this.#pending.size
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
