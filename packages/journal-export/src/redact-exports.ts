/**
 * Takes redacted revisions out of data objects that were exported before: each object that holds one is written again
 * as an export made now would have it. An object counts as exported when its name says strand and range, and every
 * value in it has the address and hash of the ledger's block. Not here: an S3 service elsewhere, with its versions.
 */
import { equalBytes, toBase64 } from '@cairn/core'
import { fieldOf, type IonStruct, type IonValue } from '@cairn/ion'
import { ExportError } from './errors.ts'
import {
  contentTypeOf,
  type DataObjectName,
  type ExportFormat,
  parseDataKey,
} from './export-format.ts'
import { readExportedBlocks } from './export-reader.ts'
import type { ExportSource } from './export-source.ts'
import { type BlockToExport, fillObject } from './export-writer.ts'

/** Parsed between two turns of the event loop: about a millisecond's work. */
const turnBytesMax = 64 * 1024

/** Buckets as far as objects in them are looked through and replaced. */
export interface ExportObjects {
  /** All buckets. */
  buckets(): Promise<readonly string[]>
  /** Keys of a bucket, in no order. */
  keys(bucket: string): AsyncIterable<string>
  /** An object in pieces. @throws ExportError OBJECT_MISSING */
  read(bucket: string, key: string): AsyncIterable<Uint8Array>
  /** Atomic, and durable when it resolves. */
  replace(bucket: string, key: string, bytes: Uint8Array, contentType: string): Promise<void>
}

export interface RedactedRevision {
  /** Of the block that holds it. */
  readonly sequenceNo: number
  readonly documentId: string
  readonly version: number
}

export interface RedactExportsOptions {
  readonly strandId: string
  readonly revisions: readonly RedactedRevision[]
  /** The ledger's blocks as they are shown now, without what was redacted. */
  blocksFrom(sequenceNo: number): Iterable<BlockToExport>
  readonly objects: ExportObjects
  /** Called for an object that has the name of an export, and is none of this ledger. */
  onForeign?(bucket: string, key: string): void
  readonly signal?: AbortSignal
}

/**
 * Looks through all objects and replaces those that hold redacted data. May be repeated, also after a crash.
 * @returns How many were replaced.
 * @throws what `objects` and the source of the blocks throw; the reason of `signal`
 */
export async function redactExports(options: RedactExportsOptions): Promise<number> {
  const { objects, signal } = options
  let count = 0
  for (const bucket of await objects.buckets()) {
    for await (const key of objects.keys(bucket)) {
      signal?.throwIfAborted()
      const name = parseDataKey(key)
      if (name === undefined || !mayHold(options, name)) continue
      const format = await formatToRedact(options, bucket, name)
      if (format === undefined) continue
      const { bytes } = await fillObject(
        { ...options, format, endSequenceNo: name.lastSequenceNo + 1 },
        name.firstSequenceNo,
        Number.POSITIVE_INFINITY,
      )
      await objects.replace(bucket, key, bytes, contentTypeOf(format))
      count++
    }
  }
  return count
}

function mayHold({ strandId, revisions }: RedactExportsOptions, name: DataObjectName): boolean {
  return (
    name.strandId === strandId &&
    revisions.some(
      ({ sequenceNo }) => sequenceNo >= name.firstSequenceNo && sequenceNo <= name.lastSequenceNo,
    )
  )
}

/** The format of an object that holds redacted data; undefined when there is nothing to do. */
async function formatToRedact(
  options: RedactExportsOptions,
  bucket: string,
  name: DataObjectName,
): Promise<ExportFormat | undefined> {
  const { objects, revisions, signal } = options
  const byBlock = groupByBlock(revisions)
  const source: ExportSource = {
    list: async () => [name.key],
    read: (key) => givingWay(objects.read(bucket, key), signal),
  }
  const contents = {
    ...name,
    objects: [name],
    ledgerName: undefined,
    completedManifestKey: undefined,
  }
  const blocks = options.blocksFrom(name.firstSequenceNo)[Symbol.iterator]()
  let found: ExportFormat | undefined
  try {
    for await (const { sequenceNo, value, format } of readExportedBlocks(source, contents)) {
      const block = blocks.next().value as BlockToExport | undefined
      if (block === undefined || !isSameBlock(value, block.value)) {
        options.onForeign?.(bucket, name.key)
        return undefined
      }
      if (holdsAny(value, byBlock.get(sequenceNo) ?? [])) found = format
    }
    return found
  } catch (error) {
    if (!(error instanceof ExportError)) throw error
    // Gone meanwhile; or no blocks in it, or not those that its name says.
    if (error.code === 'OBJECT_MISSING') return undefined
    if (error.code !== 'OBJECT_DAMAGED' && error.code !== 'BLOCKS_INCOMPLETE') throw error
    options.onForeign?.(bucket, name.key)
    return undefined
  } finally {
    blocks.return?.()
  }
}

function groupByBlock(revisions: readonly RedactedRevision[]): Map<number, RedactedRevision[]> {
  const byBlock = new Map<number, RedactedRevision[]>()
  for (const revision of revisions) {
    const others = byBlock.get(revision.sequenceNo)
    if (others === undefined) byBlock.set(revision.sequenceNo, [revision])
    else others.push(revision)
  }
  return byBlock
}

/** Smaller pieces with a turn of the event loop after each, so that commits do not wait. */
async function* givingWay(
  pieces: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += turnBytesMax) {
      yield piece.subarray(at, at + turnBytesMax)
      await new Promise((resolve) => setImmediate(resolve))
      signal?.throwIfAborted()
    }
  }
}

/** By strand and hash; the number was compared by the reader. */
function isSameBlock(exported: IonStruct, block: IonStruct): boolean {
  const strandOf = (value: IonStruct) => textAt(value, ['blockAddress', 'strandId'])
  const hash = at(exported, ['blockHash'])
  const expected = at(block, ['blockHash'])
  if (strandOf(exported) !== strandOf(block) || expected?.type !== 'blob') return false
  // In JSON blobs are base64.
  if (hash?.type === 'string') return hash.value === toBase64(expected.value)
  return hash?.type === 'blob' && equalBytes(hash.value, expected.value)
}

function holdsAny(block: IonStruct, redacted: readonly RedactedRevision[]): boolean {
  const revisions = redacted.length === 0 ? undefined : fieldOf(block, 'revisions')
  if (revisions?.type !== 'list') return false
  return revisions.values.some((revision) => {
    if (at(revision, ['data']) === undefined) return false
    const id = textAt(revision, ['metadata', 'id'])
    const version = at(revision, ['metadata', 'version'])
    return redacted.some(
      (each) =>
        each.documentId === id && version?.type === 'int' && Number(version.value) === each.version,
    )
  })
}

function at(value: IonValue, path: readonly string[]): IonValue | undefined {
  let found: IonValue | undefined = value
  for (const name of path) found = found?.type === 'struct' ? fieldOf(found, name) : undefined
  return found
}

function textAt(value: IonValue, path: readonly string[]): string | undefined {
  const found = at(value, path)
  return found?.type === 'string' ? found.value : undefined
}
