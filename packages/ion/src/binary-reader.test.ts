/** Binary reader and writer: refusals, bounds, symbol tables, the shortest form. */
import { fromHex, toHex } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { decodeIon, decodeIonAll } from './binary-reader.ts'
import { encodeIon, encodeIonAll } from './binary-writer.ts'
import { IonError } from './errors.ts'
import { hashIon, hashIonBytes } from './hash.ts'
import { nestingDepthMax } from './limits.ts'
import { ionCatalog } from './symbol-table.ts'
import { parseIon, parseIonAll } from './text-reader.ts'
import {
  type IonValue,
  ionDecimal,
  ionInt,
  ionList,
  ionString,
  ionStruct,
  ionSymbol,
} from './value.ts'

/** A stream from hexadecimal without its version marker. */
function stream(hex: string): Uint8Array {
  return fromHex(`e00100ea${hex.replaceAll(' ', '')}`)
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof IonError) return error.code
    throw error
  }
  return 'none'
}

function nested(depth: number): IonValue {
  let value: IonValue = ionInt(1)
  for (let i = 0; i < depth; i++) value = ionList([value])
  return value
}

describe('decodeIon', () => {
  it('refuses what is not exactly one value', () => {
    expect(codeOf(() => decodeIon(stream('')))).toBe('VALUE_COUNT')
    expect(codeOf(() => decodeIon(stream('0f 0f')))).toBe('VALUE_COUNT')
    expect(codeOf(() => decodeIon(stream('00 01 ff')))).toBe('VALUE_COUNT')
    expect(decodeIon(stream('00 0f 01 ff e00100ea'))).toEqual(parseIon('null'))
  })

  it('refuses a stream without the version marker', () => {
    for (const hex of ['', 'e0', '0f', 'e00101ea0f', 'e00100eb0f', '7b7d']) {
      expect(codeOf(() => decodeIon(fromHex(hex)))).toBe('BINARY_INVALID')
    }
  })

  it('refuses every truncation of a document', () => {
    const whole = encodeIon(
      parseIon(
        '{id:"x", at:2020-01-01T00:00:00.123Z, n:[1, 2.50, 3e0], blob:{{aGVsbG8=}}, s:a::b}',
      ),
    )
    for (let size = 0; size < whole.length; size++) {
      const code = codeOf(() => decodeIon(whole.slice(0, size)))
      expect(['BINARY_INVALID', 'VALUE_COUNT']).toContain(code)
      expect(codeOf(() => hashIonBytes(whole.slice(0, size)))).toBe(code)
    }
  })

  it('refuses lengths beyond the bytes at hand without allocating them', () => {
    for (const hex of [
      '2e 7f7f7fff',
      '8e 7f7f7f7f7f7fff',
      'be 00ff',
      'ae 7f7f7f7f7f7f7f7f7f7fff',
      'b4 8f 61 62 63',
      '8e',
      '8e 01',
      'de 84 84 21',
    ]) {
      expect(['BINARY_INVALID', 'LIMIT']).toContain(codeOf(() => decodeIon(stream(hex))))
      expect(['BINARY_INVALID', 'LIMIT']).toContain(codeOf(() => hashIonBytes(stream(hex))))
    }
  })

  it('bounds nesting, in binary, text and hash alike', () => {
    const deepest = nested(nestingDepthMax)
    expect(decodeIon(encodeIon(deepest))).toEqual(deepest)
    expect(hashIonBytes(encodeIon(deepest))).toEqual(hashIon(deepest))
    expect(codeOf(() => encodeIon(nested(nestingDepthMax + 1)))).toBe('LIMIT')
    expect(codeOf(() => hashIon(nested(nestingDepthMax + 1)))).toBe('LIMIT')
    // Lists within lists, each as long as all that is left.
    const size = 100_000
    const bomb: number[] = []
    for (let left = size; left > 0; left -= 5) {
      bomb.push(0xbe, 0, (left >> 14) & 0x7f, (left >> 7) & 0x7f, 0x80 | (left & 0x7f))
    }
    const bytes = Uint8Array.from([0xe0, 1, 0, 0xea, ...bomb, ...new Array(size + 5).fill(0x0f)])
    expect(codeOf(() => decodeIon(bytes))).toBe('LIMIT')
    expect(codeOf(() => hashIonBytes(bytes))).toBe('LIMIT')
    expect(codeOf(() => parseIon('['.repeat(size)))).toBe('LIMIT')
    expect(codeOf(() => parseIon('{a:('.repeat(size)))).toBe('LIMIT')
  })

  it('refuses symbol ids beyond the table', () => {
    for (const hex of ['71 0a', 'd2 8a 0f', 'e3 81 8a 0f', '77 ff ff ff ff ff ff ff', '72 01 00']) {
      expect(codeOf(() => decodeIon(stream(hex)))).not.toBe('none')
      expect(codeOf(() => hashIonBytes(stream(hex)))).not.toBe('none')
    }
    expect(codeOf(() => decodeIon(stream('71 0a')))).toBe('SYMBOL_ID_UNKNOWN')
  })

  it('refuses text that is not UTF-8', () => {
    for (const hex of ['81 ff', '82 c0 80', '83 ed a0 80', '84 f5 80 80 80', '81 e2']) {
      expect(codeOf(() => decodeIon(stream(hex)))).toBe('BINARY_INVALID')
      expect(codeOf(() => hashIonBytes(stream(hex)))).toBe('BINARY_INVALID')
    }
    expect(decodeIon(stream('83 ef bb bf'))).toEqual(ionString('\ufeff'))
  })

  it('says where the fault is', () => {
    try {
      decodeIon(stream('b2 21 07 0f b1 30'))
      expect.unreachable()
    } catch (error) {
      expect((error as IonError).code).toBe('VALUE_COUNT')
    }
    try {
      decodeIonAll(stream('b2 21 07 0f b1 30'))
      expect.unreachable()
    } catch (error) {
      expect((error as IonError).data).toEqual({ code: 'BINARY_INVALID', offset: 9 })
    }
  })

  it('takes a Buffer, also one that lies within a larger one, and keeps no view of it', () => {
    const blob = encodeIon(parseIon('{{aGVsbG8=}}'))
    const large = Buffer.concat([Buffer.from([1, 2, 3]), blob, Buffer.from([4])])
    const value = decodeIon(large.subarray(3, 3 + blob.length))
    large.fill(0)
    expect(value).toEqual(parseIon('{{aGVsbG8=}}'))
    expect(value.type === 'blob' && value.value.buffer.byteLength).toBe(5)
  })

  it('reads ints of every size around the limits of safe integers', () => {
    for (let bits = 0n; bits < 130n; bits++) {
      for (const near of [-1n, 0n, 1n]) {
        for (const sign of [1n, -1n]) {
          const value = ionInt(sign * (2n ** bits + near))
          expect(decodeIon(encodeIon(value))).toEqual(value)
          expect(hashIonBytes(encodeIon(value))).toEqual(hashIon(value))
        }
      }
    }
  })
})

