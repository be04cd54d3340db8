/** The tables that several suites share: rates beside an opponent's, and latencies of one client. */
import { figure, range, type Table } from './report.ts'
import type { Measurement } from './rounds.ts'
import type { Summary } from './statistics.ts'

export function measured(measurements: readonly Measurement[], name: string): Measurement {
  const found = measurements.find((measurement) => measurement.name === name)
  if (found === undefined) throw new Error(`${name} was not measured.`)
  return found
}

/** How many times the operations per second of `opponent` one has. */
export function rateRatio(
  measurements: readonly Measurement[],
  name: string,
  opponent: string,
): number {
  const rateOf = (each: string): number => measured(measurements, each).operationsPerSecond.median
  return rateOf(name) / rateOf(opponent)
}

/** Rates and CPU per operation, the opponent's rate as 1. */
export function rateTable(
  measurements: readonly Measurement[],
  opponent: string,
  unit = 'transactions/s',
): Table {
  const withLoad = measurements.some(({ more }) => more['loadCpuUs'] !== undefined)
  return {
    columns: ['', unit, 'min – max', 'CPU µs each', ...(withLoad ? ['load'] : []), 'ratio'],
    rows: measurements.map(({ name, operationsPerSecond: rate, cpuUsPerOperation: cpu, more }) => [
      name,
      figure(rate.median),
      range(rate),
      medianOf(cpu),
      ...(withLoad ? [medianOf(more['loadCpuUs'])] : []),
      `${figure(rateRatio(measurements, name, opponent))} x`,
    ]),
  }
}

/** One client: how long its operations take. */
export function latencyTable(
  measurements: readonly Measurement[],
  p50: string,
  p99: string,
  label: string,
): Table {
  return {
    columns: [label, 'p50 ms', 'min – max', 'p99 ms', 'min – max', 'CPU µs each'],
    rows: measurements.map(({ name, more, cpuUsPerOperation: cpu }) => [
      name,
      ...[more[p50], more[p99]].flatMap((summary) =>
        summary === undefined ? ['', ''] : [figure(summary.median), range(summary)],
      ),
      medianOf(cpu),
    ]),
  }
}

function medianOf(summary: Summary | undefined): string {
  return summary === undefined ? '' : figure(summary.median)
}
