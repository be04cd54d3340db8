/** Properties over arbitrary values: codecs are inverse, hashes agree, and both agree with ion-js and ion-hash-js. */
import fc from 'fast-check'
import ionHash from 'ion-hash-js'
import * as ionJs from 'ion-js'
import { describe, expect, it } from 'vitest'
import { decodeIon, decodeIonAll } from './binary-reader.ts'
import { encodeIon, encodeIonAll } from './binary-writer.ts'
import { equalIon } from './equal.ts'
import { hashIon, hashIonBytes } from './hash.ts'
import { isLocalSymbolTable, symbolZero } from './symbol-table.ts'
import { parseIon } from './text-reader.ts'
import { formatIon } from './text-writer.ts'
import { daysInMonth, makeTimestamp, timestampFault } from './timestamp.ts'
import {
  type Annotations,
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
} from './value.ts'

const types: readonly IonType[] = [
  'null',
  'bool',
  'int',
  'float',
  'decimal',
  'timestamp',
  'symbol',
  'string',
  'clob',
  'blob',
  'list',
  'sexp',
  'struct',
]

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('\x0b', '\x0c', '\x0d', '\x0e', '"', "'", '\\', 'é'),
    maxLength: 8,
  }),
  fc.string({ unit: 'grapheme', minLength: 10, maxLength: 150 }),
  fc.constantFrom(
    '',
    'name',
    'null',
    'true',
    'nan',
    '$10',
    '$ion_1_0',
    '$ion_symbol_table',
    "'''",
    'a b',
  ),
)
const symbolText: fc.Arbitrary<SymbolText> = text
const annotations: fc.Arbitrary<Annotations> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(noAnnotations) },
  { weight: 1, arbitrary: fc.array(symbolText, { minLength: 1, maxLength: 3 }) },
)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ minLength: 100, maxLength: 200 }),
)
const int = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  fc.constantFrom(
    0,
    127,
    128,
    255,
    256,
    2n ** 53n,
    -(2n ** 53n),
    2n ** 63n,
    -(2n ** 63n),
    2n ** 64n,
  ),
)
const coefficient = fc.oneof(
  fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n }),
  fc.constantFrom(0n, 127n, -127n, 128n, -128n, 255n, 32767n, 32768n, 2n ** 47n, 2n ** 48n - 1n),
)
const exponent = fc.oneof(fc.integer({ min: -70, max: 70 }), fc.integer({ min: -9000, max: 9000 }))

const timestamp = fc
  .record({
    precision: fc.constantFrom('year', 'month', 'day', 'minute', 'second'),
    offset: fc.oneof(
      fc.constantFrom(undefined, 0, -1439, 1439, -480, 345),
      fc.integer({ min: -1439, max: 1439 }),
    ),
    year: fc.oneof(fc.integer({ min: 1, max: 9999 }), fc.constantFrom(1, 2000, 2024, 9999)),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 31 }),
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.integer({ min: 0, max: 59 }),
    second: fc.integer({ min: 0, max: 59 }),
    fraction: fc.stringMatching(/^[0-9]{0,12}$/),
    annotations,
  })
  .map((r) => {
    const rank = ['year', 'month', 'day', 'minute', 'second'].indexOf(r.precision)
    const month = rank > 0 ? r.month : 1
    const fields = {
      year: r.year,
      month,
      day: rank > 1 ? Math.min(r.day, daysInMonth(r.year, month)) : 1,
      hour: rank > 2 ? r.hour : 0,
      minute: rank > 2 ? r.minute : 0,
    }
    const second = rank > 3 ? r.second : 0
    const offset = rank > 2 ? r.offset : undefined
    return makeTimestamp(
      r.precision as 'year',
      timestampFault(fields, second, offset) === undefined ? offset : 0,
      fields,
      second,
      rank > 3 ? r.fraction.length : 0,
      rank > 3 ? BigInt(r.fraction) : 0n,
      r.annotations,
    )
  })

/** Values that ion-js and ion-hash-js can represent too. */
const { value: plainValue } = fc.letrec<{ value: IonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(fc.constantFrom(...types), annotations).map((a) => ionNull(...a)),
    fc.tuple(fc.boolean(), annotations).map((a) => ionBool(...a)),
    fc.tuple(int, annotations).map((a) => ionInt(...a)),
    fc.tuple(fc.double(), annotations).map((a) => ionFloat(...a)),
    fc.tuple(coefficient, exponent, annotations).map((a) => ionDecimal(...a)),
    fc.tuple(exponent, annotations).map((a) => ionNegativeZero(...a)),
    timestamp,
    fc.tuple(symbolText, annotations).map((a) => ionSymbol(...a)),
    fc.tuple(text, annotations).map((a) => ionString(...a)),
    fc.tuple(bytes, annotations).map((a) => ionClob(...a)),
    fc.tuple(bytes, annotations).map((a) => ionBlob(...a)),
    fc.tuple(fc.array(tie('value'), { maxLength: 6 }), annotations).map((a) => ionList(...a)),
    fc.tuple(fc.array(tie('value'), { maxLength: 6 }), annotations).map((a) => ionSexp(...a)),
    fc
      .tuple(
        fc.array(fc.record({ name: symbolText, value: tie('value') }), { maxLength: 8 }),
        annotations,
      )
      .map((a) => ionStruct(...a)),
  ),
}))

