/**
 * A throw-away PostgreSQL 15 as the opponent: Debian's packages, a cluster of its own in the scratch folder, durable
 * settings, and pgbench as the load. Stopped and deleted at the end.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { endedChildrenCpuUs, processTreeCpuUs } from './machine.ts'
import type { Contestant, Progress, Sample } from './rounds.ts'
import { percentile } from './statistics.ts'
import { vehicleRecord } from './vehicle.ts'

const run = promisify(execFile)

export interface Postgres {
  readonly version: string
  /** Folder of the Unix socket; pgbench takes it for a host. */
  readonly socketHost: string
  readonly tcpHost: string
  readonly port: number
  /** User and system time of the server so far, all its processes; pgbench is not among them. */
  cpuUs(): number | undefined
  /** Runs SQL text with psql. */
  query(sql: string): Promise<string>
  /** Runs a file of SQL text with psql, as fast as psql reads it. */
  runFile(path: string): Promise<void>
  /** Runs pgbench and returns what it printed. */
  pgbench(args: readonly string[], directory: string): Promise<string>
  stop(): Promise<void>
}

/** The server refuses to run as root; as root we hand it over to one of these. */
const unprivilegedUsers = ['postgres', 'nobody'] as const
/** Time for the first start, which also creates the system tables. */
const startMsMax = 30_000

/** @param directory An existing folder on the disk to be measured. */
export async function startPostgres(directory: string, progress: Progress): Promise<Postgres> {
  const programs = await findPrograms(progress)
  const identity = await unprivilegedIdentity()
  const data = join(directory, 'postgres')
  mkdirSync(data)
  if (identity.uid !== undefined && identity.gid !== undefined) {
    chownSync(data, identity.uid, identity.gid)
    // mkdtemp gives 0700; the server's user must get through to its folder.
    chmodSync(directory, 0o755)
  }
  const options = { ...identity, cwd: data }
  progress('creating a PostgreSQL cluster')
  const cluster = join(data, 'cluster')
  const initdb = ['-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale']
  await run(join(programs, 'initdb'), initdb, options)

  const port = await freePort()
  const settings = {
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: data,
    port: String(port),
    max_connections: '128',
    // No checkpoint within a run of minutes: it would hit one round and not the next.
    max_wal_size: '8GB',
    shared_buffers: '256MB',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(programs, 'postgres'), ['-D', cluster, ...flags], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await untilReady(server)

  const connection = ['-h', data, '-p', String(port), '-U', 'postgres']
  const psqlArgs = [...connection, '-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1']
  const { stdout: version } = await run(join(programs, 'postgres'), ['--version'], options)
  return {
    version: version.trim(),
    socketHost: data,
    tcpHost: '127.0.0.1',
    port,
    cpuUs: () => (server.pid === undefined ? undefined : processTreeCpuUs(server.pid)),
    async query(sql) {
      const query = run(join(programs, 'psql'), [...psqlArgs, '-f', '-', 'postgres'], options)
      query.child.stdin?.end(sql)
      return (await query).stdout
    },
    async runFile(path) {
      await run(join(programs, 'psql'), [...psqlArgs, '-f', path, 'postgres'])
    },
    async pgbench(args, workDirectory) {
      const { stdout } = await run(join(programs, 'pgbench'), [...args], { cwd: workDirectory })
      return stdout
    },
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return
      const ended = once(server, 'exit')
      // Fast shutdown: open connections are ended, everything is written (man postgres).
      server.kill('SIGINT')
      await ended
    },
  }
}

/** Which changes the trigger writes to the history: those that replace a row, or new rows too. */
export type HistoryTrigger = 'updates' | 'all'

