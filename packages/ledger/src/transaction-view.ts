/**
 * The database as one open transaction sees it: the committed state as of its start, and its own writes over it.
 * Implements what PartiQL's executor needs, and records what was read for the check at commit (qldb-compat 6).
 */
import { assert, type IdSource } from '@cairn/core'
import { encodeIon, hashIonBytes, IonError, type IonStruct, type IonValue } from '@cairn/ion'
import type {
  HeldTotal,
  HistoryRange,
  IndexInfo,
  Store,
  StoredDocument,
  StoredRevision,
  TableInfo,
} from '@cairn/partiql'
import type { BlockRecord, BlockRedaction, BlockRevision, RevisionPlace } from './block-record.ts'
import { blockRevisionToIon, redactionToIon, revisionToIon } from './block-view.ts'
import type { Catalog, CatalogOperation, CatalogTable, TableTags } from './catalog.ts'
import { conflictKeys } from './conflict-detector.ts'
import { LedgerError } from './errors.ts'
import { indexKey } from './index-key.ts'
import type { LedgerLimits } from './limits.ts'
import type { Overlay } from './overlay.ts'
import type { DocumentHead, ProjectionSnapshot } from './projection.ts'
import { type RedactionTarget, readTarget, redactionInvalid } from './redaction.ts'
import { indexChanges, indexKeyText, type Revision } from './revision.ts'

/** What the view reads from; the engine's own parts. */
export interface ViewSource {
  readonly strandId: string
  readonly overlay: Overlay
  readonly ids: IdSource
  readonly limits: LedgerLimits
  nowMs(): number
  /** With what is redacted for a view of the blocks up to `viewNo` shown as redacted. */
  readBlock(sequenceNo: number, viewNo: number): BlockRecord
  /** Whether a revision in memory is to be shown as redacted to such a view. */
  isRedacted(revision: Revision, viewNo: number): boolean
}

/** A document as the transaction will leave it. */
export interface PendingWrite {
  readonly tableId: string
  readonly documentId: string
  /** The committed revision that it follows; undefined for a new document. */
  readonly base: Revision | undefined
  /** Undefined: deleted. */
  readonly value: IonStruct | undefined
  readonly data: Uint8Array | undefined
  /** Indexes of the statements that touched it, rising. */
  readonly statements: readonly number[]
}

/** What a failed statement must give back. */
interface Savepoint {
  readonly catalog: Catalog
  readonly operationCount: number
  readonly redactionCount: number
  readonly writtenBytes: number
  /** What each write of the statement replaced, in order. */
  readonly undo: { readonly documentId: string; readonly before: PendingWrite | undefined }[]
}

/** Tables and indexes of a transaction's own are younger than any projection. */
const notYetCommitted = Number.MAX_SAFE_INTEGER
const tableNamePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/
const fieldNameLengthMax = 128
/** What a redaction takes in a block, generously: it counts like what is written. */
const redactionBytes = 128
/** Steps back through a document's history between two looks at the clock. */
const deadlineStride = 256

export class TransactionView implements Store {
  readonly transactionId: string
  readonly heldTotal: HeldTotal = { weight: 0 }
  /** The last block that the transaction sees. */
  readonly sequenceNo: number
  readonly #source: ViewSource
  readonly #snapshot: ProjectionSnapshot
  readonly #expiresMs: number
  readonly #reads = new Set<string>()
  readonly #writes = new Map<string, PendingWrite>()
  /** Own documents that came under a key of an index, by {@link indexKeyText}. May hold ones that left it again. */
  #ownByKey: Map<string, Set<string>> | undefined
  /** Documents written since `#ownByKey` was last looked at. */
  #unindexed: string[] = []
  readonly #operations: CatalogOperation[] = []
  readonly #redactions: BlockRedaction[] = []
  readonly #startCatalog: Catalog
  #catalog: Catalog
  #savepoint: Savepoint | undefined
  /** The stored document given last. */
  #given: Revision | undefined
  #statementIndex = 0
  #writtenBytes = 0
  #readIos = 0
  #writeIos = 0

