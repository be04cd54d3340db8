/**
 * The thread that talks to the node for the console, which waits for each answer as geth's does: `eth.blockNumber` is a
 * number there, not a promise. Speaks JSON-RPC over IPC or HTTP. Plain Node only, so that it starts in milliseconds.
 */
import { connect, type Socket } from 'node:net'
import { type MessagePort, workerData } from 'node:worker_threads'

export interface RpcThreadData {
  /** A path, or an http URL. */
  readonly endpoint: string
  readonly port: MessagePort
  /** One number; 1 when an answer is there. */
  readonly signal: SharedArrayBuffer
}

export type RpcThreadAnswer = { readonly text: string } | { readonly failure: string }

const { endpoint, port, signal } = workerData as RpcThreadData
const flag = new Int32Array(signal)
let socket: Socket | undefined
/** What the socket has sent and is not a whole line yet; the node ends each answer with one. */
let received = ''
let waiting: ((text: string) => void) | undefined

port.on('message', (text: string) => {
  ask(text).then(
    (answer) => reply({ text: answer }),
    (error: unknown) => reply({ failure: error instanceof Error ? error.message : String(error) }),
  )
})

function reply(answer: RpcThreadAnswer): void {
  port.postMessage(answer)
  Atomics.store(flag, 0, 1)
  Atomics.notify(flag, 0)
}

async function ask(text: string): Promise<string> {
  if (!/^https?:/.test(endpoint)) return askSocket(text)
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: text,
  })
  if (!response.ok) throw new Error(`${endpoint} answers ${response.status}`)
  return response.text()
}

function askSocket(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    waiting = resolve
    socket ??= openSocket(reject)
    socket.write(text)
  })
}

function openSocket(onError: (error: Error) => void): Socket {
  const opened = connect(endpoint)
  opened.setEncoding('utf8')
  opened.on('data', (chunk: string) => {
    received += chunk
    const end = received.indexOf('\n')
    if (end < 0) return
    const line = received.slice(0, end)
    received = received.slice(end + 1)
    waiting?.(line)
  })
  opened.on('error', (error) => {
    socket = undefined
    onError(error)
  })
  opened.on('close', () => {
    socket = undefined
    onError(new Error('the node has closed the connection'))
  })
  return opened
}
