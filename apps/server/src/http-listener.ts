/** An http or https listener with its limits, and its end: no new connections, answers under way go out, then close. */
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
import { listenerSettings } from '@cairn/qldb-server'
import type { CertificateAndKey } from './certificates.ts'
import { ServerError } from './errors.ts'
import { formatUrl, type ListenAddress } from './listen-address.ts'

export interface HttpListenerOptions {
  readonly address: ListenAddress
  /** Makes it https. */
  readonly certificate?: CertificateAndKey
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Called when a connection could not be accepted, as when the process has no file descriptors left. */
  onError(error: Error): void
}

export interface HttpListener {
  /** With the port that was really taken. */
  readonly url: string
  /** Resolves when the last connection is closed. */
  close(): Promise<void>
}

/** A connection with an answer that nobody reads. Longer than any answer takes: transactions live 30 s. */
const socketTimeoutMs = 120_000
const tlsHandshakeTimeoutMs = 10_000
/** More than the sessions of five full ledgers (5 × 1500), less than what usual limits on open files leave. */
const connectionCountMax = 8192
/** Answers under way at the end get this long. */
const drainMsMax = 5000
assert(listenerSettings.headersTimeout < listenerSettings.requestTimeout)
assert(listenerSettings.requestTimeout < socketTimeoutMs)

/** @throws ServerError PORT_IN_USE, PORT_FORBIDDEN, HOST_NOT_AVAILABLE */
export async function openHttpListener(options: HttpListenerOptions): Promise<HttpListener> {
  const { address, certificate } = options
  let isClosing = false
  const underWay = new Set<ServerResponse>()
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (isClosing) response.shouldKeepAlive = false
    underWay.add(response)
    response.once('close', () => {
      underWay.delete(response)
      // The connection becomes idle just after this event.
      if (isClosing) setImmediate(() => server.closeIdleConnections())
    })
    options.handle(request, response)
  }
  const server = createServer(certificate, onRequest)
  server.maxConnections = connectionCountMax
  server.timeout = socketTimeoutMs
  server.maxRequestsPerSocket = listenerSettings.maxRequestsPerSocket
  await listen(server, address)
  // Without a listener the error of one connection would end the process.
  server.on('error', (error) => options.onError(error))

  return {
    url: formatUrl(certificate === undefined ? 'http' : 'https', {
      host: address.host,
      port: (server.address() as AddressInfo).port,
    }),
    close() {
      isClosing = true
      // Tells the clients that their connection ends with this answer.
      for (const response of underWay) response.shouldKeepAlive = false
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
    ...listenerSettings,
    // How often Node looks for connections past the timeouts.
    connectionsCheckingInterval: listenerSettings.headersTimeout / 2,
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
