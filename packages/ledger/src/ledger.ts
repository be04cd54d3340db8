/**
 * The engine of one ledger: the journal is the truth; catalog, overlay, conflict detector and hash trees live in memory
 * and are rebuilt from it; LMDB and the node file follow as projections up to a watermark.
 *
 *   commit: check conflicts → build block → queue in journal → show it to new transactions → wait → answer
 *   projector: durable blocks → hash tree nodes, then LMDB with the watermark → overlay forgets them
 *
 * A transaction sees what is queued; it can only commit after that is on the disk, since its block stands behind it.
 */
import {
  assert,
  type Clock,
  emptyBytes,
  type FileSystem,
  type IdSource,
  type Logger,
} from '@cairn/core'
import { encodeIon, hashIon, type IonValue } from '@cairn/ion'
import type { Journal } from '@cairn/journal'
import { listProof, MerkleTree, qldbHasher, tlogHasher } from '@cairn/merkle'
import type {
  BlockAddress,
  CommitResult,
  Ledger,
  LedgerDigest,
  ProvenValue,
  Transaction,
} from './api.ts'
import { buildBlock, type NewBlock, type NewRevision } from './block-builder.ts'
import { type BlockRecord, blockOf, encodeBlockBody } from './block-record.ts'
import { blockRevisionToIon, blockToIon, entriesHashList } from './block-view.ts'
import { type Catalog, type CatalogOperation, operationsToIon } from './catalog.ts'
import { ConflictDetector, conflictKeys } from './conflict-detector.ts'
import { LedgerError } from './errors.ts'
import type { LedgerLimits } from './limits.ts'
import type { NodeFile } from './node-file.ts'
import { Overlay } from './overlay.ts'
import { changesIndexes, type ProjectedBlock, type Projection } from './projection.ts'
import { catalogChanges } from './replay.ts'
import { indexChanges, Revision } from './revision.ts'
import { StatementCache } from './statement-cache.ts'
import { LedgerTransaction, type TransactionOwner } from './transaction.ts'
import { type PendingWrite, TransactionView, type ViewSource } from './transaction-view.ts'

/** The projector's rhythm: what a restart has to replay at most (storage-engine 9). */
const projectionDelayMs = 100
/** Blocks per LMDB commit. */
const projectedBlockCountMax = 2000
/** Blocks committed and not yet projected, at which commits begin to wait: bounds the overlay's memory. */
const backlogCountMax = 20_000
/** How often transactions that nobody came back to are looked for. */
const sweepIntervalMs = 1000
/** Blocks kept decoded for history and proofs. */
const cachedBlockCountMax = 256

export interface LedgerParts {
  readonly name: string
  readonly strandId: string
  readonly clock: Clock
  readonly ids: IdSource
  readonly logger: Logger
  readonly limits: LedgerLimits
  readonly fileSystem: FileSystem
  readonly journal: Journal
  readonly projection: Projection
  readonly nodeFile: NodeFile
  /** Leaves in both trees: the same as records in the journal. */
  readonly treeSize: number
  readonly lastTimestampMs: number
}

type WaitingBlock = ProjectedBlock & {
  readonly blockHash: Uint8Array
  readonly timestampMs: number
}

export class LedgerEngine implements Ledger {
  readonly name: string
  readonly strandId: string
  readonly #parts: LedgerParts
  readonly #journal: Journal
  readonly #qldbTree: MerkleTree
  readonly #tlogTree: MerkleTree
  readonly #overlay = new Overlay()
  readonly #conflicts = new ConflictDetector()
  readonly #blocks = new Map<number, BlockRecord>()
  readonly #source: ViewSource
  readonly #owner: TransactionOwner
  /** In the order of their start, so the first holds the oldest view. */
  readonly #open = new Set<LedgerTransaction>()
  #catalog: Catalog
  #lastTimestampMs: number
  #backlog: WaitingBlock[] = []
  /** The newest record on its way to the disk, and all before it. */
  #lastAppend: Promise<void> = Promise.resolve()
  #projecting: Promise<void> | undefined
  readonly #closing = new AbortController()
  #failure: unknown

