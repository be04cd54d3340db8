/** States as those who execute and ask have them: of a commit, or staged upon one. */

import { assert } from '@cairn/core'
import type { StateReader } from '@cairn/eth-codec'
import { bytesOfText, textOfBytes } from '@cairn/eth-codec'
import { decodeAccountRow, type StoredAccount } from './account-row.ts'
import type { CommitRecord, Rows } from './commit-record.ts'
import type { CommittedRows } from './committed-rows.ts'
import { stateNotAvailable } from './errors.ts'
import type { StateTries } from './state-tries.ts'

const zeroWord = new Uint8Array(32)

/**
 * A state that can be read, and built upon: of a commit, or not committed yet. It stays what it is while others are
 * committed, as long as it is kept; afterwards reading throws STATE_NOT_AVAILABLE.
 */
export interface State extends StateReader {
  readonly root: Uint8Array
  readonly isCommitted: boolean
  /** With the root of its storage. */
  readAccount(address: Uint8Array): StoredAccount | undefined
  /**
   * Of a committed state, in the order of their hashes. What follows the head may not do so meanwhile.
   * @param start 32 bytes: the first hash.
   * @throws StateError STATE_NOT_AVAILABLE, also further back than 128 commits in archive mode.
   */
  accountsFrom(start: Uint8Array): Iterable<HashedAccount>
  /** The same for the slots of an account. */
  slotsFrom(address: Uint8Array, start: Uint8Array): Iterable<HashedSlot>
}

/** Of which only the hash of its address is known. */
export interface HashedAccount {
  /** 32 bytes. */
  readonly addressHash: Uint8Array
  readonly account: StoredAccount
}

/** 32 bytes each. */
export interface HashedSlot {
  readonly slotHash: Uint8Array
  readonly value: Uint8Array
}

/** What a state is before it is committed: changes to another. */
export interface Staged {
  readonly parent: ChainState
  readonly rows: Rows
  /** What `parent` has in place of them. */
  readonly replaced: Rows
  readonly codes: ReadonlyMap<string, Uint8Array>
  tries: StateTries
}

export function recordOfStaged(state: ChainState): CommitRecord {
  assert(state.staged !== undefined)
  const { parent, rows, replaced } = state.staged
  return { rootBefore: parent.root, rootAfter: state.root, before: replaced, after: rows }
}

export class ChainState implements State {
  readonly root: Uint8Array
  readonly #rows: CommittedRows
  #commitNo: number | undefined
  #staged: Staged | undefined
  #versionChecked = -1

  constructor(
    rows: CommittedRows,
    root: Uint8Array,
    commitNo: number | undefined,
    staged: Staged | undefined,
  ) {
    this.#rows = rows
    this.root = root
    this.#commitNo = commitNo
    this.#staged = staged
  }

  get commitNo(): number | undefined {
    return this.#commitNo
  }

  get staged(): Staged | undefined {
    return this.#staged
  }

  get isCommitted(): boolean {
    return this.#staged === undefined
  }

  becomeCommitted(commitNo: number): void {
    this.#commitNo = commitNo
    this.#staged = undefined
  }

  /** @throws StateError STATE_NOT_AVAILABLE */
  check(): void {
    const version = this.#rows.version
    if (this.#staged !== undefined || this.#versionChecked === version) return
    if (!this.#rows.isKept(this.#commitNo as number, this.root)) throw stateNotAvailable(this.root)
    this.#versionChecked = version
  }

  readRow(key: string): Uint8Array | undefined {
    let state: ChainState = this
    for (let staged = state.#staged; staged !== undefined; staged = state.#staged) {
      const value = staged.rows.get(key)
      if (value !== undefined || staged.rows.has(key)) return value
      state = staged.parent
    }
    state.check()
    return this.#rows.readRowAt(state.#commitNo as number, key)
  }

  readAccount(address: Uint8Array): StoredAccount | undefined {
    const row = this.readRow(this.#rows.hashText(address))
    return row === undefined ? undefined : decodeAccountRow(row)
  }

  *accountsFrom(start: Uint8Array): Generator<HashedAccount> {
    for (const [key, row] of this.#rowsFrom('', start)) {
      yield { addressHash: bytesOfText(key), account: decodeAccountRow(row) }
    }
  }

  *slotsFrom(address: Uint8Array, start: Uint8Array): Generator<HashedSlot> {
    const prefix = this.#rows.hashText(address)
    for (const [key, row] of this.#rowsFrom(prefix, start)) {
      yield { slotHash: bytesOfText(key.slice(prefix.length)), value: padded(row) }
    }
  }

  #rowsFrom(prefix: string, start: Uint8Array): Iterable<readonly [string, Uint8Array]> {
    assert(this.#commitNo !== undefined)
    this.check()
    return this.#rows.rowsFrom(this.#commitNo, prefix, start)
  }

  readStorage(address: Uint8Array, slot: Uint8Array): Uint8Array {
    const value = this.readRow(this.#rows.hashText(address) + this.#rows.hashText(slot))
    if (value === undefined) return zeroWord
    return padded(value)
  }

  readCode(codeHash: Uint8Array): Uint8Array {
    for (let state: ChainState = this; state.#staged !== undefined; state = state.#staged.parent) {
      const code = state.#staged.codes.get(textOfBytes(codeHash))
      if (code !== undefined) return code
    }
    return this.#rows.readCode(codeHash)
  }
}

/** Rows of slots have no leading zeros. */
function padded(value: Uint8Array): Uint8Array {
  const word = new Uint8Array(32)
  word.set(value, 32 - value.length)
  return word
}

/** The committed state below, and what is staged upon it from the oldest on. */
export function chainOf(state: ChainState): { base: ChainState; staged: ChainState[] } {
  const staged: ChainState[] = []
  let base = state
  while (base.staged !== undefined) {
    staged.unshift(base)
    base = base.staged.parent
  }
  return { base, staged }
}
