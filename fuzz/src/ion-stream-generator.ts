/**
 * Binary Ion as no encoder writes it: padded lengths and numbers, padding between values, ordered structs, 32-bit
 * floats, version markers and symbol tables in the middle. Mostly valid; what is not is near to it.
 */
import type { SeededRandom } from '@cairn/testing'
import { randomText } from './ion-generator.ts'

const versionMarker = [0xe0, 0x01, 0x00, 0xea]
const depthMax = 6

/** A stream of a few values. */
export function oddIonStream(random: SeededRandom): Uint8Array {
  const out = [...versionMarker]
  const partCount = 1 + random.below(4)
  for (let i = 0; i < partCount; i++) {
    const kind = random.below(10)
    if (kind === 0) out.push(...versionMarker)
    else if (kind <= 2) out.push(...symbolTable(random))
    else out.push(...value(random, 0))
  }
  return Uint8Array.from(out)
}

/** Big-endian groups of seven bits, with zeros in front now and then. */
function varUint(random: SeededRandom, number: number): number[] {
  const out = [(number & 0x7f) | 0x80]
  for (let rest = Math.floor(number / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) {
    out.unshift(rest & 0x7f)
  }
  if (random.chance(0.05)) out.unshift(...new Array<number>(1 + random.below(4)).fill(0))
  return out
}

function typed(random: SeededRandom, type: number, content: readonly number[]): number[] {
  const isShort = content.length < 14 && random.chance(0.9)
  // A length of 1 means an ordered struct.
  if (isShort && !(type === 13 && content.length === 1)) {
    return [(type << 4) | content.length, ...content]
  }
  return [(type << 4) | 14, ...varUint(random, content.length), ...content]
}

function numberBytes(random: SeededRandom): number[] {
  const size = [0, 1, 1, 2, 4, 6, 7, 8, 12][random.below(9)] as number
  const bytes = [...random.bytes(size)]
  return random.chance(0.2) ? [0, ...bytes] : bytes
}

function symbolId(random: SeededRandom): number {
  return random.chance(0.9) ? random.below(16) : random.below(1000)
}

function timestampBytes(random: SeededRandom): number[] {
  const out = random.chance(0.5) ? [0xc0] : varUint(random, random.below(64))
  const fields = [1 + random.below(9999), 1 + random.below(13), 1 + random.below(31)]
  fields.push(random.below(24), random.below(60), random.below(60))
  for (const field of fields.slice(0, 1 + random.below(6))) out.push(...varUint(random, field))
  if (random.chance(0.3)) out.push(0xc0 | random.below(64), ...numberBytes(random))
  return out
}

function value(random: SeededRandom, depth: number): number[] {
  const kind = random.below(depth >= depthMax ? 11 : 16)
  switch (kind) {
    case 0:
      return typed(random, 0, new Array<number>(random.below(20)).fill(0))
    case 1:
      return [(random.below(14) << 4) | 15]
    case 2:
      return [0x10 | random.below(2)]
    case 3:
    case 4:
      return typed(random, random.chance(0.5) ? 2 : 3, numberBytes(random))
    case 5:
      return typed(random, 4, [...random.bytes([0, 4, 8, 8][random.below(4)] as number)])
    case 6:
      return typed(random, 5, [0x80 | random.below(128), ...numberBytes(random)])
    case 7:
      return typed(random, 6, timestampBytes(random))
    case 8:
      return typed(random, 7, random.chance(0.2) ? [0, symbolId(random)] : [symbolId(random) & 255])
    case 9:
      return typed(random, 8, [...Buffer.from(randomText(random))])
    case 10:
      return typed(random, random.chance(0.5) ? 9 : 10, [...random.bytes(random.below(20))])
    case 11:
      return typed(random, 14, annotated(random, depth))
    case 12:
      return orderedStruct(random, depth)
    case 13:
      return typed(random, 13, fields(random, depth))
    default:
      return typed(random, random.chance(0.5) ? 11 : 12, values(random, depth))
  }
}

function values(random: SeededRandom, depth: number): number[] {
  return Array.from({ length: random.below(5) }, () => value(random, depth + 1)).flat()
}

function fields(random: SeededRandom, depth: number): number[] {
  return Array.from({ length: random.below(5) }, () => [
    ...varUint(random, symbolId(random)),
    ...value(random, depth + 1),
  ]).flat()
}

function orderedStruct(random: SeededRandom, depth: number): number[] {
  const content = fields(random, depth)
  return [0xd1, ...varUint(random, content.length), ...content]
}

function annotated(random: SeededRandom, depth: number): number[] {
  const count = 1 + random.below(3)
  const annotations = Array.from({ length: count }, () => varUint(random, symbolId(random))).flat()
  return [...varUint(random, annotations.length), ...annotations, ...value(random, depth)]
}

function symbolTable(random: SeededRandom): number[] {
  const content: number[] = []
  if (random.chance(0.4)) content.push(0x86, ...importsValue(random))
  const texts = Array.from({ length: random.below(6) }, () =>
    random.chance(0.9) ? typed(random, 8, [...Buffer.from(randomText(random))]) : [0x0f],
  ).flat()
  content.push(0x87, ...typed(random, 11, texts))
  return typed(random, 14, [0x81, 0x83, ...typed(random, 13, content)])
}

/** `$ion_symbol_table`, or a list of imports whose tables are not at hand. */
function importsValue(random: SeededRandom): number[] {
  if (random.chance(0.5)) return [0x71, 0x03]
  const one = (): number[] =>
    typed(random, 13, [
      0x84,
      ...typed(random, 8, [...Buffer.from(randomText(random))]),
      0x88,
      ...typed(random, 2, [...random.bytes(1 + random.below(random.chance(0.2) ? 7 : 1))]),
    ])
  return typed(random, 11, Array.from({ length: random.below(3) }, one).flat())
}
