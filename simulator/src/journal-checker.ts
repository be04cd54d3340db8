/**
 * Compares the blocks of a ledger with what clients did and were told, in the order of the blocks: acknowledged is
 * durable, refused is absent, whole or not at all, serializable, hashes and links right, digests once issued still
 * true. Goes on from call to call: what was on the disk once is not read again here, since each block holds the hash
 * of the one before it.
 */
import { equalBytes } from '@cairn/core'
import { hashIonBytes, jsFromIon } from '@cairn/ion'
import type { Ledger } from '@cairn/ledger'
import {
  type Block,
  createLedgerReplay,
  type LedgerReplay,
  parseBlock,
  type Revision,
  statementDigest,
} from '@cairn/verifier'
import type { KeptDigest } from './clients.ts'
import { type History, type RecordedTransaction, redactedRevisions, writes } from './history.ts'
import { Model, type ModelRevision } from './model.ts'
import { canonical, dataHashOf, redactedText, statementOf } from './steps.ts'
import { SimulationViolation, type ViolationKind } from './violation.ts'

export class JournalChecker {
  readonly model: Model = new Model()
  readonly #history: History
  readonly #keptDigests: readonly KeptDigest[]
  /** By the number of the tip. */
  readonly #digests: Uint8Array[] = []
  #replay: LedgerReplay | undefined
  /** Transactions that only read, committed and not yet placed in the order. */
  #readers: RecordedTransaction[] = []
  #takenCount = 0

  constructor(history: History, keptDigests: readonly KeptDigest[]) {
    this.#history = history
    this.#keptDigests = keptDigests
  }

  get blockCount(): number {
    return this.#digests.length
  }

  digestAt(sequenceNo: number): Uint8Array | undefined {
    return this.#digests[sequenceNo]
  }

  /** Takes in the blocks that came since the last call. Nobody may be at work on the ledger. */
  check(ledger: Ledger): void {
    const recorded = this.#takeTransactions()
    this.model.expectRedactions(redactedRevisions(this.#history))
    const tip = ledger.digest()
    const count = tip.tipAddress.sequenceNo + 1
    if (count < this.blockCount) {
      throw new SimulationViolation('lost', `${this.blockCount} blocks became ${count}`)
    }
    while (this.blockCount < count) {
      const block = this.#readBlock(ledger, this.blockCount)
      if (this.blockCount > 1) this.#placeReaders(this.blockCount - 1)
      this.#checkBlock(block, recorded)
    }
    this.#placeReaders(count)
    for (const reader of this.#readers) this.#failReader(reader)
    for (const transaction of recorded.values()) checkAbsence(transaction)
    this.#checkDigests(tip.digest, count)
  }

  #takeTransactions(): Map<string, RecordedTransaction> {
    const fresh = this.#history.transactions.slice(this.#takenCount)
    this.#takenCount = this.#history.transactions.length
    const byId = new Map<string, RecordedTransaction>()
    for (const transaction of fresh) {
      if (transaction.isAcknowledged && !writes(transaction)) this.#readers.push(transaction)
      else if (transaction.id !== '') byId.set(transaction.id, transaction)
    }
    return byId
  }

  #readBlock(ledger: Ledger, sequenceNo: number): Block {
    this.#replay ??= createLedgerReplay({ strandId: ledger.strandId })
    try {
      const block = parseBlock(ledger.block({ strandId: ledger.strandId, sequenceNo }).value)
      this.#replay.add(block)
      this.#digests.push(this.#replay.digest())
      return block
    } catch (error) {
      throw new SimulationViolation('proof', `block ${sequenceNo}: ${String(error)}`, error)
    }
  }

  #checkBlock(block: Block, recorded: Map<string, RecordedTransaction>): void {
    const { sequenceNo } = block.blockAddress
    const { transactionId } = block
    // Block 0 is the ledger's own.
    if (sequenceNo === 0) return
    const transaction = recorded.get(transactionId)
    const fail = (kind: ViolationKind, message: string): SimulationViolation =>
      new SimulationViolation(kind, `block ${sequenceNo}, transaction ${transactionId}: ${message}`)
    if (transaction === undefined) {
      throw fail('invented', 'nobody made it, or it was committed before')
    }
    recorded.delete(transactionId)
    const { outcome, blockNo } = transaction
    if (outcome === 'absent') throw fail('invented', 'it was refused, or never asked to commit')
    if (blockNo !== undefined && blockNo !== sequenceNo) {
      throw fail('answer', `the client was told block ${blockNo}`)
    }
    transaction.outcome = 'committed'
    transaction.blockNo = sequenceNo
    const on = this.model.begin()
    const differences = this.model.differences(transaction, on)
    if (differences.length > 0) throw fail('not serializable', differences.join('\n  '))
    const expected = this.model.commit(on, transactionId, sequenceNo)
    const missing = compareRevisions(expected, block, this.model)
    if (missing !== undefined) throw fail('lost', missing)
    if (!hasStatements(block, transaction))
      throw fail('lost', 'its statements are not what was sent')
  }

