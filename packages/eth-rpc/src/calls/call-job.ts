/** The work behind eth_call, eth_estimateGas, eth_createAccessList and debug_trace…, on whichever thread it is done. */
import { dataToHex, quantityToHex } from '@cairn/eth-codec'
import type { StateOverride, TransactionResult } from '@cairn/eth-evm'
import type { BlockOverrides, TransactionArguments } from '../call-arguments.ts'
import { faultText } from '../fault-text.ts'
import { faults } from '../faults.ts'
import { formatAccessList } from '../format.ts'
import {
  type BlockChangesJob,
  runBlockChanges,
  runTraceBlock,
  runTraceCall,
  type TraceBlockJob,
  type TraceCallJob,
  traceDurationMs,
} from '../tracing/trace-job.ts'
import { AccessListTracer } from './access-list-tracer.ts'
import {
  type CallEnvironment,
  type CallLimits,
  CallRunner,
  type CallState,
  gasAboveAllowance,
  outcomeFault,
} from './call-runner.ts'
import { type SimulateJob, simulate } from './simulation.ts'

/** Plain records: they go from thread to thread. */
export type CallJob =
  | {
      readonly kind: 'call'
      readonly given: TransactionArguments
      readonly overrides: readonly StateOverride[] | undefined
      readonly blockOverrides: BlockOverrides | undefined
    }
  | {
      readonly kind: 'estimate'
      readonly given: TransactionArguments
      readonly overrides: readonly StateOverride[] | undefined
    }
  | { readonly kind: 'accessList'; readonly given: TransactionArguments }
  | TraceBlockJob
  | TraceCallJob
  | BlockChangesJob
  | SimulateJob

/** What a job runs with, on and within. */
export interface CallPlace {
  readonly environment: CallEnvironment
  readonly state: CallState
  readonly limits: CallLimits
}

/** Gas of a plain transfer, tried before anything else is searched. */
const transferGas = 21_000n
/** How near the estimate is to the least gas that does, as a part of 1000 (geth: 1.5 %). */
const errorRatioPerMille = 15n
/** Rounds until an access list stays as it is. */
const accessListRoundsMax = 16

/** @returns what JSON-RPC answers. @throws RpcFault; CallTimeout when the time was too short. */
export function runCallJob(place: CallPlace, job: CallJob): unknown {
  switch (job.kind) {
    case 'call':
      return call(place, job)
    case 'estimate':
      return quantityToHex(estimateGas(place, job.given, job.overrides))
    case 'accessList':
      return createAccessList(place, job.given)
    case 'traceBlock':
      return runTraceBlock(place, job)
    case 'traceCall':
      return runTraceCall(place, job)
    case 'blockChanges':
      return runBlockChanges(place, job)
    case 'simulate':
      return simulate(place, job)
  }
}

export function isTrace(job: CallJob): job is TraceBlockJob | TraceCallJob {
  return job.kind === 'traceBlock' || job.kind === 'traceCall'
}

/** Traces bring their own time along. */
export function limitsOf(job: CallJob, limits: CallLimits): CallLimits {
  return isTrace(job) ? { ...limits, durationMsMax: traceDurationMs(job) } : limits
}

function call(
  { environment, state, limits }: CallPlace,
  { given, overrides, blockOverrides }: CallJob & { readonly kind: 'call' },
): string {
  const runner = new CallRunner(environment, state, limits, { overrides, blockOverrides })
  const result = runner.run(given)
  const fault = outcomeFault(result)
  if (fault !== undefined) throw fault
  return dataToHex(result.returnData)
}

/**
 * The least gas with which the message succeeds, by halving (geth, eth/gasestimator).
 * @throws RpcFault when it fails with all that is allowed.
 */
