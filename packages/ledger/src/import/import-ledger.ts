/**
 * A journal export becomes a ledger that continues it: strand, addresses and block hashes stay, each block is checked
 * before it is taken over, the next block will chain on the last one (trust 6, "Import").
 *
 *   <data folder>/imports/<name>/   grows block by block; an interrupted import goes on there
 *   <data folder>/ledgers/<strand>  gets the whole of it by one rename, once everything is right
 *
 * So no half of a ledger ever answers. The folder is locked meanwhile: a server on it is stopped first.
 */
import {
  type Clock,
  createSystemClock,
  equalBytes,
  type FileSystem,
  fromUtf8,
  type Logger,
  type Random,
  silentLogger,
  systemRandom,
  toBase64,
  utf8,
} from '@cairn/core'
import { decodeIon, encodeIon, hashIon, type IonStruct, type IonValue } from '@cairn/ion'
import { type Journal, nodeFileSystem, openJournal, segmentBytesDefault } from '@cairn/journal'
import {
  type Block,
  type BlockContent,
  parseBlock,
  VerificationError,
  verifyBlockContent,
  verifyChain,
} from '@cairn/verifier'
import type { BlockAddress, LedgerDescription } from '../api.ts'
import { type BlockRecord, blockOf, encodeBlockBody } from '../block-record.ts'
import { Catalog, type CatalogOperation, operationsFromIon, operationsToIon } from '../catalog.ts'
import { LedgerError } from '../errors.ts'
import { listFolders } from '../ledger-folder.ts'
import { checkLedgerName, descriptionFileMode, lockForUs, parentOf } from '../ledger-host.ts'
import { lmdbProjections } from '../lmdb-projection.ts'
import { openProjectionsOf, type Projections } from '../open-engine.ts'
import type { ProjectionDriver } from '../projection.ts'
import { ProjectionWriter } from '../projection-writer.ts'
import { catalogInfoOf } from '../replay.ts'
import { CatalogDeriver, type CatalogNote } from './catalog-deriver.ts'
import { ImportError } from './errors.ts'
import { definingBlock, definingRecord, importedRecord } from './imported-block.ts'
import { blockFromJson } from './json-block.ts'

/** A block as an export holds it. */
export interface SourceBlock {
  /** The struct of qldb-compat 3.3. */
  readonly value: IonValue
  /** Where it stands, for messages. */
  readonly source: string
  /** The struct comes from JSON: times and blobs are texts in it. */
  readonly isFromJson?: boolean
  /** See {@link ImportSource.bringsCatalog}. */
  readonly catalogInfo?: IonStruct | undefined
}

export interface ImportSource {
  readonly strandId: string
  readonly firstSequenceNo: number
  readonly lastSequenceNo: number
  /** In order, from the one asked for. */
  blocksFrom(sequenceNo: number): AsyncIterable<SourceBlock>
  /**
   * Whether blocks that define tables or indexes bring this as catalog information, all of them: Cairn's exports and
   * backups do. Otherwise tables and indexes are read from the statements.
   */
  readonly bringsCatalog: boolean
}

export interface ImportLedgerOptions {
  /** The data folder of a server that is not running; made when absent. */
  readonly directory: string
  readonly name: string
  readonly source: ImportSource
  /** A digest that was kept: the export must give it at that block. */
  readonly expectedDigest?: { readonly sequenceNo: number; readonly digest: Uint8Array }
  /** What the ledger was besides its blocks, where that is known: backups do. */
  readonly description?: Omit<LedgerDescription, 'name' | 'strandId' | 'state'>
  readonly fileSystem?: FileSystem
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  readonly projections?: ProjectionDriver
  readonly segmentBytes?: number
  readonly isLocked?: boolean
  /** Called for each block. */
  readonly onProgress?: (progress: ImportProgress) => void
}

export interface ImportProgress {
  readonly blockCount: number
  readonly totalBlockCount: number
}

export interface ImportReport {
  readonly name: string
  readonly strandId: string
  readonly blockCount: number
  /** Of those, blocks that QLDB sealed; the others were Cairn's already. */
  readonly qldbBlockCount: number
  readonly revisionCount: number
  readonly redactedRevisionCount: number
  /** QLDB's internal ones, of which an export has hashes only. */
  readonly internalRevisionCount: number
  readonly tableCount: number
  readonly digest: Uint8Array
  readonly tipAddress: BlockAddress
  /** Blocks that an earlier, interrupted run had taken over. */
  readonly resumedBlockCount: number
  /** What of tables and indexes could not be told for certain. */
  readonly notes: readonly CatalogNote[]
}

