/**
 * Whole Clique blocks on the official VM: it checks the body against the header, recovers the seal, and compares
 * receipts, bloom, gas and the state root, which the official trie makes of its state. Keccak and the recovery of
 * senders are ours there, as everything took three times as long without.
 */
import { type ForkName, forkNames, type Genesis, keccak256 } from '@cairn/eth-codec'
import { type BlockHeader, cliqueSigner, createBlockFromRLP } from '@ethereumjs/block'
import { type ChainConfig, Common, Hardfork } from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import { createMPT } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import { SimpleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, hexToBytes } from '@ethereumjs/util'
import { createVM, runBlock, type VM } from '@ethereumjs/vm'
import { recoverPublicKey } from '../../packages/eth-codec/src/secp256k1.ts'
import { hardforks } from './official-evm.ts'

/** Headers of Clique chains stay London's. */
const cliqueHardforks: Readonly<Record<ForkName, Hardfork>> = {
  ...hardforks,
  paris: Hardfork.London,
  shanghai: Hardfork.London,
  cancun: Hardfork.London,
}
/** What of these forks holds on a Clique chain of ours: execution, and London's headers. */
const moreEips: Partial<Record<ForkName, number[]>> = {
  shanghai: [3651, 3855, 3860],
  cancun: [3651, 3855, 3860, 1153, 5656, 6780],
}

/** Does not ask whether an EIP came with a later fork: MCOPY, which came with Cancun, needs nothing else of it. */
class FreeCommon extends Common {
  override setEIPs(eips: number[] = []): void {
    this._eips = eips
    this._buildParamsCache()
    this._buildActivatedEIPsCache()
  }
}

/** A plain map with a root: made anew when asked for, as the accounts of a scenario are few. */
class RootedState extends SimpleStateManager {
  empty(): void {
    this.accountStack = [new Map()]
    this.codeStack = [new Map()]
    this.storageStack = [new Map()]
    this.originalStorageCache.clear()
  }

  /** With all that was its: whoever comes to the address later begins anew. */
  override async deleteAccount(address: Address): Promise<void> {
    await super.deleteAccount(address)
    this.topCodeStack().delete(address.toString())
    await this.clearStorage(address)
  }

  override async getStateRoot(): Promise<Uint8Array> {
    const slots = new Map<string, [string, Uint8Array][]>()
    for (const [key, value] of this.topStorageStack()) {
      if (value.every((byte) => byte === 0)) continue
      const [address = '', slot = ''] = key.split('_')
      const own = slots.get(address)
      if (own === undefined) slots.set(address, [[slot, value]])
      else own.push([slot, value])
    }
    const trie = await this.#trie()
    for (const [address, account] of this.topAccountStack()) {
      if (account === undefined) continue
      const storage = await this.#trie()
      for (const [slot, value] of slots.get(address) ?? []) {
        const start = value.findIndex((byte) => byte > 0)
        await storage.put(hexToBytes(slot as `0x${string}`), RLP.encode(value.subarray(start)))
      }
      const { nonce, balance, codeHash } = account
      const row = new Account(nonce, balance, storage.root(), codeHash)
      await trie.put(hexToBytes(address as `0x${string}`), row.serialize())
    }
    return trie.root()
  }

  #trie(): ReturnType<typeof createMPT> {
    return createMPT({ useKeyHashing: true, useKeyHashingFunction: keccak256 })
  }
}

interface Machine {
  readonly common: Common
  readonly vm: VM
  readonly stateManager: RootedState
  /** Of blocks, by number. */
  hashes: readonly Uint8Array[]
  /** What became of the transactions of the block that runs: status, gas used until then. */
  outcomes: string[]
}

export class OfficialChain {
  /** One for each fork, emptied before each run: to make one takes longer than many runs. */
  readonly #machines = new Map<ForkName, Machine>()

