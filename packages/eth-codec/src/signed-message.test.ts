import { fromHex, toHex, utf8 } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { addressOfPrivateKey } from './address.ts'
import { keccak256 } from './keccak256.ts'
import { messageHash, recoverMessageSigner, signMessage } from './signed-message.ts'

describe('signed messages', () => {
  const key = keccak256(utf8('somebody'))
  const message = utf8('hello world')

  it('are hashed behind a prefix', () => {
    // Known to every library: the hash of "hello world".
    expect(toHex(messageHash(message))).toBe(
      'd9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68',
    )
  })

  it('tell who signed, with v counted from 27 or from 0', () => {
    const signature = signMessage(message, key)
    expect(signature).toHaveLength(65)
    const signer = toHex(addressOfPrivateKey(key))
    const from0 = signature.with(64, (signature[64] as number) - 27)
    for (const each of [signature, from0]) {
      expect(toHex(recoverMessageSigner(message, each) ?? key)).toBe(signer)
    }
    expect(toHex(recoverMessageSigner(utf8('hello'), signature) ?? key)).not.toBe(signer)
  })

  it('tell nobody when the signature is none', () => {
    const signature = signMessage(message, key)
    expect(recoverMessageSigner(message, signature.subarray(1))).toBeUndefined()
    expect(recoverMessageSigner(message, signature.with(64, 29))).toBeUndefined()
    expect(recoverMessageSigner(message, fromHex('00'.repeat(65)))).toBeUndefined()
  })
})
