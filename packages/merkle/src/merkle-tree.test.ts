import { compareBytes, emptyBytes, equalBytes, sha256, utf8 } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProofError } from './errors.ts'
import { dot, qldbHasher, type TreeHasher, tlogHasher, tlogLeafHash } from './hasher.ts'
import { listProof, listRoot, merkleRoot } from './list-tree.ts'
import { MerkleTree } from './merkle-tree.ts'
import { createMemoryNodeStore, forgetfulNodeStore } from './node-store.ts'
import {
  foldProof,
  inclusionProofLength,
  rootFromInclusion,
  rootsFromConsistency,
} from './proofs.ts'

const hashers = [
  ['qldb', qldbHasher],
  ['tlog', tlogHasher],
] as const
const leaves = Array.from({ length: 300 }, (_, i) => sha256(utf8(`leaf ${i}`)))

function leafAt(i: number): Uint8Array {
  return leaves[i] as Uint8Array
}

function grow(hasher: TreeHasher, size: number): MerkleTree {
  const tree = new MerkleTree(hasher, createMemoryNodeStore())
  for (let i = 0; i < size; i++) tree.append(leafAt(i))
  return tree
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof ProofError) return error.code
    throw error
  }
}

/** Largest power of two below `n`. */
function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

// The recursive definitions of trust 2.1, word for word: what the iterative code must agree with.
function rootOf(h: TreeHasher, l: readonly Uint8Array[]): Uint8Array {
  if (l.length <= 1) return l[0] ?? h.empty
  const k = split(l.length)
  return h.node(rootOf(h, l.slice(0, k)), rootOf(h, l.slice(k)))
}

function inclusionOf(h: TreeHasher, i: number, l: readonly Uint8Array[]): Uint8Array[] {
  if (l.length === 1) return []
  const k = split(l.length)
  return i < k
    ? [...inclusionOf(h, i, l.slice(0, k)), rootOf(h, l.slice(k))]
    : [...inclusionOf(h, i - k, l.slice(k)), rootOf(h, l.slice(0, k))]
}

function consistencyOf(
  h: TreeHasher,
  m: number,
  l: readonly Uint8Array[],
  isWhole = true,
): Uint8Array[] {
  if (m === l.length) return isWhole ? [] : [rootOf(h, l)]
  const k = split(l.length)
  return m <= k
    ? [...consistencyOf(h, m, l.slice(0, k), isWhole), rootOf(h, l.slice(k))]
    : [...consistencyOf(h, m - k, l.slice(k), false), rootOf(h, l.slice(0, k))]
}

describe('dot', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })

  it('orders operands as signed bytes from the last to the first', () => {
    const low = new Uint8Array(32)
    const high = new Uint8Array(32)
    low[31] = 0x80
    high[31] = 0x7f
    low[0] = 9
    expect(dot(high, low)).toEqual(sha256(Uint8Array.from([...low, ...high])))
    low[31] = 0x7f
    expect(dot(low, high)).toEqual(sha256(Uint8Array.from([...high, ...low])))
  })

  it('agrees with a plain statement of the order, and commutes', () => {
    fc.assert(
      fc.property(hash, hash, (a, b) => {
        const signed = (x: Uint8Array) => Uint8Array.from(x, (byte) => byte ^ 0x80).reverse()
        const ordered = compareBytes(signed(a), signed(b)) <= 0 ? [...a, ...b] : [...b, ...a]
        expect(dot(a, b)).toEqual(sha256(Uint8Array.from(ordered)))
        expect(dot(b, a)).toEqual(dot(a, b))
      }),
    )
  })

  it('takes an empty operand as neutral and refuses any other length', () => {
    expect(dot(leafAt(0), emptyBytes)).toEqual(leafAt(0))
    expect(dot(emptyBytes, leafAt(0))).toEqual(leafAt(0))
    expect(dot(emptyBytes, emptyBytes)).toEqual(emptyBytes)
    expect(() => dot(leafAt(0), new Uint8Array(31))).toThrow()
  })
})

