/**
 * A Merkle Patricia trie (Yellow Paper, appendix D) as a value: an edit makes new nodes along the paths that it
 * changes and leaves the trie it began with as it was. Nodes are loaded when a path leads through them, and hashed once
 * at the end.
 */
import { equalBytes } from '@cairn/core'
import { bytesOfText, emptyTrieRoot, keccak256, textOfBytes } from '@cairn/eth-codec'
import { stateDamaged } from './errors.ts'
import {
  BranchNode,
  decodeNode,
  ExtensionNode,
  encodeNode,
  firstDifference,
  hashSize,
  joinNibble,
  type LeafForm,
  LeafNode,
  leafValue,
  nibbleAt,
  refOf,
  type TrieChild,
  type TrieNode,
} from './trie-node.ts'

/** Where nodes that are not in memory come from. */
export interface NodeSource {
  /**
   * RLP of the node at the path of the first `depth` nibbles of `key`; valid until the next node is asked for.
   * Undefined when there is none, which makes the trie a damaged one.
   */
  loadNode(key: string, depth: number): Uint8Array | undefined
  /** Undefined where leaves are loaded like all nodes. */
  readonly leaves?: LeafSource | undefined
}

/** Where leaves are kept that are not among the nodes. */
export interface LeafSource {
  /** @param key Of 32 bytes. */
  leafAt(key: string): LeafNode | undefined
  /** Those below the first `depth` nibbles of `key`. */
  leavesBelow(key: string, depth: number): Iterable<LeafNode>
}

/** A trie that lies in memory whole. */
export const noNodeSource: NodeSource = { loadNode: () => undefined }

let lastEditNo = 0

/** A series of changes to one trie, of which nobody sees anything before it takes `root`. Keys are texts. */
export class TrieEdit {
  root: TrieChild
  /** Key and depth of each path at which there is no node any more; a later change may have put one there again. */
  readonly removed: { readonly key: string; readonly depth: number }[] = []
  readonly #source: NodeSource
  readonly #form: LeafForm
  readonly #editNo = ++lastEditNo

  /** @param form Of what is put. */
  constructor(root: TrieChild, source: NodeSource, form: LeafForm = 'value') {
    this.root = root
    this.#source = source
    this.#form = form
  }

  /** @param content Kept: nobody may change it afterwards. */
  put(key: string, content: Uint8Array): void {
    this.root = this.#put(this.root, new LeafNode(key, content, this.#form), 0)
  }

  /** A key that is not there is no error. */
  delete(key: string): void {
    this.root = this.#delete(this.root, key, 0)
  }

  #put(child: TrieChild, leaf: LeafNode, depth: number): TrieNode {
    if (child === undefined) return leaf
    const { key } = leaf
    const node = resolveNode(child, this.#source, key, depth)
    switch (node.kind) {
      case 'leaf':
        return this.#putAtLeaf(node, leaf, depth)
      case 'extension':
        return this.#putAtExtension(node, leaf, depth)
      case 'branch': {
        if (depth === 2 * key.length) {
          const branch = this.#editable(node)
          branch.value = leafValue(leaf).slice()
          return branch
        }
        const nibble = nibbleAt(key, depth)
        const before = this.#loadChild(node, nibble, key, depth)
        const after = this.#put(before, leaf, depth + 1)
        return this.#withChild(node, nibble, before, after)
      }
    }
  }

