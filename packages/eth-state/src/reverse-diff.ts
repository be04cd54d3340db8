/**
 * What one commit changed, as the rows it replaced: enough to read the state before it, and to go back to it.
 *
 *   root before 32 ‖ root after 32 ‖ rows: key size u8, key, value size + 1 u8 (0: none), value
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

const headSize = 64

export function encodeReverseDiff({ rootBefore, rootAfter, before }: ReverseDiff): Uint8Array {
  let size = headSize
  for (const [key, value] of before) size += 2 + key.length + (value?.length ?? 0)
  const out = new Uint8Array(size)
  out.set(rootBefore)
  out.set(rootAfter, 32)
  let at = headSize
  for (const [key, value] of before) {
    out[at++] = key.length
    out.set(bytesOfText(key), at)
    at += key.length
    out[at++] = value === undefined ? 0 : value.length + 1
    if (value === undefined) continue
    out.set(value, at)
    at += value.length
  }
  return out
}

/** @param bytes Kept: values are views into it. @throws StateError STATE_DAMAGED */
export function decodeReverseDiff(bytes: Uint8Array): ReverseDiff {
  const before: Rows = new Map()
  let at = headSize
  while (at < bytes.length) {
    const keySize = bytes[at++] as number
    const key = textOfBytes(bytes.subarray(at, at + keySize))
    at += keySize
    const mark = bytes[at++] ?? Number.POSITIVE_INFINITY
    before.set(key, mark === 0 ? undefined : bytes.subarray(at, at + mark - 1))
    at += Math.max(0, mark - 1)
  }
  if (at !== bytes.length) throw stateDamaged('the record of a commit is cut off')
  return { rootBefore: bytes.subarray(0, 32), rootAfter: bytes.subarray(32, 64), before }
}