describe.each(hashers)('the %s tree', (_name, hasher) => {
  it('has the defined root, inclusion and consistency proofs at every size up to 33', () => {
    const tree = grow(hasher, 33)
    for (let n = 0; n <= 33; n++) {
      const l = leaves.slice(0, n)
      const root = rootOf(hasher, l)
      expect(tree.root(n)).toEqual(root)
      expect(grow(hasher, n).root()).toEqual(root)
      expect(listRoot(hasher, l)).toEqual(root)
      for (let i = 0; i < n; i++) {
        const proof = tree.inclusionProof(i, n)
        expect(proof).toEqual(inclusionOf(hasher, i, l))
        expect(listProof(l, i, hasher)).toEqual(proof)
        expect(inclusionProofLength(i, n)).toBe(proof.length)
        expect(rootFromInclusion(hasher, leafAt(i), i, n, proof)).toEqual(root)
      }
      for (let m = 1; m <= n; m++) {
        const proof = tree.consistencyProof(m, n)
        expect(proof).toEqual(consistencyOf(hasher, m, l))
        expect(rootsFromConsistency(hasher, m, n, tree.root(m), proof)).toEqual([
          tree.root(m),
          root,
        ])
      }
    }
  })

  it('knows every earlier root while it grows, also when opened on a store', () => {
    const store = createMemoryNodeStore()
    let tree = new MerkleTree(hasher, store)
    for (let n = 1; n <= 140; n++) {
      tree.append(leafAt(n - 1))
      if (n % 7 === 0) tree = new MerkleTree(hasher, store, n)
      expect(tree.root()).toEqual(listRoot(hasher, leaves.slice(0, n)))
    }
    for (let n = 0; n <= 140; n++) {
      expect(tree.root(n)).toEqual(listRoot(hasher, leaves.slice(0, n)))
    }
  })

  it('needs no stored node for its newest root', () => {
    const tree = new MerkleTree(hasher, forgetfulNodeStore)
    for (let n = 0; n < 100; n++) tree.append(leafAt(n))
    expect(tree.root()).toEqual(grow(hasher, 100).root())
    expect(() => tree.inclusionProof(3)).toThrow()
  })

  it('hashes once per leaf when it grows and reads a logarithm of nodes for a proof', () => {
    let hashCount = 0
    let readCount = 0
    const memory = createMemoryNodeStore()
    const counting = new MerkleTree(
      {
        empty: hasher.empty,
        node(left, right) {
          hashCount++
          return hasher.node(left, right)
        },
      },
      {
        append: memory.append,
        get(level, index) {
          readCount++
          return memory.get(level, index)
        },
      },
    )
    for (let i = 0; i < 3000; i++) counting.append(leafAt(i % 300))
    expect(hashCount).toBeLessThan(3000)
    const reads = (action: () => unknown) => {
      readCount = 0
      action()
      return readCount
    }
    expect(reads(() => counting.root())).toBe(0)
    for (let size = 1; size < 3000; size += 37) {
      expect(reads(() => counting.root(size))).toBeLessThanOrEqual(12)
      expect(reads(() => counting.inclusionProof(size >> 1, size))).toBeLessThanOrEqual(24)
      expect(reads(() => counting.consistencyProof(size, 2999))).toBeLessThanOrEqual(25)
    }
  })

  it('refuses sizes and positions it does not have', () => {
    const tree = grow(hasher, 5)
    expect(codeOf(() => tree.root(6))).toBe('SIZE_OUT_OF_RANGE')
    expect(codeOf(() => tree.root(-1))).toBe('SIZE_OUT_OF_RANGE')
    expect(codeOf(() => tree.root(1.5))).toBe('SIZE_OUT_OF_RANGE')
    expect(codeOf(() => tree.inclusionProof(5))).toBe('INDEX_OUT_OF_RANGE')
    expect(codeOf(() => tree.inclusionProof(3, 3))).toBe('INDEX_OUT_OF_RANGE')
    expect(codeOf(() => tree.inclusionProof(0, 9))).toBe('SIZE_OUT_OF_RANGE')
    expect(codeOf(() => tree.consistencyProof(4, 3))).toBe('SIZE_OUT_OF_RANGE')
    expect(codeOf(() => listProof(leaves.slice(0, 2), 2, hasher))).toBe('INDEX_OUT_OF_RANGE')
    expect(tree.consistencyProof(0)).toEqual([])
    expect(tree.consistencyProof(5)).toEqual([])
  })

  it('works beyond 32 bits', () => {
    // A store with one hash for every node of a level is the tree over a single repeated leaf.
    const levels = [leafAt(0)]
    for (let i = 0; i < 53; i++) {
      const below = levels[i] as Uint8Array
      levels.push(hasher.node(below, below))
    }
    const store = { get: (level: number) => levels[level] as Uint8Array, append() {} }
    const size = 2 ** 53 - 1
    const tree = new MerkleTree(hasher, store, size)
    const root = tree.root()
    for (const index of [0, 1, 2 ** 32, 2 ** 40 + 1, size - 2, size - 1]) {
      const proof = tree.inclusionProof(index)
      expect(inclusionProofLength(index, size)).toBe(proof.length)
      expect(rootFromInclusion(hasher, leafAt(0), index, size, proof)).toEqual(root)
    }
    for (const old of [1, 2 ** 31, 2 ** 32 + 1, 2 ** 52, size - 1]) {
      const proof = tree.consistencyProof(old)
      expect(rootsFromConsistency(hasher, old, size, tree.root(old), proof)).toEqual([
        tree.root(old),
        root,
      ])
    }
  })
})

