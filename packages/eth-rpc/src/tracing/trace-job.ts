/**
 * Transactions executed anew with a tracer listening: a block's, or a message on top of some of them. What comes out is
 * JSON text. Source of order and texts: geth 1.13, eth/tracers/api.go.
 */
import { assert } from '@cairn/core'
import {
  type AccountChange,
  type ForkName,
  forkAt,
  TransactionError,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import {
  applyOverrides,
  ExecutionError,
  type ExecutionState,
  executeTransaction,
  type Tracer,
  type TransactionInput,
  type TransactionResult,
} from '@cairn/eth-evm'
import type { TransactionArguments } from '../call-arguments.ts'
import type { CallPlace } from '../calls/call-job.ts'
import { CallTimeout } from '../calls/call-runner.ts'
import { messageTransaction } from '../calls/message-transaction.ts'
import { faults } from '../faults.ts'
import { makeTracer } from './make-tracer.ts'
import { type TraceCallConfig, type TraceConfig, traceTimeoutMsMax } from './trace-config.ts'
import { TraceRoom } from './trace-room.ts'

/** A transaction of a block, with what came of it then. */
export interface ReplayedTransaction {
  readonly transaction: UnsignedTransaction
  /** 20 bytes. */
  readonly sender: Uint8Array
  /** `0x` and 64 digits. */
  readonly hash: string
  /** Undefined for a block that was never executed here. */
  readonly outcome: { readonly gasUsed: bigint; readonly isSuccess: boolean } | undefined
}

/** On the state before the block. */
export interface TraceBlockJob {
  readonly kind: 'traceBlock'
  /** From the first of the block on. */
  readonly transactions: readonly ReplayedTransaction[]
  /** `all`: a list with each; otherwise the last of them alone. */
  readonly traced: 'all' | 'last'
  /** `0x` and 64 digits. */
  readonly blockHash: string
  readonly config: TraceConfig
}

/** On the state before `preceding`. */
export interface TraceCallJob {
  readonly kind: 'traceCall'
  readonly given: TransactionArguments
  readonly preceding: readonly ReplayedTransaction[]
  readonly config: TraceCallConfig
}

/** On the state before the block: what its first transactions change. */
export interface BlockChangesJob {
  readonly kind: 'blockChanges'
  readonly transactions: readonly ReplayedTransaction[]
}

const zeroAddress = new Uint8Array(20)

/** How long the whole may take, in ms: each transaction has its own time with geth, and there may be many. */
export function traceDurationMs(job: TraceBlockJob | TraceCallJob): number {
  const { timeoutMs } = job.config
  const count = job.kind === 'traceBlock' && job.traced === 'all' ? job.transactions.length : 1
  return Math.min(timeoutMs * Math.max(count, 1), traceTimeoutMsMax)
}

/** @returns JSON text. @throws RpcFault; CallTimeout when the time was too short. */
export function runTraceBlock(place: CallPlace, job: TraceBlockJob): string {
  const { transactions, traced, config, blockHash } = job
  const replay = new Replay(place)
  const room = new TraceRoom()
  const results: string[] = []
  for (const [index, each] of transactions.entries()) {
    if (traced === 'last' && index < transactions.length - 1) {
      replay.run(each, undefined, config.timeoutMs)
      continue
    }
    const tracer = makeTracer(config.tracer, {
      room,
      blockHash,
      blockNumber: place.state.context.number,
      transactionHash: each.hash,
      transactionIndex: index,
    })
    replay.run(each, tracer, config.timeoutMs)
    if (traced === 'last') return tracer.resultText()
    results.push(`{"txHash":"${each.hash}","result":${tracer.resultText()}}`)
  }
  return `[${results.join(',')}]`
}

/** @returns JSON text. @throws RpcFault; CallTimeout when the time was too short. */
export function runTraceCall(place: CallPlace, job: TraceCallJob): string {
  const { given, preceding, config } = job
  const { chainId } = place.environment.config
  const replay = new Replay(place)
  for (const each of preceding) replay.run(each, undefined, config.timeoutMs)
  applyOverrides(replay.state, config.overrides ?? [])
  const block = { ...place.state.context, ...config.blockOverrides }
  const fork = forkAt(place.environment.config, block.number, block.timestamp)
  const sender = given.from ?? zeroAddress
  const { gasMax } = place.limits
  const gasLimit = given.gas !== undefined && given.gas < gasMax ? given.gas : gasMax
  const { nonce } = replay.state.accountOf(sender)
  const transaction = messageTransaction(given, { chainId, fork, nonce, gasLimit })
  // A message that names no price pays none, and BASEFEE says so then (geth, NoBaseFee).
  const isFree = transaction.maxFeePerGas === 0n && block.baseFeePerGas !== undefined
  const tracer = makeTracer(config.tracer, { room: new TraceRoom() })
  replay.execute(
    {
      transaction,
      sender,
      sentBy: 'anyone',
      fork,
      block: isFree ? { ...block, baseFeePerGas: 0n } : block,
      tracer,
    },
    config.timeoutMs,
  )
  return tracer.resultText()
}

/** @throws RpcFault; CallTimeout when the time was too short. */
export function runBlockChanges(place: CallPlace, job: BlockChangesJob): readonly AccountChange[] {
  const replay = new Replay(place)
  for (const each of job.transactions) replay.run(each, undefined, place.limits.durationMsMax)
  return replay.state.takeChanges().accounts
}

/** A block's transactions, one after the other. */
class Replay {
  readonly state: ExecutionState
  readonly #place: CallPlace
  readonly #fork: ForkName
  readonly #endsMs: number

  constructor(place: CallPlace) {
    const { environment, state } = place
    const { number, timestamp } = state.context
    this.#place = place
    this.#fork = forkAt(environment.config, number, timestamp)
    this.state = environment.evm.createState(state.state)
    this.#endsMs = performance.now() + place.limits.durationMsMax
  }

  run(
    { transaction, sender, outcome }: ReplayedTransaction,
    tracer: Tracer | undefined,
    timeoutMs: number,
  ): void {
    const block = this.#place.state.context
    const input = { transaction, sender, block, fork: this.#fork, tracer }
    const result = this.execute(input, timeoutMs)
    if (outcome === undefined) return
    // What is told of a transaction has to be what happened.
    assert(result.gasUsed === outcome.gasUsed)
    assert((result.status === 'success') === outcome.isSuccess)
  }

  execute(input: ReplayInput, timeoutMs: number): TransactionResult {
    const { evm, config } = this.#place.environment
    const endsMs = Math.min(this.#endsMs, performance.now() + timeoutMs)
    const isOver = () => performance.now() > endsMs
    if (isOver()) throw timeoutFault()
    try {
      return executeTransaction({
        ...input,
        evm,
        state: this.state,
        chainId: config.chainId,
        shouldAbort: isOver,
        // Whether it had room in its block was decided when that was made.
        blockGasLeft: input.transaction.gasLimit,
      })
    } catch (error) {
      throw refusalOf(error)
    }
  }
}

type ReplayInput = Pick<
  TransactionInput,
  'transaction' | 'sender' | 'sentBy' | 'fork' | 'block' | 'tracer'
>

function refusalOf(error: unknown): unknown {
  if (error instanceof ExecutionError && error.code === 'ABORTED') return timeoutFault()
  const isRefusal = error instanceof ExecutionError || error instanceof TransactionError
  return isRefusal ? faults.server(`tracing failed: ${error.shortMessage}`) : error
}

function timeoutFault(): CallTimeout {
  const { code, message } = faults.server('execution timeout')
  return new CallTimeout(code, message)
}
