import { fromHex, toHex, utf8 } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keccak256 } from './keccak256.ts'
import {
  compressPublicKey,
  createJavascriptBackend,
  decompressPublicKey,
  isPrivateKey,
  loadNativeBackend,
  publicKeyOf,
  recoverPublicKey,
  type Secp256k1Backend,
  secp256k1BackendName,
  sharedSecret,
  signHash,
} from './secp256k1.ts'

const groupOrder = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
const zero = new Uint8Array(32)
const hash = keccak256(utf8('message'))
const privateKey = keccak256(utf8('key'))

const native = await loadNativeBackend()
const javascript = createJavascriptBackend()
const backends: [string, Secp256k1Backend][] = [['@noble/curves (JavaScript)', javascript]]
if (native !== undefined) backends.push(['libsecp256k1 (native)', native])

describe.each(backends)('%s', (name, backend) => {
  it('signs as RFC 6979 says and recovers the key', () => {
    expect(backend.name).toBe(name)
    const signature = backend.sign(hash, privateKey)
    const publicKey = backend.publicKeyOf(privateKey)
    expect(publicKey).toHaveLength(64)
    expect(toHex(backend.recoverPublicKey(hash, signature) ?? zero)).toBe(toHex(publicKey))
    expect(backend.sign(hash, privateKey)).toEqual(signature)
  })

  it('recovers from the higher s too, as the precompiled contract has to', () => {
    const signature = backend.sign(hash, privateKey)
    const order = BigInt(`0x${toHex(groupOrder)}`)
    const high = (order - BigInt(`0x${toHex(signature.s)}`)).toString(16).padStart(64, '0')
    const flipped = {
      r: signature.r,
      s: fromHex(high),
      yParity: (1 - signature.yParity) as 0 | 1,
    }
    const publicKey = backend.publicKeyOf(privateKey)
    expect(toHex(backend.recoverPublicKey(hash, flipped) ?? zero)).toBe(toHex(publicKey))
  })

  it('recovers nothing from values outside the group', () => {
    const { r, s } = backend.sign(hash, privateKey)
    for (const signature of [
      { yParity: 0, r: zero, s },
      { yParity: 0, r, s: zero },
      { yParity: 0, r: groupOrder, s },
      { yParity: 1, r, s: groupOrder },
      { yParity: 0, r: new Uint8Array(32).fill(255), s },
    ] as const) {
      expect(backend.recoverPublicKey(hash, signature)).toBeUndefined()
    }
  })

  it('knows private keys', () => {
    expect(backend.isPrivateKey(privateKey)).toBe(true)
    expect(backend.isPrivateKey(zero)).toBe(false)
    expect(backend.isPrivateKey(groupOrder)).toBe(false)
    expect(backend.isPrivateKey(privateKey.subarray(1))).toBe(false)
  })

  it('agrees on a secret from both sides, and refuses what is no point', () => {
    const other = keccak256(utf8('other'))
    const one = backend.sharedSecret(privateKey, backend.publicKeyOf(other))
    const two = backend.sharedSecret(other, backend.publicKeyOf(privateKey))
    expect(one).toHaveLength(32)
    expect(toHex(one ?? zero)).toBe(toHex(two ?? hash))
    expect(backend.sharedSecret(privateKey, new Uint8Array(64).fill(1))).toBeUndefined()
  })

  it('finds y again for both parities, and none for what is no x', () => {
    for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const publicKey = backend.publicKeyOf(keccak256(utf8(seed)))
      expect(backend.decompress(compressPublicKey(publicKey))).toEqual(publicKey)
    }
    expect(backend.decompress(new Uint8Array(33).fill(2))).toBeDefined()
    expect(backend.decompress(new Uint8Array(33).fill(5))).toBeUndefined()
    expect(backend.decompress(Uint8Array.from([2, ...groupOrder.map(() => 255)]))).toBeUndefined()
  })
})

describe('both back ends', () => {
  it.skipIf(native === undefined)(
    'give the same answers (needs a binary for this platform)',
    () => {
      const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
      fc.assert(
        fc.property(
          bytes32,
          bytes32,
          bytes32,
          fc.constantFrom(0, 1),
          (message, key, r, yParity) => {
            fc.pre(javascript.isPrivateKey(key))
            const signature = javascript.sign(message, key)
            expect(native?.sign(message, key)).toEqual(signature)
            const odd = { r, s: signature.s, yParity: yParity as 0 | 1 }
            expect(native?.recoverPublicKey(message, odd)).toEqual(
              javascript.recoverPublicKey(message, odd),
            )
          },
        ),
        { numRuns: 25 },
      )
    },
  )
})

describe('the back end of this process', () => {
  it('has a name and is checked for lengths', () => {
    expect(secp256k1BackendName()).toBe((native ?? javascript).name)
    const signature = signHash(hash, privateKey)
    expect(recoverPublicKey(hash, signature)).toEqual(publicKeyOf(privateKey))
    expect(() => recoverPublicKey(hash.subarray(1), signature)).toThrow(/hash has 31 bytes/)
    expect(() => recoverPublicKey(hash, { ...signature, r: zero.subarray(2) })).toThrow(/r has 30/)
    expect(() => sharedSecret(privateKey, zero)).toThrow(/public key has 32 bytes/)
    expect(() => sharedSecret(privateKey, new Uint8Array(64))).toThrow(/not a point/)
    expect(() => decompressPublicKey(new Uint8Array(33))).toThrow(/not a point/)
    expect(() => decompressPublicKey(zero)).toThrow(/32 bytes/)
  })

  it('refuses private keys that are none, and does not show them', () => {
    expect(isPrivateKey(zero)).toBe(false)
    for (const key of [zero, groupOrder, privateKey.subarray(1)]) {
      expect(() => signHash(hash, key)).toThrow(/private key is not one/)
      expect(() => publicKeyOf(key)).toThrow(/private key is not one/)
    }
    expect(() => publicKeyOf(groupOrder)).not.toThrow(/ffff/)
  })
})
