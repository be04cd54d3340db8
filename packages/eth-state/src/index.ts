/** `@cairn/eth-state`: accounts, storage and code of a chain, their tries, proofs and history. Needs Node.js. */

export type { StoredAccount } from './account-row.ts'
export type { HashedAccount, HashedSlot, State } from './chain-state.ts'
export { historyCountMax } from './committed-rows.ts'
export {
  type Database,
  type DatabaseReplica,
  endOfPrefix,
  lastKey,
  type RangeOptions,
  type Table,
  type TableRow,
} from './database.ts'
export { isDiskFull, StateError, type StateErrorType, stateNotAvailable } from './errors.ts'
export { type LmdbOptions, openLmdbDatabase, openLmdbReplica } from './lmdb-database.ts'
export { createMemoryDatabase } from './memory-database.ts'
export { RecentMap } from './recent-map.ts'
export { StateReplica } from './state-replica.ts'
export {
  type AccountProof,
  eraseStateStore,
  openStateStore,
  StateStore,
  type StateStoreOptions,
} from './state-store.ts'
export {
  type NodeSource,
  noNodeSource,
  TrieEdit,
  trieEntries,
  trieGet,
  trieProof,
  trieRootHash,
} from './trie.ts'
export type { TrieChild } from './trie-node.ts'
export { orderedTrieRoot, secureTrieRoot, trieRoot } from './trie-root.ts'
