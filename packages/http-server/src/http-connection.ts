/**
 * One HTTP/1.1 connection over TCP or TLS (RFC 9112). Requests are answered one after the other: pipelined ones wait
 * in the socket, since only safe methods may run side by side (9.3.2) and ours mostly are not.
 */
import type { Socket } from 'node:net'
import type { Clock } from '@cairn/core'
import { BodyBudget } from './body-budget.ts'
import { HttpError, requestTimeout, statusOf } from './errors.ts'
import type { HttpLimits } from './limits.ts'
import type { HttpHandler, HttpResponse } from './message.ts'
import { type ReceivedRequest, RequestReader } from './request-reader.ts'
import { createDateLine, formatResponse } from './response-text.ts'

/** What the connections of a server share. */
export interface ConnectionContext {
  readonly handler: HttpHandler
  readonly clock: Clock
  readonly limits: HttpLimits
  readonly budget: BodyBudget
  dateLine(nowMs: number): string
}

export function createConnectionContext(
  handler: HttpHandler,
  clock: Clock,
  limits: HttpLimits,
): ConnectionContext {
  const budget = new BodyBudget(limits.bodyBytesInFlightMax)
  return { handler, clock, limits, budget, dateLine: createDateLine() }
}

/**
 * idle ─► receiving ─► answering ─┬─► idle
 *                                 ├─► blocked (until the client takes the answer) ─► idle
 *                                 └─► ending (reads on for a moment, or until the client ends) ─► closed
 */
type State = 'idle' | 'receiving' | 'answering' | 'blocked' | 'ending' | 'closed'

const continueText = 'HTTP/1.1 100 Continue\r\n\r\n'
const never = Number.POSITIVE_INFINITY

export class HttpConnection {
  readonly #context: ConnectionContext
  readonly #socket: Socket
  readonly #reader: RequestReader
  #state: State = 'idle'
  /** Of the state; the server calls `onDeadline` after it. */
  #deadlineMs: number
  #receivingSinceMs = 0
  #request: ReceivedRequest | undefined
  #isClosing = false
  /** The client has sent its end, and still reads. */
  #isHalfClosed = false
  #lingeredBytes = 0

