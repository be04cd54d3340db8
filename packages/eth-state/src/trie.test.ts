import { equalBytes, toHex, utf8 } from '@cairn/core'
import { emptyTrieRoot, textOfBytes } from '@cairn/eth-codec'
import {
  createMerkleProof,
  createMPT,
  type MerklePatriciaTrie,
  verifyMPTWithMerkleProof,
} from '@ethereumjs/mpt'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryDatabase } from './memory-database.ts'
import { forgetBelow, NodeTable } from './node-table.ts'
import { noNodeSource, TrieEdit, trieEntries, trieGet, trieProof, trieRootHash } from './trie.ts'
import type { TrieChild } from './trie-node.ts'
import { orderedTrieRoot } from './trie-root.ts'

/** Few and short nibbles, so that paths share, split and join; short values make embedded nodes. */
const key = fc
  .array(fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0xf1), { minLength: 4, maxLength: 4 })
  .map((bytes) => Uint8Array.from(bytes))
const value = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3 }),
  fc.uint8Array({ minLength: 30, maxLength: 60 }),
)
type Step =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: Uint8Array }
  | { readonly kind: 'store' | 'reopen' | 'forget' | 'undo' }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Step>(
      { kind: 'store' },
      { kind: 'reopen' },
      { kind: 'forget' },
      { kind: 'undo' },
    ),
  },
)

async function officialRoot(trie: MerklePatriciaTrie): Promise<string> {
  return toHex(trie.root())
}

describe('trie', () => {
  it('has the root of the official library after every step, also stored, reopened, forgotten and undone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const official = await createMPT()
        const database = createMemoryDatabase()
        const nodes = new NodeTable(database.table('nodes'), Uint8Array.of(0))
        let root: TrieChild
        let removed: TrieEdit['removed'] = []
        const store = () => {
          database.writeSync(() => {
            nodes.removeAll(removed)
            nodes.store(root)
          })
          removed = []
        }
        for (const each of steps) {
          const before = toHex(trieRootHash(root))
          const edit = new TrieEdit(root, nodes)
          switch (each.kind) {
            case 'put':
              edit.put(textOfBytes(each.key), each.value)
              await official.put(each.key, each.value)
              break
            case 'delete':
              edit.delete(textOfBytes(each.key))
              await official.del(each.key)
              break
            case 'store':
              store()
              break
            case 'reopen':
              store()
              edit.root = root === undefined ? undefined : textOfBytes(trieRootHash(root))
              break
            case 'forget':
              store()
              forgetBelow(root, 0, 1)
              break
            case 'undo': {
              // What is done to a trie by an edit that is dropped leaves it as it was.
              const dropped = new TrieEdit(root, nodes)
              for (const { key } of steps.flatMap((s) => (s.kind === 'put' ? [s] : []))) {
                dropped.put(textOfBytes(key), utf8('dropped'))
              }
              for (const { key } of steps.flatMap((s) => (s.kind === 'delete' ? [s] : []))) {
                dropped.delete(textOfBytes(key))
              }
              trieRootHash(dropped.root)
              expect(toHex(trieRootHash(root))).toBe(before)
              break
            }
          }
          root = edit.root
          removed = [...removed, ...edit.removed]
          expect(toHex(trieRootHash(root))).toBe(await officialRoot(official))
        }
        store()
        const rows = [...database.table('nodes').range(Uint8Array.of(0), Uint8Array.of(1))].length
        // No row is left over: a trie made anew from the same entries has as many.
        expect(rows).toBe(rowsOf(trieEntries(root, nodes)))
      }),
      { numRuns: 150 },
    )
  })

  it('proves what is there and what is not, as the official library verifies it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 30 }),
        key,
        async (entries, asked) => {
          const edit = new TrieEdit(undefined, noNodeSource)
          const official = await createMPT()
          for (const [k, v] of entries) {
            edit.put(textOfBytes(k), v)
            await official.put(k, v)
          }
          const root = trieRootHash(edit.root)
          const proof = trieProof(edit.root, noNodeSource, textOfBytes(asked))
          // The library repeats nodes that stand within their parents; geth's proofs do not, nor do ours.
          const expected = (await createMerkleProof(official, asked)).filter(
            (rlp, index) => index === 0 || rlp.length >= 32,
          )
          expect(proof.map(toHex)).toEqual(expected.map(toHex))
          const proven = await verifyMPTWithMerkleProof(await createMPT(), root, asked, proof)
          const found = trieGet(edit.root, noNodeSource, textOfBytes(asked))
          expect(proven === null ? undefined : toHex(proven)).toBe(
            found === undefined ? undefined : toHex(found),
          )
        },
      ),
      { numRuns: 100 },
    )
  })

  it('refuses a stored node that is not what its hash says', () => {
    const database = createMemoryDatabase()
    const table = database.table('nodes')
    const nodes = new NodeTable(table, Uint8Array.of(0))
    const edit = new TrieEdit(undefined, nodes)
    for (let i = 0; i < 32; i++) {
      edit.put(String.fromCharCode(i << 3, 1), new Uint8Array(40).fill(i))
    }
    const root = textOfBytes(trieRootHash(edit.root))
    database.writeSync(() => nodes.store(edit.root))
    for (const { key: rowKey, value: rlp } of [
      ...table.range(Uint8Array.of(0), Uint8Array.of(1)),
    ]) {
      const flipped = rlp.slice()
      flipped[rlp.length - 1] = (flipped[rlp.length - 1] as number) ^ 1
      database.writeSync(() => table.put(rowKey, flipped))
      expect(() => [...trieEntries(root, nodes)]).toThrow('does not match its hash')
      database.writeSync(() => table.remove(rowKey))
      expect(() => [...trieEntries(root, nodes)]).toThrow('is missing')
      database.writeSync(() => table.put(rowKey, rlp))
    }
    expect([...trieEntries(root, nodes)]).toHaveLength(32)
  })

  it('knows the transaction root of a block of 200 items', async () => {
    const items = Array.from({ length: 200 }, (_, i) => new Uint8Array(3 * i + 1).fill(i))
    const official = await createMPT()
    for (const [i, item] of items.entries()) {
      const rlp =
        i === 0 ? Uint8Array.of(0x80) : i < 128 ? Uint8Array.of(i) : Uint8Array.of(0x81, i)
      await official.put(rlp, item)
    }
    expect(toHex(orderedTrieRoot(items))).toBe(toHex(official.root()))
    expect(equalBytes(orderedTrieRoot([]), emptyTrieRoot)).toBe(true)
  })
})

function rowsOf(entries: Iterable<readonly [string, Uint8Array]>): number {
  const database = createMemoryDatabase()
  const nodes = new NodeTable(database.table('nodes'), Uint8Array.of(0))
  const edit = new TrieEdit(undefined, nodes)
  for (const [k, v] of entries) edit.put(k, v)
  database.writeSync(() => nodes.store(edit.root))
  return [...database.table('nodes').range(Uint8Array.of(0), Uint8Array.of(1))].length
}
