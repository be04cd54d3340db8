/** Through the QLDB session API: `npm start` as a user runs it, signatures checked. Beside PostgreSQL over TCP. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { signRequest } from '@cairn/aws-protocol'
import { ionList } from '@cairn/ion'
import { machineFacts, processTreeCpuUs } from './machine.ts'
import { createVehicleTable, postgresUpdates, startPostgres } from './postgres.ts'
import { figure, range, type SuiteResult, type Table } from './report.ts'
import { type Contestant, type Measurement, type Progress, runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { documentCount, rateTable } from './transactions-suite.ts'
import { vehicleIon } from './vehicle.ts'
import { WireSession, type WireTarget } from './wire-client.ts'
import type { WireLoad, WireLoadResult } from './wire-load.ts'

const run = promisify(execFile)
const sourceDirectory = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(sourceDirectory))

/** Documents that one transaction may write. */
const insertCount = 40
const postgresClientCount = 32
const connectionCounts = [32, 64] as const
/** An installation and a build may come first. */
const startMsMax = 120_000
const ledgerName = 'bench'

interface Server {
  readonly processId: number
  readonly target: WireTarget
  stop(): Promise<void>
}

export async function wireSuite(context: SuiteContext): Promise<SuiteResult> {
  const { directory, durationMs, progress, roundCount } = context
  const machine = machineFacts(directory)
  const postgres = await startPostgres(directory, progress)
  context.defer(() => postgres.stop())
  progress(`filling PostgreSQL with ${documentCount} rows`)
  await createVehicleTable(postgres, documentCount)

  const server = await startServer(join(directory, 'cairn'), progress)
  context.defer(() => server.stop())
  progress(`filling the ledger with ${documentCount} documents`)
  await fillLedger(server.target)

  const pgbenchDirectory = join(directory, 'pgbench')
  mkdirSync(pgbenchDirectory)
  const postgresLoad = (name: string, clientCount: number): Contestant =>
    postgresUpdates(postgres, {
      name,
      transport: 'tcp',
      clientCount,
      durationMs,
      rowCount: documentCount,
      withLatencies: clientCount === 1,
      directory: pgbenchDirectory,
    })
  const opponent = `PostgreSQL, ${postgresClientCount} clients`
  const measurements = await runRounds(
    [
      postgresLoad(opponent, postgresClientCount),
      ...connectionCounts.map((count) => serverLoad(server, count, durationMs)),
      postgresLoad(postgresAlone, 1),
      serverLoad(server, 1, durationMs),
    ],
    roundCount,
    progress,
  )
  const isAlone = ({ name }: Measurement): boolean => [postgresAlone, cairnName(1)].includes(name)
  return {
    name: 'wire',
    title: 'Durable transactions over the QLDB session API: three signed requests each',
    machine,
    settings: {
      documents: documentCount,
      opponent: postgres.version,
      rounds: roundCount,
      'seconds per turn': durationMs / 1000,
    },
    tables: [
      rateTable(
        measurements.filter((measurement) => !isAlone(measurement)),
        opponent,
      ),
      latencyTable(measurements.filter(isAlone)),
    ],
    bars: [],
    measurements,
  }
}

const postgresAlone = 'PostgreSQL, 1 client'

function cairnName(connectionCount: number): string {
  return `Cairn, ${connectionCount} connection${connectionCount === 1 ? '' : 's'}`
}

