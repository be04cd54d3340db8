/** The real engine in a temporary folder behind real sockets, http and https, for unmodified clients. */
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QLDBClient } from '@aws-sdk/client-qldb'
import { QLDBSessionClient } from '@aws-sdk/client-qldb-session'
import { createIdSource, createSystemClock, type Logger, systemRandom } from '@cairn/core'
import { createHttpServer, type HttpServer } from '@cairn/http-server'
import { type LedgerHost, type LedgerLimits, openLedgerHost } from '@cairn/ledger'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { QldbDriver, type RetryConfig } from 'amazon-qldb-driver-nodejs'
import { createQldbServer, type QldbServer, type QldbServerOptions } from '../server.ts'
import { createTestCertificate } from './certificate.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface LiveServerOptions extends Partial<QldbServerOptions> {
  /** Of the engine. */
  readonly ledgerLimits?: Partial<LedgerLimits>
  /** Of the data, left alone at the end, for servers one after the other. Default: a new one, removed at the end. */
  readonly directory?: string
}

export interface DriverOptions {
  readonly isTls?: boolean
  readonly maxConcurrentTransactions?: number
  readonly maxSockets?: number
  readonly retryConfig?: RetryConfig
  readonly credentials?: Credentials
}

export interface ClientOptions {
  readonly isTls?: boolean
  readonly credentials?: Credentials
  /** How wrong the client's clock is, in milliseconds. */
  readonly systemClockOffset?: number
  /** Attempts in all. Default 1: tests want to see the first error. */
  readonly maxAttempts?: number
}

const anyCredentials: Credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' }
const region = 'us-east-1'

export class LiveServer {
  readonly host: LedgerHost
  readonly server: QldbServer
  /** What the server logged about internal errors; a test that expects none looks here. */
  readonly logged: string[]
  readonly endpoint: string
  readonly tlsEndpoint: string
  /** To be removed at the end. */
  readonly #directory: string | undefined
  readonly #listeners: readonly HttpServer[]
  readonly #agents: (HttpAgent | HttpsAgent)[] = []
  readonly #closers: (() => void)[] = []
  /** PEM. */
  readonly ca: string

  private constructor(
    host: LedgerHost,
    server: QldbServer,
    logged: string[],
    directory: string | undefined,
    listeners: readonly HttpServer[],
    ports: readonly number[],
    ca: string,
  ) {
    this.host = host
    this.server = server
    this.logged = logged
    this.#directory = directory
    this.#listeners = listeners
    this.ca = ca
    this.endpoint = `http://127.0.0.1:${ports[0]}`
    this.tlsEndpoint = `https://127.0.0.1:${ports[1]}`
  }

  static async start(options: LiveServerOptions = {}): Promise<LiveServer> {
    const { ledgerLimits, directory: kept, ...serverOptions } = options
    const directory = kept ?? (await mkdtemp(join(tmpdir(), 'cairn-clients-')))
    const clock = createSystemClock()
    const limits = { ledgerCountMax: 200, ...ledgerLimits }
    const host = await openLedgerHost({ directory, limits })
    const logged: string[] = []
    const logger: Logger = {
      log: (level, message, fields) => {
        if (level === 'error') logged.push(`${message} ${JSON.stringify(fields)}`)
      },
    }
    const ids = createIdSource(clock, systemRandom)
    const server = createQldbServer({ host, clock, ids, logger, auth: 'off', ...serverOptions })
    const { cert, key } = createTestCertificate()
    const common = { handler: server, clock, limits: server.httpLimits }
    const listeners = [
      createHttpServer(common),
      createHttpServer({ ...common, tls: { certificatePem: cert, privateKeyPem: key } }),
    ]
    const ports = await Promise.all(listeners.map((each) => each.listen('127.0.0.1', 0)))
    return new LiveServer(
      host,
      server,
      logged,
      kept === undefined ? directory : undefined,
      listeners,
      ports,
      cert,
    )
  }

  async createLedger(name: string): Promise<string> {
    await this.host.createLedger({ name, isDeletionProtected: false })
    return name
  }

  driver(ledgerName: string, options: DriverOptions = {}): QldbDriver {
    const isTls = options.isTls ?? false
    const maxSockets = options.maxSockets ?? 64
    const agent = isTls
      ? new HttpsAgent({ keepAlive: true, maxSockets, ca: this.ca })
      : new HttpAgent({ keepAlive: true, maxSockets })
    this.#agents.push(agent)
    const driver = new QldbDriver(
      ledgerName,
      {
        endpoint: isTls ? this.tlsEndpoint : this.endpoint,
        region,
        credentials: options.credentials ?? anyCredentials,
      },
      isTls ? { httpsAgent: agent as HttpsAgent } : { httpAgent: agent as HttpAgent },
      options.maxConcurrentTransactions ?? 32,
      options.retryConfig,
    )
    this.#closers.push(() => driver.close())
    return driver
  }

  controlClient(options: ClientOptions = {}): QLDBClient {
    const client = new QLDBClient(this.#clientSettings(options))
    this.#closers.push(() => client.destroy())
    return client
  }

  sessionClient(options: ClientOptions = {}): QLDBSessionClient {
    const client = new QLDBSessionClient(this.#clientSettings(options))
    this.#closers.push(() => client.destroy())
    return client
  }

  #clientSettings(options: ClientOptions) {
    return {
      endpoint: options.isTls === true ? this.tlsEndpoint : this.endpoint,
      region,
      credentials: options.credentials ?? anyCredentials,
      maxAttempts: options.maxAttempts ?? 1,
      ...(options.systemClockOffset === undefined
        ? {}
        : { systemClockOffset: options.systemClockOffset }),
      requestHandler: new NodeHttpHandler({ httpsAgent: new HttpsAgent({ ca: this.ca }) }),
    }
  }

  async close(): Promise<void> {
    for (const close of this.#closers) close()
    await this.server.close()
    for (const agent of this.#agents) agent.destroy()
    await Promise.all(this.#listeners.map((listener) => listener.close()))
    await this.host.close()
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true })
  }
}
