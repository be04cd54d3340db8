/** The arithmetic of the benchmarks: medians, percentiles and spread. Nothing else is computed from measurements. */
import { assert } from '@cairn/core'

export interface Summary {
  readonly count: number
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The middle value, or the mean of the two middle values. @param values At least one. */
export function median(values: readonly number[]): number {
  assert(values.length > 0, 'a median needs a value')
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] as number
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] as number
  return (lower + upper) / 2
}

/**
 * The smallest value that at least `fraction` of all values do not exceed (nearest rank, no interpolation).
 * @param values At least one.
 * @param fraction Above 0, up to 1.
 */
export function percentile(values: readonly number[], fraction: number): number {
  assert(values.length > 0, 'a percentile needs a value')
  assert(fraction > 0 && fraction <= 1, 'a percentile lies above 0 and up to 1')
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(fraction * sorted.length) - 1] as number
}

/** @param values At least one. */
export function summarize(values: readonly number[]): Summary {
  assert(values.length > 0, 'a summary needs a value')
  return {
    count: values.length,
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
  }
}

/** How far the rounds lie apart, as a share of the median: 0 when all are alike. */
export function spreadShare(summary: Summary): number {
  return summary.median === 0 ? 0 : (summary.max - summary.min) / summary.median
}
