/** Where a stream goes: what takes batches of records in order, and again when the first time is not sure. */
import type { StreamRecord } from './stream-records.ts'

export interface StreamBatch {
  readonly streamArn: string
  /** The ledger's strand: what keeps the records of a ledger in order where a target has several lanes. */
  readonly strandId: string
  readonly records: readonly StreamRecord[]
}

/** Why a target does not take records, as QLDB names it. */
export type StreamErrorCause = 'KINESIS_STREAM_NOT_FOUND' | 'IAM_PERMISSION_REVOKED'

export interface StreamTarget {
  /**
   * Resolves when the target has every record of the batch.
   * @throws StreamTargetError; whatever it throws, the batch is delivered again.
   */
  deliver(batch: StreamBatch, signal: AbortSignal): Promise<void>
  close(): void
}

export class StreamTargetError extends Error {
  override readonly name = 'StreamTargetError'
  readonly errorCause: StreamErrorCause | undefined

  constructor(message: string, errorCause: StreamErrorCause | undefined, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.errorCause = errorCause
  }
}
