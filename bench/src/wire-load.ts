/**
 * The load of the wire benchmark, a process of its own: `tsx wire-load.ts '{"host":…}'`. Keeps one transaction under
 * way on each connection until the time is up, then prints one JSON object.
 */
import { ionInt } from '@cairn/ion'
import { percentile } from './statistics.ts'
import { type TransactionTimes, WireError, WireSession, type WireTarget } from './wire-client.ts'

export interface WireLoad {
  readonly target: WireTarget
  readonly connectionCount: number
  readonly durationMs: number
  readonly rowCount: number
}

export interface WireLoadResult {
  readonly transactionCount: number
  readonly conflictCount: number
  readonly elapsedMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly commitP50Ms: number
  readonly commitP99Ms: number
  /** Of this process. */
  readonly cpuUs: number
}

const updateStatement = 'UPDATE Vehicle SET Mileage = ? WHERE Serial = ?'

async function runLoad(load: WireLoad): Promise<WireLoadResult> {
  const sessions = await Promise.all(
    Array.from({ length: load.connectionCount }, () => WireSession.open(load.target)),
  )
  const times: TransactionTimes[] = []
  let conflictCount = 0
  const startCpu = process.cpuUsage()
  const startMs = performance.now()
  const work = async (session: WireSession): Promise<void> => {
    while (performance.now() - startMs < load.durationMs) {
      const no = 1 + Math.floor(Math.random() * load.rowCount)
      const mileage = Math.floor(Math.random() * 1_000_000)
      const parameters = [ionInt(mileage), ionInt(no)]
      try {
        times.push(await session.transact([{ text: updateStatement, parameters }]))
      } catch (error) {
        // Two connections met on one vehicle; QLDB drivers try again, and so do we with another one.
        if (!(error instanceof WireError && error.fault === 'OccConflictException')) throw error
        conflictCount++
      }
    }
  }
  await Promise.all(sessions.map(work))
  const elapsedMs = performance.now() - startMs
  const cpu = process.cpuUsage(startCpu)
  for (const session of sessions) session.close()
  const transactionMs = times.map((time) => time.transactionMs)
  const commitMs = times.map((time) => time.commitMs)
  return {
    transactionCount: times.length,
    conflictCount,
    elapsedMs,
    p50Ms: percentile(transactionMs, 0.5),
    p99Ms: percentile(transactionMs, 0.99),
    commitP50Ms: percentile(commitMs, 0.5),
    commitP99Ms: percentile(commitMs, 0.99),
    cpuUs: cpu.user + cpu.system,
  }
}

const result = await runLoad(JSON.parse(process.argv[2] ?? '') as WireLoad)
process.stdout.write(`${JSON.stringify(result)}\n`)
