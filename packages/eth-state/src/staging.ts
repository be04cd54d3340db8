/** Staging: what changes of accounts and slots make of the rows and the tries of the state that they build upon. */
import { equalBytes } from '@cairn/core'
import {
  bytesOfText,
  emptyCodeHash,
  emptyTrieRoot,
  type StateChanges,
  textOfBytes,
} from '@cairn/eth-codec'
import { decodeAccountRow, type StoredAccount } from './account-row.ts'
import { type ChainState, chainOf } from './chain-state.ts'
import type { Rows } from './commit-record.ts'
import type { CommittedRows } from './committed-rows.ts'
import { endOfPrefix, lastKey } from './database.ts'
import { accountKeySize, type Tables } from './state-tables.ts'
import type { AccountEdit } from './state-tries.ts'

/** What staging reads beside the state below. */
export interface StagingSource {
  readonly tables: Tables
  readonly committed: CommittedRows
}

export const noAccount: StoredAccount = {
  nonce: 0n,
  balance: 0n,
  storageRoot: emptyTrieRoot,
  codeHash: emptyCodeHash,
}

/**
 * The edits of the tries that `changes` make.
 * @param setRow Sets a row of the new state; answers whether it is another one than before.
 */
export function* editsOf(
  { tables, committed }: StagingSource,
  before: ChainState,
  changes: StateChanges,
  setRow: (key: string, value: Uint8Array | undefined) => boolean,
): Generator<AccountEdit> {
  for (const change of changes.accounts) {
    const text = committed.hashText(change.address)
    const row = before.readRow(text)
    const old = row === undefined ? noAccount : decodeAccountRow(row)
    const hadStorage = !equalBytes(old.storageRoot, emptyTrieRoot)
    const isStorageCleared = hadStorage && (change.storageCleared || change.account === undefined)
    const values = new Map<string, Uint8Array | undefined>()
    if (change.account !== undefined) {
      for (const { slot, value } of change.storage) {
        values.set(text + committed.hashText(slot), trimmed(value))
      }
    }
    if (isStorageCleared) {
      for (const key of slotKeys({ tables, committed }, before, text)) {
        if (!values.has(key)) setRow(key, undefined)
      }
    }
    const slots: (readonly [string, Uint8Array | undefined])[] = []
    for (const [key, value] of values) {
      // After a clearing the trie starts empty, so all of them are put whether or not they differ.
      if (setRow(key, value) || isStorageCleared) slots.push([key.slice(accountKeySize), value])
    }
    const account: StoredAccount | undefined =
      change.account === undefined ? undefined : { ...change.account, storageRoot: emptyTrieRoot }
    const storageRootBefore = isStorageCleared ? emptyTrieRoot : old.storageRoot
    yield { text, account, storageRootBefore, isStorageCleared, slots }
  }
}

/** Keys of the rows of all slots that an account has in a state. */
function slotKeys({ tables, committed }: StagingSource, state: ChainState, text: string): string[] {
  const prefix = bytesOfText(text)
  const keys = new Set<string>()
  for (const { key } of tables.slots.range(prefix, endOfPrefix(prefix) ?? lastKey)) {
    keys.add(textOfBytes(key))
  }
  const { base, staged } = chainOf(state)
  const later: Rows[] = staged.map((each) => each.staged?.rows ?? new Map())
  later.push(committed.unflushed)
  for (let no = (base.commitNo as number) + 1; no <= committed.headNo; no++) {
    later.push(committed.diffOf(no).before)
  }
  for (const rows of later) {
    for (const key of rows.keys()) {
      if (key.length > accountKeySize && key.startsWith(text)) keys.add(key)
    }
  }
  return [...keys].filter((key) => state.readRow(key) !== undefined)
}

/** Without leading zeros; undefined for zero. */
function trimmed(word: Uint8Array): Uint8Array | undefined {
  let start = 0
  while (start < word.length && word[start] === 0) start++
  return start === word.length ? undefined : new Uint8Array(word.subarray(start))
}

export function isEqualRow(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return equalBytes(a, b)
}