describe('checking proofs', () => {
  const cases = fc
    .integer({ min: 2, max: 300 })
    .chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1), fc.nat(), fc.nat(255)))
  const tlog = grow(tlogHasher, 300)
  const qldb = grow(qldbHasher, 300)

  it('refuses in the tlog tree each wrong index, size, and changed proof', () => {
    fc.assert(
      fc.property(cases, ([size, index, pick, bit]) => {
        const leaf = leafAt(index)
        const root = tlog.root(size)
        const proof = tlog.inclusionProof(index, size)
        const isAccepted = (i: number, n: number, p: readonly Uint8Array[], l = leaf) => {
          let found: Uint8Array | undefined
          const code = codeOf(() => {
            found = rootFromInclusion(tlogHasher, l, i, n, p)
          })
          return code === undefined && found !== undefined && equalBytes(found, root)
        }
        expect(isAccepted(index, size, proof)).toBe(true)
        const otherIndex = (index + 1 + (pick % (size - 1))) % size
        expect(isAccepted(otherIndex, size, proof)).toBe(false)
        expect(isAccepted(index, size, proof, leafAt(otherIndex))).toBe(false)
        expect(isAccepted(index, size, [...proof, leaf])).toBe(false)
        expect(isAccepted(index, size, proof.slice(1))).toBe(false)
        expect(isAccepted(index, size, proof.slice(0, -1))).toBe(false)
        const at = pick % proof.length
        const flipped = proof.map((hash, i) =>
          i === at
            ? hash.map((byte, j) => (j === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
            : hash,
        )
        expect(isAccepted(index, size, flipped)).toBe(false)
        if (proof.length > 1) {
          const next = (at + 1) % proof.length
          const swapped = [...proof]
          swapped[at] = proof[next] as Uint8Array
          swapped[next] = proof[at] as Uint8Array
          expect(isAccepted(index, size, swapped)).toBe(false)
        }
        // RFC 6962 binds the size only through the shape: where the path has another length or other turns.
        const otherSize = 1 + (pick % 300)
        const path = (n: number) =>
          index < n ? [inclusionProofLength(index, n), turns(index, n)].join() : ''
        if (path(otherSize) !== path(size)) {
          expect(isAccepted(index, otherSize, proof)).toBe(false)
        }
      }),
    )
  })

  it('refuses wrong sizes and changed proofs of consistency', () => {
    fc.assert(
      fc.property(cases, ([newSize, oldIndex, pick]) => {
        const oldSize = Math.max(1, Math.min(oldIndex, newSize - 1))
        const oldRoot = tlog.root(oldSize)
        const newRoot = tlog.root(newSize)
        const proof = tlog.consistencyProof(oldSize, newSize)
        const isAccepted = (m: number, n: number, p: readonly Uint8Array[], o = oldRoot) => {
          let roots: readonly Uint8Array[] = []
          const code = codeOf(() => {
            roots = rootsFromConsistency(tlogHasher, m, n, o, p)
          })
          return (
            code === undefined &&
            equalBytes(roots[0] as Uint8Array, o) &&
            equalBytes(roots[1] as Uint8Array, newRoot)
          )
        }
        expect(isAccepted(oldSize, newSize, proof)).toBe(true)
        expect(isAccepted(oldSize, newSize, [...proof, oldRoot])).toBe(false)
        expect(isAccepted(oldSize, newSize, proof.slice(0, -1))).toBe(false)
        expect(isAccepted(oldSize, newSize, proof, leafAt(pick % 300))).toBe(
          oldSize === 1 && pick % 300 === 0,
        )
        if (proof.length > 1) {
          expect(isAccepted(oldSize, newSize, [...proof].reverse())).toBe(false)
        }
      }),
    )
  })

  it('checks the shape of a dot proof too, though a bare fold does not', () => {
    const proof = qldb.inclusionProof(5, 7)
    const root = qldb.root(7)
    expect(foldProof(leafAt(5), proof)).toEqual(root)
    // One level up is still "below the digest" for a fold.
    const inner = dot(leafAt(5), proof[0] as Uint8Array)
    expect(foldProof(inner, proof.slice(1))).toEqual(root)
    expect(codeOf(() => rootFromInclusion(qldbHasher, inner, 5, 7, proof.slice(1)))).toBe(
      'PROOF_LENGTH',
    )
  })

  it('refuses hashes that are not 32 bytes, which a dot would pass over', () => {
    const proof = [leafAt(1), emptyBytes]
    expect(codeOf(() => foldProof(leafAt(0), proof))).toBe('HASH_LENGTH')
    expect(codeOf(() => foldProof(emptyBytes, []))).toBe('HASH_LENGTH')
    expect(codeOf(() => rootFromInclusion(qldbHasher, leafAt(0), 0, 4, proof))).toBe('HASH_LENGTH')
    expect(codeOf(() => rootsFromConsistency(qldbHasher, 1, 4, leafAt(0), proof))).toBe(
      'HASH_LENGTH',
    )
  })

  it('names what is out of range', () => {
    const check = (index: number, size: number) =>
      codeOf(() => rootFromInclusion(tlogHasher, leafAt(0), index, size, []))
    expect(check(1, 1)).toBe('INDEX_OUT_OF_RANGE')
    expect(check(-1, 1)).toBe('INDEX_OUT_OF_RANGE')
    expect(check(0.5, 1)).toBe('INDEX_OUT_OF_RANGE')
    expect(check(0, 0)).toBe('SIZE_OUT_OF_RANGE')
    expect(check(0, 2 ** 53)).toBe('SIZE_OUT_OF_RANGE')
    expect(check(0, 1)).toBeUndefined()
    const consistency = (m: number, n: number, proof: readonly Uint8Array[]) =>
      codeOf(() => rootsFromConsistency(tlogHasher, m, n, leafAt(0), proof))
    expect(consistency(0, 4, [])).toBe('SIZE_OUT_OF_RANGE')
    expect(consistency(5, 4, [])).toBe('SIZE_OUT_OF_RANGE')
    expect(consistency(0, 0, [])).toBe('SIZE_OUT_OF_RANGE')
    expect(consistency(3, 3, [leafAt(1)])).toBe('PROOF_LENGTH')
    expect(consistency(3, 4, [])).toBe('PROOF_LENGTH')
    expect(consistency(2, 4, [])).toBe('PROOF_LENGTH')
  })
})

