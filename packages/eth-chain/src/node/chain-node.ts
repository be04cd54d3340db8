/**
 * A node's chain with its transaction pool and what executes: what JSON-RPC and the network stand on. The pool follows
 * the head before anybody else hears of it.
 */
import { type Clock, type Logger, silentLogger } from '@cairn/core'
import { forkAt, isLondon } from '@cairn/eth-codec'
import { stateNotAvailable } from '@cairn/eth-state'
import type { ChainReader, HeadChange } from '../chain-reader.ts'
import type { Execution, SealingOptions } from '../execution/execution.ts'
import type { PendingBlock } from '../execution/pending-block.ts'
import { nextBaseFee } from '../gas-rules.ts'
import { PoolKeeper, type PoolKeeperOptions } from '../pool/pool-keeper.ts'
import {
  type IncomingTransaction,
  incomingOf,
  type PooledTransaction,
  readIncoming,
} from '../pool/pooled-transaction.ts'
import { type PoolLimits, TransactionPool } from '../pool/transaction-pool.ts'
import type { PoolHead } from '../pool/validation.ts'

export interface ChainNodeOptions {
  readonly execution: Execution
  readonly clock: Clock
  readonly logger?: Logger
  readonly poolLimits?: Partial<PoolLimits>
  /** `--txpool.nolocals` */
  readonly noLocals?: boolean
}

export class ChainNode {
  readonly execution: Execution
  readonly pool: TransactionPool
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #endFollowing: () => void
  #keeper: PoolKeeper | undefined

  constructor(options: ChainNodeOptions) {
    const { execution, clock, poolLimits = {}, noLocals = false } = options
    this.execution = execution
    this.#clock = clock
    this.#logger = options.logger ?? silentLogger
    const { chainId } = this.chain.config
    this.pool = new TransactionPool({
      chainId,
      head: this.#poolHead(),
      clock,
      limits: poolLimits,
      noLocals,
    })
    this.#endFollowing = this.chain.onHead((change) => this.#follow(change))
  }

  get chain(): ChainReader {
    return this.execution.chain
  }

  /**
   * Takes a transaction over one of this node's own interfaces.
   * @throws PoolError; why nothing is executed, when nothing is.
   */
  add(incoming: IncomingTransaction): PooledTransaction {
    const { failure } = this.execution
    if (failure !== undefined) throw failure
    return this.pool.add(incoming, true)
  }

  /** The same for its bytes. @returns its hash. @throws RlpError, TransactionError, and as `add`. */
  submit(raw: Uint8Array): string {
    return this.add(readIncoming(raw)).hash
  }

  onExecutable(listener: (transaction: PooledTransaction) => void): () => void {
    return this.pool.onExecutable(listener)
  }

  /** Undefined while none is being made: then the head is the best answer. */
  pendingBlock(): Promise<PendingBlock | undefined> {
    return this.execution.pendingBlock()
  }

  /**
   * Lets transactions expire from now on, and brings local ones back that the journal has from before.
   * @param journal Where local transactions are kept; without it they are gone after a restart.
   */
  async keepPool(journal?: PoolKeeperOptions['journal']): Promise<void> {
    await this.#keeper?.close()
    this.#keeper = await PoolKeeper.open({
      pool: this.pool,
      clock: this.#clock,
      logger: this.#logger,
      ...(journal && { journal }),
    })
  }

  /** Seals with a key from now on, in place of any other. */
  startSealing(options: SealingOptions): Promise<void> {
    return this.execution.startSealing(options, this.pool)
  }

  stopSealing(): Promise<void> {
    return this.execution.stopSealing()
  }

  /** Ends sealing and execution. The database is the caller's. */
  async close(): Promise<void> {
    await this.stopSealing()
    await this.#keeper?.close()
    this.#endFollowing()
    await this.execution.close()
  }

  #follow({ removed }: HeadChange): void {
    // Those that the new blocks hold too are refused by the pool for their nonces.
    const returning = removed.flatMap(({ hash }) => {
      const { block, senders } = this.chain.executedBlock(hash) ?? nothing
      return block.transactions.map((transaction, index) => incomingOf(transaction, senders[index]))
    })
    this.pool.reset(this.#poolHead(), returning)
  }

  /** As the next block finds it. */
  #poolHead(): PoolHead {
    const { config, head } = this.chain
    const { header } = head
    const number = header.number + 1n
    const now = BigInt(Math.floor(this.#clock.nowMs() / 1000))
    const state = this.chain.stateAt(header.stateRoot)
    if (state === undefined) throw stateNotAvailable(header.stateRoot)
    return {
      fork: forkAt(config, number, now > header.timestamp ? now : header.timestamp),
      gasLimit: header.gasLimit,
      baseFee: isLondon(config, number) ? nextBaseFee(config, header) : 0n,
      readAccount: (address) => state.readAccount(address),
    }
  }
}

const nothing = { block: { transactions: [] }, senders: [] }
