/**
 * A transaction from its checks to its fees: nonce, balance, intrinsic gas, warm addresses, the message, refund, tip.
 * Also the message alone, for eth_call and gas estimates. Sources: yellow paper 6; EIP-1559, 2929, 2930, 3529, 3607,
 * 3651.
 */
import {
  type AccessListEntry,
  checkTransaction,
  type ForkName,
  includesFork,
  intrinsicGas,
  type Log,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import { emptyCode } from './code.ts'
import { ExecutionError } from './errors.ts'
import type { Evm } from './evm.ts'
import type { AccountEntry, ExecutionState } from './execution-state.ts'
import { type ForkRules, forks } from './forks.ts'
import { type BlockContext, Host } from './host.ts'
import type { Fault, FaultPlace } from './interpreter.ts'
import { Machine, type Outcome } from './machine.ts'
import type { Tracer } from './tracer.ts'
import { bytesToWord, wordLength } from './words.ts'

export interface ExecutionContext {
  readonly evm: Evm
  readonly state: ExecutionState
  readonly fork: ForkName
  readonly block: BlockContext
  readonly chainId: bigint
  readonly tracer?: Tracer | undefined
  /** Asked every 4096 steps; true ends the run with ABORTED. */
  readonly shouldAbort?: (() => boolean) | undefined
}

export interface TransactionInput extends ExecutionContext {
  readonly transaction: UnsignedTransaction
  /** 20 bytes, recovered from the signature. */
  readonly sender: Uint8Array
  /** Left in the block; its gas limit when absent. */
  readonly blockGasLeft?: bigint
  /**
   * What of the sender is asked for: of `anyone`, as a simulation does, neither its nonce nor that it has no code, and
   * a fee only if one is offered; of a `signer` its nonce and the fee. All unless told.
   */
  readonly sentBy?: 'anyone' | 'signer'
}

export interface TransactionResult {
  readonly status: 'success' | 'revert' | 'fault'
  /** Undefined unless status is `fault`. */
  readonly fault: Fault | undefined
  /** Of a fault that has to do with one. */
  readonly faultPlace: FaultPlace | undefined
  /** With the refund taken off. */
  readonly gasUsed: bigint
  readonly gasRefunded: bigint
  /** In wei per gas: what the sender paid. */
  readonly effectiveGasPrice: bigint
  readonly logs: readonly Log[]
  /** What the call returned, or reverted with; code of a new contract. */
  readonly returnData: Uint8Array
  /** 20 bytes when a contract was made. */
  readonly contractAddress: Uint8Array | undefined
}

/** Largest gas of a transaction: the largest gas limit of a block (go-ethereum, params.MaxGasLimit). */
const gasMax: bigint = 2n ** 63n - 1n

/**
 * Runs a transaction on a state and leaves its effects there.
 * @throws TransactionError or ExecutionError when it may not run; nothing is changed then.
 */
export function executeTransaction(input: TransactionInput): TransactionResult {
  const { evm, state, fork, block, chainId, transaction } = input
  const rules = forks[fork]
  checkTransaction(transaction, { fork, chainId })
  const sender = state.accountOf(input.sender)
  const gasPrice = checkAgainstState(input, rules, sender)
  const { gasLimit, to, value, data, accessList } = transaction
  const nonceBefore = sender.nonce

  state.beginTransaction()
  const start = state.mark()
  const host = new Host({
    state,
    rules,
    block,
    chainId,
    origin: sender,
    gasPrice,
    tracer: input.tracer,
    shouldAbort: input.shouldAbort,
  })
  const target = to === undefined ? undefined : state.accountOf(to)
  const coinbase = state.entryOf(block.coinbase)
  if (rules.hasAccessLists) warmFirst(state, rules, sender, target, coinbase, accessList)
  // What it looks at is loaded, which nothing undoes, and warm for nobody.
  input.tracer?.onStart?.({ state, rules, block, from: input.sender, to, gasLimit })
  state.setBalance(sender, sender.balance - gasLimit * gasPrice)
  if (target !== undefined) state.setNonce(sender, sender.nonce + 1n)
  const gas = gasLimit - intrinsicGas(transaction, fork)
  const interpreter = input.tracer?.onStep ? evm.steppingInterpreter : evm.interpreter
  const machine = new Machine(interpreter, host)
  let outcome: Outcome
  try {
    outcome = machine.run({ caller: sender, target, value, data, gas })
    if (outcome.kind === 'aborted') throw abortedError()
  } catch (error) {
    // Stopped, or the store below is broken: the state is as it was, whoever goes on with it.
    state.revertTo(start)
    state.finishTransaction(false)
    throw error
  }
  // A creation that was refused before it began did not raise the nonce, and a transaction always does.
  if (target === undefined && sender.nonce === nonceBefore) {
    state.setNonce(sender, nonceBefore + 1n)
  }

  const gasSpent = gasLimit - outcome.gasLeft
  const refundMax = gasSpent / BigInt(rules.refundDivisor)
  const refund = BigInt(state.refund)
  const gasRefunded = refund < refundMax ? refund : refundMax
  const gasUsed = gasSpent - gasRefunded
  state.addBalance(sender, (gasLimit - gasUsed) * gasPrice)
  const baseFee = rules.hasFeeMarket ? (block.baseFeePerGas ?? 0n) : 0n
  // Without a fee there is nothing to burn either.
  state.addBalance(coinbase, gasUsed * (gasPrice > baseFee ? gasPrice - baseFee : 0n))
  const { logs } = state
  input.tracer?.onEnd?.(gasUsed)
  state.finishTransaction(rules.removesEmptyAccounts)
  return resultOf(outcome, { gasUsed, gasRefunded, effectiveGasPrice: gasPrice, logs })
}

export interface CallInput extends ExecutionContext {
  /** 20 bytes. */
  readonly from: Uint8Array
  /** Undefined runs `data` as init code. */
  readonly to: Uint8Array | undefined
  readonly data: Uint8Array
  readonly value: bigint
  readonly gasLimit: bigint
  /** What GASPRICE says; nothing is paid. */
  readonly gasPrice: bigint
  readonly accessList: readonly AccessListEntry[]
  /** Changes what the call finds; applied before it. */
  readonly overrides?: readonly StateOverride[]
}

export interface StateOverride {
  /** 20 bytes. */
  readonly address: Uint8Array
  readonly balance?: bigint
  readonly nonce?: bigint
  readonly code?: { readonly bytes: Uint8Array; readonly hash: Uint8Array }
  /** All of the storage; other slots are zero. */
  readonly storage?: readonly { readonly slot: Uint8Array; readonly value: Uint8Array }[]
  /** Single slots; the others stay. */
  readonly storageDiff?: readonly { readonly slot: Uint8Array; readonly value: Uint8Array }[]
}

/**
 * Runs a message as a transaction would, without nonce, signature and fees, and takes its effects back.
 * `gasUsed` is what a transaction would have used, so that estimates can search with it.
 * @throws ExecutionError when the gas limit is below the intrinsic gas (`GAS_LIMIT_REACHED`), or the run is stopped.
 */
export function executeCall(input: CallInput): TransactionResult {
  const { evm, state, fork, block, chainId, from, to, data, value, gasLimit, gasPrice } = input
  const rules = forks[fork]
  const checkpoint = state.checkpoint()
  try {
    applyOverrides(state, input.overrides ?? [])
    state.beginTransaction()
    const sender = state.accountOf(from)
    const host = new Host({
      state,
      rules,
      block,
      chainId,
      origin: sender,
      gasPrice,
      tracer: input.tracer,
      shouldAbort: input.shouldAbort,
    })
    const target = to === undefined ? undefined : state.accountOf(to)
    const coinbase = state.entryOf(block.coinbase)
    const { accessList } = input
    if (rules.hasAccessLists) warmFirst(state, rules, sender, target, coinbase, accessList)
    const gasMin = intrinsicGas(messageTransaction(input), fork)
    if (gasLimit < gasMin) {
      throw new ExecutionError(
        { code: 'GAS_LIMIT_REACHED', gas: gasMin, gasMax: gasLimit },
        {
          shortMessage: 'intrinsic gas too low',
          metaMessages: [`Gas ${gasLimit}, minimum needed ${gasMin}.`],
        },
      )
    }
    if (sender.balance < value) throw fundsError(sender.balance, value)
    input.tracer?.onStart?.({ state, rules, block, from, to, gasLimit })
    if (target !== undefined) state.setNonce(sender, sender.nonce + 1n)
    const interpreter = input.tracer?.onStep ? evm.steppingInterpreter : evm.interpreter
    const machine = new Machine(interpreter, host)
    const gas = (gasLimit < gasMax ? gasLimit : gasMax) - gasMin
    const outcome = machine.run({ caller: sender, target, value, data, gas })
    if (outcome.kind === 'aborted') throw abortedError()
    const gasSpent = gas + gasMin - outcome.gasLeft
    const refundMax = gasSpent / BigInt(rules.refundDivisor)
    const refund = BigInt(state.refund)
    const gasRefunded = refund < refundMax ? refund : refundMax
    const gasUsed = gasSpent - gasRefunded
    const { logs } = state
    input.tracer?.onEnd?.(gasUsed)
    return resultOf(outcome, { gasUsed, gasRefunded, effectiveGasPrice: gasPrice, logs })
  } finally {
    state.finishTransaction(rules.removesEmptyAccounts)
    state.revert(checkpoint)
  }
}

function messageTransaction(input: CallInput): UnsignedTransaction {
  const { to, data, value, gasLimit, gasPrice, accessList } = input
  return {
    type: includesFork(input.fork, 'berlin') ? 1 : 0,
    chainId: input.chainId,
    nonce: 0n,
    maxPriorityFeePerGas: gasPrice,
    maxFeePerGas: gasPrice,
    gasLimit,
    to,
    value,
    data,
    accessList,
  }
}

/** @returns the price of gas for this sender in this block, in wei. */
function checkAgainstState(
  { transaction, block, blockGasLeft, sentBy }: TransactionInput,
  rules: ForkRules,
  sender: AccountEntry,
): bigint {
  const { nonce, gasLimit, maxFeePerGas, value } = transaction
  if (gasLimit > gasMax) {
    throw new ExecutionError(
      { code: 'GAS_TOO_LARGE', gas: gasLimit },
      {
        shortMessage: 'gas limit too large',
        metaMessages: [`Gas ${gasLimit}, at most ${gasMax}.`],
      },
    )
  }
  if (nonce !== sender.nonce && sentBy !== 'anyone') {
    const isLow = nonce < sender.nonce
    throw new ExecutionError(
      {
        code: isLow ? 'NONCE_TOO_LOW' : 'NONCE_TOO_HIGH',
        nonce,
        nonceExpected: sender.nonce,
      },
      {
        shortMessage: isLow ? 'nonce too low' : 'nonce too high',
        metaMessages: [`Nonce ${nonce}, the account's next is ${sender.nonce}.`],
      },
    )
  }
  if (sender.codeHash !== emptyCode.hash && sentBy === undefined) {
    throw new ExecutionError(
      { code: 'SENDER_NOT_EOA' },
      {
        shortMessage: 'sender not an eoa',
        metaMessages: ['An account with code signs no transactions (EIP-3607).'],
      },
    )
  }
  const isFree = sentBy === 'anyone' && maxFeePerGas === 0n
  const gasPrice = isFree ? 0n : effectiveGasPrice(transaction, rules, block)
  const cost = gasLimit * maxFeePerGas + value
  if (sender.balance < cost) throw fundsError(sender.balance, cost)
  const gasLeft = blockGasLeft ?? block.gasLimit
  if (gasLimit > gasLeft) {
    throw new ExecutionError(
      { code: 'GAS_LIMIT_REACHED', gas: gasLimit, gasMax: gasLeft },
      {
        shortMessage: 'gas limit reached',
        metaMessages: [`Gas ${gasLimit}, the block has ${gasLeft} left.`],
      },
    )
  }
  return gasPrice
}

function effectiveGasPrice(
  { maxFeePerGas, maxPriorityFeePerGas }: UnsignedTransaction,
  rules: ForkRules,
  block: BlockContext,
): bigint {
  if (!rules.hasFeeMarket) return maxFeePerGas
  const baseFee = block.baseFeePerGas ?? 0n
  if (maxFeePerGas < baseFee) {
    throw new ExecutionError(
      { code: 'FEE_CAP_TOO_LOW', feeCap: maxFeePerGas, baseFee },
      {
        shortMessage: 'max fee per gas less than block base fee',
        metaMessages: [`Fee cap ${maxFeePerGas} wei, base fee ${baseFee} wei.`],
      },
    )
  }
  const wanted = baseFee + maxPriorityFeePerGas
  return wanted < maxFeePerGas ? wanted : maxFeePerGas
}

/** EIP-2929, EIP-2930, EIP-3651. Precompiles are warm by themselves (host.ts). */
function warmFirst(
  state: ExecutionState,
  rules: ForkRules,
  sender: AccountEntry,
  target: AccountEntry | undefined,
  coinbase: AccountEntry,
  accessList: readonly AccessListEntry[],
): void {
  state.warm(sender)
  if (target !== undefined) state.warm(target)
  if (rules.isCoinbaseWarm) state.warm(coinbase)
  const words = new Int32Array(wordLength)
  for (const { address, storageKeys } of accessList) {
    const entry = state.accountOf(address)
    state.warm(entry)
    for (const key of storageKeys) {
      bytesToWord(key, words, 0)
      state.slotAt(entry, words, 0)
    }
  }
}

/** Changes what is found from now on. */
export function applyOverrides(state: ExecutionState, overrides: readonly StateOverride[]): void {
  if (overrides.length === 0) return
  state.beginTransaction()
  const words = new Int32Array(2 * wordLength)
  for (const { address, balance, nonce, code, storage, storageDiff } of overrides) {
    const entry = state.accountOf(address)
    if (nonce !== undefined) state.setNonce(entry, nonce)
    if (balance !== undefined) state.setBalance(entry, balance)
    if (code !== undefined) state.setCode(entry, code.bytes, code.hash)
    if (storage !== undefined) state.replaceStorage(entry)
    for (const { slot, value } of [...(storage ?? []), ...(storageDiff ?? [])]) {
      bytesToWord(slot, words, 0)
      bytesToWord(value, words, wordLength)
      state.setSlot(entry, state.slotAt(entry, words, 0), words, wordLength)
    }
  }
  state.finishTransaction(false)
}

function resultOf(
  outcome: Exclude<Outcome, { kind: 'aborted' }>,
  rest: Pick<TransactionResult, 'gasUsed' | 'gasRefunded' | 'effectiveGasPrice' | 'logs'>,
): TransactionResult {
  return {
    status: outcome.kind,
    fault: outcome.kind === 'fault' ? outcome.fault : undefined,
    faultPlace: outcome.kind === 'fault' ? outcome.faultPlace : undefined,
    returnData: outcome.kind === 'fault' ? new Uint8Array(0) : outcome.output,
    contractAddress: outcome.kind === 'success' ? outcome.created?.address : undefined,
    ...rest,
  }
}

function fundsError(balance: bigint, cost: bigint): ExecutionError {
  return new ExecutionError(
    { code: 'INSUFFICIENT_FUNDS', balance, cost },
    {
      shortMessage: 'insufficient funds for gas * price + value',
      metaMessages: [`Balance ${balance} wei, needed ${cost} wei.`],
    },
  )
}

function abortedError(): ExecutionError {
  return new ExecutionError(
    { code: 'ABORTED' },
    {
      shortMessage: 'execution aborted',
      metaMessages: ['It was stopped from outside, as after a time-out. Nothing was changed.'],
    },
  )
}
