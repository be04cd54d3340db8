/**
 * Metrics in memory, and their page in the text format 0.0.4 of Prometheus. Counters and buckets lie in typed arrays:
 * counting allocates nothing and costs some ten nanoseconds. Not here: exemplars, summaries, OpenMetrics.
 */
import {
  assert,
  type Counter,
  type Histogram,
  type MetricLabels,
  type Metrics,
  type MetricsScope,
} from '@cairn/core'

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** A metric with one set of labels: its lines on the page. */
interface Series {
  lines(name: string): string
}

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** By the text of their labels, in the order they came. */
  readonly series: Map<string, Series>
}

export interface MetricsRegistry extends Metrics {
  /** A counter that somebody else keeps. */
  sampledCounter(name: string, help: string, read: () => number): void
  /** The page, families in the order of their names. */
  format(): string
}

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/

export function createMetricsRegistry(): MetricsRegistry {
  return new Registry()
}

class Registry implements MetricsRegistry {
  readonly #families = new Map<string, Family>()

  counter(name: string, help: string, labels: MetricLabels = {}): Counter {
    return this.#series(name, help, 'counter', labels, (text) => new CounterSeries(text))
  }

  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    labels: MetricLabels = {},
  ): Histogram {
    assert(labels['le'] === undefined, 'le is the label of the buckets')
    const isRising = bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] as number))
    assert(isRising, 'bounds of buckets rise')
    return this.#series(name, help, 'histogram', labels, (text) => new Buckets(text, bounds))
  }

  gauge(name: string, help: string, read: () => number, labels: MetricLabels = {}): void {
    this.#sampled(name, help, 'gauge', read, labels)
  }

  sampledCounter(name: string, help: string, read: () => number): void {
    this.#sampled(name, help, 'counter', read, {})
  }

  #sampled(
    name: string,
    help: string,
    type: 'gauge' | 'counter',
    read: () => number,
    labels: MetricLabels,
  ): void {
    // The newest is the one who knows: a ledger of the same name may have been made again.
    const text = labelText(labels)
    const lines = () => `${name}${braced(text)} ${formatNumber(read())}\n`
    this.#family(name, help, type).series.set(text, { lines })
  }

  scope(labels: MetricLabels): MetricsScope {
    return new Scope(this, labels)
  }

  remove(name: string, labels: MetricLabels): void {
    const family = this.#families.get(name)
    family?.series.delete(labelText(labels))
    if (family?.series.size === 0) this.#families.delete(name)
  }

  format(): string {
    let page = ''
    const families = [...this.#families.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const { name, help, type, series } of families) {
      page += `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n`
      page += `# TYPE ${name} ${type}\n`
      for (const each of series.values()) page += each.lines(name)
    }
    return page
  }

  #family(name: string, help: string, type: Family['type']): Family {
    let family = this.#families.get(name)
    if (family === undefined) {
      assert(namePattern.test(name), 'a metric has a name of Prometheus')
      family = { name, help, type, series: new Map() }
      this.#families.set(name, family)
    }
    assert(family.type === type, 'a name stands for one type of metric')
    return family
  }

  #series<S extends Series>(
    name: string,
    help: string,
    type: Family['type'],
    labels: MetricLabels,
    make: (labelText: string) => S,
  ): S {
    const { series } = this.#family(name, help, type)
    const text = labelText(labels)
    const found = series.get(text)
    if (found !== undefined) return found as S
    const made = make(text)
    series.set(text, made)
    return made
  }
}

class CounterSeries implements Series, Counter {
  readonly #labels: string
  readonly #value: Float64Array = new Float64Array(1)

  constructor(labels: string) {
    this.#labels = labels
  }

  add(count = 1): void {
    this.#value[0] = (this.#value[0] as number) + count
  }

  lines(name: string): string {
    return `${name}${braced(this.#labels)} ${formatNumber(this.#value[0] as number)}\n`
  }
}

class Buckets implements Series, Histogram {
  readonly #labels: string
  readonly #bounds: Float64Array
  /** Of each bucket alone, the one without a bound last, then the sum of all values. */
  readonly #counts: Float64Array

  constructor(labels: string, bounds: readonly number[]) {
    this.#labels = labels
    this.#bounds = Float64Array.from(bounds)
    this.#counts = new Float64Array(bounds.length + 2)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    const counts = this.#counts
    let i = 0
    while (i < bounds.length && value > (bounds[i] as number)) i++
    counts[i] = (counts[i] as number) + 1
    counts[bounds.length + 1] = (counts[bounds.length + 1] as number) + value
  }

  lines(name: string): string {
    const before = this.#labels === '' ? '' : `${this.#labels},`
    let text = ''
    let count = 0
    for (const [i, bound] of [...this.#bounds, Number.POSITIVE_INFINITY].entries()) {
      count += this.#counts[i] as number
      text += `${name}_bucket{${before}le="${formatNumber(bound)}"} ${count}\n`
    }
    const sum = this.#counts.at(-1) as number
    const labels = braced(this.#labels)
    return `${text}${name}_sum${labels} ${formatNumber(sum)}\n${name}_count${labels} ${count}\n`
  }
}

class Scope implements MetricsScope {
  readonly #registry: Registry
  readonly #labels: MetricLabels
  readonly #names = new Map<string, MetricLabels[]>()

  constructor(registry: Registry, labels: MetricLabels) {
    this.#registry = registry
    this.#labels = labels
  }

  counter(name: string, help: string, labels?: MetricLabels): Counter {
    return this.#registry.counter(name, help, this.#note(name, labels))
  }

  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    labels?: MetricLabels,
  ): Histogram {
    return this.#registry.histogram(name, help, bounds, this.#note(name, labels))
  }

  gauge(name: string, help: string, read: () => number, labels?: MetricLabels): void {
    this.#registry.gauge(name, help, read, this.#note(name, labels))
  }

  scope(labels: MetricLabels): MetricsScope {
    return new Scope(this.#registry, { ...this.#labels, ...labels })
  }

  close(): void {
    for (const [name, all] of this.#names) {
      for (const labels of all) this.#registry.remove(name, labels)
    }
    this.#names.clear()
  }

  #note(name: string, labels: MetricLabels = {}): MetricLabels {
    const all = { ...this.#labels, ...labels }
    this.#names.set(name, [...(this.#names.get(name) ?? []), all])
    return all
  }
}

function labelText(labels: MetricLabels): string {
  return Object.entries(labels)
    .map(([name, value]) => {
      assert(labelPattern.test(name), 'a label has a name of Prometheus')
      return `${name}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`
    })
    .join(',')
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
