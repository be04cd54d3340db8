/** An http or https listener with its limits, and its end: no new connections, answers under way go out, then closed. */
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { assert } from '@cairn/core'
import type { CertificateAndKey } from './certificates.ts'
import { ServerError } from './errors.ts'
import { formatUrl, type ListenAddress } from './listen-address.ts'

export interface HttpListenerOptions {
  readonly address: ListenAddress
  /** Makes it https. */
  readonly certificate?: CertificateAndKey
  handle(request: IncomingMessage, response: ServerResponse): void
}

export interface HttpListener {
  /** With the port that was really taken. */
  readonly url: string
  /** Resolves when the last connection is closed. */
  close(): Promise<void>
}

/** The head of a request is one packet or two; longer means a client that stalls on purpose. */
export const headersTimeoutMs = 10_000
/** The whole request: 8 MiB, the largest body, at 140 KB/s. */
export const requestTimeoutMs = 60_000
/** A connection with an answer that nobody reads. Longer than any answer takes: transactions live 30 s. */
export const socketTimeoutMs = 120_000
/**
 * An idle connection. Longer than the 15 minutes a session lives, so that a driver never finds the connection of a
 * session in its pool closed: not every client repeats a request that met a closing connection.
 */
export const keepAliveTimeoutMs: number = 16 * 60_000
export const tlsHandshakeTimeoutMs = 10_000
/** Signed requests carry about 2 KB of headers. The value is Node's default, written down because it is a limit. */
export const headerBytesMax: number = 16 * 1024
/** More than the sessions of five full ledgers (5 × 1500), less than what usual limits on open files leave. */
export const connectionCountMax = 8192
/** Answers under way at the end get this long. */
export const drainMsMax = 5000
assert(headersTimeoutMs < requestTimeoutMs)
assert(socketTimeoutMs < keepAliveTimeoutMs)

/** @throws ServerError PORT_IN_USE, PORT_FORBIDDEN, HOST_NOT_AVAILABLE */
export async function openHttpListener(options: HttpListenerOptions): Promise<HttpListener> {
  const { address, certificate } = options
  let isClosing = false
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (isClosing) response.shouldKeepAlive = false
    response.once('close', () => {
      // The connection becomes idle just after this event.
      if (isClosing) setImmediate(() => server.closeIdleConnections())
    })
    options.handle(request, response)
  }
  const server = createServer(certificate, onRequest)
  server.maxConnections = connectionCountMax
  server.timeout = socketTimeoutMs
  await listen(server, address)

  return {
    url: formatUrl(certificate === undefined ? 'http' : 'https', {
      host: address.host,
      port: (server.address() as AddressInfo).port,
    }),
    close() {
      isClosing = true
      return new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), drainMsMax)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        server.closeIdleConnections()
      })
    },
  }
}

function createServer(
  certificate: CertificateAndKey | undefined,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): HttpServer | HttpsServer {
  const limits: ServerOptions = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: headerBytesMax,
    // How often Node looks for connections past the timeouts above.
    connectionsCheckingInterval: headersTimeoutMs / 2,
  }
  if (certificate === undefined) return createHttpServer(limits, onRequest)
  return createHttpsServer(
    {
      ...limits,
      cert: certificate.certificatePem,
      key: certificate.privateKeyPem,
      minVersion: 'TLSv1.2',
      handshakeTimeout: tlsHandshakeTimeoutMs,
    },
    onRequest,
  )
}

function listen(server: HttpServer | HttpsServer, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, address))
    server.once('error', onError)
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

function listenError(error: NodeJS.ErrnoException, { host, port }: ListenAddress): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new ServerError(
        { code: 'PORT_IN_USE', host, port },
        {
          shortMessage: `Another program listens on ${host}:${port}.`,
          metaMessages: [
            'Is a Cairn server running already? Stop it, or choose another port:',
            `--listen ${host}:0 and --tls-listen ${host}:0 take free ones.`,
          ],
          cause: error,
        },
      )
    case 'EACCES':
      return new ServerError(
        { code: 'PORT_FORBIDDEN', host, port },
        {
          shortMessage: `This account may not listen on ${host}:${port}.`,
          metaMessages: ['Choose a port of 1024 or above.'],
          cause: error,
        },
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ServerError(
        { code: 'HOST_NOT_AVAILABLE', host, port },
        {
          shortMessage: `This machine has no address ${host}.`,
          metaMessages: ['Listen on one of its own addresses, or on 127.0.0.1.'],
          cause: error,
        },
      )
    default:
      return error
  }
}
