/**
 * The client's end of one kept-alive HTTP/1.1 connection, as cheap as Node has it: whole requests as text, one at a
 * time, answers of a server that tells their length. Not a client for others: no chunks, no text beyond ASCII.
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
const lengthName = '\r\ncontent-length: '
const statusStart = 'HTTP/1.1 '.length

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
  }

  static async open(host: string, port: number): Promise<ClientConnection> {
    const connection = new ClientConnection(host, port)
    await once(connection.#socket, 'connect')
    return connection
  }

  /**
   * The body of the answer. One request at a time.
   * @param request Head and body, ASCII.
   * @throws WireError when the status is not 200.
   */
  ask(request: string): Promise<string> {
    // Functions written in place: tsx names each one that is kept in a variable, every time it is made.
    return new Promise((resolve, reject) => {
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
    const bodyLength = headEnd < 0 ? Number.NaN : lengthOf(text)
    if (headEnd < 0 || text.length < bodyStart + bodyLength) {
      this.#received = text
      return
    }
    this.#received = ''
    const resolve = this.#resolve
    this.#resolve = undefined
    const body = text.slice(bodyStart)
    const status = Number(text.slice(statusStart, statusStart + 3))
    if (resolve === undefined || body.length !== bodyLength) {
      this.#reject?.(new Error(`No answer to a question of ours:\n${text}`))
    } else if (status === 200) {
      resolve(body)
    } else {
      this.#reject?.(wireError(status, body))
    }
  }
}

/** A fault of the session API, or a problem of the HTTP API. */
function wireError(status: number, body: string): WireError {
  const fault = JSON.parse(body) as Partial<Record<string, string>>
  const { __type, code, Message, message, detail } = fault
  return new WireError(__type ?? code ?? String(status), Message ?? message ?? detail ?? '')
}

function lengthOf(text: string): number {
  const at = text.indexOf(lengthName)
  return at < 0 ? 0 : Number.parseInt(text.slice(at + lengthName.length, at + 30), 10)
}
