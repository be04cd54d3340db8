/** TrieTests of ethereum-tests: roots in any order and after removals, plain and secure, and the order of keys. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, toHex, utf8 } from '@cairn/core'
import { noNodeSource, secureTrieRoot, TrieEdit, trieEntries, trieRoot } from '@cairn/eth-state'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../../vectors.ts'

const folder = openVectors('ethereum-tests.tar.gz')
const root = join(folder ?? '', 'ethereum-tests/TrieTests')

type Pairs = [string, string | null][]
interface RootCase {
  readonly in: Pairs | Record<string, string | null>
  readonly root: string
}
interface OrderCase {
  readonly in: string[]
  readonly tests: [string, string, string][]
}

function read<T>(file: string): [string, T][] {
  if (folder === undefined) return []
  return Object.entries(JSON.parse(readFileSync(join(root, file), 'utf8')))
}

function bytesOf(text: string | null): Uint8Array {
  if (text === null) return new Uint8Array(0)
  return text.startsWith('0x') ? fromHex(text.slice(2)) : utf8(text)
}

const files = [
  { file: 'trietest.json', rootOf: trieRoot, isAnyOrder: false },
  { file: 'trietest_secureTrie.json', rootOf: secureTrieRoot, isAnyOrder: false },
  { file: 'trieanyorder.json', rootOf: trieRoot, isAnyOrder: true },
  { file: 'trieanyorder_secureTrie.json', rootOf: secureTrieRoot, isAnyOrder: true },
  { file: 'hex_encoded_securetrie_test.json', rootOf: secureTrieRoot, isAnyOrder: true },
]

describe.skipIf(folder === undefined)('TrieTests of ethereum-tests', () => {
  for (const { file, rootOf, isAnyOrder } of files) {
    it.each(read<RootCase>(file))(`${file}: %s`, (_name, { in: input, root: expected }) => {
      const pairs: Pairs = Array.isArray(input) ? input : Object.entries(input)
      const entries = pairs.map(([key, value]) => [bytesOf(key), bytesOf(value)] as const)
      const orders = isAnyOrder ? [entries, [...entries].reverse()] : [entries]
      for (const order of orders) expect(`0x${toHex(rootOf(order))}`).toBe(expected)
    })
  }

  it.each(read<OrderCase>('trietestnextprev.json'))('trietestnextprev.json: %s', (_name, each) => {
    const edit = new TrieEdit(undefined, noNodeSource)
    for (const key of each.in) edit.put(key, utf8(key))
    const keys = Array.from(trieEntries(edit.root, noNodeSource), ([key]) => key)
    for (const [key, before, after] of each.tests) {
      expect(keys.findLast((other) => other < key) ?? '').toBe(before)
      expect(keys.find((other) => other > key) ?? '').toBe(after)
    }
  })
})
