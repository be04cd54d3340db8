/** Precompile 5: base ^ exponent modulo modulus, of any size that its gas pays for (EIP-198, repriced by EIP-2565). */

const headBytes = 96

interface Lengths {
  readonly base: bigint
  readonly exponent: bigint
  readonly modulus: bigint
}

/** More than this is more gas than anybody has. */
const lengthMax = 2n ** 32n
const gasMax = 2n ** 64n

export function modexpGas(input: Uint8Array, isCheap: boolean): bigint {
  const lengths = lengthsOf(input)
  const { base, exponent, modulus } = lengths
  const longest = base > modulus ? base : modulus
  if (longest === 0n && isCheap) return 200n
  if (longest > lengthMax) return longest === 0n ? 0n : gasMax
  const iterations = iterationCount(input, base, exponent)
  if (isCheap) {
    const words = (longest + 7n) / 8n
    const gas = (words * words * iterations) / 3n
    return gas > 200n ? gas : 200n
  }
  return (complexity(longest) * iterations) / 20n
}

/** EIP-198, "Gas costs". */
function complexity(length: bigint): bigint {
  if (length <= 64n) return length * length
  if (length <= 1024n) return (length * length) / 4n + 96n * length - 3072n
  return (length * length) / 16n + 480n * length - 199_680n
}

/** The adjusted length of the exponent: its highest bit, where only its first 32 bytes are looked at. */
function iterationCount(input: Uint8Array, baseLength: bigint, exponentLength: bigint): bigint {
  const headLength = exponentLength < 32n ? Number(exponentLength) : 32
  const head =
    BigInt(headBytes) + baseLength > BigInt(input.length)
      ? 0n
      : bigintAt(input, headBytes + Number(baseLength), headLength)
  const bits = head === 0n ? 0n : BigInt(head.toString(2).length - 1)
  const count = exponentLength <= 32n ? bits : 8n * (exponentLength - 32n) + bits
  return count > 1n ? count : 1n
}

export function modexp(input: Uint8Array): Uint8Array {
  const lengths = lengthsOf(input)
  const baseLength = Number(lengths.base)
  const modulusLength = Number(lengths.modulus)
  if (modulusLength === 0) return new Uint8Array(0)
  // With neither base nor modulus any exponent length is free; with a modulus gas has bounded them all.
  const exponentLength = Number(lengths.exponent)
  const output = new Uint8Array(modulusLength)
  const modulus = bigintAt(input, headBytes + baseLength + exponentLength, modulusLength)
  if (modulus <= 1n) return output
  const base = bigintAt(input, headBytes, baseLength) % modulus
  const exponent = bigintAt(input, headBytes + baseLength, exponentLength)
  const hex = power(base, exponent, modulus).toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  output.set(bytes, modulusLength - bytes.length)
  return output
}

/** Square and multiply, four bits at a time from the top. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  if (exponent === 0n) return 1n
  if (exponent < 0x2_0000n) return shortPower(base, Number(exponent), modulus)
  const powers = [1n, base]
  for (let i = 2; i < 16; i++) powers.push(((powers[i - 1] as bigint) * base) % modulus)
  let result = 1n
  for (const digit of exponent.toString(16)) {
    for (let i = 0; i < 4; i++) result = (result * result) % modulus
    const value = Number.parseInt(digit, 16)
    if (value > 0) result = (result * (powers[value] as bigint)) % modulus
  }
  return result
}

/** Bit by bit: for an exponent like 3 or 65537 the table of powers would cost more than it saves. */
function shortPower(base: bigint, exponent: number, modulus: bigint): bigint {
  let result = base
  for (let bit = 31 - Math.clz32(exponent) - 1; bit >= 0; bit--) {
    result = (result * result) % modulus
    if ((exponent & (1 << bit)) !== 0) result = (result * base) % modulus
  }
  return result
}

function lengthsOf(input: Uint8Array): Lengths {
  return {
    base: bigintAt(input, 0, 32),
    exponent: bigintAt(input, 32, 32),
    modulus: bigintAt(input, 64, 32),
  }
}

/** Big-endian; bytes beyond the input are zero. */
function bigintAt(input: Uint8Array, offset: number, length: number): bigint {
  if (length === 0 || offset >= input.length) return 0n
  const end = Math.min(offset + length, input.length)
  const hex = Buffer.from(input.buffer, input.byteOffset + offset, end - offset).toString('hex')
  return BigInt(`0x${hex}`) << BigInt(8 * (offset + length - end))
}
