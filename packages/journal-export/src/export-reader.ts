/**
 * Reads a journal export, ours or QLDB's, block by block: ION_TEXT, ION_BINARY or JSON, by its completed manifest or,
 * without one, by the names of its data objects. One piece of an object is in memory at a time.
 *
 * A block is the struct of qldb-compat 3.3 as the object holds it:
 *   ION_TEXT, ION_BINARY  exactly the value that was exported: hashes can be computed over it and its parts
 *   JSON                  blobs are base64 strings, timestamps and symbols strings, decimals and ints as written, clobs
 *                         strings, sexps lists, annotations gone: hashes can be compared, not computed
 * Checked here: that objects hold what their names say, and that blocks follow each other by number. Hashes are the
 * reader's affair.
 */
import { fieldOf, IonError, type IonStruct, type IonValue } from '@cairn/ion'
import { ExportError } from './errors.ts'
import {
  type DataObjectName,
  type ExportFormat,
  isCompletedKey,
  keysOfManifest,
  parseDataKey,
  startedKeyOf,
} from './export-format.ts'
import type { ExportSource } from './export-source.ts'
import { createValueSplitter, isBinaryIon } from './value-splitter.ts'

/** The parts of an export, before any block of it is read. */
export interface ExportContents {
  readonly strandId: string
  readonly firstSequenceNo: number
  readonly lastSequenceNo: number
  /** Their ranges follow each other. */
  readonly objects: readonly DataObjectName[]
  /** From the manifest of the start, where it is there. */
  readonly ledgerName: string | undefined
  readonly completedManifestKey: string | undefined
}

export interface ExportedBlock {
  /** The object it stands in, and its place there, from 0. */
  readonly key: string
  readonly index: number
  readonly format: ExportFormat
  readonly sequenceNo: number
  readonly value: IonStruct
}

export interface ReadExportOptions {
  /** Blocks before it are read and passed over. Default: the first of the export. */
  readonly fromSequenceNo?: number
}

/** Manifests list keys; a larger one is none. */
const manifestBytesMax = 64 * 1024 * 1024

/**
 * What there is to read. One completed manifest decides; without any, all data objects are taken together.
 * @param manifestKey Which manifest, when there are several.
 * @throws ExportError EXPORT_NOT_FOUND, MANIFEST_INVALID, OBJECT_MISSING, BLOCKS_INCOMPLETE
 */
export async function openExport(
  source: ExportSource,
  manifestKey?: string,
): Promise<ExportContents> {
  const keys = await source.list()
  const completed = manifestKey ?? onlyManifest(keys)
  const objects =
    completed === undefined
      ? keys.map(parseDataKey).filter((object) => object !== undefined)
      : await objectsOfManifest(source, completed)
  objects.sort((a, b) => a.firstSequenceNo - b.firstSequenceNo)
  const [first] = objects
  const last = objects.at(-1)
  if (first === undefined || last === undefined) {
    throw notFound(completed ?? '', 'There is no data object of a journal export.')
  }
  checkRanges(objects, first)
  return {
    strandId: first.strandId,
    firstSequenceNo: first.firstSequenceNo,
    lastSequenceNo: last.lastSequenceNo,
    objects,
    ledgerName: completed === undefined ? undefined : await ledgerNameOf(source, keys, completed),
    completedManifestKey: completed,
  }
}

/**
 * The blocks, in order.
 * @throws ExportError OBJECT_MISSING, OBJECT_DAMAGED, BLOCKS_INCOMPLETE, at the first bad block
 */
export async function* readExportedBlocks(
  source: ExportSource,
  contents: ExportContents,
  options: ReadExportOptions = {},
): AsyncGenerator<ExportedBlock> {
  const from = options.fromSequenceNo ?? contents.firstSequenceNo
  for (const object of contents.objects) {
    if (object.lastSequenceNo >= from) yield* readObject(source, object, from)
  }
}

async function* readObject(
  source: ExportSource,
  object: DataObjectName,
  from: number,
): AsyncGenerator<ExportedBlock> {
  const { key, firstSequenceNo, lastSequenceNo } = object
  let index = 0
  for await (const { values, format } of readValues(source, key, () => index)) {
    for (const value of values) {
      const expected = firstSequenceNo + index
      const sequenceNo = sequenceNoOf(value)
      if (value.type !== 'struct' || sequenceNo === undefined) throw damagedObject(key, index)
      if (sequenceNo !== expected || expected > lastSequenceNo) {
        throw incomplete(key, expected, sequenceNo)
      }
      if (sequenceNo >= from) yield { key, index, format, sequenceNo, value }
      index++
    }
  }
  const expected = firstSequenceNo + index
  if (expected <= lastSequenceNo) throw incomplete(key, expected, expected)
}