  /** @param count Blocks in the state that the model is in now. */
  #placeReaders(count: number): void {
    this.#readers = this.#readers.filter((reader) => {
      if (count < reader.durableBefore) return true
      if (this.model.differences(reader).length === 0) return false
      if (count >= reader.durableAfter) this.#failReader(reader)
      return true
    })
  }

  #failReader(reader: RecordedTransaction): never {
    const differences = this.model.differences(reader).join('\n  ')
    const window = `blocks ${reader.durableBefore} to ${reader.durableAfter}`
    const who = `transaction ${reader.id}, which only read,`
    const message = `${who} fits nowhere in ${window}:\n  ${differences}`
    throw new SimulationViolation('not serializable', message)
  }

  #checkDigests(digest: Uint8Array, count: number): void {
    const computed = this.#digests[count - 1]
    if (computed === undefined || !equalBytes(computed, digest)) {
      throw new SimulationViolation('proof', `the digest at block ${count - 1} is not the blocks'`)
    }
    for (const kept of this.#keptDigests) {
      const now = this.#digests[kept.sequenceNo]
      if (now !== undefined && equalBytes(now, kept.digest)) continue
      const what = now === undefined ? 'names a block that is gone' : 'is not true any more'
      throw new SimulationViolation('proof', `the digest at block ${kept.sequenceNo} ${what}`)
    }
  }
}

/** For a transaction without a block. */
function checkAbsence(transaction: RecordedTransaction): void {
  if (transaction.isAcknowledged) {
    const { id, blockNo } = transaction
    const where = blockNo === undefined ? '' : ` in block ${blockNo}`
    throw new SimulationViolation('lost', `transaction ${id} was acknowledged${where} and is gone`)
  }
  transaction.outcome = 'absent'
}

/** What is wrong with the revisions of the block, or undefined. */
function compareRevisions(
  expected: readonly ModelRevision[],
  { revisions, transactionInfo }: Block,
  model: Model,
): string | undefined {
  const shown = (documentId: string, version: number, table: string, data: unknown) =>
    `${table} ${documentId} version ${version} ${canonical(data)}`
  const redactedNow = new Set(
    revisions
      .filter(({ kind }) => kind === 'redacted')
      .map((it) => (it.kind === 'redacted' ? it.metadata.id : '')),
  )
  const wanted = expected
    .map(({ documentId, version, table, data }) => {
      const isRedacted =
        redactedNow.has(documentId) && model.isRedactedSometime(documentId, version)
      const content = isRedacted && data !== undefined ? redactedText(dataHashOf(data)) : data
      return shown(documentId, version, table, content)
    })
    .sort()
  const found = revisions
    .map((revision: Revision) => {
      if (revision.kind === 'hashOnly') return 'a hash'
      const { id, version } = revision.metadata
      const table = transactionInfo.documents.get(id)?.tableName ?? 'no table'
      return shown(id, version, table, contentOf(revision))
    })
    .sort()
  if (wanted.join('\n') === found.join('\n')) return undefined
  return `it holds\n  ${found.join('\n  ')}\ninstead of\n  ${wanted.join('\n  ')}`
}

function contentOf(revision: Exclude<Revision, { readonly kind: 'hashOnly' }>): unknown {
  if (revision.kind === 'redacted') return redactedText(revision.dataHash)
  return revision.kind === 'data' ? jsFromIon(revision.data) : undefined
}

function hasStatements({ transactionInfo }: Block, { steps }: RecordedTransaction): boolean {
  const accepted = steps.filter(({ answer }) => answer !== undefined)
  if (accepted.length !== transactionInfo.statements.length) return false
  return accepted.every(({ step }, i) => {
    const { text, parameters } = statementOf(step)
    const written = transactionInfo.statements[i]
    const digest = statementDigest(text, parameters.map(hashIonBytes))
    return written?.statement === text && equalBytes(written.statementDigest, digest)
  })
}
