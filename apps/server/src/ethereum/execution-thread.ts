/** The thread that executes the chain of a node. Started by open-execution.ts; ends when it is told to. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert, createSystemClock, type Logger } from '@cairn/core'
import {
  type ChainFolder,
  type ExecutionPort,
  ExecutionServer,
  openLockedChainFolder,
  packError,
  portLogger,
  type ThreadError,
} from '@cairn/eth-chain'
import { parseGenesis } from '@cairn/eth-codec'
import { nodeFileSystem } from '@cairn/journal'
import { executeFolder } from './execute-folder.ts'
import type { ExecutionThreadData } from './open-execution.ts'

/** Said once, beside what an ExecutionServer says. */
export type FromExecutionThread =
  | { readonly kind: 'opened' }
  | { readonly kind: 'openFailed'; readonly error: ThreadError }

const { directory, genesisJson, isArchive, signal } = workerData as ExecutionThreadData
assert(parentPort !== null, 'this file runs as a worker')
const port = parentPort
const tell = (message: FromExecutionThread): void => port.postMessage(message)
const clock = createSystemClock()
const logger: Logger = portLogger(port as ExecutionPort)

try {
  const folder = openLockedChainFolder(directory, nodeFileSystem)
  try {
    serve(folder)
    tell({ kind: 'opened' })
  } catch (error) {
    await folder.close()
    throw error
  }
} catch (error) {
  tell({ kind: 'openFailed', error: packError(error) })
  port.close()
}

function serve(folder: ChainFolder): void {
  const genesis = genesisJson === undefined ? undefined : parseGenesis(genesisJson).genesis
  const execution = executeFolder(folder, { clock, logger, isArchive, genesis })
  new ExecutionServer({
    port: port as ExecutionPort,
    signal,
    execution,
    onEnd: () => void folder.close().finally(() => port.close()),
  })
}
