/** JSON-RPC over a Unix socket that only its owner can open: all namespaces, notifications, values without frames. */
import { once } from 'node:events'
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { BaseError } from '@cairn/core'
import type { Dispatcher } from './dispatcher.ts'
import { JsonStream } from './json-stream.ts'
import { PushConnection } from './push-connection.ts'

/** Longest path of a Unix socket on macOS, less its end and the name of the folder in which it is made. */
const pathBytesMax = 90
/** One request. As over HTTP. */
const requestBytesMax = 5 * 1024 * 1024
const connectionCountMax = 1024

export type IpcErrorType =
  | { readonly code: 'IPC_PATH_TOO_LONG'; readonly path: string; readonly bytesMax: number }
  | { readonly code: 'IPC_IN_USE'; readonly path: string }

/** A socket that cannot be opened. */
export class IpcError extends BaseError<IpcErrorType> {
  override readonly name = 'IpcError'
}

export interface IpcServer {
  readonly path: string
  close(): Promise<void>
}

/**
 * @throws IpcError when the path is too long or another process listens there; a socket that nobody listens on any more
 *   is removed.
 */
export async function openIpcServer(path: string, dispatcher: Dispatcher): Promise<IpcServer> {
  if (Buffer.byteLength(path) > pathBytesMax) throw pathTooLong(path)
  if (await isListening(path)) throw inUse(path)
  await rm(path, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket, dispatcher)
  })
  server.maxConnections = connectionCountMax
  await listenPrivately(server, path)
  return {
    path,
    async close() {
      const closed = closeServer(server)
      for (const socket of sockets) socket.destroy()
      await closed
      await rm(path, { force: true })
    },
  }
}

/** Made in a folder that nobody else can enter, so that the socket is not open to others even for a moment. */
async function listenPrivately(server: Server, path: string): Promise<void> {
  const folder = await mkdtemp(join(dirname(path), '.ipc-'))
  try {
    const hidden = join(folder, 's')
    server.listen(hidden)
    await once(server, 'listening')
    await chmod(hidden, 0o600)
    await rename(hidden, path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function serve(socket: Socket, dispatcher: Dispatcher): void {
  const stream = new JsonStream(requestBytesMax)
  const connection = new PushConnection('ipc', dispatcher, {
    send: (text) => socket.write(`${text}\n`),
    bufferedBytes: () => socket.writableLength,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    drop: () => socket.destroy(),
  })
  socket.on('data', (chunk) => {
    try {
      for (const text of stream.push(chunk)) void connection.receive(text)
    } catch {
      // Where the next value begins is not known any more.
      socket.pause()
      void connection.receive('not JSON').then(() => socket.destroySoon())
    }
  })
  socket.on('error', () => undefined)
  socket.on('close', () => connection.closed())
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

function pathTooLong(path: string): IpcError {
  return new IpcError(
    { code: 'IPC_PATH_TOO_LONG', path, bytesMax: pathBytesMax },
    {
      shortMessage: 'The path of the IPC socket is longer than the system allows.',
      metaMessages: [
        `Path: ${path}`,
        `Most: ${pathBytesMax} bytes`,
        'Choose a shorter one with --ipcpath, or leave the socket out with --ipcdisable.',
      ],
    },
  )
}

function inUse(path: string): IpcError {
  return new IpcError(
    { code: 'IPC_IN_USE', path },
    {
      shortMessage: 'Another process listens on the IPC socket.',
      metaMessages: [`Path: ${path}`, 'Stop it, or choose another path with --ipcpath.'],
    },
  )
}
