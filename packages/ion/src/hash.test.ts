/** Ion hash: published vectors, every length of field, odd encodings, failure in the middle. */
import { fromHex, sha256, toBase64, toHex } from '@cairn/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { encodeIon } from './binary-writer.ts'
import { IonError } from './errors.ts'
import { hashIon, hashIonBytes, hashIonElements, hashIonString, hashIonWith } from './hash.ts'
import { Sha256Sink } from './hash-sink-sha256.ts'
import { serializeValue } from './hash-value.ts'
import { parseIon } from './text-reader.ts'
import {
  type IonField,
  type IonValue,
  ionFloat,
  ionInt,
  ionList,
  ionString,
  ionStruct,
  ionSymbol,
} from './value.ts'

// Source: qldb-compat 4.1, made with ion-hash-js 2.1.0.
const vectors: readonly (readonly [string, string])[] = [
  ['null', 'D7BrYYPCE3lSn91F1q9KunMaxvCB755sHJSx+yYXcwQ='],
  ['1', '8In2TKc7mxYNM/GbB/jQyX1OjkIVwLa4uDbe3Ptlkpo='],
  ['1.5', 'DfjTTp0iriIaS4BkjfxJ86DIn/ghdORbXND2F/RnYps='],
  ['"a"', 'rhrYdAYmQ/5lYRogyFlWiU58U4r72zLBuFh5k16Ebo4='],
  ['abc', 'xpCvQFgY4th2pMJpLxIQ290U/2sjj/CpIiLz1xcH7h0='],
  ['2020-01-01T', 'BvfENr5cF3CvzEYUHXxko4oglHSas5LKFN2CP+cwH24='],
  ['2020-01-01T00:00:00.000Z', 'hYXKqRkTY2J7DxAEiNoteDZfPP4yK7yKhymfL+QTzNA='],
  ['2020-01-01T00:00:00Z', 'scePsZdMxS0Jzf0tmwsir7IrnqrVttYhN7SsZw+eirk='],
  ['[1,2]', 'aU/xWShlPa2sc1l770D4r2ZKWqHQMx5yGPTyVi6kRaY='],
  ['{a:1,b:2}', 'gmAPybQOPFOS7op/jRSfDpbWt+b3Oaj1FtJxWge2zms='],
  ['ann::1', 'Hp+o+2CGHNCNGFHIuqbVi//3A2QuVFBbAeTrS3KEArw='],
  ['{}', '3D/45VDIMyNrvuktFjdiaYt7C3tooa8bBgJDWAdBt6Y='],
]

function stream(hex: string): Uint8Array {
  return fromHex(`e00100ea${hex.replaceAll(' ', '')}`)
}

