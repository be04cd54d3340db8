/**
 * The engine of one ledger: executes transactions, checks them against each other, numbers their blocks. The journal is
 * the truth; catalog, overlay and conflict detector live in memory; LMDB and the node file follow up to a watermark.
 *
 *   commit: check conflicts → number the block → show it to new transactions → sealer → journal → disk → answer
 *   projector: durable blocks → hash tree nodes, then LMDB with the watermark → overlay forgets them
 *
 * A transaction sees what is numbered; it can only commit after that is on the disk, since its block stands behind it.
 */
import { assert, type Clock, type FileSystem, type IdSource, type Logger } from '@cairn/core'
import { encodeIon } from '@cairn/ion'
import { type Journal, type JournalRecord, recordBytesMax } from '@cairn/journal'
import type {
  BlockAddress,
  EraseCopies,
  Ledger,
  LedgerBlock,
  LedgerDescription,
  LedgerDigest,
  LedgerStatistics,
  PermissionsMode,
  ProvenValue,
  TableStatistics,
  Transaction,
  TransactionOptions,
} from './api.ts'
import { BlockFollowers, firstBlockSince } from './block-followers.ts'
import { proveInBlock } from './block-proof.ts'
import { type BlockRecord, type BlockRedaction, blockOf } from './block-record.ts'
import { blockRevisionToIon, blockToIon } from './block-view.ts'
import { type Catalog, operationsToIon, type TableTags } from './catalog.ts'
import { ConflictDetector, conflictKeys } from './conflict-detector.ts'
import { LedgerError } from './errors.ts'
import type { LedgerGauges, LedgerMetrics } from './ledger-metrics.ts'
import type { LedgerLimits } from './limits.ts'
import { Overlay } from './overlay.ts'
import type { Projection } from './projection.ts'
import type { ProofTrees } from './proof-trees.ts'
import { Redactor } from './redactor.ts'
import { catalogChanges } from './replay.ts'
import { indexChanges, indexKeyText, Revision } from './revision.ts'
import {
  projectedBlockCountMax,
  type SealedBlock,
  type Sealer,
  type SealerListener,
} from './sealer.ts'
import { StatementCache } from './statement-cache.ts'
import { strictLimitsOf } from './strict-qldb.ts'
import { LedgerTransaction, type TransactionOwner } from './transaction.ts'
import { type PendingWrite, TransactionView, type ViewSource } from './transaction-view.ts'
import type { CatalogChange, UnsealedBlock, UnsealedRevision } from './unsealed-block.ts'

/** The projector's rhythm: what a restart has to replay at most (storage-engine 9). */
const projectionDelayMs = 100
/** Blocks numbered and not yet projected, at which commits begin to wait: bounds the overlay's memory. */
const backlogCountMax = 20_000
/** The same in bytes of documents, of which the overlay keeps the larger part, and the sealer as much again. */
const backlogBytesMax = 64 * 1024 * 1024
/** Bytes of documents on their way to the disk, at which commits begin to wait; below the journal's own bound. */
const unwrittenBytesMax = 32 * 1024 * 1024
/** What a block needs beside its documents and statements, generously. */
const blockOverheadBytesMax = 1024 * 1024
/**
 * Commits answered per turn of the event loop. Those answered start their next transactions at once; between the turns
 * the blocks of the others get on their way to the disk, so that processor and disk do not wait for each other:
 * 23,700 transactions a second became 26,000 (256 in flight).
 */
const settledCountMax = 16
/** How often transactions that nobody came back to are looked for. */
const sweepIntervalMs = 1000
/** How long closing waits for redacted data to leave the files; what takes longer goes on after the next start. */
const closingRedactionMsMax = 5000
/** Blocks kept decoded for history and proofs. */
const cachedBlockCountMax = 256
/**
 * So many blocks at the end, as followers ask for them, are read one by one. Reading in order begins with 1 MiB: for 20
 * blocks 1.3 ms in place of 0.3.
 */
