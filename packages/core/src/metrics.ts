/**
 * Metrics as an interface, implemented in `apps/`: counters, histograms, and gauges that are read when somebody asks.
 * Names and units are Prometheus': `cairn_commit_seconds`, base units, `_total` for counters.
 */

export type MetricLabels = Readonly<Record<string, string>>

export interface Counter {
  /** @param count Not negative; 1 unless told. */
  add(count?: number): void
}

export interface Histogram {
  observe(value: number): void
}

export interface Metrics {
  /** The same name and labels give the same counter. `help` is one sentence. */
  counter(name: string, help: string, labels?: MetricLabels): Counter
  /** @param bounds Upper bounds of the buckets, rising; the one without a bound is added. */
  histogram(name: string, help: string, bounds: readonly number[], labels?: MetricLabels): Histogram
  /** @param read Called for each page of metrics; takes no time to speak of, and does not throw. */
  gauge(name: string, help: string, read: () => number, labels?: MetricLabels): void
  /** Metrics with `labels` on all of them. Closing takes them off the page, as for a ledger that is gone. */
  scope(labels: MetricLabels): MetricsScope
}

export interface MetricsScope extends Metrics {
  close(): void
}

/** From half a millisecond to half a minute: disks, and the life of a transaction. Seconds. */
export const latencyBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** For whoever does not look. */
export const noMetrics: Metrics = {
  counter: () => ({ add() {} }),
  histogram: () => ({ observe() {} }),
  gauge() {},
  scope: () => ({ ...noMetrics, close() {} }),
}
