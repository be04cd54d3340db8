/**
 * An account in its two encodings: as the state trie holds it (Yellow Paper, 4.1), and as a row of the flat state,
 * where the two hashes that most accounts share are left out.
 */
import { equalBytes } from '@cairn/core'
import { type Account, decodeRlp, emptyCodeHash, emptyTrieRoot, encodeRlp } from '@cairn/eth-codec'
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

/** Big-endian without leading zeros; nothing for 0. */
function numberToBytes(value: bigint): Uint8Array {
  if (value === 0n) return nothing
  const digits = value.toString(16)
  return new Uint8Array(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'))
}

function bytesToNumber(bytes: Uint8Array): bigint {
  const { length } = bytes
  if (length > 6) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, length)
    return BigInt(`0x${buffer.toString('hex')}`)
  }
  let value = 0
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[i] as number)
  return BigInt(value)
}
