/**
 * Canonical bytes of trust 2.2: revision leaf, block header, block entry. One value has one encoding and the decoders
 * refuse any other. Whether hashes in them are true is for the verifier; here only the form counts.
 *
 *   revision leaf  "cairn/rev/1\n"   kind:u8  s8(tableId)  hash:32 {1,2}
 *   header         "cairn/block/1\n" s8(strandId) sequenceNo:u64 s8(transactionId) s8(blockTimestamp)
 *                  s8(previousBlockHash) count:u16 { role:u8 hash:32 }* revisionCount:u32 revisionsTree:32
 *   entry          header form:u8 blockHash:32
 */
import { assert, fromUtf8, hashBytesSize, utf8 } from '@cairn/core'
import { CanonicalBytesError, type CanonicalBytesErrorType } from './errors.ts'

/** Largest entry: its length is a u16 in a tile of entries (C2SP tlog-tiles). */
export const blockEntryBytesMax = 65_535

const headerMagic = utf8('cairn/block/1\n')
const leafMagic = utf8('cairn/rev/1\n')
const textBytesMax = 255
const itemBytesSize = 1 + hashBytesSize
const entryTailBytesSize = 1 + hashBytesSize
const two32 = 0x1_0000_0000
const u32Max = two32 - 1

export type RevisionLeafKind = 'data' | 'deletion' | 'hashOnly'

export interface RevisionLeaf {
  readonly kind: RevisionLeafKind
  /** Empty where unknown, which only imports are. */
  readonly tableId: string
  /** data: H(metadata) and H(data). deletion: H(metadata). hashOnly: the revision's hash, all that is known of it. */
  readonly hashes: readonly Uint8Array[]
}

/** What a hash in `entriesHashList` stands for; `opaque` where nothing recomputes it. */
export type BlockItemRole =
  | 'opaque'
  | 'transactionInfo'
  | 'revisionsRoot'
  | 'redactionInfo'
  | 'catalogInfo'

export interface BlockItem {
  readonly role: BlockItemRole
  readonly hash: Uint8Array
}

export interface BlockHeader {
  readonly strandId: string
  readonly sequenceNo: number
  readonly transactionId: string
  /** Ion text, with the digits and the offset that the block has. */
  readonly blockTimestamp: string
  /** 32 bytes, or none before the first block. */
  readonly previousBlockHash: Uint8Array
  /** `entriesHashList` in its order, without the header's own hash. */
  readonly items: readonly BlockItem[]
  readonly revisionCount: number
  /** Root of the tlog tree over the leaves of the block's revisions. */
  readonly revisionsTree: Uint8Array
}

/** `native`: the header's hash is the last item of the list. `imported`: made by QLDB, where it is not. */
export type BlockEntryForm = 'native' | 'imported'

export interface BlockEntry {
  /** The encoded header. */
  readonly header: Uint8Array
  readonly form: BlockEntryForm
  readonly blockHash: Uint8Array
}

export interface DecodedBlockEntry extends BlockEntry {
  /** What `header` says. */
  readonly block: BlockHeader
}

// Index = the byte that stands for it. Kinds and forms leave out what is not in use.
const kinds: readonly (RevisionLeafKind | undefined)[] = [undefined, 'data', 'deletion', 'hashOnly']
const forms: readonly BlockEntryForm[] = ['imported', 'native']
const roles: readonly BlockItemRole[] = [
  'opaque',
  'transactionInfo',
  'revisionsRoot',
  'redactionInfo',
  'catalogInfo',
]

/** Longest revision leaf. */
export const revisionLeafBytesMax: number = leafMagic.length + 2 + textBytesMax + 2 * hashBytesSize

/** @throws CanonicalBytesError TEXT_MALFORMED */
export function encodeRevisionLeaf(leaf: RevisionLeaf): Uint8Array {
  const { kind, tableId, hashes } = leaf
  assert(hashes.length === (kind === 'data' ? 2 : 1), 'a revision leaf has the hashes of its kind')
  const out = new Uint8Array(revisionLeafBytesMax)
  const size = writeRevisionLeaf(out, 0, kind, tableId, hashes[0] as Uint8Array, hashes[1])
  return out.slice(0, size)
}

