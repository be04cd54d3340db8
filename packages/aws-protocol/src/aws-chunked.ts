/**
 * Bodies in S3's `aws-chunked` encoding with unsigned chunks, and the checksum in their trailer.
 * Source: S3 API reference, "Signature calculations: trailing headers". Not here: signed chunks.
 *
 *   size in hexadecimal CRLF data CRLF … 0 CRLF name:value CRLF … CRLF
 */
import { AwsProtocolError } from './errors.ts'

export interface DecodedChunks {
  readonly body: Uint8Array
  /** Names in lower case. */
  readonly trailers: ReadonlyMap<string, string>
}

const lineLengthMax = 1024
const trailerCountMax = 16
const chunkSizePattern = /^[0-9a-fA-F]{1,8}$/
const trailerPattern = /^([a-z0-9-]+):[ \t]*([!-~]*)[ \t]*$/i

/** @throws AwsProtocolError CHUNKS_INVALID */
export function decodeAwsChunked(bytes: Uint8Array): DecodedChunks {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const parts: Uint8Array[] = []
  let at = 0
  const readLine = (): string => {
    const end = buffer.indexOf('\r\n', at)
    if (end < 0 || end - at > lineLengthMax) throw invalid()
    const line = buffer.toString('latin1', at, end)
    at = end + 2
    return line
  }
  for (;;) {
    const line = readLine()
    if (!chunkSizePattern.test(line)) throw invalid()
    const size = Number.parseInt(line, 16)
    if (size === 0) break
    if (at + size + 2 > buffer.length) throw invalid()
    parts.push(buffer.subarray(at, at + size))
    at += size
    if (readLine() !== '') throw invalid()
  }
  const trailers = new Map<string, string>()
  // The SDK ends the last trailer with one line end or two.
  while (at < buffer.length) {
    const line = readLine()
    if (line === '') continue
    const match = trailerPattern.exec(line)
    if (match === null || trailers.size >= trailerCountMax) throw invalid()
    trailers.set((match[1] as string).toLowerCase(), match[2] as string)
  }
  return { body: Buffer.concat(parts), trailers }
}

function invalid(): AwsProtocolError {
  return new AwsProtocolError(
    { code: 'CHUNKS_INVALID' },
    { shortMessage: 'The body is not what its encoding aws-chunked says.' },
  )
}
