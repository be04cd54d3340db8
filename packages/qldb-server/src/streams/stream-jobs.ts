/**
 * Journal streams as jobs (qldb-compat 2): started by a request, kept in a file each, gone on with after a restart from
 * where their target was, forgotten a week after their end. How records get there: `@cairn/journal-stream`.
 */
import { type Clock, type FileSystem, type IdSource, type Logger, silentLogger } from '@cairn/core'
import {
  runStream,
  type StreamErrorCause,
  type StreamPosition,
  type StreamTarget,
} from '@cairn/journal-stream'
import type { Ledger, LedgerHost } from '@cairn/ledger'
import { type ArnSettings, streamArn } from '../arn.ts'
import { parameterInvalid, QldbServerError, serverError } from '../errors.ts'
import { type JobBook, jobOrder, ledgerOfJob, openJobBook } from '../job-book.ts'

export type StreamStatus = 'ACTIVE' | 'COMPLETED' | 'CANCELED' | 'FAILED' | 'IMPAIRED'

/** As it is kept; plain data. */
export interface StreamJob {
  readonly streamId: string
  readonly streamName: string
  readonly ledgerName: string
  readonly strandId: string
  readonly roleArn: string
  readonly createdMs: number
  readonly inclusiveStartMs: number
  readonly exclusiveEndMs: number | undefined
  /** Of the Kinesis stream or the webhook. */
  readonly targetArn: string
  readonly isAggregated: boolean
  readonly status: StreamStatus
  readonly errorCause: StreamErrorCause | undefined
  readonly position: StreamPosition | undefined
  readonly endedMs: number | undefined
  readonly tags: Readonly<Record<string, string>>
}

export type NewStream = Pick<
  StreamJob,
  | 'streamName'
  | 'ledgerName'
  | 'roleArn'
  | 'inclusiveStartMs'
  | 'exclusiveEndMs'
  | 'targetArn'
  | 'isAggregated'
  | 'tags'
>

export interface StreamJobsOptions {
  readonly host: LedgerHost
  readonly clock: Clock
  readonly ids: IdSource
  readonly logger?: Logger
  readonly arns: ArnSettings
  readonly fileSystem: FileSystem
  /** Of the job files. */
  readonly directory: string
  /** @returns undefined when the server knows of no such target. */
  openTarget(targetArn: string, isAggregated: boolean): StreamTarget | undefined
}

/** Per ledger. Source: QLDB developer guide, "Quotas and limits". */
export const activeStreamCountMax = 5
/** Between two tries to read a journal that could not be read. */
const readRetryMs = 10_000

interface RunningStream {
  readonly ended: Promise<void>
  readonly controller: AbortController
}

/** Reads the job files and goes on with what was under way. */
export async function openStreamJobs(options: StreamJobsOptions): Promise<StreamJobs> {
  return new StreamJobs(options, await openJobBook<StreamJob>(options))
}

export class StreamJobs {
  readonly #options: StreamJobsOptions
  readonly #logger: Logger
  readonly #jobs: JobBook<StreamJob>
  readonly #running = new Map<string, RunningStream>()
  #isClosing = false

  constructor(options: StreamJobsOptions, jobs: JobBook<StreamJob>) {
    this.#options = options
    this.#logger = options.logger ?? silentLogger
    this.#jobs = jobs
    for (const [, job] of jobs.entries()) {
      if (!isOpen(job)) continue
      const target = options.openTarget(job.targetArn, job.isAggregated)
      if (target !== undefined) this.#start(job.streamId, target)
      else void this.#fail(job.streamId, new Error('The server knows its target no more.'))
    }
  }

  /** @throws QldbServerError PARAMETER_INVALID, STREAM_EXISTS, JOB_LIMIT_EXCEEDED; LedgerError LEDGER_NOT_FOUND */
  async create(wanted: NewStream): Promise<StreamJob> {
    const { host, clock, ids, openTarget } = this.#options
    const ledger = host.describeLedger(wanted.ledgerName)
    const { inclusiveStartMs, exclusiveEndMs } = wanted
    const createdMs = clock.nowMs()
    if (inclusiveStartMs > createdMs) {
      throw parameterInvalid('InclusiveStartTime', 'InclusiveStartTime must not be in the future.')
    }
    if (exclusiveEndMs !== undefined && exclusiveEndMs <= inclusiveStartMs) {
      throw parameterInvalid(
        'InclusiveStartTime',
        'InclusiveStartTime must be before ExclusiveEndTime.',
      )
    }
    this.#checkOthers(ledger.strandId, wanted.streamName)
    const target = openTarget(wanted.targetArn, wanted.isAggregated)
    if (target === undefined) {
      throw parameterInvalid(
        'KinesisConfiguration',
        `The server's targets file names nothing for ${wanted.targetArn}.`,
      )
    }
    const job: StreamJob = {
      ...wanted,
      streamId: ids.random(),
      strandId: ledger.strandId,
      createdMs,
      inclusiveStartMs: Math.max(inclusiveStartMs, ledger.createdMs),
      status: 'ACTIVE',
      errorCause: undefined,
      position: undefined,
      endedMs: undefined,
    }
    try {
      await this.#jobs.add(job.streamId, job)
    } catch (error) {
      target.close()
      throw error
    }
    this.#start(job.streamId, target)
    return job
  }

  /** Those of a ledger that is there now, oldest first. */
  list(ledgerName: string): readonly StreamJob[] {
    const { strandId } = this.#options.host.describeLedger(ledgerName)
    return this.#jobs
      .all()
      .filter((job) => job.strandId === strandId)
      .sort((a, b) => (streamOrder(a) < streamOrder(b) ? -1 : 1))
  }