  constructor(fields: {
    readonly transactionId: string
    readonly sequenceNo: number
    readonly source: ViewSource
    readonly snapshot: ProjectionSnapshot
    readonly catalog: Catalog
    readonly expiresMs: number
  }) {
    this.transactionId = fields.transactionId
    this.sequenceNo = fields.sequenceNo
    this.#source = fields.source
    this.#snapshot = fields.snapshot
    this.#startCatalog = fields.catalog
    this.#catalog = fields.catalog
    this.#expiresMs = fields.expiresMs
  }

  // ---- for the transaction that owns the view ----

  get reads(): ReadonlySet<string> {
    return this.#reads
  }

  /** In the order in which the documents were first written. */
  get writes(): Iterable<PendingWrite> {
    return this.#writes.values()
  }

  get operations(): readonly CatalogOperation[] {
    return this.#operations
  }

  get redactions(): readonly BlockRedaction[] {
    return this.#redactions
  }

  get hasWrites(): boolean {
    return this.#writes.size > 0 || this.#operations.length > 0 || this.#redactions.length > 0
  }

  get catalog(): Catalog {
    return this.#catalog
  }

  /** False once the transaction changed the catalog: what is compiled then is of no use to others. */
  get hasSharedCatalog(): boolean {
    return this.#catalog === this.#startCatalog
  }

  /** The last block in the projection's snapshot that the view holds; what came after it is read from the overlay. */
  get projectedNo(): number {
    return this.#snapshot.sequenceNo
  }

  /**
   * Gives the snapshot back and lets go of what was read and written: a commit waits for the disk for as long as
   * thousands of others run, and what it holds then is copied by each turn of the garbage collector.
   */
  close(): void {
    this.#snapshot.release()
    this.#reads.clear()
    this.#writes.clear()
    this.#ownByKey = undefined
    this.#given = undefined
  }

  /**
   * The stored bytes of a row that is the document given last, as rows of `SELECT *` are: they go out unchanged. A map
   * of all documents that were ever given would cost the garbage collector more than encoding them again.
   */
  storedBytesOf(row: IonValue): Uint8Array | undefined {
    return this.#given?.value === row ? this.#given.data : undefined
  }

  /** Bytes of documents and statements so far. */
  get writtenBytes(): number {
    return this.#writtenBytes
  }

  addBytes(count: number): void {
    this.#writtenBytes += count
    this.#checkLimit('transactionBytesMax', this.#writtenBytes, 'Split the transaction.')
  }

  /** Counts since the call before. */
  takeUsage(): { readIos: number; writeIos: number } {
    const usage = { readIos: this.#readIos, writeIos: this.#writeIos }
    this.#readIos = 0
    this.#writeIos = 0
    return usage
  }

  /** Writes up to `endStatement` can be taken back as one. */
  beginStatement(statementIndex: number): void {
    this.#statementIndex = statementIndex
    this.#savepoint = {
      catalog: this.#catalog,
      operationCount: this.#operations.length,
      redactionCount: this.#redactions.length,
      writtenBytes: this.#writtenBytes,
      undo: [],
    }
  }

  get isInStatement(): boolean {
    return this.#savepoint !== undefined
  }

  endStatement(): void {
    this.#savepoint = undefined
  }

  rollBackStatement(): void {
    const savepoint = this.#savepoint
    assert(savepoint !== undefined, 'only a statement under way is rolled back')
    this.#catalog = savepoint.catalog
    this.#operations.length = savepoint.operationCount
    this.#redactions.length = savepoint.redactionCount
    this.#writtenBytes = savepoint.writtenBytes
    for (const { documentId, before } of savepoint.undo.reverse()) {
      if (before === undefined) this.#writes.delete(documentId)
      else this.#writes.set(documentId, before)
    }
    this.#savepoint = undefined
  }

  // ---- Store: catalog ----

  nowMs(): number {
    return this.#source.nowMs()
  }

  findTable(name: string, isExact: boolean): TableInfo | undefined {
    const table = this.#catalog.findByName(name, isExact)
    if (table === undefined) this.#reads.add(conflictKeys.tableName(name))
    else this.#reads.add(conflictKeys.tableDefinition(table.tableId))
    return table
  }

