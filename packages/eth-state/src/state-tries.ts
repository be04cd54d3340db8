/**
 * The tries of one state: the accounts', and those storages' that differ from what lies below. They are values over
 * nodes that states share, so a state that is dropped costs nothing.
 */
import { assert, equalBytes } from '@cairn/core'
import { bytesOfText, emptyTrieRoot, textOfBytes } from '@cairn/eth-codec'
import { encodeAccountRow, type StoredAccount } from './account-row.ts'
import type { Table } from './database.ts'
import { NodeTable } from './node-table.ts'
import { type LeafSource, TrieEdit, trieRootHash } from './trie.ts'
import { type LeafForm, LeafNode, type TrieChild } from './trie-node.ts'

/** What happens to one account between two states. */
export interface AccountEdit {
  /** Hash of the address as text. */
  readonly text: string
  /** Undefined: there is none afterwards. Its storage root is ignored, since it follows. */
  readonly account: StoredAccount | undefined
  /** Of the storage that the slots are applied to: the empty root when it was cleared. */
  readonly storageRootBefore: Uint8Array
  readonly isStorageCleared: boolean
  /** Hash of the slot as text, and the value without leading zeros; undefined deletes. */
  readonly slots: readonly (readonly [slotText: string, value: Uint8Array | undefined])[]
}

/** Rows of nodes that the next flush has to remove. */
export interface RemovedNodes {
  isCleared: boolean
  readonly removed: { readonly key: string; readonly depth: number }[]
}

const accountPrefix = Uint8Array.of(0)

export class StateTries {
  readonly accountTrie: TrieChild
  /** By the hash of the address as text; of accounts that are in use at the head, or that this state changes. */
  readonly storageTries: Map<string, TrieChild>
  readonly removedAccountNodes: RemovedNodes['removed']
  readonly removedStorageNodes: Map<string, RemovedNodes>
  readonly below: StateTries | undefined

  constructor(
    accountTrie: TrieChild,
    storageTries: Map<string, TrieChild>,
    below?: StateTries,
    removedAccountNodes: RemovedNodes['removed'] = [],
    removedStorageNodes: Map<string, RemovedNodes> = new Map(),
  ) {
    this.accountTrie = accountTrie
    this.storageTries = storageTries
    this.below = below
    this.removedAccountNodes = removedAccountNodes
    this.removedStorageNodes = removedStorageNodes
  }

  /** @param root Of the storage, as the account says. */
  storageTrie(text: string, root: Uint8Array): TrieChild {
    for (let tries: StateTries | undefined = this; tries !== undefined; tries = tries.below) {
      if (tries.storageTries.has(text)) return tries.storageTries.get(text)
    }
    return equalBytes(root, emptyTrieRoot) ? undefined : textOfBytes(root)
  }
}

/** The tables that nodes lie in. */
export interface NodeTables {
  readonly accounts: NodeTable
  storage(text: string): NodeTable
}

/** The flat state that tries stand on, as it was when their nodes were stored: leaves are made from its rows. */
export interface LeafRows {
  /** By key as text: hash of an address, and hash of a slot behind it. */
  readRow(key: string): Uint8Array | undefined
  /** Keys of rows that begin with the bytes of `prefix` and the nibbles of `key` up to `depth`. */
  keysBelow(prefix: string, key: string, depth: number): Iterable<string>
}

export function openNodeTables(
  accountNodes: Table,
  storageNodes: Table,
  rows: LeafRows,
): NodeTables {
  return {
    accounts: new NodeTable(accountNodes, accountPrefix, leavesOf(rows, '', 'accountRow')),
    storage: (text) =>
      new NodeTable(storageNodes, bytesOfText(text), leavesOf(rows, text, 'slotRow')),
  }
}

