/** What the suites over the wire share: a PostgreSQL and a Cairn server with the same vehicles, and loads for both. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fillCairnServer, serverLoad, startCairnServer } from './cairn-server.ts'
import { type Machine, machineFacts } from './machine.ts'
import { createVehicleTable, type PgbenchLoad, postgresLoad, startPostgres } from './postgres.ts'
import type { Contestant } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import type { WireLoad } from './wire-load.ts'

export const documentCount = 10_000
export const opponent = 'PostgreSQL, 32 clients'

export interface WireBench {
  readonly machine: Machine
  readonly settings: Readonly<Record<string, string | number>>
  postgres(name: string, work: PgbenchLoad['work'], clientCount: number): Contestant
  cairn(
    name: string,
    api: WireLoad['api'],
    work: WireLoad['work'],
    connectionCount: number,
  ): Contestant
}

export async function openWireBench(context: SuiteContext): Promise<WireBench> {
  const { directory, durationMs, progress, roundCount } = context
  const machine = machineFacts(directory)
  const postgres = await startPostgres(directory, progress)
  context.defer(() => postgres.stop())
  progress(`filling PostgreSQL with ${documentCount} rows`)
  await createVehicleTable(postgres, documentCount)

  const server = await startCairnServer(join(directory, 'cairn'), progress)
  context.defer(() => server.stop())
  progress(`filling the ledger with ${documentCount} documents`)
  await fillCairnServer(server.target, documentCount)

  const pgbenchDirectory = join(directory, 'pgbench')
  mkdirSync(pgbenchDirectory)
  const common = { durationMs, rowCount: documentCount }
  return {
    machine,
    settings: {
      documents: documentCount,
      opponent: postgres.version,
      rounds: roundCount,
      'seconds per turn': durationMs / 1000,
    },
    postgres: (name, work, clientCount) =>
      postgresLoad(postgres, {
        ...common,
        name,
        work,
        transport: 'tcp',
        clientCount,
        withLatencies: clientCount === 1,
        directory: pgbenchDirectory,
      }),
    cairn: (name, api, work, connectionCount) =>
      serverLoad(name, server, { ...common, api, work, connectionCount }),
  }
}
