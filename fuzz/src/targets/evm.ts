/** Target `evm`: whole transactions over random code, on both of our interpreters and on the official EVM. */
import { BaseError, equalBytes, fromHex, toHex } from '@cairn/core'
import {
  emptyCodeHash,
  includesFork,
  type StateChanges,
  type StateReader,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import { type BlockContext, Evm, executeTransaction, type Tracer } from '@cairn/eth-evm'
import { createSeededRandom } from '@cairn/testing'
import {
  coinbaseAddress,
  randomScenario,
  type Scenario,
  scenarioOf,
  senderAddress,
} from '../evm-scenario.ts'
import {
  blockBaseFee,
  blockDifficulty,
  blockGasLimit,
  blockNumber,
  blockRandao,
  blockTimestamp,
  gasPrice,
  type Observed,
  OfficialEvm,
  priorityFee,
} from '../official-evm.ts'
import { mustHold, type Target } from '../target.ts'

const seedCount = 64
/** Every scenario has codes of its own: few are worth keeping, and the heap is watched. */
const codeBytesMax = 1024 * 1024
const pointEvaluation = fromHex('0a'.padStart(40, '0'))

export const evmTarget: Target = {
  name: 'evm',
  oracle:
    'a transaction has the same gas, status, logs, return data and state in WebAssembly, in TypeScript and in @ethereumjs/vm',
  sources: /\/packages\/eth-evm\/src\//,
  // A pairing takes the official EVM a quarter of a second of CPU, and the machine may be busy.
  inputMsMax: 5000,
  batchCount: 128,
  open: (seed) => {
    const random = createSeededRandom(seed)
    const official = new OfficialEvm()
    const wasm = new Evm({ interpreter: 'wasm', codeBytesMax })
    const typescript = new Evm({ interpreter: 'typescript', codeBytesMax })
    return {
      seeds: Array.from({ length: seedCount }, () => randomScenario(random)),
      dictionary: [],
      generate: randomScenario,
      run: async (input) => {
        const scenario = scenarioOf(input)
        if (scenario === undefined) return
        const first = observe(scenario, wasm)
        let isPointEvaluated = false
        const second = observe(scenario, typescript, {
          onEnter: ({ to }) => {
            isPointEvaluated ||= equalBytes(to, pointEvaluation)
          },
        })
        compare(first, second, 'TypeScript')
        // The official EVM has no KZG library here to run that built-in contract with.
        if (isPointEvaluated && scenario.fork === 'cancun') return
        compare(first, await official.run(scenario), '@ethereumjs/vm')
      },
    }
  },
}

function observe(scenario: Scenario, evm: Evm, tracer?: Tracer): Observed {
  const { fork, isCreate, hasAccessList, gasLimit, value, data, accounts } = scenario
  const reader = readerOf(scenario)
  const state = evm.createState(reader)
  const isLondon = includesFork(fork, 'london')
  const isMerged = includesFork(fork, 'paris')
  const listed = accounts.slice(1, 3).map(({ address, storage }) => ({
    address,
    storageKeys: storage.map(({ slot }) => slot),
  }))
  const transaction: UnsignedTransaction = {
    type: isLondon ? 2 : includesFork(fork, 'berlin') ? 1 : 0,
    chainId: includesFork(fork, 'berlin') ? 1n : undefined,
    nonce: 5n,
    maxPriorityFeePerGas: isLondon ? priorityFee : gasPrice,
    maxFeePerGas: gasPrice,
    gasLimit,
    to: isCreate ? undefined : accounts[1]?.address,
    value,
    data,
    accessList: includesFork(fork, 'berlin') && hasAccessList ? listed : [],
  }
  const block: BlockContext = {
    number: blockNumber,
    timestamp: blockTimestamp,
    coinbase: coinbaseAddress,
    gasLimit: blockGasLimit,
    difficulty: isMerged ? 0n : blockDifficulty,
    prevRandao: isMerged ? blockRandao : undefined,
    baseFeePerGas: isLondon ? blockBaseFee : undefined,
    blockHash: () => undefined,
  }
  let run: Observed['run']
  try {
    const result = executeTransaction({
      ...{ evm, state, fork, block, chainId: 1n },
      ...{ transaction, sender: senderAddress, tracer },
    })
    run = {
      isSuccess: result.status === 'success',
      gasUsed: result.gasUsed,
      returnData: toHex(result.returnData),
      logs: result.logs.map(({ address, topics, data: logData }) =>
        [address, ...topics, logData].map(toHex).join(' '),
      ),
    }
  } catch (error) {
    if (!(error instanceof BaseError)) throw error
  }
  return { run, accounts: accountsAfter(scenario, state.takeChanges()) }
}

function readerOf({ accounts }: Scenario): StateReader {
  const byAddress = new Map(accounts.map((account) => [toHex(account.address), account]))
  const zero = new Uint8Array(32)
  return {
    readAccount: (address) => byAddress.get(toHex(address)),
    readStorage: (address, slot) =>
      byAddress.get(toHex(address))?.storage.find((each) => equalBytes(each.slot, slot))?.value ??
      zero,
    readCode: (codeHash) => {
      const found = accounts.find((account) => equalBytes(account.codeHash, codeHash))
      if (found === undefined && !equalBytes(codeHash, emptyCodeHash)) throw new Error('no code')
      return found?.code ?? new Uint8Array(0)
    },
  }
}

function accountsAfter(scenario: Scenario, changes: StateChanges): Map<string, string> {
  const texts = new Map<string, string>()
  const put = (
    address: Uint8Array,
    account: { nonce: bigint; balance: bigint; codeHash: Uint8Array },
    slots: ReadonlyMap<string, string>,
  ): void => {
    const own = [...slots]
      .filter(([, value]) => value !== '')
      .map(([slot, value]) => `${slot}=${value}`)
      .sort()
    const { nonce, balance, codeHash } = account
    texts.set(toHex(address), [nonce, balance, toHex(codeHash), ...own].join(' '))
  }
  const slotsOf = (storage: readonly { slot: Uint8Array; value: Uint8Array }[]) =>
    storage.map(({ slot, value }): [string, string] => [
      toHex(slot),
      toHex(value).replace(/^(?:00)+/, ''),
    ])
  const before = new Map(scenario.accounts.map((account) => [toHex(account.address), account]))
  for (const account of scenario.accounts) {
    put(account.address, account, new Map(slotsOf(account.storage)))
  }
  for (const { address, account, storageCleared, storage } of changes.accounts) {
    if (account === undefined) {
      texts.delete(toHex(address))
      continue
    }
    const old = storageCleared ? [] : (before.get(toHex(address))?.storage ?? [])
    put(address, account, new Map([...slotsOf(old), ...slotsOf(storage)]))
  }
  return texts
}

function compare(ours: Observed, theirs: Observed, who: string): void {
  const [left, right] = [ours, theirs].map(({ run }) =>
    run === undefined ? 'refused' : `${run.isSuccess} ${run.gasUsed} ${run.returnData}`,
  )
  mustHold(left === right, `${who}: outcome differs: ${shorten(left)}; ${shorten(right)}`)
  const logs = [ours, theirs].map(({ run }) => run?.logs.join('\n') ?? '')
  mustHold(ours.run?.isSuccess !== true || logs[0] === logs[1], `${who}: logs differ`)
  for (const address of new Set([...ours.accounts.keys(), ...theirs.accounts.keys()])) {
    const [own, other] = [ours.accounts.get(address), theirs.accounts.get(address)]
    mustHold(own === other, `${who}: account ${address} differs: ${own}; ${other}`)
  }
}

function shorten(text = ''): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
