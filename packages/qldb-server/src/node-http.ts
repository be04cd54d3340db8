/**
 * node:http and node:https in front of the server core: collects the body within its bounds, writes the answer.
 * Timeouts and header sizes belong to the listener (`listenerSettings`).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpRequest, HttpResponse } from '@cairn/aws-protocol'
import { emptyBytes } from '@cairn/core'
import { serverError } from './errors.ts'
import type { QldbServerLimits } from './limits.ts'

/** What the adapter needs of the server. */
export interface Responder {
  readonly isClosing: boolean
  respond(request: HttpRequest): Promise<HttpResponse>
  refuse(error: unknown, isSession: boolean): HttpResponse
}

export class NodeHttpAdapter {
  readonly #responder: Responder
  readonly #limits: QldbServerLimits
  #bodyBytesInFlight = 0

  constructor(responder: Responder, limits: QldbServerLimits) {
    this.#responder = responder
    this.#limits = limits
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Uint8Array[] = []
    let receivedBytes = 0
    // The bytes that this request has added to those in flight.
    let reservedBytes = 0
    let refusal: 'BODY_TOO_LARGE' | 'OVERLOADED' | undefined
    const release = () => {
      this.#bodyBytesInFlight -= reservedBytes
      reservedBytes = 0
      chunks.length = 0
    }

    request.on('data', (chunk: Uint8Array) => {
      receivedBytes += chunk.length
      if (refusal === undefined) {
        refusal = this.#refusalOf(receivedBytes, chunk.length)
        if (refusal === undefined) {
          chunks.push(chunk)
          reservedBytes += chunk.length
          this.#bodyBytesInFlight += chunk.length
          return
        }
        release()
      }
      // The rest is read and thrown away: a client that is still writing would not see the fault.
      if (receivedBytes > this.#limits.discardedBytesMax) request.destroy()
    })
    request.on('end', () => {
      if (refusal !== undefined) {
        this.#write(response, this.#refuse(request, refusal))
        return
      }
      const body = chunks.length === 1 ? (chunks[0] as Uint8Array) : joinChunks(chunks)
      chunks.length = 0
      this.#answer(request, response, body, release)
    })
    request.on('close', () => {
      // Before the end: the client is gone, and nobody waits for an answer.
      if (!request.complete) release()
    })
    // Node tells 'close' as well; without a listener the error would end the process.
    request.on('error', () => undefined)
    response.on('error', () => undefined)
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    body: Uint8Array,
    release: () => void,
  ): void {
    const url = request.url ?? '/'
    const at = url.indexOf('?')
    this.#responder
      .respond({
        method: request.method ?? 'GET',
        path: at < 0 ? url : url.slice(0, at),
        query: at < 0 ? '' : url.slice(at + 1),
        headers: request.headers,
        body,
      })
      .then((answer) => this.#write(response, answer))
      .finally(release)
  }

  #refusalOf(
    receivedBytes: number,
    addedBytes: number,
  ): 'BODY_TOO_LARGE' | 'OVERLOADED' | undefined {
    if (receivedBytes > this.#limits.bodyBytesMax) return 'BODY_TOO_LARGE'
    const bytesInFlight = this.#bodyBytesInFlight + addedBytes
    return bytesInFlight > this.#limits.bodyBytesInFlightMax ? 'OVERLOADED' : undefined
  }

  #refuse(request: IncomingMessage, refusal: 'BODY_TOO_LARGE' | 'OVERLOADED'): HttpResponse {
    const bytesMax = this.#limits.bodyBytesMax
    const error =
      refusal === 'BODY_TOO_LARGE'
        ? serverError({ code: 'BODY_TOO_LARGE', bytesMax }, 'The request body is too large.')
        : serverError({ code: 'OVERLOADED' }, 'The server holds as many bytes as it may.')
    return this.#responder.refuse(error, request.headers['x-amz-target'] !== undefined)
  }

  #write(response: ServerResponse, answer: HttpResponse): void {
    if (response.destroyed) return
    if (this.#responder.isClosing) response.setHeader('connection', 'close')
    response.writeHead(answer.status, {
      ...answer.headers,
      'content-length': Buffer.byteLength(answer.body),
    })
    response.end(answer.body)
  }
}

function joinChunks(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 0 ? emptyBytes : Buffer.concat(chunks)
}