/** Rows, index, and a trigger that keeps the history: what a table with a provable history would need at the least. */
export async function createVehicleTable(
  postgres: Postgres,
  rowCount: number,
  table = 'vehicle',
  trigger: HistoryTrigger = 'updates',
): Promise<void> {
  const columns = Object.entries(vehicleRecord(1)).map(([name, value]) => {
    if (name === 'Serial') return 'serial integer PRIMARY KEY'
    if (name === 'TaxDue') return 'taxdue numeric'
    if (name === 'Inspected') return 'inspected timestamptz'
    return `${name.toLowerCase()} ${typeof value === 'number' ? 'integer' : 'text'}`
  })
  const [events, row] = trigger === 'all' ? ['INSERT OR UPDATE', 'NEW'] : ['UPDATE', 'OLD']
  await postgres.query(`
    CREATE TABLE ${table} (${columns.join(', ')}, version integer NOT NULL);
    CREATE TABLE ${table}_history (LIKE ${table}, at timestamptz NOT NULL, txid bigint NOT NULL);
    CREATE INDEX ON ${table}_history (serial, version);
    COPY ${table} FROM STDIN;
${vehicleLines(1, rowCount)}\\.
    CREATE FUNCTION keep_${table}_row() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO ${table}_history SELECT ${row}.*, transaction_timestamp(), txid_current();
      RETURN NULL;
    END $$;
    CREATE TRIGGER history AFTER ${events} ON ${table} FOR EACH ROW
      EXECUTE FUNCTION keep_${table}_row();
    VACUUM ANALYZE ${table};
    CHECKPOINT;
  `)
}

/** Rows in the text format of COPY. @param first The number of the first vehicle. */
export function vehicleLines(first: number, count: number): string {
  let lines = ''
  for (let no = first; no < first + count; no++) {
    for (const [name, value] of Object.entries(vehicleRecord(no))) {
      lines += `${name === 'Inspected' ? new Date(Number(value)).toISOString() : value}\t`
    }
    lines += '0\n'
  }
  return lines
}

/** One transaction per run of the script, committed durably when it writes. */
const scripts = {
  update: `\\set serial random(1, :rows)
\\set mileage random(1, 999999)
UPDATE vehicle SET mileage = :mileage, version = version + 1 WHERE serial = :serial;
`,
  read: `\\set serial random(1, :rows)
SELECT * FROM vehicle WHERE serial = :serial;
`,
  /** Three round trips, as the QLDB session API has them. */
  readInTransaction: `\\set serial random(1, :rows)
BEGIN READ ONLY;
SELECT * FROM vehicle WHERE serial = :serial;
COMMIT;
`,
} as const

export interface PgbenchLoad {
  readonly name: string
  readonly work: keyof typeof scripts
  readonly transport: 'unix' | 'tcp'
  readonly clientCount: number
  readonly durationMs: number
  readonly rowCount: number
  /** Whether to log the time of every transaction; costs pgbench a little, so only where latency is the question. */
  readonly withLatencies: boolean
  /** Where pgbench finds its script and writes its logs. */
  readonly directory: string
}

/** Prepared statements on one random row per transaction, by `clientCount` connections. */
export function postgresLoad(postgres: Postgres, load: PgbenchLoad): Contestant {
  return {
    name: load.name,
    async run() {
      const script = join(load.directory, `${load.work}.sql`)
      const logPrefix = join(load.directory, `pgbench-${load.work}-${load.clientCount}`)
      await writeFile(script, scripts[load.work])
      const seconds = Math.max(1, Math.round(load.durationMs / 1000))
      const host = load.transport === 'unix' ? postgres.socketHost : postgres.tcpHost
      const connection = ['-h', host, '-p', String(postgres.port), '-U', 'postgres']
      const threads = String(Math.min(2, load.clientCount))
      const shape = ['-n', '-M', 'prepared', '-c', String(load.clientCount), '-j', threads]
      const input = ['-T', String(seconds), '-D', `rows=${load.rowCount}`, '-f', script]
      const log = load.withLatencies ? ['--log', `--log-prefix=${logPrefix}`] : []
      const cpuBefore = postgres.cpuUs()
      const loadCpuBefore = endedChildrenCpuUs()
      const output = await postgres.pgbench(
        [...connection, ...shape, ...input, ...log, 'postgres'],
        load.directory,
      )
      const cpuAfter = postgres.cpuUs()
      const cpuUs =
        cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore
      const latenciesMs = load.withLatencies ? takeLatenciesMs(logPrefix) : []
      return pgbenchSample(output, cpuUs, endedChildrenCpuUs() - loadCpuBefore, latenciesMs)
    },
  }
}

