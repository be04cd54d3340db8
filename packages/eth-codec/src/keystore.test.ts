import { fromHex, systemRandom, toHex, utf8 } from '@cairn/core'
import { decryptKeystoreJson, encryptKeystoreJson, Wallet } from 'ethers'
import { describe, expect, it } from 'vitest'
import { addressOfPrivateKey } from './address.ts'
import { keccak256 } from './keccak256.ts'
import {
  decryptKey,
  encryptKey,
  formatKeyFile,
  type KeyFile,
  keyFileAddress,
  keyFileName,
  parseKeyFile,
} from './keystore.ts'

const privateKey = keccak256(utf8('somebody'))
const address = addressOfPrivateKey(privateKey)
const light = await encryptKey(privateKey, 'päss', { random: systemRandom, cost: 'light' })

function changed(change: (file: Record<string, Record<string, unknown>>) => void): Uint8Array {
  const file = JSON.parse(JSON.stringify(light))
  change(file)
  return utf8(JSON.stringify(file))
}

describe('encryptKey and decryptKey', () => {
  it('give the key back for the password, and for no other', async () => {
    const file = parseKeyFile(formatKeyFile(light))
    expect(toHex(await decryptKey(file, 'päss'))).toBe(toHex(privateKey))
    await expect(decryptKey(file, 'pass')).rejects.toThrow(
      'could not decrypt key with given password',
    )
  })

  it('write what geth writes', () => {
    expect(Object.keys(light)).toEqual(['address', 'crypto', 'id', 'version'])
    expect(light.crypto.kdfparams).toMatchObject({ n: 4096, r: 8, p: 6, dklen: 32 })
    expect(light.id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    expect(toHex(keyFileAddress(light) ?? new Uint8Array(0))).toBe(toHex(address))
    expect(keyFileName(fromHex('aa'.repeat(20)), Date.UTC(2026, 0, 2, 3, 4, 5, 678))).toBe(
      `UTC--2026-01-02T03-04-05.678000000Z--${'aa'.repeat(20)}`,
    )
  })

  it('go both ways between us and ethers', async () => {
    const wallet = new Wallet(`0x${toHex(privateKey)}`)
    const options = { scrypt: { N: 1024, r: 8, p: 1 } }
    const theirs = await encryptKeystoreJson(wallet, 'päss', options)
    expect(toHex(await decryptKey(parseKeyFile(utf8(theirs)), 'päss'))).toBe(toHex(privateKey))
    const ours = new TextDecoder().decode(formatKeyFile(light))
    expect((await decryptKeystoreJson(ours, 'päss')).privateKey).toBe(wallet.privateKey)
  })

  it('never write the same salt and counter twice', async () => {
    const again = await encryptKey(privateKey, 'päss', { random: systemRandom, cost: 'light' })
    expect(again.crypto.cipherparams.iv).not.toBe(light.crypto.cipherparams.iv)
    expect(again.crypto.kdfparams.salt).not.toBe(light.crypto.kdfparams.salt)
  })

  it('notice a changed ciphertext and a changed address', async () => {
    const flipped = (text: string) => (text.startsWith('0') ? '1' : '0') + text.slice(1)
    const { crypto } = light
    const cut: KeyFile = {
      ...light,
      crypto: { ...crypto, ciphertext: flipped(crypto.ciphertext) },
    }
    await expect(decryptKey(cut, 'päss')).rejects.toMatchObject({ code: 'PASSWORD_WRONG' })
    const other: KeyFile = { ...light, address: '11'.repeat(20) }
    await expect(decryptKey(other, 'päss')).rejects.toMatchObject({ code: 'ADDRESS_MISMATCH' })
  })
})

describe('parseKeyFile', () => {
  it('takes the old spelling of crypto and files without an address', async () => {
    const bytes = changed((file) => {
      file['Crypto'] = file['crypto'] as Record<string, unknown>
      delete file['crypto']
      delete file['address']
    })
    const file = parseKeyFile(bytes)
    expect(keyFileAddress(file)).toBeUndefined()
    expect(toHex(await decryptKey(file, 'päss'))).toBe(toHex(privateKey))
  })

  it('refuses what is no key file, with the reason', () => {
    const setCosts = (file: Record<string, unknown>, costs: object) =>
      Object.assign((file['crypto'] as { kdfparams: object }).kdfparams, costs)
    const set = (path: 'crypto' | 'kdfparams', member: string, value: unknown) =>
      changed((file) => {
        const crypto = file['crypto'] as Record<string, Record<string, unknown>>
        const target = path === 'crypto' ? crypto : (crypto['kdfparams'] as object)
        Object.assign(target, { [member]: value })
      })
    const refused: [string, Uint8Array, RegExp][] = [
      ['no JSON', utf8('{'), /not JSON/],
      ['no UTF-8', Uint8Array.of(0xff), /not JSON/],
      ['a list', utf8('[]'), /not a JSON object/],
      ['version 1', changed((file) => Object.assign(file, { version: 1 })), /version is not 3/],
      ['no version', changed((file) => Object.assign(file, { version: { a: {} } })), /version is/],
      ['odd version', utf8('{"version":{"toString":1}}'), /version is not 3/],
      ['another cipher', set('crypto', 'cipher', 'aes-256-gcm'), /cipher/],
      ['another kdf', set('crypto', 'kdf', 'argon2'), /kdf/],
      ['n no power of two', set('kdfparams', 'n', 5000), /power of two/],
      ['n of 1', set('kdfparams', 'n', 1), /power of two/],
      ['much memory', set('kdfparams', 'n', 2 ** 30), /bytes of memory/],
      ['much work', changed((file) => setCosts(file, { n: 2 ** 20, r: 8, p: 8 })), /bytes of work/],
      ['no rounds', set('kdfparams', 'p', 0), /its p is not/],
      ['a short key', set('kdfparams', 'dklen', 16), /dklen is 16/],
      ['too large', new Uint8Array(65_537).fill(0x20), /65537 bytes/],
    ]
    for (const [what, bytes, message] of refused) {
      expect(() => parseKeyFile(bytes), what).toThrow(message)
    }
  })

  it('does not show the key or the password in an error', async () => {
    const error = await decryptKey(light, 'secret word').catch((reason: unknown) => reason)
    expect(String(error)).not.toMatch(/secret word/)
    expect(JSON.stringify(error)).not.toContain(toHex(privateKey))
  })
})