const singleReadCountMax = 64

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
  readonly trees: ProofTrees
  readonly lastTimestampMs: number
  readonly metrics: LedgerMetrics
  readonly eraseCopies: EraseCopies | undefined
  openSealer(listener: SealerListener): Promise<Sealer>
}

/** The view of whoever is shown what is on the disk and nothing else. */
const onDisk = -1

/** Somebody who waits until a block is on the disk. */
interface Waiter {
  readonly sequenceNo: number
  readonly address: BlockAddress | undefined
  readonly resolve: (address: BlockAddress | undefined) => void
  readonly reject: (error: unknown) => void
}

export class LedgerEngine implements Ledger, LedgerGauges {
  readonly name: string
  readonly strandId: string
  readonly #parts: LedgerParts
  readonly #journal: Journal
  readonly #overlay = new Overlay()
  readonly #conflicts = new ConflictDetector(this.#overlay)
  readonly #blocks = new Map<number, BlockRecord>()
  /** Of transactions that start; made anew when the ledger's settings change. */
  #source: ViewSource
  #owner: TransactionOwner
  #permissionsMode: PermissionsMode = 'ALLOW_ALL'
  /** In the order of their start, so the first holds the oldest view. */
  readonly #open = new Set<LedgerTransaction>()
  #catalog: Catalog
  #lastTimestampMs: number
  #nextSequenceNo: number
  /** The last block that the projections have. */
  #projectedNo: number
  /** Bytes of each block after that one, in their order, and their sum. */
  readonly #backlog: number[] = []
  #backlogBytes = 0
  #isProjectionDue = false
  /** Bytes of numbered blocks that the journal does not have yet. */
  #unwrittenBytes = 0
  /** In the order of their blocks. */
  #waiters: Waiter[] = []
  /** Commits that wait for the projector or the disk to catch up. */
  #roomWaiters: (() => void)[] = []
  #sealer: Sealer | undefined
  readonly #followers = new BlockFollowers()
  /** Of the record appended last. */
  #group: Promise<void> | undefined
  /** Whether answers are left for the next turn of the event loop. */
  #isSettling = false
  readonly #redactor: Redactor
  readonly #closing = new AbortController()
  #failure: unknown

