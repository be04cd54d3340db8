/** JSON-RPC over WebSocket, by the `ws` library: calls, batches, and notifications of subscriptions. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server as NodeHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Dispatcher } from './dispatcher.ts'
import { isHostAllowed, originMatcher } from './origins.ts'
import { PushConnection } from './push-connection.ts'

export interface RpcWebSocketOptions {
  readonly dispatcher: Dispatcher
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Origins of pages that may connect; clients that are no browsers send none. */
  readonly origins: readonly string[]
  readonly virtualHosts: readonly string[]
}

export interface RpcWebSocketServer {
  readonly port: number
  close(): Promise<void>
}

/** One message of a client. geth takes 32 MiB; a batch larger than this is better sent in two. */
const messageBytesMax = 15 * 1024 * 1024
const connectionCountMax = 4096
/** Clients that are gone without a word are noticed after two of these. */
const pingIntervalMs = 30_000

/** @throws The error of the operating system, such as EADDRINUSE. */
export async function openRpcWebSocketServer(
  options: RpcWebSocketOptions,
): Promise<RpcWebSocketServer> {
  const { dispatcher, host, port, virtualHosts } = options
  const isOriginAllowed = originMatcher(options.origins)
  const http = createServer((_, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' })
    response.end('this port speaks WebSocket only\n')
  })
  http.maxConnections = connectionCountMax
  const server = new WebSocketServer({
    server: http,
    maxPayload: messageBytesMax,
    verifyClient({ req }: { req: IncomingMessage }) {
      const { host, origin } = req.headers
      if (!isHostAllowed(host, virtualHosts)) return false
      return origin === undefined || isOriginAllowed(origin)
    },
  })
  /** Those that have not answered the last ping. */
  const silent = new Set<WebSocket>()
  server.on('connection', (socket) => {
    socket.on('pong', () => silent.delete(socket))
    socket.on('close', () => silent.delete(socket))
    serve(socket, dispatcher)
  })
  http.listen({ host, port })
  await once(http, 'listening')
  // Errors of single connections; without a listener they would end the process.
  server.on('error', () => undefined)
  const pings = setInterval(() => pingAll(server, silent), pingIntervalMs)
  pings.unref()
  return {
    port: (http.address() as AddressInfo).port,
    async close() {
      clearInterval(pings)
      for (const socket of server.clients) socket.terminate()
      server.close()
      await closeHttp(http)
    },
  }
}

function closeHttp(http: NodeHttpServer): Promise<void> {
  http.closeAllConnections()
  return new Promise((resolve) => http.close(() => resolve()))
}

function pingAll(server: WebSocketServer, silent: Set<WebSocket>): void {
  for (const socket of server.clients) {
    if (silent.has(socket)) {
      socket.terminate()
      continue
    }
    silent.add(socket)
    socket.ping()
  }
}

function serve(socket: WebSocket, dispatcher: Dispatcher): void {
  const connection = new PushConnection('ws', dispatcher, {
    send: (text) => socket.send(text, () => connection.drained()),
    bufferedBytes: () => socket.bufferedAmount,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    drop: () => socket.terminate(),
  })
  socket.on('message', (data) => void connection.receive(textOf(data)))
  socket.on('error', () => socket.terminate())
  socket.on('close', () => connection.closed())
}

function textOf(data: Buffer | ArrayBuffer | Buffer[]): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  return (Buffer.isBuffer(data) ? data : Buffer.from(data)).toString('utf8')
}
