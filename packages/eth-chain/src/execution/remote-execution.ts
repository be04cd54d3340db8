/**
 * Execution on another thread: the chain is read through a replica of its database, everything else is asked over a
 * port. The other end is an ExecutionServer. Who owns the thread says when it has ended, and hands in the next port:
 * sealing goes on there with what is in the pool.
 */
import type { Logger } from '@cairn/core'
import type { AccountProof } from '@cairn/eth-state'
import type { ImportResult } from '../chain.ts'
import { CliqueProposals } from '../clique/proposals.ts'
import type { ImportProgress } from '../file/chain-file.ts'
import type { TransactionPool } from '../pool/transaction-pool.ts'
import type { ChainReplica } from './chain-replica.ts'
import type { Execution, SealingOptions } from './execution.ts'
import {
  type ExecutionThreadError,
  executionBusy,
  executionFailed,
  executionRestarting,
} from './execution-thread-error.ts'
import type {
  CallName,
  Calls,
  ExecutionPort,
  FromExecution,
  ToExecution,
  WrittenSignal,
} from './messages.ts'
import { unpackPending } from './packed-pending.ts'
import { type PendingBlock, pendingBlockOf } from './pending-block.ts'
import { unpackError } from './thread-error.ts'
import { TransactionFeed } from './transaction-feed.ts'

export interface RemoteExecutionOptions {
  readonly port: ExecutionPort
  readonly signal: WrittenSignal
  readonly replica: ChainReplica
  readonly logger: Logger
}

/** Answers that are waited for; as many as four of the largest batches of JSON-RPC can ask for. */
const callCountMax = 4096
/** Of blocks that are on their way to be imported. */
const importBytesMax = 128 * 1024 * 1024

interface Sealing {
  options: SealingOptions
  readonly pool: TransactionPool
}

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
  readonly onProgress: ((progress: ImportProgress) => void) | undefined
}

export class RemoteExecution implements Execution {
  readonly chain: ChainReplica
  readonly proposals: Execution['proposals']
  readonly #options: RemoteExecutionOptions
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #importBytes = 0
  #isSealing = false
  /** What to go on with on another thread; undefined while nothing is sealed. */
  #sealing: Sealing | undefined
  /** Undefined between two threads. */
  #port: ExecutionPort | undefined
  /** Why there is none. */
  #interruption: ExecutionThreadError | undefined
  #feed: TransactionFeed | undefined
  #pending: { readonly version: string; readonly block: PendingBlock } | undefined
  #failure: ExecutionThreadError | undefined

  constructor(options: RemoteExecutionOptions) {
    this.#options = options
    this.chain = options.replica
    this.proposals = this.#openProposals()
    this.#listen(options.port)
  }

  get isSealing(): boolean {
    return this.#isSealing
  }

  get failure(): ExecutionThreadError | undefined {
    return this.#failure
  }

  async startSealing(options: SealingOptions, pool: TransactionPool): Promise<void> {
    const own = { ...options, privateKey: options.privateKey.slice() }
    this.#endFeed()
    this.#forgetSealing()
    this.#sealing = { options: own, pool }
    try {
      await this.#beginSealing(this.#sealing)
    } catch (error) {
      own.privateKey.fill(0)
      await this.stopSealing()
      throw error
    }
  }

