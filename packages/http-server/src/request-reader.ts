/**
 * Requests out of the bytes of one connection, however they are cut (RFC 9112). Bytes of a following request stay
 * here until the next call of `next`. Bodies too large, or beyond the budget, are read and thrown away.
 * Trailers are checked and dropped, chunk extensions ignored.
 */
import { emptyBytes } from '@cairn/core'
import type { BodyBudget } from './body-budget.ts'
import { BodyBuffer } from './body-buffer.ts'
import { chunkMalformed, HttpError, headMalformed, headTooLarge } from './errors.ts'
import type { HttpLimits } from './limits.ts'
import type { HttpRequest, Refusal } from './message.ts'
import { parseHeaderLines, parseRequestHead, type RequestHead } from './request-head.ts'

export interface ReceivedRequest extends HttpRequest {
  /** The connection ends after the answer. */
  readonly isLast: boolean
  /** Why the body is not here. */
  readonly refusal: Refusal | undefined
  /** What the body took from the budget; whoever answers gives it back. */
  readonly budgetBytes: number
}

type ChunkPart = 'size' | 'data' | 'end' | 'trailers'

const carriageReturn = 0x0d
const lineFeed = 0x0a
const headEnd = Buffer.from('\r\n\r\n')
const lineEnd = Buffer.from('\r\n')
const noBytes: Buffer = Buffer.alloc(0)
// Eight digits hold 4 GiB, far more than a body may have.
const chunkLinePattern = /^([0-9a-fA-F]{1,8})[ \t]*(?:;[\t -~\x80-\xff]*)?$/

export class RequestReader {
  readonly #limits: HttpLimits
  readonly #budget: BodyBudget
  /** What is not consumed yet begins at `#at`. */
  #bytes: Buffer = noBytes
  #at = 0
  /** Up to here the head was searched for its end. */
  #searched = 0

  /** Of the request whose body is being read. */
  #head: RequestHead | undefined
  readonly #body = new BodyBuffer()
  #chunkPart: ChunkPart = 'size'
  /** Of the body, or of the chunk. */
  #missingBytes = 0
  /** Chunk extensions and trailers so far. */
  #extraBytes = 0
  #refusal: Refusal | undefined
  #discardedBytes = 0
  #isContinueDue = false

  constructor(limits: HttpLimits, budget: BodyBudget) {
    this.#limits = limits
    this.#budget = budget
  }

