/** JSON-RPC that waits: the calling thread stands still until the answer is there. For the console only. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { CliError } from '../../errors.ts'
import type { RpcThreadAnswer, RpcThreadData } from './rpc-thread.ts'

/** Longer than any call may take in the node. */
const answerMsMax = 60_000

/** A call of JSON-RPC that waits. */
export type Call = (method: string, params: readonly unknown[]) => unknown

/** What the node answered to a call instead of a result. */
export class NodeFault extends Error {
  override readonly name = 'Error'
}

export class RpcClient {
  readonly #endpoint: string
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #flag: Int32Array
  #nextId = 1

  /** @param endpoint Path of a socket, or an http URL. */
  constructor(endpoint: string) {
    const { port1, port2 } = new MessageChannel()
    const signal = new SharedArrayBuffer(4)
    const workerData: RpcThreadData = { endpoint, port: port2, signal }
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const url = new URL(`./rpc-thread.${extension}`, import.meta.url)
    this.#endpoint = endpoint
    this.#worker = new Worker(url, { workerData, transferList: [port2] })
    this.#port = port1
    this.#flag = new Int32Array(signal)
  }

  /** @throws NodeFault, or CliError SERVER_NOT_FOUND when the node does not answer. */
  call(method: string, params: readonly unknown[]): unknown {
    Atomics.store(this.#flag, 0, 0)
    const id = this.#nextId++
    this.#port.postMessage(JSON.stringify({ jsonrpc: '2.0', id, method, params }, bigintAsHex))
    const isAnswered = Atomics.wait(this.#flag, 0, 0, answerMsMax) !== 'timed-out'
    const received = isAnswered ? receiveMessageOnPort(this.#port) : undefined
    const answer = (received?.message ?? { failure: 'it takes too long' }) as RpcThreadAnswer
    if ('failure' in answer) throw this.#notFound(answer.failure)
    const { result, error } = JSON.parse(answer.text) as {
      readonly result?: unknown
      readonly error?: { readonly message: string }
    }
    if (error !== undefined) throw new NodeFault(error.message)
    return result
  }

  async close(): Promise<void> {
    this.#port.close()
    await this.#worker.terminate()
  }

  #notFound(reason: string): CliError {
    return new CliError(
      { code: 'SERVER_NOT_FOUND', endpoint: this.#endpoint },
      {
        shortMessage: 'No node answers.',
        metaMessages: [
          `Endpoint: ${this.#endpoint}`,
          reason,
          'Start one with cairn geth or cairn up, or name another: cairn geth attach ENDPOINT',
        ],
      },
    )
  }
}

/** Amounts are bigints in the console. */
function bigintAsHex(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value
}
