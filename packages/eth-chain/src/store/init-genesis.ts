/**
 * Writes the genesis block, once. The same again changes nothing; another one is an error that names both; a changed
 * configuration is taken as long as what has happened already stays as it was.
 */
import {
  type BlockHeader,
  blockHash,
  type ChainConfig,
  chainConfigToJson,
  dataToHex,
  type ForkBlockKey,
  type ForkTimeKey,
  forkBlockKeys,
  forkTimeKeys,
  type Genesis,
  genesisHeader,
  genesisToJson,
  parseChainConfig,
} from '@cairn/eth-codec'
import { createMemoryDatabase, openStateStore, type StateStore } from '@cairn/eth-state'
import { ChainError } from '../errors.ts'
import { type ChainStore, present } from './chain-store.ts'

/**
 * @param write Runs its argument in one write, when there is something to write beside the state.
 * @throws ChainError GENESIS_MISMATCH, CONFIG_INCOMPATIBLE
 */
export function initGenesis(
  store: ChainStore,
  states: StateStore,
  write: (batch: () => void) => void,
  genesis: Genesis,
): { readonly hash: string; readonly isNew: boolean } {
  const stored = store.genesisHash()
  const configJson = JSON.stringify(chainConfigToJson(genesis.config))
  if (stored !== undefined) {
    const given = genesisHashOf(genesis)
    if (given !== stored) throw genesisMismatch(stored, given)
    const head = present(store.headerByHash(present(store.headHash(), 'the head')), 'the head')
    checkConfigChange(storedConfig(store), genesis.config, head)
    if (store.configJson() !== configJson) write(() => store.putConfig(configJson))
    return { hash: stored, isNew: false }
  }
  let state = states.head
  const header = genesisHeader(genesis, (changes) => {
    state = states.stage(states.head, changes)
    return state.root
  })
  const block = { header, transactions: [], uncles: [] }
  const hash = dataToHex(blockHash(header))
  const totalDifficulty = header.difficulty
  states.commit(state, () => {
    store.putBlock(block, hash, totalDifficulty)
    store.putCanonical({ block, hash, totalDifficulty, senders: [], receipts: [] })
    store.putGenesis(hash, JSON.stringify(genesisToJson(genesis)), configJson)
    store.putHead(hash)
  })
  return { hash, isNew: true }
}

/** `0x` and 64 digits; makes the state in memory. */
export function genesisHashOf(genesis: Genesis): string {
  const states = openStateStore(createMemoryDatabase())
  const header = genesisHeader(genesis, (changes) => states.stage(states.head, changes).root)
  return dataToHex(blockHash(header))
}

/** @throws ChainError GENESIS_MISSING */
export function storedConfig(store: ChainStore): ChainConfig {
  const json = store.configJson()
  if (json === undefined) {
    throw new ChainError(
      { code: 'GENESIS_MISSING' },
      {
        shortMessage: 'There is no chain in this folder yet.',
        metaMessages: ['Give it a genesis first: cairn geth --datadir DIRECTORY init genesis.json'],
      },
    )
  }
  return parseChainConfig(JSON.parse(json))
}

/** What has started on the chain can neither move nor be taken back. */
function checkConfigChange(stored: ChainConfig, given: ChainConfig, head: BlockHeader): void {
  const check = (fork: ForkBlockKey | ForkTimeKey, now: bigint): void => {
    const [before, after] = [stored[fork], given[fork]]
    if (before === after) return
    const hasStarted = [before, after].some((start) => start !== undefined && start <= now)
    if (!hasStarted || head.number === 0n) return
    const text = `database: ${before ?? 'never'}, given: ${after ?? 'never'}`
    throw new ChainError(
      { code: 'CONFIG_INCOMPATIBLE', fork },
      {
        shortMessage: `mismatching ${fork} in database (${text})`,
        metaMessages: ['A fork that the chain has passed cannot be moved.'],
      },
    )
  }
  for (const fork of forkBlockKeys) check(fork, head.number)
  for (const fork of forkTimeKeys) check(fork, head.timestamp)
}

function genesisMismatch(stored: string, given: string): ChainError {
  return new ChainError(
    { code: 'GENESIS_MISMATCH', stored, given },
    {
      shortMessage: `database contains incompatible genesis (have ${stored}, new ${given})`,
      metaMessages: ['Use another data folder for another chain.'],
    },
  )
}
