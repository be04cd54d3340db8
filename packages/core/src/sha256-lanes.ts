/**
 * SHA-256 (FIPS 180-4) of four messages at a time in WebAssembly SIMD, for callers that hash many short ones: struct
 * fields, tree nodes. The module is assembled here, so there is no build step and no binary to trust. Longer or
 * single messages are better off with sha256.ts, as is a platform without SIMD.
 */

/** Largest memory a caller may ask for. */
const memoryBytesMax = 16 * 1024 * 1024
const pageBytesSize = 65_536
export const laneCount = 4
export const blockBytesSize = 64

// Memory: round constants, arguments, state, message schedule, then what belongs to the caller.
const constantsAt = 0
const pointersAt = 256
const countsAt = 272
const stateAt = 288
const scheduleAt = 512
/** First byte that belongs to the caller. */
export const lanesDataStart = 1536

export interface Sha256Lanes {
  /** The memory; messages go at `lanesDataStart` or behind. */
  readonly bytes: Uint8Array
  /**
   * Digests after `run` as numbers, of which the order is that of the digests: word `w` of lane `l` is
   * `words[stateIndex + 4 * w + l]`.
   */
  readonly words: Uint32Array
  readonly stateIndex: number
  /** Arguments of `run`: where each lane's padded message starts, in bytes. */
  readonly arguments: Int32Array
  readonly pointerIndex: number
  /** And how many blocks of 64 bytes it has; 0 for a lane not used. */
  readonly countIndex: number
  /** Hashes. @param blockCountMax The greatest of the four counts. */
  run(blockCountMax: number): void
}

/** The parts of WebAssembly used here; the compiler's own types for it come with the DOM, which core does without. */
interface WebAssemblyLike {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Record<string, unknown> }
}

/** @returns undefined where WebAssembly with SIMD is not to be had (old browsers, strict content policies). */
export function createSha256Lanes(bytesSize: number): Sha256Lanes | undefined {
  const { WebAssembly } = globalThis as { WebAssembly?: WebAssemblyLike }
  if (WebAssembly === undefined || bytesSize > memoryBytesMax) return undefined
  let exports: Record<string, unknown>
  try {
    const pageCount = Math.ceil(bytesSize / pageBytesSize)
    exports = new WebAssembly.Instance(new WebAssembly.Module(assemble(pageCount))).exports
  } catch {
    return undefined
  }
  const { buffer } = exports['memory'] as { readonly buffer: ArrayBuffer }
  const words = new Uint32Array(buffer)
  words.set(roundConstants, constantsAt / 4)
  return {
    bytes: new Uint8Array(buffer),
    words,
    stateIndex: stateAt / 4,
    arguments: new Int32Array(buffer),
    pointerIndex: pointersAt / 4,
    countIndex: countsAt / 4,
    run: exports['run'] as (blockCountMax: number) => void,
  }
}

// FIPS 180-4, 4.2.2 and 5.3.3: fractional parts of cube and square roots of the first primes, by exact integer roots.
function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = []
  for (let n = 2n; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0n)) primes.push(n)
  }
  return primes
}

/** The first 32 bits behind the point of the `degree`-th root of `value`. */
function rootFraction(value: bigint, degree: bigint): number {
  const target = value << (32n * degree)
  let low = 0n
  let high = 1n << 40n
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (middle ** degree <= target) low = middle
    else high = middle
  }
  return Number(low & 0xffff_ffffn)
}

const roundConstants: readonly number[] = firstPrimes(64).map((prime) => rootFraction(prime, 3n))
const initialState: readonly number[] = firstPrimes(8).map((prime) => rootFraction(prime, 2n))

// The assembler: each function gives the bytes of some instructions. Operands come before their operator.
type Code = readonly number[]

