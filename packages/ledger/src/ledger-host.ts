/**
 * All ledgers of one data folder: their descriptions, their life, the lock that keeps a second process out.
 *
 *   <directory>/ledgers/<strandId>/ledger.json   description; written last, so a folder without it is a ledger that
 *                                                never was; state DELETING: a ledger that is no more
 */
import {
  type Clock,
  createIdSource,
  createSystemClock,
  type FileSystem,
  fromUtf8,
  type IdSource,
  type Logger,
  type Metrics,
  noMetrics,
  type Random,
  silentLogger,
  systemRandom,
  utf8,
} from '@cairn/core'
import {
  type DirectoryLock,
  JournalError,
  lockDirectory,
  nodeFileSystem,
  segmentBytesDefault,
} from '@cairn/journal'
import type {
  CreateLedgerOptions,
  EraseCopies,
  Ledger,
  LedgerChanges,
  LedgerDescription,
  LedgerHost,
} from './api.ts'
import { type TableTags, tableNotFound } from './catalog.ts'
import { LedgerError } from './errors.ts'
import type { LedgerEngine } from './ledger.ts'
import { defaultLimits, type LedgerLimits } from './limits.ts'
import { lmdbProjections } from './lmdb-projection.ts'
import { Mutex } from './mutex.ts'
import { openEngine } from './open-engine.ts'
import type { ProjectionDriver } from './projection.ts'
import { SealerThread } from './threaded-sealer.ts'

/** QLDB: 1 to 32 letters, digits and single hyphens, not digits only (qldb-compat 2). */
const namePattern = /^(?!.*--)(?![0-9]+$)(?!-)(?!.*-$)[A-Za-z0-9-]{1,32}$/
const tagCountMax = 50
const tagKeyLengthMax = 128
const tagValueLengthMax = 256
/** Ledgers hold keys that log domains and later secrets stand beside: for the owner only. */
export const descriptionFileMode = 0o600

export interface LedgerHostOptions {
  /** Made when absent. */
  readonly directory: string
  readonly fileSystem?: FileSystem
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  readonly metrics?: Metrics
  /**
   * Called once the folder is this process' own, before its ledgers are opened, which takes a while when much is to be
   * replayed. What it throws ends the opening.
   */
  onLocked?(): Promise<void>
  /** Single limits; the others stay as QLDB had them. */
  readonly limits?: Partial<LedgerLimits>
  /** Where projections are kept; LMDB unless told. */
  readonly projections?: ProjectionDriver
  /** Size of a journal's segment files. A record must fit into one; 64 MiB unless told. */
  readonly segmentBytes?: number
  /**
   * Where blocks are sealed: on a thread of their own, or in place. The default is a thread, except from TypeScript
   * source, of which Node makes no threads, and where files or projections are not the real ones.
   */
  readonly sealing?: 'thread' | 'inline'
  /** Takes redacted data out of copies of the journal elsewhere, such as exports; absent: there are none. */
  readonly eraseCopies?: EraseCopies
  /** Keeps other processes out of the folder; off only where the file system is not a real one. */
  readonly isLocked?: boolean
}

interface Hosted {
  readonly description: LedgerDescription
  readonly engine: LedgerEngine
}

/**
 * @throws LedgerError DIRECTORY_IN_USE, LEDGER_DAMAGED; JournalError DAMAGED. Nothing was changed then.
 */
