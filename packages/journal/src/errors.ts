/** What can go wrong with a journal on a disk: one closed union of codes with their facts. */
import { BaseError } from '@cairn/core'

/** A damaged place. `endOffset` and `endSequenceNo` are the first byte and the first record behind it. */
export interface DamagedRange {
  readonly file: string
  readonly startOffset: number
  readonly endOffset: number
  readonly startSequenceNo: number
  readonly endSequenceNo: number
}

export type JournalErrorType =
  | ({ readonly code: 'DAMAGED' } & DamagedRange)
  | { readonly code: 'UNSUPPORTED_VERSION'; readonly file: string; readonly version: number }
  | {
      readonly code: 'UNKNOWN_RECORD'
      readonly sequenceNo: number
      readonly nextSequenceNo: number
    }
  /** The file has these bytes, and the disk did not give all of them: nothing is known about what they are. */
  | {
      readonly code: 'SHORT_READ'
      readonly position: number
      readonly bytes: number
      readonly bytesRead: number
    }
  /** Of the file of hash tree nodes, which is rebuilt from the journal. */
  | { readonly code: 'NODES_DAMAGED'; readonly position: number }
  | { readonly code: 'RECORD_TOO_LARGE'; readonly bytes: number; readonly bytesMax: number }
  | { readonly code: 'QUEUE_FULL'; readonly queuedBytes: number; readonly queuedBytesMax: number }
  | { readonly code: 'WRITE_FAILED'; readonly directory: string; readonly systemCode: string }
  | { readonly code: 'CLOSED'; readonly directory: string }
  | {
      readonly code: 'LOCKED'
      readonly directory: string
      readonly pid: number
      readonly host: string
    }

export class JournalError extends BaseError<JournalErrorType> {
  override readonly name = 'JournalError'
}

/** @param what One sentence without the full stop: what is wrong at this place. */
export function damaged(range: DamagedRange, what: string, cause?: unknown): JournalError {
  return new JournalError(
    { code: 'DAMAGED', ...range },
    {
      shortMessage: `The journal is damaged: ${what}.`,
      metaMessages: [
        `File: ${range.file}`,
        `Bytes: ${range.startOffset} to ${range.endOffset}`,
        describeRecords(range),
        'Nothing was changed. Restore this file from a backup or a replica; do not edit or delete it.',
      ],
      docsPath: 'reference/errors#damaged',
      cause,
    },
  )
}

function describeRecords(range: DamagedRange): string {
  if (range.endSequenceNo <= range.startSequenceNo) return 'Records: none'
  return `Records: ${range.startSequenceNo} to ${range.endSequenceNo - 1}`
}

export function shortRead(position: number, bytes: number, bytesRead: number): JournalError {
  return new JournalError(
    { code: 'SHORT_READ', position, bytes, bytesRead },
    {
      shortMessage: 'The disk gave fewer bytes of a journal file than the file has.',
      metaMessages: [
        `Bytes: ${position} to ${position + bytes}, of which ${bytesRead} came`,
        'Nothing was changed. Look at the disk and the kernel log, then try again.',
      ],
    },
  )
}

/** The journal stops for writing; whether the last group reached the disk is not known before the next opening. */
export function writeFailed(directory: string, cause: unknown): JournalError {
  const systemCode = systemCodeOf(cause)
  const remedy =
    systemCode === 'ENOSPC'
      ? 'The disk is full. Make room on it, then start again.'
      : 'Look at the disk and the kernel log, then start again; the journal recovers when it is opened.'
  return new JournalError(
    { code: 'WRITE_FAILED', directory, systemCode },
    {
      shortMessage: 'Writing to the journal failed, so it takes no more records.',
      metaMessages: [`Directory: ${directory}`, `Cause: ${systemCode}`, remedy],
      docsPath: 'reference/errors#write_failed',
      cause,
    },
  )
}

/** Nothing has changed, and the journal goes on. */
export function overwriteFailed(directory: string, cause: unknown): JournalError {
  const systemCode = systemCodeOf(cause)
  return new JournalError(
    { code: 'WRITE_FAILED', directory, systemCode },
    {
      shortMessage: 'Records of the journal could not be overwritten; they are as they were.',
      metaMessages: [
        `Directory: ${directory}`,
        `Cause: ${systemCode}`,
        'Make room on the disk, or look at it and the kernel log.',
      ],
      docsPath: 'reference/errors#write_failed',
      cause,
    },
  )
}

export function systemCodeOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'unknown'
}