/** @param prefix Of the rows' keys. */
function leavesOf(rows: LeafRows, prefix: string, form: LeafForm): LeafSource {
  const leafAt = (key: string): LeafNode | undefined => {
    const row = rows.readRow(prefix + key)
    return row === undefined ? undefined : new LeafNode(key, row, form)
  }
  return {
    leafAt,
    *leavesBelow(key, depth) {
      for (const found of rows.keysBelow(prefix, key, depth)) {
        const leaf = leafAt(found.slice(prefix.length))
        if (leaf !== undefined) yield leaf
      }
    },
  }
}

/**
 * The tries after `edits`, hashed.
 * @param onAccount Gets the row of each account, with the root of its storage as it results; undefined when it is gone.
 */
export function editTries(
  base: StateTries,
  nodes: NodeTables,
  edits: Iterable<AccountEdit>,
  onAccount: (text: string, row: Uint8Array | undefined) => void,
): { readonly tries: StateTries; readonly root: Uint8Array } {
  const accounts = new TrieEdit(base.accountTrie, nodes.accounts, 'accountRow')
  const storageTries = new Map<string, TrieChild>()
  const removedStorageNodes = new Map<string, RemovedNodes>()
  for (const edit of edits) {
    const account = editStorage(base, nodes, edit, storageTries, removedStorageNodes)
    const row = account === undefined ? undefined : encodeAccountRow(account)
    onAccount(edit.text, row)
    if (row === undefined) accounts.delete(edit.text)
    else accounts.put(edit.text, row)
  }
  const root = trieRootHash(accounts.root)
  const tries = new StateTries(
    accounts.root,
    storageTries,
    base,
    accounts.removed,
    removedStorageNodes,
  )
  return { tries, root }
}

function editStorage(
  base: StateTries,
  nodes: NodeTables,
  edit: AccountEdit,
  storageTries: Map<string, TrieChild>,
  removedStorageNodes: Map<string, RemovedNodes>,
): StoredAccount | undefined {
  const { text, account, storageRootBefore } = edit
  const hadStorage = !equalBytes(storageRootBefore, emptyTrieRoot)
  const isCleared = edit.isStorageCleared || (account === undefined && hadStorage)
  if (isCleared) {
    storageTries.set(text, undefined)
    removedStorageNodes.set(text, { isCleared: true, removed: [] })
  }
  if (account === undefined) return undefined
  if (edit.slots.length === 0) {
    return { ...account, storageRoot: isCleared ? emptyTrieRoot : storageRootBefore }
  }
  const before = isCleared ? undefined : base.storageTrie(text, storageRootBefore)
  const storage = new TrieEdit(before, nodes.storage(text), 'slotRow')
  for (const [slotText, value] of edit.slots) {
    if (value === undefined) storage.delete(slotText)
    else storage.put(slotText, value)
  }
  storageTries.set(text, storage.root)
  if (!isCleared) removedStorageNodes.set(text, { isCleared: false, removed: storage.removed })
  return { ...account, storageRoot: trieRootHash(storage.root) }
}

/** One set of tries in place of those that lie above each other; those of the head are changed. */
export function flattenTries(tries: StateTries): StateTries {
  const layers: StateTries[] = []
  let head = tries
  for (; head.below !== undefined; head = head.below) layers.unshift(head)
  const { storageTries, removedAccountNodes, removedStorageNodes } = head
  for (const layer of layers) {
    for (const [text, trie] of layer.storageTries) storageTries.set(text, trie)
    for (const each of layer.removedAccountNodes) removedAccountNodes.push(each)
    for (const [text, { isCleared, removed }] of layer.removedStorageNodes) {
      const known = removedStorageNodes.get(text)
      if (known === undefined || isCleared) removedStorageNodes.set(text, { isCleared, removed })
      else known.removed.push(...removed)
    }
  }
  const { accountTrie } = tries
  assert(layers.length === 0 || accountTrie === layers.at(-1)?.accountTrie)
  return new StateTries(
    accountTrie,
    storageTries,
    undefined,
    removedAccountNodes,
    removedStorageNodes,
  )
}