describe('symbol tables', () => {
  it('follows appended tables and version markers', () => {
    const first = encodeIonAll(parseIonAll('a b'))
    const text =
      '$ion_symbol_table::{symbols:["a"]} $10 $ion_symbol_table::{imports:$3,symbols:["b"]} $11'
    expect(parseIonAll(text)).toEqual(decodeIonAll(first))
    const twice = Uint8Array.from([...first, ...encodeIon(ionSymbol('c'))])
    expect(decodeIonAll(twice)).toEqual(parseIonAll('a b c'))
    // After a version marker the old symbols are gone.
    expect(codeOf(() => decodeIonAll(Uint8Array.from([...first, ...stream('71 0a')])))).toBe(
      'SYMBOL_ID_UNKNOWN',
    )
  })

  it('does not mix up an appended table with the one that other streams share', () => {
    const plain = encodeIon(parseIon('{x1:1}'))
    // e0 01 00 ea, table [x1], then a table that appends y1, then $11.
    const appending = Uint8Array.from([
      ...plain,
      ...fromHex('eb8183d886710387b3827931'),
      0x71,
      0x0b,
    ])
    for (let i = 0; i < 3; i++) {
      expect(decodeIonAll(appending)).toEqual(parseIonAll('{x1:1} y1'))
      expect(codeOf(() => decodeIonAll(Uint8Array.from([...plain, 0x71, 0x0b])))).toBe(
        'SYMBOL_ID_UNKNOWN',
      )
    }
  })

  it('appends in linear time', () => {
    const step = '$ion_symbol_table::{imports:$ion_symbol_table,symbols:["s"]} '
    expect(parseIonAll(`${step.repeat(20_000)} $20009`)).toEqual([ionSymbol('s')])
    expect(codeOf(() => parseIonAll(`${step.repeat(10)} $20`))).toBe('SYMBOL_ID_UNKNOWN')
  })

  it('finds imported symbols in a catalog', () => {
    const text =
      '$ion_symbol_table::{imports:[{name:"t",version:2,max_id:3},{name:"u",max_id:1}],symbols:["z"]} $10 $11 $12 $13 $14'
    const catalog = ionCatalog([
      { name: 't', version: 1, symbols: ['one'] },
      { name: 't', version: 2, symbols: ['one', 'two'] },
    ])
    expect(parseIonAll(text, catalog)).toEqual([
      ionSymbol('one'),
      ionSymbol('two'),
      ionSymbol({ importName: 't', importSid: 3 }),
      ionSymbol({ importName: 'u', importSid: 1 }),
      ionSymbol('z'),
    ])
    const exact = '$ion_symbol_table::{imports:[{name:"t",version:1}]} $10'
    expect(parseIonAll(exact, catalog)).toEqual([ionSymbol('one')])
    expect(codeOf(() => parseIonAll(exact))).toBe('SYMBOL_TABLE_INVALID')
    const newer = '$ion_symbol_table::{imports:[{name:"t",version:3}]} $10'
    expect(codeOf(() => parseIonAll(newer, catalog))).toBe('SYMBOL_TABLE_INVALID')
  })

  it('allocates nothing for a huge import', () => {
    const text =
      '$ion_symbol_table::{imports:[{name:"t",version:1,max_id:9007199254740000}],symbols:["z"]} $9007199254740010 $77'
    expect(parseIonAll(text)).toEqual([
      ionSymbol('z'),
      ionSymbol({ importName: 't', importSid: 68 }),
    ])
    const twice = '{name:"t",version:1,max_id:9007199254740000},'.repeat(2)
    expect(codeOf(() => parseIonAll(`$ion_symbol_table::{imports:[${twice}]} 1`))).toBe(
      'SYMBOL_TABLE_INVALID',
    )
  })
})

