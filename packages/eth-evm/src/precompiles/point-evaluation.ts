/**
 * Precompile 10: that a polynomial with a KZG commitment has a value at a point (EIP-4844). Cairn's chains have no
 * blobs, but Cancun has this contract, and code may call it.
 */
import { equalBytes, fromHex, sha256 } from '@cairn/core'
import { bls12_381 } from '@noble/curves/bls12-381.js'

const G1 = bls12_381.G1.Point
const G2 = bls12_381.G2.Point
const { Fp12, Fr } = bls12_381.fields

/** Versioned hash, z, y: a word each; commitment and proof: 48 bytes each. */
const inputBytes = 192
/** [tau]_2 of the KZG ceremony. Source: consensus-specs, trusted setup of 4096 points, g2_monomial[1]. */
const tauG2 = fromHex(
  'b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72' +
    '185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2',
)
/** FIELD_ELEMENTS_PER_BLOB, then the order of the scalar field. */
const answer = fromHex(
  `${'1000'.padStart(64, '0')}73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001`,
)

export function evaluatePoint(input: Uint8Array): Uint8Array | undefined {
  if (input.length !== inputBytes) return undefined
  const commitment = input.slice(96, 144)
  const versionedHash = sha256(commitment)
  versionedHash[0] = 1
  if (!equalBytes(versionedHash, input.subarray(0, 32))) return undefined
  const z = numberAt(input, 32)
  const y = numberAt(input, 64)
  if (z >= Fr.ORDER || y >= Fr.ORDER) return undefined
  try {
    return isProven(commitment, z, y, input.slice(144, 192)) ? answer.slice() : undefined
  } catch {
    // The library throws on bytes that are no point of the group.
    return undefined
  }
}

/** e(proof, [tau - z]_2) = e(commitment - [y]_1, [1]_2). */
function isProven(commitment: Uint8Array, z: bigint, y: bigint, proof: Uint8Array): boolean {
  const times = <P extends { multiply(scalar: bigint): P }>(
    point: P,
    zero: P,
    scalar: bigint,
  ): P => (scalar === 0n ? zero : point.multiply(scalar))
  const left = pointG1(proof)
  const tauMinusZ = G2.fromBytes(tauG2).subtract(times(G2.BASE, G2.ZERO, z))
  const right = pointG1(commitment).subtract(times(G1.BASE, G1.ZERO, y))
  const pairs = [
    { g1: left.negate(), g2: tauMinusZ },
    { g1: right, g2: G2.BASE },
  ].filter(({ g1, g2 }) => !g1.equals(G1.ZERO) && !g2.equals(G2.ZERO))
  return pairs.length === 0 || Fp12.eql(bls12_381.pairingBatch(pairs), Fp12.ONE)
}

function pointG1(bytes: Uint8Array): InstanceType<typeof G1> {
  const point = G1.fromBytes(bytes)
  point.assertValidity()
  return point
}

function numberAt(bytes: Uint8Array, at: number): bigint {
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset + at, 32).toString('hex')}`)
}
