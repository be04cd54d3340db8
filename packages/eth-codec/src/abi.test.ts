import { fromHex } from '@cairn/core'
import { AbiCoder, id } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AbiParameter,
  type AbiValue,
  abiSelector,
  abiSignature,
  decodeAbi,
  encodeAbi,
  parseAbiFields,
} from './abi.ts'
import { AbiError } from './errors.ts'
import { dataFromHex, dataToHex } from './hex.ts'

interface Sample {
  readonly parameter: AbiParameter
  readonly value: AbiValue
}

const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength })
const bits = fc.integer({ min: 1, max: 32 }).map((size) => 8 * size)

const integer = bits.chain((count) =>
  fc.boolean().chain((isSigned) => {
    const max = 1n << BigInt(isSigned ? count - 1 : count)
    return fc.bigInt({ min: isSigned ? -max : 0n, max: max - 1n }).map((value) => ({
      parameter: { type: `${isSigned ? '' : 'u'}int${count}` },
      value,
    }))
  }),
)
const plain: fc.Arbitrary<Sample> = fc.oneof(
  integer,
  fc.boolean().map((value) => ({ parameter: { type: 'bool' }, value })),
  bytes(20).map((value) => ({ parameter: { type: 'address' }, value })),
  bytes(0, 80).map((value) => ({ parameter: { type: 'bytes' }, value })),
  bytes(1, 32).map((value) => ({ parameter: { type: `bytes${value.length}` }, value })),
  fc.string({ unit: 'grapheme' }).map((value) => ({ parameter: { type: 'string' }, value })),
)
/** Of one type: what a value of it looks like, made from one sample by repeating it. */
const nested: fc.Arbitrary<Sample> = fc.letrec<{ any: Sample }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    plain,
    fc
      .tuple(tie('any'), fc.integer({ min: 0, max: 3 }), fc.boolean())
      .map(([{ parameter, value }, count, isFixed]) => ({
        parameter: { ...parameter, type: `${parameter.type}[${isFixed ? count : ''}]` },
        value: new Array<AbiValue>(count).fill(value),
      })),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((fields) => ({
      parameter: {
        type: 'tuple',
        components: fields.map(({ parameter }, index) => ({ ...parameter, name: `f${index}` })),
      },
      value: fields.map(({ value }) => value),
    })),
  ),
})).any
// Arrays of no items: ethers refuses the type.
const samples = fc
  .array(nested, { maxLength: 4 })
  .filter((all) => !JSON.stringify(all.map(({ parameter }) => parameter)).includes('[0]'))

/** As ethers takes and gives them. */
function foreign(value: AbiValue): unknown {
  if (value instanceof Uint8Array) return dataToHex(value)
  return Array.isArray(value) ? value.map(foreign) : value
}

function foreignType({ type, components = [] }: AbiParameter): string {
  return type.replace(/^tuple/, `tuple(${components.map(foreignType).join(',')})`)
}

const coder = AbiCoder.defaultAbiCoder()
const fieldsOf = (...types: string[]) => parseAbiFields(types.map((type) => ({ type })))
const word = (value: number | bigint) => value.toString(16).padStart(64, '0')

