/**
 * Typed structured data (EIP-712): the hash that `eth_signTypedData_v4` signs. Types are checked against the data; a
 * member that is missing or does not fit its type is an error, never a zero.
 */
import { concatBytes, utf8 } from '@cairn/core'
import { addressFromText } from './address.ts'
import { TypedDataError } from './errors.ts'
import { dataFromHex } from './hex.ts'
import { keccak256 } from './keccak256.ts'
import { numberToFixedBytes } from './rlp-fields.ts'

export interface TypedDataField {
  readonly name: string
  readonly type: string
}

/** As JSON-RPC brings it. */
export interface TypedData {
  readonly types: Readonly<Record<string, readonly TypedDataField[]>>
  readonly primaryType: string
  readonly domain: Readonly<Record<string, unknown>>
  readonly message: Readonly<Record<string, unknown>>
}

/** Structs within structs and lists; deeper data can only aim at the stack. */
const depthMax = 64
/** Of a whole number as text, with room for leading zeros: reading decimals takes longer than their length. */
const digitCountMax = 256
const domainType = 'EIP712Domain'

/** What is signed, and the hashes of its types as far as they were needed. */
interface Signed extends TypedData {
  readonly typeHashes: Map<string, Uint8Array>
}

/** @returns 32 bytes. @throws TypedDataError. */
export function typedDataHash(given: TypedData): Uint8Array {
  const data: Signed = { ...given, typeHashes: new Map() }
  const prefix = Uint8Array.of(0x19, 0x01)
  const domain = hashStruct(data, domainType, data.domain, 'domain', 0)
  if (data.primaryType === domainType) return keccak256(concatBytes(prefix, domain))
  const message = hashStruct(data, data.primaryType, data.message, 'message', 0)
  return keccak256(concatBytes(prefix, domain, message))
}

function hashStruct(
  data: Signed,
  type: string,
  value: unknown,
  path: string,
  depth: number,
): Uint8Array {
  if (depth > depthMax) throw invalid(path, `is nested more than ${depthMax} levels`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(path, `is not an object, as ${type} is`)
  }
  const members = value as Readonly<Record<string, unknown>>
  const words = fieldsOf(data, type, path).map((field) => {
    const memberPath = `${path}.${field.name}`
    if (!Object.hasOwn(members, field.name)) throw invalid(memberPath, 'is missing')
    return encodeValue(data, field.type, members[field.name], memberPath, depth)
  })
  return keccak256(concatBytes(typeHash(data, type, path), ...words))
}

/** Made once for all structs of the type. */
function typeHash(data: Signed, type: string, path: string): Uint8Array {
  let hash = data.typeHashes.get(type)
  if (hash === undefined) {
    hash = keccak256(utf8(encodeType(data, type, path)))
    data.typeHashes.set(type, hash)
  }
  return hash
}

function fieldsOf(data: TypedData, type: string, path: string): readonly TypedDataField[] {
  const fields = Object.hasOwn(data.types, type) ? data.types[type] : undefined
  if (fields === undefined) throw invalid(path, `has the type ${type}, which is not defined`)
  return fields
}

/** The type and all it uses: itself first, the others by name. */
function encodeType(data: TypedData, type: string, path: string): string {
  const used = new Set<string>()
  const waiting = [type]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (used.has(next)) continue
    used.add(next)
    for (const field of fieldsOf(data, next, path)) {
      const [base = ''] = field.type.split('[', 1)
      if (Object.hasOwn(data.types, base)) waiting.push(base)
    }
  }
  used.delete(type)
  return [type, ...[...used].sort()]
    .map((name) => {
      const fields = fieldsOf(data, name, path).map((field) => `${field.type} ${field.name}`)
      return `${name}(${fields.join(',')})`
    })
    .join('')
}