/** The hash through the plain sink, which shares no code with the fast one beyond escapes. */
function plainHash(value: IonValue): Uint8Array {
  return hashIonWith(value, sha256)
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('hashIon', () => {
  it.each(vectors)('of %s', (text, hash) => {
    const value = parseIon(text)
    expect(toBase64(hashIon(value))).toBe(hash)
    expect(toBase64(hashIonBytes(encodeIon(value)))).toBe(hash)
  })

  it('of a statement is the hash of its string', () => {
    expect(toBase64(hashIonString('a'))).toBe('rhrYdAYmQ/5lYRogyFlWiU58U4r72zLBuFh5k16Ebo4=')
  })

  it('sorts fields as bytes before escaping them', () => {
    // Among a few hundred structs several have digests that escapes would bring into another order.
    for (let i = 0; i < 400; i++) {
      const fields: IonField[] = []
      for (let j = 0; j < 12; j++) fields.push({ name: `f${j}`, value: ionInt(i * j) })
      const hash = hashIon(ionStruct(fields))
      expect(hash).toEqual(plainHash(ionStruct(fields)))
      expect(hashIon(ionStruct(fields.toReversed()))).toEqual(hash)
    }
  })

  it('hashes fields of every length alone, in fours and beyond', () => {
    for (let length = 0; length < 300; length++) {
      const fields: IonField[] = []
      for (let j = 0; j < 1 + (length % 6); j++) {
        fields.push({ name: 'n', value: ionString('\x0b'.repeat(j) + 'y'.repeat(length)) })
      }
      const value = ionStruct([...fields, { name: 's', value: ionStruct(fields) }, ...fields])
      expect(hashIon(value)).toEqual(plainHash(value))
      expect(hashIonBytes(encodeIon(value))).toEqual(plainHash(value))
    }
  })

  it('hashes structs with many, repeated and deeply nested fields', () => {
    const many = ionStruct(
      Array.from({ length: 3000 }, (_, i) => ({ name: `n${i % 50}`, value: ionInt(i % 70) })),
    )
    expect(hashIon(many)).toEqual(plainHash(many))
    let deep: IonValue = ionInt(1)
    for (let i = 0; i < 100; i++) {
      const rest = { name: 'r', value: ionInt(i) }
      deep = ionStruct([rest, rest, rest, { name: 'd', value: deep }, rest])
    }
    expect(hashIon(deep)).toEqual(plainHash(deep))
    expect(hashIonBytes(encodeIon(deep))).toEqual(plainHash(deep))
  })

  it('hashes a document beyond the memory of the lanes, and small ones after it', () => {
    const fields = Array.from({ length: 60 }, (_, i) => ({
      name: `f${i}`,
      value: i % 7 === 3 ? ionString('z'.repeat(9000 * (i % 5))) : ionInt(i),
    }))
    const large = ionStruct([...fields, { name: 'inner', value: ionStruct(fields) }])
    const list: IonValue = { type: 'list', values: [large, large, large], annotations: [] }
    expect(hashIon(list)).toEqual(plainHash(list))
    expect(toBase64(hashIon(parseIon('{a:1,b:2}')))).toBe(vectors[9]?.[1])
  })

  it('is whole again after a value that failed in the middle', () => {
    const unknown = ionSymbol({ importName: 't', importSid: 1 })
    const field = { name: 'a', value: ionInt(1) }
    const broken = ionStruct([
      field,
      { name: 's', value: ionStruct([field, { name: 'u', value: unknown }]) },
    ])
    expect(() => hashIon(broken)).toThrow(IonError)
    expect(toBase64(hashIon(parseIon('{a:1,b:2}')))).toBe(vectors[9]?.[1])
  })

  it('comes out the same without WebAssembly', () => {
    vi.stubGlobal('WebAssembly', undefined)
    const sink = new Sha256Sink()
    for (let i = 0; i < 20; i++) {
      const fields = Array.from({ length: i }, (_, j) => ({ name: `f${j}`, value: ionInt(j) }))
      const value = ionStruct([...fields, { name: 's', value: ionStruct(fields) }])
      sink.reset()
      serializeValue(value, sink, 0)
      expect(sha256(sink.bytes.subarray(sink.start, sink.size))).toEqual(plainHash(value))
    }
  })

  it('of documents that repeat their fields is the hash of their values', () => {
    // Few values at first, so that digests are at hand; then more of them than are kept, then the first ones again.
    for (const spread of [3, 2000, 3]) {
      const documents = Array.from({ length: 3000 }, (_, no) => {
        const value = (no * 7919) % spread
        const texts: readonly IonValue[] = [
          ionString(`value ${value}`),
          ionSymbol(`symbol ${value}`),
          ionString('x'.repeat(value % 40)),
          ionInt(value * 1e9),
          ionFloat(value / 3),
          ionList([ionInt(value)]),
        ]
        const fields = texts.map((text, i): IonField => ({ name: `f${(no + i) % 9}`, value: text }))
        return ionStruct([...fields, { name: 'same', value: ionStruct(fields.slice(0, 3)) }])
      })
      const list = encodeIon(ionList(documents))
      const { elements } = hashIonElements(list)
      for (const [no, document] of documents.entries()) {
        const expected = toHex(hashIon(document))
        expect(toHex(elements?.[no] as Uint8Array)).toBe(expected)
        expect(toHex(hashIonBytes(encodeIon(document)))).toBe(expected)
      }
    }
  })

  it('of a field tells apart what differs in name, type, length or symbol table', () => {
    const texts = ['{a:1,b:1}', '{a:1,b:"1"}', '{a:"",b:null.string}', '{b:1,a:1}', '{a:b,b:a}']
    for (let round = 0; round < 20; round++) {
      for (const text of texts) {
        const value = parseIon(text)
        expect(hashIonBytes(encodeIon(value))).toEqual(hashIon(value))
      }
    }
  })

  it('refuses a damaged field each time it comes', () => {
    // {name: a string that is no UTF-8}, {name: a bool of length 3}, {name: an int that is a negative zero}
    for (const value of ['82c328', '13', '3100']) {
      const size = (0xd1 + value.length / 2).toString(16)
      const bytes = stream(`${size}84${value}`)
      for (let i = 0; i < 20; i++) expect(() => hashIonBytes(bytes)).toThrow(IonError)
    }
  })

  it('gives every nan one hash, and 0e0 and -0e0 two', () => {
    const odd = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer)[0] as number
    expect(hashIon(ionFloat(odd))).toEqual(hashIon(ionFloat(Number.NaN)))
    expect(encodeIon(ionFloat(odd))).toEqual(encodeIon(ionFloat(Number.NaN)))
    expect(hashIon(ionFloat(0))).not.toEqual(hashIon(ionFloat(-0)))
  })

  it('refuses symbols whose text is not at hand, which would hash alike; $0 has a hash', () => {
    expect(() => hashIon(ionSymbol({ importName: 't', importSid: 2 }))).toThrow(IonError)
    expect(toHex(hashIon(parseIon('$0')))).toBe(toHex(sha256(fromHex('0b710e'))))
  })
})

