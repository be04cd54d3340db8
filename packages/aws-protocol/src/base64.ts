/** RFC 4648 base64 on Node's native codec, made strict: Buffer alone skips what it does not know. */
import { AwsProtocolError } from './errors.ts'

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/**
 * Padded, standard alphabet, no white space, unused bits zero.
 * @throws AwsProtocolError BASE64_INVALID
 */
export function decodeBase64(text: string): Uint8Array {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = Buffer.from(text, 'base64')
  // A character that Buffer skips makes the result shorter; the URL-safe two it takes for `+` and `/`, and the unused
  // bits it drops, show when the last group is written again. Of a character beyond Latin-1 it takes the low byte.
  const isStrict =
    text.length % 4 === 0 &&
    bytes.length === (text.length / 4) * 3 - padding &&
    !text.includes('-') &&
    !text.includes('_') &&
    Buffer.byteLength(text) === text.length &&
    (padding === 0 || text.endsWith(bytes.subarray(bytes.length + padding - 3).toString('base64')))
  if (!isStrict) {
    throw new AwsProtocolError(
      { code: 'BASE64_INVALID' },
      { shortMessage: 'The text is not base64 with padding (RFC 4648, section 4).' },
    )
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