/** Bytes on their way to the disk at which the import waits; well below the journal's own bound. */
const unwrittenBytesMax = 16 * 1024 * 1024

/**
 * @throws ImportError; LedgerError LEDGER_NAME_INVALID, LEDGER_EXISTS, DIRECTORY_IN_USE; whatever the source throws.
 *   Blocks that were right stay in `imports/<name>` then, and the next import goes on behind them.
 */
export async function importLedger(options: ImportLedgerOptions): Promise<ImportReport> {
  const { directory, name, source, fileSystem = nodeFileSystem } = options
  checkLedgerName(name)
  checkStart(source)
  await fileSystem.makeDirectory(`${directory}/ledgers`)
  const lock = options.isLocked === false ? undefined : await lockForUs(directory)
  try {
    await checkFree(options, fileSystem)
    const staging = `${directory}/imports/${name}`
    await prepareStaging(staging, source.strandId, fileSystem)
    const staged = await StagedImport.open(staging, options)
    let report: ImportReport
    try {
      await staged.readAll()
      await staged.checkDigest()
      report = staged.report()
    } finally {
      await staged.close()
    }
    await publish(staging, staged.description(), options, fileSystem)
    return report
  } finally {
    await lock?.release()
  }
}

/** A digest covers all blocks, so the first one is needed. */
function checkStart({ firstSequenceNo }: ImportSource): void {
  if (firstSequenceNo === 0) return
  throw new ImportError(
    { code: 'EXPORT_INCOMPLETE', expectedSequenceNo: 0, source: '' },
    {
      shortMessage: `The export begins with block ${firstSequenceNo}; block 0 is needed.`,
      metaMessages: [
        'A ledger can be continued and its digests checked only with all of its blocks.',
        'Export from before the ledger was created, or bring the earlier exports together.',
      ],
    },
  )
}

async function checkFree(
  { directory, name, source }: ImportLedgerOptions,
  fileSystem: FileSystem,
): Promise<void> {
  for (const { description } of await listFolders(directory, fileSystem)) {
    if (description.name === name) {
      throw new LedgerError(
        { code: 'LEDGER_EXISTS', ledgerName: name },
        { shortMessage: `Ledger ${name} exists already.`, metaMessages: ['Choose another name.'] },
      )
    }
    if (description.strandId === source.strandId) throw strandExists(description)
  }
  // Of a ledger that was deleted, where the process ended before its files were gone; it takes the same place.
  const rest = `${directory}/ledgers/${source.strandId}`
  if (await fileSystem.exists(rest)) await fileSystem.remove(rest)
}

function strandExists({ strandId, name }: LedgerDescription): ImportError {
  return new ImportError(
    { code: 'STRAND_EXISTS', strandId, ledgerName: name },
    {
      shortMessage: `This ledger is here already: it is ${name}.`,
      metaMessages: [`Strand: ${strandId}`, 'Import into another data folder, or delete it first.'],
    },
  )
}

const markName = 'import.json'

/** Makes the folder, or finds in it what an earlier run of the same import left. */
async function prepareStaging(
  staging: string,
  strandId: string,
  fileSystem: FileSystem,
): Promise<void> {
  const mark = `${staging}/${markName}`
  if (await fileSystem.exists(mark)) {
    const found = JSON.parse(fromUtf8(await fileSystem.readFile(mark))) as { strandId: string }
    if (found.strandId === strandId) return
    throw mismatch(staging, `It holds the beginning of strand ${found.strandId}.`)
  }
  // Ended before it began.
  if (await fileSystem.exists(staging)) await fileSystem.remove(staging)
  await fileSystem.makeDirectory(staging)
  await fileSystem.writeFileAtomic(mark, utf8(`${JSON.stringify({ strandId })}\n`))
  await fileSystem.syncDirectory(parentOf(staging))
  await fileSystem.syncDirectory(parentOf(parentOf(staging)))
}