describe('a bare fold, trust 1', () => {
  it('accepts most wrong positions that RFC 6962 refuses (A4)', () => {
    // Accepted = the path shape of (j, n) with the proof of i gives the root: 56 of 56 for n = 8, 30 of 42 for n = 7.
    const accepted = (hasher: TreeHasher, n: number) => {
      const tree = grow(hasher, n)
      let count = 0
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          if (i === j) continue
          const proof = tree.inclusionProof(i)
          let root: Uint8Array = emptyBytes
          codeOf(() => {
            root = rootFromInclusion(hasher, leafAt(i), j, n, proof)
          })
          if (equalBytes(root, tree.root())) count++
        }
      }
      return count
    }
    expect([accepted(qldbHasher, 8), accepted(qldbHasher, 7)]).toEqual([56, 30])
    expect([accepted(tlogHasher, 8), accepted(tlogHasher, 7)]).toEqual([0, 0])
  })

  it('cannot tell two ledgers of three blocks apart, nor 8 leaves from 4 (A5, A8)', () => {
    const [x, y] = [leafAt(0), leafAt(1)]
    // What A5 needs of two chains (X,Y,Y) and (Y,X,X) is in verifier; here a digest taken with another size.
    const pairs = Array.from({ length: 4 }, (_, i) => dot(leafAt(2 * i), leafAt(2 * i + 1)))
    expect(merkleRoot(leaves.slice(0, 8))).toEqual(merkleRoot(pairs))
    expect(merkleRoot([x, y])).toEqual(merkleRoot([y, x]))
    const swappedTail = [leafAt(2), leafAt(3), leafAt(0), leafAt(1)]
    const proof = grow(qldbHasher, 4).consistencyProof(2)
    const old = merkleRoot([leafAt(0), leafAt(1)])
    expect(rootsFromConsistency(qldbHasher, 2, 4, old, proof)).toEqual([
      old,
      merkleRoot(swappedTail),
    ])
    expect(listRoot(tlogHasher, leaves.slice(0, 4))).not.toEqual(listRoot(tlogHasher, swappedTail))
  })
})

it('gives tlog leaves and nodes their prefixes', () => {
  const entry = utf8('entry')
  expect(tlogLeafHash(entry)).toEqual(sha256(Uint8Array.from([0, ...entry])))
  const large = new Uint8Array(5000).fill(7)
  expect(tlogLeafHash(large)).toEqual(sha256(Uint8Array.from([0, ...large])))
  expect(tlogLeafHash(entry)).toEqual(sha256(Uint8Array.from([0, ...entry])))
  const node = sha256(Uint8Array.from([1, ...leafAt(0), ...leafAt(1)]))
  expect(tlogHasher.node(leafAt(0), leafAt(1))).toEqual(node)
  expect(tlogHasher.empty).toEqual(sha256(emptyBytes))
})

/** The turns of a path, L and R from the leaf up: what the size of a tree decides for an index. */
function turns(index: number, size: number): string {
  let text = ''
  for (let last = size - 1; last > 0; last = Math.floor(last / 2)) {
    if (index % 2 === 1) text += 'R'
    else if (index < last) text += 'L'
    index = Math.floor(index / 2)
  }
  return text
}