/**
 * Writes a revision leaf where there is room for the longest; answers the offset behind it.
 * @param dataHash For the kind `data` and no other.
 * @throws CanonicalBytesError TEXT_MALFORMED
 */
export function writeRevisionLeaf(
  out: Uint8Array,
  start: number,
  kind: RevisionLeafKind,
  tableId: string,
  hash: Uint8Array,
  dataHash: Uint8Array | undefined,
): number {
  assert((dataHash !== undefined) === (kind === 'data'), 'a revision with data has its hash')
  textSize(tableId, 'tableId')
  out.set(leafMagic, start)
  let offset = start + leafMagic.length
  out[offset++] = kinds.indexOf(kind)
  offset = writeText(out, offset, tableId)
  offset = writeHash(out, offset, hash)
  return dataHash === undefined ? offset : writeHash(out, offset, dataHash)
}

/** @throws CanonicalBytesError TEXT_MALFORMED, LENGTH_WRONG, NUMBER_TOO_LARGE, ENTRY_TOO_LARGE */
export function encodeBlockHeader(header: BlockHeader): Uint8Array {
  const out = new Uint8Array(blockHeaderSize(header))
  writeBlockHeader(out, 0, header)
  return out
}

/**
 * Bytes of the header, which is checked here.
 * @throws CanonicalBytesError TEXT_MALFORMED, LENGTH_WRONG, NUMBER_TOO_LARGE, ENTRY_TOO_LARGE
 */
function blockHeaderSize(header: BlockHeader): number {
  const { sequenceNo, previousBlockHash } = header
  assert(Number.isSafeInteger(sequenceNo) && sequenceNo >= 0, 'a sequence number is a count')
  checkPreviousBlockHash(previousBlockHash.length, sequenceNo)
  if (header.revisionCount > u32Max) throw numberTooLarge('revisionCount', u32Max)
  const textsSize =
    3 +
    textSize(header.strandId, 'strandId') +
    textSize(header.transactionId, 'transactionId') +
    textSize(header.blockTimestamp, 'blockTimestamp')
  const size =
    headerMagic.length +
    textsSize +
    (8 + 1 + previousBlockHash.length) +
    (2 + header.items.length * itemBytesSize) +
    (4 + hashBytesSize)
  checkEntrySize(size + entryTailBytesSize)
  return size
}

/** Writes a header where there is room for it. @returns the offset behind it. @throws as `encodeBlockHeader` */
export function writeBlockHeader(out: Uint8Array, start: number, header: BlockHeader): number {
  const size = blockHeaderSize(header)
  const { sequenceNo, previousBlockHash, items } = header
  out.set(headerMagic, start)
  let offset = writeText(out, start + headerMagic.length, header.strandId)
  offset = writeU32(out, offset, Math.floor(sequenceNo / two32))
  offset = writeU32(out, offset, sequenceNo % two32)
  offset = writeText(out, offset, header.transactionId)
  offset = writeText(out, offset, header.blockTimestamp)
  out[offset++] = previousBlockHash.length
  out.set(previousBlockHash, offset)
  offset += previousBlockHash.length
  out[offset++] = items.length >> 8
  out[offset++] = items.length & 255
  for (const item of items) {
    out[offset++] = roles.indexOf(item.role)
    offset = writeHash(out, offset, item.hash)
  }
  offset = writeU32(out, offset, header.revisionCount)
  offset = writeHash(out, offset, header.revisionsTree)
  assert(offset === start + size, 'a header fills the bytes made for it')
  return offset
}

/** @throws CanonicalBytesError ENTRY_TOO_LARGE */
export function encodeBlockEntry(entry: BlockEntry): Uint8Array {
  const { header, form, blockHash } = entry
  const size = header.length + entryTailBytesSize
  checkEntrySize(size)
  const out = new Uint8Array(size)
  out.set(header, 0)
  writeEntryTail(out, header.length, form, blockHash)
  return out
}

