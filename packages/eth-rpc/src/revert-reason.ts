/** Reasons in what a contract reverts with: Error(string) and Panic(uint256) of Solidity, as geth unpacks them. */
import { fromUtf8 } from '@cairn/core'

const errorSelector = 0x08c379a0
const panicSelector = 0x4e487b71
const wordBytesSize = 32
const selectorBytesSize = 4

/** Source: Solidity documentation, "Panic via assert and error via require"; texts of go-ethereum, accounts/abi. */
const panics: Readonly<Record<number, string>> = {
  0: 'generic panic',
  1: 'assert(false)',
  17: 'arithmetic underflow or overflow',
  18: 'division or modulo by zero',
  33: 'enum overflow',
  34: 'invalid encoded storage byte array accessed',
  49: 'out-of-bounds array access; popping on an empty array',
  50: 'out-of-bounds access of an array or bytesN',
  65: 'out of memory',
  81: 'uninitialized function',
}

/** @returns undefined when there is none, as with custom errors. */
export function revertReason(data: Uint8Array): string | undefined {
  if (data.length < selectorBytesSize) return undefined
  const selector = new DataView(data.buffer, data.byteOffset).getUint32(0)
  const body = data.subarray(selectorBytesSize)
  if (selector === errorSelector) return readString(body)
  if (selector === panicSelector) return panicText(smallWord(body, 0))
  return undefined
}

function readString(body: Uint8Array): string | undefined {
  const offset = smallWord(body, 0)
  const size = offset === undefined ? undefined : smallWord(body, offset)
  if (offset === undefined || size === undefined) return undefined
  const start = offset + wordBytesSize
  return start + size <= body.length ? fromUtf8(body.subarray(start, start + size)) : undefined
}

function panicText(code: number | undefined): string | undefined {
  if (code === undefined) return undefined
  return panics[code] ?? `unknown panic code: 0x${code.toString(16)}`
}

/** A word that is small enough to be an offset or a size. */
function smallWord(body: Uint8Array, offset: number): number | undefined {
  const end = offset + wordBytesSize
  if (end > body.length) return undefined
  const isSmall = body.subarray(offset, end - 4).every((byte) => byte === 0)
  return isSmall ? new DataView(body.buffer, body.byteOffset).getUint32(end - 4) : undefined
}
