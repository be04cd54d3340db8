/**
 * An Ethereum node as a library: chain folder, pool, sealer, JSON-RPC over HTTP, WebSocket and IPC, opened in order and
 * closed in the reverse. Used by the daemon for its private chain, and by `cairn geth`.
 */
import { type Clock, type Logger, type Random, silentLogger, systemRandom } from '@cairn/core'
import { ChainNode, type PoolLimits } from '@cairn/eth-chain'
import { type Genesis, type KeyFileCost, KeyFolder, secp256k1BackendName } from '@cairn/eth-codec'
import {
  AccountManager,
  type CallLimits,
  type DispatcherLimits,
  Miner,
  NodeRpc,
  type NodeRpcOptions,
} from '@cairn/eth-rpc'
import { nodeFileSystem } from '@cairn/journal'
import { type Closers, closeAll } from '../closers.ts'
import { version } from '../version.ts'
import { nodeControls } from './node-controls.ts'
import { type OpenExecutionOptions, openExecution } from './open-execution.ts'
import { type RpcListenerOptions, RpcListeners } from './rpc-listeners.ts'
import { openSenderRecovery } from './sender-recovery.ts'

export interface AccountOptions {
  /** Folder of key files for `personal`; absent: none are kept. */
  readonly keyFolder?: string
  readonly keyFileCost?: KeyFileCost
  /** Keys that eth_sendTransaction may sign with until the node ends. Copied. */
  readonly unlocked?: readonly Uint8Array[]
  /** Whether personal_unlockAccount may be used although other machines can reach the node. */
  readonly allowsInsecureUnlock?: boolean
  /** Whether HTTP and WebSocket may serve `personal` when it is among their namespaces; IPC always does. */
  readonly allowsPersonal?: boolean
}

export interface EthereumNodeOptions {
  /** Holds `geth/` and, unless told otherwise, `geth.ipc`. */
  readonly directory: string
  /** Needed for a new chain; checked against the stored one otherwise. */
  readonly genesis?: Genesis
  readonly networkId?: bigint
  readonly http?: RpcListenerOptions
  readonly webSocket?: RpcListenerOptions
  /** Absent: no socket. */
  readonly ipcPath?: string
  /** Seals with this key. */
  readonly sealing?: {
    readonly privateKey: Uint8Array
    readonly gasLimitWanted?: bigint
    readonly vanity?: Uint8Array
  }
  readonly accounts?: AccountOptions
  readonly isArchive?: boolean
  readonly callLimits?: CallLimits
  readonly poolLimits?: Partial<PoolLimits>
  /** Treats transactions of its own interfaces like all others. */
  readonly noLocals?: boolean
  readonly sendingRules?: NodeRpcOptions['sendingRules']
  readonly dispatcherLimits?: Partial<DispatcherLimits>
  readonly clock: Clock
  readonly random?: Random
  readonly logger?: Logger
  /** For tests: the thread that executes, from its source. */
  readonly startExecutionThread?: NonNullable<OpenExecutionOptions['startThread']>
}

export interface EthereumEndpoints {
  readonly chainId: number
  readonly http?: string
  readonly ws?: string
  readonly ipc?: string
}

export interface EthereumNode {
  readonly node: ChainNode
  readonly endpoints: EthereumEndpoints
  /** Resolves when the node executes nothing any more, and has to be closed. What is there can still be read. */
  readonly failed: Promise<Error>
  close(): Promise<void>
}

/** @throws JournalError LOCKED, ChainError, ServerError, IpcError. Nothing stays open then. */
export async function openEthereumNode(options: EthereumNodeOptions): Promise<EthereumNode> {
  const closers: Closers = []
  try {
    return await openAll(options, closers)
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

async function openAll(options: EthereumNodeOptions, closers: Closers): Promise<EthereumNode> {
  const { clock, logger = silentLogger, random = systemRandom, sealing } = options
  const { startExecutionThread: startThread } = options
  const opened = await openExecution({
    ...options,
    logger,
    random,
    ...(startThread === undefined ? {} : { startThread }),
  })
  closers.push(() => opened.close())
  const { execution } = opened
  const { chain } = execution
  const node = new ChainNode({
    execution,
    clock,
    logger,
    poolLimits: options.poolLimits ?? {},
    noLocals: options.noLocals ?? false,
  })
  closers.push(() => node.close())
  await node.keepPool(
    options.noLocals === true
      ? undefined
      : { fileSystem: nodeFileSystem, path: `${options.directory}/geth/transactions.rlp` },
  )
  const accounts = openAccounts(options.accounts ?? {}, clock, random)
  closers.push(async () => accounts.close())
  const miner = new Miner({
    node,
    accounts,
    ...sealing,
  })
  closers.push(() => miner.close())
  const facts = {
    clientVersion: clientVersion(),
    chainId: chain.config.chainId,
    networkId: options.networkId ?? chain.config.chainId,
    peerCount: () => 0,
    isListening: () => false,
    isSealing: () => miner.isSealing,
    etherbase: () => miner.etherbase,
  }
  const listeners = new RpcListeners({
    ...options,
    dispatcherFor: (names) => rpc.dispatcherFor(names ?? rpc.namespaceNames),
    hasUnlockedAccounts: () => accounts.hasUnlocked,
  })
  const recovery = openSenderRecovery(logger)
  if (recovery !== undefined) closers.push(() => recovery.close())
  const rpc = new NodeRpc({
    node,
    ...(recovery === undefined ? {} : { recovery }),
    accounts,
    miner,
    mayUnlock: () => listeners.mayUnlock,
    controls: nodeControls(options.directory, execution, listeners),
    facts,
    clock,
    random,
    ...(options.callLimits === undefined ? {} : { callLimits: options.callLimits }),
    ...(options.sendingRules === undefined ? {} : { sendingRules: options.sendingRules }),
    ...(options.dispatcherLimits === undefined
      ? {}
      : { dispatcherLimits: options.dispatcherLimits }),
    onCall: ({ method, durationMs, fault, error }) => {
      if (error !== undefined && fault?.code === internalError) {
        logger.log('error', 'a call of JSON-RPC failed', { method, durationMs, error })
      }
    },
  })
  closers.push(
    () => rpc.close(),
    () => listeners.close(),
    // First of all: the listeners wait for answers to what is under way.
    async () => execution.endImports(),
  )
  const endpoints = await listeners.open()
  if (sealing !== undefined) await miner.start()
  logger.log('info', 'Ethereum node is up.', {
    ...endpoints,
    signatures: secp256k1BackendName(),
    interpreter: chain.evm.interpreterName,
    head: String(chain.head.header.number),
  })
  return {
    node,
    endpoints: { chainId: Number(chain.config.chainId), ...endpoints },
    failed: opened.failed,
    close: () => closeAll(closers),
  }
}

const internalError = -32603

/** As geth's: name, version, platform, runtime. */
function clientVersion(): string {
  const { platform, arch, versions } = process
  return `Cairn/v${version}/${platform}-${arch}/node${versions.node}`
}

function openAccounts(
  { keyFolder, keyFileCost, unlocked = [] }: AccountOptions,
  clock: Clock,
  random: Random,
): AccountManager {
  const accounts = new AccountManager({
    clock,
    random,
    ...(keyFolder === undefined ? {} : { keys: new KeyFolder(nodeFileSystem, keyFolder) }),
    ...(keyFileCost === undefined ? {} : { keyFileCost }),
  })
  for (const key of unlocked) accounts.addKey(key)
  return accounts
}