/** Writes what follows the header in an entry; answers the offset behind it. */
export function writeEntryTail(
  out: Uint8Array,
  start: number,
  form: BlockEntryForm,
  blockHash: Uint8Array,
): number {
  out[start] = forms.indexOf(form)
  return writeHash(out, start + 1, blockHash)
}

/** The result holds copies and may be kept. @throws CanonicalBytesError */
export function decodeRevisionLeaf(bytes: Uint8Array): RevisionLeaf {
  const reader = new Reader(bytes)
  reader.magic(leafMagic, 'cairn/rev/1')
  const kindTag = reader.u8('kind')
  const kind = kinds[kindTag]
  if (kind === undefined) throw tagUnknown('kind', kindTag)
  const tableId = reader.text('tableId')
  const hashes = [reader.hash('hashes')]
  if (kind === 'data') hashes.push(reader.hash('hashes'))
  reader.end()
  return { kind, tableId, hashes }
}

/** The result holds copies and may be kept. @throws CanonicalBytesError */
export function decodeBlockHeader(bytes: Uint8Array): BlockHeader {
  const reader = new Reader(bytes)
  const header = readHeader(reader)
  reader.end()
  return header
}

/** The result holds copies and may be kept. @throws CanonicalBytesError */
export function decodeBlockEntry(bytes: Uint8Array): DecodedBlockEntry {
  checkEntrySize(bytes.length)
  const reader = new Reader(bytes)
  const block = readHeader(reader)
  const header = bytes.slice(0, reader.offset)
  const formTag = reader.u8('form')
  const form = forms[formTag]
  if (form === undefined) throw tagUnknown('form', formTag)
  const blockHash = reader.hash('blockHash')
  reader.end()
  return { header, form, blockHash, block }
}

function readHeader(reader: Reader): BlockHeader {
  reader.magic(headerMagic, 'cairn/block/1')
  const strandId = reader.text('strandId')
  const sequenceNo = reader.u64('sequenceNo')
  const transactionId = reader.text('transactionId')
  const blockTimestamp = reader.text('blockTimestamp')
  const previousSize = reader.u8('previousBlockHash')
  checkPreviousBlockHash(previousSize, sequenceNo)
  const previousBlockHash = reader.bytes(previousSize, 'previousBlockHash')
  const itemCount = reader.u16('items')
  const items: BlockItem[] = []
  for (let i = 0; i < itemCount; i++) {
    const roleTag = reader.u8('role')
    const role = roles[roleTag]
    if (role === undefined) throw tagUnknown('role', roleTag)
    items.push({ role, hash: reader.hash('items') })
  }
  const revisionCount = reader.u32('revisionCount')
  const revisionsTree = reader.hash('revisionsTree')
  return {
    strandId,
    sequenceNo,
    transactionId,
    blockTimestamp,
    previousBlockHash,
    items,
    revisionCount,
    revisionsTree,
  }
}

class Reader {
  readonly #bytes: Uint8Array
  offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  #take(size: number, part: string): number {
    const start = this.offset
    if (start + size > this.#bytes.length) {
      throw canonicalError(
        { code: 'BYTES_TRUNCATED', part, size: this.#bytes.length },
        `The bytes end after ${this.#bytes.length}, inside ${part}.`,
      )
    }
    this.offset = start + size
    return start
  }

