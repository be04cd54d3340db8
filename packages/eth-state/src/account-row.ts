/**
 * An account in its two encodings: as the state trie holds it (Yellow Paper, 4.1), and as a row of the flat state,
 * where the two hashes that most accounts share are left out.
 */
import { equalBytes } from '@cairn/core'
import {
  type Account,
  bytesToNumber,
  decodeRlp,
  emptyCodeHash,
  emptyTrieRoot,
  encodeRlp,
  numberToBytes,
} from '@cairn/eth-codec'
import { stateDamaged } from './errors.ts'

export interface StoredAccount extends Account {
  readonly storageRoot: Uint8Array
}

const nothing = new Uint8Array(0)

export function encodeAccountRow(account: StoredAccount): Uint8Array {
  const { nonce, balance, storageRoot, codeHash } = account
  return encodeRlp([
    numberToBytes(nonce),
    numberToBytes(balance),
    equalBytes(storageRoot, emptyTrieRoot) ? nothing : storageRoot,
    equalBytes(codeHash, emptyCodeHash) ? nothing : codeHash,
  ])
}

/** @throws StateError STATE_DAMAGED when it is no such row. */
export function decodeAccountRow(row: Uint8Array): StoredAccount {
  const items = decodeRlp(row)
  if (items instanceof Uint8Array || items.length !== 4) throw stateDamaged('an account row')
  const [nonce, balance, storageRoot, codeHash] = items
  if (
    !(nonce instanceof Uint8Array) ||
    !(balance instanceof Uint8Array) ||
    !(storageRoot instanceof Uint8Array) ||
    !(codeHash instanceof Uint8Array)
  ) {
    throw stateDamaged('an account row')
  }
  return {
    nonce: bytesToNumber(nonce),
    balance: bytesToNumber(balance),
    storageRoot: storageRoot.length === 0 ? emptyTrieRoot : storageRoot,
    codeHash: codeHash.length === 0 ? emptyCodeHash : codeHash,
  }
}

export function encodeTrieAccount(account: StoredAccount): Uint8Array {
  const { nonce, balance, storageRoot, codeHash } = account
  return encodeRlp([numberToBytes(nonce), numberToBytes(balance), storageRoot, codeHash])
}
