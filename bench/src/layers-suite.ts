/**
 * Where the processor time of a transaction over the wire goes: each step alone, in a loop, and what they add up to.
 * Loops are kinder than a server, whose caches serve many things: the sums are lower bounds.
 */
import { join } from 'node:path'
import {
  createSignatureVerifier,
  type HttpRequest,
  isRecord,
  parseJsonBody,
} from '@cairn/aws-protocol'
import { createIdSource, createSystemClock, systemRandom } from '@cairn/core'
import { createHttpServer } from '@cairn/http-server'
import { encodeIon, hashIonBytes, type IonValue, ionInt, ionList } from '@cairn/ion'
import { type Ledger, openLedgerHost } from '@cairn/ledger'
import { createQldbServer, type QldbServer } from '@cairn/qldb-server'
import { runWireLoad } from './cairn-server.ts'
import { machineFacts } from './machine.ts'
import { figure, range, type SuiteResult } from './report.ts'
import { type Contestant, loop, type Measurement, runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { measured } from './tables.ts'
import { vehicleIon } from './vehicle.ts'

const documentCount = 10_000
/** Documents that one transaction may write. */
const insertCount = 40
const connectionCount = 64
const inFlightCount = 256
const parameterCount = 4096
const accessKeyId = 'AKIDBENCHBENCHBENCH0'
const secretAccessKey = 'bench-bench-bench-bench-bench-bench-benc'
const updateText = 'UPDATE Vehicle SET Mileage = ? WHERE Serial = ?'
const readText = 'SELECT * FROM Vehicle WHERE Serial = ?'

const names = {
  socket: 'request over a socket, answered at once',
  verify: 'signature verified',
  parse: 'JSON body parsed',
  session: 'StartTransaction or AbortTransaction, unsigned, no socket',
  update: 'UPDATE executed, not committed',
  commit: 'UPDATE executed and committed, 256 in flight',
  read: 'SELECT executed, read and committed',
  hash: 'document hashed',
} as const

export async function layersSuite(context: SuiteContext): Promise<SuiteResult> {
  const { directory, durationMs, progress, roundCount } = context
  const machine = machineFacts(directory)
  const clock = createSystemClock()
  const host = await openLedgerHost({ directory: join(directory, 'ledgers'), clock })
  context.defer(() => host.close())
  await host.createLedger({ name: 'bench' })
  const ledger = host.getLedger('bench')
  progress(`filling the ledger with ${documentCount} documents`)
  await fill(ledger)
  const ids = createIdSource(clock, systemRandom)
  const qldb = createQldbServer({ host, clock, ids, auth: 'off' })
  context.defer(() => qldb.close())

  const { contestant: socket, request } = await socketContestant(context)
  const verifier = createSignatureVerifier({
    lookup: () => ({ secretAccessKey }),
    clock,
    services: ['qldb'],
  })
  const document = encodeIon(vehicleIon(1))
  const next = parameters()
  const contestants: readonly Contestant[] = [
    socket,
    loop(names.verify, durationMs, () => verifier.verify(request())),
    loop(names.parse, durationMs, () => parseJsonBody(request().body)),
    await sessionContestant(qldb, durationMs),
    loop(names.update, durationMs, () => {
      const transaction = ledger.startTransaction()
      const executed = transaction.execute(updateText, next())
      transaction.abort()
      return executed
    }),
    inFlight(names.commit, durationMs, inFlightCount, async () => {
      const transaction = ledger.startTransaction()
      await transaction.execute(updateText, next())
      // Two that met on one vehicle: a conflict takes as long.
      await transaction.commit().catch(() => undefined)
    }),
    inFlight(names.read, durationMs, 1, async () => {
      const transaction = ledger.startTransaction()
      const result = await transaction.execute(readText, next().slice(1))
      await result.nextPage(200, 1024 * 1024)
      await transaction.commit()
    }),
    loop(names.hash, durationMs, () => hashIonBytes(document)),
  ]
  progress('warming up')
  for (const contestant of contestants) await contestant.run()
  const measurements = await runRounds(contestants, roundCount, progress)
  return {
    name: 'layers',
    title: 'Where the time of a transaction over the wire goes: CPU time per step',
    machine,
    settings: {
      documents: documentCount,
      rounds: roundCount,
      'seconds per turn': durationMs / 1000,
    },
    tables: [
      {
        columns: ['', 'CPU µs', 'min – max'],
        rows: measurements.map(({ name, cpuUsPerOperation: cpu }) => {
          if (cpu === undefined) throw new Error('no CPU time')
          return [name, figure(cpu.median), range(cpu)]
        }),
      },
      sumTable(measurements, machine.coreCount),
    ],
    bars: [],
    measurements,
  }
}

/** What a transaction takes at the least, and how many of them the machine's cores can do if they do nothing else. */
function sumTable(measurements: readonly Measurement[], coreCount: number) {
  const cpuUs = (name: keyof typeof names): number =>
    measured(measurements, names[name]).cpuUsPerOperation?.median ?? Number.NaN
  const loadUs = measured(measurements, names.socket).more['loadCpuUs']?.median ?? Number.NaN
  const request = cpuUs('socket') + cpuUs('verify')
  // The measured session command holds the parsing of its body.
  const rows: [string, number, number][] = [
    ['update over the session API', 3 * (request + cpuUs('session')) + cpuUs('commit'), 3 * loadUs],
    ['update in one request', request + cpuUs('parse') + cpuUs('commit'), loadUs],
    [
      'point read over the session API',
      3 * (request + cpuUs('session')) + cpuUs('read'),
      3 * loadUs,
    ],
    ['point read in one request', request + cpuUs('parse') + cpuUs('read'), loadUs],
  ]
  return {
    columns: ['sum of the steps', 'server µs', 'load µs', `at most, on ${coreCount} cores`],
    rows: rows.map(([name, server, load]) => [
      name,
      figure(server),
      figure(load),
      `${figure((coreCount * 1_000_000) / (server + load))}/s`,
    ]),
  }
}

async function fill(ledger: Ledger): Promise<void> {
  const commit = async (text: string, ...values: readonly IonValue[]): Promise<void> => {
    const transaction = ledger.startTransaction()
    await transaction.execute(
      text,
      values.map((value) => encodeIon(value)),
    )
    await transaction.commit()
  }
  await commit('CREATE TABLE Vehicle')
  await commit('CREATE INDEX ON Vehicle (Serial)')
  for (let first = 1; first <= documentCount; first += insertCount) {
    const vehicles = Array.from({ length: insertCount }, (_, index) => vehicleIon(first + index))
    await commit('INSERT INTO Vehicle ?', ionList(vehicles))
  }
}

/** Mileage and serial number for an update, in turn out of many. */
function parameters(): () => readonly Uint8Array[] {
  const random = (max: number): Uint8Array => encodeIon(ionInt(1 + Math.floor(Math.random() * max)))
  const all = Array.from({ length: parameterCount }, () => [
    random(1_000_000),
    random(documentCount),
  ])
  let turn = 0
  return () => all[turn++ % parameterCount] as readonly Uint8Array[]
}

/** An HTTP server in this process that only answers, under the load of the benchmarks over the wire. */
async function socketContestant({ defer, durationMs }: SuiteContext): Promise<{
  readonly contestant: Contestant
  /** One of the requests that came, signed. */
  request(): HttpRequest
}> {
  let received: HttpRequest | undefined
  const answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }
  const server = createHttpServer({
    handler: {
      respond(request) {
        received ??= request
        return answer
      },
      refuse: () => answer,
      isClosing: false,
    },
    clock: createSystemClock(),
  })
  const host = '127.0.0.1'
  const port = await server.listen(host, 0)
  defer(() => server.close())
  const target = { host, port, ledgerName: 'bench', accessKeyId, secretAccessKey }
  const contestant: Contestant = {
    name: names.socket,
    async run() {
      const startCpu = process.cpuUsage()
      const { transactionCount, warmUpCount, elapsedMs, cpuUs } = await runWireLoad({
        api: 'call',
        work: 'update',
        target,
        connectionCount,
        durationMs,
        rowCount: documentCount,
      })
      const cpu = process.cpuUsage(startCpu)
      const share = transactionCount / (transactionCount + warmUpCount)
      return {
        operationCount: transactionCount,
        elapsedMs,
        cpuUs: (cpu.user + cpu.system) * share,
        more: { loadCpuUs: cpuUs / transactionCount },
      }
    },
  }
  await contestant.run()
  return {
    contestant,
    request() {
      if (received === undefined) throw new Error('The load sent no request.')
      return received
    },
  }
}

