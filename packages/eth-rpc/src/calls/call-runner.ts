/** Runs messages that leave nothing behind, within gas and time, and says what came of them as geth does. */
import { type AccessListEntry, type ChainConfig, type ForkName, forkAt } from '@cairn/eth-codec'
import {
  type BlockContext,
  type CallInput,
  type Evm,
  ExecutionError,
  type ExecutionState,
  executeCall,
  type StateOverride,
  type Tracer,
  type TransactionResult,
} from '@cairn/eth-evm'
import type { BlockOverrides, TransactionArguments } from '../call-arguments.ts'
import { faultText } from '../fault-text.ts'
import { faults, RpcFault } from '../faults.ts'
import type { StateView } from '../node-view.ts'
import { revertReason } from '../revert-reason.ts'

export interface CallLimits {
  /** Gas of one call. geth: --rpc.gascap. */
  readonly gasMax: bigint
  /** geth: --rpc.evmtimeout. */
  readonly durationMsMax: number
}

export const defaultCallLimits: CallLimits = { gasMax: 50_000_000n, durationMsMax: 5000 }

const zeroAddress = new Uint8Array(20)

export interface CallOptions {
  readonly overrides?: readonly StateOverride[] | undefined
  readonly blockOverrides?: BlockOverrides | undefined
  readonly tracer?: Tracer | undefined
}

/** What messages run with: one for each thread. */
export interface CallEnvironment {
  readonly evm: Evm
  readonly config: ChainConfig
}

/** What they run on. */
export type CallState = Pick<StateView, 'state' | 'context'>

/** The time was over before the message was. */
export class CallTimeout extends RpcFault {}

/** One state to run messages on, for as long as one question takes. */
export class CallRunner {
  readonly fork: ForkName
  readonly #environment: CallEnvironment
  readonly #limits: CallLimits
  readonly #state: ExecutionState
  readonly #block: BlockContext
  readonly #options: CallOptions
  readonly #endsMs: number
  #isTimedOut = false

  constructor(
    environment: CallEnvironment,
    { state, context }: CallState,
    limits: CallLimits,
    options: CallOptions = {},
  ) {
    const { evm, config } = environment
    this.#environment = environment
    this.#limits = limits
    this.#options = options
    this.#block = { ...context, ...options.blockOverrides }
    this.fork = forkAt(config, this.#block.number, this.#block.timestamp)
    this.#state = evm.createState(state)
    this.#endsMs = performance.now() + limits.durationMsMax
  }

  get gasMax(): bigint {
    return this.#limits.gasMax
  }

  balanceOf(address: Uint8Array): bigint {
    const override = this.#options.overrides?.find((it) => Buffer.from(it.address).equals(address))
    return override?.balance ?? this.#state.accountOf(address).balance
  }

  /**
   * @param gasLimit The cap, when the arguments ask for more or for none.
   * @throws RpcFault when the message may not run, or not to its end in time.
   */
  run(
    given: TransactionArguments,
    gasLimit: bigint = given.gas ?? this.#limits.gasMax,
    accessList: readonly AccessListEntry[] = given.accessList ?? [],
  ): TransactionResult {
    const { evm, config } = this.#environment
    const gas = gasLimit < this.#limits.gasMax ? gasLimit : this.#limits.gasMax
    const input: CallInput = {
      evm,
      state: this.#state,
      fork: this.fork,
      block: this.#blockFor(given),
      chainId: config.chainId,
      tracer: this.#options.tracer,
      shouldAbort: () => this.#shouldAbort(),
      from: given.from ?? zeroAddress,
      to: given.to,
      data: given.data,
      value: given.value ?? 0n,
      gasLimit: gas,
      gasPrice: this.#gasPrice(given),
      accessList,
      overrides: this.#options.overrides ?? [],
    }
    try {
      return executeCall(input)
    } catch (error) {
      throw this.#refusal(error, gas)
    }
  }

  #shouldAbort(): boolean {
    this.#isTimedOut ||= performance.now() > this.#endsMs
    return this.#isTimedOut
  }

  /** A call that names no price pays none, and BASEFEE says so then (geth, NoBaseFee). */
  #blockFor(given: TransactionArguments): BlockContext {
    const isFree = (given.gasPrice ?? given.maxFeePerGas ?? 0n) === 0n
    const hasFees = this.#block.baseFeePerGas !== undefined
    return isFree && hasFees ? { ...this.#block, baseFeePerGas: 0n } : this.#block
  }

  #gasPrice({ gasPrice, maxFeePerGas, maxPriorityFeePerGas }: TransactionArguments): bigint {
    if (gasPrice !== undefined) return gasPrice
    if (maxFeePerGas === undefined) return 0n
    const wanted = (this.#block.baseFeePerGas ?? 0n) + (maxPriorityFeePerGas ?? 0n)
    return wanted < maxFeePerGas ? wanted : maxFeePerGas
  }

  #refusal(error: unknown, gas: bigint): unknown {
    if (!(error instanceof ExecutionError)) return error
    if (error.code === 'ABORTED') {
      const { code, message } = timeoutOf(this.#limits)
      return new CallTimeout(code, message)
    }
    return faults.server(`err: ${error.shortMessage} (supplied gas ${gas})`)
  }
}

export function timeoutOf({ durationMsMax }: CallLimits): RpcFault {
  return faults.server(`execution aborted (timeout = ${durationMsMax / 1000}s)`)
}

/** @returns the fault that a failed message is answered with; undefined when it succeeded. */
export function outcomeFault(result: TransactionResult): RpcFault | undefined {
  if (result.status === 'success') return undefined
  if (result.status === 'revert') {
    return faults.reverted(revertReason(result.returnData), result.returnData)
  }
  return faults.server(faultText(result.fault, result.faultPlace))
}

/** The texts that wallets look for when an estimate is too high for what is allowed. */
export function gasAboveAllowance(gas: bigint): RpcFault {
  return faults.server(`gas required exceeds allowance (${gas})`)
}
