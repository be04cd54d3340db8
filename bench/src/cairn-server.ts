/** A Cairn server as the thing under test: `npm start` as a user runs it, signatures checked, filled over the wire. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { signRequest } from '@cairn/aws-protocol'
import { ionList } from '@cairn/ion'
import { processTreeCpuUs } from './machine.ts'
import type { Contestant, Progress } from './rounds.ts'
import { vehicleIon } from './vehicle.ts'
import { prepareStatement, WireSession, type WireTarget } from './wire-client.ts'
import type { WireLoad, WireLoadResult } from './wire-load.ts'

const run = promisify(execFile)
const sourceDirectory = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(sourceDirectory))

/** As `npm start` and `npx cairn` give it to the server. */
export const youngGenerationFlags: readonly string[] = [
  '--max-semi-space-size=128',
  '--min-semi-space-size=128',
]
/** Documents that one transaction may write. */
const insertCount = 40
/** An installation and a build may come first. */
const startMsMax = 120_000
const ledgerName = 'bench'

export interface CairnServer {
  readonly processId: number
  readonly target: WireTarget
  stop(): Promise<void>
}

/** On free ports, with signatures checked by the key that the server makes on its first start. */
export async function startCairnServer(
  dataDirectory: string,
  progress: Progress,
): Promise<CairnServer> {
  progress('starting Cairn')
  const daemon = await startCairnDaemon(dataDirectory, ['--auth', 'sigv4'])
  const keyFile = join(dataDirectory, 'keys', 'access-keys.json')
  const { accessKeys } = JSON.parse(readFileSync(keyFile, 'utf8')) as {
    readonly accessKeys: readonly {
      readonly accessKeyId: string
      readonly secretAccessKey: string
    }[]
  }
  const [key] = accessKeys
  if (key === undefined) throw new Error('Cairn made no access key.')
  const { hostname: host, port } = new URL(daemon.endpoints.api)
  return { ...daemon, target: { host, port: Number(port), ledgerName, ...key } }
}

export interface CairnDaemon {
  readonly processId: number
  readonly endpoints: {
    readonly api: string
    readonly ethereum?: {
      readonly chainId: number
      readonly http: string
      readonly devAccount: { readonly privateKey: string }
    }
  }
  stop(): Promise<void>
}

/** `npm start` on free ports. @param options Further ones of `cairn up`. @param nodeFlags Of its process. */
export async function startCairnDaemon(
  dataDirectory: string,
  options: readonly string[],
  nodeFlags: readonly string[] = [],
): Promise<CairnDaemon> {
  const readyFile = join(dataDirectory, 'bench-ready.json')
  const addresses = ['--listen', '127.0.0.1:0', '--tls-listen', '127.0.0.1:0']
  const files = ['--data-dir', dataDirectory, '--ready-file', readyFile, '--log-level', 'warn']
  const program = [...youngGenerationFlags, ...nodeFlags, join(root, 'scripts', 'start.js')]
  const server = spawn(process.execPath, [...program, ...addresses, ...files, ...options], {
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
    readonly endpoints: CairnDaemon['endpoints']
  }
  return {
    processId: ready.pid,
    endpoints: ready.endpoints,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return
      const ended = once(server, 'exit')
      server.kill('SIGTERM')
      await ended
    },
  }
}

/** A table of `documentCount` vehicles with an index. */
export async function fillCairnServer(target: WireTarget, documentCount: number): Promise<void> {
  await createLedger(target)
  const session = await WireSession.open(target)
  await session.transact([prepareStatement('CREATE TABLE Vehicle')])
  await session.transact([prepareStatement('CREATE INDEX ON Vehicle (Serial)')])
  for (let first = 1; first <= documentCount; first += insertCount) {
    const vehicles = Array.from({ length: insertCount }, (_, index) => vehicleIon(first + index))
    await session.transact([prepareStatement('INSERT INTO Vehicle ?', [ionList(vehicles)])])
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

/** Runs the load in a process of its own. */
export async function runWireLoad(load: WireLoad): Promise<WireLoadResult> {
  const program = join(sourceDirectory, 'wire-load.ts')
  const flags = [...youngGenerationFlags, '--import', 'tsx']
  const { stdout } = await run(process.execPath, [...flags, program, JSON.stringify(load)])
  return JSON.parse(stdout) as WireLoadResult
}

/** The CPU time is the server's; that of the load stands in `loadCpuUs`. */
export function serverLoad(
  name: string,
  server: CairnServer,
  load: Omit<WireLoad, 'target'>,
): Contestant {
  return {
    name,
    async run() {
      const cpuBefore = processTreeCpuUs(server.processId)
      const result = await runWireLoad({ ...load, target: server.target })
      const cpuAfter = processTreeCpuUs(server.processId)
      const { transactionCount, warmUpCount } = result
      const countedShare = transactionCount / (transactionCount + warmUpCount)
      return {
        operationCount: transactionCount,
        elapsedMs: result.elapsedMs,
        cpuUs:
          cpuBefore === undefined || cpuAfter === undefined
            ? undefined
            : (cpuAfter - cpuBefore) * countedShare,
        more: {
          p50Ms: result.p50Ms,
          p99Ms: result.p99Ms,
          commitP50Ms: result.commitP50Ms,
          commitP99Ms: result.commitP99Ms,
          conflictCount: result.conflictCount,
          loadCpuUs: result.cpuUs / transactionCount,
        },
      }
    },
  }
}
