/**
 * A growing Merkle tree over a node store, for either hasher. Shape of RFC 6962: the left subtree of a node is the
 * largest complete one, which is the same as carrying an odd last node up unchanged (qldb-compat 4.3).
 *
 *   level 2   (0)                      Stored are complete subtrees only. Of seven leaves: 0-6 at level 0, 0-2 at
 *   level 1   (0)     (1)     (2)      level 1, 0 at level 2. The peaks are (2,0), (1,2) and (0,6): one for each bit
 *   level 0   0   1   2   3   4   5 6  of the size. The root folds them from the right.
 */
import { assert, hashBytesSize } from '@cairn/core'
import { ProofError } from './errors.ts'
import type { TreeHasher } from './hasher.ts'
import type { NodeStore } from './node-store.ts'

export class MerkleTree {
  readonly #hasher: TreeHasher
  readonly #store: NodeStore
  /** By level; holds a peak where the size has that bit, and something stale elsewhere. */
  readonly #peaks: Uint8Array[] = []
  #size: number

  /**
   * @param size Leaves already in `store`; their peaks are read at once.
   */
  constructor(hasher: TreeHasher, store: NodeStore, size = 0) {
    assert(Number.isSafeInteger(size) && size >= 0, 'the size of a tree is a count')
    this.#hasher = hasher
    this.#store = store
    this.#size = size
    for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / 2)) {
      this.#peaks[level] = count % 2 === 1 ? store.get(level, count - 1) : hasher.empty
    }
  }

  get size(): number {
    return this.#size
  }

  /** Adds a leaf of 32 bytes, which the tree keeps. Amortised one `node` per leaf. */
  append(leaf: Uint8Array): void {
    assert(leaf.length === hashBytesSize, 'a leaf has 32 bytes')
    let hash = leaf
    let index = this.#size
    let level = 0
    this.#store.append(0, index, hash)
    while (index % 2 === 1) {
      hash = this.#hasher.node(this.#peaks[level] as Uint8Array, hash)
      index = (index - 1) / 2
      level++
      this.#store.append(level, index, hash)
    }
    this.#peaks[level] = hash
    this.#size++
  }

  /**
   * The root over the first `size` leaves; without it over all, from memory.
   * @throws ProofError SIZE_OUT_OF_RANGE
   */
  root(size: number = this.#size): Uint8Array {
    checkSize(size, this.#size)
    if (size === 0) return this.#hasher.empty
    return size === this.#size ? this.#rootOfPeaks() : this.#rootOfLowPeaks(size, Infinity)
  }

  /**
   * Siblings of leaf `index` on its way to the root over `size` leaves, from the leaf up.
   * @throws ProofError INDEX_OUT_OF_RANGE, SIZE_OUT_OF_RANGE
   */
  inclusionProof(index: number, size: number = this.#size): Uint8Array[] {
    checkSize(size, this.#size)
    checkIndex(index, size)
    return this.#siblings(0, index, size - 1, size)
  }

  /**
   * Shows that the tree of `newSize` leaves begins with that of `oldSize`. Empty when the sizes are equal, and for
   * size 0, where nothing is shown.
   * @throws ProofError SIZE_OUT_OF_RANGE
   */
  consistencyProof(oldSize: number, newSize: number = this.#size): Uint8Array[] {
    checkSize(newSize, this.#size)
    checkSize(oldSize, newSize)
    if (oldSize === 0 || oldSize === newSize) return []
    // The lowest peak of the old tree is a node of both. It needs no telling when it is the whole old tree.
    let index = oldSize - 1
    let last = newSize - 1
    let level = 0
    while (index % 2 === 1) {
      index = (index - 1) / 2
      last = Math.floor(last / 2)
      level++
    }
    const siblings = this.#siblings(level, index, last, newSize)
    return index === 0 ? siblings : [this.#store.get(level, index), ...siblings]
  }

  /** Siblings from node `index` of `level` up, where `last` is the last node of that level in a tree of `size`. */
  #siblings(level: number, index: number, last: number, size: number): Uint8Array[] {
    const siblings: Uint8Array[] = []
    while (last > 0) {
      if (index % 2 === 1) siblings.push(this.#store.get(level, index - 1))
      else if (index < last) siblings.push(this.#subtree(level, index + 1, size))
      index = Math.floor(index / 2)
      last = Math.floor(last / 2)
      level++
    }
    return siblings
  }

  /** Node `index` of `level` as a tree of `size` leaves has it: complete, or cut off at the end. */
  #subtree(level: number, index: number, size: number): Uint8Array {
    const isComplete = (index + 1) * 2 ** level <= size
    return isComplete ? this.#store.get(level, index) : this.#rootOfLowPeaks(size, level)
  }

  /** Joins the peaks of a tree of `size` that lie below `levelEnd`, read from the store. */
  #rootOfLowPeaks(size: number, levelEnd: number): Uint8Array {
    let root: Uint8Array | undefined
    for (let level = 0, count = size; level < levelEnd && count > 0; level++) {
      if (count % 2 === 1) {
        const peak = this.#store.get(level, count - 1)
        root = root === undefined ? peak : this.#hasher.node(peak, root)
      }
      count = Math.floor(count / 2)
    }
    assert(root !== undefined, 'a cut-off subtree has leaves')
    return root
  }

  #rootOfPeaks(): Uint8Array {
    let root: Uint8Array | undefined
    for (let level = 0, count = this.#size; count > 0; level++, count = Math.floor(count / 2)) {
      if (count % 2 === 1) {
        const peak = this.#peaks[level] as Uint8Array
        root = root === undefined ? peak : this.#hasher.node(peak, root)
      }
    }
    assert(root !== undefined, 'a tree with leaves has peaks')
    return root
  }
}

function checkSize(size: number, sizeMax: number): void {
  if (Number.isSafeInteger(size) && size >= 0 && size <= sizeMax) return
  throw new ProofError(
    { code: 'SIZE_OUT_OF_RANGE', size, sizeMax },
    { shortMessage: `There is no tree of ${size} leaves here; the largest has ${sizeMax}.` },
  )
}

function checkIndex(index: number, size: number): void {
  if (Number.isSafeInteger(index) && index >= 0 && index < size) return
  throw new ProofError(
    { code: 'INDEX_OUT_OF_RANGE', index, size },
    { shortMessage: `A tree of ${size} leaves has no leaf ${index}.` },
  )
}
