/** The bound on rows that one operator keeps in memory: sort, group, distinct, set operators, sub-query values. */
import { sha256, toBase64, utf8 } from '@cairn/core'
import type { Position } from '../ast.ts'
import { partiqlError } from '../errors.ts'

/** Ours: a statement that needs more is a report, and belongs to a copy of the data. */
export const heldRowCountMax = 100_000

/** @throws PartiqlError LIMIT */
export function checkHeldRows(count: number, position: Position): void {
  if (count <= heldRowCountMax) return
  throw partiqlError(
    'LIMIT',
    position,
    `the statement keeps more than ${heldRowCountMax} rows in memory.`,
    ['Narrow it with WHERE, or leave out ORDER BY, GROUP BY, DISTINCT and set operators.'],
  )
}

/** Longer keys are kept as their hash, so that held keys are small however large the rows are. */
const keyLengthMax = 64

/** A key of a set or map of rows, from `equalityKey`. */
export function heldKey(key: string): string {
  return key.length <= keyLengthMax ? key : toBase64(sha256(utf8(key)))
}