export async function openLedgerHost(options: LedgerHostOptions): Promise<LedgerHost> {
  const fileSystem = options.fileSystem ?? nodeFileSystem
  const clock = options.clock ?? createSystemClock()
  const random = options.random ?? systemRandom
  const withoutThread = {
    directory: options.directory,
    fileSystem,
    clock,
    random,
    ids: createIdSource(clock, random),
    logger: options.logger ?? silentLogger,
    metrics: options.metrics ?? noMetrics,
    limits: { ...defaultLimits, ...options.limits },
    projections: options.projections ?? lmdbProjections,
    segmentBytes: options.segmentBytes ?? segmentBytesDefault,
    eraseCopies: options.eraseCopies,
  }
  const lock = await takeFolder(options, fileSystem)
  // Not before: a process that is refused has no thread that keeps it from ending.
  const sealerThread = isThreaded(options) ? new SealerThread() : undefined
  const context: HostContext = { ...withoutThread, sealerThread }
  const hosted = new Map<string, Hosted>()
  try {
    await options.onLocked?.()
    for (const strandId of await fileSystem.list(ledgersDirectory(context))) {
      const ledger = await openHosted(context, strandId)
      if (ledger !== undefined) hosted.set(ledger.description.name, ledger)
    }
  } catch (error) {
    for (const { engine } of hosted.values()) await engine.close()
    await context.sealerThread?.close()
    await lock?.release()
    throw error
  }
  return new DirectoryLedgerHost(context, lock, hosted)
}

/** Makes the folder where there is none, and keeps others out of it. @throws LedgerError */
async function takeFolder(
  { directory, isLocked }: LedgerHostOptions,
  fileSystem: FileSystem,
): Promise<DirectoryLock | undefined> {
  try {
    await fileSystem.makeDirectory(ledgersDirectory({ directory }))
    // Also when they exist: the process that made them may have ended before it got here.
    await fileSystem.syncDirectory(directory)
    await fileSystem.syncDirectory(parentOf(directory))
    return isLocked === false ? undefined : await lockForUs(directory)
  } catch (error) {
    throw folderError(directory, error)
  }
}

/** What the operating system refuses, and what the reader can do. */
const folderRefusals: Readonly<Record<string, string>> = {
  EROFS: 'The file system is read-only.',
  EACCES: 'This account may not write there.',
  EPERM: 'This account may not write there.',
  // Node makes of EROFS when a missing folder above cannot be made, too.
  ENOENT: 'A folder above it is missing or cannot be made.',
  ENOTDIR: 'A file is in the way.',
  EEXIST: 'A file is in the way.',
  ENOSPC: 'The disk is full.',
  EDQUOT: 'The disk quota of this account is used up.',
}

function folderError(directory: string, error: unknown): unknown {
  const systemCode = (error as NodeJS.ErrnoException).code ?? ''
  const refusal = Object.hasOwn(folderRefusals, systemCode) ? folderRefusals[systemCode] : undefined
  if (refusal === undefined || error instanceof LedgerError) return error
  return new LedgerError(
    { code: 'DIRECTORY_NOT_WRITABLE', directory, systemCode },
    {
      shortMessage: `The data folder ${directory} cannot be written to. ${refusal}`,
      metaMessages: [
        `Cause: ${systemCode}`,
        'Choose another folder (--data-dir), or see to it that this one can be written to.',
      ],
      cause: error,
    },
  )
}

/** The folder that `directory` is in. */
export function parentOf(directory: string): string {
  const path = directory.replace(/\/+$/, '')
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}

/** @throws LedgerError DIRECTORY_IN_USE */
export async function lockForUs(directory: string): Promise<DirectoryLock> {
  try {
    return await lockDirectory(directory)
  } catch (error) {
    if (!(error instanceof JournalError && error.code === 'LOCKED')) throw error
    throw new LedgerError(
      { code: 'DIRECTORY_IN_USE', directory },
      { shortMessage: error.message, cause: error },
    )
  }
}

interface HostContext {
  readonly directory: string
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  readonly ids: IdSource
  readonly logger: Logger
  readonly metrics: Metrics
  readonly limits: LedgerLimits
  readonly projections: ProjectionDriver
  readonly segmentBytes: number
  readonly eraseCopies: EraseCopies | undefined
  readonly sealerThread: SealerThread | undefined
}

/** Only what has no state in this thread can be worked on by another. */
function isThreaded({ sealing, projections, fileSystem }: LedgerHostOptions): boolean {
  const isPossible = projections === undefined && fileSystem === undefined
  return sealing !== 'inline' && isPossible && import.meta.url.endsWith('.js')
}

function ledgersDirectory({ directory }: Pick<HostContext, 'directory'>): string {
  return `${directory}/ledgers`
}

function ledgerDirectory(context: HostContext, strandId: string): string {
  return `${ledgersDirectory(context)}/${strandId}`
}

