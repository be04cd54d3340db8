import { fromHex, toHex, utf8 } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeNodeRecord,
  encodeNodeRecord,
  nodeIdOf,
  nodeRecordFromText,
  nodeRecordToText,
  recordNumber,
} from './node-record.ts'
import { encodeRlp, type RlpItem } from './rlp.ts'
import { publicKeyOf } from './secp256k1.ts'

/** The example of EIP-778. */
const key = fromHex('b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291')
const text =
  'enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8'
const values = new Map<string, RlpItem>([
  ['ip', Uint8Array.of(127, 0, 0, 1)],
  ['udp', Uint8Array.of(0x76, 0x5f)],
])

describe('node records', () => {
  it('are those of EIP-778', () => {
    const record = nodeRecordFromText(text)
    expect(toHex(nodeIdOf(record))).toBe(
      'a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7',
    )
    expect(record.sequence).toBe(1n)
    expect(record.values).toEqual(values)
    expect(record.publicKey).toEqual(publicKeyOf(key))
    expect(recordNumber(record, 'udp')).toBe(30_303)
    expect(recordNumber(record, 'tcp')).toBeUndefined()
    // The signature of the example is not RFC 6979's, so only what it signs is compared.
    const ours = encodeNodeRecord({ sequence: 1n, values }, key)
    expect(decodeNodeRecord(ours)).toEqual(record)
  })

  it('are read as they were written', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.uint8Array({ maxLength: 8 }), {
          maxKeys: 5,
        }),
        (sequence, entries) => {
          const given = new Map<string, RlpItem>(Object.entries(entries))
          given.delete('id')
          const record = nodeRecordFromText(
            nodeRecordToText(encodeNodeRecord({ sequence, values: given }, key)),
          )
          expect(record.sequence).toBe(sequence)
          expect(new Map([...record.values].sort())).toEqual(new Map([...given].sort()))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('are refused when a bit is flipped', () => {
    const bytes = encodeNodeRecord({ sequence: 7n, values }, key)
    for (let bit = 0; bit < bytes.length * 8; bit += 11) {
      const changed = bytes.slice()
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(() => decodeNodeRecord(changed)).toThrow()
    }
  })

  it('are refused when they are too large, unsorted, without a scheme or no base64', () => {
    const large = new Map<string, RlpItem>([['x', new Uint8Array(300)]])
    expect(() => encodeNodeRecord({ sequence: 1n, values: large }, key)).toThrow(/300 are allowed/)
    expect(() => decodeNodeRecord(new Uint8Array(301))).toThrow(/301 bytes/)
    const list = (...items: RlpItem[]) =>
      encodeRlp([new Uint8Array(64), Uint8Array.of(1), ...items])
    expect(() => decodeNodeRecord(list(utf8('b'), utf8(''), utf8('a'), utf8('')))).toThrow(/order/)
    expect(() => decodeNodeRecord(list(utf8('a')))).toThrow(/no value/)
    expect(() => decodeNodeRecord(list(utf8('id'), utf8('v5')))).toThrow(/not v4/)
    expect(() => decodeNodeRecord(list(utf8('id'), utf8('v4')))).toThrow(/no public key/)
    expect(() => nodeRecordFromText(text.slice(4))).toThrow(/enr:/)
    expect(() => nodeRecordFromText(`${text}=`)).toThrow(/padding/)
  })
})
