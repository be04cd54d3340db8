/**
 * The daemon as a library: opens the data folder, joins engine, wire and listeners, and ends them in order. The one
 * place that builds concrete things: file system, clock, randomness.
 */
import { join, resolve } from 'node:path'
import { type AwsLocal, BucketStore, openAwsLocal } from '@cairn/aws-local'
import { createPolicyAuthorizer } from '@cairn/aws-protocol'
import {
  assert,
  type Clock,
  createIdSource,
  createSystemClock,
  type Logger,
  silentLogger,
  systemRandom,
} from '@cairn/core'
import type { HttpHandler, HttpResponse } from '@cairn/http-server'
import { nodeFileSystem } from '@cairn/journal'
import { type LedgerHost, openLedgerHost } from '@cairn/ledger'
import {
  type AuthenticationMode,
  createQldbServer,
  defaultQldbServerLimits,
  httpLimitsOf,
  type QldbServer,
} from '@cairn/qldb-server'
import { type AccessKeyFile, openAccessKeyFile } from './access-keys.ts'
import type { CertificateAndKey } from './certificates.ts'
import { type Closers, closeAll } from './closers.ts'
import { ServerError } from './errors.ts'
import {
  type EthereumService,
  type EthereumServiceOptions,
  openEthereumService,
} from './ethereum/ethereum-service.ts'
import { type HttpListener, openHttpListener } from './http-listener.ts'
import { type ServerLimits, serverLimitsOf } from './limits-file.ts'
import { isLoopback, isWildcard, type ListenAddress } from './listen-address.ts'
import { createMetricsRegistry } from './metrics-registry.ts'
import { type JournalJobs, openJournalJobs } from './open-journal-jobs.ts'
import { openTracer } from './open-tracer.ts'
import { Operations, openMetricsToken, type ServerState } from './operations.ts'
import { watchProcess } from './process-metrics.ts'
import { type ReadyInfo, removeReadyFile, writeReadyFile } from './ready-file.ts'
import { redactLocalExports } from './redact-local-exports.ts'
import { openTlsFiles } from './tls-files.ts'
import { version } from './version.ts'

/** `off` takes every request and looks at no signature; `sigv4` asks for one by a key of the key file. */
export type AuthMode = 'off' | 'sigv4'

export interface StartServerOptions {
  readonly dataDirectory: string
  readonly listen: ListenAddress
  readonly tlsListen: ListenAddress
  readonly auth: AuthMode
  /** Allows `off` on addresses that other machines reach. */
  readonly isInsecureAllowed?: boolean
  /** Written beside `ready.json` in the data folder. */
  readonly readyFile?: string
  /** The file that names S3, Kinesis and webhooks outside; default `targets.json` in the data folder, if there. */
  readonly targetsFile?: string
  /** The region and account in names of resources. */
  readonly region?: string
  readonly accountId?: string
  /** Of `readLimitsFile`. */
  readonly limits?: ServerLimits
  /** Statements that take this long are logged; absent: none. */
  readonly slowStatementMsMin?: number
  /** The private chain beside the ledgers; absent: none. */
  readonly ethereum?: EthereumServiceOptions
  readonly clock?: Clock
  readonly logger?: Logger
}

export interface RunningServer {
  readonly info: ReadyInfo
  /** Undefined with `off`. */
  readonly accessKeyFile: AccessKeyFile | undefined
  /** Answers what is under way, then closes everything. Resolves in seconds; may be called again. */
  stop(): Promise<void>
}

export const defaultListen: ListenAddress = { host: '127.0.0.1', port: 4510 }
export const defaultTlsListen: ListenAddress = { host: '127.0.0.1', port: 4511 }
/** Name of the ready file that every server leaves in its data folder. */
export const ownReadyFile = 'ready.json'
const defaultRegion = 'us-east-1'
const defaultAccountId = '000000000000'

