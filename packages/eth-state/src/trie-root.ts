/** Roots of tries that are made, hashed and dropped: those of a block's transactions and receipts, and of tests. */
import { encodeRlp, keccak256, textOfBytes } from '@cairn/eth-codec'
import { noNodeSource, TrieEdit, trieRootHash } from './trie.ts'

/** Root over the items of a block in their order: the key is the RLP of the index (Yellow Paper, 4.3.2). */
export function orderedTrieRoot(items: readonly Uint8Array[]): Uint8Array {
  return trieRoot(items.map((item, index) => [encodeRlp(indexBytes(index)), item]))
}

/** An empty value removes the key, as in ethereum-tests. */
export function trieRoot(
  entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>,
): Uint8Array {
  const edit = new TrieEdit(undefined, noNodeSource)
  for (const [key, value] of entries) {
    if (value.length === 0) edit.delete(textOfBytes(key))
    else edit.put(textOfBytes(key), value)
  }
  return trieRootHash(edit.root)
}

/** The same under the hashes of the keys, as state and storage have it. */
export function secureTrieRoot(
  entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>,
): Uint8Array {
  return trieRoot(Array.from(entries, ([key, value]) => [keccak256(key), value] as const))
}

/** Big-endian without leading zeros: nothing for 0. */
function indexBytes(index: number): Uint8Array {
  if (index === 0) return new Uint8Array(0)
  if (index < 0x100) return Uint8Array.of(index)
  if (index < 0x10000) return Uint8Array.of(index >> 8, index & 0xff)
  return Uint8Array.of(index >> 16, (index >> 8) & 0xff, index & 0xff)
}
