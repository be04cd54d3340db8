/**
 * The work behind eth_simulateV1: blocks that do not come to be, of messages that nobody signed, one after the other
 * on a state. Sources: execution-apis and geth 1.14 (internal/ethapi/simulate.go). The state root of such a block is
 * zeros: tries are with whoever commits. COINBASE, unless overridden, is who sealed the block before.
 */

import { nextBaseFee, type PlacedLog } from '@cairn/eth-chain'
import {
  type Block,
  type BlockHeader,
  blockHash,
  type ChainConfig,
  dataToHex,
  emptyUnclesHash,
  encodeReceipt,
  encodeTransaction,
  type ForkName,
  forkAt,
  isLondon,
  logsBloom,
  mergeBloom,
  quantityToHex,
  type Receipt,
  type Transaction,
  transactionHash,
} from '@cairn/eth-codec'
import {
  applyOverrides,
  type BlockContext,
  type ExecutionState,
  executeTransaction,
  type StateOverride,
  type TransactionResult,
} from '@cairn/eth-evm'
import { orderedTrieRoot } from '@cairn/eth-state'
import type { BlockOverrides, TransactionArguments } from '../call-arguments.ts'
import { faults, type RpcFault } from '../faults.ts'
import { formatBlock, formatLog, type Json } from '../format.ts'
import type { CallPlace } from './call-job.ts'
import { CallTimeout, outcomeFault, timeoutOf } from './call-runner.ts'
import { messageTransaction } from './message-transaction.ts'
import { simulationFault } from './simulation-faults.ts'
import { TransferTracer } from './transfer-tracer.ts'

export interface SimulatedBlock {
  readonly blockOverrides: BlockOverrides
  readonly stateOverrides: readonly StateOverride[]
  readonly calls: readonly TransactionArguments[]
}

export interface SimulateJob {
  readonly kind: 'simulate'
  readonly blocks: readonly SimulatedBlock[]
  /** Upon which the first one stands. */
  readonly base: BlockHeader
  readonly traceTransfers: boolean
  /** Whether nonces, fees and funds are checked as for transactions. */
  readonly validation: boolean
  readonly returnFullTransactions: boolean
}

/** Blocks of one question, the empty ones in gaps too. Source: execution-apis. */
export const simulatedBlockCountMax = 256

const zeroHash = new Uint8Array(32)
const zeroAddress = new Uint8Array(20)
const unsigned = { yParity: 0, r: zeroHash, s: zeroHash } as const

/** @throws RpcFault; CallTimeout when the time was too short. */
export function simulate(place: CallPlace, job: SimulateJob): Json[] {
  return new Simulation(place, job).run()
}

class Simulation {
  readonly #place: CallPlace
  readonly #job: SimulateJob
  readonly #state: ExecutionState
  readonly #config: ChainConfig
  readonly #endsMs: number
  /** Of the simulated blocks so far, by number. */
  readonly #hashes = new Map<bigint, Uint8Array>()
  /** For all blocks together: --rpc.gascap. */
  #gasLeft: bigint

  constructor(place: CallPlace, job: SimulateJob) {
    const { environment, state, limits } = place
    this.#place = place
    this.#job = job
    this.#state = environment.evm.createState(state.state)
    this.#config = environment.config
    this.#endsMs = performance.now() + limits.durationMsMax
    this.#gasLeft = limits.gasMax
    this.#hashes.set(job.base.number, blockHash(job.base))
  }

