import { noMetrics } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMetricsRegistry } from './metrics-registry.ts'
import { parseMetrics, sampleOf } from './testing/parse-metrics.ts'

describe('the page of metrics', () => {
  it('has the form of the text format, word for word', () => {
    const registry = createMetricsRegistry()
    registry.counter('b_total', 'Counted.\nTwo \\ lines.', { path: 'a"b\\c\nd' }).add(2)
    const seconds = registry.histogram('a_seconds', 'Times.', [0.1, 1], { op: 'x' })
    for (const value of [0.1, 0.25, 5]) seconds.observe(value)
    registry.gauge('c', 'Read.', () => Number.POSITIVE_INFINITY)
    expect(registry.format()).toBe(
      [
        '# HELP a_seconds Times.',
        '# TYPE a_seconds histogram',
        'a_seconds_bucket{op="x",le="0.1"} 1',
        'a_seconds_bucket{op="x",le="1"} 2',
        'a_seconds_bucket{op="x",le="+Inf"} 3',
        'a_seconds_sum{op="x"} 5.35',
        'a_seconds_count{op="x"} 3',
        '# HELP b_total Counted.\\nTwo \\\\ lines.',
        '# TYPE b_total counter',
        'b_total{path="a\\"b\\\\c\\nd"} 2',
        '# HELP c Read.',
        '# TYPE c gauge',
        'c +Inf',
        '',
      ].join('\n'),
    )
  })

  it('gives the same counter for the same name and labels, and forgets what a scope closes', () => {
    const registry = createMetricsRegistry()
    const scope = registry.scope({ ledger: 'L' })
    scope.counter('n_total', 'n', { kind: 'a' }).add()
    registry.counter('n_total', 'n', { ledger: 'L', kind: 'a' }).add()
    registry.counter('n_total', 'n').add()
    scope.gauge('g', 'g', () => 1)
    expect(sampleOf(registry.format(), 'n_total{ledger="L",kind="a"}')).toBe(2)
    scope.close()
    expect([...parseMetrics(registry.format()).keys()]).toEqual(['n_total'])
    expect(sampleOf(registry.format(), 'n_total{ledger="L",kind="a"}')).toBeUndefined()
    expect(sampleOf(registry.format(), 'n_total')).toBe(1)
  })

  it('refuses names that are none, and one name for two types', () => {
    const registry = createMetricsRegistry()
    registry.counter('a', 'a')
    expect(() => registry.gauge('a', 'a', () => 0)).toThrow('one type')
    expect(() => registry.counter('a-b', 'a')).toThrow('name')
    expect(() => registry.counter('a', 'a', { 'x-y': '' })).toThrow('name')
    expect(() => registry.histogram('h', 'h', [1, 1])).toThrow('rise')
  })

  it('can be read whatever is in labels, and counts what was observed', () => {
    const values = fc.array(fc.double({ noNaN: true, min: 0, max: 100 }), { maxLength: 30 })
    fc.assert(
      fc.property(fc.string(), values, (label, observed) => {
        const registry = createMetricsRegistry()
        const histogram = registry.histogram('h', 'h', [1, 10], { label })
        for (const value of observed) histogram.observe(value)
        const [family] = parseMetrics(registry.format()).values()
        const [low, middle, all, sum] = [...(family?.samples.values() ?? [])]
        expect([low, middle, all]).toEqual([
          observed.filter((value) => value <= 1).length,
          observed.filter((value) => value <= 10).length,
          observed.length,
        ])
        expect(sum).toBeCloseTo(observed.reduce((a, b) => a + b, 0))
      }),
    )
  })

  it('is not needed: nobody has to look', () => {
    const scope = noMetrics.scope({})
    scope.counter('a', 'a').add()
    scope.histogram('b', 'b', [1]).observe(1)
    scope.close()
  })
})
