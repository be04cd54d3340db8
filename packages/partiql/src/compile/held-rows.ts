/** The bound on rows that one operator keeps in memory: sort, group, distinct, set operators, sub-query values. */
import { sha256, toBase64, utf8 } from '@cairn/core'
import type { Position } from '../ast.ts'
import { partiqlError } from '../errors.ts'
import type { Value } from '../values/value.ts'
import { weightOf } from '../values/weight.ts'

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

/**
 * What held rows may weigh together (weight.ts). Ours: as many rows as may be held, of 670 bytes each; sorting them
 * takes about a second at worst.
 */
export const heldWeightMax: number = 64 * 1024 * 1024

/** Weighs the rows that one operator keeps. */
export class HeldWeight {
  readonly #position: Position
  #weight = 0

  constructor(position: Position) {
    this.#position = position
  }

  /** @throws PartiqlError LIMIT */
  add(value: Value): void {
    this.#weight += weightOf(value)
    if (this.#weight <= heldWeightMax) return
    throw partiqlError(
      'LIMIT',
      this.#position,
      `the statement keeps more than ${heldWeightMax} bytes of rows in memory.`,
      ['Narrow it with WHERE, or leave out ORDER BY, GROUP BY, DISTINCT and set operators.'],
    )
  }

  addAll(values: readonly Value[]): void {
    for (const value of values) this.add(value)
  }
}

/** Longer keys are kept as their hash, so that held keys are small however large the rows are. */
const keyLengthMax = 64

/** A key of a set or map of rows, from `equalityKey`. */
export function heldKey(key: string): string {
  return key.length <= keyLengthMax ? key : toBase64(sha256(utf8(key)))
}
