/**
 * Values of contracts as bytes, as calls, answers and events carry them. Spec: Solidity, "Contract ABI Specification",
 * strict encoding mode. Not here: fixed-point numbers, packed encoding, what people type for a value.
 */
import { concatBytes, fromUtf8, utf8 } from '@cairn/core'
import { AbiError } from './errors.ts'
import { keccak256 } from './keccak256.ts'

/** A parameter as the compiler's JSON has it. */
export interface AbiParameter {
  readonly name?: string
  readonly type: string
  /** Of a tuple. */
  readonly components?: readonly AbiParameter[]
}

export type AbiType =
  | { readonly kind: 'uint' | 'int'; readonly bits: number }
  | { readonly kind: 'address' | 'bool' | 'bytes' | 'string' }
  | { readonly kind: 'fixedBytes'; readonly size: number }
  /** `count` undefined: as many as there are. */
  | { readonly kind: 'array'; readonly item: AbiType; readonly count: number | undefined }
  | { readonly kind: 'tuple'; readonly fields: readonly AbiField[] }

export interface AbiField {
  readonly name: string
  readonly type: AbiType
}

/** Integers are bigints; an address is 20 bytes; a tuple is the array of its fields. */
export type AbiValue = bigint | boolean | string | Uint8Array | readonly AbiValue[]

const wordSize = 32
const selectorSize = 4
/** Arrays and tuples within each other, and offsets within offsets: more than anybody declares. */
const levelMax = 32
/** Of one answer: where offsets point at the same bytes, few of these would make many values. */
const valueCountMax = 1 << 18

const elementary = /^(?:(uint|int)(\d*)|bytes(\d+)|(address|bool|bytes|string|function))$/
const array = /^(.*)\[(\d*)\]$/

/** @throws AbiError ABI_TYPE */
export function parseAbiType({ type, components }: AbiParameter, level = 0): AbiType {
  if (level > levelMax) throw unknownType(type)
  const [, itemType, countText] = array.exec(type) ?? []
  if (itemType !== undefined) {
    const item = parseAbiType({ type: itemType, ...(components && { components }) }, level + 1)
    const count = countText === '' ? undefined : Number(countText)
    if (count !== undefined && count > valueCountMax) throw unknownType(type)
    return { kind: 'array', item, count }
  }
  if (type === 'tuple')
    return { kind: 'tuple', fields: parseAbiFields(components ?? [], level + 1) }
  const [, integer, bitsText, sizeText, name] = elementary.exec(type) ?? []
  if (integer === 'uint' || integer === 'int') {
    const bits = bitsText === '' ? 256 : Number(bitsText)
    if (bits % 8 === 0 && bits > 0 && bits <= 256) return { kind: integer, bits }
  } else if (sizeText !== undefined) {
    const size = Number(sizeText)
    if (size > 0 && size <= wordSize) return { kind: 'fixedBytes', size }
  } else if (name === 'function') {
    // An address and a selector.
    return { kind: 'fixedBytes', size: 24 }
  } else if (name !== undefined) {
    return { kind: name as 'address' | 'bool' | 'bytes' | 'string' }
  }
  throw unknownType(type)
}

/** @throws AbiError ABI_TYPE */
export function parseAbiFields(parameters: readonly AbiParameter[], level = 0): AbiField[] {
  return parameters.map((each) => ({ name: each.name ?? '', type: parseAbiType(each, level) }))
}

/** As `transfer(address,uint256)`: what selectors and topics are hashes of. */
export function abiSignature(name: string, inputs: readonly AbiParameter[]): string {
  return `${name}(${inputs.map(canonicalType).join(',')})`
}

