/** Precompiles 6 to 8: addition, multiplication and pairing check on the curve alt_bn128 (EIP-196, EIP-197). */
import { bn254 } from '@noble/curves/bn254.js'

const G1 = bn254.G1.Point
const G2 = bn254.G2.Point
type PointG1 = InstanceType<typeof G1>
type PointG2 = InstanceType<typeof G2>

const fieldPrime = bn254.fields.Fp.ORDER
const groupOrder = bn254.fields.Fr.ORDER
const pairBytes = 192

/** Thrown and caught in this file only: coordinates that are no point. */
class NoPoint extends Error {}

export function addPoints(input: Uint8Array): Uint8Array | undefined {
  return orRefuse(() => {
    const padded = pad(input, 128)
    return encodeG1(decodeG1(padded, 0).add(decodeG1(padded, 64)))
  })
}

export function multiplyPoint(input: Uint8Array): Uint8Array | undefined {
  return orRefuse(() => {
    const padded = pad(input, 96)
    const scalar = numberAt(padded, 64) % groupOrder
    const point = decodeG1(padded, 0)
    return encodeG1(scalar === 0n ? G1.ZERO : point.multiplyUnsafe(scalar))
  })
}

export function checkPairing(input: Uint8Array): Uint8Array | undefined {
  if (input.length % pairBytes !== 0) return undefined
  return orRefuse(() => {
    const pairs: { g1: PointG1; g2: PointG2 }[] = []
    for (let at = 0; at < input.length; at += pairBytes) {
      const g1 = decodeG1(input, at)
      const g2 = decodeG2(input, at + 64)
      // A pair with the neutral element contributes nothing.
      if (!g1.equals(G1.ZERO) && !g2.equals(G2.ZERO)) pairs.push({ g1, g2 })
    }
    const { Fp12 } = bn254.fields
    const isOne = pairs.length === 0 || Fp12.eql(bn254.pairingBatch(pairs), Fp12.ONE)
    const output = new Uint8Array(32)
    output[31] = isOne ? 1 : 0
    return output
  })
}

function orRefuse(work: () => Uint8Array): Uint8Array | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof NoPoint) return undefined
    throw error
  }
}

function pad(input: Uint8Array, size: number): Uint8Array {
  const padded = new Uint8Array(size)
  padded.set(input.subarray(0, size))
  return padded
}

function numberAt(bytes: Uint8Array, at: number): bigint {
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset + at, 32).toString('hex')}`)
}

function fieldAt(bytes: Uint8Array, at: number): bigint {
  const value = numberAt(bytes, at)
  if (value >= fieldPrime) throw new NoPoint()
  return value
}

function decodeG1(bytes: Uint8Array, at: number): PointG1 {
  const x = fieldAt(bytes, at)
  const y = fieldAt(bytes, at + 32)
  if (x === 0n && y === 0n) return G1.ZERO
  return checked(() => G1.fromAffine({ x, y }))
}

/** Each coordinate has its imaginary part first (EIP-197, "Encoding"). */
function decodeG2(bytes: Uint8Array, at: number): PointG2 {
  const { Fp2 } = bn254.fields
  const [x1, x0, y1, y0] = [0, 32, 64, 96].map((offset) => fieldAt(bytes, at + offset))
  if (x0 === 0n && x1 === 0n && y0 === 0n && y1 === 0n) return G2.ZERO
  const x = Fp2.fromBigTuple([x0 as bigint, x1 as bigint])
  const y = Fp2.fromBigTuple([y0 as bigint, y1 as bigint])
  return checked(() => G2.fromAffine({ x, y }))
}

/** On the curve and, on the twist, in the subgroup. */
function checked<P extends { assertValidity(): void }>(make: () => P): P {
  try {
    const point = make()
    point.assertValidity()
    return point
  } catch {
    throw new NoPoint()
  }
}

function encodeG1(point: PointG1): Uint8Array {
  const output = new Uint8Array(64)
  if (point.equals(G1.ZERO)) return output
  const { x, y } = point.toAffine()
  output.set(Buffer.from(x.toString(16).padStart(64, '0'), 'hex'), 0)
  output.set(Buffer.from(y.toString(16).padStart(64, '0'), 'hex'), 32)
  return output
}
