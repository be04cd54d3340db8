/** A whole state in memory for tests: what execution reads, what it changes, and its root. */
import { equalBytes, toHex } from '@cairn/core'
import {
  type Account,
  emptyCodeHash,
  emptyTrieRoot,
  encodeRlp,
  keccak256,
  numberToBytes,
  type StateChanges,
  type StateReader,
} from '@cairn/eth-codec'
import { secureTrieRoot } from '@cairn/eth-state'

/** An account with its storage, by slot. */
export interface Stored {
  /** 20 bytes. */
  readonly address: Uint8Array
  account: Account
  readonly storage: Map<string, { readonly slot: Uint8Array; readonly value: Uint8Array }>
}

const zeroWord = new Uint8Array(32)

export class MemoryState implements StateReader {
  readonly #accounts = new Map<string, Stored>()
  readonly #codes = new Map<string, Uint8Array>([[toHex(emptyCodeHash), new Uint8Array(0)]])

  readAccount(address: Uint8Array): Account | undefined {
    return this.#accounts.get(toHex(address))?.account
  }

  readStorage(address: Uint8Array, slot: Uint8Array): Uint8Array {
    return this.#accounts.get(toHex(address))?.storage.get(toHex(slot))?.value ?? zeroWord
  }

  hasStorage(address: Uint8Array): boolean {
    return (this.#accounts.get(toHex(address))?.storage.size ?? 0) > 0
  }

  readCode(codeHash: Uint8Array): Uint8Array {
    const code = this.#codes.get(toHex(codeHash))
    if (code === undefined) throw new Error(`No code of hash ${toHex(codeHash)}`)
    return code
  }

  put(address: Uint8Array, fields: { nonce: bigint; balance: bigint; code: Uint8Array }): void {
    const { nonce, balance, code } = fields
    const codeHash = keccak256(code)
    this.#codes.set(toHex(codeHash), code)
    const account = { nonce, balance, codeHash }
    this.#accounts.set(toHex(address), { address, account, storage: new Map() })
  }

  putSlot(address: Uint8Array, slot: Uint8Array, value: Uint8Array): void {
    const storage = this.#accounts.get(toHex(address))?.storage
    if (equalBytes(value, zeroWord)) storage?.delete(toHex(slot))
    else storage?.set(toHex(slot), { slot, value })
  }

  apply({ accounts, codes }: StateChanges): void {
    for (const { codeHash, code } of codes) this.#codes.set(toHex(codeHash), code)
    for (const { address, account, storageCleared, storage } of accounts) {
      const key = toHex(address)
      if (account === undefined) {
        this.#accounts.delete(key)
        continue
      }
      const stored = this.#accounts.get(key) ?? { address, account, storage: new Map() }
      stored.account = account
      if (storageCleared) stored.storage.clear()
      this.#accounts.set(key, stored)
      for (const { slot, value } of storage) this.putSlot(address, slot, value)
    }
  }

  *accounts(): Generator<Stored> {
    yield* this.#accounts.values()
  }

  root(): Uint8Array {
    const entries: [Uint8Array, Uint8Array][] = []
    for (const { address, account, storage } of this.#accounts.values()) {
      const slots = [...storage.values()].map(({ slot, value }): [Uint8Array, Uint8Array] => [
        slot,
        encodeRlp(value.subarray(value.findIndex((byte) => byte !== 0))),
      ])
      const storageRoot = slots.length === 0 ? emptyTrieRoot : secureTrieRoot(slots)
      const { nonce, balance, codeHash } = account
      const fields = [numberToBytes(nonce), numberToBytes(balance), storageRoot, codeHash]
      entries.push([address, encodeRlp(fields)])
    }
    return secureTrieRoot(entries)
  }
}
