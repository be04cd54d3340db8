/** The thread that executes the chain of a node. Started by open-execution.ts; ends when it is told to. */
import { getHeapStatistics } from 'node:v8'
import { parentPort, resourceLimits, workerData } from 'node:worker_threads'
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

/** What a write of many blocks may allocate; Node adds half of it when a thread reaches its limit. */
const heapRoomBytesMin = 32 * 1024 * 1024
/** Node's own for a process that is out of memory is 134; a thread that chooses to end has one of its own. */
const heapFullCode = 70

const { directory, genesisJson, isArchive, signal } = workerData as ExecutionThreadData
assert(parentPort !== null, 'this file runs as a worker')
const port = parentPort
const tell = (message: FromExecutionThread): void => port.postMessage(message)
const clock = createSystemClock()
const logger: Logger = portLogger(port as ExecutionPort)

try {
  const folder = openLockedChainFolder(directory, nodeFileSystem, {
    beforeWrite: endWhenHeapIsFull,
  })
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

/**
 * A thread whose heap is full ends wherever it stands. Within a transaction of lmdb 3.5.6 it would never have ended, as
 * the clean-up waits for a lock that the thread holds itself. So it ends before, and another is started.
 */
function endWhenHeapIsFull(): void {
  // V8 counts the room for young objects, too, where the others cannot go.
  const youngBytes = (resourceLimits.maxYoungGenerationSizeMb ?? 0) * 1024 * 1024
  const roomBytes = getHeapStatistics().total_available_size - youngBytes
  if (roomBytes >= heapRoomBytesMin) return
  logger.log('error', 'The heap of the thread that executes is full.', { roomBytes })
  process.exit(heapFullCode)
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
