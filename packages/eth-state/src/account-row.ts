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

/** Of the trie, from the row: valid until the next one is asked for. @throws StateError STATE_DAMAGED */
export function trieValueOfAccountRow(row: Uint8Array): Uint8Array {
  if (row[0] === undefined || row[0] < 0xc0) throw stateDamaged('an account row')
  const nonceStart = row[0] < 0xf8 ? 1 : 2
  const balanceStart = nonceStart + shortItemSize(row, nonceStart)
  const rootStart = balanceStart + shortItemSize(row, balanceStart)
  const codeStart = rootStart + shortItemSize(row, rootStart)
  if (codeStart + shortItemSize(row, codeStart) !== row.length) throw stateDamaged('an account row')
  const payload = rootStart - nonceStart + 2 * hashItemSize
  trieValue[0] = 0xf8
  trieValue[1] = payload
  let at = 2
  for (let i = nonceStart; i < rootStart; i++) trieValue[at++] = row[i] as number
  writeHashItem(row, rootStart, emptyTrieRoot, at)
  writeHashItem(row, codeStart, emptyCodeHash, at + hashItemSize)
  return trieValue.subarray(0, 2 + payload)
}

const hashItemSize = 33
/** The longest: a list of a nonce and a balance of up to 33 bytes each, and two hashes. */
const trieValue = new Uint8Array(2 + 4 * hashItemSize)

function writeHashItem(row: Uint8Array, start: number, absent: Uint8Array, at: number): void {
  if (shortItemSize(row, start) === hashItemSize) {
    for (let i = 0; i < hashItemSize; i++) trieValue[at + i] = row[start + i] as number
    return
  }
  trieValue[at] = 0x80 + absent.length
  trieValue.set(absent, at + 1)
}

/** Of an item of RLP that is no list and has less than 56 bytes. */
function shortItemSize(row: Uint8Array, at: number): number {
  const first = row[at] ?? 0xff
  if (first < 0x80) return 1
  if (first - 0x80 > 32) throw stateDamaged('an account row')
  return 1 + first - 0x80
}

/** Of the trie, from the row of a slot, which has no leading zeros: valid until the next one is asked for. */
export function trieValueOfSlotRow(row: Uint8Array): Uint8Array {
  if (row.length === 1 && (row[0] as number) < 0x80) return row
  trieValue[0] = 0x80 + row.length
  trieValue.set(row, 1)
  return trieValue.subarray(0, 1 + row.length)
}

export function encodeTrieAccount(account: StoredAccount): Uint8Array {
  const { nonce, balance, storageRoot, codeHash } = account
  return encodeRlp([numberToBytes(nonce), numberToBytes(balance), storageRoot, codeHash])
}
