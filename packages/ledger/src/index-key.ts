/**
 * Index keys: values that are equal by PartiQL have equal keys, so an index finds all that are equal. The reverse does
 * not hold (long texts are cut, containers keep only their length): whoever reads an index tests the predicate again.
 * Keys of numbers, times and texts keep their order, which keeps neighbours together in the B-tree.
 */
import { SlabAllocator, sha256 } from '@cairn/core'
import { type IonDecimal, type IonValue, timestampToMs } from '@cairn/ion'

const tagBool = 0x10
const tagNumber = 0x20
const tagTimestamp = 0x30
const tagText = 0x40
const tagLob = 0x50
const tagSequence = 0x60
const tagStruct = 0x70

/** Text and lobs keep this much and a hash of the whole; LMDB takes keys of up to 1,978 bytes. */
const keptBytesMax = 64
const hashedBytesSize = 8

/** The key of `value`, or undefined for nulls, which equal nothing. */
export function indexKey(value: IonValue): Uint8Array | undefined {
  switch (value.type) {
    case 'null':
      return undefined
    case 'bool':
      return new Uint8Array([tagBool, value.value ? 1 : 0])
    case 'int':
      return numberKey(tagNumber, Number(value.value))
    case 'float':
      return numberKey(tagNumber, value.value)
    case 'decimal':
      return numberKey(tagNumber, decimalToNumber(value))
    case 'timestamp':
      return numberKey(tagTimestamp, timestampToMs(value))
    case 'string':
      return bytesKey(tagText, Buffer.from(value.value, 'utf8'))
    case 'symbol':
      return bytesKey(
        tagText,
        typeof value.text === 'string' ? Buffer.from(value.text, 'utf8') : new Uint8Array(0),
      )
    case 'clob':
    case 'blob':
      return bytesKey(tagLob, value.value)
    case 'list':
    case 'sexp':
      return numberKey(tagSequence, value.values.length)
    case 'struct':
      return numberKey(tagStruct, value.fields.length)
  }
}

/** Correctly rounded: equal decimals of different precision have one nearest double. */
function decimalToNumber(value: IonDecimal): number {
  return Number(`${value.coefficient}e${value.exponent}`)
}

// Where the key of a number is made: a buffer and a view for each would cost several times as much as the key.
const numberBytes = new Uint8Array(9)
const numberView = new DataView(numberBytes.buffer)
const slabs = new SlabAllocator()

/** The bits of a double as an unsigned number that sorts as the doubles do. */
function numberKey(tag: number, value: number): Uint8Array {
  const view = numberView
  view.setFloat64(1, value === 0 ? 0 : value)
  const high = view.getUint32(1)
  if (high >>> 31 === 1) {
    view.setUint32(1, ~high >>> 0)
    view.setUint32(5, ~view.getUint32(5) >>> 0)
  } else {
    view.setUint32(1, (high | 0x8000_0000) >>> 0)
  }
  view.setUint8(0, tag)
  const out = slabs.allocate(numberBytes.length)
  for (let i = 0; i < numberBytes.length; i++) out[i] = numberBytes[i] as number
  return out
}

function bytesKey(tag: number, bytes: Uint8Array): Uint8Array {
  const isCut = bytes.length > keptBytesMax
  const out = new Uint8Array(isCut ? 1 + keptBytesMax + hashedBytesSize : 1 + bytes.length)
  out[0] = tag
  out.set(isCut ? bytes.subarray(0, keptBytesMax) : bytes, 1)
  if (isCut) out.set(sha256(bytes).subarray(0, hashedBytesSize), 1 + keptBytesMax)
  return out
}
