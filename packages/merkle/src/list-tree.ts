/** Trees over a list that is at hand as a whole: a block's revisions, its entries. Shape as in merkle-tree.ts. */
import { ProofError } from './errors.ts'
import { qldbHasher, type TreeHasher } from './hasher.ts'

/** The root over `hashes` in their order. A list of one is its own root, an empty list has `hasher.empty`. */
export function listRoot(hasher: TreeHasher, hashes: readonly Uint8Array[]): Uint8Array {
  const a = hashes[0]
  const b = hashes[1]
  const c = hashes[2]
  // Most blocks have one revision and three entries.
  if (a === undefined) return hasher.empty
  if (b === undefined) return a
  if (c === undefined) return hasher.node(a, b)
  if (hashes.length === 3) return hasher.node(hasher.node(a, b), c)
  let level = hashes
  while (level.length > 1) level = parents(hasher, level)
  return level[0] as Uint8Array
}

/** QLDB's MerkleRoot: `listRoot` with the dot operator; zero bytes for an empty list. */
export function merkleRoot(hashes: readonly Uint8Array[]): Uint8Array {
  return listRoot(qldbHasher, hashes)
}

/**
 * Siblings of the hash at `index`, from the leaf up.
 * @throws ProofError INDEX_OUT_OF_RANGE
 */
export function listProof(
  hashes: readonly Uint8Array[],
  index: number,
  hasher: TreeHasher = qldbHasher,
): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= hashes.length) {
    throw new ProofError(
      { code: 'INDEX_OUT_OF_RANGE', index, size: hashes.length },
      { shortMessage: `A list of ${hashes.length} hashes has none at ${index}.` },
    )
  }
  const siblings: Uint8Array[] = []
  let level = hashes
  for (let i = index; level.length > 1; i = i >> 1) {
    const sibling = level[i ^ 1]
    if (sibling !== undefined) siblings.push(sibling)
    level = parents(hasher, level)
  }
  return siblings
}

function parents(hasher: TreeHasher, level: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = []
  const last = level.length - 1
  for (let i = 0; i < last; i += 2) {
    out.push(hasher.node(level[i] as Uint8Array, level[i + 1] as Uint8Array))
  }
  if (last % 2 === 0) out.push(level[last] as Uint8Array)
  return out
}
