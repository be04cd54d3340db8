/**
 * Nodes of a Merkle Patricia trie and their RLP (Yellow Paper, appendix D). A path is never copied into nibbles: a node
 * holds a key that runs through it, and how deep it lies is told to whoever needs it.
 */
import { keccak256 } from '@cairn/eth-codec'
import { stateDamaged } from './errors.ts'

/** Below a branch or an extension: a node, the hash of one that is not loaded, or nothing. */
export type TrieChild = TrieNode | Uint8Array | undefined
export type TrieNode = BranchNode | LeafNode | ExtensionNode

export class LeafNode {
  readonly kind = 'leaf'
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** Hash of the RLP, or the RLP itself when that is shorter than a hash; undefined while it is not computed. */
  ref: Uint8Array | undefined
  isStored = false

  constructor(key: Uint8Array, value: Uint8Array) {
    this.key = key
    this.value = value
  }
}

export class ExtensionNode {
  readonly kind = 'extension'
  /** Any key below it. */
  readonly key: Uint8Array
  /** Of the shared path, in nibbles, from the node's depth on. */
  readonly nibbleCount: number
  child: TrieNode | Uint8Array
  ref: Uint8Array | undefined
  isStored = false

  constructor(key: Uint8Array, nibbleCount: number, child: TrieNode | Uint8Array) {
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
  ref: Uint8Array | undefined
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

export function nibbleAt(key: Uint8Array, index: number): number {
  const byte = key[index >> 1] as number
  return (index & 1) === 0 ? byte >> 4 : byte & 15
}

/** Index of the first nibble from `from` on in which two keys differ, or `to`. */
export function firstDifference(a: Uint8Array, b: Uint8Array, from: number, to: number): number {
  let index = from
  while (index < to && nibbleAt(a, index) === nibbleAt(b, index)) index++
  return index
}

// ---- encoding ----

/** The longest node without a long value: a branch of 16 hashes and an empty value, 532 bytes. */
let scratch = new Uint8Array(1024)

/**
 * How the parent names this node; computed for everything below that has changed since.
 * @param depth Of the node, in nibbles.
 */
export function refOf(node: TrieNode | Uint8Array, depth: number): Uint8Array {
  if (node instanceof Uint8Array) return node
  if (node.ref !== undefined) return node.ref
  if (node.kind === 'branch') {
    for (const child of node.children) if (child !== undefined) refOf(child, depth + 1)
  } else if (node.kind === 'extension') {
    refOf(node.child, depth + node.nibbleCount)
  }
  const size = encodeInto(node, depth)
  const rlp = scratch.subarray(0, size)
  node.ref = size < hashSize ? rlp.slice() : keccak256(rlp)
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
  const payload = payloadSize(node, depth)
  const size = payload + headerSize(payload)
  if (size > scratch.length) scratch = new Uint8Array(2 * size)
  let at = writeHeader(0, 0xc0, payload)
  switch (node.kind) {
    case 'leaf':
      at = writePath(at, node.key, depth, 2 * node.key.length, true)
      return writeBytes(at, node.value)
    case 'extension':
      at = writePath(at, node.key, depth, depth + node.nibbleCount, false)
      return writeRef(at, node.child)
    case 'branch':
      for (const child of node.children) {
        if (child === undefined) scratch[at++] = 0x80
        else at = writeRef(at, child)
      }
      if (node.value !== undefined) return writeBytes(at, node.value)
      scratch[at++] = 0x80
      return at
  }
}

function payloadSize(node: TrieNode, depth: number): number {
  switch (node.kind) {
    case 'leaf':
      return pathSize(2 * node.key.length - depth) + bytesSize(node.value)
    case 'extension':
      return pathSize(node.nibbleCount) + refSize(node.child)
    case 'branch': {
      let size = node.value === undefined ? 1 : bytesSize(node.value)
      for (const child of node.children) size += child === undefined ? 1 : refSize(child)
      return size
    }
  }
}

function knownRef(child: TrieNode | Uint8Array): Uint8Array {
  return child instanceof Uint8Array ? child : (child.ref as Uint8Array)
}

function refSize(child: TrieNode | Uint8Array): number {
  const ref = knownRef(child)
  return ref.length === hashSize ? 1 + hashSize : ref.length
}

function writeRef(at: number, child: TrieNode | Uint8Array): number {
  const ref = knownRef(child)
  if (ref.length === hashSize) scratch[at++] = 0x80 + hashSize
  scratch.set(ref, at)
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

function writePath(
  start: number,
  key: Uint8Array,
  from: number,
  to: number,
  isLeaf: boolean,
): number {
  const nibbleCount = to - from
  const isOdd = (nibbleCount & 1) === 1
  const size = 1 + (nibbleCount >> 1)
  let at = size === 1 ? start : writeHeader(start, 0x80, size)
  const flags = (isLeaf ? 0x20 : 0) | (isOdd ? 0x10 : 0)
  let index = from
  scratch[at++] = isOdd ? flags | nibbleAt(key, index++) : flags
  if ((index & 1) === 0) {
    // Whole bytes of the key.
    for (let i = index >> 1; 2 * i < to; i++) scratch[at++] = key[i] as number
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
 * @param rlp Kept: children and values are views into it.
 * @param key Runs through the node; only its first `depth` nibbles are looked at.
 * @throws StateError STATE_DAMAGED when it is no node.
 */
export function decodeNode(rlp: Uint8Array, key: Uint8Array, depth: number): TrieNode {
  const items = splitList(rlp)
  let node: TrieNode
  if (items.length === 17) {
    const children: TrieChild[] = []
    for (let i = 0; i < 16; i++) {
      children.push(decodeChild(items[i] as Uint8Array, key, depth, i))
    }
    const value = payloadView(items[16] as Uint8Array)
    node = new BranchNode(children, value.length === 0 ? undefined : value, 0)
  } else if (items.length === 2) {
    node = decodeShort(items[0] as Uint8Array, items[1] as Uint8Array, key, depth)
  } else {
    throw stateDamaged(`a trie node of ${items.length} items`)
  }
  node.ref = rlp.length < hashSize ? rlp : undefined
  node.isStored = true
  return node
}

function decodeShort(
  pathItem: Uint8Array,
  item: Uint8Array,
  key: Uint8Array,
  depth: number,
): LeafNode | ExtensionNode {
  const path = payloadView(pathItem)
  const flags = (path[0] ?? 0xff) >> 4
  if (flags > 3) throw stateDamaged('a trie path of an unknown kind')
  const isOdd = (flags & 1) === 1
  const nibbleCount = 2 * path.length - (isOdd ? 1 : 2)
  const pathStart = isOdd ? 1 : 2
  const whole = joinPath(key, depth, path, pathStart, nibbleCount)
  if (flags >= 2) return new LeafNode(whole, payloadView(item))
  const child = decodeRef(item, whole, depth + nibbleCount)
  if (child === undefined || nibbleCount === 0) throw stateDamaged('a trie path to nothing')
  return new ExtensionNode(whole, nibbleCount, child)
}

function decodeChild(item: Uint8Array, key: Uint8Array, depth: number, nibble: number): TrieChild {
  if ((item[0] as number) < 0xc0) return decodeRef(item, key, depth + 1)
  return decodeRef(item, joinPath(key, depth, Uint8Array.of(nibble), 1, 1), depth + 1)
}

function decodeRef(item: Uint8Array, key: Uint8Array, depth: number): TrieChild {
  if ((item[0] as number) >= 0xc0) return decodeNode(item, key, depth)
  const hash = payloadView(item)
  if (hash.length === hashSize) return hash
  if (hash.length === 0) return undefined
  throw stateDamaged(`a trie reference of ${hash.length} bytes`)
}

/** The first `depth` nibbles of `key`, then `count` nibbles of `path` from its nibble `start` on. */
export function joinPath(
  key: Uint8Array,
  depth: number,
  path: Uint8Array,
  start: number,
  count: number,
): Uint8Array {
  const out = new Uint8Array((depth + count + 1) >> 1)
  out.set(key.subarray(0, depth >> 1))
  if ((depth & 1) === 1) out[depth >> 1] = nibbleAt(key, depth - 1) << 4
  for (let i = 0; i < count; i++) {
    const nibble = nibbleAt(path, start + i)
    const index = (depth + i) >> 1
    out[index] = ((depth + i) & 1) === 0 ? nibble << 4 : (out[index] as number) | nibble
  }
  return out
}

/** Encoded items of a list as views. Its own, since decodeRlp would look into embedded nodes, too. */
function splitList(rlp: Uint8Array): Uint8Array[] {
  const items: Uint8Array[] = []
  const [start, end] = bounds(rlp, 0)
  if ((rlp[0] as number) < 0xc0 || end !== rlp.length) throw stateDamaged('a trie node of no list')
  for (let at = start; at < end; ) {
    const [, itemEnd] = bounds(rlp, at)
    if (itemEnd > end) throw stateDamaged('a trie node that is cut off')
    items.push(rlp.subarray(at, itemEnd))
    at = itemEnd
  }
  return items
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
