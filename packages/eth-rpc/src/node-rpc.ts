/** All namespaces of a node, joined; each listener gets those that it may serve. */
import { Worker } from 'node:worker_threads'
import type { Clock, Random } from '@cairn/core'
import type { ChainNode, RpcRules } from '@cairn/eth-chain'
import { AccountManager } from './accounts/account-manager.ts'
import { Sender } from './accounts/sender.ts'
import { type CallLimits, defaultCallLimits } from './calls/call-runner.ts'
import { CallScheduler } from './calls/call-scheduler.ts'
import { chainEvents } from './chain-events.ts'
import { type CallReport, Dispatcher, type DispatcherLimits } from './dispatcher.ts'
import type { MethodTable } from './method.ts'
import type { Miner } from './miner.ts'
import { adminMethods, type NodeControls } from './namespaces/admin.ts'
import { cliqueMethods } from './namespaces/clique.ts'
import { debugMethods } from './namespaces/debug.ts'
import { debugStateMethods } from './namespaces/debug-state.ts'
import { debugTracingMethods } from './namespaces/debug-tracing.ts'
import { TipOracle } from './namespaces/eth-fees.ts'
import { ethSendingMethods, type SenderRecovery } from './namespaces/eth-sending.ts'
import { ethSigningMethods } from './namespaces/eth-signing.ts'
import { minerMethods } from './namespaces/miner.ts'
import { personalMethods } from './namespaces/personal.ts'
import { txpoolMethods } from './namespaces/txpool.ts'
import type { NodeFacts } from './namespaces/web3-net.ts'
import { NodeView } from './node-view.ts'
import { readNamespaces } from './read-namespaces.ts'

export interface NodeRpcOptions {
  readonly node: ChainNode
  readonly facts: Omit<NodeFacts, 'accounts'>
  /** Keys to sign with; none unless given. Closed by its owner. */
  readonly accounts?: AccountManager
  /** Whether personal_unlockAccount may unlock. Not where other machines can reach the node. */
  mayUnlock?(): boolean
  /** Absent: no `miner`. */
  readonly miner?: Miner
  /** Absent: no `admin`. */
  readonly controls?: NodeControls
  readonly clock: Clock
  readonly random: Random
  readonly callLimits?: CallLimits
  /** The thread for calls that take long; without it they stay on this one, as they do where the source runs. */
  readonly openCallThread?: () => Worker
  readonly sendingRules?: RpcRules
  /** For batches of transactions; absent: on the thread that serves. */
  readonly recovery?: SenderRecovery
  readonly dispatcherLimits?: Partial<DispatcherLimits>
  onCall?(call: CallReport): void
}

/** As geth: at most one ether for gas (--rpc.txfeecap), bound to the chain (--rpc.allow-unprotected-txs). */
export const sendingRulesDefault: RpcRules = { feeCapWei: 10n ** 18n, allowsUnprotected: false }

/** What a listener serves unless it is told otherwise. geth's default, too. */
export const publicNamespaces = ['eth', 'net', 'web3'] as const

const isBuilt = import.meta.url.endsWith('.js')
const builtCallThread = isBuilt
  ? () => new Worker(new URL('./calls/call-thread.js', import.meta.url))
  : undefined

export class NodeRpc {
  readonly #options: NodeRpcOptions
  readonly #calls: CallScheduler
  readonly #namespaces: Readonly<Record<string, MethodTable>>

  constructor(options: NodeRpcOptions) {
    const { node, facts, clock, random } = options
    const { chain, pool } = node
    this.#options = options
    const accounts = options.accounts ?? new AccountManager({ clock, random })
    const calls = new CallScheduler({
      environment: chain,
      limits: options.callLimits ?? defaultCallLimits,
      openThread: options.openCallThread ?? builtCallThread,
    })
    this.#calls = calls
    const rules = options.sendingRules ?? sendingRulesDefault
    const view = new NodeView(node.execution)
    const events = chainEvents(chain, node)
    const read = readNamespaces({
      view,
      pool: {
        find: (hash) => pool.get(hash),
        nextNonce: (address) => pool.nextNonce(address),
      },
      events,
      facts: { ...facts, accounts: () => accounts.addresses() },
      clock,
      random,
      calls,
    })
    const fill = { view, pool, tips: new TipOracle(view), calls }
    const sender = new Sender({ accounts, node, rules, fill })
    const { clique } = chain
    this.#namespaces = {
      ...read,
      eth: {
        ...read.eth,
        ...ethSendingMethods(node, rules, options.recovery),
        ...ethSigningMethods(sender),
      },
      personal: personalMethods(sender, () => options.mayUnlock?.() ?? false),
      debug: {
        ...debugMethods(view, pool),
        ...debugStateMethods(view, calls),
        ...debugTracingMethods(view, calls),
      },
      ...(options.miner === undefined ? {} : { miner: minerMethods(options.miner, pool) }),
      ...(options.controls === undefined
        ? {}
        : { admin: adminMethods(view, facts, options.controls) }),
      txpool: txpoolMethods(pool),
      ...(clique === undefined
        ? {}
        : { clique: cliqueMethods(view, clique, node.execution.proposals) }),
    }
  }

  /** Ends calls that still run. The listeners are their owner's. */
  async close(): Promise<void> {
    await this.#calls.close()
  }

  get namespaceNames(): readonly string[] {
    return Object.keys(this.#namespaces)
  }

  /** @param names Those that the listener may serve; names that there are none of are left out. */
  dispatcherFor(names: readonly string[]): Dispatcher {
    const { clock, dispatcherLimits, onCall } = this.#options
    const served = Object.entries(this.#namespaces).filter(([name]) => names.includes(name))
    return new Dispatcher({
      namespaces: Object.fromEntries(served),
      clock,
      ...(dispatcherLimits === undefined ? {} : { limits: dispatcherLimits }),
      ...(onCall === undefined ? {} : { onCall }),
    })
  }
}
