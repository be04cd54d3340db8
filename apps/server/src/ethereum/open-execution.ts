/**
 * What executes the chain of a node: on a thread of its own when the program was built, so that JSON-RPC answers while
 * blocks are executed and the other way round; in place when it runs from its source.
 */
import { Worker } from 'node:worker_threads'
import type { Clock, Logger, Random } from '@cairn/core'
import {
  ChainReplica,
  createWrittenSignal,
  type Execution,
  type FromExecution,
  openChainFolder,
  openChainFolderReplica,
  RemoteExecution,
  unpackError,
  type WrittenSignal,
} from '@cairn/eth-chain'
import { type Genesis, genesisToJson } from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { nodeFileSystem } from '@cairn/journal'
import { executeFolder } from './execute-folder.ts'
import type { FromExecutionThread } from './execution-thread.ts'

export interface OpenExecutionOptions {
  /** Holds `geth/`. */
  readonly directory: string
  readonly genesis?: Genesis
  readonly isArchive?: boolean
  readonly clock: Clock
  readonly random?: Random
  readonly logger: Logger
  /** Starts execution-thread; absent: that of the built program, or none when there is none. */
  readonly startThread?: (data: ExecutionThreadData) => Worker
}

export interface OpenedExecution {
  readonly execution: Execution
  /** Resolves when execution has failed. */
  readonly failed: Promise<Error>
  /** After execution has been closed: closes the database. */
  close(): Promise<void>
}

/** What the thread gets when it is made. */
export interface ExecutionThreadData {
  readonly directory: string
  readonly genesisJson: unknown
  readonly isArchive: boolean
  readonly signal: WrittenSignal
}

const isBuilt = import.meta.url.endsWith('.js')
const builtThread = isBuilt
  ? (workerData: ExecutionThreadData) =>
      new Worker(new URL('./execution-thread.js', import.meta.url), { workerData })
  : undefined
/** For a database to close, on a disk that may be busy. */
const closeMsMax = 3000

/** @throws JournalError LOCKED, ChainError, StateError. Nothing stays open then. */
export function openExecution(options: OpenExecutionOptions): Promise<OpenedExecution> {
  const startThread = options.startThread ?? builtThread
  return startThread === undefined ? openInPlace(options) : openOnThread(options, startThread)
}

async function openInPlace(options: OpenExecutionOptions): Promise<OpenedExecution> {
  const folder = await openChainFolder(options.directory, nodeFileSystem)
  try {
    const execution = executeFolder(folder, { ...options, isArchive: options.isArchive ?? false })
    return { execution, failed: new Promise(() => undefined), close: () => folder.close() }
  } catch (error) {
    await folder.close()
    throw error
  }
}

async function openOnThread(
  { directory, genesis, isArchive = false, clock, logger }: OpenExecutionOptions,
  startThread: (data: ExecutionThreadData) => Worker,
): Promise<OpenedExecution> {
  const signal = createWrittenSignal()
  const genesisJson = genesis === undefined ? undefined : genesisToJson(genesis)
  const worker = startThread({ directory, genesisJson, isArchive, signal })
  await whenOpened(worker, logger)
  const database = openChainFolderReplica(directory)
  const replica = new ChainReplica({ database, evm: new Evm({ logger }), clock, isArchive, logger })
  const execution = new RemoteExecution({ port: worker, signal, replica, logger })
  let isClosing = false
  const failed = new Promise<Error>((resolve) => {
    const fail = (error: Error) => {
      if (isClosing) return
      isClosing = true
      execution.fail(error)
      logger.log('error', 'The execution of the Ethereum node has failed.', { error })
      resolve(error)
    }
    worker.on('error', (error) => fail(error as Error))
    worker.on('exit', (code) => fail(new Error(`its thread has ended with code ${code}`)))
  })
  return {
    execution,
    failed,
    async close() {
      const hasFailed = isClosing
      isClosing = true
      await database.close()
      if (!hasFailed) {
        execution.end()
        await whenEnded(worker, clock)
      }
      await worker.terminate()
    },
  }
}

/** @throws what opening the chain does. The thread has ended then. */
async function whenOpened(worker: Worker, logger: Logger): Promise<void> {
  let take: (message: FromExecution | FromExecutionThread) => void = () => undefined
  const listener = (message: FromExecution | FromExecutionThread) => take(message)
  worker.on('message', listener)
  try {
    await new Promise<void>((resolve, reject) => {
      take = (message) => {
        if (message.kind === 'opened') resolve()
        if (message.kind === 'openFailed') reject(unpackError(message.error))
        if (message.kind === 'log') logger.log(message.level, message.message, message.fields)
      }
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('the thread that executes has ended')))
    })
  } catch (error) {
    await worker.terminate()
    throw error
  } finally {
    worker.off('message', listener)
  }
}

/** Whether it closes in time or not: what is on the disk is whole. */
async function whenEnded(worker: Worker, clock: Clock): Promise<void> {
  const timeOut = new AbortController()
  await Promise.race([
    new Promise((resolve) => worker.once('exit', resolve)),
    clock.sleep(closeMsMax, timeOut.signal).catch(() => undefined),
  ])
  timeOut.abort()
}
