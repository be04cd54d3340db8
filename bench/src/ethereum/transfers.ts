/**
 * Transfers against a node over HTTP: a hundred accounts with ether and tokens, transactions signed before the clock
 * runs, sent singly or in batches over sixteen connections, and counted once they are mined.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { fromHex } from '@cairn/core'
import {
  addressOfPrivateKey,
  dataFromHex,
  dataToHex,
  encodeTransaction,
  keccak256,
  signTransaction,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import { erc20InitCode } from '@cairn/testing'
import { ClientConnection } from '../client-connection.ts'
import { processTreeCpuUs } from '../machine.ts'
import type { Sample } from '../rounds.ts'
import type { BenchNode } from './nodes.ts'

export type Work = 'erc20' | 'ether'

export const accountCount = 100
export const connectionCount = 16
export const batchCount = 100

const ether = 10n ** 18n
const tokensEach = 10n ** 12n
/** Above what a run of full blocks makes of the base fee, below the ether that a node takes as fee at most. */
const maxFeePerGas = 5_000_000_000_000n
const gasLimits = { erc20: 80_000n, ether: 21_000n } as const
/** Without any account's nonce moving: what is left will not be mined. */
const stalledMsMax = 20_000
/** Between two looks at a nonce. With a block a second the CPU time is what counts, so that looks should be few. */
const pollMs = { demand: 10, periodic: 50 } as const

interface Account {
  readonly privateKey: Uint8Array
  readonly address: Uint8Array
  nonce: bigint
}

/** Accounts on one node, and the connections to it. */
export class TransferBench {
  readonly #node: BenchNode
  #connections: readonly ClientConnection[] = []
  readonly #accounts: readonly Account[]
  #token: Uint8Array = new Uint8Array(20)
  #turn = 1