function mismatch(directory: string, message: string): ImportError {
  return new ImportError(
    { code: 'IMPORT_MISMATCH', directory },
    {
      shortMessage: `An interrupted import of this name took over other blocks. ${message}`,
      metaMessages: [`Folder: ${directory}`, 'Remove the folder to begin anew.'],
    },
  )
}

/** From here on it is a ledger. */
async function publish(
  staging: string,
  description: LedgerDescription,
  { directory }: ImportLedgerOptions,
  fileSystem: FileSystem,
): Promise<void> {
  const text = `${JSON.stringify(description, null, 2)}\n`
  await fileSystem.writeFileAtomic(`${staging}/ledger.json`, utf8(text), descriptionFileMode)
  const target = `${directory}/ledgers/${description.strandId}`
  await fileSystem.rename(staging, target)
  await fileSystem.syncDirectory(`${directory}/ledgers`)
  // Until the rename it says that what is here may go on.
  await fileSystem.remove(`${target}/${markName}`)
  await fileSystem.syncDirectory(`${directory}/imports`)
}

/** The blocks taken over so far, and what is needed to judge the next one. */
class StagedImport {
  readonly #options: ImportLedgerOptions
  readonly #directory: string
  readonly #journal: Journal
  readonly #projections: Projections
  readonly #writer: ProjectionWriter
  readonly #deriver: CatalogDeriver
  readonly #resumedCount: number
  #previous: Pick<Block, 'blockAddress' | 'blockHash'> | undefined
  #createdMs = 0
  #qldbCount = 0
  #revisionCount = 0
  #redactedCount = 0
  #internalCount = 0
  #durable: Promise<void> = Promise.resolve()
  #unwrittenBytes = 0

