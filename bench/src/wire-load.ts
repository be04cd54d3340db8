/**
 * The load of the benchmarks over the wire, a process of its own: `node wire-load.ts '{"work":…}'`. Keeps one
 * transaction under way on each connection until the time is up, then prints one JSON object.
 */
import { ionInt } from '@cairn/ion'
import { ClientConnection, WireError } from './client-connection.ts'
import { createRequestSigner } from './request-signer.ts'
import { percentile } from './statistics.ts'
import {
  type PreparedStatement,
  prepareStatement,
  type TransactionTimes,
  WireSession,
  type WireTarget,
} from './wire-client.ts'

export interface WireLoad {
  /** By the session API, three requests each, or by the one-request call. */
  readonly api: 'session' | 'call'
  readonly work: 'update' | 'read'
  readonly target: WireTarget
  readonly connectionCount: number
  readonly durationMs: number
  readonly rowCount: number
}

export interface WireLoadResult {
  /** Before the clock ran. */
  readonly warmUpCount: number
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

/** Statements and requests made before the clock runs: making each anew would cost the server its processor. */
const preparedCount = 10_000
const statements = {
  update: 'UPDATE Vehicle SET Mileage = ? WHERE Serial = ?',
  read: 'SELECT * FROM Vehicle WHERE Serial = ?',
} as const

const warmUpMs = 1000

/** Runs one transaction. @throws WireError */
type Transact = () => Promise<TransactionTimes>

interface Client {
  readonly transact: Transact
  close(): void
}

async function runLoad(load: WireLoad): Promise<WireLoadResult> {
  const open = load.api === 'session' ? sessionOpener(load) : callOpener(load)
  const clients = await Promise.all(Array.from({ length: load.connectionCount }, open))
  // The first second is not counted: this process has to compile itself, which pgbench has not.
  const warmUp = await drive(clients, warmUpMs)
  const result = await drive(clients, load.durationMs)
  for (const client of clients) client.close()
  return { ...result, warmUpCount: warmUp.transactionCount }
}

async function drive(
  clients: readonly Client[],
  durationMs: number,
): Promise<Omit<WireLoadResult, 'warmUpCount'>> {
  const times: TransactionTimes[] = []
  let conflictCount = 0
  const startCpu = process.cpuUsage()
  const startMs = performance.now()
  const work = async ({ transact }: Client): Promise<void> => {
    while (performance.now() - startMs < durationMs) {
      try {
        times.push(await transact())
      } catch (error) {
        // Two connections met on one vehicle; QLDB drivers try again, and so do we with another one.
        if (!(error instanceof WireError && isConflict(error))) throw error
        conflictCount++
      }
    }
  }
  await Promise.all(clients.map(work))
  const elapsedMs = performance.now() - startMs
  const cpu = process.cpuUsage(startCpu)
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

function isConflict({ fault }: WireError): boolean {
  return fault === 'OccConflictException' || fault === 'OCC_CONFLICT'
}

function sessionOpener(load: WireLoad): () => Promise<Client> {
  const prepared = prepare(load, (text, values): readonly PreparedStatement[] => [
    prepareStatement(
      text,
      values.map((value) => ionInt(value)),
    ),
  ])
  return async () => {
    const session = await WireSession.open(load.target)
    return {
      transact: () => session.transact(pick(prepared)),
      close: () => session.close(),
    }
  }
}

/** Whole signed requests, made ahead: a signature holds for five minutes. */
function callOpener(load: WireLoad): () => Promise<Client> {
  const { host, port, ledgerName } = load.target
  const path = `/v1/ledgers/${ledgerName}/transactions`
  const sign = createRequestSigner(load.target, { path, contentType: 'application/json' })
  const requests = prepare(load, (statement, parameters) =>
    sign(JSON.stringify({ statements: [{ statement, parameters }] })),
  )
  return async () => {
    const connection = await ClientConnection.open(host, port)
    const transact: Transact = async () => {
      const startMs = performance.now()
      await connection.ask(pick(requests))
      const ms = performance.now() - startMs
      return { transactionMs: ms, commitMs: ms }
    }
    return { transact, close: () => connection.close() }
  }
}

function prepare<T>(
  { work, rowCount }: WireLoad,
  make: (statement: string, parameters: readonly number[]) => T,
): readonly T[] {
  return Array.from({ length: preparedCount }, () => {
    const serial = 1 + Math.floor(Math.random() * rowCount)
    const mileage = Math.floor(Math.random() * 1_000_000)
    return make(statements[work], work === 'update' ? [mileage, serial] : [serial])
  })
}

function pick<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)] as T
}

const result = await runLoad(JSON.parse(process.argv[2] ?? '') as WireLoad)
process.stdout.write(`${JSON.stringify(result)}\n`)
