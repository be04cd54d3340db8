/**
 * Nodes of a Merkle Patricia trie and their RLP (Yellow Paper, appendix D). A path is never copied into nibbles: a node
 * holds a key that runs through it, and how deep it lies is told to whoever needs it.
 *
 * Keys and hashes are texts of one character a byte. A branch has up to sixteen hashes, and there are many branches in
 * memory: V8 keeps such a text in 48 bytes and one piece, an array of 32 bytes in three times as much and two.
 */
import { keccak256, textOfBytes } from '@cairn/eth-codec'
import { trieValueOfAccountRow, trieValueOfSlotRow } from './account-row.ts'
import { stateDamaged } from './errors.ts'

/** Below a branch or an extension: a node, the hash of one that is not loaded, or nothing. */
export type TrieChild = TrieNode | string | undefined
export type TrieNode = BranchNode | LeafNode | ExtensionNode

/**
 * What a leaf holds: its value, or the row of the flat state that the value is made of whenever the leaf is encoded.
 * Rows are short, and in memory as rows, too.
 */
export type LeafForm = 'value' | 'accountRow' | 'slotRow'

export class LeafNode {
  readonly kind = 'leaf'
  readonly key: string
  readonly content: Uint8Array
  readonly form: LeafForm
  /** Hash of the RLP, or the RLP itself when that is shorter than a hash; undefined while it is not computed. */
  ref: string | undefined
  isStored = false

  constructor(key: string, content: Uint8Array, form: LeafForm) {
    this.key = key
    this.content = content
    this.form = form
  }
}

export class ExtensionNode {
  readonly kind = 'extension'
  /** Any key below it. */
  readonly key: string
  /** Of the shared path, in nibbles, from the node's depth on. */
  readonly nibbleCount: number
  child: TrieNode | string
  ref: string | undefined
  isStored = false

  constructor(key: string, nibbleCount: number, child: TrieNode | string) {
    this.key = key
    this.nibbleCount = nibbleCount
    this.child = child
  }
}

export class BranchNode {
  readonly kind = 'branch'
  readonly children: TrieChild[]
  /** Of the key that ends here; never in a state trie, whose keys have one length. */
  value: Uint8Array | undefined
  ref: string | undefined
  isStored = false
  /** Who may change it in place: only the edit that made it; 0: nobody. */
  readonly editNo: number

  constructor(children: TrieChild[], value: Uint8Array | undefined, editNo: number) {
    this.children = children
    this.value = value
    this.editNo = editNo
  }
}

export const hashSize = 32

export function nibbleAt(key: string, index: number): number {
  const byte = key.charCodeAt(index >> 1)
  return (index & 1) === 0 ? byte >> 4 : byte & 15
}

/** Index of the first nibble from `from` on in which two keys differ, or `to`. */
export function firstDifference(a: string, b: string, from: number, to: number): number {
  let index = from
  while (index < to && nibbleAt(a, index) === nibbleAt(b, index)) index++
  return index
}

/** As the trie has it: valid until the next leaf's is asked for. */
export function leafValue({ content, form }: LeafNode): Uint8Array {
  switch (form) {
    case 'value':
      return content
    case 'accountRow':
      return trieValueOfAccountRow(content)
    case 'slotRow':
      return trieValueOfSlotRow(content)
  }
}

// ---- encoding ----

/** The longest node without a long value: a branch of 16 hashes and an empty value, 532 bytes. */
let scratch = new Uint8Array(1024)

/**
 * How the parent names this node; computed for everything below that has changed since.
 * @param depth Of the node, in nibbles.
 */
export function refOf(node: TrieNode | string, depth: number): string {
  if (typeof node === 'string') return node
  if (node.ref !== undefined) return node.ref
  if (node.kind === 'branch') {
    for (const child of node.children) if (child !== undefined) refOf(child, depth + 1)
  } else if (node.kind === 'extension') {
    refOf(node.child, depth + node.nibbleCount)
  }
  const size = encodeInto(node, depth)
  const rlp = scratch.subarray(0, size)
  node.ref = textOfBytes(size < hashSize ? rlp : keccak256(rlp))
  return node.ref
}

/** The node's RLP, which the caller may keep. Everything below has its ref. */
export function encodeNode(node: TrieNode, depth: number): Uint8Array {
  return scratch.slice(0, encodeInto(node, depth))
}

/** The same in place: valid until the next node is encoded. */
export function encodeNodeView(node: TrieNode, depth: number): Uint8Array {
  return scratch.subarray(0, encodeInto(node, depth))
}