/** The 32 bytes that stand for a member. */
function encodeValue(
  data: Signed,
  type: string,
  value: unknown,
  path: string,
  depth: number,
): Uint8Array {
  const list = /^(.*)\[(\d*)\]$/.exec(type)
  if (list !== null) {
    const [, itemType = '', count = ''] = list
    if (!Array.isArray(value)) throw invalid(path, `is not a list, as ${type} is`)
    if (count !== '' && value.length !== Number(count)) {
      throw invalid(path, `has ${value.length} items in place of ${count}`)
    }
    if (depth >= depthMax) throw invalid(path, `is nested more than ${depthMax} levels`)
    const words = value.map((item, index) => {
      return encodeValue(data, itemType, item, `${path}[${index}]`, depth + 1)
    })
    return keccak256(concatBytes(...words))
  }
  if (Object.hasOwn(data.types, type)) return hashStruct(data, type, value, path, depth + 1)
  return encodeAtom(type, value, path)
}

function encodeAtom(type: string, value: unknown, path: string): Uint8Array {
  if (type === 'string') {
    if (typeof value !== 'string') throw invalid(path, 'is not text')
    return keccak256(utf8(value))
  }
  if (type === 'bytes') return keccak256(bytesOf(value, path))
  if (type === 'bool') {
    if (typeof value !== 'boolean') throw invalid(path, 'is neither true nor false')
    return numberToFixedBytes(value ? 1n : 0n, 32)
  }
  if (type === 'address') return word(addressOf(value, path), 'end')
  const fixed = /^bytes([1-9]|[12]\d|3[0-2])$/.exec(type)
  if (fixed !== null) {
    const bytes = bytesOf(value, path)
    if (bytes.length !== Number(fixed[1])) {
      throw invalid(path, `has ${bytes.length} bytes in place of ${fixed[1]}`)
    }
    return word(bytes, 'start')
  }
  const number = /^(u?)int(\d{0,3})$/.exec(type)
  const bits = number === null ? 0 : Number(number[2] || 256)
  if (number === null || bits === 0 || bits > 256 || bits % 8 !== 0) {
    throw invalid(path, `has the type ${type}, which is not defined`)
  }
  return encodeInteger(value, { isUnsigned: number[1] === 'u', bits }, path)
}

function encodeInteger(
  value: unknown,
  { isUnsigned, bits }: { readonly isUnsigned: boolean; readonly bits: number },
  path: string,
): Uint8Array {
  const number = integerOf(value, path)
  const max = 2n ** BigInt(isUnsigned ? bits : bits - 1) - 1n
  const min = isUnsigned ? 0n : -max - 1n
  if (number < min || number > max) throw invalid(path, `does not fit into ${bits} bits`)
  return numberToFixedBytes(number < 0n ? number + 2n ** 256n : number, 32)
}

function integerOf(value: unknown, path: string): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && value.length > digitCountMax) {
    throw invalid(path, `has more than ${digitCountMax} digits`)
  }
  if (typeof value === 'string' && /^(?:-?\d+|0x[0-9a-f]+)$/i.test(value)) return BigInt(value)
  throw invalid(path, 'is not a whole number')
}

function bytesOf(value: unknown, path: string): Uint8Array {
  try {
    return dataFromHex(typeof value === 'string' ? value : '')
  } catch (cause) {
    throw invalid(path, 'is not hexadecimal behind 0x', cause)
  }
}

function addressOf(value: unknown, path: string): Uint8Array {
  try {
    return addressFromText(typeof value === 'string' ? value : '')
  } catch (cause) {
    throw invalid(path, 'is not an address', cause)
  }
}

function word(bytes: Uint8Array, side: 'start' | 'end'): Uint8Array {
  const padded = new Uint8Array(32)
  padded.set(bytes, side === 'start' ? 0 : 32 - bytes.length)
  return padded
}

function invalid(path: string, reason: string, cause?: unknown): TypedDataError {
  return new TypedDataError(
    { code: 'TYPED_DATA_INVALID', path, reason },
    { shortMessage: `The typed data cannot be signed: ${path} ${reason}.`, cause },
  )
}