  #putAtLeaf(before: LeafNode, leaf: LeafNode, depth: number): TrieNode {
    const { key } = leaf
    const end = 2 * Math.min(before.key.length, key.length)
    const fork = firstDifference(before.key, key, depth, end)
    if (fork === 2 * key.length && fork === 2 * before.key.length) {
      return equalBytes(before.content, leaf.content) ? before : leaf
    }
    const branch = this.#newBranch()
    for (const each of [before, leaf]) {
      if (fork === 2 * each.key.length) branch.value = leafValue(each).slice()
      else branch.children[nibbleAt(each.key, fork)] = unhashed(each)
    }
    return fork === depth ? branch : new ExtensionNode(key, fork - depth, branch)
  }

  #putAtExtension(node: ExtensionNode, leaf: LeafNode, depth: number): TrieNode {
    const { key } = leaf
    const end = depth + node.nibbleCount
    const fork = firstDifference(node.key, key, depth, Math.min(end, 2 * key.length))
    if (fork === end) {
      const child = this.#put(node.child, leaf, end)
      return child === node.child ? node : new ExtensionNode(node.key, node.nibbleCount, child)
    }
    const branch = this.#newBranch()
    const rest = end - fork - 1
    branch.children[nibbleAt(node.key, fork)] =
      rest === 0 ? node.child : new ExtensionNode(node.key, rest, node.child)
    if (fork === 2 * key.length) branch.value = leafValue(leaf).slice()
    else branch.children[nibbleAt(key, fork)] = leaf
    return fork === depth ? branch : new ExtensionNode(key, fork - depth, branch)
  }

  #delete(child: TrieChild, key: string, depth: number): TrieChild {
    if (child === undefined) return undefined
    const node = resolveNode(child, this.#source, key, depth)
    switch (node.kind) {
      case 'leaf':
        if (node.key !== key) return node
        this.removed.push({ key, depth })
        return undefined
      case 'extension':
        return this.#deleteBelowExtension(node, key, depth)
      case 'branch':
        return this.#deleteBelowBranch(node, key, depth)
    }
  }

  #deleteBelowExtension(node: ExtensionNode, key: string, depth: number): TrieNode {
    const end = depth + node.nibbleCount
    if (end > 2 * key.length || firstDifference(node.key, key, depth, end) < end) return node
    const child = this.#delete(node.child, key, end)
    if (child === node.child) return node
    if (child === undefined || typeof child === 'string') {
      throw stateDamaged('an extension with nothing below it')
    }
    return this.#extend(child, key, depth, node.nibbleCount)
  }

  /** What stands for a node `nibbleCount` further up. */
  #extend(node: TrieNode, key: string, depth: number, nibbleCount: number): TrieNode {
    if (node.kind === 'branch') return new ExtensionNode(key, nibbleCount, node)
    this.removed.push({ key, depth: depth + nibbleCount })
    if (node.kind === 'leaf') {
      // Where leaves are kept elsewhere, nothing takes the place of the node that was here.
      this.removed.push({ key, depth })
      return unhashed(node)
    }
    return new ExtensionNode(node.key, nibbleCount + node.nibbleCount, node.child)
  }

  #deleteBelowBranch(node: BranchNode, key: string, depth: number): TrieChild {
    let branch: BranchNode
    if (depth === 2 * key.length) {
      if (node.value === undefined) return node
      branch = this.#editable(node)
      branch.value = undefined
    } else {
      const nibble = nibbleAt(key, depth)
      const before = this.#loadChild(node, nibble, key, depth)
      const after = this.#delete(before, key, depth + 1)
      branch = this.#withChild(node, nibble, before, after)
      if (after !== undefined) return branch
    }
    return this.#collapse(branch, key, depth)
  }

  /** A branch with one thing left is none. */
  #collapse(branch: BranchNode, key: string, depth: number): TrieNode {
    let left = -1
    for (let nibble = 0; nibble < 16; nibble++) {
      if (branch.children[nibble] === undefined) continue
      if (left >= 0 || branch.value !== undefined) return branch
      left = nibble
    }
    if (left < 0) {
      return new LeafNode(key.slice(0, depth >> 1), branch.value as Uint8Array, 'value')
    }
    const path = joinNibble(key, depth, left)
    const child = resolveNode(branch.children[left], this.#source, path, depth + 1)
    // The path of an extension must hold the nibble that led to the branch below it.
    return this.#extend(child, path, depth, 1)
  }

  /** The child, put in place of its hash when it had to be loaded: for every trie that shares the node. */
  #loadChild(node: BranchNode, nibble: number, key: string, depth: number): TrieChild {
    const child = node.children[nibble]
    if (typeof child !== 'string') return child
    const loaded = loadNode(child, this.#source, key, depth + 1)
    node.children[nibble] = loaded
    return loaded
  }

  #newBranch(): BranchNode {
    return new BranchNode(new Array(16).fill(undefined), undefined, this.#editNo)
  }

  #withChild(node: BranchNode, nibble: number, before: TrieChild, after: TrieChild): BranchNode {
    // A child changed in place is the same one; then its parent was made by this edit, too, and has lost its hash.
    if (after === before) {
      if (after === undefined || typeof after === 'string' || after.ref !== undefined) return node
    }
    const branch = this.#editable(node)
    branch.children[nibble] = after
    return branch
  }

  #editable(node: BranchNode): BranchNode {
    if (node.editNo !== this.#editNo) {
      return new BranchNode(node.children.slice(), node.value, this.#editNo)
    }
    node.ref = undefined
    node.isStored = false
    return node
  }
}