  run(): Json[] {
    let parent = this.#job.base
    return inOrder(this.#job.blocks, parent, this.#increment()).map((block) => {
      const { header, json } = this.#runBlock(block, parent)
      this.#hashes.set(header.number, blockHash(header))
      parent = header
      return json
    })
  }

  /** Seconds from one block to the next. */
  #increment(): bigint {
    const period = this.#config.clique?.periodSeconds ?? 0n
    return period > 1n ? period : 1n
  }

  #runBlock(
    { blockOverrides, stateOverrides, calls }: PlacedBlock,
    parent: BlockHeader,
  ): { header: BlockHeader; json: Json } {
    const { number, timestamp } = blockOverrides
    const context: BlockContext = {
      number,
      timestamp,
      coinbase: blockOverrides.coinbase ?? this.#place.state.context.coinbase,
      gasLimit: blockOverrides.gasLimit ?? parent.gasLimit,
      difficulty: blockOverrides.difficulty ?? parent.difficulty,
      baseFeePerGas: this.#baseFee(blockOverrides, parent),
      prevRandao: blockOverrides.prevRandao,
      blockHash: (wanted) =>
        this.#hashes.get(wanted) ?? this.#place.state.context.blockHash(wanted),
    }
    applyOverrides(this.#state, stateOverrides)
    const run = new BlockRun(this.#config, context)
    for (const call of calls) this.#runCall(call, run)
    const header = run.header(parent, blockOverrides.coinbase ?? parent.coinbase)
    return { header, json: run.json(header, this.#job.returnFullTransactions) }
  }

  /** Zero unless fees are checked: a message that pays nothing could not run otherwise. */
  #baseFee(overrides: PlacedOverrides, parent: BlockHeader): bigint | undefined {
    if (!isLondon(this.#config, overrides.number)) return undefined
    if (overrides.baseFeePerGas !== undefined) return overrides.baseFeePerGas
    return this.#job.validation ? nextBaseFee(this.#config, parent) : 0n
  }

  #runCall(given: TransactionArguments, run: BlockRun): void {
    const { environment, limits } = this.#place
    const sender = given.from ?? zeroAddress
    const transaction = this.#transactionOf(given, sender, run)
    const hash = transactionHash(transaction)
    const tracer = new TransferTracer(this.#job.traceTransfers)
    try {
      const result = executeTransaction({
        evm: environment.evm,
        state: this.#state,
        fork: run.fork,
        block: run.context,
        chainId: this.#config.chainId,
        transaction,
        sender,
        sentBy: this.#job.validation ? 'signer' : 'anyone',
        tracer,
        shouldAbort: () => this.#isOver(),
      })
      this.#gasLeft -= result.gasUsed
      run.add({ transaction, sender, hash, result, tracer })
    } catch (error) {
      throw simulationFault(error, timeoutOf(limits))
    }
    if (this.#isOver()) {
      const { code, message } = timeoutOf(limits)
      throw new CallTimeout(code, message)
    }
  }

  #isOver(): boolean {
    return performance.now() > this.#endsMs
  }

  /** What was left out becomes what lets it run. */
  #transactionOf(given: TransactionArguments, sender: Uint8Array, run: BlockRun): Transaction {
    const { fork, context } = run
    const left = context.gasLimit - run.gasUsed
    const wanted = given.gas ?? left
    if (wanted > left) {
      const spent = run.gasUsed
      throw faults.simulation(
        'blockGasLimit',
        `block gas limit reached: ${spent + wanted} >= ${context.gasLimit}`,
      )
    }
    const message = messageTransaction(given, {
      chainId: this.#config.chainId,
      fork,
      nonce: this.#state.accountOf(sender).nonce,
      gasLimit: wanted < this.#gasLeft ? wanted : this.#gasLeft,
    })
    return { ...message, signature: unsigned }
  }
}

// ---- one block ----

interface SimulatedCall {
  readonly transaction: Transaction
  readonly sender: Uint8Array
  readonly hash: Uint8Array
  readonly result: TransactionResult
  readonly tracer: TransferTracer
}

class BlockRun {
  readonly fork: ForkName
  readonly context: BlockContext
  readonly #calls: SimulatedCall[] = []
  readonly #receipts: Receipt[] = []
  readonly #bloom = new Uint8Array(256)
  gasUsed = 0n

  constructor(config: ChainConfig, context: BlockContext) {
    this.context = context
    this.fork = forkAt(config, context.number, context.timestamp)
  }

  add(call: SimulatedCall): void {
    const { result, transaction } = call
    this.#calls.push(call)
    this.gasUsed += result.gasUsed
    const bloom = logsBloom(result.logs)
    mergeBloom(this.#bloom, bloom)
    this.#receipts.push({
      type: transaction.type,
      outcome: result.status === 'success' ? 1 : 0,
      cumulativeGasUsed: this.gasUsed,
      logsBloom: bloom,
      logs: result.logs,
    })
  }

  header(parent: BlockHeader, coinbase: Uint8Array): BlockHeader {
    const { number, timestamp, gasLimit, difficulty, baseFeePerGas } = this.context
    return {
      parentHash: blockHash(parent),
      unclesHash: emptyUnclesHash,
      coinbase,
      stateRoot: zeroHash,
      transactionsRoot: orderedTrieRoot(
        this.#calls.map(({ transaction }) => encodeTransaction(transaction)),
      ),
      receiptsRoot: orderedTrieRoot(this.#receipts.map(encodeReceipt)),
      logsBloom: this.#bloom,
      difficulty,
      number,
      gasLimit,
      gasUsed: this.gasUsed,
      timestamp,
      extraData: new Uint8Array(0),
      mixHash: this.context.prevRandao ?? zeroHash,
      nonce: new Uint8Array(8),
      baseFeePerGas,
    }
  }

  json(header: BlockHeader, isFull: boolean): Json {
    const transactions = this.#calls.map(({ transaction }) => transaction)
    const block: Block = { header, transactions, uncles: [] }
    const hash = dataToHex(blockHash(header))
    const senders = this.#calls.map(({ sender }) => sender)
    let logIndex = 0
    const calls = this.#calls.map(({ hash: transactionHash, result, tracer }, transactionIndex) => {
      const place = {
        blockNumber: header.number,
        blockHash: hash,
        timestamp: header.timestamp,
        transactionHash,
        transactionIndex,
      }
      const logs = tracer.logs.map((log): PlacedLog => ({ log, ...place, logIndex: logIndex++ }))
      return callJson(result, logs)
    })
    return { ...formatBlock(block, { hash, totalDifficulty: undefined }, senders, isFull), calls }
  }
}

