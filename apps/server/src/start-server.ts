/**
 * The daemon as a library: opens the data folder, joins engine, wire and listeners, and ends them in order. The one
 * place that builds concrete things: file system, clock, randomness.
 */
import { join, resolve } from 'node:path'
import { type AwsLocal, openAwsLocal } from '@cairn/aws-local'
import {
  type Clock,
  createIdSource,
  createSystemClock,
  type Logger,
  silentLogger,
  systemRandom,
} from '@cairn/core'
import type { HttpHandler } from '@cairn/http-server'
import { nodeFileSystem } from '@cairn/journal'
import { type LedgerHost, openLedgerHost } from '@cairn/ledger'
import { type AuthenticationMode, createQldbServer, type QldbServer } from '@cairn/qldb-server'
import { type AccessKeyFile, openAccessKeyFile } from './access-keys.ts'
import { ServerError } from './errors.ts'
import { type HttpListener, openHttpListener } from './http-listener.ts'
import { isLoopback, isWildcard, type ListenAddress } from './listen-address.ts'
import { type ReadyInfo, removeReadyFile, writeReadyFile } from './ready-file.ts'
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
  /** The region and account in names of resources. */
  readonly region?: string
  readonly accountId?: string
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

/** What was opened so far, to be closed in reverse. */
type Closers = (() => Promise<void>)[]

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
  await files.makeDirectory(directory)

  // First the engine: it holds the lock of the folder, without which nothing else may be written there.
  const host = await openLedgerHost({ directory, clock, logger })
  closers.push(() => host.close())
  const tls = await openTlsFiles({
    files,
    directory: join(directory, 'tls'),
    hosts: [listen, tlsListen].map((each) => each.host).filter((each) => !isWildcard(each)),
    nowMs: clock.nowMs(),
    logger,
  })
  const accessKeyFile = options.auth === 'sigv4' ? await openKeys(directory) : undefined
  const awsLocal = await openAwsLocal({
    directory,
    fileSystem: files,
    clock,
    random: systemRandom,
    ids: createIdSource(clock, systemRandom),
    logger,
    auth: authOf(accessKeyFile),
    accountId: options.accountId ?? defaultAccountId,
  })
  const qldb = openQldb(options, host, accessKeyFile, clock, logger)
  closers.push(() => qldb.close())

  const listeners: HttpListener[] = []
  // One closer for both, so that they drain at the same time.
  closers.push(async () => {
    await Promise.all(listeners.map((listener) => listener.close()))
  })
  const onError = (error: Error): void => {
    logger.log('error', 'A connection could not be accepted.', { error })
  }
  const wire = { handler: createHandler(qldb, awsLocal), clock, limits: qldb.httpLimits, onError }
  const http = await openHttpListener({ address: listen, ...wire })
  listeners.push(http)
  const https = await openHttpListener({ address: tlsListen, certificate: tls.server, ...wire })
  listeners.push(https)

  const info: ReadyInfo = {
    pid: process.pid,
    version,
    caFile: tls.caFile,
    endpoints: { api: http.url, apiTls: https.url },
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
      stopping ??= closeAll(closers).then(() => logger.log('info', 'Stopped.'))
      return stopping
    },
  }
}

/** Last opened, first closed; each gets its turn even when another one fails. */
async function closeAll(closers: Closers): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    try {
      await close()
    } catch (error) {
      failure ??= { error }
    }
  }
  if (failure !== undefined) throw failure.error
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

function openQldb(
  options: StartServerOptions,
  host: LedgerHost,
  accessKeyFile: AccessKeyFile | undefined,
  clock: Clock,
  logger: Logger,
): QldbServer {
  return createQldbServer({
    host,
    clock,
    ids: createIdSource(clock, systemRandom),
    logger,
    auth: authOf(accessKeyFile),
    region: options.region ?? defaultRegion,
    accountId: options.accountId ?? defaultAccountId,
  })
}

/** `/healthz` for supervisors, the little of other services to theirs, everything else to the API. */
function createHandler(qldb: QldbServer, awsLocal: AwsLocal): HttpHandler {
  const healthText = `${JSON.stringify({ status: 'ok', version })}\n`
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return {
    respond(request) {
      if (awsLocal.isFor(request)) return awsLocal.respond(request)
      if (request.path !== '/healthz') return qldb.respond(request)
      const isRead = request.method === 'GET' || request.method === 'HEAD'
      if (isRead) return { status: 200, headers, body: healthText }
      return { status: 405, headers: { ...headers, allow: 'GET, HEAD' }, body: '' }
    },
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
