/** Counts and times of requests by operation and status. The names are documented in docs/reference/metrics.md. */
import { type Counter, type Histogram, latencyBounds, type Metrics } from '@cairn/core'

export class RequestMetrics {
  readonly #metrics: Metrics
  /** By operation, then by status. Both come from closed sets. */
  readonly #seconds = new Map<string, Map<number, Histogram>>()
  readonly #faults = new Map<string, Counter>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  answered(operation: string, status: number, ms: number): void {
    let byStatus = this.#seconds.get(operation)
    if (byStatus === undefined) {
      byStatus = new Map()
      this.#seconds.set(operation, byStatus)
    }
    let histogram = byStatus.get(status)
    if (histogram === undefined) {
      histogram = this.#metrics.histogram(
        'cairn_request_seconds',
        'From a request that is here whole until its answer is made.',
        latencyBounds,
        { operation, status: String(status) },
      )
      byStatus.set(status, histogram)
    }
    histogram.observe(ms / 1000)
  }

  /** @param fault The name that the client was given. */
  failed(fault: string): void {
    let counter = this.#faults.get(fault)
    if (counter === undefined) {
      const help = 'Answers that were errors, by their names.'
      counter = this.#metrics.counter('cairn_request_faults_total', help, { fault })
      this.#faults.set(fault, counter)
    }
    counter.add()
  }
}
