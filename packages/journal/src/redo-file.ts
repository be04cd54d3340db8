/**
 * The redo file: bytes that are about to be put in place of others within a segment (overwrite.ts), on the disk before
 * the first of them is. A crash may tear what is in the middle of the journal; with this file it is made whole again.
 * There is none but while bodies are overwritten.
 *
 *      0  magic "cairnrdo"             16  salt of the segment, 8 bytes
 *      8  version u32                  24  firstSequenceNo of the segment u64
 *     12  checksum u32 of bytes 16 on  32  count u32, zero u32, then for each patch: offset u32, length u32, bytes
 */
import { crc32 } from 'node:zlib'
import { assert, equalBytes, type FileSystem, utf8 } from '@cairn/core'
import { damaged, JournalError } from './errors.ts'
import { getUint64, saltBytesSize, setUint64, viewOf } from './segment-format.ts'

export const redoFileName = 'redo'
const headerBytesSize = 40
const patchHeaderBytesSize = 8
const formatVersion = 1
const magic = utf8('cairnrdo')
assert(magic.length === 8)

/** Bytes and where in the segment they belong. */
export interface Patch {
  readonly offset: number
  readonly bytes: Uint8Array
}

export interface Redo {
  readonly salt: Uint8Array
  readonly firstSequenceNo: number
  readonly patches: readonly Patch[]
}

export function encodeRedo({ salt, firstSequenceNo, patches }: Redo): Uint8Array {
  let size = headerBytesSize
  for (const { bytes } of patches) size += patchHeaderBytesSize + bytes.length
  const out = new Uint8Array(size)
  const view = viewOf(out)
  out.set(magic, 0)
  view.setUint32(8, formatVersion, true)
  out.set(salt, 16)
  setUint64(view, 24, firstSequenceNo)
  view.setUint32(32, patches.length, true)
  let at = headerBytesSize
  for (const { offset, bytes } of patches) {
    view.setUint32(at, offset, true)
    view.setUint32(at + 4, bytes.length, true)
    out.set(bytes, at + patchHeaderBytesSize)
    at += patchHeaderBytesSize + bytes.length
  }
  view.setUint32(12, crc32(out.subarray(16)), true)
  return out
}

/** Undefined when the bytes are no whole redo file. @throws JournalError UNSUPPORTED_VERSION */
export function decodeRedo(bytes: Uint8Array, path: string): Redo | undefined {
  if (bytes.length < headerBytesSize || !equalBytes(bytes.subarray(0, 8), magic)) return undefined
  const view = viewOf(bytes)
  const version = view.getUint32(8, true)
  if (version !== formatVersion) {
    throw new JournalError(
      { code: 'UNSUPPORTED_VERSION', file: path, version },
      {
        shortMessage: 'The journal was written by a newer version.',
        metaMessages: [`File: ${path}`, `Format: ${version}`, 'Start the version that wrote it.'],
      },
    )
  }
  if (view.getUint32(12, true) !== crc32(bytes.subarray(16))) return undefined
  const count = view.getUint32(32, true)
  const patches: Patch[] = []
  let at = headerBytesSize
  for (let i = 0; i < count; i++) {
    if (at + patchHeaderBytesSize > bytes.length) return undefined
    const offset = view.getUint32(at, true)
    const end = at + patchHeaderBytesSize + view.getUint32(at + 4, true)
    if (end > bytes.length) return undefined
    patches.push({ offset, bytes: bytes.slice(at + patchHeaderBytesSize, end) })
    at = end
  }
  if (at !== bytes.length) return undefined
  const salt = bytes.slice(16, 16 + saltBytesSize)
  return { salt, firstSequenceNo: getUint64(view, 24), patches }
}

/**
 * The redo file of a journal, or undefined when there is none.
 * @throws JournalError DAMAGED when it is not whole; UNSUPPORTED_VERSION
 */
export async function readRedo(
  directory: string,
  fileSystem: FileSystem,
): Promise<Redo | undefined> {
  const path = `${directory}/${redoFileName}`
  if (!(await fileSystem.exists(path))) return undefined
  let bytes: Uint8Array
  try {
    bytes = await fileSystem.readFile(path)
  } catch (error) {
    // A running writer has finished with it.
    if (await fileSystem.exists(path)) throw error
    return undefined
  }
  const redo = decodeRedo(bytes, path)
  if (redo !== undefined) return redo
  const range = { startOffset: 0, endOffset: bytes.length, startSequenceNo: 0, endSequenceNo: 0 }
  throw damaged({ file: path, ...range }, 'the file of bytes to be written again is not intact')
}

/** Writes the patches into the segment at `path`, durably. Doing it twice is doing it once. */
export async function applyPatches(
  path: string,
  patches: readonly Patch[],
  fileSystem: FileSystem,
): Promise<void> {
  // A descriptor of its own: Linux reports a failed write-back once per descriptor, and a report that went to this
  // sync would be missing from the commit's.
  const file = await fileSystem.open(path, 'readWrite')
  try {
    for (const { offset, bytes } of patches) await file.write(bytes, offset)
    await file.syncData()
  } finally {
    await file.close()
  }
}

/** Puts what `patches` have into `bytes`, which stand at `offset` of the segment. */
export function patchBytes(bytes: Uint8Array, offset: number, patches: readonly Patch[]): void {
  for (const item of patches) {
    const start = Math.max(item.offset, offset)
    const end = Math.min(item.offset + item.bytes.length, offset + bytes.length)
    if (start >= end) continue
    bytes.set(item.bytes.subarray(start - item.offset, end - item.offset), start - offset)
  }
}

export async function removeRedo(directory: string, fileSystem: FileSystem): Promise<void> {
  await fileSystem.remove(`${directory}/${redoFileName}`)
  await fileSystem.syncDirectory(directory)
}
