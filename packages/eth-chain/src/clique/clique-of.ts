/** The Clique engine of a stored chain. */
import type { Clock } from '@cairn/core'
import type { ChainConfig } from '@cairn/eth-codec'
import { ChainError } from '../errors.ts'
import type { ChainStore } from '../store/chain-store.ts'
import { CliqueEngine } from './clique-engine.ts'
import type { CliqueSnapshot } from './snapshot.ts'

/**
 * @param writeSnapshot Keeps one now and then, which saves time only.
 * @throws ChainError GENESIS_MISSING when the chain is not Clique's.
 */
export function cliqueOf(
  config: ChainConfig,
  store: ChainStore,
  clock: Clock,
  writeSnapshot: (snapshot: CliqueSnapshot) => void,
): CliqueEngine {
  const { clique } = config
  if (clique === undefined) {
    throw new ChainError(
      { code: 'GENESIS_MISSING' },
      {
        shortMessage: 'The genesis has no Clique configuration.',
        metaMessages: ['Only chains with proof of authority run here: add config.clique.'],
      },
    )
  }
  return new CliqueEngine({
    config: { ...config, clique },
    headers: store,
    snapshots: { readSnapshot: (hash) => store.readSnapshot(hash), writeSnapshot },
    nowSeconds: () => BigInt(Math.floor(clock.nowMs() / 1000)),
  })
}
