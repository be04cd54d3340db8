/**
 * A whole ledger as a journal export in a folder, beside a running server. What it covers is decided when it begins;
 * ended at any moment, the same call goes on where it stood.
 *
 *   <target>.partial/                     while it grows
 *   <target>.partial/export-state.json    how far it has come; it goes away last, when the folder has its name
 */
import { dirname } from 'node:path'
import {
  type Clock,
  createIdSource,
  type FileSystem,
  fromUtf8,
  isFolderUnbegun,
  type Random,
  removeTemporaries,
  toBase64,
  utf8,
} from '@cairn/core'
import {
  type ExportFormat,
  type ExportProgress,
  type ExportRequest,
  folderSource,
} from '@cairn/journal-export'
import { findLedgerFiles, type LedgerFiles, openLedgerFolder } from '@cairn/ledger'
import { CliError } from './errors.ts'
import { writeExportFolder } from './export-folder.ts'

export interface ExportLedgerOptions {
  /** The data folder. */
  readonly directory: string
  readonly name: string
  /** A folder that does not exist yet, in one that does. Absolute. */
  readonly target: string
  readonly format: ExportFormat
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  /** Called before the ledger is read to its end, which takes a while. */
  readonly onReading?: () => void
  readonly onBlock?: (blockCount: number, totalBlockCount: number) => void
  readonly objectBytesMax?: number
}

/** What an export covers, and how far it has come. */
export interface ExportState {
  readonly request: ExportRequest
  readonly blockCount: number
  /** Base64. */
  readonly digest: string
  readonly progress: ExportProgress
}

const stateFileName = 'export-state.json'

/** @throws CliError FILE_INVALID: the folder is another one's; LedgerError LEDGER_NOT_FOUND; JournalError DAMAGED */
export async function exportLedger(options: ExportLedgerOptions): Promise<ExportState> {
  const { directory, name, target, fileSystem, onBlock } = options
  const files = await findLedgerFiles(directory, name, fileSystem)
  if (await fileSystem.exists(target)) {
    const finished = await readState(target, files, options)
    if (finished === undefined) throw targetExists(target)
    return forgetState(target, finished, fileSystem)
  }
  const folder = `${target}.partial`
  const state = (await readState(folder, files, options)) ?? (await begin(folder, files, options))
  const { request, blockCount, progress } = state
  await writeExportFolder({
    files,
    request,
    blockCount,
    folder,
    fileSystem,
    progress,
    onObject: (reached) => keepState(folder, { ...state, progress: reached }, fileSystem),
    onBlock: (count) => onBlock?.(count, blockCount),
    ...(options.objectBytesMax === undefined ? {} : { objectBytesMax: options.objectBytesMax }),
  })
  const keys = await folderSource(fileSystem, folder).list()
  for (const each of new Set(keys.map((key) => dirname(`${folder}/${key}`)))) {
    await removeTemporaries(fileSystem, each)
  }
  await fileSystem.rename(folder, target)
  await fileSystem.syncDirectory(dirname(target))
  return forgetState(target, state, fileSystem)
}

function keepState(folder: string, state: ExportState, fileSystem: FileSystem): Promise<void> {
  return fileSystem.writeFileAtomic(`${folder}/${stateFileName}`, utf8(JSON.stringify(state)))
}

async function forgetState(
  folder: string,
  state: ExportState,
  fileSystem: FileSystem,
): Promise<ExportState> {
  await fileSystem.remove(`${folder}/${stateFileName}`)
  await fileSystem.syncDirectory(folder)
  return state
}

/** Of the same export, ended before. @throws CliError FILE_INVALID when it is of another one */
async function readState(
  folder: string,
  { description }: LedgerFiles,
  { format, fileSystem }: ExportLedgerOptions,
): Promise<ExportState | undefined> {
  const path = `${folder}/${stateFileName}`
  if (!(await fileSystem.exists(path))) return undefined
  const state = JSON.parse(fromUtf8(await fileSystem.readFile(path))) as ExportState
  const { request } = state
  if (request.strandId === description.strandId && request.format === format) return state
  throw targetExists(folder)
}

async function begin(
  folder: string,
  { description }: LedgerFiles,
  { directory, name, format, fileSystem, clock, random, onReading }: ExportLedgerOptions,
): Promise<ExportState> {
  if (!(await isFolderUnbegun(fileSystem, folder, stateFileName))) throw targetExists(folder)
  onReading?.()
  const { digest, tipAddress } = await (
    await openLedgerFolder(directory, name, fileSystem)
  ).digest()
  const nowMs = clock.nowMs()
  const state: ExportState = {
    request: {
      exportId: createIdSource(clock, random).random(),
      ledgerName: name,
      strandId: description.strandId,
      createdMs: nowMs,
      inclusiveStartMs: description.createdMs,
      exclusiveEndMs: nowMs,
      bucket: 'local',
      prefix: '',
      encryption: 'NO_ENCRYPTION',
      kmsKeyArn: undefined,
      format,
    },
    blockCount: tipAddress.sequenceNo + 1,
    digest: toBase64(digest),
    progress: { keys: [], nextSequenceNo: 0 },
  }
  await fileSystem.makeDirectory(folder)
  await keepState(folder, state, fileSystem)
  await fileSystem.syncDirectory(dirname(folder))
  return state
}

function targetExists(path: string): CliError {
  return new CliError(
    { code: 'FILE_INVALID', path },
    {
      shortMessage: `${path} exists already.`,
      metaMessages: ['Name a folder that does not exist yet, or remove this one.'],
    },
  )
}
