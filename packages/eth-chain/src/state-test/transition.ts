/**
 * A state transition as geth's `evm t8n` makes it: accounts, what the block is, and transactions go in; accounts and
 * what the block came to go out. Its files: go-ethereum 1.13, cmd/evm/README.md. Left out: blobs and beacon roots,
 * which Cairn's chains do not have, and ethash's difficulty, which has to be given.
 */
import { toHex } from '@cairn/core'
import {
  type AccessListEntry,
  dataToHex,
  decodeRlp,
  emptyCodeHash,
  encodeReceipt,
  encodeRlp,
  encodeTransaction,
  type ForkName,
  forkNames,
  includesFork,
  type Log,
  logsBloom,
  mergeBloom,
  quantityToHex,
  type Receipt,
  recoverSender,
  signTransaction,
  type Transaction,
  type TransactionType,
  transactionFromRlp,
  transactionHash,
  transactionToRlp,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import {
  type BlockContext,
  type Evm,
  type ExecutionState,
  executeTransaction,
  forks,
  type TransactionResult,
} from '@cairn/eth-evm'
import { orderedTrieRoot } from '@cairn/eth-state'
import { nextBaseFeeOf } from '../gas-rules.ts'
import type { MemoryState } from './memory-state.ts'
import {
  type AccountsJson,
  bigint,
  bytes,
  forkNamed,
  hashOfLogs,
  readState,
  word,
} from './test-fields.ts'

type Fields = Readonly<Record<string, unknown>>

export interface TransitionInput {
  readonly alloc: AccountsJson
  /** `currentNumber`, `currentCoinbase`, … */
  readonly env: Fields
  /** Objects as JSON-RPC has them, signed or with a `secretKey`; or a list in RLP, as hexadecimal text. */
  readonly txs: readonly Fields[] | string
  /** As tests name it: `London`, `Cancun`. */
  readonly fork: string
  readonly chainId: bigint
  /** In wei for the coinbase; undefined leaves it untouched. */
  readonly reward: bigint | undefined
}

export interface TransitionOutput {
  readonly alloc: Record<string, object>
  readonly result: Record<string, unknown>
  /** The transactions that are in the block, in RLP. */
  readonly body: string
}

/** What is wrong with the input, for a person. */
export class TransitionError extends Error {
  override readonly name = 'TransitionError'
}

interface Executed {
  readonly transaction: Transaction
  readonly result: TransactionResult
  readonly receipt: Receipt
}

/** @throws TransitionError */
export function runTransition(input: TransitionInput, evm: Evm): TransitionOutput {
  const fork = forkNamed(input.fork)
  if (fork === undefined) throw new TransitionError(`the fork ${input.fork} is not known`)
  const block = readBlock(input.env, fork)
  const before = readState(input.alloc)
  const state = evm.createState(before)
  const run: BlockRun = {
    input,
    evm,
    fork,
    block,
    before,
    state,
    executed: [],
    rejected: [],
    gasUsed: 0n,
  }
  for (const [index, transaction] of readTransactions(input).entries()) {
    try {
      runTransaction(run, transaction)
    } catch (error) {
      run.rejected.push({ index, error: firstLine(error) })
    }
  }
  payRewards(run)
  before.apply(state.takeChanges())
  return {
    alloc: dumpState(before),
    result: resultOf(run),
    body: dataToHex(
      encodeRlp(run.executed.map(({ transaction }) => transactionToRlp(transaction))),
    ),
  }
}

interface BlockRun {
  readonly input: TransitionInput
  readonly evm: Evm
  readonly fork: ForkName
  readonly block: BlockContext
  readonly before: MemoryState
  readonly state: ExecutionState
  readonly executed: Executed[]
  readonly rejected: { readonly index: number; readonly error: string }[]
  gasUsed: bigint
}

function runTransaction(run: BlockRun, transaction: Transaction): void {
  const { input, evm, fork, block, before, state } = run
  const result = executeTransaction({
    evm,
    state,
    fork,
    block,
    chainId: input.chainId,
    transaction,
    sender: recoverSender(transaction, fork === 'frontier'),
    blockGasLeft: block.gasLimit - run.gasUsed,
  })
  run.gasUsed += result.gasUsed
  let outcome: Receipt['outcome'] = result.status === 'success' ? 1 : 0
  if (!includesFork(fork, 'byzantium')) {
    before.apply(state.takeChanges())
    outcome = before.root()
  }
  const { logs } = result
  const receipt = {
    type: transaction.type,
    outcome,
    cumulativeGasUsed: run.gasUsed,
    logsBloom: logsBloom(logs),
    logs,
  }
  run.executed.push({ transaction, result, receipt })
}

/** Of miners of this block and of uncles, and withdrawals from Shanghai on. */
function payRewards({ input, fork, block, state }: BlockRun): void {
  const { env, reward } = input
  state.beginTransaction()
  const pay = (address: Uint8Array, amount: bigint) =>
    state.addBalance(state.entryOf(address), amount)
  if (reward !== undefined) {
    const uncles = listOf(env, 'ommers')
    for (const uncle of uncles) {
      pay(bytes(textOf(uncle, 'address')), ((8n - bigint(textOf(uncle, 'delta'))) * reward) / 8n)
    }
    pay(block.coinbase, reward + (reward / 32n) * BigInt(uncles.length))
  }
  for (const withdrawal of listOf(env, 'withdrawals')) {
    pay(bytes(textOf(withdrawal, 'address')), bigint(textOf(withdrawal, 'amount')) * 10n ** 9n)
  }
  state.finishTransaction(forks[fork].removesEmptyAccounts)
}

// ---- what goes in ----

function readBlock(env: Fields, fork: ForkName): BlockContext {
  const isMerged = forkNames.indexOf(fork) >= forkNames.indexOf('paris')
  if (env['parentBeaconBlockRoot'] !== undefined) {
    throw new TransitionError(
      'beacon roots are not part of chains here: leave parentBeaconBlockRoot out',
    )
  }
  const hashes = (env['blockHashes'] ?? {}) as Readonly<Record<string, string>>
  return {
    number: bigint(textOf(env, 'currentNumber')),
    timestamp: bigint(textOf(env, 'currentTimestamp')),
    coinbase: bytes(textOf(env, 'currentCoinbase')),
    gasLimit: bigint(textOf(env, 'currentGasLimit')),
    difficulty: isMerged ? 0n : bigint(textOf(env, 'currentDifficulty')),
    prevRandao: isMerged ? word(textOf(env, 'currentRandom')) : undefined,
    baseFeePerGas: forks[fork].hasFeeMarket ? baseFeeOf(env) : undefined,
    blockHash(number) {
      const hash = hashes[String(number)] ?? hashes[quantityToHex(number)]
      return hash === undefined ? undefined : word(hash)
    },
  }
}

function baseFeeOf(env: Fields): bigint {
  if (env['currentBaseFee'] !== undefined) return bigint(textOf(env, 'currentBaseFee'))
  return nextBaseFeeOf({
    baseFeePerGas: bigint(textOf(env, 'parentBaseFee')),
    gasUsed: bigint(textOf(env, 'parentGasUsed')),
    gasLimit: bigint(textOf(env, 'parentGasLimit')),
  })
}

function readTransactions({ txs, chainId }: TransitionInput): Transaction[] {
  if (typeof txs !== 'string') return txs.map((fields) => readTransaction(fields, chainId))
  const list = decodeRlp(bytes(txs))
  if (list instanceof Uint8Array) throw new TransitionError('the transactions are no list in RLP')
  return list.map((item) => transactionFromRlp(item))
}

function readTransaction(fields: Fields, chainId: bigint): Transaction {
  const type = Number(bigint(optionalText(fields, 'type') ?? '0x0'))
  if (type > 2)
    throw new TransitionError(`transactions of type ${type} are not part of chains here`)
  const number = (name: string) => bigint(optionalText(fields, name) ?? '0x0')
  const to = optionalText(fields, 'to')
  const key = optionalText(fields, 'secretKey')
  const v = number('v')
  const price = number('gasPrice')
  const unsigned: UnsignedTransaction = {
    type: type as TransactionType,
    chainId: type > 0 || isBound(fields, v) ? chainId : undefined,
    nonce: number('nonce'),
    maxPriorityFeePerGas: type === 2 ? number('maxPriorityFeePerGas') : price,
    maxFeePerGas: type === 2 ? number('maxFeePerGas') : price,
    gasLimit: number('gas'),
    to: to === undefined || to === '' || to === '0x' ? undefined : bytes(to),
    value: number('value'),
    data: bytes(optionalText(fields, 'input') ?? optionalText(fields, 'data') ?? '0x'),
    accessList: listOf(fields, 'accessList').map(readAccess),
  }
  if (key !== undefined && v === 0n && number('r') === 0n) {
    return signTransaction(unsigned, bytes(key))
  }
  const yParity = type > 0 ? v : isBound(fields, v) ? v - 35n - 2n * chainId : v - 27n
  if (yParity !== 0n && yParity !== 1n) {
    throw new TransitionError(`v is ${v}, which belongs to no signature for chain ${chainId}`)
  }
  const [r, s] = [word(textOf(fields, 'r')), word(textOf(fields, 's'))]
  return { ...unsigned, signature: { r, s, yParity: Number(yParity) as 0 | 1 } }
}

/** Whether a legacy transaction is for one chain only (EIP-155). */
function isBound(fields: Fields, v: bigint): boolean {
  return v === 0n ? fields['protected'] !== false : v >= 35n
}

function readAccess(entry: Fields): AccessListEntry {
  const keys = (entry['storageKeys'] ?? []) as readonly string[]
  return { address: bytes(textOf(entry, 'address')), storageKeys: keys.map(word) }
}

function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  throw new TransitionError(`${name} is neither text nor a whole number`)
}