function callJson(result: TransactionResult, logs: readonly PlacedLog[]): Json {
  const fault: RpcFault | undefined = outcomeFault(result)
  const error =
    fault === undefined || result.status === 'revert'
      ? fault?.toObject()
      : faults.simulation('vm', fault.message).toObject()
  return {
    returnData: dataToHex(result.returnData),
    logs: logs.map((log) => formatLog(log)),
    gasUsed: quantityToHex(result.gasUsed),
    // Before refunds: what it needs to be given (geth 1.16).
    maxUsedGas: quantityToHex(result.gasUsed + result.gasRefunded),
    status: quantityToHex(result.status === 'success' ? 1 : 0),
    error,
  }
}

// ---- the order of blocks ----

type PlacedOverrides = BlockOverrides & { readonly number: bigint; readonly timestamp: bigint }
interface PlacedBlock extends SimulatedBlock {
  readonly blockOverrides: PlacedOverrides
}

/** Numbers and times that rise, with empty blocks in the gaps. @throws RpcFault when they do not. */
function inOrder(
  blocks: readonly SimulatedBlock[],
  base: BlockHeader,
  increment: bigint,
): PlacedBlock[] {
  const placed: PlacedBlock[] = []
  let { number, timestamp } = base
  for (const block of blocks) {
    const own = block.blockOverrides
    const wanted = own.number ?? number + 1n
    if (wanted <= number) {
      throw faults.simulation(
        'blockNumber',
        `block numbers must be in order: ${wanted} <= ${number}`,
      )
    }
    if (wanted - base.number > BigInt(simulatedBlockCountMax)) {
      throw faults.simulation('clientLimit', 'too many blocks')
    }
    while (number + 1n < wanted) {
      number++
      timestamp += increment
      placed.push({ blockOverrides: { number, timestamp }, stateOverrides: [], calls: [] })
    }
    const time = own.timestamp ?? timestamp + increment
    if (time <= timestamp) {
      const text = `block timestamps must be in order: ${time} <= ${timestamp}`
      throw faults.simulation('blockTimestamp', text)
    }
    number = wanted
    timestamp = time
    placed.push({ ...block, blockOverrides: { ...own, number, timestamp } })
  }
  return placed
}
