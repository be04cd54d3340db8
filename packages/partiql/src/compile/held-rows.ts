/** The bound on rows that one operator keeps in memory: sort, group, distinct, set operators, sub-query values. */
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
