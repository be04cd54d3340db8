/**
 * Kinds of parameters: addresses, hashes, data, quantities, blocks. Texts of errors are those of geth's hexutil and
 * rpc.BlockNumber, which reach the client inside `invalid argument N: …`.
 */
import { type Parameter, required } from './method.ts'

export const hashBytesSize = 32
const addressBytesSize = 20
const uint64Max = (1n << 64n) - 1n
const uint256Max = (1n << 256n) - 1n

export type BlockTag = 'latest' | 'earliest' | 'pending' | 'finalized' | 'safe'

/** Which block a call means. */
export type BlockReference =
  | { readonly kind: 'tag'; readonly tag: BlockTag }
  | { readonly kind: 'number'; readonly number: bigint }
  | { readonly kind: 'hash'; readonly hash: Uint8Array; readonly requireCanonical: boolean }

export const latestBlock: BlockReference = { kind: 'tag', tag: 'latest' }

/** @throws Error with geth's reason. */
export function readData(value: unknown, typeName = 'hexutil.Bytes'): Uint8Array {
  const digits = digitsOf(value, typeName)
  if (digits.length % 2 === 1) throw unreadable('hex string of odd length', typeName)
  if (!/^[0-9a-fA-F]*$/.test(digits)) throw unreadable('invalid hex string', typeName)
  const buffer = Buffer.from(digits, 'hex')
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

export function readFixedData(value: unknown, bytesSize: number, typeName: string): Uint8Array {
  const digits = digitsOf(value, typeName)
  if (digits.length !== 2 * bytesSize) {
    const reason = `hex string has length ${digits.length}, want ${2 * bytesSize}`
    throw new Error(`${reason} for ${typeName}`)
  }
  return readData(value, typeName)
}

export const readAddress = (value: unknown): Uint8Array =>
  readFixedData(value, addressBytesSize, 'common.Address')

export const readHash = (value: unknown): Uint8Array =>
  readFixedData(value, hashBytesSize, 'common.Hash')

/** A storage slot: up to 32 bytes, filled up from the left. */
export function readSlot(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw notText(value, 'string')
  const digits = /^0x/i.test(value) ? value.slice(2) : value
  if (!/^[0-9a-fA-F]*$/.test(digits))
    throw new Error('unable to decode storage key: hex string invalid')
  if (digits.length > 2 * hashBytesSize) {
    throw new Error('unable to decode storage key: hex string too long, want at most 32 bytes')
  }
  return Uint8Array.from(Buffer.from(digits.padStart(2 * hashBytesSize, '0'), 'hex'))
}

export function readQuantity(
  value: unknown,
  max: bigint = uint256Max,
  typeName = 'hexutil.Big',
): bigint {
  const digits = digitsOf(value, typeName)
  if (digits === '') throw unreadable('hex string "0x"', typeName)
  if (digits.length > 1 && digits.startsWith('0')) {
    throw unreadable('hex number with leading zero digits', typeName)
  }
  if (!/^[0-9a-fA-F]+$/.test(digits)) throw unreadable('invalid hex string', typeName)
  const quantity = BigInt(`0x${digits}`)
  if (quantity > max) {
    throw unreadable(`hex number > ${max === uint64Max ? 64 : 256} bits`, typeName)
  }
  return quantity
}

export const readUint64 = (value: unknown): bigint =>
  readQuantity(value, uint64Max, 'hexutil.Uint64')

/** Counts come as `0x5` from most clients and as 5 from some. */
export function readCount(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  const count = readUint64(value)
  if (count > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('number is too large')
  return Number(count)
}

const tags: ReadonlySet<string> = new Set(['latest', 'earliest', 'pending', 'finalized', 'safe'])

/** Tag, number, or an object of EIP-1898. */
export function readBlockReference(value: unknown): BlockReference {
  if (typeof value === 'object' && value !== null) return readBlockObject(value)
  if (typeof value !== 'string') throw notText(value, 'string')
  const text = value.trim()
  if (tags.has(text)) return { kind: 'tag', tag: text as BlockTag }
  if (text.length === 2 + 2 * hashBytesSize) {
    return { kind: 'hash', hash: readHash(text), requireCanonical: false }
  }
  return { kind: 'number', number: readBlockNumber(text) }
}

function readBlockNumber(text: string): bigint {
  if (!text.startsWith('0x')) throw new Error('hex string without 0x prefix')
  if (text === '0x') throw new Error('hex string "0x"')
  if (/^0x0./.test(text)) throw new Error('hex number with leading zero digits')
  if (!/^0x[0-9a-fA-F]+$/.test(text)) throw new Error('invalid hex string')
  const number = BigInt(text)
  if (number > uint64Max >> 1n) throw new Error('block number larger than int64')
  return number
}

function readBlockObject(value: object): BlockReference {
  const { blockHash, blockNumber, requireCanonical } = value as Record<string, unknown>
  if (blockHash !== undefined && blockNumber !== undefined) {
    throw new Error('cannot specify both BlockHash and BlockNumber, choose one or the other')
  }
  if (blockHash !== undefined) {
    return { kind: 'hash', hash: readHash(blockHash), requireCanonical: requireCanonical === true }
  }
  if (typeof blockNumber === 'string') return readBlockReference(blockNumber)
  throw new Error('invalid arguments; neither block nor hash specified')
}

export function readObject(value: unknown, typeName: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw new Error(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${typeName}`)
}

function readBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new Error(`json: cannot unmarshal ${kindOf(value)} into Go value of type bool`)
}

function readText(value: unknown): string {
  if (typeof value === 'string') return value
  throw notText(value, 'string')
}

export const parameters: {
  readonly address: Parameter<Uint8Array>
  readonly hash: Parameter<Uint8Array>
  readonly data: Parameter<Uint8Array>
  readonly slot: Parameter<Uint8Array>
  readonly quantity: Parameter<bigint>
  readonly uint64: Parameter<bigint>
  readonly count: Parameter<number>
  readonly block: Parameter<BlockReference>
  readonly boolean: Parameter<boolean>
  readonly text: Parameter<string>
  readonly any: Parameter<unknown>
} = {
  address: required(readAddress),
  hash: required(readHash),
  data: required((value) => readData(value)),
  slot: required(readSlot),
  quantity: required((value) => readQuantity(value)),
  uint64: required(readUint64),
  count: required(readCount),
  block: required(readBlockReference),
  boolean: required(readBoolean),
  text: required(readText),
  any: required((value) => value),
}

function digitsOf(value: unknown, typeName: string): string {
  if (typeof value !== 'string') throw notText(value, typeName)
  if (value === '') throw unreadable('empty hex string', typeName)
  if (!/^0x/i.test(value)) throw unreadable('hex string without 0x prefix', typeName)
  return value.slice(2)
}

function unreadable(reason: string, typeName: string): Error {
  return new Error(`json: cannot unmarshal ${reason} into Go value of type ${typeName}`)
}

function notText(value: unknown, typeName: string): Error {
  const what = kindOf(value) === 'string' ? 'string' : `non-string`
  return new Error(`json: cannot unmarshal ${what} into Go value of type ${typeName}`)
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
