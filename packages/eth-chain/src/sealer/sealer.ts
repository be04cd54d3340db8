/**
 * Seals blocks with one key: prepares a candidate on each new head, appends transactions while its time comes, records
 * the seal and makes the block the head. With period 0 it seals as soon as a transaction is there. Source: EIP-225.
 */
import { type Clock, equalBytes, type Logger, type Random } from '@cairn/core'
import {
  addressOfPrivateKey,
  type Block,
  type ChainConfig,
  type CliqueConfig,
  dataFromHex,
  dataToHex,
  sealCliqueHeader,
} from '@cairn/eth-codec'
import { isDiskFull } from '@cairn/eth-state'
import type { Chain } from '../chain.ts'
import type { ChainHead } from '../chain-reader.ts'
import type { CliqueEngine } from '../clique/clique-engine.ts'
import type { CliqueProposals } from '../clique/proposals.ts'
import type { SealRecord } from '../clique/seal-record.ts'
import { prepareHeader, sealDelayMs, sealingTurn } from '../clique/sealing.ts'
import type { CliqueSnapshot } from '../clique/snapshot.ts'
import { Candidate, type PendingTransaction } from './candidate.ts'

/** Transactions to choose from, best first, each sender's in the order of nonces. */
export interface PendingSelection {
  /** Undefined when there is none left. */
  peek(): PendingTransaction | undefined
  /** The one that was peeked at is in the block. */
  take(): void
  /** It is not, so nothing more of its sender can be. */
  skipSender(): void
}

/** Where transactions to seal come from. */
export interface PendingTransactions {
  /** @param baseFee Of the block, in wei: what cannot pay it is left out; 0 before London. */
  select(baseFee: bigint): PendingSelection
  /** Whether there is any; now and then there is and cannot be executed. */
  hasAny(): boolean
  /** Calls back with each transaction that may be executed from now on. @returns what ends it. */
  onExecutable(listener: (transaction: PendingTransaction) => void): () => void
}

export interface SealerOptions {
  readonly chain: Chain
  readonly pool: PendingTransactions
  readonly privateKey: Uint8Array
  readonly proposals: CliqueProposals
  readonly record: SealRecord
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Up to 32 bytes of anything. */
  readonly vanity?: Uint8Array
  readonly gasLimitWanted?: bigint
}

/** Between two looks whether somebody has made room on a full disk. */
const roomWaitMs = 1000
/** geth's `--miner.gaslimit`. */
export const gasLimitWantedDefault = 30_000_000n

export class Sealer {
  /** `0x` and 40 lower-case digits. */
  readonly address: string
  readonly #options: SealerOptions
  readonly #period: bigint
  #gasLimitWanted: bigint
  #vanity: Uint8Array
  #candidate: Candidate | undefined
  /** Ends the waits of the round that is under way: the head has moved, or sealing stops. */
  #round = new AbortController()
  #running: Promise<void> | undefined
  #isStopping = false
  /** It was told that the disk is full, and not yet that there is room again. */
  #isWaitingForRoom = false
  /** Ends a wait for transactions. */
  #wake: (() => void) | undefined