function encodeInto(node: TrieNode, depth: number): number {
  switch (node.kind) {
    case 'leaf': {
      const value = leafValue(node)
      const end = 2 * node.key.length
      const start = begin(pathSize(end - depth) + bytesSize(value))
      return writeBytes(writePath(start, node.key, depth, end, true), value)
    }
    case 'extension': {
      const { key, nibbleCount, child } = node
      const start = begin(pathSize(nibbleCount) + refSize(child))
      return writeRef(writePath(start, key, depth, depth + nibbleCount, false), child)
    }
    case 'branch': {
      let at = begin(branchPayloadSize(node))
      for (const child of node.children) {
        if (child === undefined) scratch[at++] = 0x80
        else at = writeRef(at, child)
      }
      if (node.value !== undefined) return writeBytes(at, node.value)
      scratch[at++] = 0x80
      return at
    }
  }
}

/** @returns where the payload begins, after the header of a list. */
function begin(payload: number): number {
  const size = payload + headerSize(payload)
  if (size > scratch.length) scratch = new Uint8Array(2 * size)
  return writeHeader(0, 0xc0, payload)
}

function branchPayloadSize({ children, value }: BranchNode): number {
  let size = value === undefined ? 1 : bytesSize(value)
  for (const child of children) size += child === undefined ? 1 : refSize(child)
  return size
}

function knownRef(child: TrieNode | string): string {
  return typeof child === 'string' ? child : (child.ref as string)
}

function refSize(child: TrieNode | string): number {
  const ref = knownRef(child)
  return ref.length === hashSize ? 1 + hashSize : ref.length
}

function writeRef(at: number, child: TrieNode | string): number {
  const ref = knownRef(child)
  if (ref.length === hashSize) scratch[at++] = 0x80 + hashSize
  for (let i = 0; i < ref.length; i++) scratch[at + i] = ref.charCodeAt(i)
  return at + ref.length
}

function headerSize(payload: number): number {
  return payload < 56
    ? 1
    : payload < 0x100
      ? 2
      : payload < 0x10000
        ? 3
        : payload < 0x1000000
          ? 4
          : 5
}

function writeHeader(at: number, base: number, payload: number): number {
  if (payload < 56) {
    scratch[at] = base + payload
    return at + 1
  }
  const lengthSize = headerSize(payload) - 1
  scratch[at++] = base + 55 + lengthSize
  for (let shift = 8 * (lengthSize - 1); shift >= 0; shift -= 8) scratch[at++] = payload >>> shift
  return at
}

function bytesSize(bytes: Uint8Array): number {
  const size = bytes.length
  return size === 1 && (bytes[0] as number) < 0x80 ? 1 : headerSize(size) + size
}

function writeBytes(at: number, bytes: Uint8Array): number {
  if (bytes.length === 1 && (bytes[0] as number) < 0x80) {
    scratch[at] = bytes[0] as number
    return at + 1
  }
  const start = writeHeader(at, 0x80, bytes.length)
  scratch.set(bytes, start)
  return start + bytes.length
}

/** Of a path in its hex-prefix form (appendix C), as an RLP string. */
function pathSize(nibbleCount: number): number {
  const size = 1 + (nibbleCount >> 1)
  return size === 1 ? 1 : headerSize(size) + size
}

function writePath(start: number, key: string, from: number, to: number, isLeaf: boolean): number {
  const nibbleCount = to - from
  const isOdd = (nibbleCount & 1) === 1
  const size = 1 + (nibbleCount >> 1)
  let at = size === 1 ? start : writeHeader(start, 0x80, size)
  const flags = (isLeaf ? 0x20 : 0) | (isOdd ? 0x10 : 0)
  let index = from
  scratch[at++] = isOdd ? flags | nibbleAt(key, index++) : flags
  if ((index & 1) === 0) {
    // Whole bytes of the key.
    for (let i = index >> 1; 2 * i < to; i++) scratch[at++] = key.charCodeAt(i)
    return at
  }
  for (; index < to; index += 2) {
    scratch[at++] = (nibbleAt(key, index) << 4) | nibbleAt(key, index + 1)
  }
  return at
}

// ---- decoding ----

/**
 * A node out of the store, marked as stored.
 * @param rlp Copied.
 * @param key Runs through the node; only its first `depth` nibbles are looked at.
 * @throws StateError STATE_DAMAGED when it is no node.
 */
export function decodeNode(rlp: Uint8Array, key: string, depth: number): TrieNode {
  const starts = itemStarts(rlp)
  const itemCount = starts.length - 1
  let node: TrieNode
  if (itemCount === 17) {
    const children: TrieChild[] = []
    for (let i = 0; i < 16; i++) children.push(decodeChild(rlp, starts, i, key, depth))
    const value = payloadView(itemView(rlp, starts, 16))
    node = new BranchNode(children, value.length === 0 ? undefined : value.slice(), 0)
  } else if (itemCount === 2) {
    node = decodeShort(itemView(rlp, starts, 0), itemView(rlp, starts, 1), key, depth)
  } else {
    throw stateDamaged(`a trie node of ${itemCount} items`)
  }
  node.ref = rlp.length < hashSize ? textOfBytes(rlp) : undefined
  node.isStored = true
  return node
}

