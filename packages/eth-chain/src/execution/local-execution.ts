/** Execution on the thread of whoever asks: a chain with its sealer. */
import { type Clock, type Logger, type Random, silentLogger, systemRandom } from '@cairn/core'
import { addressOfPrivateKey, dataToHex, decodeBlock, encodeBlock } from '@cairn/eth-codec'
import { type AccountProof, stateNotAvailable } from '@cairn/eth-state'
import type { Chain, ImportResult } from '../chain.ts'
import { CliqueProposals } from '../clique/proposals.ts'
import { SealRecord, type SealRecordStore } from '../clique/seal-record.ts'
import { type ImportProgress, importChainFile } from '../file/chain-file.ts'
import { type PendingTransactions, Sealer } from '../sealer/sealer.ts'
import type { Execution, SealingOptions } from './execution.ts'
import { executionClosing } from './execution-thread-error.ts'
import {
  type PendingBlock,
  type PendingSnapshot,
  pendingBlockOf,
  pendingSnapshot,
  pendingVersion,
} from './pending-block.ts'

export interface LocalExecutionOptions {
  readonly chain: Chain
  readonly clock: Clock
  readonly logger?: Logger
  readonly random?: Random
  /** What the key of an address has sealed before. @param address `0x` and 40 lower-case digits. */
  recordOf(address: string): SealRecordStore
  /** Opens a chain file; absent: none is imported. */
  readonly openFile?: (path: string) => AsyncIterable<Uint8Array>
}

export class LocalExecution implements Execution {
  readonly chain: Chain
  readonly proposals: CliqueProposals = new CliqueProposals()
  readonly failure: undefined
  readonly #options: LocalExecutionOptions
  #onSealing: (isSealing: boolean) => void = () => undefined
  readonly #importing = new Set<Promise<number>>()
  #isEnding = false
  #sealer: Sealer | undefined
  #sealingKey: Uint8Array | undefined
  #snapshot: PendingSnapshot | undefined
  #pendingBlock: PendingBlock | undefined

  constructor(options: LocalExecutionOptions) {
    this.chain = options.chain
    this.#options = options
  }

  /** Has one listener told when sealing begins and when it ends, whatever ends it. */
  onSealing(listener: (isSealing: boolean) => void): void {
    this.#onSealing = listener
  }

  get isSealing(): boolean {
    return this.#sealer?.isRunning ?? false
  }

  async startSealing(
    { privateKey, ...rest }: SealingOptions,
    pool: PendingTransactions,
  ): Promise<void> {
    const key = privateKey.slice()
    await this.stopSealing()
    const { clock, random = systemRandom, logger = silentLogger, recordOf } = this.#options
    const address = dataToHex(addressOfPrivateKey(key))
    const record = await SealRecord.open(recordOf(address))
    const sealer = new Sealer({
      ...rest,
      privateKey: key,
      chain: this.chain,
      pool,
      proposals: this.proposals,
      record,
      clock,
      random,
      logger,
    })
    this.#sealer = sealer
    this.#sealingKey = key
    sealer.start(() => this.#onSealing(false))
    this.#onSealing(true)
  }

  async stopSealing(): Promise<void> {
    await this.#sealer?.stop()
    this.#sealer = undefined
    this.#sealingKey?.fill(0)
    this.#sealingKey = undefined
  }

  setVanity(vanity: Uint8Array): void {
    this.#sealer?.setVanity(vanity)
  }

  setGasLimit(gasLimit: bigint): void {
    this.#sealer?.setGasLimit(gasLimit)
  }

  async pendingBlock(): Promise<PendingBlock | undefined> {
    const before = this.#snapshot
    const snapshot = this.pendingSnapshot()
    if (snapshot === undefined) return undefined
    if (snapshot !== before || this.#pendingBlock === undefined) {
      this.#pendingBlock = pendingBlockOf(snapshot, this.chain)
    }
    return this.#pendingBlock
  }

  /** The same object until something is added to the block. */
  pendingSnapshot(): PendingSnapshot | undefined {
    const candidate = this.#sealer?.candidate
    if (candidate === undefined) {
      this.#snapshot = undefined
    } else if (this.#snapshot?.version !== pendingVersion(candidate)) {
      this.#snapshot = pendingSnapshot(candidate)
    }
    return this.#snapshot
  }

  async proof(
    root: Uint8Array,
    address: Uint8Array,
    slots: readonly Uint8Array[],
  ): Promise<AccountProof> {
    const { states } = this.chain
    const state = states.stateAt(root)
    if (state === undefined) throw stateNotAvailable(root)
    return states.proof(state, address, slots)
  }

  async badBlocks(): Promise<readonly Uint8Array[]> {
    return this.chain.badBlocks.map((block) => encodeBlock(block).slice())
  }

  async importBlocks(blocks: readonly Uint8Array[]): Promise<ImportResult> {
    return this.chain.importBlocks(blocks.map((block) => decodeBlock(block)))
  }

  async importFile(path: string, onProgress?: (progress: ImportProgress) => void): Promise<number> {
    const { openFile } = this.#options
    if (openFile === undefined) throw new TypeError('Nobody opens files here.')
    const pieces = this.#whileOpen(openFile(path))
    const importing = importChainFile(this.chain, pieces, onProgress)
    this.#importing.add(importing)
    try {
      return await importing
    } finally {
      this.#importing.delete(importing)
    }
  }

  /** A file that is being imported when the node closes ends where it has come to. */
  async *#whileOpen(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      if (this.#isEnding) throw executionClosing()
      yield piece
    }
  }

  endImports(): void {
    this.#isEnding = true
  }

  async close(): Promise<void> {
    this.endImports()
    await this.stopSealing()
    await Promise.allSettled(this.#importing)
    this.chain.states.flush()
  }
}