describe('encodeIon', () => {
  it('writes the shortest form', () => {
    const forms: readonly (readonly [string, string])[] = [
      ['null', '0f'],
      ['null.int', '2f'],
      ['true', '11'],
      ['0', '20'],
      ['-1', '3101'],
      ['256', '220100'],
      ['0e0', '40'],
      ['-0e0', '488000000000000000'],
      ['1e0', '483ff0000000000000'],
      ['nan', '487ff8000000000000'],
      ['0.', '50'],
      ['-0.', '528080'],
      ['0.0', '51c1'],
      ['1.5', '52c10f'],
      ['-128.', '53808080'],
      ['2020T', '63c00fe4'],
      ['2020-01-01T00:00:00.000Z', '69800fe48181808080c3'],
      ['name', '7104'],
      ['"a"', '8161'],
      ['"abcdefghijklmn"', '8e8e6162636465666768696a6b6c6d6e'],
      ['[]', 'b0'],
      ['(1)', 'c22101'],
      ['{}', 'd0'],
      ['{name:1}', 'd3842101'],
      ['name::1', 'e481842101'],
    ]
    for (const [text, hex] of forms) {
      expect(toHex(encodeIon(parseIon(text))), text).toBe(`e00100ea${hex}`)
    }
  })

  it('numbers symbols by first use, whatever was written before', () => {
    const ab = toHex(encodeIon(parseIon('{a:1,b:2}')))
    expect(ab).toBe('e00100eae98183d687b481618162d68a21018b2102')
    for (const text of [
      '{a:1,b:2,c:3}',
      '{a:1}',
      '{b:1,a:2}',
      '{a:{b:1}}',
      '[{a:1,b:2}]',
      'a::{b:2}',
    ]) {
      const before = toHex(encodeIon(parseIon(text)))
      expect(toHex(encodeIon(parseIon('{a:1,b:2}')))).toBe(ab)
      expect(toHex(encodeIon(parseIon(text)))).toBe(before)
      expect(decodeIon(fromHex(before))).toEqual(parseIon(text))
    }
  })

  it('refuses what a reader would swallow', () => {
    expect(codeOf(() => encodeIon(ionSymbol('$ion_1_0')))).toBe('VALUE_INVALID')
    expect(codeOf(() => encodeIon(ionStruct([], ['$ion_symbol_table'])))).toBe('VALUE_INVALID')
    expect(decodeIon(encodeIon(ionList([ionSymbol('$ion_1_0')])))).toEqual(
      ionList([ionSymbol('$ion_1_0')]),
    )
  })

  it('refuses times and decimals that no reader takes', () => {
    const good = parseIon('2020-02-29T00:00:00.5Z')
    if (good.type !== 'timestamp') throw new TypeError('not a timestamp')
    for (const wrong of [
      { ...good, month: 13 },
      { ...good, year: 2021 },
      { ...good, second: 60 },
      { ...good, offsetMinutes: 1440 },
      { ...good, year: 0 },
      { ...good, fractionCoefficient: 10n },
      { ...good, fractionCoefficient: -1n },
      { ...good, fractionDigits: 20, fractionCoefficient: 10n ** 20n },
      { ...good, fractionDigits: 5000 },
      ionDecimal(1n, 2 ** 31),
      ionDecimal(1n, 0.5),
    ]) {
      expect(['VALUE_INVALID', 'LIMIT']).toContain(codeOf(() => encodeIon(wrong)))
      expect(['VALUE_INVALID', 'LIMIT']).toContain(codeOf(() => hashIon(wrong)))
    }
  })

  it('refuses half a surrogate pair, short or long', () => {
    for (const text of ['\ud800', 'a\udc00b', `${'x'.repeat(100)}\ud83d`]) {
      expect(codeOf(() => encodeIon(ionString(text)))).toBe('VALUE_INVALID')
      expect(codeOf(() => hashIon(ionString(text)))).toBe('VALUE_INVALID')
      expect(codeOf(() => encodeIon(ionSymbol(text)))).toBe('VALUE_INVALID')
    }
  })

  it('writes large values and goes on with small ones', () => {
    const large = ionList([ionString('é'.repeat(700_000)), ionString('x'.repeat(2_000_000))])
    expect(decodeIon(encodeIon(large))).toEqual(large)
    expect(hashIonBytes(encodeIon(large))).toEqual(hashIon(large))
    expect(toHex(encodeIon(ionInt(1)))).toBe('e00100ea2101')
  })
})
