/**
 * One client alone, over the wire: how long a durable update takes from the first byte sent to the answer. A commit of
 * PostgreSQL is one round trip, and so are the one-request call and the last of the session API's three requests.
 */
import type { SuiteResult } from './report.ts'
import { type Measurement, runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { latencyTable, measured } from './tables.ts'
import { openWireBench } from './wire-bench.ts'

const postgresName = 'PostgreSQL'
const callName = 'Cairn, one-request call'
const sessionName = 'Cairn, session API'

export async function latencySuite(context: SuiteContext): Promise<SuiteResult> {
  const bench = await openWireBench(context)
  const measurements = await runRounds(
    [
      bench.postgres(postgresName, 'update', 1),
      bench.cairn(callName, 'call', 'update', 1),
      bench.cairn(sessionName, 'session', 'update', 1),
    ],
    context.roundCount,
    context.progress,
  )
  const session = [measured(measurements, sessionName)]
  const bars = { bar: 1.5, stretch: 1, better: 'less', unit: 'x' } as const
  const ratio = (key: string): number =>
    median(measured(measurements, callName), key) /
    median(measured(measurements, postgresName), key)
  return {
    name: 'latency',
    title: 'One client alone: a durable update over the wire',
    machine: bench.machine,
    settings: bench.settings,
    tables: [
      latencyTable(measurements, 'p50Ms', 'p99Ms', 'whole transaction'),
      latencyTable(session, 'commitP50Ms', 'commitP99Ms', 'its CommitTransaction alone'),
    ],
    bars: [
      { text: 'commit of a single client, p50', value: ratio('p50Ms'), ...bars },
      { text: 'commit of a single client, p99', value: ratio('p99Ms'), ...bars },
    ],
    measurements,
  }
}

function median({ name, more }: Measurement, key: string): number {
  const summary = more[key]
  if (summary === undefined) throw new Error(`${name} has no ${key}.`)
  return summary.median
}
