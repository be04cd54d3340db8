/**
 * What executes the chain of a node: on a thread of its own when the program was built, so that JSON-RPC answers while
 * blocks are executed and the other way round; in place when it runs from its source. A thread that ends unasked is
 * replaced: all that it had is on the disk, or still in the pool.
 */
import { Worker } from 'node:worker_threads'
import type { Clock, Logger, Random } from '@cairn/core'
import {
  ChainReplica,
  createWrittenSignal,
  type Execution,
  type FromExecution,
  lockChainFolder,
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
  /** Resolves when execution has failed for good. */
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
/** Before each attempt to start an ended thread again. What one attempt does not find better, many seldom will. */
const restartPausesMs = [0, 1000, 5000, 15_000, 60_000]
/** A thread that has run for so long was well: when it ends, the attempts are counted from the first again. */
const wellAfterMs = 10 * 60_000

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
  options: OpenExecutionOptions,
  startThread: (data: ExecutionThreadData) => Worker,
): Promise<OpenedExecution> {
  const { directory, genesis, isArchive = false, clock, logger } = options
  const signal = createWrittenSignal()
  const genesisJson = genesis === undefined ? undefined : genesisToJson(genesis)
  const start = async () => {
    const worker = startThread({ directory, genesisJson, isArchive, signal })
    await whenOpened(worker, logger)
    return worker
  }
  // Held here: the lock names the process, which does not end with a thread of it.
  const lock = await lockChainFolder(directory)
  try {
    const worker = await start()
    const database = openChainFolderReplica(directory)
    const evm = new Evm({ logger })
    const replica = new ChainReplica({ database, evm, clock, isArchive, logger })
    const execution = new RemoteExecution({ port: worker, signal, replica, logger })
    const keeper = new ThreadKeeper({ worker, execution, start, clock, logger })
    return {
      execution,
      failed: keeper.failed,
      async close() {
        await keeper.endRestarts()
        await database.close()
        await keeper.close()
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

interface ThreadKeeperOptions {
  readonly worker: Worker
  readonly execution: RemoteExecution
  /** Resolves when the chain is open. */
  start(): Promise<Worker>
  readonly clock: Clock
  readonly logger: Logger
}

/** Replaces the thread whenever it has ended, a bounded number of times. */
class ThreadKeeper {
  /** Resolves when no more threads are started. */
  readonly failed: Promise<Error>
  readonly #options: ThreadKeeperOptions
  readonly #closing = new AbortController()
  #fail: (error: Error) => void = () => undefined
  #worker: Worker | undefined
  #startedMs = 0
  #attemptCount = 0
  #restarting: Promise<void> = Promise.resolve()

  constructor(options: ThreadKeeperOptions) {
    this.#options = options
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.#keep(options.worker)
  }

  async endRestarts(): Promise<void> {
    this.#closing.abort()
    await this.#restarting
  }

  /** After execution has been closed, and nobody reads the database. */
  async close(): Promise<void> {
    const { execution, clock } = this.#options
    const worker = this.#worker
    if (worker === undefined) return
    execution.end()
    await whenEnded(worker, clock)
    await worker.terminate()
  }

  #keep(worker: Worker): void {
    this.#worker = worker
    this.#startedMs = this.#options.clock.nowMs()
    let cause: Error | undefined
    worker.on('error', (error) => {
      cause = error as Error
    })
    // Its handle on the database is closed by then.
    worker.once('exit', (code) => {
      this.#worker = undefined
      if (this.#closing.signal.aborted) return
      this.#restarting = this.#restart(cause ?? new Error(`its thread has ended with code ${code}`))
    })
  }

  async #restart(ended: Error): Promise<void> {
    const { execution, start, clock, logger } = this.#options
    const { signal } = this.#closing
    if (clock.nowMs() - this.#startedMs >= wellAfterMs) this.#attemptCount = 0
    execution.interrupt(ended)
    let cause = ended
    for (let pauseMs = this.#nextPause(); pauseMs !== undefined; pauseMs = this.#nextPause()) {
      const attempt = this.#attemptCount
      logger.log(
        'error',
        'The thread that executes the Ethereum chain has ended; it is started again.',
        {
          error: cause,
          attempt,
          attemptCountMax: restartPausesMs.length,
          pauseMs,
        },
      )
      try {
        await clock.sleep(pauseMs, signal)
        const worker = await start()
        this.#keep(worker)
        await this.#resume(worker, attempt)
        return
      } catch (error) {
        if (signal.aborted) return
        cause = error as Error
      }
    }
    execution.fail(cause)
    logger.log('error', 'The execution of the Ethereum node has failed.', { error: cause })
    this.#fail(cause)
  }

  /** Whatever goes wrong now, the thread is there; should it end meanwhile, the next one is started for that. */
  async #resume(worker: Worker, attempt: number): Promise<void> {
    const { execution, logger } = this.#options
    if (this.#closing.signal.aborted) return
    try {
      await execution.resume(worker)
      logger.log('info', 'The Ethereum chain is executed again.', { attempt })
    } catch (error) {
      logger.log('error', 'Sealing did not begin again.', { error })
    }
  }

  /** Counts an attempt. Undefined when there were enough. */
  #nextPause(): number | undefined {
    return restartPausesMs[this.#attemptCount++]
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
