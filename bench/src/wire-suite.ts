/**
 * Durable updates over the wire: through the QLDB session API with three signed requests each, and through the call
 * that does the same in one. Beside PostgreSQL over TCP.
 */
import type { SuiteResult } from './report.ts'
import { runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { rateRatio, rateTable } from './tables.ts'
import { openWireBench, opponent } from './wire-bench.ts'

const cairnName = (connectionCount: number): string =>
  `Cairn, session API, ${connectionCount} connections`
const callName = 'Cairn, one-request call, 64 connections'

export async function wireSuite(context: SuiteContext): Promise<SuiteResult> {
  const bench = await openWireBench(context)
  const measurements = await runRounds(
    [
      bench.postgres(opponent, 'update', 32),
      bench.cairn(cairnName(32), 'session', 'update', 32),
      bench.cairn(cairnName(64), 'session', 'update', 64),
      bench.cairn(callName, 'call', 'update', 64),
    ],
    context.roundCount,
    context.progress,
  )
  return {
    name: 'wire',
    title: 'Durable transactions over the wire: find by index, change, commit',
    machine: bench.machine,
    settings: bench.settings,
    tables: [rateTable(measurements, opponent)],
    bars: [
      {
        text: 'update over the QLDB session API, 64 connections',
        value: rateRatio(measurements, cairnName(64), opponent),
        bar: 1.5,
        stretch: 3,
        better: 'more',
        unit: 'x',
      },
      {
        text: 'update in one request, 64 connections',
        value: rateRatio(measurements, callName, opponent),
        bar: 2.5,
        stretch: 5,
        better: 'more',
        unit: 'x',
      },
    ],
    measurements,
  }
}
