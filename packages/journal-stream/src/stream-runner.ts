/**
 * Brings a journal to a target from a position on: in order, each record at least once. A batch is delivered before the
 * next is made; the position moves when the target has it, and is kept now and then. A target that is gone makes the
 * stream IMPAIRED; it is tried again for as long as it takes.
 */
import type { Clock } from '@cairn/core'
import type { IonStruct } from '@cairn/ion'
import { controlRecord, recordsOfBlock, type StreamRecord } from './stream-records.ts'
import { type StreamErrorCause, type StreamTarget, StreamTargetError } from './stream-target.ts'

/** A ledger, as far as a stream reads it. */
export interface StreamSource {
  readonly strandId: string
  readonly blockCount: number
  blocksFrom(sequenceNo: number): Iterable<{
    readonly sequenceNo: number
    readonly timestampMs: number
    readonly value: IonStruct
  }>
  untilBlock(sequenceNo: number, signal?: AbortSignal): Promise<void>
}

/** Plain data, to be kept as JSON. */
export interface StreamPosition {
  readonly isCreatedSent: boolean
  readonly nextSequenceNo: number
}

export interface RunStreamOptions {
  readonly streamArn: string
  readonly source: StreamSource
  readonly target: StreamTarget
  readonly clock: Clock
  readonly position: StreamPosition
  /** Blocks from this time on do not belong to the stream any more. Undefined: it has no end. */
  readonly exclusiveEndMs: number | undefined
  readonly signal: AbortSignal
  /** Whether it was when it ran before: `onRecovered` is due then. */
  readonly isImpaired: boolean
  /** Called at most every second while records flow, and at the end; awaited. */
  onPosition(position: StreamPosition): Promise<void>
  onImpaired(error: unknown, cause: StreamErrorCause | undefined): void
  onRecovered(): void
}

/** Of a batch, about: a block is never cut. Bounds memory, and what is sent again after a failure. */
const batchRecordCountMax = 1000
const batchBytesMax = 2 * 1024 * 1024
/** Between two times that the position is kept: what is sent again after a restart. */
const positionMsMin = 1000
/** Blocks made into records between two turns of the event loop, so that commits do not wait. */
const turnBlockCountMax = 16
const retryMsMin = 200
const retryMsMax = 10_000
/** Failures in a row before a stream counts as impaired: one may be a connection that was closed. */
const impairedFailureCount = 2

/** Resolves when the stream's end is delivered; rejects with the reason of `signal` and what the source throws. */
export async function runStream(options: RunStreamOptions): Promise<void> {
  await new StreamRun(options).run()
}

class StreamRun {
  readonly #options: RunStreamOptions
  #position: StreamPosition
  #keptMs = 0
  #isImpaired: boolean

  constructor(options: RunStreamOptions) {
    this.#options = options
    this.#position = options.position
    this.#isImpaired = options.isImpaired
  }

  async run(): Promise<void> {
    const { streamArn, signal, exclusiveEndMs } = this.#options
    try {
      if (!this.#position.isCreatedSent) {
        await this.#deliver([controlRecord(streamArn, 'CREATED')])
        await this.#keep({ ...this.#position, isCreatedSent: true }, true)
      }
      for (;;) {
        signal.throwIfAborted()
        const { records, nextSequenceNo, isEnd } = await this.#nextBatch()
        if (records.length > 0) await this.#deliver(records)
        await this.#keep({ isCreatedSent: true, nextSequenceNo }, isEnd)
        if (isEnd) break
        if (records.length === 0 && (await this.#untilMore(nextSequenceNo)) === 'end') break
      }
      assertEnd(exclusiveEndMs)
      await this.#deliver([controlRecord(streamArn, 'COMPLETED')])
    } finally {
      await this.#keep(this.#position, true)
    }
  }

  /** What the journal has next; no records when there is nothing yet. */
  async #nextBatch(): Promise<{
    records: StreamRecord[]
    nextSequenceNo: number
    isEnd: boolean
  }> {
    const { source, streamArn, exclusiveEndMs, signal } = this.#options
    const records: StreamRecord[] = []
    let { nextSequenceNo } = this.#position
    let blockCount = 0
    let bytes = 0
    let isEnd = false
    for (const { sequenceNo, timestampMs, value } of source.blocksFrom(nextSequenceNo)) {
      isEnd = exclusiveEndMs !== undefined && timestampMs >= exclusiveEndMs
      if (isEnd) break
      for (const record of recordsOfBlock(streamArn, value)) {
        records.push(record)
        bytes += record.ion.length
      }
      nextSequenceNo = sequenceNo + 1
      if (records.length >= batchRecordCountMax || bytes >= batchBytesMax) break
      blockCount++
      if (blockCount % turnBlockCountMax === 0) {
        await new Promise((resolve) => setImmediate(resolve))
        signal.throwIfAborted()
      }
    }
    return { records, nextSequenceNo, isEnd }
  }

  /** Waits for the next block, or for the end of the stream's time. */
  async #untilMore(nextSequenceNo: number): Promise<'more' | 'end'> {
    const { source, clock, exclusiveEndMs, signal } = this.#options
    if (exclusiveEndMs === undefined) {
      await source.untilBlock(nextSequenceNo, signal)
      return 'more'
    }
    const nowMs = clock.nowMs()
    // A while longer than the end: blocks numbered before it may still be on their way to the disk.
    const waitMs = exclusiveEndMs + settleMs - nowMs
    if (waitMs <= 0) return 'end'
    const either = new AbortController()
    const stop = () => either.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    try {
      await Promise.race([
        source.untilBlock(nextSequenceNo, either.signal),
        clock.sleep(Math.min(waitMs, sleepMsMax), either.signal),
      ])
      return 'more'
    } finally {
      signal.removeEventListener('abort', stop)
      either.abort(new Error('The other one came first.'))
    }
  }

  /** Until the target has taken the records. */
  async #deliver(records: readonly StreamRecord[]): Promise<void> {
    const { streamArn, source, target, clock, signal } = this.#options
    const batch = { streamArn, strandId: source.strandId, records }
    let failureCount = 0
    for (;;) {
      signal.throwIfAborted()
      try {
        await target.deliver(batch, signal)
        if (this.#isImpaired) this.#options.onRecovered()
        this.#isImpaired = false
        return
      } catch (error) {
        signal.throwIfAborted()
        failureCount++
        if (failureCount === impairedFailureCount && !this.#isImpaired) {
          this.#isImpaired = true
          const cause = error instanceof StreamTargetError ? error.errorCause : undefined
          this.#options.onImpaired(error, cause)
        }
        const delayMs = Math.min(retryMsMin * 2 ** (failureCount - 1), retryMsMax)
        await clock.sleep(delayMs, signal)
      }
    }
  }

  async #keep(position: StreamPosition, isForced: boolean): Promise<void> {
    const nowMs = this.#options.clock.nowMs()
    this.#position = position
    if (!isForced && nowMs - this.#keptMs < positionMsMin) return
    this.#keptMs = nowMs
    await this.#options.onPosition(position)
  }
}

/** Longest time that a numbered block takes to the disk, generously. */
const settleMs = 1000
/** Longest timer of Node.js, about; an end that is further away is slept towards in steps. */
const sleepMsMax = 24 * 60 * 60_000

function assertEnd(exclusiveEndMs: number | undefined): void {
  if (exclusiveEndMs === undefined) throw new Error('A stream without an end does not end.')
}