/** What a reader takes for a part of the stream cannot stand at its top level. */
function isUserValue(value: IonValue): boolean {
  if (isLocalSymbolTable(value)) return false
  return value.type !== 'symbol' || value.text !== '$ion_1_0' || value.annotations.length > 0
}
const topLevel = plainValue.filter(isUserValue)
/**
 * ion-js 5.2.1 takes system symbols for parts of the stream where they are none: `$ion_1_0` with annotations, structs
 * inside others and null.struct with the annotation `$ion_symbol_table`.
 */
const oracleValue = topLevel.filter((value) => !formatIon(value).includes('$ion_'))

/** Symbols without text, wrapped so that they may stand anywhere. */
const unknownValue = fc
  .tuple(topLevel, fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 3 }))
  .map(([value, importSid, tables]) => {
    const unknown: SymbolText = { importName: `table${tables}`, importSid }
    return ionList([
      ionSymbol(unknown),
      ionSymbol(symbolZero),
      ionStruct([{ name: unknown, value }]),
    ])
  })

const numRuns = 400

describe('round trips', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.oneof(topLevel, unknownValue), (value) => {
        const decoded = decodeIon(encodeIon(value))
        expect(decoded).toEqual(value)
        expect(equalIon(decoded, value)).toBe(true)
        expect(encodeIon(decoded)).toEqual(encodeIon(value))
      }),
      { numRuns },
    )
  })

  it('decodes several values under one symbol table', () => {
    fc.assert(
      fc.property(fc.array(topLevel, { maxLength: 5 }), (values) => {
        expect(decodeIonAll(encodeIonAll(values))).toEqual(values)
      }),
      { numRuns: 100 },
    )
  })

  it('parses what it formats, pretty or not', () => {
    fc.assert(
      fc.property(fc.oneof(topLevel, unknownValue), fc.boolean(), (value, pretty) => {
        expect(parseIon(formatIon(value, { pretty }))).toEqual(value)
      }),
      { numRuns },
    )
  })
})

describe('against ion-js and ion-hash-js', () => {
  it('writes binary that ion-js reads as the same value', () => {
    fc.assert(
      fc.property(oracleValue, (value) => {
        const ours = ionJs.load(encodeIon(value))
        const theirs = ionJs.load(formatIon(value))
        expect(ours?.ionEquals(theirs)).toBe(true)
      }),
      { numRuns },
    )
  })

  it('reads binary that ion-js writes', () => {
    fc.assert(
      fc.property(oracleValue, (value) => {
        const loaded = ionJs.load(encodeIon(value))
        // ion-js brings fields of one name together, so the order may differ.
        expect(equalIon(decodeIon(ionJs.dumpBinary(loaded)), value)).toBe(true)
      }),
      { numRuns },
    )
  })

  it('hashes a value, its encoding and the value in ion-js alike', () => {
    fc.assert(
      fc.property(oracleValue, (value) => {
        const hash = hashIon(value)
        expect(hashIonBytes(encodeIon(value))).toEqual(hash)
        const reader = ionHash.makeHashReader(
          ionJs.makeReader(encodeIon(value)),
          ionHash.cryptoHasherProvider('sha256'),
        )
        reader.next()
        reader.next()
        expect(new Uint8Array(reader.digest())).toEqual(hash)
      }),
      { numRuns },
    )
  })

  it('notices one flipped bit', () => {
    fc.assert(
      fc.property(topLevel, fc.nat(), fc.nat({ max: 7 }), (value, place, bit) => {
        const stream = encodeIon(value)
        const hash = hashIonBytes(stream)
        const index = place % stream.length
        stream[index] = (stream[index] as number) ^ (1 << bit)
        let changed: Uint8Array
        try {
          changed = hashIonBytes(stream)
        } catch {
          return
        }
        // Another encoding of the same value may come out; then the value must be the same.
        if (Buffer.compare(changed, hash) === 0) {
          expect(equalIon(decodeIon(stream), value)).toBe(true)
        } else {
          expect(equalIon(decodeIon(stream), value)).toBe(false)
        }
      }),
      { numRuns },
    )
  })
})
