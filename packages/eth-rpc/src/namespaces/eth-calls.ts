/** Methods of `eth` that run messages and keep nothing: eth_call, eth_estimateGas, eth_createAccessList. */
import { dataToHex, quantityToHex } from '@cairn/eth-codec'
import type { StateOverride, TransactionResult } from '@cairn/eth-evm'
import { AccessListTracer } from '../access-list-tracer.ts'
import {
  readBlockOverrides,
  readStateOverrides,
  readTransactionArguments,
  type TransactionArguments,
} from '../call-arguments.ts'
import {
  type CallLimits,
  CallRunner,
  faultText,
  gasAboveAllowance,
  outcomeFault,
} from '../call-runner.ts'
import { faults } from '../faults.ts'
import { formatAccessList } from '../format.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import { type BlockReference, latestBlock, parameters } from '../parameters.ts'

const message = required(readTransactionArguments)
const overrides = optional(required(readStateOverrides))
const blockOverrides = optional(required(readBlockOverrides))
const block = optional(parameters.block)
const pendingBlock: BlockReference = { kind: 'tag', tag: 'pending' }

/** Gas of a plain transfer, tried before anything else is searched. */
const transferGas = 21_000n
/** How near the estimate is to the least gas that does, as a part of 1000 (geth: 1.5 %). */
const errorRatioPerMille = 15n
/** Rounds until an access list stays as it is. */
const accessListRoundsMax = 16

export function ethCallMethods(view: NodeView, limits: CallLimits): MethodTable {
  return {
    eth_call: method([message, block, overrides, blockOverrides], ([given, at, state, header]) => {
      const stateView = view.stateAfter(at ?? latestBlock)
      const runner = new CallRunner(view, stateView, limits, {
        overrides: state,
        blockOverrides: header,
      })
      const result = runner.run(given)
      const fault = outcomeFault(result)
      if (fault !== undefined) throw fault
      return dataToHex(result.returnData)
    }),
    eth_estimateGas: method([message, block, overrides], ([given, at, state]) =>
      quantityToHex(estimateGas(view, limits, given, at ?? latestBlock, state)),
    ),
    eth_createAccessList: method([message, block], ([given, at]) =>
      createAccessList(view, limits, given, at ?? pendingBlock),
    ),
  }
}

/**
 * The least gas with which the message succeeds, by halving (geth, eth/gasestimator).
 * @throws RpcFault when it fails with all that is allowed.
 */
export function estimateGas(
  view: NodeView,
  limits: CallLimits,
  given: TransactionArguments,
  at: BlockReference,
  overrides: readonly StateOverride[] | undefined,
): bigint {
  const stateView = view.stateAfter(at)
  const runner = new CallRunner(view, stateView, limits, { overrides })
  const allowance = gasAllowance(runner, given, stateView.context.gasLimit)
  if (isPlainTransfer(stateView.state, given) && succeeds(runner, given, transferGas)) {
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
  view: NodeView,
  limits: CallLimits,
  given: TransactionArguments,
  at: BlockReference,
): unknown {
  const stateView = view.stateAfter(at)
  let accessList = given.accessList ?? []
  for (let round = 0; ; round++) {
    const tracer = new AccessListTracer(given, accessList)
    const runner = new CallRunner(view, stateView, limits, { tracer })
    const gas = given.gas ?? stateView.context.gasLimit
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