function pgbenchSample(
  output: string,
  cpuUs: number | undefined,
  loadCpuUs: number,
  latenciesMs: readonly number[],
): Sample {
  const operationCount = Number(/transactions actually processed: (\d+)/.exec(output)?.[1])
  const tps = Number(/tps = ([\d.]+) \(without initial connection time\)/.exec(output)?.[1])
  if (!(operationCount > 0 && tps > 0)) throw new Error(`pgbench said nothing useful:\n${output}`)
  const elapsedMs = (1000 * operationCount) / tps
  const ofLoad = { loadCpuUs: loadCpuUs / operationCount }
  if (latenciesMs.length === 0) return { operationCount, elapsedMs, cpuUs, more: ofLoad }
  const [p50Ms, p99Ms] = [percentile(latenciesMs, 0.5), percentile(latenciesMs, 0.99)]
  return { operationCount, elapsedMs, cpuUs, more: { p50Ms, p99Ms, ...ofLoad } }
}

/**
 * pgbench writes a file per thread and a line per transaction; the third word is its time in microseconds. The files
 * are removed, so that the next round does not count them again.
 */
function takeLatenciesMs(logPrefix: string): readonly number[] {
  const directory = dirname(logPrefix)
  const names = readdirSync(directory).filter((name) => name.startsWith(`${basename(logPrefix)}.`))
  return names.flatMap((name) => {
    const path = join(directory, name)
    const lines = readFileSync(path, 'utf8').split('\n')
    rmSync(path)
    return lines.filter((line) => line !== '').map((line) => Number(line.split(' ')[2]) / 1000)
  })
}

/** The folder of Debian's PostgreSQL programs, newest version first; installs the package when there is none. */
async function findPrograms(progress: Progress): Promise<string> {
  const find = (): string | undefined => {
    const root = '/usr/lib/postgresql'
    const versions = existsSync(root) ? readdirSync(root) : []
    return versions
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => join(root, version, 'bin'))
      .find((folder) => ['initdb', 'postgres', 'pgbench'].every((p) => existsSync(join(folder, p))))
  }
  const found = find()
  if (found !== undefined) return found
  if (process.getuid?.() !== 0) {
    throw new Error('PostgreSQL is missing. Install it first: sudo apt-get install postgresql')
  }
  progress('installing Debian package postgresql')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-q'], { env })
  await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'postgresql'], { env })
  const installed = find()
  if (installed === undefined) throw new Error('Package postgresql has no initdb and pgbench.')
  return installed
}

async function unprivilegedIdentity(): Promise<{ readonly uid?: number; readonly gid?: number }> {
  if (process.getuid?.() !== 0) return {}
  for (const user of unprivilegedUsers) {
    try {
      const ids = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])])
      const [uid, gid] = ids.map(({ stdout }) => Number(stdout))
      if (uid !== undefined && gid !== undefined) return { uid, gid }
    } catch {
      // No such user here: the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody.')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (why: string): void => reject(new Error(`PostgreSQL ${why}:\n${output}`))
    const timer = setTimeout(() => fail('did not start in time'), startMsMax)
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000)
      if (!output.includes('database system is ready to accept connections')) return
      clearTimeout(timer)
      resolve()
    })
    server.once('exit', () => {
      clearTimeout(timer)
      fail('ended')
    })
  })
}
