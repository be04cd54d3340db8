/** A scenario on the official EVM (`@ethereumjs/vm`), and what came of it in a form that ours can be compared with. */
import { toHex } from '@cairn/core'
import { type ForkName, includesFork } from '@cairn/eth-codec'
import { type Block, createBlock } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { SimpleStateManager } from '@ethereumjs/statemanager'
import { createTx, type TypedTransaction } from '@ethereumjs/tx'
import { Account, Address } from '@ethereumjs/util'
import { createVM, runTx, type VM } from '@ethereumjs/vm'
import { coinbaseAddress, type Scenario, senderAddress } from './evm-scenario.ts'

export interface Observed {
  /** Undefined when the transaction was refused. */
  readonly run:
    | {
        readonly isSuccess: boolean
        readonly gasUsed: bigint
        readonly returnData: string
        readonly logs: readonly string[]
      }
    | undefined
  /** By address in hex: nonce, balance, code hash, slots that are not zero in order. */
  readonly accounts: ReadonlyMap<string, string>
}

export const blockNumber = 300n
export const blockTimestamp = 1_700_000_000n
export const blockGasLimit = 30_000_000n
export const blockDifficulty = 131_072n
export const blockBaseFee = 7n
export const blockRandao: Uint8Array = new Uint8Array(32).fill(0x5a)
export const gasPrice = 10n
export const priorityFee = 2n

export const hardforks: Readonly<Record<ForkName, Hardfork>> = {
  frontier: Hardfork.Chainstart,
  homestead: Hardfork.Homestead,
  tangerineWhistle: Hardfork.TangerineWhistle,
  spuriousDragon: Hardfork.SpuriousDragon,
  byzantium: Hardfork.Byzantium,
  constantinople: Hardfork.Constantinople,
  petersburg: Hardfork.Petersburg,
  istanbul: Hardfork.Istanbul,
  berlin: Hardfork.Berlin,
  london: Hardfork.London,
  paris: Hardfork.Paris,
  shanghai: Hardfork.Shanghai,
  cancun: Hardfork.Cancun,
}

/** Without tries, and so without roots, which receipts before Byzantium ask for. */
class RootlessState extends SimpleStateManager {
  override async getStateRoot(): Promise<Uint8Array> {
    return new Uint8Array(32)
  }

  empty(): void {
    this.accountStack = [new Map()]
    this.codeStack = [new Map()]
    this.storageStack = [new Map()]
    this.originalStorageCache.clear()
  }
}

interface Machine {
  readonly common: Common
  readonly block: Block
  readonly vm: VM
  readonly stateManager: RootlessState
}

export class OfficialEvm {
  /** One for each fork, emptied before each run: to make one takes longer than most runs. */
  readonly #machines = new Map<ForkName, Machine>()

  async run(scenario: Scenario): Promise<Observed> {
    const { common, block, vm, stateManager } = await this.#machineOf(scenario.fork)
    stateManager.empty()
    for (const { address, nonce, balance, code, storage } of scenario.accounts) {
      const at = new Address(address)
      await stateManager.putAccount(at, new Account(nonce, balance))
      if (code.length > 0) await stateManager.putCode(at, code)
      for (const { slot, value } of storage) {
        await stateManager.putStorage(at, slot, value.subarray(value.findIndex((byte) => byte > 0)))
      }
    }
    const tx = transactionOf(scenario, common)
    let run: Observed['run']
    try {
      const { execResult, totalGasSpent } = await runTx(vm, {
        tx,
        block,
        skipHardForkValidation: true,
      })
      run = {
        isSuccess: execResult.exceptionError === undefined,
        gasUsed: totalGasSpent,
        returnData: toHex(execResult.returnValue),
        logs: (execResult.logs ?? []).map(([address, topics, data]) =>
          [address, ...topics, data].map(toHex).join(' '),
        ),
      }
    } catch (error) {
      // Refusals are plain errors with a text; everything else is a failure of its own.
      if (!(error instanceof Error) || error instanceof TypeError) throw error
      run = undefined
    }
    return { run, accounts: accountsIn(stateManager) }
  }

  async #machineOf(fork: ForkName): Promise<Machine> {
    const known = this.#machines.get(fork)
    if (known !== undefined) return known
    const common = new Common({ chain: Mainnet, hardfork: hardforks[fork] })
    const isMerged = includesFork(fork, 'paris')
    const header = {
      number: blockNumber,
      timestamp: blockTimestamp,
      coinbase: new Address(coinbaseAddress),
      gasLimit: blockGasLimit,
      difficulty: isMerged ? 0n : blockDifficulty,
      ...(isMerged ? { mixHash: blockRandao } : {}),
      ...(includesFork(fork, 'london') ? { baseFeePerGas: blockBaseFee } : {}),
    }
    const block = createBlock({ header }, { common, skipConsensusFormatValidation: true })
    const stateManager = new RootlessState({ common })
    const vm = await createVM({ common, stateManager })
    const made = { common, block, vm, stateManager }
    this.#machines.set(fork, made)
    return made
  }
}

function transactionOf(scenario: Scenario, common: Common): TypedTransaction {
  const { fork, hasAccessList, isCreate, accounts, gasLimit, value, data } = scenario
  const to = isCreate ? undefined : new Address((accounts[1] as { address: Uint8Array }).address)
  const fields = { nonce: 5n, gasLimit, ...(to === undefined ? {} : { to }), value, data }
  const listed = accounts.slice(1, 3).map(({ address, storage }) => ({
    address: `0x${toHex(address)}` as const,
    storageKeys: storage.map(({ slot }) => `0x${toHex(slot)}` as const),
  }))
  const options = { common, freeze: false }
  const accessList = hasAccessList ? listed : []
  const tx: TypedTransaction = includesFork(fork, 'london')
    ? createTx(
        {
          ...fields,
          type: 2,
          maxFeePerGas: gasPrice,
          maxPriorityFeePerGas: priorityFee,
          accessList,
        },
        options,
      )
    : includesFork(fork, 'berlin')
      ? createTx({ ...fields, type: 1, gasPrice, accessList }, options)
      : createTx({ ...fields, type: 0, gasPrice }, options)
  // Signing costs more than running; the sender is what a signature would have told.
  tx.getSenderAddress = () => new Address(senderAddress)
  return tx
}

function accountsIn(state: SimpleStateManager): Map<string, string> {
  const accounts = new Map<string, string>()
  const slots = new Map<string, string[]>()
  for (const [key, value] of state.storageStack.at(-1) ?? []) {
    const text = toHex(value).replace(/^(?:00)+/, '')
    if (text === '') continue
    const [address = '', slot = ''] = key.replaceAll('0x', '').split('_')
    slots.set(address, [...(slots.get(address) ?? []), `${slot}=${text}`])
  }
  for (const [key, account] of state.accountStack.at(-1) ?? []) {
    if (account === undefined) continue
    const address = key.replace('0x', '')
    const { nonce, balance, codeHash } = account
    const own = (slots.get(address) ?? []).sort()
    accounts.set(address, [nonce, balance, toHex(codeHash), ...own].join(' '))
  }
  return accounts
}
