import { fromHex, toHex, utf8 } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import {
  addressFromText,
  addressOfPrivateKey,
  addressToText,
  contractAddress,
  contractAddress2,
  isZeroAddress,
} from './address.ts'
import { keccak256 } from './keccak256.ts'

describe('addresses', () => {
  it('come from keys', () => {
    // The first account of the test phrase that development chains share.
    const key = fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
    expect(addressToText(addressOfPrivateKey(key))).toBe(
      '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
    )
  })

  it('are written with the checksum of EIP-55', () => {
    for (const text of [
      '0x52908400098527886E0F7030069857D2E4169EE7',
      '0xde709f2102306220921060314715629080e2fb77',
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
      '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
      '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    ]) {
      expect(addressToText(fromHex(text.slice(2)))).toBe(text)
      expect(toHex(addressFromText(text))).toBe(text.slice(2).toLowerCase())
      expect(toHex(addressFromText(text.toLowerCase()))).toBe(text.slice(2).toLowerCase())
      expect(toHex(addressFromText(text.slice(2)))).toBe(text.slice(2).toLowerCase())
    }
  })

  it('are refused with a wrong checksum, length or digit', () => {
    expect(() => addressFromText('0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed')).toThrow(/checksum/)
    expect(() => addressFromText('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe')).toThrow(/not an/)
    expect(() => addressFromText(`0x${'g'.repeat(40)}`)).toThrow(/not an address/)
  })

  it('of contracts depend on creator and nonce, or on salt and code', () => {
    // Published with EIP-1014; the first in the Yellow Paper's way for the account that deployed it.
    expect(toHex(contractAddress(fromHex('6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0'), 0n))).toBe(
      'cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d',
    )
    expect(toHex(contractAddress(fromHex('6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0'), 1n))).toBe(
      '343c43a37d37dff08ae8c4a11544c718abb4fcf8',
    )
    expect(
      toHex(
        contractAddress2(
          fromHex('deadbeef00000000000000000000000000000000'),
          new Uint8Array(32),
          keccak256(Uint8Array.of(0)),
        ),
      ),
    ).toBe('b928f69bb1d91cd65274e3c79d8986362984fda3')
  })

  it('know the one of zeros', () => {
    expect(isZeroAddress(new Uint8Array(20))).toBe(true)
    expect(isZeroAddress(keccak256(utf8('x')).subarray(12))).toBe(false)
  })
})
