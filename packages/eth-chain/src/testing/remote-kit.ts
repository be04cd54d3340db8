/** A node whose execution is at the other end of a port, on this thread: what stands between threads, without them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { type Clock, createSystemClock, silentLogger } from '@cairn/core'
import type { Genesis } from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { openLmdbDatabase, openLmdbReplica } from '@cairn/eth-state'
import { ChainReplica } from '../execution/chain-replica.ts'
import { ExecutionServer } from '../execution/execution-server.ts'
import type { LocalExecution } from '../execution/local-execution.ts'
import { createWrittenSignal } from '../execution/messages.ts'
import { RemoteExecution } from '../execution/remote-execution.ts'
import { ChainNode } from '../node/chain-node.ts'
import { ChainKit } from './chain-kit.ts'

export interface RemoteKit {
  /** Of the side that executes. */
  readonly kit: ChainKit
  readonly local: LocalExecution
  /** Of the side that asks. */
  readonly remote: RemoteExecution
  readonly node: ChainNode
  close(): Promise<void>
}

export function openRemoteKit(genesis: Genesis, clock: Clock = createSystemClock()): RemoteKit {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-remote-'))
  const database = openLmdbDatabase(folder)
  const kit = new ChainKit(genesis, { database, clock })
  const local = kit.execution()
  const { port1, port2 } = new MessageChannel()
  const signal = createWrittenSignal()
  const replicaDatabase = openLmdbReplica(folder)
  new ExecutionServer({ port: port2, signal, execution: local, onEnd: () => undefined })
  const evm = new Evm({ interpreter: 'typescript' })
  const replica = new ChainReplica({ database: replicaDatabase, evm, clock })
  const remote = new RemoteExecution({ port: port1, signal, replica, logger: silentLogger })
  const node = new ChainNode({ execution: remote, clock })
  return {
    kit,
    local,
    remote,
    node,
    async close() {
      await node.close()
      port1.close()
      await replicaDatabase.close()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