  private constructor(
    options: ImportLedgerOptions,
    directory: string,
    journal: Journal,
    projections: Projections,
  ) {
    this.#options = options
    this.#directory = directory
    this.#journal = journal
    this.#projections = projections
    const { strandId } = options.source
    this.#writer = new ProjectionWriter({
      strandId,
      ...projections,
      whenDurable: () => this.#durable,
    })
    this.#deriver = new CatalogDeriver(strandId, projections.projection.catalog)
    this.#resumedCount = journal.nextSequenceNo
  }

  static async open(directory: string, options: ImportLedgerOptions): Promise<StagedImport> {
    const { fileSystem = nodeFileSystem, logger = silentLogger, name, source } = options
    const journal = await openJournal({
      directory: `${directory}/journal`,
      fileSystem,
      random: options.random ?? systemRandom,
      segmentBytes: options.segmentBytes ?? segmentBytesDefault,
      logger,
    })
    const projections = await openProjectionsOf(journal, {
      name,
      strandId: source.strandId,
      directory,
      fileSystem,
      clock: options.clock ?? createSystemClock(),
      logger,
      projections: options.projections ?? lmdbProjections,
    })
    const staged = new StagedImport(options, directory, journal, projections)
    await staged.#recall()
    return staged
  }

  /** What earlier blocks tell, from the blocks themselves. */
  async #recall(): Promise<void> {
    if (this.#resumedCount === 0) return
    const { strandId } = this.#options.source
    let catalog = Catalog.empty
    for (const record of this.#journal.readFrom(0)) {
      const block = blockOf(record)
      this.#deriver.derive(definingRecord(block), catalog)
      const info = catalogInfoOf(block)
      for (const operation of info === undefined ? [] : operationsFromIon(decodeIon(info))) {
        catalog = catalog.apply(operation, block.sequenceNo)
      }
      this.#count(block)
      const { sequenceNo } = block
      const blockHash = Uint8Array.from(block.blockHash)
      this.#previous = { blockAddress: { strandId, sequenceNo }, blockHash }
    }
  }

  /** Takes over what the source has. The last block waits until it is known to be the last. */
  async readAll(): Promise<void> {
    const { source, onProgress } = this.#options
    const totalBlockCount = source.lastSequenceNo + 1
    const start = this.#resumedCount
    let held: SourceBlock | undefined
    let heldNo = start
    // The last block of an earlier run is read again: it shows that this is the same export.
    for await (const next of source.blocksFrom(Math.max(0, start - 1))) {
      if (start > 0 && this.#isRepeated(next, start - 1)) continue
      if (held !== undefined) {
        await this.#take(held, heldNo, false)
        heldNo++
        onProgress?.({ blockCount: heldNo, totalBlockCount })
      }
      held = next
    }
    if (held !== undefined) await this.#take(held, heldNo, true)
    await this.#writer.apply()
    await this.#durable
    const { nextSequenceNo } = this.#journal
    onProgress?.({ blockCount: nextSequenceNo, totalBlockCount })
    if (nextSequenceNo < totalBlockCount || nextSequenceNo === 0) {
      throw incomplete(nextSequenceNo, 'the end of the export', undefined)
    }
  }

  #isRepeated(from: SourceBlock, sequenceNo: number): boolean {
    const block = parse(from, sequenceNo)
    const { source } = from
    if (block.blockAddress.sequenceNo !== sequenceNo) return false
    if (equalBytes(block.blockHash, this.#journal.tipHash)) return true
    throw mismatch(this.#directory, `Its block ${sequenceNo} is another one than ${source} has.`)
  }

  async #take(from: SourceBlock, sequenceNo: number, isLast: boolean): Promise<void> {
    const { source, catalogInfo } = from
    const block = parse(from, sequenceNo)
    if (block.blockAddress.sequenceNo !== sequenceNo) {
      throw incomplete(sequenceNo, source, block.blockAddress.sequenceNo)
    }
    const content = refusing(sequenceNo, source, () => this.#verify(block, catalogInfo))
    const operations = this.#operations(block, catalogInfo, isLast)
    const catalog = operations.reduce(
      (before, operation) => before.apply(operation, sequenceNo),
      this.#writer.catalog,
    )
    const info = operations.length === 0 ? undefined : encodeIon(operationsToIon(operations))
    const isHashed = catalogInfo !== undefined && content.form === 'native'
    const record = refusing(sequenceNo, source, () =>
      importedRecord({
        block,
        content,
        catalogInfo: isHashed ? encodeIon(catalogInfo) : undefined,
        derivedCatalogInfo: isHashed ? undefined : info,
        placeOf: (tableId, documentId) => {
          const table = catalog.findById(tableId)
          return table && this.#writer.placeOf(table.tableNo, documentId)
        },
      }),
    )
    await this.#append(record, content)
    this.#previous = block
  }

  /** @throws VerificationError */
  #verify(block: Block, catalogInfo: IonStruct | undefined): BlockContent {
    const { source } = this.#options
    const { blockAddress } = block
    if (blockAddress.strandId !== source.strandId) {
      throw new RangeError(`it is of strand ${blockAddress.strandId}, not ${source.strandId}`)
    }
    // What QLDB put before its first block is not documented.
    if (this.#previous !== undefined) verifyChain(this.#previous, block)
    const isQldbSoFar = this.#qldbCount === blockAddress.sequenceNo
    const content = verifyBlockContent(block, {
      strict: isQldbSoFar ? 'detect' : true,
      catalogInfoHash: catalogInfo === undefined ? undefined : hashIon(catalogInfo),
    })
    const hasCatalogItem = content.header.items.some(({ role }) => role === 'catalogInfo')
    if (hasCatalogItem && source.bringsCatalog && catalogInfo === undefined) {
      throw new RangeError('the export brings catalog information, and not that of this block')
    }
    return content
  }

  #operations(
    block: Block,
    catalogInfo: IonStruct | undefined,
    isLast: boolean,
  ): readonly CatalogOperation[] {
    if (this.#options.source.bringsCatalog) {
      return catalogInfo === undefined ? [] : operationsFromIon(catalogInfo)
    }
    const { sequenceNo } = block.blockAddress
    let { catalog } = this.#writer
    const operations = this.#deriver.derive(definingBlock(block), catalog)
    if (!isLast) return operations
    for (const operation of operations) catalog = catalog.apply(operation, sequenceNo)
    return [...operations, ...this.#deriver.finish(sequenceNo, catalog)]
  }

  async #append(record: BlockRecord, content: BlockContent): Promise<void> {
    const body = encodeBlockBody(record)
    this.#durable = this.#journal.append(record.blockHash, body)
    // Whoever waits for it hears of a failure; until then it is nobody's.
    this.#durable.catch(() => undefined)
    this.#unwrittenBytes += body.length
    await this.#writer.add(record, content.leafHash)
    this.#count(record)
    if (this.#unwrittenBytes < unwrittenBytesMax) return
    await this.#durable
    this.#unwrittenBytes = 0
  }

  #count({ sequenceNo, timestampMs, imported, revisions }: BlockRecord): void {
    if (sequenceNo === 0) this.#createdMs = timestampMs
    if (imported?.form === 'imported') this.#qldbCount++
    for (const { isHashOnly, dataHash } of revisions) {
      if (isHashOnly) this.#internalCount++
      else this.#revisionCount++
      if (dataHash !== undefined) this.#redactedCount++
    }
  }

  /** @throws ImportError DIGEST_MISMATCH */
  async checkDigest(): Promise<void> {
    const { expectedDigest } = this.#options
    if (expectedDigest === undefined) return
    const { sequenceNo, digest } = expectedDigest
    const isCovered = sequenceNo < this.#journal.nextSequenceNo
    const computed = isCovered ? this.#writer.qldbRoot(sequenceNo + 1) : undefined
    if (computed !== undefined && equalBytes(computed, digest)) return
    throw new ImportError(
      { code: 'DIGEST_MISMATCH', sequenceNo },
      {
        shortMessage: isCovered
          ? 'The blocks of the export are not those of the digest that was kept.'
          : `The digest covers block ${sequenceNo}, and the export ends before it.`,
        metaMessages: [
          `Kept, for the tip ${sequenceNo}: ${toBase64(digest)}`,
          ...(computed === undefined ? [] : [`Of the export: ${toBase64(computed)}`]),
          'Nothing was imported. Is it the digest of this ledger? If so, the export was changed.',
        ],
      },
    )
  }

  report(): ImportReport {
    const { name, source } = this.#options
    const { strandId } = source
    const blockCount = this.#journal.nextSequenceNo
    return {
      name,
      strandId,
      blockCount,
      qldbBlockCount: this.#qldbCount,
      revisionCount: this.#revisionCount,
      redactedRevisionCount: this.#redactedCount,
      internalRevisionCount: this.#internalCount,
      tableCount: [...this.#writer.catalog.tables()].length,
      digest: this.#writer.qldbRoot(blockCount),
      tipAddress: { strandId, sequenceNo: blockCount - 1 },
      resumedBlockCount: this.#resumedCount,
      notes: source.bringsCatalog ? [] : this.#deriver.notes,
    }
  }

  description(): LedgerDescription {
    const { name, source } = this.#options
    return {
      name,
      strandId: source.strandId,
      state: 'ACTIVE',
      createdMs: this.#createdMs,
      permissionsMode: 'ALLOW_ALL',
      isDeletionProtected: true,
      kmsKey: undefined,
      tags: {},
      ...this.#options.description,
    }
  }

  async close(): Promise<void> {
    await this.#journal.close().catch(() => undefined)
    await this.#projections.projection.close()
    await this.#projections.nodeFile.close()
  }
}

/** @throws ImportError BLOCK_REFUSED */
function parse({ value, isFromJson, source }: SourceBlock, sequenceNo: number): Block {
  return refusing(sequenceNo, source, () =>
    parseBlock(isFromJson === true ? blockFromJson(value) : value),
  )
}

/** Names the block in whatever `check` finds against it. */
function refusing<T>(sequenceNo: number, source: string, check: () => T): T {
  try {
    return check()
  } catch (cause) {
    if (!(cause instanceof VerificationError || cause instanceof RangeError)) throw cause
    const isOurs = cause instanceof VerificationError
    throw new ImportError(
      { code: 'BLOCK_REFUSED', sequenceNo, source },
      {
        shortMessage: isOurs
          ? `Block ${sequenceNo} is refused. ${cause.shortMessage}`
          : `Block ${sequenceNo} is refused: ${cause.message}.`,
        metaMessages: [
          `In: ${source}`,
          ...(isOurs ? cause.message.split('\n').slice(1) : []),
          'Nothing was imported. Get the export again; when it stays so, it was changed after the fact.',
        ],
        cause,
      },
    )
  }
}

function incomplete(expected: number, source: string, found: number | undefined): ImportError {
  return new ImportError(
    { code: 'EXPORT_INCOMPLETE', expectedSequenceNo: expected, source },
    {
      shortMessage:
        found === undefined
          ? `The export ends before block ${expected}.`
          : `Block ${expected} is missing: block ${found} comes in its place.`,
      metaMessages: [`In: ${source}`, 'Nothing was imported. Look for the missing part.'],
    },
  )
}