  private constructor(node: BenchNode) {
    this.#node = node
    this.#accounts = Array.from({ length: accountCount }, (_, index) =>
      accountOf(keccak256(Uint8Array.of(index + 1))),
    )
  }

  /** Deploys the token, and gives ether and tokens to the accounts. */
  static async open(node: BenchNode): Promise<TransferBench> {
    const bench = new TransferBench(node)
    await bench.#connect()
    await bench.#prepare()
    return bench
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
    this.#connections = []
  }

  /** Anew for each turn: Node's server, and so Hardhat's, closes connections on which nothing comes for 5 s. */
  async #connect(): Promise<void> {
    this.close()
    const { host, port } = this.#node
    const opening = Array.from({ length: connectionCount }, () => ClientConnection.open(host, port))
    this.#connections = await Promise.all(opening)
  }

  async #prepare(): Promise<void> {
    const rich = accountOf(dataFromHex(this.#node.richKey, 32))
    rich.nonce = await this.#nonceOf(rich)
    const creation = { to: undefined, data: fromHex(erc20InitCode), gasLimit: 3_000_000n }
    const hash = await this.#call<string>('eth_sendRawTransaction', [this.#sign(rich, creation)])
    await this.#untilMined([rich])
    const receipt = await this.#call<{ contractAddress: string }>('eth_getTransactionReceipt', [
      hash,
    ])
    this.#token = dataFromHex(receipt.contractAddress, 20)
    for (const { address } of this.#accounts) {
      const data = transferData(address, tokensEach)
      const gifts = [
        this.#sign(rich, { to: address, value: 1000n * ether, gasLimit: gasLimits.ether }),
        this.#sign(rich, { to: this.#token, data, gasLimit: gasLimits.erc20 }),
      ]
      for (const gift of gifts) await this.#call('eth_sendRawTransaction', [gift])
    }
    await this.#untilMined([rich])
  }

  /**
   * Signs, then sends, then waits until all of it is mined. @param size Transactions of a request.
   * @throws Error when one is refused or fails, or the node does not answer or mine any more.
   */
  async run(work: Work, count: number, size: number): Promise<Sample> {
    const requests = this.#requests(work, count, size)
    await this.#connect()
    const cpuBefore = processTreeCpuUs(this.#node.processId)
    const loadBefore = process.cpuUsage()
    const startMs = performance.now()
    const answers = await Promise.all(
      this.#connections.map((connection, index) => sendAll(connection, requests[index] ?? [])),
    )
    const sentMs = performance.now() - startMs
    const results = this.#resultsOf(answers.flat())
    await this.#untilMined(this.#accounts)
    const elapsedMs = performance.now() - startMs
    const cpuAfter = processTreeCpuUs(this.#node.processId)
    const load = process.cpuUsage(loadBefore)
    await this.#check(results.slice(-accountCount))
    return {
      operationCount: count,
      elapsedMs,
      cpuUs: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
      more: { loadCpuUs: (load.user + load.system) / count, sentMs },
    }
  }

  /** For each connection its requests in order: an account keeps to one, so that its nonces arrive in order. */
  #requests(work: Work, count: number, size: number): readonly (readonly string[])[] {
    const calls = Array.from({ length: connectionCount }, (): string[] => [])
    for (let i = 0; i < count; i++) {
      const at = i % accountCount
      const [from, to] = [this.#accounts[at], this.#accounts[(at + this.#turn) % accountCount]]
      if (from === undefined || to === undefined) continue
      const fields =
        work === 'ether'
          ? { to: to.address, value: 1n }
          : { to: this.#token, data: transferData(to.address, 1n) }
      const raw = this.#sign(from, { ...fields, gasLimit: gasLimits[work] })
      calls[at % connectionCount]?.push(callText(i, 'eth_sendRawTransaction', [raw]))
    }
    this.#turn = (this.#turn % (accountCount - 1)) + 1
    return calls.map((each) => {
      if (size === 1) return each.map((call) => this.#request(call))
      const batches: string[] = []
      for (let first = 0; first < each.length; first += size) {
        batches.push(this.#request(`[${each.slice(first, first + size).join(',')}]`))
      }
      return batches
    })
  }

  #request(body: string): string {
    const { host, port } = this.#node
    const head = `POST / HTTP/1.1\r\nhost: ${host}:${port}\r\ncontent-type: application/json\r\n`
    return `${head}content-length: ${body.length}\r\n\r\n${body}`
  }

  #sign(from: Account, fields: Partial<UnsignedTransaction>): string {
    const unsigned: UnsignedTransaction = {
      type: 2,
      chainId: this.#node.chainId,
      nonce: from.nonce++,
      maxPriorityFeePerGas: 1_000_000_000n,
      maxFeePerGas: fields.to === undefined ? maxFeePerGas / 100n : maxFeePerGas,
      gasLimit: 21_000n,
      to: undefined,
      value: 0n,
      data: new Uint8Array(0),
      accessList: [],
      ...fields,
    }
    return dataToHex(encodeTransaction(signTransaction(unsigned, from.privateKey)))
  }

  /** The hashes. @throws Error when a transaction was refused. */
  #resultsOf(answers: readonly string[]): readonly unknown[] {
    const parsed = answers.flatMap((text) => [JSON.parse(text)].flat() as RpcAnswer[])
    const refused = parsed.find(({ error }) => error !== undefined)
    if (refused !== undefined) throw new Error(`${this.#node.name}: ${refused.error?.message}`)
    return parsed.map(({ result }) => result)
  }

  /** @throws Error when one of these transactions failed. */
  async #check(hashes: readonly unknown[]): Promise<void> {
    for (const hash of hashes) {
      const receipt = await this.#call<{ status: string } | null>('eth_getTransactionReceipt', [
        hash,
      ])
      if (receipt?.status !== '0x1') throw new Error(`${this.#node.name}: a transfer failed.`)
    }
  }

  /** Until every account's nonce is there. */
  async #untilMined(accounts: readonly Account[]): Promise<void> {
    const { blockTime, name } = this.#node
    const waitMs = blockTime === 'demand' ? pollMs.demand : pollMs.periodic
    let left = accounts
    let seen = ''
    let movedMs = performance.now()
    // One account is asked for until it is there, then all others at once: few questions, and none after the last.
    for (let [first] = left; first !== undefined; [first] = left) {
      const nonce = await this.#nonceOf(first)
      if (nonce >= first.nonce) {
        const nonces = await this.#noncesOf(left)
        left = left.filter((account, index) => (nonces[index] ?? 0n) < account.nonce)
        continue
      }
      const nowMs = performance.now()
      const at = `${left.length}, ${nonce}`
      if (at !== seen) movedMs = nowMs
      seen = at
      if (nowMs - movedMs > stalledMsMax) {
        throw new Error(`${name}: ${left.length} accounts wait, and nothing was mined for a while.`)
      }
      await delay(waitMs)
    }
  }

  async #nonceOf({ address }: Account): Promise<bigint> {
    const result = await this.#call<string>('eth_getTransactionCount', [
      dataToHex(address),
      'latest',
    ])
    return BigInt(result)
  }

  async #noncesOf(accounts: readonly Account[]): Promise<readonly bigint[]> {
    const calls = accounts.map(({ address }, id) =>
      callText(id, 'eth_getTransactionCount', [dataToHex(address), 'latest']),
    )
    const answers = JSON.parse(await this.#ask(`[${calls.join(',')}]`)) as RpcAnswer[]
    const inOrder = new Map(answers.map(({ id, result }) => [id, BigInt(String(result))]))
    return accounts.map((_, id) => inOrder.get(id) ?? 0n)
  }

  async #call<T = unknown>(method: string, params: readonly unknown[]): Promise<T> {
    const { result, error } = JSON.parse(await this.#ask(callText(0, method, params))) as RpcAnswer
    if (error !== undefined) throw new Error(`${this.#node.name}: ${method}: ${error.message}`)
    return result as T
  }

  async #ask(body: string): Promise<string> {
    const [connection] = this.#connections
    if (connection === undefined) throw new Error('no connection')
    return connection.ask(this.#request(body))
  }
}

interface RpcAnswer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

function accountOf(privateKey: Uint8Array): Account {
  return { privateKey, address: addressOfPrivateKey(privateKey), nonce: 0n }
}

function callText(id: number, method: string, params: readonly unknown[]): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params })
}

/** `transfer(address,uint256)` */
export function transferData(to: Uint8Array, amount: bigint): Uint8Array {
  const receiver = dataToHex(to).slice(2).padStart(64, '0')
  return fromHex(`a9059cbb${receiver}${amount.toString(16).padStart(64, '0')}`)
}

async function sendAll(
  connection: ClientConnection,
  requests: readonly string[],
): Promise<readonly string[]> {
  const answers: string[] = []
  for (const request of requests) answers.push(await connection.ask(request))
  return answers
}
