/**
 * Checking proofs: RFC 6962 inclusion and consistency with the hasher as a parameter, and QLDB's bare fold.
 * A fold shows only that 32 bytes occur somewhere below a digest; a position needs a tree size that is trusted.
 */
import { hashBytesSize } from '@cairn/core'
import { ProofError } from './errors.ts'
import { dot, type TreeHasher } from './hasher.ts'

/**
 * The root that `proof` leads to when `leaf` stands at `index` of `size` leaves; the caller compares it.
 * @throws ProofError INDEX_OUT_OF_RANGE, SIZE_OUT_OF_RANGE, PROOF_LENGTH, HASH_LENGTH
 */
export function rootFromInclusion(
  hasher: TreeHasher,
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Uint8Array {
  checkRange(index, size)
  checkHashes(leaf, proof)
  // Division and not `>>`: sizes go up to 2^53 - 1, shifts work on 32 bits.
  let place = index
  let last = size - 1
  let root = leaf
  for (const sibling of proof) {
    if (last === 0) throw proofLength(proof, size)
    if (place % 2 === 1 || place === last) {
      root = hasher.node(sibling, root)
      while (place % 2 === 0 && place !== 0) {
        place /= 2
        last = Math.floor(last / 2)
      }
    } else {
      root = hasher.node(root, sibling)
    }
    place = Math.floor(place / 2)
    last = Math.floor(last / 2)
  }
  if (last !== 0) throw proofLength(proof, size)
  return root
}

/**
 * Both roots that `proof` leads to, `[old, new]`; the caller compares each with the root it knows.
 * @param oldSize From 1. The empty tree is a prefix of every tree and there is nothing to check.
 * @throws ProofError SIZE_OUT_OF_RANGE, PROOF_LENGTH, HASH_LENGTH
 */
export function rootsFromConsistency(
  hasher: TreeHasher,
  oldSize: number,
  newSize: number,
  oldRoot: Uint8Array,
  proof: readonly Uint8Array[],
): [oldRoot: Uint8Array, newRoot: Uint8Array] {
  if (!Number.isSafeInteger(newSize) || newSize < 1) throw sizeOutOfRange(newSize)
  if (!Number.isSafeInteger(oldSize) || oldSize < 1 || oldSize > newSize) {
    throw sizeOutOfRange(oldSize, newSize)
  }
  checkHashes(oldRoot, proof)
  if (oldSize === newSize) {
    if (proof.length > 0) throw proofLength(proof, newSize)
    return [oldRoot, oldRoot]
  }
  let place = oldSize - 1
  let last = newSize - 1
  while (place % 2 === 1) {
    place = (place - 1) / 2
    last = Math.floor(last / 2)
  }
  // A power of two, and only that, leaves nothing: the old root is then itself a node of the new tree.
  const isOldRootANode = place === 0
  const first = isOldRootANode ? oldRoot : proof[0]
  if (first === undefined) throw proofLength(proof, newSize)
  let before = first
  let after = first
  for (let i = isOldRootANode ? 0 : 1; i < proof.length; i++) {
    const sibling = proof[i] as Uint8Array
    if (last === 0) throw proofLength(proof, newSize)
    if (place % 2 === 1 || place === last) {
      before = hasher.node(sibling, before)
      after = hasher.node(sibling, after)
      while (place % 2 === 0 && place !== 0) {
        place /= 2
        last = Math.floor(last / 2)
      }
    } else {
      after = hasher.node(after, sibling)
    }
    place = Math.floor(place / 2)
    last = Math.floor(last / 2)
  }
  if (last !== 0) throw proofLength(proof, newSize)
  return [before, after]
}

/**
 * Number of hashes in the inclusion proof of leaf `index` of `size`.
 * @throws ProofError INDEX_OUT_OF_RANGE, SIZE_OUT_OF_RANGE
 */
export function inclusionProofLength(index: number, size: number): number {
  checkRange(index, size)
  let count = 0
  let place = index
  for (let last = size - 1; last > 0; last = Math.floor(last / 2)) {
    if (place % 2 === 1 || place < last) count++
    place = Math.floor(place / 2)
  }
  return count
}

/**
 * Folds a QLDB proof with the dot operator, as QLDB's own samples do. Whatever it gives, it says nothing about the
 * position, size or meaning of `leaf`.
 * @throws ProofError HASH_LENGTH
 */
export function foldProof(leaf: Uint8Array, proof: readonly Uint8Array[]): Uint8Array {
  checkHashes(leaf, proof)
  let root = leaf
  for (const sibling of proof) root = dot(root, sibling)
  return root
}

function checkRange(index: number, size: number): void {
  if (!Number.isSafeInteger(size) || size < 1) throw sizeOutOfRange(size)
  if (Number.isSafeInteger(index) && index >= 0 && index < size) return
  throw new ProofError(
    { code: 'INDEX_OUT_OF_RANGE', index, size },
    { shortMessage: `A tree of ${size} leaves has no leaf ${index}.` },
  )
}

/** An empty hash would be neutral in a fold, so that a proof could be padded at will. */
function checkHashes(start: Uint8Array, proof: readonly Uint8Array[]): void {
  if (start.length !== hashBytesSize) throw hashLength(-1, start.length)
  for (let i = 0; i < proof.length; i++) {
    const bytes = (proof[i] as Uint8Array).length
    if (bytes !== hashBytesSize) throw hashLength(i, bytes)
  }
}

function hashLength(position: number, bytes: number): ProofError {
  const subject = position < 0 ? 'The hash a proof starts from' : `Hash ${position} of the proof`
  return new ProofError(
    { code: 'HASH_LENGTH', position, bytes },
    { shortMessage: `${subject} has ${bytes} bytes; a SHA-256 hash has ${hashBytesSize}.` },
  )
}

function sizeOutOfRange(size: number, sizeMax: number = Number.MAX_SAFE_INTEGER): ProofError {
  return new ProofError(
    { code: 'SIZE_OUT_OF_RANGE', size, sizeMax },
    { shortMessage: `A tree of ${size} leaves is not one from 1 to ${sizeMax}.` },
  )
}

function proofLength(proof: readonly Uint8Array[], size: number): ProofError {
  return new ProofError(
    { code: 'PROOF_LENGTH', count: proof.length, size },
    { shortMessage: `A proof of ${proof.length} hashes does not fit a tree of ${size} leaves.` },
  )
}