/**
 * @throws ServerError, and LedgerError DIRECTORY_IN_USE or LEDGER_DAMAGED. Nothing stays open then.
 * @example
 * const server = await startServer({
 *   dataDirectory: './data', listen: defaultListen, tlsListen: defaultTlsListen, auth: 'off',
 * })
 * console.log(server.info.endpoints.api)
 * await server.stop()
 */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  assertListenAllowed(options)
  const closers: Closers = []
  try {
    return await openAll(options, closers)
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

async function openAll(options: StartServerOptions, closers: Closers): Promise<RunningServer> {
  const { listen, tlsListen, logger = silentLogger, clock = createSystemClock() } = options
  const files = nodeFileSystem
  const directory = resolve(options.dataDirectory)
  const registry = createMetricsRegistry()
  watchProcess(registry, version)
  const tracer = openTracer(version)
  const limits = { ...defaultQldbServerLimits, ...serverLimitsOf(options.limits ?? {}) }
  const listeners: HttpListener[] = []
  registry.gauge('cairn_connections', 'Connections that are open.', () =>
    listeners.reduce((count, { connectionCount }) => count + connectionCount, 0),
  )
  // All at the same time, so that they drain together.
  const closeListeners = async (): Promise<void> => {
    await Promise.all(listeners.splice(0).map((listener) => listener.close()))
  }
  closers.push(closeListeners)

  let state: ServerState = 'starting'
  let served:
    | {
        host: LedgerHost
        handler: HttpHandler
        metricsToken: string | undefined
        ethereum: EthereumService | undefined
      }
    | undefined
  const operations = new Operations({
    version,
    registry,
    state: () => state,
    stoppedLedgers: () => served?.host.stoppedLedgers() ?? [],
    ethereumFailure: () => served?.ethereum?.failure(),
    metricsToken: () => served?.metricsToken,
  })
  const onError = (error: Error): void => {
    logger.log('error', 'A connection could not be accepted.', { error })
  }
  const openListener = async (address: ListenAddress, certificate?: CertificateAndKey) => {
    const listener = await openHttpListener({
      address,
      ...(certificate === undefined ? {} : { certificate }),
      handler: createHandler(operations, isLoopback(address.host), () => served?.handler),
      clock,
      limits: httpLimitsOf(limits),
      onError,
    })
    listeners.push(listener)
    return listener
  }

  // First the lock of the folder, without which nothing may be written there, and then the listener, so that a
  // supervisor sees the server start while its ledgers are replayed.
  const buckets = new BucketStore({ directory: join(directory, 'buckets'), fileSystem: files })
  let jobs: JournalJobs | undefined
  const host = await openLedgerHost({
    directory,
    clock,
    logger,
    limits: options.limits ?? {},
    metrics: registry,
    eraseCopies: redactLocalExports({
      buckets,
      // Exports begun before the jobs are open there are none.
      untilWritten: async (strandId) => jobs?.untilWritten(strandId),
      logger,
    }),
    onLocked: async () => {
      const leftCount = await buckets.removeTemporaryFiles()
      if (leftCount > 0) logger.log('info', 'removed unfinished objects', { objects: leftCount })
      const { url } = await openListener(listen)
      logger.log('debug', 'Opening the ledgers.', { api: url })
    },
  })
  closers.push(() => host.close())
  const tls = await openTlsFiles({
    files,
    directory: join(directory, 'tls'),
    hosts: [listen, tlsListen].map((each) => each.host).filter((each) => !isWildcard(each)),
    nowMs: clock.nowMs(),
    logger,
  })
  const accessKeyFile = options.auth === 'sigv4' ? await openKeys(directory) : undefined
  const authorizer = createPolicyAuthorizer((principal) => accessKeyFile?.policyOf(principal))
  const awsLocal = await openAwsLocal({
    directory,
    buckets,
    fileSystem: files,
    clock,
    random: systemRandom,
    ids: createIdSource(clock, systemRandom),
    logger,
    auth: authOf(accessKeyFile),
    authorizer,
    accountId: options.accountId ?? defaultAccountId,
  })
  const openJobs = await openJournalJobs({
    directory,
    files,
    host,
    awsLocal,
    targetsFile: options.targetsFile,
    arns: {
      region: options.region ?? defaultRegion,
      accountId: options.accountId ?? defaultAccountId,
    },
    clock,
    logger,
  })
  jobs = openJobs
  closers.push(() => openJobs.close())
  const qldb = createQldbServer({
    host,
    exports: openJobs.exports,
    streams: openJobs.streams,
    clock,
    ids: createIdSource(clock, systemRandom),
    logger,
    metrics: registry,
    tracer,
    limits,
    ...(options.slowStatementMsMin === undefined
      ? {}
      : { slowStatementMsMin: options.slowStatementMsMin }),
    auth: authOf(accessKeyFile),
    authorizer,
    region: options.region ?? defaultRegion,
    accountId: options.accountId ?? defaultAccountId,
  })
  closers.push(() => qldb.close())
  closers.push(closeListeners)
  closers.push(async () => qldb.endWaits())
  const isRemote = !isLoopback(listen.host) || !isLoopback(tlsListen.host)
  const tokenPath = join(directory, 'keys', 'metrics-token')
  const metricsToken = isRemote ? await openMetricsToken(files, tokenPath, systemRandom) : undefined
  const https = await openListener(tlsListen, tls.server)
  const [http] = listeners
  assert(http !== undefined, 'the first listener was opened with the lock')
  const ethereum =
    options.ethereum === undefined
      ? undefined
      : await openEthereumService(options.ethereum, { directory, logger })
  if (ethereum !== undefined) closers.push(() => ethereum.close())
  served = { host, handler: joinHandlers(qldb, awsLocal), metricsToken, ethereum }
  state = 'serving'

  const info: ReadyInfo = {
    pid: process.pid,
    version,
    caFile: tls.caFile,
    endpoints: {
      api: http.url,
      apiTls: https.url,
      ...(ethereum === undefined ? {} : { ethereum: ethereum.info }),
    },
  }
  const readyFiles = [
    join(directory, ownReadyFile),
    ...(options.readyFile ? [options.readyFile] : []),
  ]
  for (const path of readyFiles) {
    closers.push(() => removeReadyFile(files, path, process.pid))
    await writeReadyFile(files, path, info)
  }
  logger.log('info', 'Serving.', { api: http.url, apiTls: https.url, directory })

  let stopping: Promise<void> | undefined
  return {
    info,
    accessKeyFile,
    stop() {
      state = 'stopping'
      stopping ??= closeAll(closers).then(() => logger.log('info', 'Stopped.'))
      return stopping
    },
  }
}

function openKeys(directory: string): Promise<AccessKeyFile> {
  return openAccessKeyFile({
    files: nodeFileSystem,
    path: join(directory, 'keys', 'access-keys.json'),
    random: systemRandom,
  })
}

function authOf(accessKeyFile: AccessKeyFile | undefined): AuthenticationMode {
  if (accessKeyFile === undefined) return 'off'
  return { mode: 'sigv4', lookup: (accessKeyId) => accessKeyFile.lookup(accessKeyId) }
}

/** What a listener asks: operations first, then the APIs, which are not there before everything is open. */
function createHandler(
  operations: Operations,
  isLocal: boolean,
  api: () => HttpHandler | undefined,
): HttpHandler {
  return {
    respond: (request) =>
      operations.respond(request, isLocal) ?? api()?.respond(request) ?? notReadyYet,
    refuse: (refusal, request) => api()?.refuse(refusal, request) ?? notReadyYet,
    get isClosing() {
      return api()?.isClosing ?? false
    },
  }
}

/** Drivers try again after it. */
const notReadyYet: HttpResponse = {
  status: 503,
  headers: {
    'content-type': 'application/x-amz-json-1.0',
    'x-amzn-errortype': 'CapacityExceededException',
    'retry-after': '1',
  },
  body: '{"__type":"CapacityExceededException","Message":"The server is starting"}',
}

/** The little of other services to theirs, everything else to the API of QLDB. */
function joinHandlers(qldb: QldbServer, awsLocal: AwsLocal): HttpHandler {
  return {
    respond: (request) =>
      awsLocal.isFor(request) ? awsLocal.respond(request) : qldb.respond(request),
    refuse: (refusal, request) =>
      awsLocal.isFor(request) ? awsLocal.refuse(refusal, request) : qldb.refuse(refusal, request),
    get isClosing() {
      return qldb.isClosing
    },
  }
}

/** A ledger that anybody in the network may write to is a mistake more often than a wish. */
function assertListenAllowed(options: StartServerOptions): void {
  const open = [options.listen, options.tlsListen].find(({ host }) => !isLoopback(host))
  if (open === undefined || options.auth !== 'off') return
  if (options.isInsecureAllowed === true) {
    options.logger?.log('warn', 'Other machines can use this server without authentication.', {
      host: open.host,
    })
    return
  }
  throw new ServerError(
    { code: 'LISTEN_INSECURE', host: open.host },
    {
      shortMessage: `${open.host} can be reached by other machines, and authentication is off.`,
      metaMessages: [
        'Add --auth sigv4 to ask for signed requests,',
        'or --insecure when every machine of the network may read and write all ledgers.',
      ],
    },
  )
}