function canonicalType(parameter: AbiParameter): string {
  const { type, components = [] } = parameter
  parseAbiType(parameter)
  if (type.startsWith('tuple')) {
    return `(${components.map(canonicalType).join(',')})${type.slice('tuple'.length)}`
  }
  return type.replace(/^(u?int)(?=$|\[)/, '$1256')
}

/** The first four bytes of a call. */
export function abiSelector(signature: string): Uint8Array {
  return keccak256(utf8(signature)).slice(0, selectorSize)
}

/** @throws AbiError ABI_VALUE when they do not fit */
export function encodeAbi(fields: readonly AbiField[], values: readonly AbiValue[]): Uint8Array {
  return encodeFields(fields, values, '')
}

/** Heads one behind the other; what has no fixed size lies behind them all, its offset in its head. */
function encodeFields(
  fields: readonly AbiField[],
  values: readonly AbiValue[],
  path: string,
): Uint8Array {
  if (fields.length !== values.length) {
    throw wrongValue(path, `${fields.length} values are needed, ${values.length} are given`)
  }
  const heads: Uint8Array[] = []
  const tails: Uint8Array[] = []
  let offset = fields.reduce((sum, { type }) => sum + headSize(type), 0)
  for (const [index, { name, type }] of fields.entries()) {
    const at = `${path}${path === '' ? '' : '.'}${name === '' ? index : name}`
    const bytes = encodeValue(type, values[index] as AbiValue, at)
    if (!isDynamic(type)) {
      heads.push(bytes)
      continue
    }
    heads.push(numberWord(BigInt(offset)))
    tails.push(bytes)
    offset += bytes.length
  }
  return concatBytes(...heads, ...tails)
}

function encodeValue(type: AbiType, value: AbiValue, path: string): Uint8Array {
  switch (type.kind) {
    case 'uint':
    case 'int': {
      const isSigned = type.kind === 'int'
      if (typeof value !== 'bigint') throw wrongValue(path, 'an integer is needed')
      const wrapped = isSigned ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value)
      if (wrapped !== value)
        throw wrongValue(path, `${value} does not fit ${type.kind}${type.bits}`)
      return numberWord(BigInt.asUintN(256, value))
    }
    case 'bool':
      if (typeof value !== 'boolean') throw wrongValue(path, 'true or false is needed')
      return numberWord(value ? 1n : 0n)
    case 'address': {
      const word = new Uint8Array(wordSize)
      word.set(bytesOf(value, 20, path), wordSize - 20)
      return word
    }
    case 'fixedBytes':
      return padded(bytesOf(value, type.size, path))
    case 'bytes': {
      const bytes = bytesOf(value, undefined, path)
      return concatBytes(numberWord(BigInt(bytes.length)), padded(bytes))
    }
    case 'string': {
      if (typeof value !== 'string') throw wrongValue(path, 'a text is needed')
      const bytes = utf8(value)
      return concatBytes(numberWord(BigInt(bytes.length)), padded(bytes))
    }
    case 'array': {
      const items = arrayOf(value, path)
      const { item, count } = type
      if (count !== undefined && items.length !== count) {
        throw wrongValue(path, `${count} items are needed, ${items.length} are given`)
      }
      const fields = items.map(() => ({ name: '', type: item }))
      const bytes = encodeFields(fields, items, path)
      return count === undefined ? concatBytes(numberWord(BigInt(items.length)), bytes) : bytes
    }
    case 'tuple':
      return encodeFields(type.fields, arrayOf(value, path), path)
  }
}

function arrayOf(value: AbiValue, path: string): readonly AbiValue[] {
  if (Array.isArray(value)) return value
  throw wrongValue(path, 'an array is needed')
}

function bytesOf(value: AbiValue, size: number | undefined, path: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrongValue(path, 'bytes are needed')
  if (size !== undefined && value.length !== size) {
    throw wrongValue(path, `${size} bytes are needed, ${value.length} are given`)
  }
  return value
}

function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % wordSize
  return rest === 0 ? bytes : concatBytes(bytes, new Uint8Array(wordSize - rest))
}

function numberWord(value: bigint): Uint8Array {
  const word = new Uint8Array(wordSize)
  const view = new DataView(word.buffer)
  for (let at = wordSize - 8, left = value; at >= 0; at -= 8, left >>= 64n) {
    view.setBigUint64(at, left & 0xffffffffffffffffn)
  }
  return word
}

function isDynamic(type: AbiType): boolean {
  switch (type.kind) {
    case 'bytes':
    case 'string':
      return true
    case 'array':
      return type.count === undefined || isDynamic(type.item)
    case 'tuple':
      return type.fields.some((field) => isDynamic(field.type))
    default:
      return false
  }
}

function headSize(type: AbiType): number {
  if (isDynamic(type)) return wordSize
  switch (type.kind) {
    case 'array':
      return (type.count ?? 0) * headSize(type.item)
    case 'tuple':
      return type.fields.reduce((sum, field) => sum + headSize(field.type), 0)
    default:
      return wordSize
  }
}