/** Two commands in turn that leave nothing behind. */
async function sessionContestant(server: QldbServer, durationMs: number): Promise<Contestant> {
  const send = async (body: string): Promise<Readonly<Record<string, unknown>>> => {
    const { status, body: answer } = await server.respond({
      method: 'POST',
      path: '/',
      query: '',
      headers: { 'x-amz-target': 'QLDBSession.SendCommand' },
      body: Buffer.from(body),
    })
    if (status !== 200 || typeof answer !== 'string') throw new Error(`Refused: ${answer}`)
    return parseJsonBody(Buffer.from(answer))
  }
  const { StartSession } = await send('{"StartSession":{"LedgerName":"bench"}}')
  const token = isRecord(StartSession) ? StartSession['SessionToken'] : undefined
  const requests = ['StartTransaction', 'AbortTransaction'].map((command) => ({
    method: 'POST',
    path: '/',
    query: '',
    headers: { 'x-amz-target': 'QLDBSession.SendCommand' },
    body: Buffer.from(`{"SessionToken":"${token}","${command}":{}}`),
  }))
  let turn = 0
  return inFlight(names.session, durationMs, 1, async () => {
    const response = await server.respond(requests[turn++ % 2] as HttpRequest)
    if (response.status !== 200) throw new Error(`Refused: ${response.body}`)
  })
}

/** A contestant that keeps `count` runs of an asynchronous function under way. */
function inFlight(
  name: string,
  durationMs: number,
  count: number,
  work: () => Promise<void>,
): Contestant {
  return {
    name,
    async run() {
      const startCpu = process.cpuUsage()
      const startMs = performance.now()
      let operationCount = 0
      const repeat = async (): Promise<void> => {
        while (performance.now() - startMs < durationMs) {
          await work()
          operationCount++
        }
      }
      await Promise.all(Array.from({ length: count }, repeat))
      const elapsedMs = performance.now() - startMs
      const cpu = process.cpuUsage(startCpu)
      return { operationCount, elapsedMs, cpuUs: cpu.user + cpu.system }
    },
  }
}