  constructor(parts: LedgerParts) {
    this.name = parts.name
    this.strandId = parts.strandId
    this.#parts = parts
    this.#journal = parts.journal
    this.#qldbTree = new MerkleTree(qldbHasher, parts.nodeFile.store(0), parts.treeSize)
    this.#tlogTree = new MerkleTree(tlogHasher, parts.nodeFile.store(1), parts.treeSize)
    this.#catalog = parts.projection.catalog
    this.#lastTimestampMs = parts.lastTimestampMs
    const storedBytes = new WeakMap<IonValue, Uint8Array>()
    const nowMs = () => this.#parts.clock.nowMs()
    this.#source = {
      strandId: parts.strandId,
      overlay: this.#overlay,
      ids: parts.ids,
      limits: parts.limits,
      storedBytes,
      nowMs,
      readBlock: (sequenceNo) => this.readBlock(sequenceNo),
    }
    this.#owner = {
      limits: parts.limits,
      statements: new StatementCache(),
      storedBytes,
      nowMs,
      commit: (transaction) => this.#commit(transaction),
      end: (transaction) => this.#end(transaction),
    }
    void this.#sweep()
  }

  // ---- transactions ----

  startTransaction(): Transaction {
    this.#checkRunning()
    const { ids, projection, limits, clock } = this.#parts
    const view = new TransactionView({
      transactionId: ids.random(),
      sequenceNo: this.#journal.nextSequenceNo - 1,
      source: this.#source,
      snapshot: projection.acquireSnapshot(),
      catalog: this.#catalog,
      expiresMs: clock.nowMs() + limits.transactionMsMax,
    })
    const transaction = new LedgerTransaction(view, this.#owner)
    this.#open.add(transaction)
    return transaction
  }

  #end(transaction: LedgerTransaction): void {
    if (!this.#open.delete(transaction)) return
    transaction.view.close()
    transaction.forget()
  }

  /** Ends transactions that were left open, so that the state they see can go. */
  async #sweep(): Promise<void> {
    const { clock, limits } = this.#parts
    const { signal } = this.#closing
    while (!signal.aborted) {
      await clock.sleep(sweepIntervalMs, signal).catch(() => undefined)
      for (const transaction of this.#open) {
        if (clock.nowMs() - transaction.startedMs < limits.transactionMsMax) break
        transaction.expire()
      }
    }
  }

  async #commit(transaction: LedgerTransaction): Promise<Pick<CommitResult, 'blockAddress'>> {
    const { view } = transaction
    if (view.hasWrites) await this.#waitForProjector()
    this.#checkRunning()
    const conflict = this.#conflicts.findConflict(view.reads, view.sequenceNo)
    if (conflict !== undefined) throw occConflict(transaction.id, conflict)
    if (!view.hasWrites) {
      // What was read may still be on its way to the disk; it is answered once it cannot be lost any more.
      if (view.sequenceNo >= this.#journal.durableCount) await this.#lastAppend
      return { blockAddress: undefined }
    }
    const sequenceNo = this.#journal.nextSequenceNo
    await this.#append(transaction, sequenceNo)
    this.#scheduleProjection()
    return { blockAddress: { strandId: this.strandId, sequenceNo } }
  }

  /** Everything up to the queue of the journal happens in one turn, so that no other commit comes between. */
  async #append(transaction: LedgerTransaction, sequenceNo: number): Promise<void> {
    const { view } = transaction
    let catalog = this.#catalog
    for (const operation of view.operations) catalog = catalog.apply(operation, sequenceNo)
    const writes = [...view.writes].filter((it) => it.base !== undefined || it.value !== undefined)
    const built = buildBlock(this.#newBlock(transaction, sequenceNo, catalog, writes))
    const isDurable = this.#journal.append(built.record.blockHash, encodeBlockBody(built.record))
    // A record that the journal has no room for takes no number: nothing has happened.
    if (this.#journal.nextSequenceNo === sequenceNo) return isDurable
    this.#lastAppend = isDurable
    this.#lastTimestampMs = built.record.timestampMs
    this.#qldbTree.append(built.record.blockHash)
    this.#tlogTree.append(built.entryHash)
    this.#show(built.record, writes, view.operations, catalog)
    this.#end(transaction)
    try {
      await isDurable
    } catch (error) {
      // Others have seen what is not on the disk: only a restart gets back to what is.
      this.#failure ??= error
      throw error
    }
  }

  #newBlock(
    transaction: LedgerTransaction,
    sequenceNo: number,
    catalog: Catalog,
    writes: readonly PendingWrite[],
  ): NewBlock {
    const { view } = transaction
    const revisions = writes.map((write): NewRevision => {
      const table = catalog.findById(write.tableId)
      assert(table !== undefined, 'tables are dropped, never removed')
      const { value } = write
      const dataHash =
        value === undefined ? undefined : (transaction.parameterHash(value) ?? hashIon(value))
      return {
        tableId: write.tableId,
        tableName: table.name,
        documentId: write.documentId,
        version: write.base === undefined ? 0 : write.base.version + 1,
        statements: write.statements,
        data: write.data,
        dataHash,
      }
    })
    const ddl = view.operations.length === 0 ? undefined : operationsToIon(view.operations)
    return {
      strandId: this.strandId,
      sequenceNo,
      previousBlockHash: sequenceNo === 0 ? emptyBytes : this.#journal.tipHash,
      transactionId: transaction.id,
      timestampMs: Math.max(this.#parts.clock.nowMs(), this.#lastTimestampMs),
      statements: transaction.statements,
      catalogInfo: ddl === undefined ? undefined : { bytes: encodeIon(ddl), value: ddl },
      revisions,
    }
  }

  /** Makes a queued block visible to transactions that start from now on, and to the check of those already open. */
  #show(
    record: BlockRecord,
    writes: readonly PendingWrite[],
    operations: readonly CatalogOperation[],
    catalog: Catalog,
  ): void {
    const { sequenceNo } = record
    const changed: string[] = []
    const tableIds = new Set<string>()
    const revisions = writes.map((write, ordinal) => {
      const table = catalog.findById(write.tableId)
      const shown = record.revisions[ordinal]
      assert(table !== undefined && shown !== undefined, 'a block has a revision for each write')
      // The decoded document is not kept: thousands of them between two turns of the projector would cost more in the
      // garbage collector than decoding the few that are read again.
      const revision = Revision.of({
        documentId: shown.documentId,
        version: shown.version,
        sequenceNo,
        ordinal,
        transactionTimeMs: shown.transactionTimeMs,
        transactionId: record.transactionId,
        hash: shown.hash,
        data: shown.data,
      })
      const changes = indexChanges(table, write.base?.value, write.value)
      this.#overlay.add(table, revision, changes)
      tableIds.add(table.tableId)
      changed.push(conflictKeys.document(revision.documentId))
      for (const { indexId, oldKey, newKey } of changes) {
        if (oldKey !== undefined) changed.push(conflictKeys.index(indexId, oldKey))
        if (newKey !== undefined) changed.push(conflictKeys.index(indexId, newKey))
      }
      return { table, revision, indexChanges: changes }
    })
    for (const tableId of tableIds) changed.push(conflictKeys.tableContent(tableId))
    for (const { tableId } of operations) {
      changed.push(conflictKeys.tableDefinition(tableId))
      changed.push(conflictKeys.tableName(catalog.findById(tableId)?.name ?? ''))
    }
    if (operations.length > 0) changed.push(conflictKeys.tableList())
    this.#conflicts.noteChanges(changed, sequenceNo)
    const before = this.#catalog
    this.#catalog = catalog
    this.#backlog.push({
      sequenceNo,
      blockHash: record.blockHash,
      timestampMs: record.timestampMs,
      revisions,
      catalog: operations.length > 0 ? catalog : undefined,
      ...catalogChanges(before, catalog, operations),
    })
  }

  // ---- projector ----

  async #waitForProjector(): Promise<void> {
    while (this.#backlog.length >= backlogCountMax && this.#failure === undefined) {
      this.#scheduleProjection()
      await this.#projecting
    }
  }

  #scheduleProjection(): void {
    if (this.#projecting !== undefined || this.#backlog.length === 0) return
    this.#projecting = this.#project().finally(() => {
      this.#projecting = undefined
      if (!this.#closing.signal.aborted) this.#scheduleProjection()
    })
  }

  async #project(): Promise<void> {
    const { signal } = this.#closing
    if (this.#backlog.length < projectedBlockCountMax) {
      await this.#parts.clock.sleep(projectionDelayMs, signal).catch(() => undefined)
    }
    await this.#projectDurable()
  }

  async #projectDurable(): Promise<void> {
    const { projection, nodeFile, logger } = this.#parts
    try {
      const count = this.#projectableCount()
      const blocks = this.#backlog.slice(0, count)
      const last = blocks.at(-1)
      if (last === undefined) return
      const { sequenceNo, blockHash, timestampMs } = last
      const size = sequenceNo + 1
      const qldbRoot = this.#qldbTree.root(size)
      const tlogRoot = this.#tlogTree.root(size)
      await nodeFile.flush(size)
      await projection.apply(blocks, { sequenceNo, blockHash, timestampMs, qldbRoot, tlogRoot })
      this.#backlog = this.#backlog.slice(count)
      this.#prune(size - 1)
    } catch (error) {
      this.#failure = error
      logger.log('error', 'projection failed; the ledger stops', { ledger: this.name, error })
    }
  }

  /** Blocks at the head of the backlog that are on the disk and go into one LMDB commit. */
  #projectableCount(): number {
    const { durableCount } = this.#journal
    let count = 0
    for (const block of this.#backlog) {
      if (count === projectedBlockCountMax || block.sequenceNo >= durableCount) break
      if (count > 0 && changesIndexes(block)) break
      count++
    }
    return count
  }

  #prune(projectedNo: number): void {
    const [oldest] = this.#open
    this.#overlay.prune(Math.min(projectedNo, oldest?.view.projectedNo ?? projectedNo))
    this.#conflicts.prune(oldest?.view.sequenceNo ?? this.#journal.nextSequenceNo - 1)
  }

  // ---- blocks and proofs ----

  /** @throws JournalError when the record is damaged. */
  readBlock(sequenceNo: number): BlockRecord {
    const cached = this.#blocks.get(sequenceNo)
    if (cached !== undefined) return cached
    const block = blockOf(this.#journal.read(sequenceNo))
    if (this.#blocks.size >= cachedBlockCountMax) {
      const [oldest] = this.#blocks.keys()
      if (oldest !== undefined) this.#blocks.delete(oldest)
    }
    this.#blocks.set(sequenceNo, block)
    return block
  }

  digest(): LedgerDigest {
    this.#checkRunning()
    const size = this.#journal.durableCount
    return {
      digest: this.#qldbTree.root(size),
      tipAddress: { strandId: this.strandId, sequenceNo: size - 1 },
    }
  }

  block(address: BlockAddress, tip?: BlockAddress): ProvenValue {
    const { block, size } = this.#provable(address, tip)
    return {
      value: blockToIon(this.strandId, block),
      proof:
        size === undefined ? undefined : this.#qldbTree.inclusionProof(address.sequenceNo, size),
    }
  }

  revision(address: BlockAddress, documentId: string, tip?: BlockAddress): ProvenValue {
    const { block, size } = this.#provable(address, tip)
    const index = block.revisions.findIndex((it) => it.documentId === documentId)
    const revision = block.revisions[index]
    if (revision === undefined) {
      throw new LedgerError(
        { code: 'DOCUMENT_NOT_FOUND', documentId },
        { shortMessage: `Block ${address.sequenceNo} has no revision of document ${documentId}.` },
      )
    }
    const value = blockRevisionToIon(address, block, revision)
    if (size === undefined) return { value, proof: undefined }
    const hashes = block.revisions.map(({ hash }) => hash)
    const rootIndex = block.items.findIndex(({ role }) => role === 'revisionsRoot')
    const proof = [
      ...listProof(hashes, index),
      ...listProof(entriesHashList(block), rootIndex),
      ...(block.previousBlockHash.length > 0 ? [block.previousBlockHash] : []),
      ...this.#qldbTree.inclusionProof(address.sequenceNo, size),
    ]
    return { value, proof }
  }

  #provable(
    address: BlockAddress,
    tip: BlockAddress | undefined,
  ): { block: BlockRecord; size: number | undefined } {
    this.#checkRunning()
    const count = this.#journal.durableCount
    this.#checkAddress('BlockAddress', address, count)
    if (tip !== undefined) {
      this.#checkAddress('DigestTipAddress', tip, count)
      if (address.sequenceNo > tip.sequenceNo) {
        throw addressInvalid('BlockAddress', 'The block is younger than the digest.')
      }
    }
    const size = tip === undefined ? undefined : tip.sequenceNo + 1
    return { block: this.readBlock(address.sequenceNo), size }
  }

  #checkAddress(
    parameter: 'BlockAddress' | 'DigestTipAddress',
    { strandId, sequenceNo }: BlockAddress,
    count: number,
  ): void {
    if (strandId !== this.strandId) {
      throw addressInvalid(parameter, `Ledger ${this.name} has the strand ${this.strandId}.`)
    }
    if (!Number.isSafeInteger(sequenceNo) || sequenceNo < 0 || sequenceNo >= count) {
      throw addressInvalid(parameter, `Ledger ${this.name} has blocks 0 to ${count - 1}.`)
    }
  }

  // ---- life ----

  #checkRunning(): void {
    if (this.#closing.signal.aborted) {
      throw new LedgerError(
        { code: 'LEDGER_CLOSED', ledgerName: this.name },
        { shortMessage: `Ledger ${this.name} is closed.` },
      )
    }
    if (this.#failure !== undefined) {
      throw new LedgerError(
        { code: 'LEDGER_STOPPED', ledgerName: this.name },
        {
          shortMessage: `Ledger ${this.name} has stopped after a failed write.`,
          metaMessages: [
            'Nothing acknowledged is lost. Look at the log and the disk, then restart.',
          ],
          cause: this.#failure,
        },
      )
    }
  }

  /** Ends open transactions, waits for what is on its way to the disk, and closes every file. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    for (const transaction of this.#open) transaction.abort()
    // The journal waits for what is queued; a failure there was already answered to whoever committed.
    await this.#journal.close().catch(() => undefined)
    await this.#projecting
    while (this.#backlog.length > 0 && this.#failure === undefined) {
      const before = this.#backlog.length
      await this.#projectDurable()
      if (this.#backlog.length === before) break
    }
    for (const transaction of this.#open) this.#end(transaction)
    await this.#parts.projection.close()
    await this.#parts.nodeFile.close()
  }
}

function occConflict(transactionId: string, conflict: string): LedgerError {
  return new LedgerError(
    { code: 'OCC_CONFLICT', transactionId, conflict },
    {
      shortMessage: 'Optimistic concurrency control failure',
      metaMessages: ['Another transaction changed what this one read. Run it again.'],
    },
  )
}

function addressInvalid(
  parameter: 'BlockAddress' | 'DigestTipAddress',
  message: string,
): LedgerError {
  return new LedgerError({ code: 'ADDRESS_INVALID', parameter }, { shortMessage: message })
}
