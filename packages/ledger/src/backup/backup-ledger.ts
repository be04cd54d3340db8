/**
 * A copy of a ledger in a folder of its own, made beside a running server: the journal's records, written as a journal
 * again, each block checked on the way. It is restored by `restoreLedger`, which checks it once more.
 *
 *   <target>/backup.json   what it is a backup of, its digest; written last: a folder without it is no backup
 *   <target>/journal/      the records
 *   <target>.partial/      while it grows; an interrupted backup goes on there
 */
import {
  equalBytes,
  type FileSystem,
  fromBase64,
  fromUtf8,
  isFolderUnbegun,
  type Random,
  removeTemporaries,
  systemRandom,
  toBase64,
  utf8,
} from '@cairn/core'
import { hashIon } from '@cairn/ion'
import {
  type Journal,
  nodeFileSystem,
  openJournal,
  readJournal,
  segmentBytesDefault,
} from '@cairn/journal'
import { createLedgerReplay, parseBlock } from '@cairn/verifier'
import type { BlockAddress, LedgerDescription } from '../api.ts'
import { type ImportProgress, type ImportReport, importLedger } from '../import/import-ledger.ts'
import { descriptionFileMode, parentOf } from '../ledger-host.ts'
import type { ProjectionDriver } from '../projection.ts'
import {
  type FolderBlock,
  findLedgerFiles,
  folderBlockOf,
  readFolderBlocks,
  readRedactedKeys,
  withoutRedacted,
} from '../read-folder.ts'
import { BackupError } from './errors.ts'

export interface BackupLedgerOptions {
  /** The data folder; a server may be running on it. */
  readonly directory: string
  readonly name: string
  /** A folder that does not exist yet, in one that does. */
  readonly target: string
  readonly fileSystem?: FileSystem
  readonly random?: Random
  readonly segmentBytes?: number
  /** Called for each block. How many there will be is not known while the ledger is written to. */
  readonly onProgress?: (progress: { readonly blockCount: number }) => void
}

export interface BackupReport {
  readonly name: string
  readonly strandId: string
  readonly blockCount: number
  readonly revisionCount: number
  readonly digest: Uint8Array
  readonly tipAddress: BlockAddress
  readonly resumedBlockCount: number
}

/** backup.json. */
interface BackupFile {
  readonly cairnBackup: 1
  readonly description: LedgerDescription
  readonly blockCount: number
  /** Base64. */
  readonly digest: string
}

const backupFileName = 'backup.json'
/** Says whose backup is begun in the folder. */
const markName = 'strand'
const unwrittenBytesMax = 16 * 1024 * 1024

/** @throws BackupError; LedgerError LEDGER_NOT_FOUND; JournalError DAMAGED; VerificationError: the ledger is damaged */
export async function backupLedger(options: BackupLedgerOptions): Promise<BackupReport> {
  const { directory, name, target, fileSystem = nodeFileSystem, onProgress } = options
  const files = await findLedgerFiles(directory, name, fileSystem)
  const { description } = files
  const { strandId } = description
  if (await fileSystem.exists(target)) throw await targetTaken(target, strandId, fileSystem)
  const partial = `${target}.partial`
  await preparePartial(partial, strandId, fileSystem)
  const journal = await openJournal({
    directory: `${partial}/journal`,
    fileSystem,
    random: options.random ?? systemRandom,
    segmentBytes: options.segmentBytes ?? segmentBytesDefault,
  })
  const resumedBlockCount = journal.nextSequenceNo
  const replay = createLedgerReplay({ strandId, importedBlockCount: 'detect' })
  let revisionCount = 0
  try {
    const writer = new RecordWriter(journal)
    const redactedKeys = await readRedactedKeys(files.directory, fileSystem)
    for await (const each of readJournal({
      directory: `${files.directory}/journal`,
      fileSystem,
    })) {
      const record = withoutRedacted(each, redactedKeys)
      const { value, catalogInfo } = folderBlockOf(record, strandId)
      const block = parseBlock(value)
      replay.add(block, catalogInfo && { catalogInfoHash: hashIon(catalogInfo) })
      revisionCount += block.revisions.length
      await writer.take(record.sequenceNo, record.hash, record.body, partial)
      onProgress?.({ blockCount: replay.blockCount })
    }
    await writer.finish()
    if (replay.blockCount < journal.nextSequenceNo) throw otherLedger(partial)
  } finally {
    await journal.close()
  }
  const blockCount = replay.blockCount
  const digest = replay.digest()
  const file: BackupFile = { cairnBackup: 1, description, blockCount, digest: toBase64(digest) }
  const bytes = utf8(`${JSON.stringify(file, null, 2)}\n`)
  await fileSystem.writeFileAtomic(`${partial}/${backupFileName}`, bytes, descriptionFileMode)
  await removeTemporaries(fileSystem, partial)
  await fileSystem.rename(partial, target)
  await fileSystem.syncDirectory(parentOf(target))
  return {
    name,
    strandId,
    blockCount,
    revisionCount,
    digest,
    tipAddress: { strandId, sequenceNo: blockCount - 1 },
    resumedBlockCount,
  }
}

/** Appends the records that the copy does not have, and compares the last one that it has. */
class RecordWriter {
  readonly #journal: Journal
  readonly #start: number
  #durable: Promise<void> = Promise.resolve()
  #unwrittenBytes = 0

