/** The arithmetic that every printed figure goes through. */
import { AssertionError } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { median, percentile, spreadShare, summarize } from './statistics.ts'

describe('median', () => {
  it('is the middle of an odd count, in whatever order', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([7])).toBe(7)
  })

  it('is the mean of the two middle values of an even count', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })

  it('orders as numbers, not as text', () => {
    expect(median([10, 9, 100])).toBe(10)
  })

  it('leaves its argument alone', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })

  it('refuses no values', () => {
    expect(() => median([])).toThrow(AssertionError)
  })
})

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

  it('takes the nearest rank', () => {
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile(hundred, 1)).toBe(100)
    expect(percentile([1, 2, 3], 0.99)).toBe(3)
    expect(percentile([1, 2, 3], 0.01)).toBe(1)
  })

  it('refuses fractions outside its range', () => {
    expect(() => percentile([1], 0)).toThrow(AssertionError)
    expect(() => percentile([1], 1.01)).toThrow(AssertionError)
    expect(() => percentile([], 0.5)).toThrow(AssertionError)
  })
})

describe('summary and spread', () => {
  it('keeps the extremes beside the median', () => {
    expect(summarize([3, 1, 2])).toEqual({ count: 3, median: 2, min: 1, max: 3 })
  })

  it('gives the spread as a share of the median', () => {
    expect(spreadShare(summarize([90, 100, 120]))).toBeCloseTo(0.3)
    expect(spreadShare(summarize([5, 5, 5]))).toBe(0)
    expect(spreadShare(summarize([0, 0, 0]))).toBe(0)
  })
})
