/**
 * Journal exports as jobs (qldb-compat 2): started by a request, kept in a file each, resumed after a restart,
 * forgotten a week after their end. What they write is the matter of `@cairn/journal-export`.
 */
import { type Clock, type FileSystem, type IdSource, type Logger, silentLogger } from '@cairn/core'
import {
  ExportError,
  type ExportProgress,
  type ExportRequest,
  type ObjectStore,
  writeExport,
} from '@cairn/journal-export'
import type { LedgerHost } from '@cairn/ledger'
import { parameterInvalid, serverError } from '../errors.ts'
import { type JobBook, jobOrder, ledgerOfJob, openJobBook } from '../job-book.ts'

export type ExportStatus = 'IN_PROGRESS' | 'COMPLETED' | 'CANCELLED'

/** As it is kept; plain data. */
export interface ExportJob {
  readonly request: ExportRequest
  readonly roleArn: string
  readonly status: ExportStatus
  readonly progress: ExportProgress | undefined
  readonly endedMs: number | undefined
}

export interface ExportJobsOptions {
  readonly host: LedgerHost
  readonly store: ObjectStore
  readonly clock: Clock
  readonly ids: IdSource
  readonly logger?: Logger
  readonly fileSystem: FileSystem
  /** Of the job files. */
  readonly directory: string
  /** Larger objects need more memory while they are made. */
  readonly objectBytesMax?: number
}

export type NewExport = Omit<ExportRequest, 'exportId' | 'strandId' | 'createdMs'> & {
  readonly roleArn: string
}

interface ObjectBeingWritten {
  readonly strandId: string
  readonly ended: Promise<void>
  end(): void
}

/** Per ledger. Source: QLDB developer guide, "Quotas and limits". */
export const activeExportCountMax = 2
/** A store that is away for longer than all of these together, about a quarter of an hour, ends the export. */
const retryMs = [1000, 2000, 4000, 8000, 15_000, 30_000, ...new Array<number>(14).fill(60_000)]

/** Reads the job files and goes on with what was under way. */
export async function openExportJobs(options: ExportJobsOptions): Promise<ExportJobs> {
  return new ExportJobs(options, await openJobBook<ExportJob>(options))
}

export class ExportJobs {
  readonly #options: ExportJobsOptions
  readonly #logger: Logger
  readonly #jobs: JobBook<ExportJob>
  readonly #running = new Set<Promise<void>>()
  /** By export: the object that is being filled and written. */
  readonly #writing = new Map<string, ObjectBeingWritten>()
  readonly #closing = new AbortController()

  constructor(options: ExportJobsOptions, jobs: JobBook<ExportJob>) {
    this.#options = options
    this.#logger = options.logger ?? silentLogger
    this.#jobs = jobs
    for (const [id, { status }] of jobs.entries()) if (status === 'IN_PROGRESS') this.#start(id)
  }

  /**
   * Answers when the job is on the disk; the export itself follows.
   * @throws QldbServerError PARAMETER_INVALID, JOB_LIMIT_EXCEEDED; LedgerError LEDGER_NOT_FOUND
   */
  async create(wanted: NewExport): Promise<ExportJob> {
    const { host, clock, ids, store } = this.#options
    const { roleArn, ...named } = wanted
    const ledger = host.describeLedger(named.ledgerName)
    const createdMs = clock.nowMs()
    const inclusiveStartMs = Math.max(named.inclusiveStartMs, ledger.createdMs)
    if (named.exclusiveEndMs > createdMs) {
      throw parameterInvalid('ExclusiveEndTime', 'ExclusiveEndTime must not be in the future.')
    }
    if (inclusiveStartMs >= named.exclusiveEndMs) {
      throw parameterInvalid(
        'InclusiveStartTime',
        'InclusiveStartTime, or the creation of the ledger when that was later, must be before ExclusiveEndTime.',
      )
    }
    this.#checkCount(ledger.name, ledger.strandId)
    if (!(await store.hasBucket(named.bucket))) {
      throw parameterInvalid(
        'S3ExportConfiguration',
        `The bucket ${named.bucket} does not exist. Create it first.`,
      )
    }
    // Again: others came while the store was asked.
    this.#checkCount(ledger.name, ledger.strandId)
    const { strandId } = ledger
    const exportId = ids.random()
    const job: ExportJob = {
      request: { ...named, exportId, strandId, createdMs, inclusiveStartMs },
      roleArn,
      status: 'IN_PROGRESS',
      progress: undefined,
      endedMs: undefined,
    }
    await this.#jobs.add(exportId, job)
    this.#start(exportId)
    return job
  }

  /** Those of the ledgers that are there now, oldest first: a ledger's name says nothing about who had it before. */
  list(ledgerName?: string): readonly ExportJob[] {
    const strands = new Set(
      this.#options.host
        .listLedgers()
        .filter(({ name }) => ledgerName === undefined || name === ledgerName)
        .map(({ strandId }) => strandId),
    )
    return this.#jobs
      .all()
      .filter(({ request }) => strands.has(request.strandId))
      .sort((a, b) => (exportOrder(a) < exportOrder(b) ? -1 : 1))
  }