describe('hashIonBytes', () => {
  it.each([
    ['1', '22 00 01'],
    ['1', '2e 81 01'],
    ['0', '23 00 00 00'],
    ['null.int', '3f'],
    ['1.5e0', '44 3f c0 00 00'],
    ['0e0', '44 00 00 00 00'],
    ['0e0', '48 00 00 00 00 00 00 00 00'],
    ['-0e0', '44 80 00 00 00'],
    ['nan', '44 7f c0 00 01'],
    ['1.5', '54 40 81 00 0f'],
    ['0.', '52 c0 00'],
    ['0.0', '53 c1 00 00'],
    ['-0.', '53 80 80 00'],
    ['2020-01-01T', '68 00 80 00 0f e4 00 81 81'],
    ['2020-01-01T', '65 80 0f e4 81 81'],
    ['2020-01-01T00:00:00Z', '6a 80 0f e4 81 81 80 80 80 80 00'],
    ['name', '72 00 04'],
    ['"a"', '8e 81 61'],
    ['[1]', 'be 83 00 21 01'],
    ['{name:1,version:2}', 'd1 86 84 21 01 85 21 02'],
    ['{name:1,version:2}', 'd9 85 21 02 80 00 00 84 21 01'],
    ['name::1', 'ee 84 81 84 21 01'],
    ['name::1', 'e6 00 82 00 84 21 01'],
  ])('of %s in the form %s', (text, hex) => {
    const hash = hashIon(parseIon(text))
    expect(hashIonBytes(stream(hex))).toEqual(hash)
    expect(hashIonBytes(stream(`00 01 ff ${hex} 02 00 00`))).toEqual(hash)
  })
})

describe('hashIonElements', () => {
  const documents = Array.from({ length: 300 }, (_, no) =>
    ionStruct(
      Array.from({ length: 1 + (no % 30) }, (_, index): IonField => {
        return { name: `field${index}`, value: ionString(`${no} ${'x'.repeat(index)}`) }
      }),
    ),
  )

  it('has the hash of the list and of each element as it stands alone', () => {
    const list = ionList([...documents, ionInt(1), ionList([ionInt(2)])])
    const { hash, elements } = hashIonElements(encodeIon(list))
    expect(hash).toEqual(hashIon(list))
    expect(elements).toEqual(list.values.map((value) => hashIon(value)))
  })

  it.each(['1', '{a: 1}', 'null.list', 'ann::[1, 2]', '(1 2)'])(
    'has no elements for %s',
    (text) => {
      const value = parseIon(text)
      const { hash, elements } = hashIonElements(encodeIon(value))
      expect(hash).toEqual(hashIon(value))
      expect(elements).toBeUndefined()
    },
  )

  it('passes over padding, and has nothing for an empty list', () => {
    expect(hashIonElements(stream('b0')).elements).toEqual([])
    expect(hashIonElements(stream('b5 02 00 00 21 01')).elements).toEqual([hashIon(ionInt(1))])
  })

  it('refuses a list longer than its bytes, and two values', () => {
    expect(() => hashIonElements(stream('b3 21 01'))).toThrow(IonError)
    expect(() => hashIonElements(stream('b2 21 01 b0'))).toThrow(IonError)
  })
})
