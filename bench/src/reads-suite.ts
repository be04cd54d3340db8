/**
 * Reading one document by an indexed field, in a transaction of its own, over the wire. PostgreSQL answers one prepared
 * SELECT in one round trip; beside it the same within BEGIN READ ONLY and COMMIT, which is what a session of QLDB does.
 */
import type { SuiteResult } from './report.ts'
import { runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { rateRatio, rateTable } from './tables.ts'
import { openWireBench, opponent } from './wire-bench.ts'

const inTransaction = 'PostgreSQL, BEGIN READ ONLY … COMMIT'
const sessionName = 'Cairn, session API, 64 connections'
const callName = 'Cairn, one-request call, 64 connections'

export async function readsSuite(context: SuiteContext): Promise<SuiteResult> {
  const bench = await openWireBench(context)
  const measurements = await runRounds(
    [
      bench.postgres(opponent, 'read', 32),
      bench.postgres(inTransaction, 'readInTransaction', 32),
      bench.cairn(sessionName, 'session', 'read', 64),
      bench.cairn(callName, 'call', 'read', 64),
    ],
    context.roundCount,
    context.progress,
  )
  const bars = { bar: 1, stretch: 2, better: 'more', unit: 'x' } as const
  return {
    name: 'reads',
    title: 'Point reads over the wire: one document by an indexed field, in a transaction',
    machine: bench.machine,
    settings: bench.settings,
    tables: [rateTable(measurements, opponent)],
    bars: [
      {
        text: 'point read over the QLDB session API',
        value: rateRatio(measurements, sessionName, opponent),
        ...bars,
      },
      {
        text: 'point read in one request',
        value: rateRatio(measurements, callName, opponent),
        ...bars,
      },
    ],
    measurements,
  }
}
