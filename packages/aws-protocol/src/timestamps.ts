/** Timestamps as both QLDB APIs have them: JSON numbers of epoch seconds, with fractions (qldb-compat 2). */

/** @example toEpochSeconds(1_700_000_000_123) // 1700000000.123 */
export function toEpochSeconds(epochMs: number): number {
  return epochMs / 1000
}

/** Whole milliseconds. */
export function fromEpochSeconds(seconds: number): number {
  return Math.round(seconds * 1000)
}
