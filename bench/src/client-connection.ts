/**
 * The client's end of one kept-alive HTTP/1.1 connection, as cheap as Node has it: whole requests as text, one at a
 * time, answers whose length is told, or in chunks. Not a client for others: no text beyond ASCII.
 */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** What the server answered when it was not 200. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly fault: string

  constructor(fault: string, message: string) {
    super(`${fault}: ${message}`)
    this.fault = fault
  }
}

/** Most answers come in one piece of a few hundred bytes. */
const receiveBytesSize = 16 * 1024
/** As we and hyper write it, and as Node does. */
const lengthNames = ['\r\ncontent-length: ', '\r\nContent-Length: '] as const
/** As Node writes it when it does not know the length beforehand, and the end of such a body. */
const chunkedLine = '\r\nTransfer-Encoding: chunked'
const lastChunk = '\r\n0\r\n\r\n'
const statusStart = 'HTTP/1.1 '.length
/** Nothing that is asked here takes as long: a server that is silent for this time has hung. */
const silenceMsMax = 30_000

export class ClientConnection {
  readonly #socket: Socket
  #received = ''
  #resolve: ((body: string) => void) | undefined
  #reject: ((error: Error) => void) | undefined

  private constructor(host: string, port: number) {
    // With a buffer of our own the socket makes no stream of what comes: 1 µs less for each answer.
    const buffer = Buffer.allocUnsafe(receiveBytesSize)
    const callback = (size: number): boolean => {
      this.#onText(buffer.toString('latin1', 0, size))
      return true
    }
    this.#socket = createConnection({ host, port, noDelay: true, onread: { buffer, callback } })
    this.#socket.on('error', (error) => this.#reject?.(error))
    this.#socket.on('close', () => this.#reject?.(new Error('The server closed the connection.')))
    // One timer for each connection, which what is read and written puts off; with no question open it says nothing.
    this.#socket.setTimeout(silenceMsMax)
    this.#socket.on('timeout', () => {
      this.#reject?.(new Error(`The server did not answer for ${silenceMsMax / 1000} s.`))
    })
  }

  static async open(host: string, port: number): Promise<ClientConnection> {
    const connection = new ClientConnection(host, port)
    await once(connection.#socket, 'connect')
    return connection
  }

  /**
   * The body of the answer. One request at a time.
   * @param request Head and body, ASCII.
   * @throws WireError when the status is not 200; Error when the server closes the connection or is silent.
   */
  ask(request: string): Promise<string> {
    // Functions written in place: tsx names each one that is kept in a variable, every time it is made.
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('The server has closed the connection.'))
      this.#resolve = resolve
      this.#reject = reject
      this.#socket.write(request, 'latin1')
    })
  }

  close(): void {
    this.#reject = undefined
    this.#socket.destroy()
  }

  #onText(piece: string): void {
    const text = this.#received === '' ? piece : this.#received + piece
    const headEnd = text.indexOf('\r\n\r\n')
    const bodyStart = headEnd + 4
    const isChunked = headEnd >= 0 && text.lastIndexOf(chunkedLine, headEnd) >= 0
    const bodyLength = headEnd < 0 ? Number.NaN : lengthOf(text)
    const isWhole = isChunked ? text.endsWith(lastChunk) : text.length >= bodyStart + bodyLength
    if (headEnd < 0 || !isWhole) {
      this.#received = text
      return
    }
    this.#received = ''
    const resolve = this.#resolve
    this.#resolve = undefined
    const rest = text.slice(bodyStart)
    const body = isChunked ? joinChunks(rest) : rest
    const status = Number(text.slice(statusStart, statusStart + 3))
    if (resolve === undefined || (!isChunked && body.length !== bodyLength)) {
      this.#reject?.(new Error(`No answer to a question of ours:\n${text}`))
    } else if (status === 200) {
      resolve(body)
    } else {
      this.#reject?.(wireError(status, body))
    }
  }
}

/** Each chunk is its length in hex, a line's end, so many characters, and a line's end. */
function joinChunks(text: string): string {
  let body = ''
  for (let at = 0; ; ) {
    const start = text.indexOf('\r\n', at) + 2
    const length = Number.parseInt(text.slice(at, start), 16)
    if (!(length > 0)) return body
    body += text.slice(start, start + length)
    at = start + length + 2
  }
}

/** A fault of the session API, or a problem of the HTTP API. */
function wireError(status: number, body: string): WireError {
  const fault = JSON.parse(body) as Partial<Record<string, string>>
  const { __type, code, Message, message, detail } = fault
  return new WireError(__type ?? code ?? String(status), Message ?? message ?? detail ?? '')
}

function lengthOf(text: string): number {
  for (const name of lengthNames) {
    const at = text.indexOf(name)
    if (at >= 0) return Number.parseInt(text.slice(at + name.length, at + 30), 10)
  }
  return 0
}