function textOf(fields: Fields, name: string): string {
  const text = optionalText(fields, name)
  if (text === undefined) throw new TransitionError(`${name} is missing`)
  return text
}

function listOf(fields: Fields, name: string): readonly Fields[] {
  return (fields[name] ?? []) as readonly Fields[]
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}

// ---- what comes out ----

function resultOf(run: BlockRun): Record<string, unknown> {
  const { before, executed, rejected, block, gasUsed, fork } = run
  const receipts = executed.map(({ receipt }) => receipt)
  const bloom = new Uint8Array(256)
  for (const receipt of receipts) mergeBloom(bloom, receipt.logsBloom)
  return {
    stateRoot: dataToHex(before.root()),
    txRoot: dataToHex(
      orderedTrieRoot(executed.map(({ transaction }) => encodeTransaction(transaction))),
    ),
    receiptsRoot: dataToHex(orderedTrieRoot(receipts.map(encodeReceipt))),
    logsHash: dataToHex(hashOfLogs(receipts.flatMap(({ logs }) => logs))),
    logsBloom: dataToHex(bloom),
    receipts: executed.map(formatReceipt),
    ...(rejected.length === 0 ? {} : { rejected }),
    currentDifficulty: includesFork(fork, 'paris') ? null : quantityToHex(block.difficulty),
    gasUsed: quantityToHex(gasUsed),
    ...(block.baseFeePerGas === undefined
      ? {}
      : { currentBaseFee: quantityToHex(block.baseFeePerGas) }),
  }
}

