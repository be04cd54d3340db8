/**
 * Recursive length prefix: Ethereum's encoding of nested lists of byte strings (Yellow Paper, appendix B). Strict when
 * reading: one encoding per value, nothing behind it, bounded depth and count. What the bytes mean: rlp-fields.ts.
 */
import { RlpError } from './errors.ts'
import { pooledBytesUnsafe } from './pooled-bytes.ts'

export type RlpItem = Uint8Array | readonly RlpItem[]

export interface RlpLimits {
  /** Lists within lists. */
  readonly depthMax?: number
  readonly bytesMax?: number
  /** Byte strings and lists together. */
  readonly itemCountMax?: number
}

/** An access list in a transaction in a message is 7 deep; deeper nesting can only aim at the reader's stack. */
export const rlpDepthMax = 32
/** More than any message (16 MiB after decompression, devp2p) or block; chain files are read item by item. */
export const rlpBytesMax: number = 64 * 1024 * 1024
/** A message of 10 MiB full of the shortest transactions has 1.2 million items; an object for each is what costs. */
export const rlpItemCountMax: number = 4 * 1024 * 1024

const emptyItem = new Uint8Array(0)

/** @returns bytes that the caller may keep. */
export function encodeRlp(item: RlpItem): Uint8Array {
  // Two passes: sizes of all lists in the order in which they open, then the bytes. Without the notes of the first, a
  // list would be measured once per level above it.
  const listSizes: number[] = []
  const out = new Uint8Array(measure(item, listSizes))
  write(item, out, 0, listSizes, { next: 0 })
  return out
}

/** A type and behind it the RLP of an item (EIP-2718), in bytes that keep some KiB of others in memory. */
export function encodeTypedRlp(type: number, item: RlpItem): Uint8Array {
  const listSizes: number[] = []
  const out = pooledBytesUnsafe(1 + measure(item, listSizes))
  out[0] = type
  write(item, out, 1, listSizes, { next: 0 })
  return out
}

function measure(item: RlpItem, listSizes: number[]): number {
  if (item instanceof Uint8Array) {
    const size = item.length
    if (size === 1 && (item[0] as number) < 0x80) return 1
    return headerSize(size) + size
  }
  const index = listSizes.length
  listSizes.push(0)
  let size = 0
  for (let i = 0; i < item.length; i++) size += measure(item[i] as RlpItem, listSizes)
  listSizes[index] = size
  return headerSize(size) + size
}

function headerSize(payloadSize: number): number {
  if (payloadSize <= 55) return 1
  if (payloadSize <= 0xff) return 2
  if (payloadSize <= 0xffff) return 3
  if (payloadSize <= 0xffffff) return 4
  return 5
}

function write(
  item: RlpItem,
  out: Uint8Array,
  offset: number,
  listSizes: readonly number[],
  cursor: { next: number },
): number {
  if (item instanceof Uint8Array) {
    const size = item.length
    if (size === 1 && (item[0] as number) < 0x80) {
      out[offset] = item[0] as number
      return offset + 1
    }
    const start = writeHeader(out, offset, 0x80, size)
    out.set(item, start)
    return start + size
  }
  let at = writeHeader(out, offset, 0xc0, listSizes[cursor.next++] as number)
  for (let i = 0; i < item.length; i++) {
    at = write(item[i] as RlpItem, out, at, listSizes, cursor)
  }
  return at
}

function writeHeader(out: Uint8Array, offset: number, base: number, size: number): number {
  if (size <= 55) {
    out[offset] = base + size
    return offset + 1
  }
  const lengthSize = headerSize(size) - 1
  out[offset] = base + 55 + lengthSize
  for (let i = 0; i < lengthSize; i++) {
    out[offset + 1 + i] = (size >>> (8 * (lengthSize - 1 - i))) & 0xff
  }
  return offset + 1 + lengthSize
}

/**
 * Reads one item that takes up all of `bytes`.
 * @returns byte strings as views into `bytes`: copy what outlives them, or leave `bytes` alone.
 * @throws RlpError for anything but the one canonical encoding of a value within the limits.
 */
export function decodeRlp(bytes: Uint8Array, limits: RlpLimits = {}): RlpItem {
  const bytesMax = limits.bytesMax ?? rlpBytesMax
  if (bytes.length > bytesMax) {
    throw new RlpError(
      { code: 'RLP_TOO_LARGE', bytes: bytes.length, bytesMax },
      {
        shortMessage: 'The RLP item is larger than what is accepted here.',
        metaMessages: [`${bytes.length} bytes; ${bytesMax} are allowed.`],
      },
    )
  }
  const reader = new RlpReader(
    bytes,
    limits.depthMax ?? rlpDepthMax,
    limits.itemCountMax ?? rlpItemCountMax,
  )
  const item = reader.read(bytes.length, 0)
  if (reader.offset !== bytes.length) {
    throw trailing(reader.offset, bytes.length - reader.offset)
  }
  return item
}

/**
 * The encoded items of a list, each with its header, without looking inside them.
 * @returns views into `bytes`.
 * @throws RlpError when `bytes` is not exactly one list or an item in it is cut off.
 */
