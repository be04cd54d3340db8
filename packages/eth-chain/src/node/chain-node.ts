/**
 * A node's chain with its transaction pool and, when it has a key, its sealer: what JSON-RPC and the network stand on.
 * The pool follows the head before anybody else hears of it.
 */
import { type Clock, type Logger, type Random, silentLogger, systemRandom } from '@cairn/core'
import { type Block, forkAt, isLondon, type Receipt, type StateReader } from '@cairn/eth-codec'
import type { BlockContext } from '@cairn/eth-evm'
import type { Chain, HeadChange } from '../chain.ts'
import { CliqueProposals } from '../clique/proposals.ts'
import { SealRecord, type SealRecordStore } from '../clique/seal-record.ts'
import { nextBaseFee } from '../gas-rules.ts'
import { PoolKeeper, type PoolKeeperOptions } from '../pool/pool-keeper.ts'
import { incomingOf, readIncoming } from '../pool/pooled-transaction.ts'
import { type PoolLimits, TransactionPool } from '../pool/transaction-pool.ts'
import type { PoolHead } from '../pool/validation.ts'
import type { PendingTransaction } from '../sealer/candidate.ts'
import { type PendingSelection, type PendingTransactions, Sealer } from '../sealer/sealer.ts'
import { pendingReader } from './pending-reader.ts'

export interface ChainNodeOptions {
  readonly chain: Chain
  readonly clock: Clock
  readonly logger?: Logger
  readonly random?: Random
  readonly poolLimits?: Partial<PoolLimits>
  /** `--txpool.nolocals` */
  readonly noLocals?: boolean
}

export interface SealingOptions {
  readonly privateKey: Uint8Array
  readonly record: SealRecordStore
  readonly vanity?: Uint8Array
  readonly gasLimitWanted?: bigint
}

/** The block that is being made, as far as it is. */
export interface PendingBlock {
  /** Its state root is zeros. */
  readonly block: Block
  readonly senders: readonly Uint8Array[]
  readonly receipts: readonly Receipt[]
  readonly state: StateReader
  readonly context: BlockContext
}

export class ChainNode implements PendingTransactions {
  readonly chain: Chain
  readonly pool: TransactionPool
  readonly proposals: CliqueProposals = new CliqueProposals()
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #random: Random
  readonly #endFollowing: () => void
  #sealer: Sealer | undefined
  #keeper: PoolKeeper | undefined

  constructor(options: ChainNodeOptions) {
    const { chain, clock, poolLimits = {}, noLocals = false } = options
    this.chain = chain
    this.#clock = clock
    this.#logger = options.logger ?? silentLogger
    this.#random = options.random ?? systemRandom
    const { chainId } = chain.config
    this.pool = new TransactionPool({
      chainId,
      head: this.#poolHead(),
      clock,
      limits: poolLimits,
      noLocals,
    })
    this.#endFollowing = chain.onHead((change) => this.#follow(change))
  }

  get sealer(): Sealer | undefined {
    return this.#sealer
  }

  /**
   * Takes a transaction over one of this node's own interfaces.
   * @returns its hash, `0x` and 64 digits.
   * @throws RlpError, TransactionError, PoolError
   */
  submit(raw: Uint8Array): string {
    return this.pool.add(readIncoming(raw), true).hash
  }

  select(baseFee: bigint): PendingSelection {
    return this.pool.selection(baseFee)
  }

  onExecutable(listener: (transaction: PendingTransaction) => void): () => void {
    return this.pool.subscribe({
      pending: (transactions) => {
        for (const transaction of transactions) listener(transaction)
      },
    })
  }

  /** Undefined while none is being made: then the head is the best answer. */
  pendingBlock(): PendingBlock | undefined {
    const candidate = this.#sealer?.candidate
    if (candidate === undefined) return undefined
    const { execution, senders } = candidate
    return {
      block: candidate.peek(),
      senders: [...senders],
      receipts: [...execution.receipts],
      state: pendingReader(execution.state),
      context: execution.context,
    }
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
  async startSealing({ record, ...options }: SealingOptions): Promise<Sealer> {
    await this.stopSealing()
    const sealer = new Sealer({
      ...options,
      chain: this.chain,
      pool: this,
      proposals: this.proposals,
      record: await SealRecord.open(record),
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger,
    })
    this.#sealer = sealer
    sealer.start()
    return sealer
  }

  async stopSealing(): Promise<void> {
    await this.#sealer?.stop()
    this.#sealer = undefined
  }

  /** Ends sealing, and writes what opening would have to work out again. The database is the caller's. */
  async close(): Promise<void> {
    await this.stopSealing()
    await this.#keeper?.close()
    this.#endFollowing()
    this.chain.states.flushNodes()
  }

  #follow({ removed }: HeadChange): void {
    // Those that the new blocks hold too are refused by the pool for their nonces.
    const returning = removed.flatMap(({ block, senders }) =>
      block.transactions.map((transaction, index) => incomingOf(transaction, senders[index])),
    )
    this.pool.reset(this.#poolHead(), returning)
  }

  /** As the next block finds it. */
  #poolHead(): PoolHead {
    const { config, head } = this.chain
    const { header } = head
    const number = header.number + 1n
    const now = BigInt(Math.floor(this.#clock.nowMs() / 1000))
    const state = this.chain.stateOf(header)
    return {
      fork: forkAt(config, number, now > header.timestamp ? now : header.timestamp),
      gasLimit: header.gasLimit,
      baseFee: isLondon(config, number) ? nextBaseFee(config, header) : 0n,
      readAccount: (address) => state.readAccount(address),
    }
  }
}