  findTableById(tableId: string): TableInfo | undefined {
    this.#reads.add(conflictKeys.tableDefinition(tableId))
    return this.#catalog.findById(tableId)
  }

  userTables(): Iterable<IonStruct> {
    this.#reads.add(conflictKeys.tableList())
    return this.#catalog.userTables()
  }

  // ---- Store: the user view ----

  *scan(table: TableInfo): Generator<StoredDocument> {
    for (const revision of this.#scanCommitted(this.#noteScan(table))) {
      const document = this.#ownOr(revision)
      if (document !== undefined) yield document
    }
    for (const write of this.#writes.values()) {
      if (write.base !== undefined || write.tableId !== table.tableId) continue
      if (write.value !== undefined) yield { documentId: write.documentId, data: write.value }
    }
  }

  getById(table: TableInfo, documentId: string): StoredDocument | undefined {
    const own = this.#writes.get(documentId)
    if (own === undefined) {
      const revision = this.#readCommitted(table, documentId)
      return revision === undefined ? undefined : this.#documentOf(revision)
    }
    if (own.value === undefined || own.tableId !== table.tableId) return undefined
    return { documentId, data: own.value }
  }

  getByIndex(table: TableInfo, index: IndexInfo, value: IonValue): Iterable<StoredDocument> {
    const key = indexKey(value)
    if (key === undefined) return []
    const keyText = indexKeyText(index.indexId, key)
    const own = this.#writes.size === 0 ? undefined : this.#findOwn(keyText)
    const documentIds = this.#findByIndex(table, index, key, keyText, own)
    if (!isSingle(documentIds)) return this.#documentsOf(table, documentIds)
    // One document under a key is the common case; a generator would cost as much as reading it.
    const document = this.getById(table, documentIds[0])
    return document === undefined ? [] : [document]
  }

