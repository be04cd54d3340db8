/**
 * Writes the blocks of a journal as the objects of an export. One object is in memory at a time; after each the caller
 * may keep how far it came, and go on from there when the process ends in between.
 */
import { assert } from '@cairn/core'
import type { IonStruct } from '@cairn/ion'
import {
  completedKey,
  completedManifest,
  contentTypeOf,
  dataKey,
  type ExportFormat,
  type ExportRequest,
  encodeValue,
  formatOf,
  startedKey,
  startedManifest,
} from './export-format.ts'

/** An object begins a new one when it has reached this size; a block is never cut. Bounds the memory of an export. */
export const objectBytesMax: number = 8 * 1024 * 1024
/** Encoded between two turns of the event loop, so that commits do not wait: about a millisecond's work. */
const turnBytesMax = 64 * 1024

/** A block to be written; a ledger's `blocksFrom` gives them. */
export interface BlockToExport {
  readonly sequenceNo: number
  readonly value: IonStruct
}

/** How far an export has come. Plain data, to be kept as JSON. */
export interface ExportProgress {
  /** Of the objects written, in order. */
  readonly keys: readonly string[]
  readonly nextSequenceNo: number
}

export interface WriteExportOptions {
  readonly request: ExportRequest
  /** The blocks from a number on, in order, at least up to `endSequenceNo`. */
  blocksFrom(sequenceNo: number): Iterable<BlockToExport> | AsyncIterable<BlockToExport>
  /** The first block that is not exported any more. */
  readonly endSequenceNo: number
  /** Where to begin, or to go on. */
  readonly progress: ExportProgress
  /** Called when an object is written whole; awaited. */
  onProgress?(progress: ExportProgress): Promise<void>
  /** Writes or replaces an object. */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<void>
  readonly objectBytesMax?: number
  readonly signal?: AbortSignal
}

/**
 * Writes the manifest of the start, the objects that are missing, and the manifest of the end. Repeating what was
 * written already gives the same objects.
 * @throws what `put` and the source of the blocks throw; the reason of `signal`
 */
export async function writeExport(options: WriteExportOptions): Promise<ExportProgress> {
  const { request, endSequenceNo, signal, onProgress } = options
  const format = formatOf(request)
  const contentType = contentTypeOf(format)
  const bytesMax = options.objectBytesMax ?? objectBytesMax
  let progress = options.progress
  await options.put(startedKey(request), startedManifest(request), contentType)
  while (progress.nextSequenceNo < endSequenceNo) {
    signal?.throwIfAborted()
    const { bytes, last } = await fillObject(
      { ...options, format },
      progress.nextSequenceNo,
      bytesMax,
    )
    const key = dataKey(request, progress.nextSequenceNo, last)
    await options.put(key, bytes, contentType)
    progress = { keys: [...progress.keys, key], nextSequenceNo: last + 1 }
    await onProgress?.(progress)
  }
  await options.put(completedKey(request), completedManifest(request, progress.keys), contentType)
  return progress
}

/** The blocks from `first` on as they stand in one object: as many as fit, and at least one. */
export async function fillObject(
  {
    format,
    blocksFrom,
    endSequenceNo,
    signal,
  }: Pick<WriteExportOptions, 'blocksFrom' | 'endSequenceNo' | 'signal'> & {
    readonly format: ExportFormat
  },
  first: number,
  bytesMax: number,
): Promise<{ bytes: Uint8Array; last: number }> {
  const pieces: Uint8Array[] = []
  let size = 0
  let turnSize = 0
  let last = first
  for await (const { sequenceNo, value } of blocksFrom(first)) {
    if (sequenceNo >= endSequenceNo) break
    const piece = encodeValue(value, format)
    if (size > 0 && size + piece.length > bytesMax) break
    pieces.push(piece)
    size += piece.length
    last = sequenceNo
    turnSize += piece.length
    if (turnSize > turnBytesMax) {
      turnSize = 0
      await new Promise((resolve) => setImmediate(resolve))
      signal?.throwIfAborted()
    }
  }
  assert(pieces.length > 0, 'the journal has the blocks up to the end of the export')
  return { bytes: Buffer.concat(pieces), last }
}