describe('values of contracts', () => {
  it('are the bytes that ethers makes of them, and come back', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const parameters = all.map(({ parameter }) => parameter)
        const values = all.map(({ value }) => value)
        const fields = parseAbiFields(parameters)
        const encoded = encodeAbi(fields, values)
        const types = parameters.map(foreignType)
        expect(dataToHex(encoded)).toBe(coder.encode(types, values.map(foreign)))
        expect(decodeAbi(fields, encoded)).toEqual(values)
        // Whatever lies behind is ignored; an end that is missing is not.
        expect(decodeAbi(fields, Uint8Array.from([...encoded, 1]))).toEqual(values)
        const cut = encoded.subarray(0, Math.max(0, encoded.length - 32))
        if (encoded.length > 0) {
          try {
            decodeAbi(fields, cut)
          } catch (error) {
            expect(error).toBeInstanceOf(AbiError)
          }
        }
      }),
    )
  })

  it('are read from any bytes, or refused with an error of ours', () => {
    const mostlyZeros = fc.uint8Array({ maxLength: 40 }).map((words) =>
      dataFromHex(
        // Offsets, sizes and truth values.
        `0x${[...words].map((n) => word(n % 3 === 0 ? 32 * (n % 7) : n % 2)).join('')}`,
      ),
    )
    fc.assert(
      fc.property(samples, mostlyZeros, (all, data) => {
        const fields = parseAbiFields(all.map(({ parameter }) => parameter))
        try {
          decodeAbi(fields, data)
        } catch (error) {
          expect(error).toBeInstanceOf(AbiError)
        }
      }),
    )
  })

  it('are refused when a text is no UTF-8', () => {
    const data = dataFromHex(`0x${word(32)}${word(1)}ff${'00'.repeat(31)}`)
    expect(() => decodeAbi(parseAbiFields([{ type: 'string' }]), data)).toThrow(
      expect.objectContaining({ code: 'ABI_DATA' }),
    )
  })

  it('have signatures and selectors', () => {
    const pair: AbiParameter = {
      type: 'tuple[2][]',
      components: [{ type: 'uint' }, { type: 'tuple', components: [{ type: 'int' }] }],
    }
    expect(abiSignature('f', [pair, { type: 'uint8' }, { type: 'int[3]' }])).toBe(
      'f((uint256,(int256))[2][],uint8,int256[3])',
    )
    const signature = abiSignature('transfer', [{ type: 'address' }, { type: 'uint' }])
    expect(dataToHex(abiSelector(signature))).toBe('0xa9059cbb')
    expect(dataToHex(abiSelector('a()'))).toBe(id('a()').slice(0, 10))
  })

  it.each(['uint7', 'uint264', 'int0', 'bytes0', 'bytes33', 'fixed128x18', 'Token', 'uint8[', ''])(
    'are of no type %s',
    (type) => {
      expect(() => parseAbiFields([{ type }])).toThrow(`There is no type '${type}'`)
    },
  )

  it('are refused when they do not fit', () => {
    const encode = (type: string, value: AbiValue) => () => encodeAbi(fieldsOf(type), [value])
    expect(encode('uint8', 256n)).toThrow('Argument 0: 256 does not fit uint8.')
    expect(encode('int8', 128n)).toThrow('does not fit')
    expect(encode('uint256', -1n)).toThrow('does not fit')
    expect(encode('bool', 1n)).toThrow('true or false')
    expect(encode('address', new Uint8Array(19))).toThrow('20 bytes are needed')
    expect(encode('bytes4', new Uint8Array(5))).toThrow('4 bytes')
    expect(encode('uint8[2]', [1n])).toThrow('2 items are needed, 1 are given')
    expect(encode('uint8[]', [1n, 'x'])).toThrow('Argument 0.1: an integer is needed.')
    expect(() => encodeAbi(fieldsOf('uint8'), [])).toThrow('1 values are needed, 0 are given')
  })

  it('are not read from bytes that hold none', () => {
    const read =
      (type: string, ...words: (number | bigint)[]) =>
      () =>
        decodeAbi(fieldsOf(type), fromHex(words.map(word).join('')))
    for (const failing of [
      read('uint256'),
      read('uint8', 256),
      read('bool', 2),
      read('address', 1n << 160n),
      read('bytes1', 1),
      read('string', 64),
      read('bytes', 32, 33, 0),
      read('uint256[]', 32, 2, 1),
      // More than any machine holds, though each item is empty.
      read('uint8[0][]', 32, 1n << 200n),
    ]) {
      expect(failing).toThrow('The bytes are not what the ABI of the contract says.')
    }
    // Ten lists that are all the same one, of ten lists that are all the same one, …
    const level = [10, ...new Array<number>(10).fill(320)]
    const words = [
      32,
      ...new Array<number[]>(7).fill(level).flat(),
      10,
      ...new Array<number>(10).fill(1),
    ]
    expect(read('uint8[][][][][][][][]', ...words)).toThrow(AbiError)
    expect(
      decodeAbi(fieldsOf('string'), fromHex(word(32) + word(2) + '6869'.padEnd(64, '0'))),
    ).toEqual(['hi'])
  })
})
