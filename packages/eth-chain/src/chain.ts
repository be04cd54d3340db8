/**
 * A chain: the canonical blocks with their state, and what is known of other branches. Blocks come in by import or from
 * the sealer; each one that becomes the head does so in one write together with its state.
 *
 * Fork choice (geth 1.13): the highest total difficulty, then the lower number, then whichever came first.
 */
import { assert, type Clock, type Logger, silentLogger } from '@cairn/core'
import {
  type Block,
  type BlockHeader,
  blockHash,
  type ChainConfig,
  dataFromHex,
  dataToHex,
  forkAt,
  type Genesis,
  genesisStateChanges,
  parseGenesis,
} from '@cairn/eth-codec'
import type { Evm } from '@cairn/eth-evm'
import {
  type Database,
  eraseStateStore,
  openStateStore,
  RecentMap,
  type State,
  type StateStore,
} from '@cairn/eth-state'
import type {
  BlockAuthors,
  ChainHead,
  ChainReader,
  HashedHeader,
  HeadChange,
} from './chain-reader.ts'
import type { CliqueEngine } from './clique/clique-engine.ts'
import { cliqueOf } from './clique/clique-of.ts'
import { blockInvalid, ChainError } from './errors.ts'
import { BlockExecution, type BlockHashes, type HeaderFrame } from './import/execution.ts'
import {
  checkBody,
  checkOutcome,
  recoverSenders,
  transactionInvalid,
} from './import/validate-block.ts'
import { ChainStore, type ExecutedBlock, present } from './store/chain-store.ts'
import { initGenesis, storedConfig } from './store/init-genesis.ts'

/** The rules of headers: Clique, or for tests another. */
export interface HeaderRules extends BlockAuthors {
  /**
   * Headers that follow one another and need not be stored yet.
   * @returns their hashes, `0x` and 64 digits. @throws HeaderError
   */
  verifyHeaders(headers: readonly BlockHeader[]): string[]
}

export interface ChainOptions {
  readonly database: Database
  readonly evm: Evm
  readonly clock: Clock
  /** Needed for a new chain; checked against the stored one otherwise. */
  readonly genesis?: Genesis
  /** Keeps every state. */
  readonly isArchive?: boolean
  readonly logger?: Logger
  /** In place of Clique, for chains that others made for tests. */
  readonly headerRules?: (config: ChainConfig, store: ChainStore) => HeaderRules
}

/** The chain itself has the blocks at hand, too, that came or left. */
export interface BlocksChange extends HeadChange {
  readonly removed: readonly MovedBlock[]
  readonly added: readonly MovedBlock[]
}

export interface MovedBlock extends HashedHeader, ExecutedBlock {}

export interface ImportResult {
  /** Blocks that were not known before. */
  readonly newCount: number
}

/** Blocks that become the head in one write while importing, and transactions after which that write comes. */
const batchBlockCountMax = 64
const batchTransactionCountMax = 2000
const badBlockCountMax = 512
/** Of those, whole blocks. Source: geth 1.13, badBlockToKeep. */
const badBlockKeptCountMax = 10

/** A block that was executed, and the state after it. */
interface Extension {
  readonly executed: ExecutedBlock
  readonly state: State
}

