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

/** What operators of all open results of a transaction may keep together. Ours: two that keep as much as they may. */
export const heldTotalMax: number = 2 * heldWeightMax

/** Shared by the statements of a transaction, whose results may be open side by side. */
export interface HeldTotal {
  weight: number
}

/** A key and its place in a set or map. */
const keyOverheadBytes = 64

/** Weighs the rows that one operator keeps. */
export class HeldWeight {
  readonly #position: Position
  readonly #total: HeldTotal | undefined
  #weight = 0

  /** @param total Of whoever lets go of what it kept by `release`, also when it fails. */
  constructor(position: Position, total?: HeldTotal) {
    this.#position = position
    this.#total = total
  }

  /** @throws PartiqlError LIMIT */
  add(value: Value): void {
    this.#addBytes(weightOf(value))
  }

  /** @throws PartiqlError LIMIT */
  addKey(key: string): void {
    this.#addBytes(keyOverheadBytes + key.length)
  }

  #addBytes(bytes: number): void {
    this.#weight += bytes
    const total = this.#total
    if (total !== undefined) total.weight += bytes
    if (this.#weight > heldWeightMax) {
      throw partiqlError(
        'LIMIT',
        this.#position,
        `the statement keeps more than ${heldWeightMax} bytes of rows in memory.`,
        ['Narrow it with WHERE, or leave out ORDER BY, GROUP BY, DISTINCT and set operators.'],
      )
    }
    if (total === undefined || total.weight <= heldTotalMax) return
    throw partiqlError(
      'LIMIT',
      this.#position,
      `open results of the transaction keep more than ${heldTotalMax} bytes of rows in memory.`,
      ['Read results to their end before the next statement, or narrow them.'],
    )
  }

  release(): void {
    if (this.#total !== undefined) this.#total.weight -= this.#weight
    this.#weight = 0
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
