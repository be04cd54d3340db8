/** KeyStoreTests of ethereum/tests: version 3 key files of several programs, opened with their password. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex, utf8 } from '@cairn/core'
import { decryptKey, parseKeyFile } from '@cairn/eth-codec'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../vectors.ts'

const root = openVectors('ethereum-tests.tar.gz')

interface KeyStoreCase {
  readonly json: unknown
  readonly password: string
  readonly priv: string
}

function readCases(): [string, KeyStoreCase][] {
  if (root === undefined) return []
  const path = join(root, 'ethereum-tests', 'KeyStoreTests', 'basic_tests.json')
  return Object.entries(JSON.parse(readFileSync(path, 'utf8')))
}

const cases = readCases()

describe.skipIf(root === undefined)('KeyStoreTests', () => {
  it('are all there', () => expect(cases.length).toBe(5))

  it.each(cases)('%s', async (_name, { json, password, priv }) => {
    const keyFile = parseKeyFile(utf8(JSON.stringify(json)))
    expect(toHex(await decryptKey(keyFile, password))).toBe(priv)
    await expect(decryptKey(keyFile, `${password}.`)).rejects.toMatchObject({
      code: 'PASSWORD_WRONG',
    })
  })
})