/** The node behind a child, loaded when it has to be. */
function resolveNode(child: TrieChild, source: NodeSource, key: string, depth: number): TrieNode {
  if (child === undefined) throw stateDamaged('a trie node without children')
  return typeof child === 'string' ? loadNode(child, source, key, depth) : child
}

function loadNode(hash: string, source: NodeSource, key: string, depth: number): TrieNode {
  const { leaves } = source
  // Mostly it is the leaf of the very key that is being looked for, whose row has just been read.
  if (leaves !== undefined && key.length === hashSize) {
    const leaf = leaves.leafAt(key)
    if (leaf !== undefined && refOf(leaf, depth) === hash) return storedLeaf(leaf)
  }
  const rlp = source.loadNode(key, depth)
  if (rlp !== undefined && textOfBytes(keccak256(rlp)) === hash) {
    const node = decodeNode(rlp, key, depth)
    node.ref = hash
    return node
  }
  for (const leaf of leaves?.leavesBelow(key, depth) ?? []) {
    if (refOf(leaf, depth) === hash) return storedLeaf(leaf)
  }
  const fault = rlp === undefined ? 'is missing' : 'does not match its hash'
  throw stateDamaged(`a trie node at depth ${depth} ${fault}`)
}

/** The same leaf at another depth. */
function unhashed({ key, content, form }: LeafNode): LeafNode {
  return new LeafNode(key, content, form)
}

function storedLeaf(leaf: LeafNode): LeafNode {
  leaf.isStored = true
  return leaf
}

/** The value under a key, or undefined. */
export function trieGet(root: TrieChild, source: NodeSource, key: string): Uint8Array | undefined {
  let found: Uint8Array | undefined
  walk(root, source, key, (node, depth) => {
    if (node.kind === 'leaf' && node.key === key) found = leafValue(node).slice()
    if (node.kind === 'branch' && depth === 2 * key.length) found = node.value
  })
  return found
}

/**
 * RLP of every node from the root towards the key, as far as there are any: the proof of EIP-1186, of what is under the
 * key or that nothing is. Nodes shorter than a hash stand within their parents.
 */
export function trieProof(root: TrieChild, source: NodeSource, key: string): Uint8Array[] {
  const proof: Uint8Array[] = []
  walk(root, source, key, (node, depth) => {
    if (depth === 0 || refOf(node, depth).length === hashSize) {
      refOf(node, depth)
      proof.push(encodeNode(node, depth))
    }
  })
  return proof
}

function walk(
  root: TrieChild,
  source: NodeSource,
  key: string,
  visit: (node: TrieNode, depth: number) => void,
): void {
  let child = root
  let depth = 0
  while (child !== undefined) {
    const node = resolveNode(child, source, key, depth)
    visit(node, depth)
    if (node.kind === 'leaf') return
    if (node.kind === 'extension') {
      const end = depth + node.nibbleCount
      if (end > 2 * key.length || firstDifference(node.key, key, depth, end) < end) return
      child = node.child
      depth = end
    } else {
      if (depth === 2 * key.length) return
      child = node.children[nibbleAt(key, depth)]
      depth++
    }
  }
}

/** 32 bytes. Hashes what has changed since the last time. */
export function trieRootHash(root: TrieChild): Uint8Array {
  if (root === undefined) return emptyTrieRoot
  const ref = bytesOfText(refOf(root, 0))
  return ref.length === hashSize ? ref : keccak256(ref)
}

/** Every key and its value, in the order of keys. */
export function* trieEntries(
  root: TrieChild,
  source: NodeSource,
): Generator<readonly [key: string, value: Uint8Array]> {
  yield* entriesBelow(root, source, '', 0)
}

function* entriesBelow(
  child: TrieChild,
  source: NodeSource,
  path: string,
  depth: number,
): Generator<readonly [key: string, value: Uint8Array]> {
  if (child === undefined) return
  const node = resolveNode(child, source, path, depth)
  if (node.kind === 'leaf') {
    yield [node.key, leafValue(node).slice()]
  } else if (node.kind === 'extension') {
    yield* entriesBelow(node.child, source, node.key, depth + node.nibbleCount)
  } else {
    if (node.value !== undefined) yield [path.slice(0, depth >> 1), node.value]
    for (let nibble = 0; nibble < 16; nibble++) {
      const below = joinNibble(path, depth, nibble)
      yield* entriesBelow(node.children[nibble], source, below, depth + 1)
    }
  }
}
