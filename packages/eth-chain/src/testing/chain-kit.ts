/** Chains with state for tests: funded accounts, a plain pool, blocks sealed at will on a clock that is set by hand. */
import { type Clock, equalBytes, type Logger, silentLogger, systemRandom } from '@cairn/core'
import {
  type Block,
  blockHash,
  cliqueExtraData,
  dataToHex,
  type Genesis,
  parseGenesis,
  recoverSender,
  sealCliqueHeader,
  signTransaction,
  type Transaction,
  transactionHash,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { createMemoryDatabase, type Database } from '@cairn/eth-state'
import { Chain } from '../chain.ts'
import { CliqueProposals } from '../clique/proposals.ts'
import { SealRecord, type SealRecordStore } from '../clique/seal-record.ts'
import { prepareHeader } from '../clique/sealing.ts'
import { LocalExecution } from '../execution/local-execution.ts'
import { Candidate, type PendingTransaction } from '../sealer/candidate.ts'
import { type PendingSelection, type PendingTransactions, Sealer } from '../sealer/sealer.ts'
import { addressOf, keyOf } from './clique-chain.ts'

export const ether: bigint = 10n ** 18n

/** A genesis with Cancun's rules; accounts A to E have 1000 ether each. */
export function makeGenesis(
  signers: string,
  periodSeconds = 1,
  forks: Record<string, number> = { shanghaiTime: 0, cancunTime: 0 },
): Genesis {
  const alloc = Object.fromEntries(
    [...'ABCDE'].map((name) => [dataToHex(addressOf(name)), { balance: `${1000n * ether}` }]),
  )
  const addresses = [...signers].map(addressOf).sort((a, b) => Buffer.compare(a, b))
  const blocks = [
    'homestead',
    'eip150',
    'eip155',
    'eip158',
    'byzantium',
    'constantinople',
    'petersburg',
    'istanbul',
    'berlin',
    'london',
  ]
  return parseGenesis({
    config: {
      chainId: 4242,
      ...Object.fromEntries(blocks.map((name) => [`${name}Block`, 0])),
      ...forks,
      clique: { period: periodSeconds, epoch: 30_000 },
    },
    timestamp: 1_700_000_000,
    gasLimit: 30_000_000,
    difficulty: 1,
    extraData: dataToHex(cliqueExtraData(addresses)),
    alloc,
  }).genesis
}

/** A clock that stands still until it is set; sleeping is not for it. */
export class StillClock implements Clock {
  timeMs: number = 1_701_000_000_000
  nowMs(): number {
    return this.timeMs
  }
  sleep(): Promise<void> {
    return Promise.resolve()
  }
}

/** A pool without limits, for what stands above it. */
export class PlainPool implements PendingTransactions {
  readonly transactions: Map<string, PendingTransaction> = new Map()
  readonly #listeners = new Set<(transaction: PendingTransaction) => void>()

  add(...transactions: readonly Transaction[]): void {
    for (const transaction of transactions) {
      const hash = dataToHex(transactionHash(transaction))
      const pending = { transaction, sender: recoverSender(transaction) }
      this.transactions.set(hash, pending)
      for (const listener of this.#listeners) listener(pending)
    }
  }

  hasAny(): boolean {
    return this.transactions.size > 0
  }

  select(): PendingSelection {
    let left = [...this.transactions.values()]
    return {
      peek: () => left[0],
      take: () => left.shift(),
      skipSender: () => {
        const sender = left[0]?.sender
        left = left.filter((each) => !equalBytes(each.sender, sender ?? each.sender))
      },
    }
  }

  onExecutable(listener: (transaction: PendingTransaction) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Forgets what a chain has taken in. */
  follow(chain: Chain): void {
    chain.onHead(({ added, removed }) => {
      for (const { block } of removed) this.add(...block.transactions)
      for (const { block } of added) {
        for (const each of block.transactions) {
          this.transactions.delete(dataToHex(transactionHash(each)))
        }
      }
    })
  }
}

export class ChainKit {
  readonly chain: Chain
  readonly clock: Clock
  readonly database: Database
  readonly #nonces = new Map<string, bigint>()

  constructor(
    genesis: Genesis | undefined,
    options: { database?: Database; clock?: Clock; isArchive?: boolean } = {},
  ) {
    this.database = options.database ?? createMemoryDatabase()
    this.clock = options.clock ?? new StillClock()
    this.chain = new Chain({
      database: this.database,
      evm: new Evm({ interpreter: 'typescript' }),
      clock: this.clock,
      isArchive: options.isArchive ?? false,
      ...(genesis === undefined ? {} : { genesis }),
    })
  }

  /** The next transaction of an account, by its name. */
  transaction(from: string, fields: Partial<UnsignedTransaction> = {}): Transaction {
    const nonce = fields.nonce ?? this.#nonces.get(from) ?? 0n
    this.#nonces.set(from, nonce + 1n)
    return signTransaction(
      {
        type: 2,
        chainId: this.chain.config.chainId,
        nonce,
        maxPriorityFeePerGas: 1_000_000_000n,
        maxFeePerGas: 20_000_000_000n,
        gasLimit: 100_000n,
        to: addressOf('E'),
        value: 1n,
        data: new Uint8Array(0),
        accessList: [],
        ...fields,
      },
      keyOf(from),
    )
  }

  /** A sealed block on any known parent whose state is kept, not imported. */
  makeBlock(parentHash: string, signer: string, transactions: readonly Transaction[] = []): Block {
    const { chain } = this
    const parent = chain.store.headerByHash(parentHash)
    if (parent === undefined || chain.clique === undefined) throw new Error('no such parent')
    const { clique } = chain.config
    if (clique === undefined) throw new Error('not Clique')
    const header = prepareHeader({
      config: { ...chain.config, clique },
      parent,
      parentHash: blockHash(parent),
      snapshot: chain.clique.snapshotAt(parentHash),
      signer: dataToHex(addressOf(signer)),
      proposal: undefined,
      vanity: new Uint8Array(0),
      gasLimitWanted: 30_000_000n,
      nowSeconds: 0n,
    })
    const execution = chain.execute(chain.stateOf(parent), header, addressOf(signer))
    const candidate = new Candidate(header, execution)
    for (const transaction of transactions) {
      const pending = { transaction, sender: recoverSender(transaction) }
      if (!candidate.add(pending)) throw new Error('a transaction was refused')
    }
    const sealed = sealCliqueHeader(candidate.close(), keyOf(signer))
    return { header: sealed, transactions: candidate.transactions, uncles: [] }
  }

  /** The same block with a new seal, after something in it was changed. */
  reseal(block: Block, signer: string): Block {
    return { ...block, header: sealCliqueHeader(block.header, keyOf(signer)) }
  }

  /** Makes a block on the head and imports it. */
  extend(signer: string, transactions: readonly Transaction[] = []): Block {
    const block = this.makeBlock(this.chain.head.hash, signer, transactions)
    this.chain.importBlocks([block])
    return block
  }

  /** With seal records in memory. */
  execution(): LocalExecution {
    return new LocalExecution({ chain: this.chain, clock: this.clock, recordOf: memoryRecord })
  }

  async createSealer(
    signer: string,
    pool: PendingTransactions,
    store: SealRecordStore = memoryRecord(),
    logger: Logger = silentLogger,
  ): Promise<Sealer> {
    return new Sealer({
      chain: this.chain,
      pool,
      privateKey: keyOf(signer),
      proposals: new CliqueProposals(),
      record: await SealRecord.open(store),
      clock: this.clock,
      random: systemRandom,
      logger,
    })
  }
}

export function memoryRecord(): SealRecordStore {
  let bytes: Uint8Array | undefined
  return {
    read: async () => bytes,
    write: async (written) => {
      bytes = written
    },
    close: async () => undefined,
  }
}

export function balanceOf(chain: Chain, name: string): bigint {
  return chain.stateOf(chain.head.header).readAccount(addressOf(name))?.balance ?? 0n
}
