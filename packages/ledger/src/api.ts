/**
 * What the ledger database offers to servers and programs: a host of ledgers, a ledger, a transaction.
 * Everything a client hands over and gets back is Ion binary, so that bytes pass through without being rebuilt.
 */
import type { IonStruct, IonValue } from '@cairn/ion'
import type { CompiledStatement } from '@cairn/partiql'

/** ALLOW_ALL or STANDARD, as QLDB names them. */
export type PermissionsMode = 'ALLOW_ALL' | 'STANDARD'
export type LedgerState = 'CREATING' | 'ACTIVE' | 'DELETING' | 'DELETED'

export interface LedgerDescription {
  readonly name: string
  /** The ledger's one strand, its identity; names are reused, strands are not. */
  readonly strandId: string
  readonly state: LedgerState
  readonly createdMs: number
  readonly permissionsMode: PermissionsMode
  readonly isDeletionProtected: boolean
  /** Refuses the statements and sizes that QLDB refused. Absent: false. */
  readonly isStrictQldb?: boolean
  /** As given: a key id, ARN or alias. Undefined: AWS_OWNED_KMS_KEY. */
  readonly kmsKey: string | undefined
  readonly tags: Readonly<Record<string, string>>
  /** By table id: tags set since the table was created. Absent, also for one table: those of its CREATE TABLE. */
  readonly tableTags?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface CreateLedgerOptions {
  readonly name: string
  readonly permissionsMode?: PermissionsMode
  readonly isDeletionProtected?: boolean
  readonly isStrictQldb?: boolean
  readonly kmsKey?: string
  readonly tags?: Readonly<Record<string, string>>
}

export interface LedgerChanges {
  readonly permissionsMode?: PermissionsMode
  readonly isDeletionProtected?: boolean
  readonly isStrictQldb?: boolean
  readonly kmsKey?: string
  /** The whole new set. */
  readonly tags?: Readonly<Record<string, string>>
}

/** All ledgers of one data folder. Calls answer when their effect is on the disk. */
export interface LedgerHost {
  /** @throws LedgerError LEDGER_EXISTS, LEDGER_NAME_INVALID, LIMIT_EXCEEDED, TAGS_INVALID */
  createLedger(options: CreateLedgerOptions): Promise<LedgerDescription>
  /** @throws LedgerError LEDGER_NOT_FOUND */
  describeLedger(name: string): LedgerDescription
  /** In the order of their names. */
  listLedgers(): readonly LedgerDescription[]
  /** @throws LedgerError LEDGER_NOT_FOUND, TAGS_INVALID */
  updateLedger(name: string, changes: LedgerChanges): Promise<LedgerDescription>
  /**
   * Undefined when the ledger has no active table with this id.
   * @throws LedgerError LEDGER_NOT_FOUND
   */
  tableTags(name: string, tableId: string): Readonly<Record<string, string>> | undefined
  /**
   * Sets the whole set of an active table.
   * @throws LedgerError LEDGER_NOT_FOUND, TABLE_NOT_FOUND, TAGS_INVALID
   */
  setTableTags(name: string, tableId: string, tags: Readonly<Record<string, string>>): Promise<void>
  /** @throws LedgerError LEDGER_NOT_FOUND, LEDGER_PROTECTED */
  deleteLedger(name: string): Promise<void>
  /** @throws LedgerError LEDGER_NOT_FOUND */
  getLedger(name: string): Ledger
  /** Names of ledgers that a failure has stopped: only a restart helps them. */
  stoppedLedgers(): readonly string[]
  /** Waits for commits under way, closes every file. Open transactions end. */
  close(): Promise<void>
}

export interface BlockAddress {
  readonly strandId: string
  readonly sequenceNo: number
}

export interface LedgerDigest {
  /** 32 bytes: the root of the QLDB tree over all block hashes up to the tip. */
  readonly digest: Uint8Array
  readonly tipAddress: BlockAddress
}

/** A value to be proved and, when a tip was named, the hashes that fold it into the digest of that tip. */
export interface ProvenValue {
  /** The block or the revision, as QLDB shows it (qldb-compat 3.3, 3.2). */
  readonly value: IonValue
  readonly proof: readonly Uint8Array[] | undefined
}

/** A block on the disk, for those who read the journal in order: exports, streams, backups. */
export interface LedgerBlock {
  readonly sequenceNo: number
  readonly timestampMs: number
  /** As QLDB shows it (qldb-compat 3.3). */
  readonly value: IonStruct
}

/** What a transaction has redacted, and is to go from copies of the journal that lie outside the ledger's own files. */
export interface RedactedCopies {
  /** Of the ledger. */
  readonly name: string
  readonly strandId: string
  readonly revisions: readonly {
    /** Of the block that holds the revision. */
    readonly sequenceNo: number
    readonly documentId: string
    readonly version: number
  }[]
  /** Blocks in order, without what was redacted. */
  blocksFrom(sequenceNo: number): Iterable<LedgerBlock>
  /** Aborts when the ledger closes: what is left is done after the next start. */
  readonly signal: AbortSignal
}

/**
 * Called when a redaction is on the disk, and again, also after a restart, until it has resolved once. Only then the
 * redaction counts as done.
 */
export type EraseCopies = (copies: RedactedCopies) => Promise<void>

/** What a statement needs: QLDB's statement permissions, each with its table where there is one. */
export type StatementNeeds = CompiledStatement['actions']

export interface TransactionOptions {
  /**
   * Called with what a statement needs before it runs; what it throws refuses the statement, which enters the commit
   * digest all the same.
   */
  readonly authorize?: (needs: StatementNeeds) => void
}

export interface TableStatistics {
  readonly name: string
  readonly tableId: string
  readonly isActive: boolean
  /** Current ones, as of the last block that the projection has. */
  readonly documentCount: number
  /** Indexed fields. */
  readonly indexes: readonly string[]
}

export interface LedgerStatistics {
  readonly blockCount: number
  readonly journalBytes: number
  /** 0 where projections are not kept on a disk. */
  readonly projectionBytes: number
  readonly tables: readonly TableStatistics[]
}

export interface Ledger {
  readonly name: string
  readonly strandId: string
  /** As of now; for transactions that start. */
  readonly permissionsMode: PermissionsMode
  /** A transaction over the state as of now. The caller commits or aborts it; it ends when its time is over. */
  startTransaction(options?: TransactionOptions): Transaction
  digest(): LedgerDigest
  /**
   * Sizes and counts. Documents are counted one by one, a second or two per million, giving way to others.
   * @throws LedgerError LEDGER_CLOSED
   */
  statistics(): Promise<LedgerStatistics>
  /**
   * @param tip The tip of the digest to prove against.
   * @throws LedgerError ADDRESS_INVALID: not of this ledger, after its tip, or after the tip named.
   */
  block(address: BlockAddress, tip?: BlockAddress): ProvenValue
  /** @throws LedgerError ADDRESS_INVALID, DOCUMENT_NOT_FOUND */
  revision(address: BlockAddress, documentId: string, tip?: BlockAddress): ProvenValue
  /** Blocks on the disk: those with sequence numbers below it. */
  readonly blockCount: number
  /**
   * Blocks in order from `sequenceNo` on, as far as the disk has them then. What was redacted since is redacted here.
   * @param sequenceNo 0 to `blockCount`.
   * @throws LedgerError ADDRESS_INVALID, LEDGER_CLOSED; JournalError DAMAGED
   */
  blocksFrom(sequenceNo: number): Generator<LedgerBlock>
  /** The first block not older than `timestampMs`; `blockCount` when there is none. Looks at about 20 blocks. */
  firstBlockSince(timestampMs: number): number
  /**
   * Resolves when the block with this number is on the disk.
   * @throws LedgerError LEDGER_CLOSED, LEDGER_STOPPED; the reason of `signal`
   */
  untilBlock(sequenceNo: number, signal?: AbortSignal): Promise<void>
  /**
   * Resolves when the data of all revisions redacted so far is in no file of the ledger any more, nor in the copies
   * that `LedgerHostOptions.eraseCopies` knows of.
   * @throws LedgerError LEDGER_CLOSED, LEDGER_STOPPED: what is left is done after the next start.
   */
  untilRedacted(): Promise<void>
}

export interface IoUsage {
  readonly readIos: number
  readonly writeIos: number
}

export interface ResultPage {
  /** Each a complete Ion stream: version marker, symbol table, one value. The caller must not write into them. */
  readonly values: readonly Uint8Array[]
  readonly isLast: boolean
  /** Since the page before. */
  readonly usage: IoUsage
  /** Whole milliseconds, at least 1. */
  readonly processingMs: number
}

/** An open result. Pages stay what they were at the time of the statement, whatever the transaction does later. */
export interface Result {
  /** How the statement reads tables, in words: `Vehicle: index VIN`. */
  readonly accesses: readonly string[]
  /** @param valueCountMax @param bytesMax Whichever is reached first ends the page; a page holds at least one value. */
  nextPage(valueCountMax: number, bytesMax: number): Promise<ResultPage>
}

export interface CommitResult {
  readonly transactionId: string
  readonly commitDigest: Uint8Array
  /** Undefined when no block was written: the transaction only read. */
  readonly blockAddress: BlockAddress | undefined
  readonly usage: IoUsage
  readonly processingMs: number
}

export interface Transaction {
  readonly id: string
  readonly startedMs: number
  /**
   * Runs a statement. The text and the parameters enter the commit digest also when it fails.
   * @param parameters Ion streams of one value each.
   * @throws PartiqlError, LedgerError. Only OCC_CONFLICT and TRANSACTION_EXPIRED close the transaction.
   */
  execute(statement: string, parameters: readonly Uint8Array[]): Promise<Result>
  /**
   * Commits, and answers when the block is on the disk.
   * @param expectedDigest The client's commit digest; when it differs nothing is committed.
   * @throws LedgerError COMMIT_DIGEST_MISMATCH, OCC_CONFLICT, TRANSACTION_EXPIRED, TRANSACTION_CLOSED
   */
  commit(expectedDigest?: Uint8Array): Promise<CommitResult>
  /** Never fails; does nothing when the transaction has ended. */
  abort(): void
}