  find(ledgerName: string, exportId: string): ExportJob | undefined {
    return this.list(ledgerName).find(({ request }) => request.exportId === exportId)
  }

  /**
   * Resolves when the objects of a ledger that are being written are written, or given up. Those begun later hold the
   * blocks as they are shown by then.
   */
  async untilWritten(strandId: string): Promise<void> {
    const writing = [...this.#writing.values()].filter((each) => each.strandId === strandId)
    await Promise.all(writing.map(({ ended }) => ended))
  }

  /** Gives up what is under way; the next start goes on with it. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('The server is closing.'))
    await Promise.all(this.#running)
  }

  #checkCount(ledgerName: string, strandId: string): void {
    let count = 0
    for (const { request, status } of this.#jobs.all()) {
      if (request.strandId === strandId && status === 'IN_PROGRESS') count++
    }
    if (count < activeExportCountMax) return
    throw serverError(
      {
        code: 'JOB_LIMIT_EXCEEDED',
        resourceType: 'JournalS3Export',
        countMax: activeExportCountMax,
      },
      `Ledger ${ledgerName} has ${count} exports under way, which is the limit.`,
    )
  }

  #start(id: string): void {
    const run = this.#run(id).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  /** Never rejects. */
  async #run(id: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const nextBefore = this.#jobs.get(id).progress?.nextSequenceNo
      try {
        await this.#write(id).finally(() => this.#endObject(id))
        await this.#end(id, 'COMPLETED')
        return
      } catch (error) {
        if (this.#closing.signal.aborted) return
        // A store that takes objects again has all its attempts before it.
        if (this.#jobs.get(id).progress?.nextSequenceNo !== nextBefore) attempt = 0
        const delayMs = this.#isHopeless(id, error) ? undefined : retryMs[attempt]
        const fields = { exportId: id, error, delayMs }
        if (delayMs === undefined) {
          this.#logger.log('error', 'a journal export is given up', fields)
          await this.#end(id, 'CANCELLED').catch((cause: unknown) => {
            this.#logger.log('error', 'the end of a journal export could not be kept', { cause })
          })
          return
        }
        this.#logger.log('warn', 'a journal export is tried again', fields)
        const { clock } = this.#options
        await clock.sleep(delayMs, this.#closing.signal).catch(() => undefined)
        if (this.#closing.signal.aborted) return
      }
    }
  }

  #isHopeless(id: string, error: unknown): boolean {
    if (error instanceof ExportError && error.code === 'STORE_REFUSED') return true
    return ledgerOfJob(this.#options.host, this.#jobs.get(id).request) === undefined
  }

  async #write(id: string): Promise<void> {
    const { request, progress } = this.#jobs.get(id)
    const ledger = ledgerOfJob(this.#options.host, request)
    if (ledger === undefined) throw new Error('The ledger was deleted.')
    const { createdMs } = this.#options.host.describeLedger(request.ledgerName)
    // A commit that is numbered may still be on its way to the disk; this waits for all of them.
    await ledger.startTransaction().commit()
    const isFromStart = request.inclusiveStartMs <= createdMs
    const first = isFromStart ? 0 : ledger.firstBlockSince(request.inclusiveStartMs)
    const { store, objectBytesMax } = this.#options
    const { bucket, encryption, kmsKeyArn } = request
    const { signal } = this.#closing
    await writeExport({
      request,
      blocksFrom: (sequenceNo) => {
        this.#beginObject(id, request.strandId)
        return ledger.blocksFrom(sequenceNo)
      },
      endSequenceNo: ledger.firstBlockSince(request.exclusiveEndMs),
      progress: progress ?? { keys: [], nextSequenceNo: first },
      onProgress: (reached) => this.#jobs.keep(id, { progress: reached }),
      put: (key, bytes, contentType) =>
        store
          .put(bucket, key, bytes, { contentType, encryption, kmsKeyArn, signal })
          .finally(() => this.#endObject(id)),
      signal,
      ...(objectBytesMax === undefined ? {} : { objectBytesMax }),
    })
  }

  #beginObject(id: string, strandId: string): void {
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#writing.set(id, { strandId, ended, end })
  }

  /** Also when there is none. */
  #endObject(id: string): void {
    this.#writing.get(id)?.end()
    this.#writing.delete(id)
  }

  async #end(id: string, status: ExportStatus): Promise<void> {
    await this.#jobs.keep(id, { status, endedMs: this.#options.clock.nowMs() })
    this.#logger.log('info', 'a journal export has ended', { exportId: id, status })
  }
}

/** A key by which exports are in the order of their start. */
export function exportOrder({ request }: ExportJob): string {
  return jobOrder(request.createdMs, request.exportId)
}