  /**
   * Runs blocks from a genesis on.
   * @param blocks In RLP, the first of number 1. @param hashes Of the genesis and of the blocks.
   * @throws Error where a block says something else than what happens, with what each of its transactions did.
   */
  async run(
    fork: ForkName,
    genesis: Genesis,
    blocks: readonly Uint8Array[],
    hashes: readonly Uint8Array[],
  ): Promise<void> {
    const machine = await this.#machineOf(fork, genesis.config.chainId)
    const { common, vm, stateManager } = machine
    machine.hashes = hashes
    await fill(stateManager, genesis)
    for (const rlp of blocks) {
      const block = createBlockFromRLP(rlp, { common })
      machine.outcomes = []
      try {
        await runBlock(vm, { block, skipHeaderValidation: true, clearCache: false })
      } catch (error) {
        const outcomes = machine.outcomes.join(', ')
        const { number } = block.header
        const what = String(error).split(' (vm')[0]
        throw new Error(`block ${number}: ${what}; ${outcomes}`, { cause: error })
      }
    }
  }

  async #machineOf(fork: ForkName, chainId: bigint): Promise<Machine> {
    const known = this.#machines.get(fork)
    if (known !== undefined) return known
    const common = commonOf(fork, chainId)
    const stateManager = new RootedState({ common })
    const blockchain = {
      getBlock: async (number: number | bigint) => ({
        hash: () => machine.hashes[Number(number)],
      }),
      putBlock: async () => undefined,
      shallowCopy: () => blockchain,
    } as never
    const evm = await createEVM({
      ...{ common, blockchain, stateManager },
      // The EVM asks for less of a header than the function that they give for it.
      cliqueSigner: (header) => cliqueSigner(header as BlockHeader),
    })
    const vm = await createVM({ common, blockchain, stateManager, evm })
    const machine: Machine = { common, vm, stateManager, hashes: [], outcomes: [] }
    vm.events.on('afterTx', ({ receipt }) => {
      const { cumulativeBlockGasUsed, logs } = receipt
      const status = 'status' in receipt ? receipt.status : ''
      machine.outcomes.push(`${status} ${cumulativeBlockGasUsed} ${logs.length} logs`)
    })
    this.#machines.set(fork, machine)
    return machine
  }
}

function commonOf(fork: ForkName, chainId: bigint): Common {
  const hardfork = cliqueHardforks[fork]
  const chain = {
    name: 'fuzz',
    chainId: Number(chainId),
    defaultHardfork: hardfork,
    consensus: { type: 'poa', algorithm: 'clique', clique: { period: 1, epoch: 30_000 } },
    genesis: { gasLimit: 30_000_000, difficulty: 1, nonce: '0x0000000000000000', extraData: '0x' },
    hardforks: forksUpTo(fork),
    bootstrapNodes: [],
  } as unknown as ChainConfig
  const customCrypto = { keccak256, ecrecover }
  return new FreeCommon({ chain, hardfork, eips: moreEips[fork] ?? [], customCrypto })
}

function forksUpTo(fork: ForkName): { name: Hardfork; block: number }[] {
  const upTo = forkNames.slice(0, forkNames.indexOf(fork) + 1)
  const names = new Set(upTo.map((name) => cliqueHardforks[name]))
  return [...names].map((name) => ({ name, block: 0 }))
}

function ecrecover(
  hash: Uint8Array,
  v: bigint,
  r: Uint8Array,
  s: Uint8Array,
  chainId?: bigint,
): Uint8Array {
  const parity = v < 2n ? v : chainId === undefined ? v - 27n : v - 35n - 2n * chainId
  if (parity !== 0n && parity !== 1n) throw new Error('Invalid signature v value')
  const signature = { r: wordOf(r), s: wordOf(s), yParity: Number(parity) as 0 | 1 }
  const key = recoverPublicKey(hash, signature)
  if (key === undefined) throw new Error('Invalid signature')
  return key.length === 65 ? key.subarray(1) : key
}

function wordOf(bytes: Uint8Array): Uint8Array {
  const word = new Uint8Array(32)
  word.set(bytes, 32 - bytes.length)
  return word
}

async function fill(stateManager: RootedState, { accounts }: Genesis): Promise<void> {
  stateManager.empty()
  for (const { address, nonce, balance, code, storage } of accounts) {
    const at = new Address(address)
    await stateManager.putAccount(at, new Account(nonce, balance))
    if (code.length > 0) await stateManager.putCode(at, code)
    for (const { slot, value } of storage) {
      await stateManager.putStorage(at, slot, value.subarray(value.findIndex((byte) => byte > 0)))
    }
  }
}
