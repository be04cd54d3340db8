/**
 * An HTTP/1.1 server on node:net and node:tls: whole requests in, whole answers out, everything bounded.
 * Not here: HTTP/2, compression, upgrades, streamed bodies and answers.
 *
 * Its own parser because of what node:http costs: a signed POST of 300 bytes over 32 connections took 10.7 µs of CPU
 * (10.5 to 11.5) where node:http took 14.8 (14.5 to 16.1; medians of 9 rounds in turns). Of both the kernel's send is
 * about 8; what is ours fell from 7 to 3.
 */
import { once } from 'node:events'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Clock } from '@cairn/core'
import {
  type ConnectionContext,
  createConnectionContext,
  HttpConnection,
} from './http-connection.ts'
import { defaultHttpLimits, type HttpLimits } from './limits.ts'
import type { HttpHandler } from './message.ts'

export interface HttpServerOptions {
  readonly handler: HttpHandler
  readonly clock: Clock
  readonly limits?: Partial<HttpLimits>
  /** Makes it https. */
  readonly tls?: { readonly certificatePem: string; readonly privateKeyPem: string }
  /** Called when a connection could not be accepted, as when the process has no file descriptors left. */
  onError?(error: Error): void
}

export interface HttpServer {
  /**
   * @param port 0 takes a free one.
   * @returns The port that was taken.
   * @throws The error of the operating system, such as EADDRINUSE.
   */
  listen(host: string, port: number): Promise<number>
  readonly connectionCount: number
  /** No new connections; requests under way are answered; resolves when the last connection is closed. */
  close(): Promise<void>
}

/**
 * @example
 * const server = createHttpServer({ handler, clock: createSystemClock() })
 * const port = await server.listen('127.0.0.1', 0)
 * await server.close()
 */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new NetServer(options)
}

class NetServer implements HttpServer {
  readonly #context: ConnectionContext
  readonly #server: Server
  /** Of https also those whose handshake is under way. */
  readonly #sockets = new Set<Socket>()
  readonly #connections = new Set<HttpConnection>()
  readonly #sweeping = new AbortController()
  readonly #onError: (error: Error) => void
  #isClosing = false

  constructor(options: HttpServerOptions) {
    const { handler, clock, limits, tls } = options
    this.#onError = (error) => options.onError?.(error)
    const context = createConnectionContext(handler, clock, { ...defaultHttpLimits, ...limits })
    this.#context = context
    // Half-open: a client may end its side and still read the answer.
    const settings = { allowHalfOpen: true, noDelay: true }
    this.#server =
      tls === undefined
        ? createTcpServer(settings)
        : createTlsServer({
            ...settings,
            cert: tls.certificatePem,
            key: tls.privateKeyPem,
            minVersion: 'TLSv1.2',
            ALPNProtocols: ['http/1.1'],
            handshakeTimeout: context.limits.tlsHandshakeMsMax,
          })
    this.#server.maxConnections = context.limits.connectionCountMax
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('tlsClientError', (_, socket: Socket) => socket.destroy())
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) =>
      this.#accept(socket),
    )
  }

  async listen(host: string, port: number): Promise<number> {
    this.#server.listen({ host, port })
    await once(this.#server, 'listening')
    // Without a listener the error of one connection would end the process.
    this.#server.on('error', this.#onError)
    void this.#sweep()
    return (this.#server.address() as AddressInfo).port
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  async close(): Promise<void> {
    this.#isClosing = true
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.#connections) connection.close()
    const draining = new AbortController()
    this.#context.clock.sleep(this.#context.limits.drainMsMax, draining.signal).then(
      () => {
        for (const socket of this.#sockets) socket.destroy()
      },
      () => undefined,
    )
    await closed
    draining.abort()
    this.#sweeping.abort()
  }

  #accept(socket: Socket): void {
    const connection = new HttpConnection(this.#context, socket)
    this.#connections.add(connection)
    socket.once('close', () => this.#connections.delete(connection))
    if (this.#isClosing) connection.close()
  }

  /** One look around for all connections; a timer for each request would cost more than parsing it. */
  async #sweep(): Promise<void> {
    const { clock, limits } = this.#context
    const { signal } = this.#sweeping
    while (!signal.aborted) {
      try {
        await clock.sleep(limits.sweepMs, signal)
      } catch {
        return
      }
      const nowMs = clock.nowMs()
      for (const connection of this.#connections) {
        if (connection.deadlineMs <= nowMs) connection.onDeadline()
      }
    }
  }
}