  constructor(options: SealerOptions) {
    this.#options = options
    this.#period = cliqueConfig(options.chain.config).clique.periodSeconds
    this.address = dataToHex(addressOfPrivateKey(options.privateKey))
    this.#gasLimitWanted = options.gasLimitWanted ?? gasLimitWantedDefault
    this.#vanity = options.vanity ?? new Uint8Array(0)
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** The block that is being made; undefined while there is none. */
  get candidate(): Candidate | undefined {
    const candidate = this.#candidate
    if (candidate === undefined) return undefined
    // The head may have moved a moment ago, and the state below have gone with it.
    const isOnHead = dataToHex(candidate.header.parentHash) === this.#options.chain.head.hash
    return isOnHead ? candidate : undefined
  }

  /** From the next block on. */
  setGasLimit(gasLimit: bigint): void {
    this.#gasLimitWanted = gasLimit
  }

  /** From the next block on. */
  setVanity(vanity: Uint8Array): void {
    this.#vanity = vanity
  }

  /**
   * Begins to seal; does nothing when it does already.
   * @param onEnd Called when sealing has ended, whatever ended it.
   */
  start(onEnd?: () => void): void {
    if (this.#running !== undefined) return
    this.#isStopping = false
    const { chain, pool, logger } = this.#options
    const endings = [
      chain.onHead(() => this.#endRound()),
      pool.onExecutable((transaction) => this.#onExecutable(transaction)),
    ]
    this.#running = this.#run()
      .catch((error: unknown) => logger.log('error', 'sealing stopped', { error: String(error) }))
      .finally(() => {
        for (const end of endings) end()
        this.#candidate = undefined
        this.#running = undefined
        onEnd?.()
      })
  }

  /** Resolves when nothing will be sealed any more. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#endRound()
    await this.#running
  }

  #endRound(): void {
    this.#round.abort()
    this.#wake?.()
  }

  #onExecutable(transaction: PendingTransaction): void {
    this.candidate?.add(transaction)
    this.#wake?.()
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#round = new AbortController()
      this.#candidate = undefined
      try {
        await this.#sealNext()
      } catch (error) {
        if (!isNoRoom(error)) throw error
        await this.#waitForRoom(error as Error)
      }
    }
  }

  async #sealNext(): Promise<void> {
    const { head } = this.#options.chain
    const snapshot = clique(this.#options.chain).snapshotAt(head.hash)
    const turn = sealingTurn(snapshot, this.address)
    if (turn.kind === 'seal') await this.#sealOn(head, snapshot, turn.isInTurn)
    else await this.#waitForHead(turn.kind)
  }

  /** Nothing is lost: transactions stay in the pool, and a block that was kept is adopted later. */
  async #waitForRoom(error: Error): Promise<void> {
    const { clock, logger } = this.#options
    if (!this.#isWaitingForRoom) {
      logger.log('error', 'the disk is full: nothing is sealed until there is room', {
        error: String(error),
      })
    }
    this.#isWaitingForRoom = true
    await sleepUntil(clock, clock.nowMs() + roomWaitMs, this.#round.signal)
  }

  async #sealOn(head: ChainHead, snapshot: CliqueSnapshot, isInTurn: boolean): Promise<void> {
    const { clock, random, logger } = this.#options
    const round = this.#round.signal
    if (this.#period === 0n) {
      await this.#waitForTransactions(round)
      if (round.aborted) return
    }
    const candidate = this.#prepare(head, snapshot)
    this.#candidate = candidate
    if (this.#period === 0n && candidate.transactions.length === 0) {
      // What there is cannot be executed now: something else has to come first.
      await this.#waitForWake(round)
      return
    }
    const turn = { isInTurn, signerCount: snapshot.signers.length }
    const delayMs = sealDelayMs(candidate.header, turn, clock.nowMs(), random)
    await sleepUntil(clock, clock.nowMs() + delayMs, round)
    if (round.aborted) return
    const sealed = await this.#publish(candidate)
    if (sealed !== undefined) {
      if (this.#isWaitingForRoom) logger.log('info', 'there is room again: sealing goes on')
      this.#isWaitingForRoom = false
      const { number } = sealed.header
      logger.log('debug', 'block sealed', { number, transactions: sealed.transactions.length })
    } else if (!round.aborted) {
      await this.#waitForHead('refused')
    }
  }

  #prepare(head: ChainHead, snapshot: CliqueSnapshot): Candidate {
    const { chain, pool, proposals, random, clock } = this.#options
    const header = prepareHeader({
      config: cliqueConfig(chain.config),
      parent: head.header,
      parentHash: dataFromHex(head.hash),
      snapshot,
      signer: this.address,
      proposal: proposals.choose(snapshot, random),
      vanity: this.#vanity,
      gasLimitWanted: this.#gasLimitWanted,
      nowSeconds: BigInt(Math.floor(clock.nowMs() / 1000)),
    })
    const state = chain.stateOf(head.header)
    const candidate = new Candidate(header, chain.execute(state, header, dataFromHex(this.address)))
    const selection = pool.select(header.baseFeePerGas ?? 0n)
    for (let next = selection.peek(); next !== undefined; next = selection.peek()) {
      if (candidate.isFull) break
      if (candidate.add(next)) selection.take()
      else selection.skipSender()
    }
    return candidate
  }

  /** @returns the block, or undefined when it may not be sealed or the head has moved. */
  async #publish(candidate: Candidate): Promise<Block | undefined> {
    const { chain, record, privateKey, logger } = this.#options
    const header = sealCliqueHeader(candidate.close(), privateKey)
    const block = { header, transactions: candidate.transactions, uncles: [] }
    const before = record.lastBlock
    if (before !== undefined && equalBytes(before.header.parentHash, header.parentHash)) {
      return this.#adoptBefore(before)
    }
    // The record holds the block: after a crash before the next line but one it is the one block that this key may put
    // on the parent, and has to be there.
    const claim = await record.claim(block)
    if (claim.kind !== 'granted') {
      const { number } = header
      logger.log('warn', 'not sealed: another block was sealed on this parent', { number })
      return undefined
    }
    return chain.adoptSealed(block, candidate.execution, candidate.senders) ? block : undefined
  }

  /** A block that was sealed on the head and not adopted, since the process ended: it is, now. */
  async #adoptBefore(block: Block): Promise<Block | undefined> {
    const { chain, record } = this.#options
    const claim = await record.claim(block)
    if (claim.kind !== 'granted') return undefined
    chain.importBlocks([block])
    return block
  }

  async #waitForHead(reason: string): Promise<void> {
    this.#options.logger.log('debug', 'not sealing', { reason })
    const round = this.#round.signal
    if (round.aborted) return
    await new Promise<void>((resolve) => {
      round.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  async #waitForTransactions(round: AbortSignal): Promise<void> {
    if (!this.#options.pool.hasAny()) await this.#waitForWake(round)
    // What comes in one turn of the event loop goes into one block.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }

  async #waitForWake(round: AbortSignal): Promise<void> {
    if (round.aborted) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }
}

/** In the database, or in the file that records what was sealed. */
function isNoRoom(error: unknown): boolean {
  return isDiskFull(error) || (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
}

function clique(chain: Chain): CliqueEngine {
  if (chain.clique === undefined) throw new TypeError('Only chains of Clique are sealed.')
  return chain.clique
}

function cliqueConfig(config: ChainConfig): ChainConfig & { readonly clique: CliqueConfig } {
  if (config.clique === undefined) throw new TypeError('Only chains of Clique are sealed.')
  return { ...config, clique: config.clique }
}

/** Until then, or until the round ends. Timers fire a little early at times, and a header must not be in the future. */
async function sleepUntil(clock: Clock, timeMs: number, round: AbortSignal): Promise<void> {
  try {
    for (let leftMs = timeMs - clock.nowMs(); leftMs > 0; leftMs = timeMs - clock.nowMs()) {
      await clock.sleep(leftMs, round)
    }
  } catch (error) {
    if (!round.aborted) throw error
  }
}