  *#documentsOf(table: TableInfo, documentIds: Iterable<string>): Generator<StoredDocument> {
    for (const documentId of documentIds) {
      const document = this.getById(table, documentId)
      if (document !== undefined) yield document
    }
  }

  // ---- Store: committed view and history ----

  *scanCommitted(table: TableInfo): Generator<StoredRevision> {
    for (const revision of this.#scanCommitted(this.#noteScan(table))) {
      yield this.#rowOf(revision)
    }
  }

  getCommittedById(table: TableInfo, documentId: string): StoredRevision | undefined {
    const revision = this.#readCommitted(table, documentId)
    return revision === undefined ? undefined : this.#rowOf(revision)
  }

  *getCommittedByIndex(
    table: TableInfo,
    index: IndexInfo,
    value: IonValue,
  ): Generator<StoredRevision> {
    const key = indexKey(value)
    if (key === undefined) return
    const keyText = indexKeyText(index.indexId, key)
    for (const documentId of this.#findByIndex(table, index, key, keyText, undefined)) {
      const row = this.getCommittedById(table, documentId)
      if (row !== undefined) yield row
    }
  }

  *history(table: TableInfo, range: HistoryRange): Generator<StoredRevision> {
    const { tableNo, tableId } = this.#noteScan(table)
    this.#reads.add(conflictKeys.tableHistory(tableId))
    const after = this.#snapshot.sequenceNo
    const current = this.#snapshot.scanCurrent(tableNo)
    for (const head of mergeById(current, this.#snapshot.scanDeleted(tableNo))) {
      yield* this.#historyOfDocument(tableId, head.documentId, head, range)
    }
    for (const documentId of this.#source.overlay.inserted(tableId, after, this.sequenceNo)) {
      yield* this.#historyOfDocument(tableId, documentId, undefined, range)
    }
  }

  *historyOf(table: TableInfo, documentId: string, range: HistoryRange): Generator<StoredRevision> {
    const { tableId, tableNo } = this.#catalogTable(table)
    this.#reads.add(conflictKeys.tableDefinition(tableId))
    this.#reads.add(conflictKeys.tableHistory(tableId))
    this.#reads.add(conflictKeys.document(documentId))
    const head =
      this.#snapshot.getCurrent(tableNo, documentId) ??
      this.#snapshot.getDeleted(tableNo, documentId)
    yield* this.#historyOfDocument(tableId, documentId, head, range)
  }

  // ---- Store: writes ----

  insert(table: TableInfo, data: IonStruct): string {
    const { tableId } = this.#catalogTable(table)
    this.#reads.add(conflictKeys.tableDefinition(tableId))
    const documentId = this.#source.ids.ordered()
    this.#write(tableId, documentId, undefined, data, undefined)
    return documentId
  }

  update(table: TableInfo, documentId: string, data: IonStruct): void {
    const own = this.#writes.get(documentId)
    this.#write(table.tableId, documentId, this.#baseOf(table, documentId, own), data, own)
  }

  delete(table: TableInfo, documentId: string): void {
    const own = this.#writes.get(documentId)
    this.#write(table.tableId, documentId, this.#baseOf(table, documentId, own), undefined, own)
  }

  createTable(name: string, tags: TableTags): string {
    if (!tableNamePattern.test(name) || name.toLowerCase().startsWith('_ql_')) {
      throw new LedgerError(
        { code: 'TABLE_NAME_INVALID', table: name },
        {
          shortMessage: `${JSON.stringify(name)} is no name for a table.`,
          metaMessages: [
            'A name has 1 to 128 letters, digits and underscores, does not begin with a digit, and not with _ql_.',
          ],
        },
      )
    }
    const tableId = this.#source.ids.random()
    this.#reads.add(conflictKeys.tableName(name))
    const hasTags = Object.keys(tags).length > 0
    this.#applyOperation({ kind: 'createTable', tableId, name, ...(hasTags ? { tags } : {}) })
    return tableId
  }

  dropTable(table: TableInfo): string {
    this.#applyOperation({ kind: 'dropTable', tableId: table.tableId })
    return table.tableId
  }

  undropTable(tableId: string): string {
    const table = this.#catalog.findById(tableId)
    if (table !== undefined) this.#reads.add(conflictKeys.tableName(table.name))
    this.#applyOperation({ kind: 'undropTable', tableId })
    return tableId
  }

  createIndex(table: TableInfo, field: string): string {
    if (field.length > fieldNameLengthMax) {
      throw new LedgerError(
        {
          code: 'LIMIT_EXCEEDED',
          limit: 'fieldNameLengthMax',
          value: field.length,
          valueMax: fieldNameLengthMax,
        },
        {
          shortMessage: `An indexed field has a name of at most ${fieldNameLengthMax} characters.`,
        },
      )
    }
    const indexId = this.#source.ids.random()
    this.#applyOperation({ kind: 'createIndex', tableId: table.tableId, indexId, field })
    return table.tableId
  }

  dropIndex(table: TableInfo, indexId: string): string {
    this.#applyOperation({ kind: 'dropIndex', tableId: table.tableId, indexId })
    return table.tableId
  }

  exec(procedure: string, args: readonly IonValue[]): readonly IonStruct[] {
    if (procedure === 'redact_revision') return [this.#redact(readTarget(args))]
    throw new LedgerError(
      { code: 'STATEMENT_NOT_SUPPORTED', statement: `EXEC ${procedure}` },
      {
        shortMessage: `There is no procedure ${procedure.toUpperCase()}.`,
        metaMessages: ['There is one: REDACT_REVISION.'],
      },
    )
  }

  countRead(count: number): void {
    this.#readIos += count
  }

  checkDeadline(): void {
    const nowMs = this.#source.nowMs()
    if (nowMs >= this.#expiresMs) {
      throw transactionExpired(
        this.transactionId,
        nowMs - this.#expiresMs + this.#source.limits.transactionMsMax,
        this.#source.limits.transactionMsMax,
      )
    }
  }

  // ---- helpers: reading ----

  #catalogTable(table: TableInfo): CatalogTable {
    const found = this.#catalog.findById(table.tableId)
    assert(found !== undefined, 'a statement is compiled for tables of the catalog it runs on')
    return found
  }

  #noteScan(table: TableInfo): CatalogTable {
    this.#reads.add(conflictKeys.tableDefinition(table.tableId))
    this.#reads.add(conflictKeys.tableContent(table.tableId))
    return this.#catalogTable(table)
  }

  /** The committed revision of a document as of the snapshot; undefined when there is none or it is deleted. */
  #committed(table: CatalogTable, documentId: string): Revision | undefined {
    const revision =
      this.#source.overlay.find(table.tableId, documentId, this.sequenceNo) ??
      this.#snapshot.getCurrent(table.tableNo, documentId)
    return revision === undefined || revision.isDeletion ? undefined : revision
  }

  #readCommitted(table: TableInfo, documentId: string): Revision | undefined {
    this.#reads.add(conflictKeys.tableDefinition(table.tableId))
    this.#reads.add(conflictKeys.document(documentId))
    return this.#committed(this.#catalogTable(table), documentId)
  }

  *#scanCommitted(table: CatalogTable): Generator<Revision> {
    const { overlay } = this.#source
    const { tableId, tableNo } = table
    for (const stored of this.#snapshot.scanCurrent(tableNo)) {
      const revision = overlay.find(tableId, stored.documentId, this.sequenceNo) ?? stored
      if (!revision.isDeletion) yield revision
    }
    const after = this.#snapshot.sequenceNo
    for (const documentId of overlay.inserted(tableId, after, this.sequenceNo)) {
      const revision = overlay.find(tableId, documentId, this.sequenceNo)
      if (revision !== undefined && !revision.isDeletion) yield revision
    }
  }

  /** Ids of documents that stand under the key, or did in a state that is not this one. No id comes twice. */
  #findByIndex(
    table: TableInfo,
    index: IndexInfo,
    key: Uint8Array,
    keyText: string,
    own: Iterable<string> | undefined,
  ): Iterable<string> {
    const catalogTable = this.#catalogTable(table)
    const catalogIndex = catalogTable.indexes.find(({ indexId }) => indexId === index.indexId)
    assert(catalogIndex !== undefined, 'a statement is compiled for indexes of its catalog')
    const after = this.#snapshot.sequenceNo
    if (catalogIndex.sequenceNo > after) {
      // The projection has not built this index yet: every document may stand under the key.
      this.#noteScan(table)
      return distinct(idsOf(this.#scanCommitted(catalogTable)), own ?? [])
    }
    this.#reads.add(conflictKeys.tableDefinition(table.tableId))
    this.#reads.add(conflictKeys.index(keyText))
    const listed = this.#snapshot.findByIndex(catalogIndex.indexNo, key)
    const young = this.#source.overlay.findByIndex(keyText, after)
    return young.length === 0 && own === undefined ? listed : distinct(listed, young, own ?? [])
  }

  #documentOf(revision: Revision): StoredDocument {
    const data = revision.value
    this.#given = revision
    return { documentId: revision.documentId, data }
  }

  /** The user's document for a committed revision, own changes applied. */
  #ownOr(revision: Revision): StoredDocument | undefined {
    const own = this.#writes.get(revision.documentId)
    if (own === undefined) return this.#documentOf(revision)
    if (own.value === undefined) return undefined
    return { documentId: revision.documentId, data: own.value }
  }

  /** Of a revision that is the latest one to this view, whatever came of it since. */
  #rowOf(revision: Revision, dataHash?: Uint8Array): StoredRevision {
    const address = { strandId: this.#source.strandId, sequenceNo: revision.sequenceNo }
    const { documentId, version, transactionTimeMs, transactionId, hash } = revision
    const value = revision.isDeletion || dataHash !== undefined ? undefined : revision.value
    const shown = { documentId, version, transactionTimeMs, transactionId, hash, value, dataHash }
    return { documentId, row: revisionToIon(address, shown) }
  }

  #pastRowOf(revision: Revision): StoredRevision {
    const { data } = revision
    const isRedacted = data !== undefined && this.#source.isRedacted(revision, this.sequenceNo)
    return this.#rowOf(revision, isRedacted ? hashIonBytes(data) : undefined)
  }

  // ---- helpers: history ----

  /** @param head The last revision of the document that the projection has. */
  *#historyOfDocument(
    tableId: string,
    documentId: string,
    head: RevisionPlace | undefined,
    range: HistoryRange,
  ): Generator<StoredRevision> {
    const places = head === undefined ? [] : this.#placesBack(documentId, head)
    const after = this.#snapshot.sequenceNo
    const young = this.#source.overlay.versions(tableId, documentId, after, this.sequenceNo)
    const committedMs = [
      ...places.map((place) => place.committedMs),
      ...young.map((revision) => revision.transactionTimeMs),
    ]
    for (const [i, startMs] of committedMs.entries()) {
      if (!isActiveWithin(startMs, committedMs[i + 1], range)) continue
      const place = places[i]
      const revision = young[i - places.length]
      if (place !== undefined) yield this.#rowFromJournal(documentId, place)
      else if (revision !== undefined) yield this.#pastRowOf(revision)
    }
  }

  /** Where the revisions of a document stand in the journal, the first one first: each names the one before it. */
  #placesBack(
    documentId: string,
    head: RevisionPlace,
  ): readonly (RevisionPlace & { readonly committedMs: number })[] {
    const places: (RevisionPlace & { readonly committedMs: number })[] = []
    let version: number | undefined
    for (let place: RevisionPlace | undefined = head; place !== undefined; ) {
      if (places.length % deadlineStride === 0) this.checkDeadline()
      const revision: BlockRevision = this.#revisionAt(documentId, place)
      const isNext = version === undefined || revision.version === version - 1
      assert(isNext, 'a revision names the one before it')
      version = revision.version
      const { sequenceNo, ordinal } = place
      places.push({ sequenceNo, ordinal, committedMs: revision.transactionTimeMs })
      place = revision.previous
    }
    assert(version === 0, 'a document begins with version 0')
    return places.reverse()
  }

  #revisionAt(documentId: string, { sequenceNo, ordinal }: RevisionPlace): BlockRevision {
    const revision = this.#source.readBlock(sequenceNo, this.sequenceNo).revisions[ordinal]
    assert(revision?.documentId === documentId, 'history points at its own document')
    return revision
  }

  #rowFromJournal(documentId: string, place: RevisionPlace): StoredRevision {
    const { sequenceNo } = place
    const block = this.#source.readBlock(sequenceNo, this.sequenceNo)
    const address = { strandId: this.#source.strandId, sequenceNo }
    const revision = this.#revisionAt(documentId, place)
    return { documentId, row: blockRevisionToIon(address, block, revision) }
  }

  // ---- helpers: redaction ----

  /** Notes the redaction and answers its row. What it names never changes any more, so nothing can get in the way. */
  #redact({ address, tableId, documentId }: RedactionTarget): IonStruct {
    const { strandId } = this.#source
    const table = this.#catalog.findById(tableId)
    if (table === undefined) throw redactionInvalid(`There is no table with the id ${tableId}.`)
    if (address.strandId !== strandId) {
      throw redactionInvalid(`The ledger has the strand ${strandId}, not ${address.strandId}.`)
    }
    const found = this.#findRevision(table, documentId, address.sequenceNo)
    // What is superseded stays so; a refusal may become wrong.
    if (found?.supersededNo === undefined) this.#reads.add(conflictKeys.document(documentId))
    if (found === undefined) {
      throw redactionInvalid(
        `Document ${documentId} has no revision in block ${address.sequenceNo}.`,
        [
          `Table: ${tableId}`,
          'history() shows each revision with its blockAddress and metadata.id.',
          'A revision written by this transaction can be redacted by a later one.',
        ],
      )
    }
    if (found.supersededNo === undefined) {
      throw redactionInvalid('The latest revision of a document cannot be redacted.', [
        `Document: ${documentId}, version ${found.version}`,
        'Update or delete the document, commit, then redact the revision before.',
      ])
    }
    if (found.isUnerasable) {
      throw redactionInvalid('The revision cannot be redacted: a test version wrote its block.')
    }
    this.#checkLimit(
      'redactionCountMax',
      this.#redactions.length + 1,
      'Redact each revision in a transaction of its own.',
    )
    const { version, supersededNo } = found
    const { sequenceNo } = address
    const redaction = { sequenceNo, tableId, documentId, version, supersededNo }
    this.#redactions.push(redaction)
    this.#writeIos++
    this.addBytes(redactionBytes)
    return redactionToIon(strandId, redaction)
  }

  /** The revision of a document in a block, and the block of the next one. */
  #findRevision(
    { tableId, tableNo }: CatalogTable,
    documentId: string,
    sequenceNo: number,
  ):
    | {
        readonly version: number
        readonly supersededNo: number | undefined
        readonly isUnerasable: boolean
      }
    | undefined {
    const after = this.#snapshot.sequenceNo
    const young = this.#source.overlay.versions(tableId, documentId, after, this.sequenceNo)
    let supersededNo: number | undefined
    for (const revision of young.toReversed()) {
      if (revision.sequenceNo < sequenceNo) return undefined
      if (revision.sequenceNo === sequenceNo) {
        return { version: revision.version, supersededNo, isUnerasable: false }
      }
      supersededNo = revision.sequenceNo
    }
    let place: RevisionPlace | undefined =
      this.#snapshot.getCurrent(tableNo, documentId) ??
      this.#snapshot.getDeleted(tableNo, documentId)
    for (let steps = 0; place !== undefined && place.sequenceNo >= sequenceNo; steps++) {
      if (steps % deadlineStride === 0) this.checkDeadline()
      const revision: BlockRevision = this.#revisionAt(documentId, place)
      if (place.sequenceNo === sequenceNo) {
        const { version, isUnerasable = false } = revision
        return { version, supersededNo, isUnerasable }
      }
      supersededNo = place.sequenceNo
      place = revision.previous
    }
    return undefined
  }

  // ---- helpers: writing ----

  #baseOf(
    table: TableInfo,
    documentId: string,
    own: PendingWrite | undefined,
  ): Revision | undefined {
    return own === undefined ? this.#readCommitted(table, documentId) : own.base
  }

  #write(
    tableId: string,
    documentId: string,
    base: Revision | undefined,
    value: IonStruct | undefined,
    before: PendingWrite | undefined,
  ): void {
    const table = this.#catalog.findById(tableId)
    assert(table !== undefined, 'writes go to tables of the catalog')
    const data = value === undefined ? undefined : this.#encode(table.name, value)
    this.#savepoint?.undo.push({ documentId, before })
    const statements = before?.statements ?? []
    const isSameStatement = statements.at(-1) === this.#statementIndex
    this.#writes.set(documentId, {
      tableId,
      documentId,
      base,
      value,
      data,
      statements: isSameStatement ? statements : [...statements, this.#statementIndex],
    })
    this.#writeIos++
    this.addBytes(data?.length ?? 0)
    this.#checkLimit(
      'writtenDocumentCountMax',
      this.#writes.size,
      'Write fewer documents in one transaction.',
    )
    if (table.indexes.length > 0) this.#unindexed.push(documentId)
  }

  /** Own documents that stand under a key, or did. Most transactions never ask, so keys are made when one does. */
  #findOwn(keyText: string): ReadonlySet<string> | undefined {
    if (this.#unindexed.length === 0) return this.#ownByKey?.get(keyText)
    this.#ownByKey ??= new Map()
    for (const documentId of this.#unindexed) {
      const write = this.#writes.get(documentId)
      const table = write === undefined ? undefined : this.#catalog.findById(write.tableId)
      if (write === undefined || table === undefined) continue
      for (const { indexId, newKey } of indexChanges(table.indexes, undefined, write.value)) {
        if (newKey === undefined) continue
        const text = indexKeyText(indexId, newKey)
        const documents = this.#ownByKey.get(text)
        if (documents === undefined) this.#ownByKey.set(text, new Set([documentId]))
        else documents.add(documentId)
      }
    }
    this.#unindexed = []
    return this.#ownByKey.get(keyText)
  }

  #encode(table: string, value: IonStruct): Uint8Array {
    if (value.annotations.length > 0) {
      throw new LedgerError(
        { code: 'DOCUMENT_INVALID', table },
        {
          shortMessage: 'A document is a struct without annotations of its own.',
          metaMessages: ['Annotate its fields instead.'],
        },
      )
    }
    const data = encodeDocument(table, value)
    this.#checkLimit(
      'documentBytesMax',
      data.length,
      'Split the document, or keep the large part outside and store its hash.',
    )
    return data
  }

  #checkLimit(
    limit:
      | 'documentBytesMax'
      | 'transactionBytesMax'
      | 'writtenDocumentCountMax'
      | 'redactionCountMax',
    value: number,
    remedy: string,
  ): void {
    const valueMax = this.#source.limits[limit]
    if (value <= valueMax) return
    throw new LedgerError(
      { code: 'LIMIT_EXCEEDED', limit, value, valueMax },
      {
        shortMessage: `${limitSubjects[limit]} ${value} of at most ${valueMax}.`,
        metaMessages: [remedy, `Or raise ${limit} with cairn up --limits FILE.`],
      },
    )
  }

  #applyOperation(operation: CatalogOperation): void {
    this.#reads.add(conflictKeys.tableDefinition(operation.tableId))
    this.#catalog.check(operation, this.#source.limits)
    this.#catalog = this.#catalog.apply(operation, notYetCommitted)
    this.#operations.push(operation)
    this.#writeIos++
  }
}

