/** From flat rows to tries: the edits that rows amount to, and where the rows below a path lie. */
import { bytesOfText, emptyTrieRoot } from '@cairn/eth-codec'
import { decodeAccountRow } from './account-row.ts'
import { endOfPrefix, lastKey } from './database.ts'
import { accountKeySize } from './state-tables.ts'
import type { AccountEdit } from './state-tries.ts'
import { joinPath } from './trie-node.ts'

/** The edits that turn a state into another one, given the rows that differ. */
export function* rowEdits(
  keys: Iterable<string>,
  from: (key: string) => Uint8Array | undefined,
  to: (key: string) => Uint8Array | undefined,
): Generator<AccountEdit> {
  const slotsOf = new Map<string, (readonly [string, Uint8Array | undefined])[]>()
  for (const key of keys) {
    const text = key.slice(0, accountKeySize)
    let slots = slotsOf.get(text)
    if (slots === undefined) {
      slots = []
      slotsOf.set(text, slots)
    }
    if (key.length > accountKeySize) slots.push([key.slice(accountKeySize), to(key)])
  }
  for (const [text, slots] of slotsOf) {
    const before = from(text)
    const after = to(text)
    yield {
      text,
      account: after === undefined ? undefined : decodeAccountRow(after),
      storageRootBefore:
        before === undefined ? emptyTrieRoot : decodeAccountRow(before).storageRoot,
      isStorageCleared: false,
      slots,
    }
  }
}

/** Of the keys that begin with `prefix` and the first `depth` nibbles of `key`. */
export function boundsOfPath(
  prefix: string,
  key: string,
  depth: number,
): { readonly start: Uint8Array; readonly end: Uint8Array } {
  const start = bytesOfText(prefix + joinPath(key, depth, '', 0, 0))
  if ((depth & 1) === 0) return { start, end: endOfPrefix(start) ?? lastKey }
  const last = start.length - 1
  if ((start[last] as number) === 0xf0) {
    return { start, end: endOfPrefix(start.subarray(0, last)) ?? lastKey }
  }
  const end = start.slice()
  end[last] = (start[last] as number) + 0x10
  return { start, end }
}
