/** Ion values of every type and of many extremes, drawn from a seed. */
import {
  fractionDigitsMax,
  type IonTimestamp,
  type IonType,
  type IonValue,
  ionBlob,
  ionBool,
  ionClob,
  ionDecimal,
  ionFloat,
  ionInt,
  ionList,
  ionNegativeZero,
  ionNull,
  ionSexp,
  ionString,
  ionStruct,
  ionSymbol,
  noAnnotations,
  type SymbolText,
  type TimestampPrecision,
} from '@cairn/ion'
import type { SeededRandom } from '@cairn/testing'

const nullTypes: readonly IonType[] = [
  ...(['null', 'bool', 'int', 'float', 'decimal', 'timestamp', 'symbol'] as const),
  ...(['string', 'clob', 'blob', 'list', 'sexp', 'struct'] as const),
]
const texts = [
  '',
  'a',
  'VIN',
  'name',
  '$ion_1_0',
  '$0',
  'null',
  'nan',
  '+',
  "it's",
  '"',
  '\\',
  '\n',
]
const moreTexts = ['é', '🙂', '\u0000', '\u2028', '\ud7ff\ue000', 'x'.repeat(13), 'y'.repeat(300)]
const floats = [0, -0, 1.5, 1e308, 5e-324, 0.1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]
const exponents = [0, 0, -1, -2, 1, 5, -400, 6143, 2 ** 31 - 1, -(2 ** 31 - 1)]
const precisions: readonly TimestampPrecision[] = ['year', 'month', 'day', 'minute', 'second']

export function randomText(random: SeededRandom): string {
  const pool = random.chance(0.7) ? texts : moreTexts
  return (pool[random.below(pool.length)] ?? '') + (random.chance(0.1) ? random.below(1000) : '')
}

function randomSymbol(random: SeededRandom): SymbolText {
  return random.chance(0.05) ? { importName: undefined, importSid: 0 } : randomText(random)
}

function randomBigint(random: SeededRandom): bigint {
  const bits = [8, 16, 31, 32, 53, 54, 63, 64, 128, 900][random.below(10)] as number
  const edge = (1n << BigInt(bits)) - BigInt(random.below(3))
  return random.chance(0.5) ? edge : -edge
}

function randomTimestamp(random: SeededRandom): IonTimestamp {
  const precision = precisions[random.below(precisions.length)] ?? 'day'
  const level = precisions.indexOf(precision)
  const isExact = precision === 'second' && random.chance(0.5)
  const fractionDigits = isExact ? ([1, 3, 9, fractionDigitsMax][random.below(4)] as number) : 0
  return {
    type: 'timestamp',
    precision,
    offsetMinutes: level >= 3 ? [undefined, 0, 60, -1439, 1439][random.below(5)] : undefined,
    year: [2, 1970, 2024, 9998][random.below(4)] as number,
    month: level >= 1 ? 1 + random.below(12) : 1,
    day: level >= 2 ? 1 + random.below(28) : 1,
    hour: level >= 3 ? random.below(24) : 0,
    minute: level >= 3 ? random.below(60) : 0,
    second: level >= 4 ? random.below(60) : 0,
    fractionDigits,
    fractionCoefficient: fractionDigits > 0 ? BigInt(random.below(10)) : 0n,
    annotations: noAnnotations,
  }
}

/** @param budget Values left to make, shared by a whole tree. */
export function randomIon(random: SeededRandom, budget: { left: number }, depth = 0): IonValue {
  budget.left--
  const annotations = random.chance(0.05)
    ? Array.from({ length: 1 + random.below(3) }, () => randomSymbol(random))
    : noAnnotations
  const kind = random.below(depth > 8 || budget.left <= 0 ? 10 : 16)
  const items = (): IonValue[] =>
    Array.from({ length: Math.min(budget.left, random.below(5)) }, () =>
      randomIon(random, budget, depth + 1),
    )
  switch (kind) {
    case 0:
      return ionNull(nullTypes[random.below(nullTypes.length)], annotations)
    case 1:
      return ionBool(random.chance(0.5), annotations)
    case 2:
      return ionInt(random.below(100_000) - 50_000, annotations)
    case 3:
      return ionInt(randomBigint(random), annotations)
    case 4:
      return ionFloat(floats[random.below(floats.length)] ?? 0, annotations)
    case 5: {
      const exponent = exponents[random.below(exponents.length)] ?? 0
      if (random.chance(0.1)) return ionNegativeZero(exponent, annotations)
      return ionDecimal(
        random.chance(0.5) ? BigInt(random.below(1000)) : randomBigint(random),
        exponent,
        annotations,
      )
    }
    case 6:
      return { ...randomTimestamp(random), annotations }
    case 7:
      return ionSymbol(randomSymbol(random), annotations)
    case 8:
      return ionString(randomText(random), annotations)
    case 9: {
      const bytes = random.bytes(random.below(20))
      return random.chance(0.5) ? ionBlob(bytes, annotations) : ionClob(bytes, annotations)
    }
    case 10:
    case 11:
      return ionList(items(), annotations)
    case 12:
      return ionSexp(items(), annotations)
    default:
      return ionStruct(
        items().map((value) => ({ name: randomSymbol(random), value })),
        annotations,
      )
  }
}

/** A tree of 1 to `countMax` values, small ones more often. No symbol stands alone: as `$ion_1_0` it has no form. */
export function randomIonTree(random: SeededRandom, countMax = 60): IonValue {
  const value = randomIon(random, { left: 1 + random.below(1 + random.below(countMax)) })
  return value.type === 'symbol' ? ionList([value]) : value
}