/** Opens what stands in a ledger's folder; clears it away when it is no ledger any more, or never became one. */
async function openHosted(context: HostContext, strandId: string): Promise<Hosted | undefined> {
  const { fileSystem, logger } = context
  const directory = ledgerDirectory(context, strandId)
  const path = `${directory}/ledger.json`
  const description = (await fileSystem.exists(path))
    ? readDescription(fromUtf8(await fileSystem.readFile(path)), directory)
    : undefined
  if (description === undefined || description.state === 'DELETING') {
    logger.log('info', 'clearing away the rest of a ledger that was not created or was deleted', {
      directory,
    })
    await fileSystem.remove(directory)
    return undefined
  }
  return { description, engine: await openIn(context, description, false) }
}

async function openIn(
  context: HostContext,
  description: LedgerDescription,
  isNew: boolean,
): Promise<LedgerEngine> {
  const { name, strandId } = description
  const directory = ledgerDirectory(context, strandId)
  const engine = await openEngine({ ...context, name, strandId, directory, isNew })
  engine.configure(description)
  return engine
}

function readDescription(text: string, directory: string): LedgerDescription {
  try {
    return JSON.parse(text) as LedgerDescription
  } catch (cause) {
    throw new LedgerError(
      { code: 'LEDGER_DAMAGED', directory },
      {
        shortMessage: 'The description of a ledger, ledger.json, is no JSON.',
        metaMessages: [`Folder: ${directory}`, 'Restore the file from a backup.'],
        cause,
      },
    )
  }
}

class DirectoryLedgerHost implements LedgerHost {
  readonly #context: HostContext
  readonly #lock: DirectoryLock | undefined
  readonly #hosted: Map<string, Hosted>
  readonly #mutex = new Mutex()

  constructor(context: HostContext, lock: DirectoryLock | undefined, hosted: Map<string, Hosted>) {
    this.#context = context
    this.#lock = lock
    this.#hosted = hosted
  }

  createLedger(options: CreateLedgerOptions): Promise<LedgerDescription> {
    return this.#mutex.run(async () => {
      const { name } = options
      this.#checkNewName(name)
      checkTags(name, options.tags ?? {})
      const { clock, fileSystem, ids } = this.#context
      const description: LedgerDescription = {
        name,
        strandId: ids.random(),
        state: 'ACTIVE',
        createdMs: clock.nowMs(),
        permissionsMode: options.permissionsMode ?? 'ALLOW_ALL',
        isDeletionProtected: options.isDeletionProtected ?? true,
        isStrictQldb: options.isStrictQldb ?? false,
        kmsKey: options.kmsKey,
        tags: options.tags ?? {},
      }
      await fileSystem.makeDirectory(ledgerDirectory(this.#context, description.strandId))
      const engine = await openIn(this.#context, description, true)
      await this.#write(description)
      await fileSystem.syncDirectory(ledgersDirectory(this.#context))
      this.#hosted.set(name, { description, engine })
      return description
    })
  }

  #checkNewName(name: string): void {
    checkLedgerName(name)
    if (this.#hosted.has(name)) {
      throw new LedgerError(
        { code: 'LEDGER_EXISTS', ledgerName: name },
        { shortMessage: `Ledger ${name} exists already.` },
      )
    }
    const valueMax = this.#context.limits.ledgerCountMax
    if (this.#hosted.size >= valueMax) {
      const value = this.#hosted.size + 1
      throw new LedgerError(
        { code: 'LIMIT_EXCEEDED', limit: 'ledgerCountMax', value, valueMax },
        {
          shortMessage: `There are ${valueMax} ledgers, which is the limit.`,
          metaMessages: ['Delete one, or raise ledgerCountMax with cairn up --limits FILE.'],
        },
      )
    }
  }

  describeLedger(name: string): LedgerDescription {
    return this.#find(name).description
  }

  listLedgers(): readonly LedgerDescription[] {
    const descriptions = [...this.#hosted.values()].map(({ description }) => description)
    return descriptions.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  updateLedger(name: string, changes: LedgerChanges): Promise<LedgerDescription> {
    return this.#mutex.run(async () => {
      const { description, engine } = this.#find(name)
      checkTags(name, changes.tags ?? {})
      const changed = { ...description, ...changes }
      await this.#write(changed)
      engine.configure(changed)
      this.#hosted.set(name, { description: changed, engine })
      return changed
    })
  }

  tableTags(name: string, tableId: string): TableTags | undefined {
    const { description, engine } = this.#find(name)
    const created = engine.createdTags(tableId)
    return created === undefined ? undefined : (description.tableTags?.[tableId] ?? created)
  }

  setTableTags(name: string, tableId: string, tags: TableTags): Promise<void> {
    return this.#mutex.run(async () => {
      const { description, engine } = this.#find(name)
      if (engine.createdTags(tableId) === undefined) throw tableNotFound(tableId)
      checkTags(name, tags)
      const changed = { ...description, tableTags: { ...description.tableTags, [tableId]: tags } }
      await this.#write(changed)
      this.#hosted.set(name, { description: changed, engine })
    })
  }