function formatReceipt({ transaction, result, receipt }: Executed, index: number): object {
  const { outcome, type } = receipt
  const hash = dataToHex(transactionHash(transaction))
  return {
    ...(type === 0 ? {} : { type: quantityToHex(type) }),
    root: outcome instanceof Uint8Array ? dataToHex(outcome) : '0x',
    status: quantityToHex(outcome === 1 ? 1 : 0),
    cumulativeGasUsed: quantityToHex(receipt.cumulativeGasUsed),
    logsBloom: dataToHex(receipt.logsBloom),
    logs: receipt.logs.length === 0 ? null : receipt.logs.map((log) => formatLog(log, hash, index)),
    transactionHash: hash,
    contractAddress: dataToHex(result.contractAddress ?? new Uint8Array(20)),
    gasUsed: quantityToHex(result.gasUsed),
    effectiveGasPrice: quantityToHex(result.effectiveGasPrice),
    blockHash: dataToHex(new Uint8Array(32)),
    transactionIndex: quantityToHex(index),
  }
}

function formatLog({ address, topics, data }: Log, transactionHash: string, index: number): object {
  return {
    address: dataToHex(address),
    topics: topics.map(dataToHex),
    data: dataToHex(data),
    transactionHash,
    transactionIndex: quantityToHex(index),
  }
}

function dumpState(state: MemoryState): Record<string, object> {
  const accounts: Record<string, object> = {}
  const sorted = [...state.accounts()].sort((a, b) =>
    toHex(a.address) < toHex(b.address) ? -1 : 1,
  )
  for (const { address, account, storage } of sorted) {
    const { balance, nonce, codeHash } = account
    const slots = [...storage.values()].map(({ slot, value }) => [
      dataToHex(slot),
      dataToHex(value),
    ])
    accounts[dataToHex(address)] = {
      ...(toHex(codeHash) === toHex(emptyCodeHash)
        ? {}
        : { code: dataToHex(state.readCode(codeHash)) }),
      ...(slots.length === 0 ? {} : { storage: Object.fromEntries(slots) }),
      balance: quantityToHex(balance),
      ...(nonce === 0n ? {} : { nonce: quantityToHex(nonce) }),
    }
  }
  return accounts
}