/** `npm start` on free ports, with signatures checked by the key that the server makes on its first start. */
async function startServer(dataDirectory: string, progress: Progress): Promise<Server> {
  progress('starting Cairn')
  const readyFile = join(dataDirectory, 'bench-ready.json')
  const addresses = ['--listen', '127.0.0.1:0', '--tls-listen', '127.0.0.1:0']
  const files = ['--data-dir', dataDirectory, '--ready-file', readyFile]
  const levels = ['--auth', 'sigv4', '--log-level', 'warn']
  const script = join(root, 'scripts', 'start.js')
  const server = spawn(process.execPath, [script, ...addresses, ...files, ...levels], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const startMs = performance.now()
  while (!existsSync(readyFile)) {
    if (server.exitCode !== null) throw new Error(`Cairn ended with code ${server.exitCode}.`)
    if (performance.now() - startMs > startMsMax) {
      server.kill()
      throw new Error('Cairn did not start in time.')
    }
    await delay(50)
  }
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as {
    readonly pid: number
    readonly endpoints: { readonly api: string }
  }
  const keyFile = join(dataDirectory, 'keys', 'access-keys.json')
  const { accessKeys } = JSON.parse(readFileSync(keyFile, 'utf8')) as {
    readonly accessKeys: readonly {
      readonly accessKeyId: string
      readonly secretAccessKey: string
    }[]
  }
  const [key] = accessKeys
  if (key === undefined) throw new Error('Cairn made no access key.')
  const { hostname: host, port } = new URL(ready.endpoints.api)
  return {
    processId: ready.pid,
    target: { host, port: Number(port), ledgerName, ...key },
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return
      const ended = once(server, 'exit')
      server.kill('SIGTERM')
      await ended
    },
  }
}

async function fillLedger(target: WireTarget): Promise<void> {
  await createLedger(target)
  const session = await WireSession.open(target)
  await session.transact([{ text: 'CREATE TABLE Vehicle', parameters: [] }])
  await session.transact([{ text: 'CREATE INDEX ON Vehicle (Serial)', parameters: [] }])
  for (let first = 1; first <= documentCount; first += insertCount) {
    const vehicles = Array.from({ length: insertCount }, (_, index) => vehicleIon(first + index))
    await session.transact([{ text: 'INSERT INTO Vehicle ?', parameters: [ionList(vehicles)] }])
  }
  session.close()
}

async function createLedger(target: WireTarget): Promise<void> {
  const url = `http://${target.host}:${target.port}/ledgers`
  const body = JSON.stringify({ Name: target.ledgerName, PermissionsMode: 'ALLOW_ALL' })
  const headers = signRequest({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    body,
    accessKeyId: target.accessKeyId,
    secretAccessKey: target.secretAccessKey,
    region: 'us-east-1',
    service: 'qldb',
    nowMs: Date.now(),
  })
  const response = await fetch(url, { method: 'POST', headers, body })
  if (!response.ok) throw new Error(`The ledger was not created: ${await response.text()}`)
}

/** The load runs in a process of its own; the CPU time is the server's. */
function serverLoad(server: Server, connectionCount: number, durationMs: number): Contestant {
  return {
    name: cairnName(connectionCount),
    async run() {
      const { target } = server
      const load: WireLoad = { target, connectionCount, durationMs, rowCount: documentCount }
      const program = join(sourceDirectory, 'wire-load.ts')
      const flags = ['--import', 'tsx']
      const cpuBefore = processTreeCpuUs(server.processId)
      const { stdout } = await run(process.execPath, [...flags, program, JSON.stringify(load)])
      const cpuAfter = processTreeCpuUs(server.processId)
      const result = JSON.parse(stdout) as WireLoadResult
      return {
        operationCount: result.transactionCount,
        elapsedMs: result.elapsedMs,
        cpuUs: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
        more: {
          p50Ms: result.p50Ms,
          p99Ms: result.p99Ms,
          commitP50Ms: result.commitP50Ms,
          commitP99Ms: result.commitP99Ms,
          conflictCount: result.conflictCount,
          loadCpuUs: result.cpuUs,
        },
      }
    },
  }
}

/** One client: how long a transaction takes, and of that the commit request alone. */
function latencyTable(measurements: readonly Measurement[]): Table {
  return {
    columns: [
      'alone',
      'p50 ms',
      'min – max',
      'p99 ms',
      'min – max',
      'commit p50 ms',
      'commit p99 ms',
    ],
    rows: measurements.map(({ name, more }) => {
      const { p50Ms, p99Ms, commitP50Ms, commitP99Ms } = more
      return [
        name,
        ...[p50Ms, p99Ms].flatMap((summary) =>
          summary === undefined ? ['', ''] : [figure(summary.median), range(summary)],
        ),
        ...[commitP50Ms, commitP99Ms].map((summary) =>
          summary === undefined ? '' : figure(summary.median),
        ),
      ]
    }),
  }
}