const limitSubjects = {
  documentBytesMax: 'The document is too large: bytes',
  transactionBytesMax: 'The transaction is too large: bytes',
  writtenDocumentCountMax: 'The transaction writes too many documents:',
  redactionCountMax: 'The transaction redacts too many revisions:',
} as const

export function transactionExpired(
  transactionId: string,
  ageMs: number,
  ageMsMax: number,
): LedgerError {
  return new LedgerError(
    { code: 'TRANSACTION_EXPIRED', transactionId, ageMs, ageMsMax },
    {
      // Drivers match this text (qldb-compat 1.3).
      shortMessage: `Transaction ${transactionId} has expired`,
      metaMessages: [`A transaction may take ${ageMsMax / 1000} seconds. Do less in one.`],
    },
  )
}

function isSingle(ids: Iterable<string>): ids is readonly [string] {
  return Array.isArray(ids) && ids.length === 1
}

function* idsOf(revisions: Iterable<Revision>): Generator<string> {
  for (const { documentId } of revisions) yield documentId
}

/** The ids of all `groups` in order, none twice. */
function* distinct(...groups: readonly Iterable<string>[]): Generator<string> {
  const seen = new Set<string>()
  for (const group of groups) {
    for (const id of group) {
      if (seen.has(id)) continue
      seen.add(id)
      yield id
    }
  }
}