  async stopSealing(): Promise<void> {
    this.#endFeed()
    this.#forgetSealing()
    try {
      if (this.#port !== undefined) await this.#call('stopSealing', undefined)
    } catch (error) {
      // A thread that has ended seals nothing.
      if (this.#port !== undefined) throw error
    }
    this.#isSealing = false
  }

  /** The first block is to have what is in the pool. */
  async #beginSealing({ options, pool }: Sealing): Promise<void> {
    this.#feed = new TransactionFeed(pool, ({ added, gone }) => {
      this.#tell({ kind: 'transactions', added, gone }, [added.buffer, gone.buffer])
    })
    this.#feed.flush()
    await this.#call('startSealing', options)
    this.#isSealing = true
  }

  #endFeed(): void {
    this.#feed?.close()
    this.#feed = undefined
  }

  #forgetSealing(): void {
    this.#sealing?.options.privateKey.fill(0)
    this.#sealing = undefined
  }

  setVanity(vanity: Uint8Array): void {
    this.#changeSealing({ vanity: vanity.slice() })
    this.#tell({ kind: 'vanity', vanity: vanity.slice() })
  }

  setGasLimit(gasLimit: bigint): void {
    this.#changeSealing({ gasLimitWanted: gasLimit })
    this.#tell({ kind: 'gasLimit', gasLimit })
  }

  #changeSealing(change: Partial<SealingOptions>): void {
    if (this.#sealing !== undefined) {
      this.#sealing.options = { ...this.#sealing.options, ...change }
    }
  }

  async pendingBlock(): Promise<PendingBlock | undefined> {
    // What was sent before somebody asks belongs to the answer.
    this.#feed?.flush()
    const known = this.#pending
    const answer = await this.#call('pending', { version: known?.version })
    if (answer.kind === 'none') return undefined
    if (answer.kind === 'same') return known?.block
    const snapshot = unpackPending(answer.packed)
    // The block below it may be one that nobody has heard of here.
    this.chain.follow()
    const block = pendingBlockOf(snapshot, this.chain)
    this.#pending = { version: snapshot.version, block }
    return block
  }

  proof(
    root: Uint8Array,
    address: Uint8Array,
    slots: readonly Uint8Array[],
  ): Promise<AccountProof> {
    const ask = {
      root: root.slice(),
      address: address.slice(),
      slots: slots.map((slot) => slot.slice()),
    }
    return this.#call('proof', ask)
  }

  badBlocks(): Promise<readonly Uint8Array[]> {
    return this.#call('badBlocks', undefined)
  }

  /** @throws ExecutionThreadError EXECUTION_BUSY, and as `Execution` says. */
  async importBlocks(blocks: readonly Uint8Array[]): Promise<ImportResult> {
    const size = blocks.reduce((sum, block) => sum + block.length, 0)
    if (this.#importBytes + size > importBytesMax && this.#importBytes > 0) throw executionBusy()
    this.#importBytes += size
    try {
      return await this.#call('importBlocks', { blocks: blocks.map((block) => block.slice()) })
    } finally {
      this.#importBytes -= size
      this.#follow()
    }
  }

  async importFile(path: string, onProgress?: (progress: ImportProgress) => void): Promise<number> {
    try {
      return await this.#call('importFile', { path }, onProgress)
    } finally {
      this.#follow()
    }
  }

  endImports(): void {
    this.#tell({ kind: 'endImports' })
  }

  async close(): Promise<void> {
    this.#endFeed()
    this.#forgetSealing()
    try {
      if (this.#port !== undefined) await this.#call('close', undefined)
    } catch (error) {
      // What a thread that has ended had to write is worked out when the chain is opened again.
      if (this.#port !== undefined) throw error
    }
    this.#failure ??= executionFailed('The node is closed.')
  }

  /** After `close`, when the replica is closed, too. */
  end(): void {
    this.#port?.postMessage({ kind: 'end' } satisfies ToExecution)
  }

  /**
   * The other thread is no more, and another will be. Whoever waits hears why; whoever asks meanwhile hears that it
   * begins again. Transactions stay in the pool, and the pool takes more.
   */
  interrupt(cause: unknown): void {
    if (this.#failure === undefined) this.#lose(executionRestarting(cause))
  }

  /** Another thread has opened the chain: everything goes on with it. @throws what beginning to seal does */
  async resume(port: ExecutionPort): Promise<void> {
    if (this.#failure !== undefined) return
    this.#interruption = undefined
    this.#listen(port)
    // What was written last was maybe not told any more. The pool is to hear of it before it hands anything over.
    this.#follow()
    for (const { address, authorize } of this.proposals.list()) {
      this.#tell({ kind: 'propose', address, authorize })
    }
    if (this.#sealing === undefined) return
    try {
      await this.#beginSealing(this.#sealing)
    } catch (error) {
      // When this thread has ended, too, the next one is to seal.
      if (port === this.#port) this.#isSealing = false
      throw error
    }
  }

  /** There is no other thread any more: whoever waits for one hears why, and whoever asks from now on. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = executionFailed('The execution of the node has failed.', cause)
    this.#isSealing = false
    this.#forgetSealing()
    this.#lose(this.#failure)
  }

  #listen(port: ExecutionPort): void {
    this.#port = port
    port.on('message', (message) => {
      if (port === this.#port) this.#take(message as FromExecution)
    })
  }

  #lose(interruption: ExecutionThreadError): void {
    this.#interruption = interruption
    this.#port = undefined
    this.#endFeed()
    // Another thread may make a block of the same number of other transactions.
    this.#pending = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(interruption)
  }

  #take(message: FromExecution): void {
    const { logger } = this.#options
    switch (message.kind) {
      case 'answer':
        this.#settle(message.id)?.resolve(message.value as never)
        return
      case 'failed':
        this.#settle(message.id)?.reject(unpackError(message.error))
        return
      case 'progress':
        this.#waiting.get(message.id)?.onProgress?.(message.progress)
        return
      case 'written':
        this.#follow()
        return
      case 'taken':
        this.#feed?.taken()
        return
      case 'sealing':
        this.#isSealing = message.isSealing
        return
      case 'log':
        logger.log(message.level, message.message, message.fields)
        return
      default: {
        const never: never = message
        throw new TypeError(`Unknown message ${JSON.stringify(never)}`)
      }
    }
  }

  #follow(): void {
    if (this.#failure !== undefined) return
    // Before reading: what is written from now on is told again.
    Atomics.store(this.#options.signal, 0, 0)
    this.chain.follow()
  }

  #call<N extends CallName>(
    name: N,
    ask: Calls[N]['ask'],
    onProgress?: (progress: ImportProgress) => void,
  ): Promise<Calls[N]['answer']> {
    const lost = this.#failure ?? this.#interruption
    if (lost !== undefined) return Promise.reject(lost)
    if (this.#waiting.size >= callCountMax) return Promise.reject(executionBusy())
    const id = ++this.#lastId
    return new Promise<Calls[N]['answer']>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress })
      this.#tell({ kind: 'call', id, name, ask } as ToExecution)
    })
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }

  #tell(message: ToExecution, transfer?: readonly ArrayBuffer[]): void {
    if (this.#failure === undefined) this.#port?.postMessage(message, transfer)
  }

  /** Kept here, where they are asked for, and told to the other side, where they are used. */
  #openProposals(): Execution['proposals'] {
    const proposals = new CliqueProposals()
    return {
      list: () => proposals.list(),
      propose: (address, authorize) => {
        const isTaken = proposals.propose(address, authorize)
        if (isTaken) this.#tell({ kind: 'propose', address, authorize })
        return isTaken
      },
      discard: (address) => {
        proposals.discard(address)
        this.#tell({ kind: 'propose', address, authorize: undefined })
      },
    }
  }
}