function leb(value: number): Code {
  const out: number[] = []
  let rest = value
  while (rest > 0x7f) {
    out.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return [...out, rest]
}

/** Signed LEB128, for constants of at least 0. */
function int(value: number): Code {
  const out: number[] = []
  let rest = value
  while (rest > 0x3f) {
    out.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return [0x41, ...out, rest]
}

const get = (local: number): Code => [0x20, local]
const set = (local: number, value: Code): Code => [...value, 0x21, local]
const simd = (operation: number, ...operands: Code[]): Code => [
  ...operands.flat(),
  0xfd,
  ...leb(operation),
]
const add = (a: Code, b: Code): Code => simd(0xae, a, b)
const xor = (a: Code, b: Code): Code => simd(0x51, a, b)
const bitselect = (a: Code, b: Code, mask: Code): Code => simd(0x52, a, b, mask)
const shiftRight = (a: Code, bits: number): Code => simd(0xad, a, int(bits))
const rotateRight = (a: Code, bits: number): Code =>
  simd(0x50, shiftRight(a, bits), simd(0xab, a, int(32 - bits)))
const load = (address: Code, offset: number): Code => [...simd(0x00, address), 4, ...leb(offset)]
const loadSplat = (address: Code, offset: number): Code => [
  ...simd(0x09, address),
  2,
  ...leb(offset),
]
const store = (address: Code, offset: number, value: Code): Code => [
  ...simd(0x0b, address, value),
  4,
  ...leb(offset),
]
const loadInt = (offset: number): Code => [...int(0), 0x28, 2, ...leb(offset)]
const addInt = (local: number, amount: number): Code =>
  set(local, [...get(local), ...int(amount), 0x6a])
/** Repeats `body` while the number in `local` is below `limit`. */
const loopBelow = (local: number, limit: Code, body: Code): Code => [
  ...[0x03, 0x40, ...body],
  ...[...get(local), ...limit, 0x49, 0x0d, 0, 0x0b],
]
/** A vector with the 32 bits of `value` in each lane. */
const splat = (value: number): Code => {
  const word = [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
  return [0xfd, 0x0c, ...word, ...word, ...word, ...word]
}

// Locals of `run`: its parameter, six numbers, nine vectors.
const blockCountMaxLocal = 0
const blockLocal = 1
const laneLocal = (lane: number): number => 2 + lane
const cursorLocal = 6
const constantLocal = 7
const workLocal = (index: number): number => 8 + index
const sumLocal = 16
const base = int(0)

/** Word `index` of the block, one lane per message, from big-endian bytes. */
function gatherWord(index: number): Code {
  let vector = splat(0)
  for (let lane = 0; lane < laneCount; lane++) {
    vector = [...simd(0x56, get(laneLocal(lane)), vector), 2, ...leb(4 * index), lane]
  }
  const reversal = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]
  const swapped = [...simd(0x0d, set(sumLocal, vector), get(sumLocal), get(sumLocal)), ...reversal]
  return store(base, scheduleAt + 16 * index, swapped)
}

/** The next word of the message schedule, for which the cursor stands sixteen words back. FIPS 180-4, 6.2.2. */
function extendSchedule(): Code {
  const word = (index: number): Code => load(get(cursorLocal), 16 * index)
  const sigma = (a: Code, r1: number, r2: number, shift: number): Code =>
    xor(xor(rotateRight(a, r1), rotateRight(a, r2)), shiftRight(a, shift))
  const sum = add(add(word(0), word(9)), add(sigma(word(1), 7, 18, 3), sigma(word(14), 17, 19, 10)))
  return [...store(get(cursorLocal), 256, sum), ...addInt(cursorLocal, 16)]
}

/** One round; the working variables change their names instead of their places, so eight rounds make a turn. */
function round(index: number): Code {
  const local = (name: number): number => workLocal((name - index + 16) % 8)
  const [a, b, c, e, f, g, h] = [0, 1, 2, 4, 5, 6, 7].map((name) => get(local(name))) as [
    Code,
    Code,
    Code,
    Code,
    Code,
    Code,
    Code,
  ]
  const sum = (x: Code, r1: number, r2: number, r3: number): Code =>
    xor(xor(rotateRight(x, r1), rotateRight(x, r2)), rotateRight(x, r3))
  const input = add(
    loadSplat(get(constantLocal), constantsAt + 4 * index),
    load(get(cursorLocal), 16 * index),
  )
  const first = add(add(h, input), add(sum(e, 6, 11, 25), bitselect(f, g, e)))
  const majority = bitselect(c, a, xor(a, b))
  return [
    ...set(sumLocal, first),
    ...set(local(3), add(get(local(3)), get(sumLocal))),
    ...set(local(7), add(get(sumLocal), add(sum(a, 2, 13, 22), majority))),
  ]
}

/** Adds the working variables to the state of those lanes whose message has this block. */
function updateState(index: number): Code {
  const old = load(base, stateAt + 16 * index)
  const isActive = simd(0x3b, load(base, countsAt), simd(0x11, get(blockLocal)))
  const sum = add(get(workLocal(index)), old)
  return store(base, stateAt + 16 * index, bitselect(sum, old, isActive))
}

function range(count: number, code: (index: number) => Code): Code {
  return Array.from({ length: count }, (_, index) => code(index)).flat()
}

function runBody(): Code {
  const rounds = [...range(8, round), ...addInt(cursorLocal, 128), ...addInt(constantLocal, 32)]
  const block = [
    ...range(16, gatherWord),
    ...set(cursorLocal, int(scheduleAt)),
    ...loopBelow(cursorLocal, int(scheduleAt + 48 * 16), extendSchedule()),
    ...range(8, (index) => set(workLocal(index), load(base, stateAt + 16 * index))),
    ...set(cursorLocal, int(scheduleAt)),
    ...set(constantLocal, int(0)),
    ...loopBelow(cursorLocal, int(scheduleAt + 64 * 16), rounds),
    ...range(8, updateState),
    ...range(laneCount, (lane) => addInt(laneLocal(lane), blockBytesSize)),
    ...addInt(blockLocal, 1),
  ]
  return [
    ...range(8, (index) => store(base, stateAt + 16 * index, splat(initialState[index] as number))),
    ...range(laneCount, (lane) => set(laneLocal(lane), loadInt(pointersAt + 4 * lane))),
    ...loopBelow(blockLocal, get(blockCountMaxLocal), block),
  ]
}

const text = (value: string): Code => [
  value.length,
  ...Array.from(value, (one) => one.charCodeAt(0)),
]
const section = (id: number, content: Code): Code => [id, ...leb(content.length), ...content]

/** The module: one function `run(i32)` and its memory of `pageCount` pages. */
function assemble(pageCount: number): Uint8Array {
  // Two groups of locals: seven i32 (0x7f), nine v128 (0x7b).
  const body = [...[2, 7, 0x7f, 9, 0x7b], ...runBody(), 0x0b]
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 1, ...leb(pageCount), ...leb(pageCount)]),
    ...section(7, [2, ...text('memory'), 2, 0, ...text('run'), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ])
}