export class Chain implements ChainReader {
  readonly store: ChainStore
  readonly config: ChainConfig
  readonly rules: HeaderRules
  /** Undefined on a chain that is not Clique's. */
  readonly clique: CliqueEngine | undefined
  readonly evm: Evm
  readonly genesisHash: string
  readonly #database: Database
  readonly #logger: Logger
  readonly #isArchive: boolean
  readonly #hashes: BlockHashes = {
    ancestorHash: (hash, from, wanted) => this.#ancestorHash(hash, from, wanted),
  }
  readonly #listeners = new Set<(change: BlocksChange) => void>()
  readonly #bad = new RecentMap<string>(badBlockCountMax)
  #badBlocks: readonly Block[] = []
  /** Executed and not written yet, while blocks are being imported. */
  readonly #unwritten = new Map<string, BlockHeader>()
  #head: ChainHead
  #states: StateStore

  /** @throws ChainError GENESIS_MISMATCH, GENESIS_MISSING, CONFIG_INCOMPATIBLE; StateError */
  constructor(options: ChainOptions) {
    const { database, evm, clock, genesis, isArchive = false, logger = silentLogger } = options
    this.store = new ChainStore(database)
    this.#isArchive = isArchive
    this.#states = openStateStore(database, { isArchive, tableSuffix: this.store.stateSuffix() })
    this.evm = evm
    this.#database = database
    this.#logger = logger
    if (genesis !== undefined) {
      initGenesis(this.store, this.#states, (batch) => database.writeSync(batch), genesis)
    }
    this.config = storedConfig(this.store)
    this.genesisHash = present(this.store.genesisHash(), 'the genesis hash')
    this.#head = this.#readHead(present(this.store.headHash(), 'the head'))
    if (options.headerRules !== undefined) {
      this.rules = options.headerRules(this.config, this.store)
    } else {
      this.clique = cliqueOf(this.config, this.store, clock, (snapshot) => {
        database.writeSync(() => this.store.putSnapshot(snapshot))
      })
      this.rules = this.clique
    }
  }

  /** Another one after a reorganisation for which the state had to be made anew. */
  get states(): StateStore {
    return this.#states
  }

  get head(): ChainHead {
    return this.#head
  }

  /** Calls back after every move of the head. @returns what ends it. */
  onHead(listener: (change: BlocksChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stateAt(root: Uint8Array): State | undefined {
    return this.#states.stateAt(root)
  }

  /** @throws StateError STATE_NOT_AVAILABLE when the state after that block is not kept. */
  stateOf(header: BlockHeader): State {
    // The reader of a committed state is that state.
    return this.#states.readerAt(header.stateRoot) as State
  }

  /** What was found invalid since the chain was opened: the highest ten, the highest first. */
  get badBlocks(): readonly Block[] {
    return this.#badBlocks
  }

  /**
   * A block to be executed transaction by transaction.
   * @param state After its parent. @param author Who gets the tips, 20 bytes.
   */
  execute(state: State, header: HeaderFrame, author: Uint8Array): BlockExecution {
    return this.#executeOn(this.#states, state, header, author)
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

  /**
   * Verifies, executes and keeps blocks, each the child of the one before it. Those before an invalid one are kept.
   * @throws HeaderError or ChainError BLOCK_INVALID, BLOCK_BAD, REORG_TOO_DEEP at the first block that is refused.
   */
  importBlocks(blocks: readonly Block[]): ImportResult {
    const unknown = blocks.filter(({ header }) => !this.store.hasBody(dataToHex(blockHash(header))))
    const { hashes, error } = this.#verifyHeaders(unknown.map(({ header }) => header))
    let extensions: Extension[] = []
    const write = () => {
      const last = extensions
      extensions = []
      this.#unwritten.clear()
      if (last.length > 0) this.#adopt(last, [])
    }
    try {
      let transactionCount = 0
      for (const [index, hash] of hashes.entries()) {
        const block = unknown[index] as Block
        const tip = extensions.at(-1)
        const tipHash = tip?.executed.hash ?? this.#head.hash
        if (dataToHex(block.header.parentHash) !== tipHash) {
          write()
          this.#importBeside(block, hash)
          continue
        }
        const state = tip?.state ?? this.stateOf(this.#head.header)
        const total = (tip?.executed ?? this.#head).totalDifficulty + block.header.difficulty
        extensions.push(this.#executeBlock(block, hash, total, state))
        this.#unwritten.set(hash, block.header)
        transactionCount += block.transactions.length
        if (
          extensions.length >= batchBlockCountMax ||
          transactionCount >= batchTransactionCountMax
        ) {
          write()
          transactionCount = 0
        }
      }
    } finally {
      write()
    }
    if (error !== undefined) throw error
    return { newCount: unknown.length }
  }

  /**
   * Makes a block the head that this node has executed itself and sealed.
   * @returns false when the head has moved since, so that it comes too late.
   */
  adoptSealed(block: Block, execution: BlockExecution, senders: readonly Uint8Array[]): boolean {
    if (dataToHex(block.header.parentHash) !== this.#head.hash) return false
    const [hash] = this.rules.verifyHeaders([block.header])
    assert(hash !== undefined)
    const { receipts } = execution
    const state = execution.finish()
    checkOutcome(block, hash, execution, state.root)
    const totalDifficulty = this.#head.totalDifficulty + block.header.difficulty
    this.#adopt([{ executed: { block, hash, totalDifficulty, senders, receipts }, state }], [])
    return true
  }

  executedBlock(hash: string): ExecutedBlock | undefined {
    return this.store.executedBlock(hash)
  }

  // ---- import ----

  /** Hashes of the headers up to the first that is refused, and why that one is. */
  #verifyHeaders(headers: readonly BlockHeader[]): { hashes: string[]; error: unknown } {
    try {
      return { hashes: this.rules.verifyHeaders(headers), error: undefined }
    } catch (error) {
      const number = (error as { data?: { number?: bigint } }).data?.number
      const count = headers.findIndex((header) => header.number === number)
      if (count <= 0) throw error
      return { hashes: this.rules.verifyHeaders(headers.slice(0, count)), error }
    }
  }

  #executeOn(
    states: StateStore,
    state: State,
    header: HeaderFrame,
    author: Uint8Array,
  ): BlockExecution {
    const { evm, config } = this
    return new BlockExecution({ evm, states, config, hashes: this.#hashes }, state, header, author)
  }

  #executeBlock(
    block: Block,
    hash: string,
    totalDifficulty: bigint,
    parent: State,
    states: StateStore = this.#states,
  ): Extension {
    const { header, transactions } = block
    this.#refuseBad(hash, header)
    // A body that does not belong to the header says nothing about the block of that hash: it may come again, whole.
    checkBody(block, hash)
    try {
      const senders = recoverSenders(
        block,
        hash,
        forkAt(this.config, header.number, header.timestamp),
      )
      const author = dataFromHex(this.rules.signerOf(header, hash), 20)
      const execution = this.#executeOn(states, parent, header, author)
      for (const [index, transaction] of transactions.entries()) {
        try {
          execution.add(transaction, senders[index] as Uint8Array)
        } catch (cause) {
          throw transactionInvalid(block, hash, index, cause)
        }
      }
      const state = execution.finish()
      checkOutcome(block, hash, execution, state.root)
      const { receipts } = execution
      return { executed: { block, hash, totalDifficulty, senders, receipts }, state }
    } catch (error) {
      if (error instanceof ChainError && error.code === 'BLOCK_INVALID') {
        this.#bad.set(hash, error.shortMessage)
        this.#keepBadBlock(block)
        this.#logger.log('warn', 'block refused', { hash, reason: error.shortMessage })
      }
      throw error
    }
  }

  #keepBadBlock(block: Block): void {
    const blocks = [block, ...this.#badBlocks]
    blocks.sort((a, b) => Number(b.header.number - a.header.number))
    this.#badBlocks = blocks.slice(0, badBlockKeptCountMax)
  }

  #refuseBad(hash: string, header: BlockHeader): void {
    const reason = this.#bad.get(hash) ?? this.#bad.get(dataToHex(header.parentHash))
    if (reason === undefined) return
    this.#bad.set(hash, reason)
    throw new ChainError(
      { code: 'BLOCK_BAD', hash },
      {
        shortMessage: 'The block, or one that it stands on, was found invalid before.',
        metaMessages: [`Block: ${header.number}, ${hash}`, `Reason: ${reason}`],
      },
    )
  }

  /** A block that does not follow the head: kept without execution until its branch is the better one. */
  #importBeside(block: Block, hash: string): void {
    const { header } = block
    this.#refuseBad(hash, header)
    const parentTotal = this.store.totalDifficulty(dataToHex(header.parentHash))
    if (parentTotal === undefined) throw blockInvalid(hash, header.number, 'unknown ancestor')
    checkBody(block, hash)
    const total = parentTotal + header.difficulty
    this.#commit(this.#states, this.#states.head, () => this.store.putBlock(block, hash, total))
    const isBetter =
      total > this.#head.totalDifficulty ||
      (total === this.#head.totalDifficulty && header.number < this.#head.header.number)
    if (isBetter) this.#reorganise(hash)
  }

  #reorganise(hash: string): void {
    const path: { readonly block: Block; readonly hash: string }[] = []
    let at = hash
    let block = present(this.store.blockByHash(at), 'a block of a branch')
    while (!this.isCanonical(at, block.header.number)) {
      path.unshift({ block, hash: at })
      at = dataToHex(block.header.parentHash)
      block = present(this.store.blockByHash(at), 'a block of a branch')
    }
    const ancestor = block.header
    const kept = this.#states.stateAt(ancestor.stateRoot)
    const states = kept === undefined ? this.#rebuildStates(ancestor) : this.#states
    let state = kept ?? states.head
    const extensions: Extension[] = []
    for (const each of path) {
      this.#unwritten.set(each.hash, each.block.header)
      const total = present(this.store.totalDifficulty(each.hash), 'a total difficulty')
      const extension = this.#executeBlock(each.block, each.hash, total, state, states)
      extensions.push(extension)
      state = extension.state
    }
    const removed: ExecutedBlock[] = []
    for (let number = this.#head.header.number; number > ancestor.number; number--) {
      const removedHash = present(this.store.canonicalHash(number), 'a canonical hash')
      removed.push(present(this.executedBlock(removedHash), 'a canonical block'))
    }
    this.#adopt(extensions, removed, states)
    this.#unwritten.clear()
    this.#logger.log('info', 'chain reorganised', {
      head: this.#head.hash,
      number: this.#head.header.number,
      depth: removed.length,
      added: extensions.length,
    })
  }

  /**
   * The state after a canonical block from before those that are kept: made anew from the genesis, in tables of its
   * own, by executing every block up to it. What is there stays until the branch has won.
   */
  #rebuildStates(ancestor: BlockHeader): StateStore {
    const { number } = ancestor
    const genesisJson = this.store.genesisJson()
    if (genesisJson === undefined) throw this.#reorgTooDeep(ancestor)
    this.#logger.log('warn', 'the state of an old block is made anew from the genesis', { number })
    const tableSuffix = this.#otherSuffix()
    this.#database.writeSync(() => eraseStateStore(this.#database, tableSuffix))
    const states = openStateStore(this.#database, { isArchive: this.#isArchive, tableSuffix })
    const { genesis } = parseGenesis(JSON.parse(genesisJson))
    let state = states.stage(states.head, genesisStateChanges(genesis))
    for (let at = 1n; at <= number; at++) {
      const hash = present(this.store.canonicalHash(at), 'a canonical hash')
      const block = present(this.store.blockByHash(hash), 'a canonical block')
      state = this.#executeBlock(block, hash, 0n, state, states).state
      if (at % BigInt(batchBlockCountMax) === 0n) states.commit(state)
    }
    states.commit(state)
    return states
  }

  #otherSuffix(): string {
    return this.store.stateSuffix() === '' ? '2' : ''
  }

  #reorgTooDeep(ancestor: BlockHeader): ChainError {
    const depth = Number(this.#head.header.number - ancestor.number)
    return new ChainError(
      { code: 'REORG_TOO_DEEP', depth, depthMax: 128 },
      {
        shortMessage: 'A better branch leaves the chain further back than states are kept.',
        metaMessages: [
          `Depth: ${depth} blocks`,
          'This chain was begun by a version that did not keep its genesis.',
          'Import the better branch into an empty data folder.',
        ],
      },
    )
  }

  /** One write: state, blocks, indexes, head. */
  #adopt(
    extensions: readonly Extension[],
    removed: readonly ExecutedBlock[],
    states: StateStore = this.#states,
  ): void {
    const last = extensions.at(-1)
    assert(last !== undefined)
    const isOther = states !== this.#states
    const [suffix, otherSuffix] = [this.store.stateSuffix(), this.#otherSuffix()]
    this.#commit(states, last.state, () => {
      if (isOther) this.store.putStateSuffix(otherSuffix)
      for (const { block } of removed) this.store.removeCanonical(block)
      for (const { executed } of extensions) {
        this.store.putBlock(executed.block, executed.hash, executed.totalDifficulty)
        this.store.putCanonical(executed)
      }
      this.store.putHead(last.executed.hash)
    })
    if (isOther) {
      this.#states = states
      this.#database.writeSync(() => eraseStateStore(this.#database, suffix))
    }
    const { block, hash, totalDifficulty } = last.executed
    this.#head = { hash, header: block.header, totalDifficulty }
    const change = {
      head: this.#head,
      removed: removed.map(movedBlock),
      added: extensions.map(({ executed }) => movedBlock(executed)),
    }
    for (const listener of this.#listeners) this.#tell(listener, change)
  }

  /** The head has moved whatever a listener makes of it, and whoever imported has nothing to do with that. */
  #tell(listener: (change: BlocksChange) => void, change: BlocksChange): void {
    try {
      listener(change)
    } catch (error) {
      this.#logger.log('error', 'a listener of the head failed', { error: String(error) })
    }
  }

  /** One write, all of it or nothing. */
  #commit(states: StateStore, state: State, batch: () => void): void {
    try {
      states.commit(state, batch)
    } catch (error) {
      this.store.forgetRecent()
      throw error
    }
  }

  #readHead(hash: string): ChainHead {
    const header = present(this.store.headerByHash(hash), 'the head')
    const totalDifficulty = present(this.store.totalDifficulty(hash), 'the total difficulty')
    return { hash, header, totalDifficulty }
  }

  #ancestorHash(parentHash: string, parentNumber: bigint, wanted: bigint): Uint8Array | undefined {
    let hash = parentHash
    for (let number = parentNumber; number > wanted; number--) {
      if (this.isCanonical(hash, number)) {
        const found = this.store.canonicalHash(wanted)
        return found === undefined ? undefined : dataFromHex(found)
      }
      const header = this.#unwritten.get(hash) ?? this.store.headerByHash(hash)
      if (header === undefined) return undefined
      hash = dataToHex(header.parentHash)
    }
    return dataFromHex(hash)
  }
}

function movedBlock(executed: ExecutedBlock): MovedBlock {
  return { ...executed, header: executed.block.header }
}
