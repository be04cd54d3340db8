/**
 * Trie nodes in a table, one row per path: a node that changes takes the place of the one before, so the table holds
 * one trie and grows with the state, not with its history.
 *
 *   prefix (1 byte 0 for accounts, 32 bytes hash of the address for storage) ‖ one byte per nibble   → RLP
 *
 * With a source of leaves those have no rows: the flat state has them already, and they are most of a trie.
 */

import type { Table } from './database.ts'
import type { LeafSource, NodeSource, TrieEdit } from './trie.ts'
import {
  encodeNodeView,
  hashSize,
  nibbleAt,
  refOf,
  type TrieChild,
  type TrieNode,
} from './trie-node.ts'

export class NodeTable implements NodeSource {
  readonly #table: Table
  readonly #prefix: Uint8Array
  readonly leaves: LeafSource | undefined

  constructor(table: Table, prefix: Uint8Array, leaves?: LeafSource) {
    this.#table = table
    this.#prefix = prefix
    this.leaves = leaves
  }

  loadNode(key: string, depth: number): Uint8Array | undefined {
    return this.#table.getView(this.#rowKey(key, depth))
  }

  /** Inside a write, before `store`: rows of paths that lead nowhere any more. */
  removeAll(removed: TrieEdit['removed']): void {
    for (const { key, depth } of removed) this.#table.remove(this.#rowKey(key, depth))
  }

  /**
   * Inside a write: puts every node that is not stored yet. The trie has been hashed.
   * @returns how many there were.
   */
  store(root: TrieChild): number {
    if (root === undefined || typeof root === 'string') return 0
    refOf(root, 0)
    const path = new Uint8Array(this.#prefix.length + nibbleCountMax)
    path.set(this.#prefix)
    return this.#storeBelow(root, path, 0)
  }

  #storeBelow(node: TrieNode, path: Uint8Array, depth: number): number {
    if (node.isStored) return 0
    let count = 1
    const start = this.#prefix.length
    if (node.kind === 'branch') {
      for (let nibble = 0; nibble < 16; nibble++) {
        const child = node.children[nibble]
        if (child === undefined || typeof child === 'string' || child.isStored) continue
        path[start + depth] = nibble
        count += this.#storeBelow(child, path, depth + 1)
      }
    } else if (node.kind === 'extension') {
      const { child, nibbleCount, key } = node
      if (typeof child !== 'string') {
        for (let i = depth; i < depth + nibbleCount; i++) path[start + i] = nibbleAt(key, i)
        count += this.#storeBelow(child, path, depth + nibbleCount)
      }
    }
    node.isStored = true
    if (node.kind === 'leaf' && this.leaves !== undefined) return count
    const row = path.subarray(0, start + depth)
    // Shorter ones stand in their parents; the root has none.
    if (depth === 0 || node.ref?.length === hashSize) {
      this.#table.put(row, encodeNodeView(node, depth))
    } else {
      this.#table.remove(row)
    }
    return count
  }

  #rowKey(key: string, depth: number): Uint8Array {
    const start = this.#prefix.length
    const row = new Uint8Array(start + depth)
    row.set(this.#prefix)
    for (let i = 0; i < depth; i++) row[start + i] = nibbleAt(key, i)
    return row
  }
}

/** Of a hashed key. */
const nibbleCountMax = 64

/** Lets go of stored nodes below `depth`; they are loaded again when they are needed. */
export function forgetBelow(child: TrieChild, depth: number, depthKept: number): void {
  if (child === undefined || typeof child === 'string' || child.kind === 'leaf') return
  if (child.kind === 'extension') {
    if (depth < depthKept) forgetBelow(child.child, depth + child.nibbleCount, depthKept)
    else if (isForgettable(child.child)) child.child = child.child.ref as string
    return
  }
  for (let nibble = 0; nibble < 16; nibble++) {
    const below = child.children[nibble]
    if (depth < depthKept) forgetBelow(below, depth + 1, depthKept)
    else if (isForgettable(below)) child.children[nibble] = below.ref as string
  }
}

function isForgettable(child: TrieChild): child is TrieNode {
  return (
    child !== undefined &&
    typeof child !== 'string' &&
    child.isStored &&
    child.ref?.length === hashSize
  )
}
