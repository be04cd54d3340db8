/** Sends transactions to a node of a test in its own process, and asks it, without a socket. */
import { dataFromHex, encodeTransaction, signTransaction } from '@cairn/eth-codec'
import { vi } from 'vitest'
import { type RpcTestNode, testChainId } from './rpc-node.ts'

export interface RpcAnswer<T> {
  readonly result?: T
  readonly error?: { readonly code: number; readonly message: string }
}

export interface MinedReceipt {
  readonly contractAddress: string
  readonly blockHash: string
  readonly blockNumber: string
  readonly gasUsed: string
}

export class SealingClient {
  readonly #node: RpcTestNode
  readonly #key: Uint8Array
  #nonce = 0n

  constructor(node: RpcTestNode) {
    this.#node = node
    this.#key = dataFromHex(node.privateKeys[0] as string)
  }

  async ask<T>(method: string, ...params: unknown[]): Promise<RpcAnswer<T>> {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const context = { transport: 'ipc', subscriber: undefined } as const
    const answer = await this.#node.dispatcher.dispatch(text, context)
    return JSON.parse(answer ?? '') as RpcAnswer<T>
  }

  async result<T>(method: string, ...params: unknown[]): Promise<T> {
    const { result, error } = await this.ask<T>(method, ...params)
    if (error !== undefined) throw new Error(error.message)
    return result as T
  }

  async error(method: string, ...params: unknown[]): Promise<string | undefined> {
    return (await this.ask(method, ...params)).error?.message
  }

  /** @returns the hash at once; several in one turn of the event loop come into one block. */
  submit(fields: { to?: string; data?: string; value?: bigint; gasLimit?: bigint }): string {
    const { to, data = '0x', value = 0n, gasLimit = 200_000n } = fields
    const unsigned = {
      type: 2 as const,
      chainId: BigInt(testChainId),
      nonce: this.#nonce++,
      maxPriorityFeePerGas: 10n ** 9n,
      maxFeePerGas: 10n ** 10n,
      gasLimit,
      to: to === undefined ? undefined : dataFromHex(to),
      value,
      data: dataFromHex(data),
      accessList: [],
    }
    return this.#node.node.submit(encodeTransaction(signTransaction(unsigned, this.#key)))
  }

  mined(hash: string): Promise<MinedReceipt> {
    const look = async () => {
      const receipt = await this.result<MinedReceipt | null>('eth_getTransactionReceipt', hash)
      if (receipt === null) throw new Error(`no receipt of ${hash} yet`)
      return receipt
    }
    return vi.waitFor(look, { timeout: 300_000, interval: 2 })
  }
}
