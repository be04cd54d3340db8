/** A node for tests of clients: one sealer, a chain in memory, HTTP and WebSocket on free ports of loopback, IPC. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { type Clock, createSystemClock, systemRandom, utf8 } from '@cairn/core'
import { Chain, ChainNode, LocalExecution } from '@cairn/eth-chain'
import {
  addressOfPrivateKey,
  cliqueGenesis,
  dataToHex,
  type KeyFolder,
  keccak256,
} from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { createMemoryDatabase } from '@cairn/eth-state'
import { createHttpServer } from '@cairn/http-server'
import { AccountManager } from '../accounts/account-manager.ts'
import type { CallLimits } from '../calls/call-runner.ts'
import type { CallReport, Dispatcher } from '../dispatcher.ts'
import { HttpTransport } from '../http-transport.ts'
import { openIpcServer } from '../ipc-server.ts'
import { Miner } from '../miner.ts'
import type { NodeControls } from '../namespaces/admin.ts'
import type { SenderRecovery } from '../namespaces/eth-sending.ts'
import { NodeRpc, publicNamespaces } from '../node-rpc.ts'
import { openRpcWebSocketServer } from '../websocket-server.ts'

export interface RpcTestNode {
  readonly httpUrl: string
  readonly wsUrl: string
  /** Of the socket, which serves all namespaces. */
  readonly ipcPath: string
  readonly node: ChainNode
  /** Of all namespaces. */
  readonly dispatcher: Dispatcher
  /** What HTTP and WebSocket serve. */
  readonly publicDispatcher: Dispatcher
  readonly accounts: AccountManager
  /** Funded, `0x` and 64 digits. */
  readonly privateKeys: readonly `0x${string}`[]
  close(): Promise<void>
}

export const testChainId = 4242

export interface RpcTestNodeOptions {
  readonly clock?: Clock
  /** Of the account manager. */
  readonly keys?: KeyFolder
  readonly callLimits?: CallLimits
  /** Absent: long calls stay on the thread. */
  readonly openCallThread?: () => Worker
  readonly recovery?: SenderRecovery
  /** Absent: no `admin`. */
  readonly controls?: NodeControls
  onCall?(call: CallReport): void
}

/** @param periodSeconds 0 seals as soon as a transaction is there. */
export async function openRpcTestNode(
  periodSeconds = 0n,
  namespaces: readonly string[] = publicNamespaces,
  { clock = createSystemClock(), keys, ...more }: RpcTestNodeOptions = {},
): Promise<RpcTestNode> {
  const sealerKey = keccak256(utf8('sealer'))
  const privateKeys = ['first', 'second'].map((name) => keccak256(utf8(name)))
  const signer = addressOfPrivateKey(sealerKey)
  const genesis = cliqueGenesis({
    chainId: BigInt(testChainId),
    periodSeconds,
    signers: [signer],
    balances: privateKeys.map((key) => ({
      address: addressOfPrivateKey(key),
      balance: 10n ** 22n,
    })),
    gasLimit: 30_000_000n,
    forks: 'cancun',
    timestamp: 1_700_000_000n,
  })
  const database = createMemoryDatabase()
  const chain = new Chain({ database, evm: new Evm(), clock, genesis })
  const nothing = async (): Promise<undefined> => undefined
  const recordOf = () => ({ read: nothing, write: nothing, close: nothing })
  const execution = new LocalExecution({ chain, clock, recordOf })
  const node = new ChainNode({ execution, clock })
  const accounts = new AccountManager({
    clock,
    random: systemRandom,
    keyFileCost: 'light',
    ...(keys === undefined ? {} : { keys }),
  })
  const miner = new Miner({ node, accounts, privateKey: sealerKey })
  const rpc = new NodeRpc({
    node,
    clock,
    accounts,
    mayUnlock: () => true,
    miner,
    ...more,
    random: systemRandom,
    facts: {
      clientVersion: 'Cairn/test',
      chainId: chain.config.chainId,
      networkId: chain.config.chainId,
      peerCount: () => 0,
      isListening: () => false,
      isSealing: () => miner.isSealing,
      etherbase: () => miner.etherbase,
    },
  })
  const dispatcher = rpc.dispatcherFor(namespaces)
  const handler = new HttpTransport({ dispatcher, corsOrigins: [], virtualHosts: ['localhost'] })
  const http = createHttpServer({ handler, clock })
  const httpPort = await http.listen('127.0.0.1', 0)
  const ws = await openRpcWebSocketServer({
    dispatcher,
    host: '127.0.0.1',
    port: 0,
    origins: [],
    virtualHosts: ['localhost'],
  })
  const all = rpc.dispatcherFor(rpc.namespaceNames)
  const folder = await mkdtemp(join(tmpdir(), 'cairn-ipc-'))
  const ipc = await openIpcServer(join(folder, 'node.ipc'), all)
  await miner.start()
  return {
    httpUrl: `http://127.0.0.1:${httpPort}`,
    wsUrl: `ws://127.0.0.1:${ws.port}`,
    node,
    ipcPath: ipc.path,
    dispatcher: all,
    publicDispatcher: dispatcher,
    accounts,
    privateKeys: privateKeys.map((key) => dataToHex(key) as `0x${string}`),
    async close() {
      await rpc.close()
      await miner.close()
      accounts.close()
      await node.close()
      await ipc.close()
      await rm(folder, { recursive: true })
      await ws.close()
      await http.close()
      await database.close()
    },
  }
}
