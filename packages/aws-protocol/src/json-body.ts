/** A JSON request body: one object, of bounded nesting. Of members with the same name the last one counts. */
import { isUtf8 } from 'node:buffer'
import { AwsProtocolError } from './errors.ts'

/** Nesting of a request. The deepest that QLDB has is 4 (ExecuteStatement, Parameters, one holder). */
export const jsonDepthMax = 32

const quote = 0x22
const backslash = 0x5c
const bracesAndBrackets: Readonly<Record<number, number>> = { 91: 1, 123: 1, 93: -1, 125: -1 }

/**
 * @returns An empty object for an empty body: several operations have none.
 * @throws AwsProtocolError JSON_INVALID, JSON_TOO_DEEP
 */
export function parseJsonBody(body: Uint8Array): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {}
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  // Looked at before it is parsed: 8 MiB of `[` would become objects of many times that size.
  checkDepth(buffer)
  // Decoding would replace what is not UTF-8, and a statement would differ from the one the client hashed.
  if (!isUtf8(buffer)) throw invalid(undefined)
  let value: unknown
  try {
    value = JSON.parse(buffer.toString('utf8'))
  } catch (cause) {
    throw invalid(cause)
  }
  if (!isRecord(value)) throw invalid(undefined)
  return value
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checkDepth(buffer: Buffer): void {
  let depth = 0
  for (let i = 0; i < buffer.length; i++) {
    const byte = buffer[i] as number
    if (byte === quote) {
      i = endOfString(buffer, i)
      if (i < 0) return
    } else if (byte > 90) {
      depth += bracesAndBrackets[byte] ?? 0
      if (depth > jsonDepthMax) {
        throw new AwsProtocolError(
          { code: 'JSON_TOO_DEEP', depthMax: jsonDepthMax },
          { shortMessage: `The request body nests deeper than ${jsonDepthMax} levels.` },
        )
      }
    }
  }
}

/** The index of the quote that closes the string opened at `start`, or -1. Passes long base64 in one call. */
function endOfString(buffer: Buffer, start: number): number {
  let end = buffer.indexOf(quote, start + 1)
  while (end >= 0) {
    let slashCount = 0
    while (buffer[end - 1 - slashCount] === backslash) slashCount++
    if (slashCount % 2 === 0) return end
    end = buffer.indexOf(quote, end + 1)
  }
  return -1
}

function invalid(cause: unknown): AwsProtocolError {
  // The parser's own message quotes the body, which may hold documents; it stays in the cause and out of the message.
  return new AwsProtocolError(
    { code: 'JSON_INVALID' },
    { shortMessage: 'The request body is not a JSON object.', cause },
  )
}