  constructor(context: ConnectionContext, socket: Socket) {
    this.#context = context
    this.#socket = socket
    this.#reader = new RequestReader(context.limits, context.budget)
    this.#deadlineMs = context.clock.nowMs() + context.limits.headMsMax
    socket.on('data', (piece: Buffer) => this.#onData(piece))
    socket.on('drain', () => this.#onDrain())
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onClose())
    // 'close' follows; without a listener the error would end the process.
    socket.on('error', () => undefined)
  }

  get deadlineMs(): number {
    return this.#deadlineMs
  }

  /** What the state lasted too long for is given up. */
  onDeadline(): void {
    if (this.#state === 'receiving') this.#fail(requestTimeout())
    else this.#socket.destroy()
  }

  /** Ends when the request under way is answered; at once when there is none. */
  close(): void {
    this.#isClosing = true
    if (this.#state === 'idle') this.#socket.destroySoon()
  }

  #onData(piece: Buffer): void {
    if (this.#state === 'ending') {
      this.#lingeredBytes += piece.length
      if (this.#lingeredBytes > this.#context.limits.discardedBytesMax) this.#socket.destroy()
      return
    }
    this.#reader.push(piece)
    if (this.#state === 'answering' || this.#state === 'blocked') {
      // The next request has to wait, and those after it in the client.
      this.#socket.pause()
      return
    }
    this.#advance()
  }

  /** Answers what is here, as long as answers come at once and the client takes them. */
  #advance(): void {
    while (this.#state === 'idle' || this.#state === 'receiving') {
      let request: ReceivedRequest | undefined
      try {
        request = this.#reader.next()
      } catch (error) {
        this.#fail(error)
        return
      }
      if (request === undefined) {
        this.#awaitMore()
        return
      }
      this.#answer(request)
    }
  }

  #answer(request: ReceivedRequest): void {
    const { handler } = this.#context
    this.#state = 'answering'
    this.#deadlineMs = never
    this.#request = request
    if (request.refusal !== undefined) {
      this.#onAnswer(handler.refuse(request.refusal, request))
    } else if (request.path === '*') {
      this.#onAnswer({ status: 204, headers: {}, body: '' })
    } else {
      const answer = handler.respond(request)
      if (answer instanceof Promise) void answer.then(this.#onLateAnswer)
      else this.#onAnswer(answer)
    }
  }

  // Made once per connection, not once per request.
  readonly #onLateAnswer = (response: HttpResponse): void => {
    this.#onAnswer(response)
    this.#advance()
  }

  #onAnswer(response: HttpResponse): void {
    const request = this.#request as ReceivedRequest
    this.#request = undefined
    if (request.budgetBytes > 0) this.#context.budget.giveBack(request.budgetBytes)
    if (this.#state === 'closed') return
    const isLast =
      request.isLast ||
      this.#isClosing ||
      this.#context.handler.isClosing ||
      (this.#isHalfClosed && this.#reader.isIdle)
    const { clock, limits, dateLine } = this.#context
    const nowMs = clock.nowMs()
    const isHead = request.method === 'HEAD'
    const { text, encoding, bytes } = formatResponse(response, dateLine(nowMs), isHead, isLast)
    if (bytes !== undefined) this.#socket.cork()
    if (isLast) {
      this.#end(text, encoding, bytes)
      return
    }
    let isTaken = this.#socket.write(text, encoding)
    if (bytes !== undefined) {
      isTaken = this.#socket.write(bytes)
      this.#socket.uncork()
    }
    this.#state = isTaken ? 'idle' : 'blocked'
    this.#deadlineMs = nowMs + (isTaken ? limits.idleMsMax : limits.writeMsMax)
  }

  #onDrain(): void {
    if (this.#state !== 'blocked') return
    const { clock, limits } = this.#context
    this.#state = 'idle'
    this.#deadlineMs = clock.nowMs() + limits.idleMsMax
    if (this.#isClosing && this.#reader.isIdle) this.#socket.destroySoon()
    else this.#advance()
  }

  #awaitMore(): void {
    if (this.#reader.isIdle) {
      this.#state = 'idle'
    } else {
      const { clock, limits } = this.#context
      if (this.#state === 'idle') {
        this.#state = 'receiving'
        this.#receivingSinceMs = clock.nowMs()
        this.#deadlineMs = this.#receivingSinceMs + limits.headMsMax
      }
      if (this.#reader.isInBody) this.#deadlineMs = this.#receivingSinceMs + limits.requestMsMax
    }
    if (this.#reader.takeContinue()) this.#socket.write(continueText, 'latin1')
    if (this.#isHalfClosed) this.#socket.destroySoon()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  #fail(error: unknown): void {
    if (!(error instanceof HttpError)) throw error
    this.#reader.abandon()
    if (error.code === 'BODY_ENDLESS') {
      this.#socket.destroy()
      return
    }
    const { clock, dateLine } = this.#context
    const { text, encoding } = formatResponse(
      {
        status: statusOf(error),
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: `${error.shortMessage}\n`,
      },
      dateLine(clock.nowMs()),
      false,
      true,
    )
    this.#end(text, encoding)
  }

  /**
   * Sends what is left and our end. Whoever still sends is read on for a moment: data that arrives at a closed socket
   * makes a reset of it, which would take the answer from the client.
   */
  #end(text: string, encoding: 'latin1' | 'utf8', bytes?: Uint8Array): void {
    const { clock, limits } = this.#context
    this.#state = 'ending'
    this.#deadlineMs = clock.nowMs() + limits.lingerMsMax
    this.#reader.abandon()
    if (bytes === undefined) this.#socket.end(text, encoding)
    else {
      this.#socket.write(text, encoding)
      // Ending uncorks.
      this.#socket.end(bytes)
    }
    if (this.#isHalfClosed) this.#socket.destroySoon()
    else this.#socket.resume()
  }

  #onEnd(): void {
    this.#isHalfClosed = true
    // A request under way is answered first; one that is not complete never will be.
    if (this.#state !== 'answering' && this.#state !== 'blocked') this.#socket.destroySoon()
  }

  #onClose(): void {
    this.#state = 'closed'
    this.#deadlineMs = never
    this.#reader.abandon()
  }
}
