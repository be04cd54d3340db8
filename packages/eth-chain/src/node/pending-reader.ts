/**
 * A block in the making as a state to read: what JSON-RPC means by `pending`. Reads what execution knows, and leaves no
 * trace that a transaction could see.
 */
import { type Account, emptyCodeHash, type StateReader } from '@cairn/eth-codec'
import type { AccountEntry, ExecutionState } from '@cairn/eth-evm'

export function pendingReader(state: ExecutionState): StateReader {
  const byCode = new Map<string, AccountEntry>()
  return {
    readAccount(address): Account | undefined {
      const entry = state.accountOf(address)
      if (!entry.exists) return undefined
      const { nonce, balance, codeHash } = entry
      if (codeHash !== emptyCodeHash) byCode.set(keyOf(codeHash), entry)
      return { nonce, balance, codeHash }
    },
    readStorage: (address, slot) => state.readStorage(address, slot),
    // A contract that is new in this block has its code nowhere else.
    readCode(codeHash) {
      const entry = byCode.get(keyOf(codeHash))
      return entry === undefined ? state.reader.readCode(codeHash) : state.codeOf(entry).bytes
    },
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString('latin1')
}
