/**
 * What one commit changed, row by row: the values that it replaced, enough to read the state before it and to go back
 * to it, and those that it left, enough to bring tables that were written before up to it.
 *
 *   root before 32 ‖ root after 32 ‖ rows: key size u8, key, value before, value after
 *   value: size + 1 u8 (0: there is none), bytes
 */

import { bytesOfText, textOfBytes } from '@cairn/eth-codec'
import { stateDamaged } from './errors.ts'

/** Values by the key of the flat state as text; undefined: there was none. */
export type Rows = Map<string, Uint8Array | undefined>

export interface ReverseDiff {
  readonly rootBefore: Uint8Array
  readonly rootAfter: Uint8Array
  readonly before: Rows
}

export interface CommitRecord extends ReverseDiff {
  /** Of the same keys as `before`. */
  readonly after: Rows
}

const headSize = 64

export function encodeCommitRecord(record: CommitRecord): Uint8Array {
  const { rootBefore, rootAfter, before, after } = record
  let size = headSize
  for (const [key, value] of before) {
    size += 3 + key.length + (value?.length ?? 0) + (after.get(key)?.length ?? 0)
  }
  const out = new Uint8Array(size)
  out.set(rootBefore)
  out.set(rootAfter, 32)
  let at = headSize
  const writeValue = (value: Uint8Array | undefined) => {
    out[at++] = value === undefined ? 0 : value.length + 1
    if (value === undefined) return
    out.set(value, at)
    at += value.length
  }
  for (const [key, value] of before) {
    out[at++] = key.length
    out.set(bytesOfText(key), at)
    at += key.length
    writeValue(value)
    writeValue(after.get(key))
  }
  return out
}

/** @param bytes Kept: values are views into it. @throws StateError STATE_DAMAGED */
export function decodeReverseDiff(bytes: Uint8Array): ReverseDiff {
  const before: Rows = new Map()
  forEachRow(bytes, (key, value) => before.set(key, value))
  return { rootBefore: bytes.subarray(0, 32), rootAfter: bytes.subarray(32, 64), before }
}

/**
 * Sets in `rows` what a commit left.
 * @param bytes Kept: values are views into it. @throws StateError STATE_DAMAGED
 */
export function applyCommitRecord(bytes: Uint8Array, rows: Rows): void {
  forEachRow(bytes, (key, _before, after) => rows.set(key, after))
}

function forEachRow(
  bytes: Uint8Array,
  visit: (key: string, before: Uint8Array | undefined, after: Uint8Array | undefined) => void,
): void {
  let at = headSize
  const readValue = (): Uint8Array | undefined => {
    const mark = bytes[at++]
    if (mark === 0) return undefined
    const start = at
    at += (mark ?? Number.POSITIVE_INFINITY) - 1
    return bytes.subarray(start, at)
  }
  while (at < bytes.length) {
    const keySize = bytes[at++] as number
    const key = textOfBytes(bytes.subarray(at, at + keySize))
    at += keySize
    const before = readValue()
    visit(key, before, readValue())
  }
  if (at !== bytes.length) throw stateDamaged('the record of a commit is cut off')
}
