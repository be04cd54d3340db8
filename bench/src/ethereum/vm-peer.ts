/**
 * `@ethereumjs/vm` as a contestant: ERC-20 transfers within this process, from bytes to state root, with native
 * recovery and hashing in WebAssembly as ours. No JSON, no pool, no blocks, no disk, all of which a node has on top.
 */
import { fromHex } from '@cairn/core'
import {
  addressOfPrivateKey,
  encodeTransaction,
  keccak256,
  padStart,
  recoverPublicKey,
  signTransaction,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import { erc20InitCode } from '@cairn/testing'
import { type Block, createBlock } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { createTxFromRLP } from '@ethereumjs/tx'
import { Account, Address } from '@ethereumjs/util'
import { createVM, runTx, type VM } from '@ethereumjs/vm'
import type { Sample } from '../rounds.ts'
import { accountCount, transferData } from './transfers.ts'

/** As many as 30 million gas hold. */
const rootAfterCount = 800
const gasLimit = 80_000n
const tokensEach = 10n ** 12n

interface Holder {
  readonly privateKey: Uint8Array
  readonly address: Uint8Array
  nonce: bigint
}

/** The official library's own way of recovering takes 1.2 ms. */
const customCrypto = {
  keccak256,
  ecrecover(hash: Uint8Array, v: bigint, r: Uint8Array, s: Uint8Array): Uint8Array {
    const yParity: 0 | 1 = v === 0n || v === 27n ? 0 : 1
    const signature = { yParity, r: padStart(r, 32), s: padStart(s, 32) } as const
    const publicKey = recoverPublicKey(hash, signature)
    if (publicKey === undefined) throw new Error('no signature')
    return publicKey
  },
}

export class VmPeer {
  readonly #vm: VM
  readonly #common: Common
  readonly #block: Block
  readonly #holders: readonly Holder[]
  #token: Uint8Array = new Uint8Array(20)
  #turn = 1

  private constructor(vm: VM, common: Common) {
    this.#vm = vm
    this.#common = common
    const header = { number: 1n, gasLimit: 30_000_000n, baseFeePerGas: 7n }
    this.#block = createBlock({ header }, { common })
    this.#holders = Array.from({ length: accountCount }, (_, index) => {
      const privateKey = keccak256(Uint8Array.of(index + 1))
      return { privateKey, address: addressOfPrivateKey(privateKey), nonce: 0n }
    })
  }

  static async open(): Promise<VmPeer> {
    const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun, customCrypto })
    const stateManager = new MerkleStateManager({ common })
    const peer = new VmPeer(await createVM({ common, stateManager }), common)
    await peer.#prepare()
    return peer
  }

  async #prepare(): Promise<void> {
    for (const { address } of this.#holders) {
      const account = new Account(0n, 10n ** 24n)
      await this.#vm.stateManager.putAccount(new Address(address), account)
    }
    const [first] = this.#holders
    if (first === undefined) throw new Error('no account')
    const creation = { to: undefined, data: fromHex(erc20InitCode), gasLimit: 3_000_000n }
    const created = await this.#run(sign(first, creation))
    this.#token = created.createdAddress?.bytes ?? this.#token
    for (const { address } of this.#holders) {
      await this.#run(sign(first, { to: this.#token, data: transferData(address, tokensEach) }))
    }
  }

  /** @throws Error when a transfer fails. */
  async run(count: number): Promise<Sample> {
    const raws = Array.from({ length: count }, (_, index) => {
      const at = index % accountCount
      const [from, to] = [this.#holders[at], this.#holders[(at + this.#turn) % accountCount]]
      if (from === undefined || to === undefined) throw new Error('no account')
      return sign(from, { to: this.#token, data: transferData(to.address, 1n) })
    })
    this.#turn = (this.#turn % (accountCount - 1)) + 1
    const startMs = performance.now()
    const cpuBefore = process.cpuUsage()
    for (const [index, raw] of raws.entries()) {
      await this.#run(raw)
      if ((index + 1) % rootAfterCount === 0) await this.#vm.stateManager.getStateRoot()
    }
    await this.#vm.stateManager.getStateRoot()
    const cpu = process.cpuUsage(cpuBefore)
    const elapsedMs = performance.now() - startMs
    return { operationCount: count, elapsedMs, cpuUs: cpu.user + cpu.system }
  }

  async #run(raw: Uint8Array) {
    const tx = createTxFromRLP(raw, { common: this.#common })
    const result = await runTx(this.#vm, { tx, block: this.#block })
    if (result.execResult.exceptionError !== undefined) throw new Error('a transfer failed')
    return result
  }
}

function sign(from: Holder, fields: Partial<UnsignedTransaction>): Uint8Array {
  const unsigned: UnsignedTransaction = {
    type: 2,
    chainId: 1n,
    nonce: from.nonce++,
    maxPriorityFeePerGas: 1n,
    maxFeePerGas: 100n,
    gasLimit,
    to: undefined,
    value: 0n,
    data: new Uint8Array(0),
    accessList: [],
    ...fields,
  }
  return encodeTransaction(signTransaction(unsigned, from.privateKey))
}
