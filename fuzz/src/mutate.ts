/** Mutations of bytes: what breaks parsers of lengths, of tokens and of nesting. Every choice comes from the seed. */
import type { SeededRandom } from '@cairn/testing'

/** Mutants are cut here, so that a corpus does not grow without end. Large inputs have tests of their own. */
export const mutantBytesMax = 8192

/** Bytes that mean something at the ends of ranges. */
const edgeBytes = [0x00, 0x01, 0x0d, 0x0e, 0x0f, 0x7f, 0x80, 0x8e, 0xfe, 0xff]
const edgeNumbers = [
  '0',
  '-0',
  '1e308',
  '1e-400',
  '9007199254740993',
  '-9223372036854775808',
  '18446744073709551616',
  '1d2147483647',
  '1d-2147483648',
  '1e99999',
  '99999999999999999999999999999999999999999',
  '0x7fffffff',
  'nan',
  '-inf',
]
const pairs = [
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
  ['<<', '>>'],
  ['{a:', '}'],
  ['{"a":', '}'],
  ['(SELECT VALUE ', ')'],
  ['-', ''],
  ['NOT ', ''],
  ['a::', ''],
] as const

type Mutation = (input: Uint8Array, random: SeededRandom, others: Others) => Uint8Array

/** What mutations may take from. */
export interface Others {
  readonly corpus: readonly Uint8Array[]
  readonly dictionary: readonly Uint8Array[]
}

/** A mutant of `input`: one to eight mutations on top of each other. */
export function mutate(input: Uint8Array, random: SeededRandom, others: Others): Uint8Array {
  let mutant = input
  const count = 1 + Math.min(random.below(4), random.below(8))
  for (let i = 0; i < count; i++) {
    const mutation = mutations[random.below(mutations.length)] as Mutation
    mutant = mutation(mutant, random, others)
  }
  return mutant.length > mutantBytesMax ? mutant.subarray(0, mutantBytesMax) : mutant
}

const mutations: readonly Mutation[] = [
  flipBit,
  flipBit,
  setEdgeByte,
  addToByte,
  setRandomByte,
  insertToken,
  insertToken,
  overwriteWithToken,
  insertEdgeNumber,
  removeRange,
  removeRange,
  repeatRange,
  swapRanges,
  splice,
  truncate,
  nest,
]

function replaced(input: Uint8Array, start: number, end: number, middle: Uint8Array): Uint8Array {
  const out = new Uint8Array(start + middle.length + input.length - end)
  out.set(input.subarray(0, start))
  out.set(middle, start)
  out.set(input.subarray(end), start + middle.length)
  return out
}

const nothing = new Uint8Array(0)

function changedByte(
  input: Uint8Array,
  random: SeededRandom,
  change: (byte: number) => number,
): Uint8Array {
  if (input.length === 0) return input
  const out = input.slice()
  const at = random.below(out.length)
  out[at] = change(out[at] as number)
  return out
}

function flipBit(input: Uint8Array, random: SeededRandom): Uint8Array {
  return changedByte(input, random, (byte) => byte ^ (1 << random.below(8)))
}

function setEdgeByte(input: Uint8Array, random: SeededRandom): Uint8Array {
  return changedByte(input, random, () => edgeBytes[random.below(edgeBytes.length)] as number)
}

/** Small changes meet length fields, in whole bytes and in the low nibbles of type descriptors. */
function addToByte(input: Uint8Array, random: SeededRandom): Uint8Array {
  return changedByte(input, random, (byte) => byte + random.below(9) - 4)
}

function setRandomByte(input: Uint8Array, random: SeededRandom): Uint8Array {
  return changedByte(input, random, () => random.below(256))
}

function tokenOf(random: SeededRandom, { dictionary }: Others): Uint8Array {
  return dictionary[random.below(dictionary.length)] ?? nothing
}

function insertToken(input: Uint8Array, random: SeededRandom, others: Others): Uint8Array {
  const at = random.below(input.length + 1)
  return replaced(input, at, at, tokenOf(random, others))
}

function overwriteWithToken(input: Uint8Array, random: SeededRandom, others: Others): Uint8Array {
  const token = tokenOf(random, others)
  const at = random.below(input.length + 1)
  return replaced(input, at, Math.min(input.length, at + token.length), token)
}

function insertEdgeNumber(input: Uint8Array, random: SeededRandom): Uint8Array {
  const at = random.below(input.length + 1)
  const text = edgeNumbers[random.below(edgeNumbers.length)] ?? ''
  return replaced(input, at, at, Buffer.from(text))
}

function rangeOf(input: Uint8Array, random: SeededRandom): [start: number, end: number] {
  const start = random.below(input.length + 1)
  const size = 1 << random.below(7)
  return [start, Math.min(input.length, start + random.below(size) + 1)]
}

function removeRange(input: Uint8Array, random: SeededRandom): Uint8Array {
  const [start, end] = rangeOf(input, random)
  return replaced(input, start, end, nothing)
}

function repeatRange(input: Uint8Array, random: SeededRandom): Uint8Array {
  const [start, end] = rangeOf(input, random)
  const piece = input.subarray(start, end)
  const count = 1 + random.below(random.chance(0.1) ? 64 : 4)
  const repeated = new Uint8Array(piece.length * count)
  for (let i = 0; i < count; i++) repeated.set(piece, i * piece.length)
  return replaced(input, end, end, repeated)
}

function swapRanges(input: Uint8Array, random: SeededRandom): Uint8Array {
  const [start, end] = rangeOf(input, random)
  const piece = input.slice(start, end)
  const rest = replaced(input, start, end, nothing)
  const at = random.below(rest.length + 1)
  return replaced(rest, at, at, piece)
}

function splice(input: Uint8Array, random: SeededRandom, { corpus }: Others): Uint8Array {
  const other = corpus[random.below(corpus.length)] ?? nothing
  const [start, end] = [random.below(other.length + 1), random.below(other.length + 1)]
  const piece = other.subarray(Math.min(start, end), Math.max(start, end))
  const at = random.below(input.length + 1)
  const until = random.chance(0.5) ? at : input.length
  return replaced(input, at, until, piece)
}

function truncate(input: Uint8Array, random: SeededRandom): Uint8Array {
  return input.subarray(0, random.below(input.length + 1))
}

/** Wraps a range, or nothing, in many levels of one pair of brackets. */
function nest(input: Uint8Array, random: SeededRandom): Uint8Array {
  const [start, end] = rangeOf(input, random)
  const [open, close] = pairs[random.below(pairs.length)] ?? ['(', ')']
  const depth = 1 + random.below(random.chance(0.1) ? 300 : 6)
  const middle = Buffer.concat([
    Buffer.from(open.repeat(depth)),
    input.subarray(start, end),
    Buffer.from(random.chance(0.9) ? close.repeat(depth) : ''),
  ])
  return replaced(input, start, end, middle)
}