/**
 * Bytes behind the values are ignored, as Solidity does. @returns bytes that are copies.
 * @throws AbiError ABI_DATA when the bytes hold no such values
 */
export function decodeAbi(fields: readonly AbiField[], bytes: Uint8Array): AbiValue[] {
  return new Reader(bytes).fields(fields, 0)
}

class Reader {
  readonly #bytes: Uint8Array
  #valueCount = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** @param start Where offsets count from. */
  fields(fields: readonly AbiField[], start: number): AbiValue[] {
    let at = start
    return fields.map(({ type }) => {
      const position = isDynamic(type) ? start + this.#size(at) : at
      at += headSize(type)
      return this.#value(type, position)
    })
  }

  #value(type: AbiType, at: number): AbiValue {
    if (++this.#valueCount > valueCountMax) throw wrongData(at, 'there are too many values')
    switch (type.kind) {
      case 'uint':
      case 'int': {
        const word = this.#number(at)
        const value = type.kind === 'int' ? BigInt.asIntN(256, word) : word
        const { bits } = type
        const fitting =
          type.kind === 'int' ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
        if (fitting !== value) throw wrongData(at, `the number does not fit ${type.kind}${bits}`)
        return value
      }
      case 'bool': {
        const word = this.#number(at)
        if (word > 1n) throw wrongData(at, 'a truth value is neither 0 nor 1')
        return word === 1n
      }
      case 'address':
        if (this.#number(at) >> 160n !== 0n) throw wrongData(at, 'an address has too many bytes')
        return this.#slice(at + wordSize - 20, 20)
      case 'fixedBytes': {
        const word = this.#slice(at, wordSize)
        if (word.subarray(type.size).some((byte) => byte !== 0)) {
          throw wrongData(at, `there are more than ${type.size} bytes`)
        }
        return word.slice(0, type.size)
      }
      case 'bytes':
        return this.#slice(at + wordSize, this.#size(at))
      case 'string':
        return this.#text(at + wordSize, this.#size(at))
      case 'array': {
        const { item, count = this.#size(at) } = type
        const start = type.count === undefined ? at + wordSize : at
        // No more items than could be there; those without any bytes are counted as values.
        const countMax = Math.floor((this.#bytes.length - start) / Math.max(1, headSize(item)))
        if (count > countMax) throw wrongData(at, `${count} items are not there`)
        return this.fields(new Array<AbiField>(count).fill({ name: '', type: item }), start)
      }
      case 'tuple':
        return this.fields(type.fields, at)
    }
  }

  /** A size or an offset. */
  #size(at: number): number {
    const value = this.#number(at)
    if (value > BigInt(this.#bytes.length)) throw wrongData(at, 'it points behind the end')
    return Number(value)
  }

  #number(at: number): bigint {
    const word = this.#slice(at, wordSize)
    const view = new DataView(word.buffer, word.byteOffset)
    let value = 0n
    for (let i = 0; i < wordSize; i += 8) value = (value << 64n) | view.getBigUint64(i)
    return value
  }

  #text(start: number, size: number): string {
    const bytes = this.#slice(start, size)
    try {
      return fromUtf8(bytes)
    } catch {
      throw wrongData(start, 'the text is no UTF-8')
    }
  }

  #slice(start: number, size: number): Uint8Array {
    const end = start + size
    if (end > this.#bytes.length) throw wrongData(start, 'the bytes end before')
    return Uint8Array.from(this.#bytes.subarray(start, end))
  }
}

function unknownType(type: string): AbiError {
  return new AbiError(
    { code: 'ABI_TYPE', type },
    { shortMessage: `There is no type '${type}' in the ABI of contracts.` },
  )
}

function wrongValue(path: string, reason: string): AbiError {
  return new AbiError(
    { code: 'ABI_VALUE', path, reason },
    { shortMessage: path === '' ? `${reason}.` : `Argument ${path}: ${reason}.` },
  )
}

function wrongData(offset: number, reason: string): AbiError {
  return new AbiError(
    { code: 'ABI_DATA', offset, reason },
    {
      shortMessage: 'The bytes are not what the ABI of the contract says.',
      metaMessages: [`At byte ${offset}: ${reason}`],
    },
  )
}
