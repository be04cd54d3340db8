/**
 * The jobs of one kind, exports or streams, in memory and as one file each (job-files.ts): changes of a job reach the
 * disk one after the other, and a job that ended a week ago is forgotten.
 */
import { type Clock, type FileSystem, type Logger, silentLogger } from '@cairn/core'
import type { Ledger, LedgerHost } from '@cairn/ledger'
import { JobFiles } from './job-files.ts'

/** What every job has. Plain data. */
export interface Job {
  /** Undefined while it is under way. */
  readonly endedMs: number | undefined
}

export interface JobBookOptions {
  readonly clock: Clock
  readonly logger?: Logger | undefined
  readonly fileSystem: FileSystem
  /** Of the files. */
  readonly directory: string
}

/** After their end. Source: QLDB API reference, DescribeJournalS3Export and DescribeJournalKinesisStream. */
export const keptMsMax: number = 7 * 24 * 60 * 60_000

/** Reads the files. */
export async function openJobBook<T extends Job>(options: JobBookOptions): Promise<JobBook<T>> {
  const { fileSystem, directory, logger = silentLogger } = options
  const files = new JobFiles<T>(fileSystem, directory, logger)
  return new JobBook(options, files, await files.load())
}

export class JobBook<T extends Job> {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #files: JobFiles<T>
  readonly #jobs: Map<string, T>
  /** By job: the end of its last write. Never rejects. */
  readonly #writing = new Map<string, Promise<unknown>>()

  constructor({ clock, logger }: JobBookOptions, files: JobFiles<T>, jobs: Map<string, T>) {
    this.#clock = clock
    this.#logger = logger ?? silentLogger
    this.#files = files
    this.#jobs = jobs
  }

  entries(): IterableIterator<[id: string, job: T]> {
    return this.#jobs.entries()
  }

  /** Without those that ended long ago. */
  all(): T[] {
    this.#forgetOld()
    return [...this.#jobs.values()]
  }

  /** @throws Error when there is none: ids come from here. */
  get(id: string): T {
    const job = this.#jobs.get(id)
    if (job === undefined) throw new Error(`There is no job ${id}.`)
    return job
  }

  /** Counts from now on; answers when it is on the disk. Rejects, and it has never been, when it cannot be kept. */
  async add(id: string, job: T): Promise<void> {
    this.#jobs.set(id, job)
    try {
      await this.#files.write(id, job)
    } catch (error) {
      this.#jobs.delete(id)
      throw error
    }
  }

  /** Holds once it is on the disk, and answers then. */
  keep(id: string, changes: Partial<T>): Promise<void> {
    const before = this.#writing.get(id) ?? Promise.resolve()
    const written = before.then(async () => {
      const job = { ...this.get(id), ...changes }
      await this.#files.write(id, job)
      this.#jobs.set(id, job)
    })
    this.#writing.set(
      id,
      written.catch(() => undefined),
    )
    return written
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing.values())
  }

  #forgetOld(): void {
    const nowMs = this.#clock.nowMs()
    for (const [id, { endedMs }] of this.#jobs) {
      if (endedMs === undefined || nowMs - endedMs < keptMsMax) continue
      this.#jobs.delete(id)
      this.#writing.delete(id)
      this.#files.remove(id).catch((error: unknown) => {
        this.#logger.log('warn', 'an old job could not be removed', { id, error })
      })
    }
  }
}

/** The ledger that a job is about. Undefined when it is no more, also when another one has its name now. */
export function ledgerOfJob(
  host: LedgerHost,
  { ledgerName, strandId }: { readonly ledgerName: string; readonly strandId: string },
): Ledger | undefined {
  const isThere = host
    .listLedgers()
    .some((ledger) => ledger.name === ledgerName && ledger.strandId === strandId)
  return isThere ? host.getLedger(ledgerName) : undefined
}

/** A key by which jobs are in the order of their start. */
export function jobOrder(createdMs: number, id: string): string {
  return `${String(createdMs).padStart(15, '0')}/${id}`
}
