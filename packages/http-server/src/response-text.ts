/** An answer as the text that goes on the wire: head and body in one piece, for one write; bytes follow as they are. */
import { STATUS_CODES } from 'node:http'
import { assert } from '@cairn/core'
import type { HttpResponse } from './message.ts'

export interface ResponseText {
  readonly text: string
  /** Latin-1 where the text is ASCII: its bytes are copied as they are. */
  readonly encoding: 'latin1' | 'utf8'
  /** Goes out behind the text. */
  readonly bytes?: Uint8Array
}

// A line end in a value would begin a line of its own: response splitting.
const headerValuePattern = /^[\t -~]*$/
const statusLines = new Map<number, string>(
  Object.entries(STATUS_CODES).map(([status, reason]) => [
    Number(status),
    `HTTP/1.1 ${status} ${reason}\r\n`,
  ]),
)

/**
 * @param dateLine By `Date` AWS SDKs set their clocks right when a signature was refused.
 * @param isHead An answer to HEAD has all headers and no body.
 * @param isLast Tells the client that the connection ends.
 */
export function formatResponse(
  { status, headers, body }: HttpResponse,
  dateLine: string,
  isHead: boolean,
  isLast: boolean,
): ResponseText {
  let head = statusLines.get(status)
  assert(head !== undefined, 'a status has a reason phrase')
  for (const name in headers) {
    const value = headers[name] as string
    assert(headerValuePattern.test(value), 'a header value is one line of ASCII')
    head += `${name}: ${value}\r\n`
  }
  head += dateLine
  if (isLast) head += 'connection: close\r\n'
  // RFC 9110, 8.6: neither has a body, nor a length of one.
  if (status === 204 || status === 304) return { text: `${head}\r\n`, encoding: 'latin1' }
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  head += `content-length: ${bytes}\r\n\r\n`
  if (isHead) return { text: head, encoding: 'latin1' }
  if (typeof body !== 'string') return { text: head, encoding: 'latin1', bytes: body }
  return { text: head + body, encoding: bytes === body.length ? 'latin1' : 'utf8' }
}

/** The `Date` line of answers. Made once in a second. */
export function createDateLine(): (nowMs: number) => string {
  let second = -1
  let line = ''
  return (nowMs) => {
    const newSecond = Math.floor(nowMs / 1000)
    if (newSecond !== second) {
      second = newSecond
      line = `date: ${new Date(second * 1000).toUTCString()}\r\n`
    }
    return line
  }
}