/** Both in the order of their documents' ids; no document is in both. */
function* mergeById(
  left: Iterable<DocumentHead>,
  right: Iterable<DocumentHead>,
): Generator<DocumentHead> {
  const rights = right[Symbol.iterator]()
  let next = rights.next()
  for (const head of left) {
    while (next.done !== true && next.value.documentId < head.documentId) {
      yield next.value
      next = rights.next()
    }
    yield head
  }
  while (next.done !== true) {
    yield next.value
    next = rights.next()
  }
}

/** Whether a revision committed at `startMs` and superseded at `endMs` was the current one within the range. */
function isActiveWithin(startMs: number, endMs: number | undefined, range: HistoryRange): boolean {
  if (range.endMs !== undefined && startMs > range.endMs) return false
  return range.startMs === undefined || endMs === undefined || endMs >= range.startMs
}

/** A statement can make documents that are nested more deeply than Ion may be. */
function encodeDocument(table: string, value: IonStruct): Uint8Array {
  try {
    return encodeIon(value)
  } catch (error) {
    if (!(error instanceof IonError)) throw error
    throw new LedgerError(
      { code: 'DOCUMENT_INVALID', table },
      {
        shortMessage: 'The document has no Ion form.',
        metaMessages: [error.shortMessage],
        cause: error,
      },
    )
  }
}