function estimateGas(
  { environment, state, limits }: CallPlace,
  given: TransactionArguments,
  overrides: readonly StateOverride[] | undefined,
): bigint {
  const runner = new CallRunner(environment, state, limits, { overrides })
  const allowance = gasAllowance(runner, given, state.context.gasLimit)
  if (isPlainTransfer(state.state, given) && succeeds(runner, given, transferGas)) {
    return transferGas
  }
  const most = runner.run(given, allowance)
  if (most.status !== 'success') {
    const fault = outcomeFault(most)
    throw isOutOfGas(most) ? gasAboveAllowance(allowance) : (fault ?? faults.server('failed'))
  }
  return searchGas(runner, given, most, allowance)
}

function searchGas(
  runner: CallRunner,
  given: TransactionArguments,
  most: TransactionResult,
  allowance: bigint,
): bigint {
  let low = most.gasUsed - 1n
  let high = allowance
  // What was given back, and a 64th that each call keeps back, are what it may need above what it used.
  const optimistic = ((most.gasUsed + most.gasRefunded + 2300n) * 64n) / 63n
  if (optimistic < high) {
    if (succeeds(runner, given, optimistic)) high = optimistic
    else low = optimistic
  }
  while (low + 1n < high) {
    if ((high - low) * 1000n < high * errorRatioPerMille) break
    let middle = (low + high) / 2n
    // Most messages need little more than they use: a search from below ends sooner.
    if (middle > low * 2n) middle = low * 2n
    if (succeeds(runner, given, middle)) high = middle
    else low = middle
  }
  return high
}

function gasAllowance(runner: CallRunner, given: TransactionArguments, blockGas: bigint): bigint {
  let allowance = given.gas !== undefined && given.gas >= transferGas ? given.gas : blockGas
  const price = given.gasPrice ?? given.maxFeePerGas ?? 0n
  if (price > 0n && given.from !== undefined) {
    const balance = runner.balanceOf(given.from)
    const value = given.value ?? 0n
    if (value > balance) throw faults.server('insufficient funds for transfer')
    const affordable = (balance - value) / price
    if (affordable < allowance) allowance = affordable
  }
  return allowance < runner.gasMax ? allowance : runner.gasMax
}

function isPlainTransfer(
  state: { readAccount(address: Uint8Array): { readonly codeHash: Uint8Array } | undefined } & {
    readCode(hash: Uint8Array): Uint8Array
  },
  { to, data }: TransactionArguments,
): boolean {
  if (to === undefined || data.length > 0) return false
  const account = state.readAccount(to)
  return account === undefined || state.readCode(account.codeHash).length === 0
}

/** Below the intrinsic gas a message does not even begin; that is no success. */
function succeeds(runner: CallRunner, given: TransactionArguments, gas: bigint): boolean {
  try {
    return runner.run(given, gas).status === 'success'
  } catch (error) {
    if (error instanceof Error && error.message.includes('intrinsic gas too low')) return false
    throw error
  }
}

function isOutOfGas({ status, fault }: TransactionResult): boolean {
  return status === 'fault' && (fault === 'OUT_OF_GAS' || fault === 'CODE_DEPOSIT_OUT_OF_GAS')
}

/** Runs the message with what it touched the last time, until that stays the same. */
function createAccessList(
  { environment, state, limits }: CallPlace,
  given: TransactionArguments,
): unknown {
  let accessList = given.accessList ?? []
  for (let round = 0; ; round++) {
    const tracer = new AccessListTracer(given, accessList)
    const runner = new CallRunner(environment, state, limits, { tracer })
    const gas = given.gas ?? state.context.gasLimit
    const result = runner.run(given, gas, accessList)
    const touched = tracer.accessList()
    if (tracer.isSameAs(accessList) || round === accessListRoundsMax) {
      const error =
        result.status === 'success'
          ? {}
          : { error: outcomeFault(result)?.message ?? faultText(result.fault) }
      return {
        accessList: formatAccessList(touched),
        ...error,
        gasUsed: quantityToHex(result.gasUsed),
      }
    }
    accessList = touched
  }
}