  magic(magic: Uint8Array, expected: string): void {
    const isLongEnough = this.#bytes.length >= magic.length
    if (isLongEnough && magic.every((byte, i) => byte === this.#bytes[i])) {
      this.offset = magic.length
      return
    }
    throw canonicalError(
      { code: 'VERSION_UNKNOWN', expected },
      `The bytes do not begin with the mark ${expected}.`,
    )
  }

  u8(part: string): number {
    return this.#bytes[this.#take(1, part)] as number
  }

  u16(part: string): number {
    return this.u8(part) * 0x100 + this.u8(part)
  }

  u32(part: string): number {
    return this.u16(part) * 0x1_0000 + this.u16(part)
  }

  u64(part: string): number {
    const high = this.u32(part)
    const low = this.u32(part)
    if (high > 0x1f_ffff) throw numberTooLarge(part, Number.MAX_SAFE_INTEGER)
    return high * two32 + low
  }

  bytes(size: number, part: string): Uint8Array {
    const start = this.#take(size, part)
    return this.#bytes.slice(start, start + size)
  }

  hash(part: string): Uint8Array {
    return this.bytes(hashBytesSize, part)
  }

  text(part: string): string {
    const bytes = this.bytes(this.u8(part), part)
    try {
      return fromUtf8(bytes)
    } catch (cause) {
      throw canonicalError({ code: 'TEXT_MALFORMED', part }, `${part} is not UTF-8.`, cause)
    }
  }

  end(): void {
    const count = this.#bytes.length - this.offset
    if (count === 0) return
    throw canonicalError({ code: 'BYTES_TRAILING', count }, `${count} bytes follow the last field.`)
  }
}

/** Bytes of `text` in UTF-8. Ids and times are ASCII, which needs no encoder. */
function textSize(text: string, part: string): number {
  let size = text.length
  let isWellFormed = true
  if (!isAscii(text)) {
    const bytes = utf8(text)
    size = bytes.length
    // Half a surrogate pair is encoded as U+FFFD: two texts would share one encoding.
    isWellFormed = fromUtf8(bytes) === text
  }
  if (size <= textBytesMax && isWellFormed) return size
  throw canonicalError(
    { code: 'TEXT_MALFORMED', part },
    `${part} is not well-formed text of at most ${textBytesMax} bytes.`,
  )
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}

/** Writes the length and the text, which `textSize` has checked; answers the offset behind them. */
function writeText(out: Uint8Array, offset: number, text: string): number {
  const { length } = text
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return writeWideText(out, offset, text)
    out[offset + 1 + i] = code
  }
  out[offset] = length
  return offset + 1 + length
}

function writeWideText(out: Uint8Array, offset: number, text: string): number {
  const bytes = utf8(text)
  out[offset] = bytes.length
  out.set(bytes, offset + 1)
  return offset + 1 + bytes.length
}

function writeHash(out: Uint8Array, offset: number, hash: Uint8Array): number {
  assert(hash.length === hashBytesSize, 'a hash has 32 bytes')
  out.set(hash, offset)
  return offset + hashBytesSize
}

function writeU32(out: Uint8Array, offset: number, value: number): number {
  assert(Number.isInteger(value) && value >= 0 && value <= u32Max, 'a u32 is written')
  out[offset] = value >>> 24
  out[offset + 1] = value >>> 16
  out[offset + 2] = value >>> 8
  out[offset + 3] = value
  return offset + 4
}

function checkEntrySize(bytes: number): void {
  if (bytes <= blockEntryBytesMax) return
  throw canonicalError(
    { code: 'ENTRY_TOO_LARGE', bytes, bytesMax: blockEntryBytesMax },
    `A block entry of ${bytes} bytes is larger than ${blockEntryBytesMax}.`,
  )
}

function checkPreviousBlockHash(length: number, sequenceNo: number): void {
  if (length === hashBytesSize || (length === 0 && sequenceNo === 0)) return
  throw canonicalError(
    { code: 'LENGTH_WRONG', part: 'previousBlockHash', length },
    `previousBlockHash has ${length} bytes; it has 32, or none in block 0.`,
  )
}

function tagUnknown(part: string, value: number): CanonicalBytesError {
  return canonicalError({ code: 'TAG_UNKNOWN', part, value }, `${value} is no ${part}.`)
}

function numberTooLarge(part: string, max: number): CanonicalBytesError {
  return canonicalError({ code: 'NUMBER_TOO_LARGE', part, max }, `${part} is above ${max}.`)
}

function canonicalError(
  data: CanonicalBytesErrorType,
  shortMessage: string,
  cause?: unknown,
): CanonicalBytesError {
  return new CanonicalBytesError(data, { shortMessage, cause })
}
