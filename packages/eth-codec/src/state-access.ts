/**
 * The interface between execution and state: what execution reads of the committed state, and the changes it hands
 * back. Records only; the store behind it is eth-state, the overlay above it is eth-evm.
 */

/** An account as execution sees it. */
export interface Account {
  readonly nonce: bigint
  /** In wei. */
  readonly balance: bigint
  /** 32 bytes; keccak of nothing for an account without code. */
  readonly codeHash: Uint8Array
}

/**
 * The committed state under execution. Every read is synchronous: an async call per opcode is what makes JavaScript
 * chains slow.
 */
export interface StateReader {
  /** Undefined when there is no such account. @param address 20 bytes. */
  readAccount(address: Uint8Array): Account | undefined
  /** 32 bytes, zero when unset. The caller may not keep or change the answer. @param slot 32 bytes. */
  readStorage(address: Uint8Array, slot: Uint8Array): Uint8Array
  /**
   * Whether any slot of the account is set. Asked when a contract is made at an address without nonce and code
   * (EIP-7610), which only a genesis can have given storage; a reader without it says that there is none.
   */
  hasStorage?(address: Uint8Array): boolean
  /** The code of that hash; empty for the empty hash. Throws when it is missing (a broken store). */
  readCode(codeHash: Uint8Array): Uint8Array
}

/** 32 bytes each; a value of zero deletes the slot. */
export interface StorageChange {
  readonly slot: Uint8Array
  readonly value: Uint8Array
}

export interface AccountChange {
  readonly address: Uint8Array
  /** Undefined: deleted. */
  readonly account: Account | undefined
  /**
   * The storage before is gone (self-destructed, or created anew over old storage); `storage` then holds all there
   * is.
   */
  readonly storageCleared: boolean
  readonly storage: readonly StorageChange[]
}

/** What a block, or a transaction, does to the state: each account and slot once, with its last value. */
export interface StateChanges {
  readonly accounts: readonly AccountChange[]
  readonly codes: readonly { readonly codeHash: Uint8Array; readonly code: Uint8Array }[]
}
