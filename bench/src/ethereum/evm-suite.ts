/**
 * Transfers of an ERC-20 token of OpenZeppelin's, each to another of a thousand holders: whole transactions of ours
 * (checks, warm addresses, fees, logs; no signature, no trie) beside the message alone on the official EVM.
 */
import { fromHex, toHex } from '@cairn/core'
import type { StateReader, UnsignedTransaction } from '@cairn/eth-codec'
import { type BlockContext, Evm, executeTransaction, type InterpreterName } from '@cairn/eth-evm'
import { erc20InitCode } from '@cairn/testing'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import { SimpleStateManager } from '@ethereumjs/statemanager'
import { Account, Address } from '@ethereumjs/util'
import { machineFacts } from '../machine.ts'
import { figure, range, type SuiteResult, type Table } from '../report.ts'
import { type Contestant, loop, type Measurement, runRounds } from '../rounds.ts'
import type { SuiteContext } from '../suite.ts'

/** Goal and stretch of ethereum-node spec 4: the goal, and what its prototype took for the interpreter alone. */
const transferUsGoal = 25
const transferUsStretch = 7

const holderCount = 1000
const sender = fromHex('aa'.repeat(20))
const initCode = fromHex(erc20InitCode)
const gasLimit = 3_000_000n

const block: BlockContext = {
  number: 1n,
  timestamp: 1_700_000_000n,
  coinbase: fromHex('bb'.repeat(20)),
  gasLimit: 30_000_000n,
  difficulty: 2n,
  baseFeePerGas: 7n,
  blockHash: () => undefined,
}

/** `transfer(holder, 1)`, for each holder. */
const transfers: readonly Uint8Array[] = Array.from({ length: holderCount }, (_, index) => {
  const holder = `1${index.toString(16).padStart(39, '0')}`
  return fromHex(`a9059cbb${holder.padStart(64, '0')}${'1'.padStart(64, '0')}`)
})

export async function evmSuite(context: SuiteContext): Promise<SuiteResult> {
  const machine = machineFacts(context.directory)
  const contestants = [
    ours('cairn, WebAssembly', 'wasm', context.durationMs),
    ours('cairn, TypeScript', 'typescript', context.durationMs),
    await theirs('@ethereumjs/evm, message only', context.durationMs),
  ]
  // Once without counting, so that all of them are compiled and every holder has a balance.
  context.progress('warming up')
  for (const contestant of contestants) await contestant.run()
  const measurements = await runRounds(contestants, context.roundCount, context.progress)
  return {
    name: 'evm',
    title: 'ERC-20 transfers in the EVM: one thread, CPU time per transaction',
    machine,
    settings: {
      holders: holderCount,
      fork: 'cancun',
      rounds: context.roundCount,
      'seconds per turn': context.durationMs / 1000,
    },
    tables: [table(measurements)],
    bars: [
      {
        text: 'ERC-20 transfer with its envelope, without trie',
        value: cpuUs(measurements, 'cairn, WebAssembly'),
        bar: transferUsGoal,
        stretch: transferUsStretch,
        better: 'less',
        unit: 'µs',
      },
    ],
    measurements,
  }
}

function ours(name: string, interpreter: InterpreterName, durationMs: number): Contestant {
  const evm = new Evm({ interpreter })
  const state = evm.createState(readerOfSender())
  let nonce = 0n
  const run = (to: Uint8Array | undefined, data: Uint8Array): Uint8Array | undefined => {
    const transaction: UnsignedTransaction = {
      type: 2,
      chainId: 1n,
      nonce,
      maxPriorityFeePerGas: 1n,
      maxFeePerGas: 100n,
      gasLimit,
      to,
      value: 0n,
      data,
      accessList: [],
    }
    const result = executeTransaction({
      ...{ evm, state, fork: 'cancun', block, chainId: 1n },
      ...{ transaction, sender },
    })
    if (result.status !== 'success') throw new Error(`${name}: ${result.status}`)
    nonce++
    return result.contractAddress
  }
  const token = run(undefined, initCode)
  let turn = 0
  return loop(name, durationMs, () => {
    run(token, transfers[turn++ % holderCount] as Uint8Array)
    return nonce
  })
}

function readerOfSender(): StateReader {
  const codeHash = fromHex('c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
  const account = { nonce: 0n, balance: 10n ** 30n, codeHash }
  const isSender = toHex(sender)
  return {
    readAccount: (address) => (toHex(address) === isSender ? account : undefined),
    readStorage: () => new Uint8Array(32),
    readCode: () => new Uint8Array(0),
  }
}

async function theirs(name: string, durationMs: number): Promise<Contestant> {
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun })
  const stateManager = new SimpleStateManager({ common })
  const evm = await createEVM({ common, stateManager })
  const caller = new Address(sender)
  await stateManager.putAccount(caller, new Account(0n, 10n ** 30n))
  const created = await evm.runCall({ caller, data: initCode, gasLimit })
  const to = created.createdAddress
  if (to === undefined) throw new Error(`${name}: no contract`)
  let turn = 0
  return {
    name,
    async run() {
      const startMs = performance.now()
      const startCpu = process.cpuUsage()
      let operationCount = 0
      while (performance.now() - startMs < durationMs) {
        const data = transfers[turn++ % holderCount] as Uint8Array
        const { execResult } = await evm.runCall({ caller, to, data, gasLimit })
        if (execResult.exceptionError !== undefined) throw new Error(`${name}: failed`)
        operationCount++
      }
      const cpu = process.cpuUsage(startCpu)
      return {
        operationCount,
        elapsedMs: performance.now() - startMs,
        cpuUs: cpu.user + cpu.system,
      }
    },
  }
}

function table(measurements: readonly Measurement[]): Table {
  const slowest = cpuUs(measurements, '@ethereumjs/evm, message only')
  return {
    columns: ['', 'CPU µs', 'min – max', 'faster than official'],
    rows: measurements.map(({ name, cpuUsPerOperation: cpu }) => {
      if (cpu === undefined) throw new Error('no CPU time')
      return [name, figure(cpu.median), range(cpu), `${figure(slowest / cpu.median)} x`]
    }),
  }
}

function cpuUs(measurements: readonly Measurement[], name: string): number {
  const found = measurements.find((measurement) => measurement.name === name)
  if (found?.cpuUsPerOperation === undefined) throw new Error(`${name} was not measured`)
  return found.cpuUsPerOperation.median
}
