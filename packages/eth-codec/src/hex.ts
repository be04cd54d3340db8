/**
 * Hexadecimal as Ethereum's JSON writes it: quantities without leading zeros, data with an even number of digits, both
 * behind `0x`. Node only: it uses Buffer, which is ten times as fast as a loop.
 */
import { hexOfBytes } from './byte-text.ts'
import { HexError } from './errors.ts'

/** `0x` and two digits a byte. */
export function dataToHex(bytes: Uint8Array): string {
  return `0x${hexOfBytes(bytes)}`
}

/** `0x` and the shortest digits: `0x0`, `0x1`, `0x10`. */
export function quantityToHex(value: bigint | number): string {
  return `0x${value.toString(16)}`
}

/**
 * Reads data: `0x` and an even number of digits, either case.
 * @param bytesSize Exactly so many bytes, when given.
 * @throws HexError otherwise.
 */
export function dataFromHex(text: string, bytesSize?: number): Uint8Array {
  if (!/^0x(?:[0-9a-f]{2})*$/i.test(text)) throw notHex(text, 'data: 0x and two digits a byte')
  return sized(digitsToBytes(text.slice(2)), bytesSize)
}

/**
 * Reads a quantity: `0x` and digits without leading zeros.
 * @throws HexError otherwise.
 */
export function quantityFromHex(text: string): bigint {
  if (!/^0x(?:0|[1-9a-f][0-9a-f]*)$/i.test(text)) {
    throw notHex(text, 'a quantity: 0x and digits without leading zeros')
  }
  return BigInt(text)
}

/** As {@link dataFromHex}, and also without `0x`, as key files and command lines have it. */
export function looseDataFromHex(text: string, bytesSize?: number): Uint8Array {
  return dataFromHex(/^0x/i.test(text) ? `0x${text.slice(2)}` : `0x${text}`, bytesSize)
}

function sized(bytes: Uint8Array, bytesSize: number | undefined): Uint8Array {
  if (bytesSize === undefined || bytes.length === bytesSize) return bytes
  throw new HexError(
    { code: 'HEX_LENGTH', bytes: bytes.length, bytesExpected: bytesSize },
    { shortMessage: `The data has ${bytes.length} bytes in place of ${bytesSize}.` },
  )
}

function digitsToBytes(digits: string): Uint8Array {
  // A copy: Buffer.from cuts short texts out of a shared pool, and what leaves here owns its memory.
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** The text itself stays out of the message: it may be a key that somebody pasted into the wrong field. */
function notHex(text: string, expected: string): HexError {
  return new HexError(
    { code: 'HEX_MALFORMED', expected },
    {
      shortMessage: `The text is not ${expected}.`,
      metaMessages: [`It has ${text.length} characters.`],
    },
  )
}