  constructor(journal: Journal) {
    this.#journal = journal
    this.#start = journal.nextSequenceNo
  }

  async take(sequenceNo: number, hash: Uint8Array, body: Uint8Array, path: string): Promise<void> {
    if (sequenceNo < this.#start) {
      const isLast = sequenceNo === this.#start - 1
      if (isLast && !equalBytes(hash, this.#journal.tipHash)) throw otherLedger(path)
      return
    }
    this.#durable = this.#journal.append(hash, body)
    this.#durable.catch(() => undefined)
    this.#unwrittenBytes += body.length
    if (this.#unwrittenBytes >= unwrittenBytesMax) await this.finish()
  }

  async finish(): Promise<void> {
    await this.#durable
    this.#unwrittenBytes = 0
  }
}

async function preparePartial(
  partial: string,
  strandId: string,
  fileSystem: FileSystem,
): Promise<void> {
  const mark = `${partial}/${markName}`
  if (await fileSystem.exists(mark)) {
    if (fromUtf8(await fileSystem.readFile(mark)) === strandId) return
    throw otherLedger(partial)
  }
  if (!(await isFolderUnbegun(fileSystem, partial, markName))) throw targetExists(partial)
  await fileSystem.makeDirectory(partial)
  await fileSystem.writeFileAtomic(mark, utf8(strandId))
  await fileSystem.syncDirectory(parentOf(partial))
}

function targetExists(path: string): BackupError {
  return new BackupError(
    { code: 'TARGET_EXISTS', path },
    {
      shortMessage: `${path} exists already.`,
      metaMessages: ['A backup is never overwritten. Name a folder that does not exist yet.'],
    },
  )
}

/** Who was ended behind the last step and gives the command again learns that nothing is missing. */
async function targetTaken(
  target: string,
  strandId: string,
  fileSystem: FileSystem,
): Promise<BackupError> {
  // Where it cannot be read the folder is somebody else's, and the answer is that it exists.
  const file = await readBackupFile(target, fileSystem).catch(() => undefined)
  if (file?.description.strandId !== strandId) return targetExists(target)
  const { blockCount, digest, description } = file
  return new BackupError(
    { code: 'TARGET_EXISTS', path: target },
    {
      shortMessage: `${target} exists already: a whole backup of ledger ${description.name}.`,
      metaMessages: [
        `Digest ${digest} at block ${blockCount - 1}.`,
        'For a newer one name a folder that does not exist yet.',
      ],
    },
  )
}

function otherLedger(path: string): BackupError {
  return new BackupError(
    { code: 'TARGET_EXISTS', path },
    {
      shortMessage: `${path} holds the beginning of a backup of another ledger.`,
      metaMessages: ['Remove it, or name another folder.'],
    },
  )
}

export interface RestoreLedgerOptions {
  /** A folder that `backupLedger` made. */
  readonly backup: string
  /** The data folder of a server that is not running; made when absent. */
  readonly directory: string
  /** The name it had, unless told. */
  readonly name?: string
  readonly fileSystem?: FileSystem
  readonly onProgress?: (progress: ImportProgress) => void
  /** As {@link ImportLedgerOptions} has them. */
  readonly projections?: ProjectionDriver
  readonly segmentBytes?: number
  readonly isLocked?: boolean
}

/**
 * Makes the ledger of a backup again: every block is checked, and all of them against the digest that the backup was
 * made with. Takes the way of an import, so that nothing half restored ever answers, and an interrupted one goes on.
 * @throws BackupError BACKUP_INVALID; ImportError; LedgerError LEDGER_EXISTS, DIRECTORY_IN_USE; JournalError DAMAGED
 */
export async function restoreLedger(options: RestoreLedgerOptions): Promise<ImportReport> {
  const { backup, fileSystem = nodeFileSystem, ...others } = options
  const { description, blockCount, digest } = await readBackupFile(backup, fileSystem)
  const { name, strandId, state: _, ...rest } = description
  const lastSequenceNo = blockCount - 1
  return importLedger({
    name,
    ...others,
    fileSystem,
    description: rest,
    expectedDigest: { sequenceNo: lastSequenceNo, digest: fromBase64(digest) },
    source: {
      strandId,
      firstSequenceNo: 0,
      lastSequenceNo,
      bringsCatalog: true,
      async *blocksFrom(sequenceNo) {
        for await (const block of readFolderBlocks(backup, strandId, fileSystem)) {
          if (block.sequenceNo >= sequenceNo) yield sourceBlock(block, backup)
        }
      },
    },
  })
}

function sourceBlock({ value, catalogInfo }: FolderBlock, source: string) {
  return { value, catalogInfo, source }
}

async function readBackupFile(backup: string, fileSystem: FileSystem): Promise<BackupFile> {
  const path = `${backup}/${backupFileName}`
  try {
    const file = JSON.parse(fromUtf8(await fileSystem.readFile(path))) as BackupFile
    if (file.cairnBackup === 1) return file
    throw new RangeError('it is of another version')
  } catch (cause) {
    throw new BackupError(
      { code: 'BACKUP_INVALID', path: backup },
      {
        shortMessage: `${backup} is no backup of a ledger.`,
        metaMessages: [
          `A backup has the file ${backupFileName}, which is written last.`,
          'Make one with: cairn ledger backup LEDGER FOLDER',
        ],
        cause,
      },
    )
  }
}