  /** @throws QldbServerError RESOURCE_NOT_FOUND; LedgerError LEDGER_NOT_FOUND */
  get(ledgerName: string, streamId: string): StreamJob {
    const job = this.list(ledgerName).find((each) => each.streamId === streamId)
    if (job !== undefined) return job
    throw serverError(
      { code: 'RESOURCE_NOT_FOUND', resourceType: 'JournalKinesisStream', resourceName: streamId },
      'There is no such stream, or not any more.',
    )
  }

  /** Answers when no record goes out any more. A stream that has ended cannot be canceled. */
  async cancel(ledgerName: string, streamId: string): Promise<void> {
    const job = this.get(ledgerName, streamId)
    if (!isOpen(job)) {
      throw new QldbServerError(
        { code: 'STREAM_ENDED', streamId, status: job.status },
        { shortMessage: `The stream is ${job.status} and cannot be canceled.` },
      )
    }
    await this.#stop(streamId)
    await this.#end(streamId, 'CANCELED')
  }

  async setTags(job: StreamJob, tags: Readonly<Record<string, string>>): Promise<void> {
    await this.#jobs.keep(job.streamId, { tags })
  }

  /** Stops delivering; the next start goes on. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#running.keys()].map((id) => this.#stop(id)))
    await this.#jobs.settled()
  }

  #checkOthers(strandId: string, streamName: string): void {
    const open = this.#jobs.all().filter((job) => job.strandId === strandId && isOpen(job))
    if (open.some((job) => job.streamName === streamName)) {
      throw new QldbServerError(
        { code: 'STREAM_EXISTS', streamName },
        { shortMessage: `The ledger has an active stream ${streamName}.` },
      )
    }
    if (open.length < activeStreamCountMax) return
    throw serverError(
      {
        code: 'JOB_LIMIT_EXCEEDED',
        resourceType: 'JournalKinesisStream',
        countMax: activeStreamCountMax,
      },
      `The ledger has ${open.length} active streams, which is the limit.`,
    )
  }

  #start(id: string, target: StreamTarget): void {
    const controller = new AbortController()
    const ended = this.#run(id, target, controller.signal).finally(() => {
      this.#running.delete(id)
      target.close()
    })
    this.#running.set(id, { ended, controller })
  }

  async #stop(id: string): Promise<void> {
    const running = this.#running.get(id)
    running?.controller.abort(new Error('The stream is stopped.'))
    await running?.ended
  }

  /** Never rejects. */
  async #run(id: string, target: StreamTarget, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#stream(id, target, signal)
        await this.#end(id, 'COMPLETED')
        return
      } catch (error) {
        if (signal.aborted) return
        if (ledgerOfJob(this.#options.host, this.#jobs.get(id)) === undefined) {
          if (!this.#isClosing) await this.#fail(id, error)
          return
        }
        this.#logger.log('error', 'a journal stream cannot go on', { streamId: id, error })
        await this.#options.clock.sleep(readRetryMs, signal).catch(() => undefined)
      }
    }
  }

  async #stream(id: string, target: StreamTarget, signal: AbortSignal): Promise<void> {
    const job = this.#jobs.get(id)
    const ledger = ledgerOfJob(this.#options.host, job)
    if (ledger === undefined) throw new Error('The ledger was deleted.')
    await runStream({
      streamArn: streamArn(this.#options.arns, job.ledgerName, id),
      source: ledger,
      target,
      clock: this.#options.clock,
      position: job.position ?? {
        isCreatedSent: false,
        nextSequenceNo: this.#firstOf(job, ledger),
      },
      exclusiveEndMs: job.exclusiveEndMs,
      signal,
      isImpaired: job.status === 'IMPAIRED',
      onPosition: (position) => this.#jobs.keep(id, { position }),
      onImpaired: (error, errorCause) => {
        this.#logger.log('warn', 'a journal stream is impaired', { streamId: id, error })
        this.#note(id, { status: 'IMPAIRED', errorCause })
      },
      onRecovered: () => {
        this.#logger.log('info', 'a journal stream has recovered', { streamId: id })
        this.#note(id, { status: 'ACTIVE', errorCause: undefined })
      },
    })
  }

  #firstOf({ inclusiveStartMs }: StreamJob, ledger: Ledger): number {
    const { createdMs } = this.#options.host.describeLedger(ledger.name)
    return inclusiveStartMs <= createdMs ? 0 : ledger.firstBlockSince(inclusiveStartMs)
  }

  #end(id: string, status: StreamStatus): Promise<void> {
    this.#logger.log('info', 'a journal stream has ended', { streamId: id, status })
    const endedMs = this.#options.clock.nowMs()
    return this.#jobs.keep(id, { status, endedMs, errorCause: undefined })
  }

  async #fail(id: string, error: unknown): Promise<void> {
    this.#logger.log('error', 'a journal stream has failed', { streamId: id, error })
    await this.#end(id, 'FAILED').catch(() => undefined)
  }

  /** Kept without waiting. */
  #note(id: string, changes: Partial<StreamJob>): void {
    this.#jobs.keep(id, changes).catch((error: unknown) => {
      this.#logger.log('error', 'the state of a stream could not be kept', { streamId: id, error })
    })
  }
}

function isOpen({ status }: StreamJob): boolean {
  return status === 'ACTIVE' || status === 'IMPAIRED'
}

/** A key by which streams are in the order of their start. */
export function streamOrder({ createdMs, streamId }: StreamJob): string {
  return jobOrder(createdMs, streamId)
}
