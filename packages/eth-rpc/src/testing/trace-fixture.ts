/** A state of a few contracts, and transactions upon it that run traced and untraced; the two have to agree. */
import {
  type Account,
  cliqueGenesis,
  dataFromHex,
  dataToHex,
  emptyCodeHash,
  type ForkName,
  keccak256,
  type StateReader,
} from '@cairn/eth-codec'
import { Evm, executeTransaction, type TransactionResult } from '@cairn/eth-evm'
import type { CallPlace } from '../calls/call-job.ts'
import { readTraceConfig } from '../tracing/trace-config.ts'
import { type ReplayedTransaction, runTraceBlock } from '../tracing/trace-job.ts'
import { assemble } from './assemble.ts'

export interface FixtureAccount {
  /** For `assemble`. */
  readonly code?: string
  readonly balance?: bigint
  readonly nonce?: bigint
  /** By slot, small numbers. */
  readonly storage?: Readonly<Record<number, number>>
}

export interface FixtureTransaction {
  /** Number of a contract; absent makes one of `data`. */
  readonly to?: number
  readonly data?: string
  readonly value?: bigint
  readonly gasLimit?: bigint
}

/** The address of a contract of a fixture. */
export function addressOf(number: number): string {
  return `0x${number.toString(16).padStart(40, '0')}`
}

export const senderNumber = 0xaaaa
export const coinbaseNumber = 0xcccc
export const senderBalance: bigint = 10n ** 18n
/** In wei; the base fee is 7. */
export const gasPrice = 10n

const evm = new Evm()
const { config } = cliqueGenesis({
  chainId: 1n,
  periodSeconds: 0n,
  signers: [new Uint8Array(20)],
  balances: [],
  gasLimit: 30_000_000n,
  forks: 'cancun',
  timestamp: 1n,
})
const fork: ForkName = 'cancun'

export class TraceFixture {
  readonly #accounts: ReadonlyMap<number, FixtureAccount>

  /** @param accounts By number, as `0x100`; the sender is added. */
  constructor(accounts: Readonly<Record<string, FixtureAccount>>) {
    const entries = Object.entries(accounts).map(([key, each]) => [Number(key), each] as const)
    const sender = { balance: senderBalance, nonce: 5n }
    this.#accounts = new Map([[senderNumber, sender], ...entries])
  }

  get place(): CallPlace {
    return {
      environment: { evm, config },
      state: {
        state: this.#reader(),
        context: {
          number: 300n,
          timestamp: 1000n,
          coinbase: dataFromHex(addressOf(coinbaseNumber)),
          gasLimit: 30_000_000n,
          difficulty: 2n,
          baseFeePerGas: 7n,
          blockHash: () => undefined,
        },
      },
      limits: { gasMax: 50_000_000n, durationMsMax: 20_000 },
    }
  }

  #reader(): StateReader {
    const find = (address: Uint8Array) => this.#accounts.get(Number(BigInt(dataToHex(address))))
    const codes = new Map<string, Uint8Array>()
    return {
      readAccount(address): Account | undefined {
        const found = find(address)
        if (found === undefined) return undefined
        const { balance = 0n, nonce = found.code === undefined ? 0n : 1n } = found
        if (found.code === undefined) return { balance, nonce, codeHash: emptyCodeHash }
        const code = dataFromHex(`0x${assemble(found.code)}`)
        const codeHash = keccak256(code)
        codes.set(dataToHex(codeHash), code)
        return { balance, nonce, codeHash }
      },
      readStorage(address, slot) {
        const value = find(address)?.storage?.[Number(BigInt(dataToHex(slot)))] ?? 0
        return dataFromHex(`0x${value.toString(16).padStart(64, '0')}`)
      },
      readCode: (hash) => codes.get(dataToHex(hash)) ?? new Uint8Array(0),
    }
  }

  /** With what comes of it untraced. */
  replayed(given: FixtureTransaction, nonce = 5n): ReplayedTransaction {
    const { to, data = '0x', value = 0n, gasLimit = 1_000_000n } = given
    const transaction = {
      type: 0 as const,
      chainId: 1n,
      nonce,
      maxPriorityFeePerGas: gasPrice,
      maxFeePerGas: gasPrice,
      gasLimit,
      to: to === undefined ? undefined : dataFromHex(addressOf(to)),
      value,
      data: dataFromHex(data),
      accessList: [],
    }
    const hash = `0x${nonce.toString(16).padStart(64, '0')}`
    const sender = dataFromHex(addressOf(senderNumber))
    return { transaction, sender, hash, outcome: undefined }
  }

  execute(given: FixtureTransaction): TransactionResult {
    const { environment, state } = this.place
    const { transaction, sender } = this.replayed(given)
    return executeTransaction({
      evm: environment.evm,
      state: environment.evm.createState(state.state),
      fork,
      block: state.context,
      chainId: config.chainId,
      transaction,
      sender,
      blockGasLeft: transaction.gasLimit,
    })
  }

  /** @param options As the second parameter of debug_traceTransaction. @returns what JSON-RPC answers. */
  trace<T>(given: FixtureTransaction, options: unknown = {}): T {
    const { gasUsed, status } = this.execute(given)
    const outcome = { gasUsed, isSuccess: status === 'success' }
    const text = runTraceBlock(this.place, {
      kind: 'traceBlock',
      transactions: [{ ...this.replayed(given), outcome }],
      traced: 'last',
      blockHash: `0x${'b1'.repeat(32)}`,
      config: readTraceConfig(options),
    })
    return JSON.parse(text) as T
  }
}