/** The top-level values of an object as they come in. */
async function* readValues(
  source: ExportSource,
  key: string,
  indexNow: () => number,
): AsyncGenerator<{ values: IonValue[]; format: ExportFormat }> {
  let splitter: ReturnType<typeof createValueSplitter> | undefined
  let format: ExportFormat = 'ION_TEXT'
  try {
    for await (const piece of source.read(key)) {
      if (piece.length === 0) continue
      if (splitter === undefined) {
        const isBinary = isBinaryIon(piece)
        splitter = createValueSplitter(isBinary)
        if (isBinary) format = 'ION_BINARY'
        else if (key.endsWith('.json')) format = 'JSON'
      }
      yield { values: splitter.push(piece), format }
    }
    if (splitter !== undefined) yield { values: splitter.end(), format }
  } catch (error) {
    const isOfContent =
      error instanceof IonError || error instanceof RangeError || error instanceof TypeError
    throw isOfContent ? damagedObject(key, indexNow(), error) : error
  }
}

/** `blockAddress.sequenceNo`. */
function sequenceNoOf(value: IonValue): number | undefined {
  const address = value.type === 'struct' ? fieldOf(value, 'blockAddress') : undefined
  const number = address?.type === 'struct' ? fieldOf(address, 'sequenceNo') : undefined
  return number?.type === 'int' && typeof number.value === 'number' ? number.value : undefined
}

function onlyManifest(keys: readonly string[]): string | undefined {
  const [manifest, ...others] = keys.filter(isCompletedKey).sort()
  if (others.length === 0) return manifest
  throw notFound(
    manifest ?? '',
    `There are ${others.length + 1} exports here. Name the completed manifest of one.`,
  )
}

async function objectsOfManifest(source: ExportSource, key: string): Promise<DataObjectName[]> {
  const manifest = await readManifest(source, key)
  const keys = manifest === undefined ? undefined : keysOfManifest(manifest)
  if (keys === undefined) throw invalidManifest(key)
  return keys.map((each) => {
    const object = parseDataKey(each)
    if (object === undefined) throw invalidManifest(key)
    return object
  })
}

async function ledgerNameOf(
  source: ExportSource,
  keys: readonly string[],
  completed: string,
): Promise<string | undefined> {
  const key = startedKeyOf(completed)
  if (key === undefined || !keys.includes(key)) return undefined
  const manifest = await readManifest(source, key)
  const name = manifest === undefined ? undefined : fieldOf(manifest, 'ledgerName')
  return name?.type === 'string' ? name.value : undefined
}

async function readManifest(source: ExportSource, key: string): Promise<IonStruct | undefined> {
  const values: IonValue[] = []
  let size = 0
  try {
    let splitter: ReturnType<typeof createValueSplitter> | undefined
    for await (const piece of source.read(key)) {
      size += piece.length
      if (size > manifestBytesMax) return undefined
      if (piece.length === 0) continue
      splitter ??= createValueSplitter(isBinaryIon(piece))
      values.push(...splitter.push(piece))
    }
    if (splitter !== undefined) values.push(...splitter.end())
  } catch (error) {
    if (error instanceof ExportError) throw error
    throw invalidManifest(key, error)
  }
  const [manifest] = values
  return values.length === 1 && manifest?.type === 'struct' ? manifest : undefined
}

function checkRanges(objects: readonly DataObjectName[], first: DataObjectName): void {
  let expected = first.firstSequenceNo
  for (const { key, strandId, firstSequenceNo, lastSequenceNo } of objects) {
    if (strandId !== first.strandId) {
      throw notFound(key, 'The data objects are of several strands, so of several ledgers.')
    }
    if (firstSequenceNo !== expected || lastSequenceNo < firstSequenceNo) {
      throw incomplete(key, expected, firstSequenceNo)
    }
    expected = lastSequenceNo + 1
  }
}

function notFound(place: string, shortMessage: string): ExportError {
  return new ExportError(
    { code: 'EXPORT_NOT_FOUND', place },
    { shortMessage, ...(place === '' ? {} : { metaMessages: [`Key: ${place}`] }) },
  )
}

function invalidManifest(key: string, cause?: unknown): ExportError {
  return new ExportError(
    { code: 'MANIFEST_INVALID', key },
    {
      shortMessage: 'The manifest does not list data objects.',
      metaMessages: [`Key: ${key}`],
      cause,
    },
  )
}

function damagedObject(key: string, index: number, cause?: unknown): ExportError {
  return new ExportError(
    { code: 'OBJECT_DAMAGED', key, index },
    {
      shortMessage: 'An object of the export holds something else than blocks.',
      metaMessages: [`Key: ${key}`, `Block of the object, from 0: ${index}`, 'Download it again.'],
      cause,
    },
  )
}

function incomplete(key: string, expected: number, found: number): ExportError {
  return new ExportError(
    { code: 'BLOCKS_INCOMPLETE', key, expectedSequenceNo: expected, sequenceNo: found },
    {
      shortMessage:
        expected === found
          ? `The export ends before block ${expected}.`
          : `Block ${expected} is missing: ${found} comes in its place.`,
      metaMessages: [`Key: ${key}`, 'Look for the missing object, or export again.'],
    },
  )
}