  deleteLedger(name: string): Promise<void> {
    return this.#mutex.run(async () => {
      const { description, engine } = this.#find(name)
      if (description.isDeletionProtected) {
        throw new LedgerError(
          { code: 'LEDGER_PROTECTED', ledgerName: name },
          {
            shortMessage: `Ledger ${name} is protected against deletion.`,
            metaMessages: ['Switch deletion protection off first.'],
          },
        )
      }
      // From here on it is gone, also when the process ends before the files are.
      await this.#write({ ...description, state: 'DELETING' })
      this.#hosted.delete(name)
      await engine.close()
      await this.#context.fileSystem.remove(ledgerDirectory(this.#context, description.strandId))
    })
  }

  stoppedLedgers(): readonly string[] {
    const stopped = [...this.#hosted.values()].filter(({ engine }) => engine.isStopped)
    return stopped.map(({ description }) => description.name)
  }

  getLedger(name: string): Ledger {
    return this.#find(name).engine
  }

  close(): Promise<void> {
    return this.#mutex.run(async () => {
      for (const { engine } of this.#hosted.values()) await engine.close()
      this.#hosted.clear()
      await this.#context.sealerThread?.close()
      await this.#lock?.release()
    })
  }

  #find(name: string): Hosted {
    const hosted = this.#hosted.get(name)
    if (hosted !== undefined) return hosted
    throw new LedgerError(
      { code: 'LEDGER_NOT_FOUND', ledgerName: name },
      { shortMessage: `There is no ledger ${JSON.stringify(name)}.` },
    )
  }

  #write(description: LedgerDescription): Promise<void> {
    const path = `${ledgerDirectory(this.#context, description.strandId)}/ledger.json`
    const bytes = utf8(`${JSON.stringify(description, null, 2)}\n`)
    return this.#context.fileSystem.writeFileAtomic(path, bytes, descriptionFileMode)
  }
}

/** @throws LedgerError LEDGER_NAME_INVALID */
export function checkLedgerName(name: string): void {
  if (namePattern.test(name)) return
  throw new LedgerError(
    { code: 'LEDGER_NAME_INVALID', ledgerName: name },
    {
      shortMessage: `${JSON.stringify(name)} is no name for a ledger.`,
      metaMessages: [
        'A name has 1 to 32 letters, digits and single hyphens, none at the ends, and not digits only.',
      ],
    },
  )
}

/** @throws LedgerError TAGS_INVALID */
function checkTags(ledgerName: string, tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags)
  const isValid =
    entries.length <= tagCountMax &&
    entries.every(
      ([key, value]) =>
        key.length >= 1 && key.length <= tagKeyLengthMax && value.length <= tagValueLengthMax,
    )
  if (isValid) return
  throw new LedgerError(
    { code: 'TAGS_INVALID', ledgerName },
    {
      shortMessage: `A ledger or a table has at most ${tagCountMax} tags.`,
      metaMessages: [
        `Keys have 1 to ${tagKeyLengthMax} characters, values at most ${tagValueLengthMax}.`,
      ],
    },
  )
}