  private constructor(parts: LedgerParts) {
    this.name = parts.name
    this.strandId = parts.strandId
    this.#parts = parts
    this.#journal = parts.journal
    this.#catalog = parts.projection.catalog
    this.#lastTimestampMs = parts.lastTimestampMs
    this.#nextSequenceNo = parts.journal.nextSequenceNo
    this.#projectedNo = this.#nextSequenceNo - 1
    const nowMs = () => this.#parts.clock.nowMs()
    this.#source = {
      strandId: parts.strandId,
      overlay: this.#overlay,
      ids: parts.ids,
      limits: parts.limits,
      nowMs,
      readBlock: (sequenceNo, viewNo) => this.#readBlock(sequenceNo, viewNo),
      isRedacted: ({ sequenceNo, documentId, version }, viewNo) =>
        this.#redactor.isRedacted(sequenceNo, documentId, version, viewNo),
    }
    this.#owner = {
      limits: parts.limits,
      isStrictQldb: false,
      statements: new StatementCache(),
      nowMs,
      commit: (transaction) => this.#commit(transaction),
      committed: parts.metrics.ended,
      end: (transaction) => this.#end(transaction),
    }
    parts.metrics.watch(this)
    this.#redactor = new Redactor(
      {
        ledgerName: parts.name,
        journal: parts.journal,
        clock: parts.clock,
        logger: parts.logger,
        eraseCopies: (revisions, signal) => this.#eraseCopies(revisions, signal),
        clean: async (...args) => this.#sealer?.clean(...args),
        onErased: (sequenceNo) => this.#blocks.delete(sequenceNo),
      },
      parts.projection.pendingRedactions,
    )
    void this.#sweep()
  }

  /** An engine whose projections have every block of its journal. */
  static async start(parts: LedgerParts): Promise<LedgerEngine> {
    const engine = new LedgerEngine(parts)
    engine.#sealer = await parts.openSealer({
      onSealed: (blocks) => engine.#write(blocks),
      onProjected: (sequenceNo) => engine.#projected(sequenceNo),
      onExchanged: () => parts.projection.reopen(),
      onFailed: (error) => engine.#fail(error),
    })
    engine.#redactor.projected(engine.#projectedNo, engine.#projectedNo)
    return engine
  }

  // ---- transactions ----

  get permissionsMode(): PermissionsMode {
    return this.#permissionsMode
  }

  /** Tags that an active table was created with; undefined when there is no such table. */
  createdTags(tableId: string): TableTags | undefined {
    const table = this.#catalog.findById(tableId)
    return table?.isActive === true ? (table.tags ?? {}) : undefined
  }

  /** Takes effect for transactions that start from now on. */
  configure(settings: Pick<LedgerDescription, 'permissionsMode' | 'isStrictQldb'>): void {
    const isStrictQldb = settings.isStrictQldb === true
    const limits = isStrictQldb ? strictLimitsOf(this.#parts.limits) : this.#parts.limits
    this.#permissionsMode = settings.permissionsMode
    this.#source = { ...this.#source, limits }
    this.#owner = { ...this.#owner, limits, isStrictQldb }
  }

  startTransaction(options?: TransactionOptions): Transaction {
    this.#checkRunning()
    const { ids, projection, clock } = this.#parts
    const { limits } = this.#owner
    const view = new TransactionView({
      transactionId: ids.random(),
      sequenceNo: this.#nextSequenceNo - 1,
      source: this.#source,
      snapshot: projection.acquireSnapshot(),
      catalog: this.#catalog,
      expiresMs: clock.nowMs() + limits.transactionMsMax,
    })
    const transaction = new LedgerTransaction(view, this.#owner, options)
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

  #commit(transaction: LedgerTransaction): Promise<BlockAddress | undefined> {
    const { view } = transaction
    if (view.hasWrites && !this.#hasRoom()) {
      return this.#room().then(() => this.#commit(transaction))
    }
    this.#checkRunning()
    const conflict = this.#conflicts.findConflict(view.reads, view.sequenceNo)
    if (conflict !== undefined) throw occConflict(transaction.id, conflict)
    if (view.hasWrites) {
      const sequenceNo = this.#number(transaction)
      return this.#durable({ strandId: this.strandId, sequenceNo })
    }
    // What was read may still be on its way to the disk; it is answered once it cannot be lost any more.
    if (view.sequenceNo < this.#journal.durableCount) return Promise.resolve(undefined)
    return this.#durable(undefined)
  }

  /** Everything up to the sealer happens in one turn, so that no other commit comes between. */
  #number(transaction: LedgerTransaction): number {
    const { view } = transaction
    checkRecordSize(view.writtenBytes)
    const sequenceNo = this.#nextSequenceNo
    let catalog = this.#catalog
    for (const operation of view.operations) catalog = catalog.apply(operation, sequenceNo)
    // A document that was inserted and deleted again was never there.
    const writes = [...view.writes].filter((it) => it.base !== undefined || it.value !== undefined)
    const timestampMs = Math.max(this.#parts.clock.nowMs(), this.#lastTimestampMs)
    const block: UnsealedBlock = {
      sequenceNo,
      transactionId: transaction.id,
      timestampMs,
      statements: transaction.statements,
      catalogChange: this.#catalogChange(view, catalog),
      revisions: writes.map((write) => unsealedRevision(transaction, write, catalog)),
      // Copied: the view forgets its own with the transaction.
      redactions: [...view.redactions],
    }
    this.#nextSequenceNo++
    this.#lastTimestampMs = timestampMs
    this.#unwrittenBytes += view.writtenBytes
    this.#backlog.push(view.writtenBytes)
    this.#backlogBytes += view.writtenBytes
    this.#show(block, view, catalog)
    this.#sealer?.seal(block, this.#journal.durableCount === sequenceNo)
    this.#end(transaction)
    return sequenceNo
  }

  #catalogChange(view: TransactionView, catalog: Catalog): CatalogChange | undefined {
    if (view.operations.length === 0) return undefined
    return {
      info: encodeIon(operationsToIon(view.operations)),
      catalog: encodeIon(catalog.toIon()),
      ...catalogChanges(this.#catalog, catalog, view.operations),
    }
  }

  /** Makes a numbered block visible to transactions that start from now on, and to the check of those already open. */
  #show(block: UnsealedBlock, view: TransactionView, catalog: Catalog): void {
    const { sequenceNo, transactionId, timestampMs } = block
    const changed: string[] = []
    const tableIds = new Set<string>()
    for (const [ordinal, write] of block.revisions.entries()) {
      const { tableId, documentId, version, data } = write
      // The decoded document is not kept: thousands of them between two turns of the projector would cost more in the
      // garbage collector than decoding the few that are read again.
      const revision = Revision.of({
        documentId,
        version,
        sequenceNo,
        ordinal,
        transactionTimeMs: timestampMs,
        transactionId,
        hash: undefined,
        data,
      })
      this.#overlay.add(tableId, revision, write.indexChanges)
      tableIds.add(tableId)
      // The overlay tells of documents, and of keys that documents come under.
      for (const { indexId, oldKey } of write.indexChanges) {
        if (oldKey !== undefined) changed.push(conflictKeys.index(indexKeyText(indexId, oldKey)))
      }
    }
    for (const tableId of tableIds) changed.push(conflictKeys.tableContent(tableId))
    for (const { tableId } of view.operations) {
      changed.push(conflictKeys.tableDefinition(tableId))
      changed.push(conflictKeys.tableName(catalog.findById(tableId)?.name ?? ''))
    }
    if (view.operations.length > 0) changed.push(conflictKeys.tableList())
    for (const { tableId } of block.redactions) changed.push(conflictKeys.tableHistory(tableId))
    this.#conflicts.noteChanges(changed, sequenceNo)
    this.#catalog = catalog
    if (block.redactions.length > 0) this.#redactor.note(sequenceNo, block.redactions)
  }

  // ---- the way to the disk ----

  /** Resolves with `address` when every block numbered so far is on the disk. */
  #durable(address: BlockAddress | undefined): Promise<BlockAddress | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#stopped(address))
      else if (this.#journal.durableCount === this.#nextSequenceNo) resolve(address)
      else this.#waiters.push({ sequenceNo: this.#nextSequenceNo - 1, address, resolve, reject })
    })
  }

  #write(blocks: readonly SealedBlock[]): void {
    if (this.#failure !== undefined) return
    for (const block of blocks) {
      const isDurable = this.#journal.append(block.blockHash, block.body)
      this.#parts.trees.add(block)
      // All records of a group share its promise.
      if (isDurable !== this.#group) isDurable.then(this.#groupWritten, this.#fail)
      this.#group = isDurable
    }
  }

  readonly #groupWritten = (): void => {
    if (!this.#isSettling) this.#settle()
  }

  readonly #settle = (): void => {
    const { durableCount } = this.#journal
    let count = 0
    this.#isSettling = false
    for (const waiter of this.#waiters) {
      if (waiter.sequenceNo >= durableCount) break
      if (count === settledCountMax) {
        this.#isSettling = true
        setImmediate(this.#settle)
        break
      }
      waiter.resolve(waiter.address)
      count++
    }
    this.#waiters = this.#waiters.slice(count)
    this.#followers.wake(durableCount)
    if (durableCount === this.#nextSequenceNo) this.#unwrittenBytes = 0
    this.#wakeRoomWaiters()
    this.#scheduleProjection()
  }

  /** Others have seen what is not on the disk: only a restart gets back to what is. */
  readonly #fail = (error: unknown): void => {
    if (this.#failure !== undefined) return
    this.#failure = error
    const { logger } = this.#parts
    logger.log('error', 'the ledger stops after a failure', { ledger: this.name, error })
    this.#redactor.stop()
    for (const waiter of this.#waiters) waiter.reject(this.#stopped(waiter.address))
    this.#waiters = []
    this.#followers.wake(Number.POSITIVE_INFINITY)
    this.#wakeRoomWaiters()
  }

  #hasRoom(): boolean {
    if (this.#failure !== undefined) return true
    return (
      this.#backlog.length < backlogCountMax &&
      this.#backlogBytes < backlogBytesMax &&
      this.#unwrittenBytes < unwrittenBytesMax
    )
  }

  #room(): Promise<void> {
    return new Promise((resolve) => this.#roomWaiters.push(resolve))
  }

  #wakeRoomWaiters(): void {
    if (this.#roomWaiters.length === 0 || !this.#hasRoom()) return
    const waiters = this.#roomWaiters
    this.#roomWaiters = []
    for (const wake of waiters) wake()
  }

  #scheduleProjection(): void {
    if (this.#isProjectionDue || this.#failure !== undefined) return
    const { signal } = this.#closing
    const backlogCount = this.#journal.durableCount - 1 - this.#projectedNo
    if (backlogCount === 0) return
    if (signal.aborted) {
      if (this.#redactor.hasWork) this.#sealer?.project(this.#journal.durableCount)
      return
    }
    this.#isProjectionDue = true
    const project = () => {
      if (!signal.aborted) this.#sealer?.project(this.#journal.durableCount)
    }
    if (backlogCount >= projectedBlockCountMax) project()
    else void this.#parts.clock.sleep(projectionDelayMs, signal).then(project, () => undefined)
  }

  #projected(sequenceNo: number): void {
    const projected = this.#backlog.splice(0, sequenceNo - this.#projectedNo)
    for (const bytes of projected) this.#backlogBytes -= bytes
    this.#projectedNo = sequenceNo
    this.#isProjectionDue = false
    this.#parts.trees.filed(sequenceNo + 1)
    this.#parts.projection.refresh()
    const [oldest] = this.#open
    this.#overlay.prune(Math.min(sequenceNo, oldest?.view.projectedNo ?? sequenceNo))
    this.#conflicts.prune(oldest?.view.sequenceNo ?? this.#nextSequenceNo - 1)
    this.#wakeRoomWaiters()
    this.#scheduleProjection()
    this.#redactor.projected(sequenceNo, oldest?.view.projectedNo ?? sequenceNo)
  }

  // ---- blocks and proofs ----

  /** As a view of the blocks up to `viewNo` sees it. @throws JournalError when the record is damaged. */
  #readBlock(sequenceNo: number, viewNo: number): BlockRecord {
    const block = this.#blocks.get(sequenceNo) ?? blockOf(this.#journal.read(sequenceNo))
    if (!this.#blocks.has(sequenceNo)) this.#keepBlock(block)
    return this.#redactor.masked(block, viewNo)
  }

  #keepBlock(block: BlockRecord): void {
    if (this.#blocks.size >= cachedBlockCountMax) {
      const [oldest] = this.#blocks.keys()
      if (oldest !== undefined) this.#blocks.delete(oldest)
    }
    this.#blocks.set(block.sequenceNo, block)
  }

  digest(): LedgerDigest {
    this.#checkRunning()
    const size = this.#journal.durableCount
    return {
      digest: this.#parts.trees.upTo(size).qldb.root(size),
      tipAddress: { strandId: this.strandId, sequenceNo: size - 1 },
    }
  }

  block(address: BlockAddress, tip?: BlockAddress): ProvenValue {
    const { block, size } = this.#provable(address, tip)
    return {
      value: blockToIon(this.strandId, block),
      proof:
        size === undefined
          ? undefined
          : this.#parts.trees.upTo(size).qldb.inclusionProof(address.sequenceNo, size),
    }
  }

  revision(address: BlockAddress, documentId: string, tip?: BlockAddress): ProvenValue {
    const { block, size } = this.#provable(address, tip)
    const { revision, path } = proveInBlock(block, documentId)
    const value = blockRevisionToIon(address, block, revision)
    if (size === undefined) return { value, proof: undefined }
    const { qldb } = this.#parts.trees.upTo(size)
    return { value, proof: [...path, ...qldb.inclusionProof(address.sequenceNo, size)] }
  }

  get blockCount(): number {
    return this.#journal.durableCount
  }

  *blocksFrom(sequenceNo: number): Generator<LedgerBlock> {
    this.#checkRunning()
    if (sequenceNo === this.#journal.durableCount) return
    const { strandId } = this
    this.#checkAddress('BlockAddress', { strandId, sequenceNo }, this.#journal.durableCount)
    for (const block of this.#shownFrom(sequenceNo)) {
      yield block
      this.#checkRunning()
    }
  }

  *#shownFrom(sequenceNo: number): Generator<LedgerBlock> {
    const { strandId } = this
    for (const record of this.#recordsFrom(sequenceNo)) {
      const block = this.#redactor.masked(blockOf(record), onDisk)
      const { timestampMs } = block
      yield { sequenceNo: record.sequenceNo, timestampMs, value: blockToIon(strandId, block) }
    }
  }

  *#recordsFrom(sequenceNo: number): Generator<JournalRecord> {
    const { durableCount } = this.#journal
    if (durableCount - sequenceNo > singleReadCountMax) {
      yield* this.#journal.readFrom(sequenceNo)
      return
    }
    for (let no = sequenceNo; no < durableCount; no++) yield this.#journal.read(no)
  }

  firstBlockSince(timestampMs: number): number {
    this.#checkRunning()
    const timeOf = (sequenceNo: number) => this.#readBlock(sequenceNo, onDisk).timestampMs
    return firstBlockSince(timestampMs, this.#journal.durableCount, timeOf)
  }

  async untilBlock(sequenceNo: number, signal?: AbortSignal): Promise<void> {
    this.#checkRunning()
    if (sequenceNo < this.#journal.durableCount) return
    await this.#followers.until(sequenceNo, signal)
    this.#checkRunning()
  }

  async untilRedacted(): Promise<void> {
    this.#checkRunning()
    await this.#redactor.untilDone()
    this.#checkRunning()
  }

  /** Also while the ledger is closing, which waits for it. */
  async #eraseCopies(revisions: readonly BlockRedaction[], signal: AbortSignal): Promise<void> {
    const { name, strandId } = this
    const blocksFrom = (sequenceNo: number) => this.#shownFrom(sequenceNo)
    await this.#parts.eraseCopies?.({ name, strandId, revisions, blocksFrom, signal })
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
    return { block: this.#readBlock(address.sequenceNo, onDisk), size }
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
    if (this.#failure !== undefined) throw this.#stopped(undefined)
  }

  get isStopped(): boolean {
    return this.#failure !== undefined
  }

  get openTransactionCount(): number {
    return this.#open.size
  }

  async statistics(): Promise<LedgerStatistics> {
    this.#checkRunning()
    const { projection } = this.#parts
    const snapshot = projection.acquireSnapshot()
    try {
      const tables: TableStatistics[] = []
      for (const { name, tableId, tableNo, isActive, indexes } of this.#catalog.tables()) {
        const documentCount = await snapshot.countCurrent(tableNo)
        const fields = indexes.map(({ field }) => field)
        tables.push({ name, tableId, isActive, documentCount, indexes: fields })
      }
      return {
        blockCount: this.#journal.durableCount,
        journalBytes: this.journalBytes,
        projectionBytes: projection.bytesSize,
        tables,
      }
    } finally {
      snapshot.release()
    }
  }

  get journalBytes(): number {
    return this.#journal.bytesSize
  }

  get projectionLag(): number {
    return this.#journal.durableCount - 1 - this.#projectedNo
  }

  /** @param address Of a block that was numbered, when the failure caught a commit. */
  #stopped(address: BlockAddress | undefined): LedgerError {
    const { name: ledgerName } = this
    const cause = this.#failure
    if (address === undefined) {
      return new LedgerError(
        { code: 'LEDGER_STOPPED', ledgerName },
        {
          shortMessage: `Ledger ${ledgerName} has stopped after a failed write.`,
          metaMessages: [
            'Nothing acknowledged is lost. Look at the log and the disk, then restart.',
          ],
          cause,
        },
      )
    }
    return new LedgerError(
      { code: 'COMMIT_NOT_CONFIRMED', ledgerName },
      {
        shortMessage: `Ledger ${ledgerName} stopped before the commit was known to be on the disk.`,
        metaMessages: [
          `Block: ${address.sequenceNo}, there or not after a restart`,
          'Look at the log and the disk, then restart. Look for the data before you write them again.',
        ],
        cause,
      },
    )
  }

  /** Ends open transactions, waits for what is on its way to the disk, and closes every file. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#followers.wake(Number.POSITIVE_INFINITY)
    for (const transaction of this.#open) transaction.abort()
    // A failure was already answered to whoever committed.
    await this.#durable(undefined).catch(() => undefined)
    await this.#redactBeforeClosing()
    await this.#redactor.close()
    await this.#journal.close().catch(() => undefined)
    await this.#sealer?.close(this.#journal.durableCount).catch(this.#fail)
    for (const transaction of this.#open) this.#end(transaction)
    await this.#parts.projection.close()
    await this.#parts.trees.close()
    this.#parts.metrics.close()
  }

  /** What was answered as redacted is not to lie in the files until the next start, if it can go in time. */
  async #redactBeforeClosing(): Promise<void> {
    if (!this.#redactor.hasWork || this.#failure !== undefined) return
    this.#sealer?.project(this.#journal.durableCount)
    const inTime = new AbortController()
    const timeOver = this.#parts.clock.sleep(closingRedactionMsMax, inTime.signal)
    await Promise.race([this.#redactor.untilDone(), timeOver.catch(() => undefined)])
    inTime.abort()
  }
}

function unsealedRevision(
  transaction: LedgerTransaction,
  write: PendingWrite,
  catalog: Catalog,
): UnsealedRevision {
  const table = catalog.findById(write.tableId)
  assert(table !== undefined, 'tables are dropped, never removed')
  const { value, base } = write
  return {
    tableId: table.tableId,
    tableName: table.name,
    tableNo: table.tableNo,
    documentId: write.documentId,
    version: base === undefined ? 0 : base.version + 1,
    previous:
      base === undefined ? undefined : { sequenceNo: base.sequenceNo, ordinal: base.ordinal },
    statements: write.statements,
    data: write.data,
    dataHash: value === undefined ? undefined : transaction.parameterHash(value),
    indexChanges: indexChanges(table.indexes, base?.value, value),
  }
}

/** Configured limits may allow more than a record of the journal takes. */
function checkRecordSize(writtenBytes: number): void {
  const valueMax = recordBytesMax - blockOverheadBytesMax
  if (writtenBytes <= valueMax) return
  throw new LedgerError(
    { code: 'LIMIT_EXCEEDED', limit: 'transactionBytesMax', value: writtenBytes, valueMax },
    {
      shortMessage: `The transaction is too large: ${writtenBytes} of at most ${valueMax} bytes.`,
      metaMessages: ['Split the transaction.'],
    },
  )
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
