/** An http or https listener: the address that was asked for, and what to do when it cannot be had. */
import type { Clock } from '@cairn/core'
import { createHttpServer, type HttpHandler, type HttpLimits } from '@cairn/http-server'
import type { CertificateAndKey } from './certificates.ts'
import { ServerError } from './errors.ts'
import { formatUrl, type ListenAddress } from './listen-address.ts'

export interface HttpListenerOptions {
  readonly address: ListenAddress
  /** Makes it https. */
  readonly certificate?: CertificateAndKey
  readonly handler: HttpHandler
  readonly clock: Clock
  readonly limits: Partial<HttpLimits>
  /** Called when a connection could not be accepted, as when the process has no file descriptors left. */
  onError(error: Error): void
}

export interface HttpListener {
  /** With the port that was really taken. */
  readonly url: string
  readonly connectionCount: number
  /** Answers what is under way. Resolves when the last connection is closed. */
  close(): Promise<void>
}

/** @throws ServerError PORT_IN_USE, PORT_FORBIDDEN, HOST_NOT_AVAILABLE */
export async function openHttpListener(options: HttpListenerOptions): Promise<HttpListener> {
  const { address, certificate, ...wire } = options
  const tls = certificate === undefined ? {} : { tls: certificate }
  const server = createHttpServer({ ...wire, ...tls })
  const port = await server.listen(address.host, address.port).catch((error: unknown) => {
    throw listenError(error as NodeJS.ErrnoException, address)
  })
  return {
    url: formatUrl(certificate === undefined ? 'http' : 'https', { host: address.host, port }),
    get connectionCount() {
      return server.connectionCount
    },
    close: () => server.close(),
  }
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
