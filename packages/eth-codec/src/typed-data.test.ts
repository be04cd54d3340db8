import { toHex } from '@cairn/core'
import fc from 'fast-check'
import { hashTypedData } from 'viem'
import { describe, expect, it } from 'vitest'
import { type TypedData, typedDataHash } from './typed-data.ts'

const mail: TypedData = {
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ],
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain: {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
}

const hex = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => `0x${toHex(bytes)}`)

describe('typedDataHash', () => {
  it('is that of the example of EIP-712', () => {
    expect(toHex(typedDataHash(mail))).toBe(
      'be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2',
    )
  })

  it('agrees with viem on every kind of type', () => {
    const types = {
      EIP712Domain: [{ name: 'chainId', type: 'uint256' }],
      Part: [
        { name: 'flags', type: 'bool[]' },
        { name: 'key', type: 'bytes4' },
      ],
      Order: [
        { name: 'amount', type: 'uint256' },
        { name: 'change', type: 'int64' },
        { name: 'small', type: 'uint8' },
        { name: 'owner', type: 'address' },
        { name: 'data', type: 'bytes' },
        { name: 'parts', type: 'Part[]' },
        { name: 'pair', type: 'int16[2]' },
        { name: 'grid', type: 'string[][]' },
        { name: 'only', type: 'Part' },
      ],
    } as const
    const part = fc.record({ flags: fc.array(fc.boolean(), { maxLength: 3 }), key: hex(4) })
    const order = fc.record({
      amount: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
      change: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      small: fc.nat(255),
      owner: hex(20),
      data: fc.uint8Array({ maxLength: 70 }).map((bytes) => `0x${toHex(bytes)}`),
      parts: fc.array(part, { maxLength: 3 }),
      pair: fc.tuple(fc.integer({ min: -32_768, max: 32_767 }), fc.constant(5)),
      grid: fc.array(fc.array(fc.string(), { maxLength: 2 }), { maxLength: 2 }),
      only: part,
    })
    fc.assert(
      fc.property(order, fc.bigInt({ min: 1n, max: 2n ** 60n }), (message, chainId) => {
        const data = { types, primaryType: 'Order', domain: { chainId }, message } as const
        const theirs = hashTypedData(data as unknown as Parameters<typeof hashTypedData>[0])
        expect(`0x${toHex(typedDataHash(data))}`).toBe(theirs)
      }),
      { numRuns: 50 },
    )
  })

  it('refuses data that does not fit its types, and says where', () => {
    const hash = (type: string, value: unknown) =>
      typedDataHash({
        types: { EIP712Domain: [], T: [{ name: 'x', type }] },
        primaryType: 'T',
        domain: {},
        message: value === undefined ? {} : { x: value },
      })
    const refused: [string, unknown, RegExp][] = [
      ['uint8', undefined, /message\.x is missing/],
      ['uint8', 256, /8 bits/],
      ['uint8', -1, /8 bits/],
      ['int8', 128, /8 bits/],
      ['uint256', 1.5, /whole number/],
      ['uint256', '', /whole number/],
      ['uint7', 1, /type uint7/],
      ['uint264', 1, /type uint264/],
      ['bytes33', '0x', /type bytes33/],
      ['bytes2', '0x01', /1 bytes in place of 2/],
      ['bytes', 'text', /hexadecimal/],
      ['bool', 1, /true nor false/],
      ['address', '0x12', /not an address/],
      ['string', 5, /not text/],
      ['uint8[2]', [1], /1 items in place of 2/],
      ['uint8[]', 1, /not a list/],
      ['uint8[][]', [[1], [300]], /message\.x\[1\]\[0\] does not fit/],
      ['T', 5, /not an object/],
      ['toString', 5, /type toString/],
    ]
    for (const [type, value, message] of refused) {
      expect(() => hash(type, value), type).toThrow(message)
    }
    expect(() => typedDataHash({ ...mail, primaryType: 'Letter' })).toThrow(/type Letter/)
    let nested: unknown = { x: [] }
    for (let i = 0; i < 200; i++) nested = { x: [nested] }
    expect(() =>
      typedDataHash({
        types: { EIP712Domain: [], T: [{ name: 'x', type: 'T[]' }] },
        primaryType: 'T',
        domain: {},
        message: nested as Record<string, unknown>,
      }),
    ).toThrow(/levels/)
  })
})
