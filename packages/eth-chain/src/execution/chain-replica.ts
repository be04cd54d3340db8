/**
 * A chain that another thread executes, read through a replica of its database. It stays at one head until it follows;
 * what moved in between it works out from the blocks, so that no list of them has to come along, and many moves may
 * become one.
 */
import { type Clock, type Logger, silentLogger } from '@cairn/core'
import { type Block, type BlockHeader, type ChainConfig, dataToHex } from '@cairn/eth-codec'
import type { Evm } from '@cairn/eth-evm'
import { type DatabaseReplica, type State, StateReplica } from '@cairn/eth-state'
import type { ChainHead, ChainReader, HashedHeader, HeadChange } from '../chain-reader.ts'
import type { CliqueEngine } from '../clique/clique-engine.ts'
import { cliqueOf } from '../clique/clique-of.ts'
import { ChainStore, type ExecutedBlock, present } from '../store/chain-store.ts'
import { storedConfig } from '../store/init-genesis.ts'

export interface ChainReplicaOptions {
  /** Of a chain that has been opened. */
  readonly database: DatabaseReplica
  readonly evm: Evm
  readonly clock: Clock
  readonly isArchive?: boolean
  readonly logger?: Logger
}

export class ChainReplica implements ChainReader {
  readonly store: ChainStore
  readonly config: ChainConfig
  readonly genesisHash: string
  readonly evm: Evm
  readonly clique: CliqueEngine
  readonly #database: DatabaseReplica
  readonly #isArchive: boolean
  readonly #logger: Logger
  readonly #listeners = new Set<(change: HeadChange) => void>()
  #states: StateReplica
  #stateSuffix: string
  #head: ChainHead

  /** @throws ChainError, StateError */
  constructor(options: ChainReplicaOptions) {
    const { database, clock, isArchive = false, logger = silentLogger } = options
    this.#database = database
    this.#isArchive = isArchive
    this.#logger = logger
    this.evm = options.evm
    this.store = new ChainStore(database)
    this.config = storedConfig(this.store)
    this.genesisHash = present(this.store.genesisHash(), 'the genesis hash')
    this.clique = cliqueOf(this.config, this.store, clock, () => undefined)
    this.#stateSuffix = this.store.stateSuffix()
    this.#states = this.#openStates()
    this.#followSuffix()
    this.#head = this.#readHead()
  }

  get rules(): CliqueEngine {
    return this.clique
  }

  get head(): ChainHead {
    return this.#head
  }

  onHead(listener: (change: HeadChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stateAt(root: Uint8Array): State | undefined {
    return this.#states.stateAt(root)
  }

  headerByNumber(number: bigint): BlockHeader | undefined {
    return this.store.headerByNumber(number)
  }

  blockByNumber(number: bigint): Block | undefined {
    return this.store.blockByNumber(number)
  }

  isCanonical(hash: string, number: bigint): boolean {
    return this.store.isCanonical(hash, number)
  }

  executedBlock(hash: string): ExecutedBlock | undefined {
    return this.store.executedBlock(hash)
  }

  /** Moves on to what is written now, and tells of the head when it has moved. */
  follow(): void {
    this.#database.renew()
    const isOtherState = this.#followSuffix()
    const before = this.#head
    const head = this.#readHead()
    if (head.hash === before.hash) return
    const removed = this.#removedSince(before)
    const added = this.#addedUpTo(head, before.header.number - BigInt(removed.length))
    if (!isOtherState) this.#states.follow(removed.length > 0)
    this.#head = head
    const change = { head, removed, added }
    for (const listener of this.#listeners) this.#tell(listener, change)
  }

  /** The state lies in other tables after a reorganisation for which it was made anew. */
  #followSuffix(): boolean {
    let isOther = false
    // Opening tables moves the database on, maybe to where they are others again.
    for (let suffix = this.store.stateSuffix(); suffix !== this.#stateSuffix; ) {
      this.#stateSuffix = suffix
      this.#states = this.#openStates()
      suffix = this.store.stateSuffix()
      isOther = true
    }
    return isOther
  }

  #openStates(): StateReplica {
    return new StateReplica(this.#database, {
      isArchive: this.#isArchive,
      tableSuffix: this.#stateSuffix,
    })
  }

  #readHead(): ChainHead {
    const hash = present(this.store.headHash(), 'the head')
    const header = present(this.store.headerByHash(hash), 'the head')
    const totalDifficulty = present(this.store.totalDifficulty(hash), 'the total difficulty')
    return { hash, header, totalDifficulty }
  }

  /** Newest first. */
  #removedSince({ hash, header }: HashedHeader): HashedHeader[] {
    const removed: HashedHeader[] = []
    let at: HashedHeader = { hash, header }
    while (!this.isCanonical(at.hash, at.header.number)) {
      removed.push(at)
      const parentHash = dataToHex(at.header.parentHash)
      at = { hash: parentHash, header: present(this.store.headerByHash(parentHash), 'a header') }
    }
    return removed
  }

  /** Oldest first. */
  #addedUpTo({ header }: ChainHead, ancestorNumber: bigint): HashedHeader[] {
    const added: HashedHeader[] = []
    for (let number = ancestorNumber + 1n; number <= header.number; number++) {
      const hash = present(this.store.canonicalHash(number), 'a canonical hash')
      added.push({ hash, header: present(this.store.headerByHash(hash), 'a canonical header') })
    }
    return added
  }

  /** The head has moved whatever a listener makes of it. */
  #tell(listener: (change: HeadChange) => void, change: HeadChange): void {
    try {
      listener(change)
    } catch (error) {
      this.#logger.log('error', 'a listener of the head failed', { error: String(error) })
    }
  }
}
