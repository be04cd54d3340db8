/** Where a tree keeps the hashes of its complete subtrees. A journal keeps them on disk; here they are in memory. */
import { assert } from '@cairn/core'

export interface NodeStore {
  /** Hash of the complete subtree at `level` (0 = leaves), number `index`. */
  get(level: number, index: number): Uint8Array
  /** Nodes of one level come strictly in index order, from 0. The store keeps `hash` and nobody writes into it. */
  append(level: number, index: number, hash: Uint8Array): void
}

export function createMemoryNodeStore(): NodeStore {
  const levels: Uint8Array[][] = []
  return {
    get(level, index) {
      const hash = levels[level]?.[index]
      assert(hash !== undefined, 'a tree reads only the nodes it stored')
      return hash
    },
    append(level, index, hash) {
      let nodes = levels[level]
      if (nodes === undefined) {
        assert(level === levels.length, 'a level begins when the one below it has two nodes')
        nodes = []
        levels.push(nodes)
      }
      assert(index === nodes.length, 'nodes of a level are appended in order')
      nodes.push(hash)
    },
  }
}

/** For a tree that only ever tells its newest root: its peaks suffice and no node is kept. */
export const forgetfulNodeStore: NodeStore = {
  get() {
    assert(false, 'a tree over the forgetful store gives neither proofs nor earlier roots')
  },
  append() {},
}
