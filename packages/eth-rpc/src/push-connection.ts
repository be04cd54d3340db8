/**
 * A connection that answers calls and takes notifications: what WebSocket and IPC have in common. Calls run beside each
 * other and are answered as they finish; a client that sends faster, or reads slower, than it may is slowed or dropped.
 */
import type { Dispatcher } from './dispatcher.ts'
import type { CallContext, Subscriber } from './method.ts'

/** Texts under way per connection at which nothing more is read from it. */
const pendingCountMax = 256
/** Unsent bytes at which nothing more is read: answers wait for the client to take them. */
const bufferedBytesPause = 4 * 1024 * 1024
/** Unsent bytes at which a connection is given up, since notifications cannot wait. geth drops slow readers too. */
const bufferedBytesMax = 64 * 1024 * 1024

export interface PushChannel {
  send(text: string): void
  bufferedBytes(): number
  pause(): void
  resume(): void
  /** Ends the connection at once. */
  drop(): void
}

export class PushConnection implements Subscriber {
  readonly #dispatcher: Dispatcher
  readonly #channel: PushChannel
  readonly #context: CallContext
  readonly #closeListeners: (() => void)[] = []
  #pendingCount = 0
  #isPaused = false
  #isClosed = false

  constructor(transport: 'ws' | 'ipc', dispatcher: Dispatcher, channel: PushChannel) {
    this.#dispatcher = dispatcher
    this.#channel = channel
    this.#context = { transport, subscriber: this }
  }

  /** Takes one message of the client; resolves when it is answered. */
  async receive(text: string): Promise<void> {
    this.#pendingCount++
    this.#pace()
    const answer = await this.#dispatcher.dispatch(text, this.#context)
    this.#pendingCount--
    if (answer !== undefined) this.#send(answer)
    this.#pace()
  }

  /** To be called when the client has taken what was buffered. */
  drained(): void {
    this.#pace()
  }

  notify(method: string, params: unknown): void {
    this.#send(JSON.stringify({ jsonrpc: '2.0', method, params }))
  }

  onClose(listener: () => void): void {
    if (this.#isClosed) listener()
    else this.#closeListeners.push(listener)
  }

  closed(): void {
    this.#isClosed = true
    for (const listener of this.#closeListeners.splice(0)) listener()
  }

  #send(text: string): void {
    if (this.#isClosed) return
    this.#channel.send(text)
    if (this.#channel.bufferedBytes() > bufferedBytesMax) this.#channel.drop()
  }

  #pace(): void {
    const isFull =
      this.#pendingCount >= pendingCountMax || this.#channel.bufferedBytes() > bufferedBytesPause
    if (isFull === this.#isPaused || this.#isClosed) return
    this.#isPaused = isFull
    if (isFull) this.#channel.pause()
    else this.#channel.resume()
  }
}
