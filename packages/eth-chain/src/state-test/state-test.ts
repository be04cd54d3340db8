/**
 * One file of GeneralStateTests: for each fork and each choice of data, gas and value the transaction is run on the
 * state given, and root and logs are compared. Format: ethereum/tests, docs "State Tests".
 */
import { BaseError, equalBytes, toHex } from '@cairn/core'
import { dataToHex, decodeTransaction, type ForkName, keccak256, type Log } from '@cairn/eth-codec'
import { type BlockContext, type Evm, executeTransaction, forks } from '@cairn/eth-evm'
import {
  type AccountsJson,
  bigint,
  bytes,
  forkNamed,
  hashOfLogs,
  readState,
  word,
} from './test-fields.ts'

interface PostJson {
  readonly hash: string
  readonly logs: string
  readonly txbytes: string
  readonly expectException?: string
  readonly indexes: { readonly data: number; readonly gas: number; readonly value: number }
}

interface StateTestJson {
  readonly env: Readonly<Record<string, string>>
  readonly config?: { readonly chainid?: string }
  readonly pre: AccountsJson
  readonly post: Readonly<Record<string, readonly PostJson[]>>
  readonly transaction: { readonly sender: string }
}

export interface StateTestEntry {
  /** `test name / fork / data, gas, value`. */
  readonly name: string
  /** As the file names it. */
  readonly forkName: string
  readonly test: StateTestJson
  readonly fork: ForkName
  readonly post: PostJson
}

/**
 * The entries of a file. @throws Error for a fork that is not known here.
 * @param text Of the file. @param file Its name, for errors.
 */
export function readStateTest(text: string, file: string): StateTestEntry[] {
  const tests = JSON.parse(text) as Record<string, StateTestJson>
  return Object.entries(tests).flatMap(([testName, test]) =>
    Object.entries(test.post).flatMap(([forkName, posts]) => {
      const fork = forkNamed(forkName)
      if (fork === undefined) throw new Error(`${file}: fork ${forkName} is not known`)
      return posts.map((post) => {
        const { data, gas, value } = post.indexes
        const name = `${testName} / ${fork} / ${data}, ${gas}, ${value}`
        return { name, forkName, test, fork, post }
      })
    }),
  )
}

/** A blob transaction, which Cairn's chains refuse. */
export function isBlobEntry({ post }: StateTestEntry): boolean {
  return post.txbytes.startsWith('0x03')
}

export interface StateTestOutcome {
  /** What is wrong; undefined when the entry passes. */
  readonly failure: string | undefined
  /** `0x` and 64 digits. */
  readonly expectedRoot: string
  /** Undefined where it was not computed, since something else is wrong already. */
  readonly root: string | undefined
}

export function runStateTest({ test, fork, post }: StateTestEntry, evm: Evm): StateTestOutcome {
  const expectedRoot = post.hash
  const before = readState(test.pre)
  const state = evm.createState(before)
  const block = readBlock(test.env, fork)
  let logs: readonly Log[] = []
  let refusal: string | undefined
  try {
    const result = executeTransaction({
      evm,
      state,
      fork,
      block,
      chainId: bigint(test.config?.chainid ?? '0x1'),
      transaction: decodeTransaction(bytes(post.txbytes)),
      sender: bytes(test.transaction.sender),
    })
    logs = result.logs
  } catch (error) {
    if (!(error instanceof BaseError)) throw error
    refusal = error.message
  }
  if ((refusal !== undefined) !== (post.expectException !== undefined)) {
    const failure = refusal ?? `ran, and should be refused: ${post.expectException}`
    return { failure, expectedRoot, root: undefined }
  }
  // As go-ethereum's runner: a block's reward of nothing, which makes or removes an empty coinbase.
  state.beginTransaction()
  state.addBalance(state.entryOf(block.coinbase), 0n)
  state.finishTransaction(forks[fork].removesEmptyAccounts)
  before.apply(state.takeChanges())
  const logsHash = hashOfLogs(logs)
  const root = dataToHex(before.root())
  const failure = equalBytes(logsHash, bytes(post.logs))
    ? undefined
    : `logs differ: ${toHex(logsHash)}`
  const isRootRight = root === expectedRoot.toLowerCase()
  return { failure: failure ?? (isRootRight ? undefined : 'root differs'), expectedRoot, root }
}

function readBlock(env: StateTestJson['env'], fork: ForkName): BlockContext {
  const field = (name: string): string => env[name] ?? '0x0'
  const isMerged = ['paris', 'shanghai', 'cancun'].includes(fork)
  return {
    number: bigint(field('currentNumber')),
    timestamp: bigint(field('currentTimestamp')),
    coinbase: bytes(field('currentCoinbase')),
    gasLimit: bigint(field('currentGasLimit')),
    difficulty: isMerged ? 0n : bigint(field('currentDifficulty')),
    prevRandao: isMerged ? word(field('currentRandom')) : undefined,
    baseFeePerGas: forks[fork].hasFeeMarket ? bigint(field('currentBaseFee')) : undefined,
    // Every block hash of a state test is the hash of its number's decimal text.
    blockHash: (number) => keccak256(new TextEncoder().encode(number.toString())),
  }
}
