/** The namespaces of a node that only read: `eth` without sending, `net`, `web3`. What sends is added to them. */
import type { Clock, Random } from '@cairn/core'
import type { CallScheduler } from './calls/call-scheduler.ts'
import type { ChainEvents } from './chain-events.ts'
import type { MethodTable } from './method.ts'
import { ethAccountMethods, type PoolNonces } from './namespaces/eth-accounts.ts'
import { ethBlockMethods, type TransactionFinder } from './namespaces/eth-blocks.ts'
import { ethCallMethods } from './namespaces/eth-calls.ts'
import { ethFeeMethods } from './namespaces/eth-fees.ts'
import { ethFilterMethods } from './namespaces/eth-filters.ts'
import { ethSimulateMethods } from './namespaces/eth-simulate.ts'
import { ethSubscriptionMethods } from './namespaces/eth-subscriptions.ts'
import { ethFactMethods, type NodeFacts, netMethods, web3Methods } from './namespaces/web3-net.ts'
import type { NodeView } from './node-view.ts'
import { Turns } from './turns.ts'

export interface ReadNamespaceOptions {
  readonly view: NodeView
  readonly pool: TransactionFinder & PoolNonces
  readonly events: ChainEvents
  readonly facts: NodeFacts
  readonly clock: Clock
  readonly random: Random
  readonly calls: CallScheduler
}

export function readNamespaces(options: ReadNamespaceOptions): {
  readonly eth: MethodTable
  readonly net: MethodTable
  readonly web3: MethodTable
} {
  const { view, pool, events, facts, random } = options
  const turns = new Turns()
  return {
    eth: {
      ...ethFactMethods(facts),
      ...ethBlockMethods(view, pool),
      ...ethAccountMethods(view, pool),
      ...ethCallMethods(view, options.calls),
      ...ethSimulateMethods(view, options.calls),
      ...ethFeeMethods(view, turns),
      ...ethFilterMethods({ ...options, turns }),
      ...ethSubscriptionMethods({ store: view.chain.store, events, random }),
    },
    net: netMethods(facts),
    web3: web3Methods(facts),
  }
}