function decodeShort(
  pathItem: Uint8Array,
  item: Uint8Array,
  key: string,
  depth: number,
): LeafNode | ExtensionNode {
  const path = payloadView(pathItem)
  const flags = (path[0] ?? 0xff) >> 4
  if (flags > 3) throw stateDamaged('a trie path of an unknown kind')
  const isOdd = (flags & 1) === 1
  const nibbleCount = 2 * path.length - (isOdd ? 1 : 2)
  const whole = joinPath(key, depth, textOfBytes(path), isOdd ? 1 : 2, nibbleCount)
  if (flags >= 2) return new LeafNode(whole, payloadView(item).slice(), 'value')
  const child = decodeRef(item, whole, depth + nibbleCount)
  if (child === undefined || nibbleCount === 0) throw stateDamaged('a trie path to nothing')
  return new ExtensionNode(whole, nibbleCount, child)
}

function decodeChild(
  rlp: Uint8Array,
  starts: readonly number[],
  nibble: number,
  key: string,
  depth: number,
): TrieChild {
  const start = starts[nibble] as number
  const first = rlp[start] as number
  if (first === 0x80) return undefined
  const end = starts[nibble + 1] as number
  // As good as all of them.
  if (first === 0x80 + hashSize) return textOfBytes(rlp, start + 1, end)
  const item = rlp.subarray(start, end)
  if (first < 0xc0) return decodeRef(item, key, depth + 1)
  return decodeRef(item, joinNibble(key, depth, nibble), depth + 1)
}

function decodeRef(item: Uint8Array, key: string, depth: number): TrieChild {
  if ((item[0] as number) >= 0xc0) return decodeNode(item, key, depth)
  const hash = payloadView(item)
  if (hash.length === hashSize) return textOfBytes(hash)
  if (hash.length === 0) return undefined
  throw stateDamaged(`a trie reference of ${hash.length} bytes`)
}

/** The first `depth` nibbles of `key`, then `count` nibbles of `path` from its nibble `start` on. */
export function joinPath(
  key: string,
  depth: number,
  path: string,
  start: number,
  count: number,
): string {
  let text = key.slice(0, depth >> 1)
  let at = depth & ~1
  const nibbleOf = (index: number): number => {
    if (index < depth) return nibbleAt(key, index)
    return index < depth + count ? nibbleAt(path, start + index - depth) : 0
  }
  for (; at < depth + count; at += 2) {
    text += String.fromCharCode((nibbleOf(at) << 4) | nibbleOf(at + 1))
  }
  return text
}

/** The first `depth` nibbles of `key`, and one more. */
export function joinNibble(key: string, depth: number, nibble: number): string {
  return joinPath(key, depth, String.fromCharCode(nibble), 1, 1)
}

/** Where the items of a list begin, and its end. Its own, since decodeRlp would look into embedded nodes, too. */
function itemStarts(rlp: Uint8Array): number[] {
  const [start, end] = bounds(rlp, 0)
  if ((rlp[0] as number) < 0xc0 || end !== rlp.length) throw stateDamaged('a trie node of no list')
  const starts: number[] = []
  let at = start
  while (at < end) {
    starts.push(at)
    const [, itemEnd] = bounds(rlp, at)
    if (itemEnd > end) throw stateDamaged('a trie node that is cut off')
    at = itemEnd
  }
  starts.push(end)
  return starts
}

function itemView(rlp: Uint8Array, starts: readonly number[], index: number): Uint8Array {
  return rlp.subarray(starts[index], starts[index + 1])
}

function payloadView(item: Uint8Array): Uint8Array {
  const [start, end] = bounds(item, 0)
  return item.subarray(start, end)
}

/** Where the payload of the item at `at` begins and ends. */
function bounds(bytes: Uint8Array, at: number): [number, number] {
  const first = bytes[at]
  if (first === undefined) throw stateDamaged('an empty trie node')
  if (first < 0x80) return [at, at + 1]
  const base = first >= 0xc0 ? 0xc0 : 0x80
  const short = first - base
  if (short < 56) return [at + 1, at + 1 + short]
  let size = 0
  for (let i = 0; i < short - 55; i++) size = size * 256 + (bytes[at + 1 + i] ?? 0)
  const start = at + 1 + short - 55
  return [start, start + size]
}
