import { systemRandom, toHex, utf8 } from '@cairn/core'
import { createMemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { addressOfPrivateKey } from './address.ts'
import { keccak256 } from './keccak256.ts'
import { KeyFolder } from './key-folder.ts'
import { encryptKey, formatKeyFile } from './keystore.ts'

const options = { random: systemRandom, cost: 'light' } as const
const one = keccak256(utf8('one'))
const two = keccak256(utf8('two'))

async function emptyFolder() {
  const fileSystem = createMemoryFileSystem()
  return { fileSystem, folder: new KeyFolder(fileSystem, '/keystore') }
}

describe('KeyFolder', () => {
  it('has no keys before the first, and finds each by its address', async () => {
    const { folder } = await emptyFolder()
    expect(await folder.list()).toEqual([])
    await folder.add(await encryptKey(two, 'b', options), 1000)
    await folder.add(await encryptKey(one, 'a', options), 2000)
    const addresses = (await folder.list()).map(({ address }) => toHex(address))
    expect(addresses).toEqual([two, one].map((key) => toHex(addressOfPrivateKey(key))))
    expect(toHex(await folder.open(addressOfPrivateKey(one), 'a'))).toBe(toHex(one))
    await expect(folder.open(addressOfPrivateKey(one), 'b')).rejects.toMatchObject({
      code: 'PASSWORD_WRONG',
    })
    await expect(folder.find(new Uint8Array(20))).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' })
  })

  it('keeps one file a key, also under a new password', async () => {
    const { folder } = await emptyFolder()
    await folder.add(await encryptKey(one, 'a', options), 1000)
    await expect(folder.add(await encryptKey(one, 'b', options), 2000)).rejects.toMatchObject({
      code: 'KEY_EXISTS',
    })
    await folder.replace(await encryptKey(one, 'b', options))
    expect(await folder.list()).toHaveLength(1)
    expect(toHex(await folder.open(addressOfPrivateKey(one), 'b'))).toBe(toHex(one))
  })

  it('passes over what is no key file, and says when two files name one address', async () => {
    const { folder, fileSystem } = await emptyFolder()
    const file = await encryptKey(one, 'a', options)
    await folder.add(file, 1000)
    await fileSystem.writeFileAtomic('/keystore/README', utf8('not a key'))
    await fileSystem.writeFileAtomic('/keystore/.hidden', formatKeyFile(file))
    expect(await folder.list()).toHaveLength(1)
    await fileSystem.writeFileAtomic('/keystore/copy', formatKeyFile(file))
    await expect(folder.open(addressOfPrivateKey(one), 'a')).rejects.toMatchObject({
      code: 'KEY_AMBIGUOUS',
    })
  })
})
