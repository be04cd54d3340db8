/** An http or https listener: the address that was asked for, and what to do when it cannot be had. */
import type { Clock } from '@cairn/core'
import { createHttpServer, type HttpHandler, type HttpLimits } from '@cairn/http-server'
import type { CertificateAndKey } from './certificates.ts'
import { formatUrl, type ListenAddress } from './listen-address.ts'
import { listenError } from './listen-error.ts'

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
