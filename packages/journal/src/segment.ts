/** One segment as the running journal knows it. */
import type { OpenFile } from '@cairn/core'
import type { PositionTable } from './positions.ts'
import type { SegmentHeader } from './segment-format.ts'

export interface Segment {
  readonly name: string
  readonly path: string
  readonly header: SegmentHeader
  /**
   * Open as long as the journal is, since a read is synchronous and an opening is not: one descriptor per 64 MiB.
   * Undefined before the first group of the segment is written.
   */
  file: OpenFile | undefined
  /** Offset behind the last frame, queued ones included. */
  end: number
  /** Queued records included. */
  recordCount: number
  /** Undefined when the file of positions has them, or nobody asked for them yet. */
  positions: PositionTable | undefined
  isSealed: boolean
  /** Bytes were changed after they entered the running hash; what is sealed is then hashed anew. */
  isOverwritten: boolean
}

/** The segment that holds record `sequenceNo`, by binary search. `segments` is not empty and begins at record 0. */
export function segmentOf(segments: readonly Segment[], sequenceNo: number): Segment {
  let low = 0
  let high = segments.length - 1
  // Most reads are of the newest records.
  if ((segments[high] as Segment).header.firstSequenceNo <= sequenceNo) low = high
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((segments[middle] as Segment).header.firstSequenceNo <= sequenceNo) low = middle
    else high = middle - 1
  }
  return segments[low] as Segment
}