export function rlpListItemViews(bytes: Uint8Array): Uint8Array[] {
  const list = readHeader(bytes, 0, bytes.length)
  if (!list.isList) {
    throw new RlpError(
      { code: 'RLP_FIELD', field: 'item', reason: 'bytes in place of a list' },
      { shortMessage: 'The RLP item is a byte string where a list belongs.' },
    )
  }
  if (list.end !== bytes.length) throw trailing(list.end, bytes.length - list.end)
  const views: Uint8Array[] = []
  for (let offset = list.start; offset < list.end; ) {
    if (views.length === rlpItemCountMax) throw tooManyItems(offset, rlpItemCountMax)
    const { end } = readHeader(bytes, offset, list.end)
    views.push(bytes.subarray(offset, end))
    offset = end
  }
  return views
}

/** How an item starts: enough to cut a stream of items, such as a chain file, into items. */
export interface RlpHeader {
  readonly isList: boolean
  /** Of the payload, from the start of the bytes. */
  readonly start: number
  /** First byte behind the item. */
  readonly end: number
}

/** Most bytes that {@link peekRlpHeader} wants to see. */
export const rlpHeaderBytesMax = 5

/**
 * Reads the header of the item that starts at `offset`; its payload need not be there yet.
 * @throws RlpError when the header itself is cut off or not canonical.
 */
export function peekRlpHeader(bytes: Uint8Array, offset: number): RlpHeader {
  return readHeader(bytes, offset, Number.MAX_SAFE_INTEGER)
}

function readHeader(bytes: Uint8Array, offset: number, limit: number): RlpHeader {
  const first = bytes[offset]
  if (first === undefined || offset >= limit) throw truncated(offset, 1, 0)
  if (first < 0x80) return { isList: false, start: offset, end: offset + 1 }
  const isList = first >= 0xc0
  const short = first - (isList ? 0xc0 : 0x80)
  let start = offset + 1
  let size = short
  if (short > 55) {
    start += short - 55
    size = readLength(bytes, offset, short - 55, limit)
  } else if (!isList && size === 1) {
    const only = bytes[start]
    if (only !== undefined && only < 0x80) throw notCanonical(offset)
  }
  const end = start + size
  if (end > limit) throw truncated(offset, end - offset, limit - offset)
  return { isList, start, end }
}

/** A length of more than 55, big-endian. Lengths of more than 4 bytes are beyond every bound, so never there. */
function readLength(bytes: Uint8Array, offset: number, lengthSize: number, limit: number): number {
  const left = Math.min(bytes.length, limit) - offset
  if (left < 1 + lengthSize) throw truncated(offset, 1 + lengthSize, left)
  if (bytes[offset + 1] === 0) throw notCanonical(offset)
  if (lengthSize > 4) throw truncated(offset, Number.MAX_SAFE_INTEGER, left)
  let size = 0
  for (let i = 0; i < lengthSize; i++) size = size * 256 + (bytes[offset + 1 + i] as number)
  if (size <= 55) throw notCanonical(offset)
  return size
}

class RlpReader {
  offset = 0
  private itemCount = 0
  private readonly bytes: Uint8Array
  private readonly depthMax: number
  private readonly itemCountMax: number

  constructor(bytes: Uint8Array, depthMax: number, itemCountMax: number) {
    this.bytes = bytes
    this.depthMax = depthMax
    this.itemCountMax = itemCountMax
  }

  read(limit: number, depth: number): RlpItem {
    const { bytes, offset } = this
    if (++this.itemCount > this.itemCountMax) throw tooManyItems(offset, this.itemCountMax)
    const first = bytes[offset] as number
    if (offset < limit && first < 0x80) {
      this.offset = offset + 1
      return bytes.subarray(offset, offset + 1)
    }
    if (first === 0x80 && offset < limit) {
      this.offset = offset + 1
      return emptyItem
    }
    const { isList, start, end } = readHeader(bytes, offset, limit)
    if (!isList) {
      this.offset = end
      return bytes.subarray(start, end)
    }
    if (depth === this.depthMax) throw tooDeep(offset, this.depthMax)
    const items: RlpItem[] = []
    this.offset = start
    while (this.offset < end) items.push(this.read(end, depth + 1))
    return items
  }
}

function truncated(offset: number, size: number, left: number): RlpError {
  return new RlpError(
    { code: 'RLP_TRUNCATED', offset, size, left },
    {
      shortMessage: 'The RLP bytes end inside an item.',
      metaMessages: [`The item at byte ${offset} wants ${size} bytes, ${left} are there.`],
    },
  )
}

function notCanonical(offset: number): RlpError {
  return new RlpError(
    { code: 'RLP_NOT_CANONICAL', offset },
    {
      shortMessage: 'The RLP item is not encoded in the shortest form.',
      metaMessages: [`The item at byte ${offset} has a shorter encoding, the only one allowed.`],
    },
  )
}

function trailing(offset: number, count: number): RlpError {
  return new RlpError(
    { code: 'RLP_TRAILING_BYTES', offset, count },
    { shortMessage: 'There are bytes behind the RLP item.', metaMessages: [`Bytes: ${count}`] },
  )
}

function tooDeep(offset: number, depthMax: number): RlpError {
  return new RlpError(
    { code: 'RLP_TOO_DEEP', offset, depthMax },
    {
      shortMessage: 'The RLP lists are nested too deeply.',
      metaMessages: [`The list at byte ${offset} is more than ${depthMax} levels down.`],
    },
  )
}

function tooManyItems(offset: number, countMax: number): RlpError {
  return new RlpError(
    { code: 'RLP_TOO_MANY_ITEMS', offset, countMax },
    {
      shortMessage: 'The RLP item holds too many items.',
      metaMessages: [`More than ${countMax} before byte ${offset}.`],
    },
  )
}