  /** @param piece Is kept until its requests are answered: bodies are views of it. */
  push(piece: Buffer): void {
    this.#bytes =
      this.#at === this.#bytes.length
        ? piece
        : Buffer.concat([this.#bytes.subarray(this.#at), piece])
    this.#searched -= Math.min(this.#searched, this.#at)
    this.#at = 0
  }

  /** Nothing of a request was received. */
  get isIdle(): boolean {
    return this.#head === undefined && this.#at === this.#bytes.length
  }

  /** The head of a request is here, its body not yet. */
  get isInBody(): boolean {
    return this.#head !== undefined
  }

  /** True once per request that expects `100 Continue` and whose body is now waited for. */
  takeContinue(): boolean {
    const isDue = this.#isContinueDue
    this.#isContinueDue = false
    return isDue
  }

  /** Gives back what an unfinished body holds. */
  abandon(): void {
    this.#budget.giveBack(this.#body.size)
    this.#body.clear()
    this.#bytes = noBytes
    this.#at = 0
    this.#head = undefined
  }

  /**
   * The next request that is here to its end; undefined when more bytes are needed.
   * @throws HttpError The connection cannot be read any further.
   */
  next(): ReceivedRequest | undefined {
    const head = this.#head ?? this.#readHead()
    if (head === undefined) return undefined
    if (this.#head === undefined) {
      const size = head.contentLength
      // The whole body is here already: no copy, no state. Nearly every request comes so.
      if (!head.isChunked && this.#bytes.length - this.#at >= size) return this.#takeWhole(head)
      this.#beginBody(head)
      if (this.#refusal !== undefined && head.isContinueExpected) {
        // It was not asked to send the body, so none is read; that it sends none is not sure (RFC 9110, 10.1.1).
        return this.#finish(head, true)
      }
    }
    const isWhole = head.isChunked ? this.#readChunks() : this.#readCounted(head.contentLength)
    return isWhole ? this.#finish(head, head.isLast) : undefined
  }

  #readHead(): RequestHead | undefined {
    const bytes = this.#bytes
    // RFC 9112, 2.2: empty lines before a request are ignored.
    while (bytes[this.#at] === carriageReturn && bytes[this.#at + 1] === lineFeed) this.#at += 2
    if (this.#at === bytes.length) {
      // A connection that waits keeps no buffer alive.
      this.#bytes = noBytes
      this.#at = 0
      return undefined
    }
    const { headBytesMax, headerCountMax } = this.#limits
    const end = bytes.indexOf(headEnd, Math.max(this.#at, this.#searched - 3))
    if (end < 0) {
      this.#checkBareLineFeed()
      this.#searched = bytes.length
      if (bytes.length - this.#at > headBytesMax) throw headTooLarge(headBytesMax)
      return undefined
    }
    this.#searched = 0
    if (end - this.#at > headBytesMax) throw headTooLarge(headBytesMax)
    const text = bytes.toString('latin1', this.#at, end + 2)
    this.#at = end + 4
    return parseRequestHead(text, headerCountMax)
  }

  /** Without it, a client that ends its lines with LF alone would wait until its time is over. */
  #checkBareLineFeed(): void {
    const bytes = this.#bytes
    const start = Math.max(this.#at, this.#searched)
    for (let at = bytes.indexOf(lineFeed, start); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) {
      if (at === this.#at || bytes[at - 1] !== carriageReturn) {
        throw headMalformed('a control character or a bare line end')
      }
    }
  }

  #takeWhole(head: RequestHead): ReceivedRequest {
    const size = head.contentLength
    const refusal = this.#refusalOf(size, size)
    const isKept = refusal === undefined && size > 0
    const body = isKept ? this.#bytes.subarray(this.#at, this.#at + size) : emptyBytes
    this.#at += size
    return received(head, body, head.isLast, refusal, isKept ? size : 0)
  }

  #beginBody(head: RequestHead): void {
    this.#head = head
    this.#chunkPart = 'size'
    this.#missingBytes = head.contentLength
    this.#extraBytes = 0
    this.#discardedBytes = 0
    this.#refusal = head.contentLength > this.#limits.bodyBytesMax ? 'BODY_TOO_LARGE' : undefined
    this.#isContinueDue = head.isContinueExpected && this.#refusal === undefined
  }

  #finish(head: RequestHead, isLast: boolean): ReceivedRequest {
    const budgetBytes = this.#body.size
    const body = this.#body.take()
    this.#head = undefined
    this.#isContinueDue = false
    return received(head, body, isLast, this.#refusal, budgetBytes)
  }

  /** @returns True when nothing of the body, or of the chunk, is missing. */
  #readCounted(bodyBytesMax: number): boolean {
    const size = Math.min(this.#missingBytes, this.#bytes.length - this.#at)
    this.#keep(this.#bytes.subarray(this.#at, this.#at + size), bodyBytesMax)
    this.#at += size
    this.#missingBytes -= size
    return this.#missingBytes === 0
  }

  /** @returns True when the body and its trailers are complete. */
  #readChunks(): boolean {
    for (;;) {
      switch (this.#chunkPart) {
        case 'size': {
          const line = this.#readLine()
          if (line === undefined) return false
          this.#missingBytes = this.#chunkSizeOf(line)
          this.#chunkPart = this.#missingBytes === 0 ? 'trailers' : 'data'
          break
        }
        case 'data':
          if (!this.#readCounted(this.#limits.bodyBytesMax)) return false
          this.#chunkPart = 'end'
          break
        case 'end':
          if (this.#bytes.length - this.#at < 2) return false
          if (this.#bytes[this.#at] !== carriageReturn || this.#bytes[this.#at + 1] !== lineFeed) {
            throw chunkMalformed()
          }
          this.#at += 2
          this.#chunkPart = 'size'
          break
        case 'trailers': {
          const line = this.#readLine()
          if (line === undefined) return false
          if (line === '') return true
          this.#countExtra(line.length)
          parseHeaderLines(`${line}\r\n`, 0, 1)
          break
        }
      }
    }
  }

  #chunkSizeOf(line: string): number {
    const match = chunkLinePattern.exec(line)
    if (match === null) throw chunkMalformed()
    const digits = match[1] as string
    this.#countExtra(line.length - digits.length)
    return Number.parseInt(digits, 16)
  }

  /** Extensions are free bytes for whoever sends them; see CVE-2024-22019. */
  #countExtra(bytes: number): void {
    this.#extraBytes += bytes
    if (this.#extraBytes > this.#limits.headBytesMax) throw headTooLarge(this.#limits.headBytesMax)
  }

  /** A line without its end, in Latin-1; undefined when its end is not here. */
  #readLine(): string | undefined {
    const end = this.#bytes.indexOf(lineEnd, this.#at)
    const bytesMax = this.#limits.headBytesMax
    if ((end < 0 ? this.#bytes.length : end) - this.#at > bytesMax) throw headTooLarge(bytesMax)
    if (end < 0) return undefined
    const line = this.#bytes.toString('latin1', this.#at, end)
    if (line.includes('\n') || line.includes('\r')) throw chunkMalformed()
    this.#at = end + 2
    return line
  }

  #keep(piece: Uint8Array, bodyBytesMax: number): void {
    if (piece.length === 0) return
    if (this.#refusal === undefined) {
      this.#refusal = this.#refusalOf(this.#body.size + piece.length, piece.length)
      if (this.#refusal === undefined) {
        this.#body.append(piece, bodyBytesMax)
        return
      }
      this.#discardedBytes = this.#body.size
      this.#budget.giveBack(this.#body.size)
      this.#body.clear()
    }
    this.#discardedBytes += piece.length
    const bytesMax = this.#limits.discardedBytesMax
    if (this.#discardedBytes > bytesMax) {
      throw new HttpError(
        { code: 'BODY_ENDLESS', bytesMax },
        { shortMessage: `More than ${bytesMax} bytes of a refused body came.` },
      )
    }
  }

  /** Takes `addedBytes` from the budget when it returns undefined. */
  #refusalOf(sizeAll: number, addedBytes: number): Refusal | undefined {
    if (sizeAll > this.#limits.bodyBytesMax) return 'BODY_TOO_LARGE'
    return this.#budget.take(addedBytes) ? undefined : 'OVERLOADED'
  }
}

function received(
  head: RequestHead,
  body: Uint8Array,
  isLast: boolean,
  refusal: Refusal | undefined,
  budgetBytes: number,
): ReceivedRequest {
  const { method, path, query, headers } = head
  return { method, path, query, headers, body, isLast, refusal, budgetBytes }
}
