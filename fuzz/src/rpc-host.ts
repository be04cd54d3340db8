/**
 * An Ethereum node with a chain in memory and every transport open, and what its answers must be like. It is made anew
 * now and then, so that its chain stays short.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex, systemRandom, utf8 } from '@cairn/core'
import {
  addressOfPrivateKey,
  contractAddress,
  dataFromHex,
  dataToHex,
  encodeTransaction,
  encryptKey,
  formatKeyFile,
  KeyFolder,
  keccak256,
  signTransaction,
} from '@cairn/eth-codec'
import { type CallReport, faults, type IpcServer, openIpcServer } from '@cairn/eth-rpc'
import { createMemoryFileSystem } from '@cairn/testing'
import { WebSocket } from 'ws'
import { openRpcTestNode, type RpcTestNode } from '../../packages/eth-rpc/src/testing/rpc-node.ts'
import { mustHold, Violation } from './target.ts'

export type RpcTransport = 'direct' | 'http' | 'ws' | 'ipc'

const namespaces = 'eth net web3 txpool clique debug personal miner admin'.split(' ')
/** Small, as inputs may ask for many calls without an end. */
const callLimits = { gasMax: 2_000_000n, durationMsMax: 200 }
const sealedMsMax = 20_000
const answerMsMax = 20_000
const gwei = 1_000_000_000n
/** Without data it stores the block's number and logs; with any it runs until its gas or its time is over. */
const contractCode = fromHex('7236600f57435f5560075f5fa10000005b600f565f526013600df3')
const lockedKey = keccak256(utf8('locked'))
const lockedFile = await encryptKey(lockedKey, 'secret', { random: systemRandom, cost: 'light' })

/** What calls of an input stand for, by the letters that input has in place of it. */
export interface RpcNames {
  readonly account: string
  readonly contract: string
  readonly locked: string
  block: string
  transaction: string
  filter: string
}

export class RpcHost {
  readonly node: RpcTestNode
  readonly names: RpcNames
  readonly #ipc: IpcServer
  readonly #folder: string
  readonly #faults: string[]
  readonly #onRejection = (reason: unknown): void => {
    this.#faults.push(`a rejection that nobody handles: ${stackOf(reason)}`)
  }
  readonly #senderKey: Uint8Array

  private constructor(node: RpcTestNode, ipc: IpcServer, folder: string, errors: string[]) {
    this.node = node
    this.#ipc = ipc
    this.#folder = folder
    this.#faults = errors
    const [accountKey, senderKey] = node.privateKeys.map((key) => dataFromHex(key))
    this.#senderKey = senderKey as Uint8Array
    const account = node.accounts.addKey(accountKey as Uint8Array)
    const sender = addressOfPrivateKey(this.#senderKey)
    this.names = {
      account: dataToHex(account),
      contract: dataToHex(contractAddress(sender, 0n)),
      locked: dataToHex(addressOfPrivateKey(lockedKey)),
      block: node.node.chain.head.hash,
      transaction: node.node.chain.head.hash,
      filter: '0x1',
    }
    process.on('unhandledRejection', this.#onRejection)
  }

  static async open(): Promise<RpcHost> {
    const errors: string[] = []
    const files = createMemoryFileSystem()
    await files.makeDirectory('/keys')
    await files.writeFileAtomic('/keys/locked', formatKeyFile(lockedFile))
    const refuse = async (): Promise<never> => {
      throw faults.server('not here')
    }
    const node = await openRpcTestNode(0n, namespaces, {
      callLimits,
      keys: new KeyFolder(files, '/keys'),
      controls: {
        dataDirectory: '/data',
        ...{ startHttp: refuse, stopHttp: refuse, startWebSocket: refuse, stopWebSocket: refuse },
        ...{ exportChain: refuse, importChain: refuse },
      },
      onCall: (call) => noteUnforeseen(errors, call),
    })
    const folder = await mkdtemp(join(tmpdir(), 'cairn-rpc-'))
    const ipc = await openIpcServer(join(folder, 'ipc'), node.dispatcher)
    const host = new RpcHost(node, ipc, folder, errors)
    await host.#send({ to: undefined, data: contractCode })
    await host.checkAlive()
    return host
  }

  get ipcPath(): string {
    return this.#ipc.path
  }

  async close(): Promise<void> {
    process.off('unhandledRejection', this.#onRejection)
    await this.#ipc.close()
    await this.node.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** With what its letters stand for put in. */
  resolve(text: string): string {
    const { account, contract, locked, block, transaction, filter } = this.names
    return text
      .replaceAll('@A', account)
      .replaceAll('@C', contract)
      .replaceAll('@K', locked)
      .replaceAll('@B', block)
      .replaceAll('@T', transaction)
      .replaceAll('@F', filter)
      .replaceAll('@R', () => this.#raw({}))
  }

  /** Sends what a client might, and checks what comes back. */
  async exchange(transport: RpcTransport, bytes: Uint8Array): Promise<void> {
    switch (transport) {
      case 'direct': {
        const text = Buffer.from(bytes).toString('utf8')
        const answer = await this.node.dispatcher.dispatch(text, directContext)
        if (answer !== undefined) checkAnswer(answer, text)
        this.#learn(answer ?? '')
        break
      }
      case 'http':
        await this.#overHttp(bytes)
        break
      case 'ws':
        await this.#overWebSocket(bytes)
        break
      case 'ipc':
        await this.#overIpc(bytes)
    }
    this.checkFaults()
  }

  /** Nothing that was not foreseen has happened since this was asked last. */
  checkFaults(): void {
    const [first] = this.#faults.splice(0)
    if (first !== undefined) throw new Violation(first)
  }

  /**
   * The node seals a transaction and shows it.
   * @returns false when clients have voted others in, without whom it may not seal: then it is to be made anew.
   */
  async checkAlive(): Promise<boolean> {
    const { chain } = this.node.node
    const proposals = (await this.call('clique_proposals')) as object
    for (const address of Object.keys(proposals)) await this.call('clique_discard', address)
    const signers = (await this.call('clique_getSigners')) as readonly string[]
    const [signer] = signers
    if (signers.length !== 1 || signer !== sealerAddress) return false
    await this.call('miner_setEtherbase', signer)
    await this.call('miner_setGasPrice', '0x1')
    await this.call('miner_start')
    const hash = await this.#send({})
    for (let endsMs = performance.now() + sealedMsMax; ; ) {
      const receipt = (await this.call('eth_getTransactionReceipt', hash)) as object | null
      if (receipt !== null) break
      if (performance.now() > endsMs) throw new Violation('the node does not seal any more')
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    this.names.transaction = hash
    this.names.block = chain.head.hash
    this.checkFaults()
    return true
  }

  /** @returns the result. @throws Violation when it is an error. */
  async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const answer = JSON.parse((await this.node.dispatcher.dispatch(text, directContext)) ?? '{}')
    mustHold('result' in answer, `${method} of the node itself fails: ${answer.error?.message}`)
    return answer.result
  }

  async #send(fields: { to?: undefined; data?: Uint8Array }): Promise<string> {
    return (await this.call('eth_sendRawTransaction', this.#raw(fields))) as string
  }

  #raw({ data, ...fields }: { to?: undefined; data?: Uint8Array }): string {
    const { chain, pool } = this.node.node
    const sender = addressOfPrivateKey(this.#senderKey)
    const account = chain.stateAt(chain.head.header.stateRoot)?.readAccount(sender)
    const transaction = signTransaction(
      {
        type: 2,
        chainId: chain.config.chainId,
        nonce: pool.nextNonce(sender) ?? account?.nonce ?? 0n,
        maxPriorityFeePerGas: 2n * gwei,
        maxFeePerGas: 100n * gwei,
        gasLimit: 200_000n,
        to: 'to' in fields ? undefined : dataFromHex(this.names.contract),
        value: 0n,
        data: data ?? new Uint8Array(0),
        accessList: [],
      },
      this.#senderKey,
    )
    return dataToHex(encodeTransaction(transaction))
  }

  #learn(answer: string): void {
    const filter = /"result":"(0x[0-9a-f]{32})"/.exec(answer)?.[1]
    if (filter !== undefined) this.names.filter = filter
  }

  async #overHttp(bytes: Uint8Array): Promise<void> {
    const response = await fetch(this.node.httpUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(bytes),
      signal: AbortSignal.timeout(answerMsMax),
    })
    const text = await response.text()
    mustHold(response.status === 200, `HTTP status ${response.status}`)
    if (text !== '') checkAnswer(text, new TextDecoder().decode(bytes))
  }

  /** One message, then one that has to be answered, unless the first one ended the connection. */
  async #overWebSocket(bytes: Uint8Array): Promise<void> {
    const socket = new WebSocket(this.node.wsUrl, { handshakeTimeout: answerMsMax })
    const answers: string[] = []
    let isProbed = false
    const over = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Violation('no answer over WebSocket')), answerMsMax)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      socket.on('error', done)
      socket.on('close', done)
      socket.on('message', (data: Buffer) => {
        const text = data.toString('utf8')
        if (text.includes('"probe"')) {
          isProbed = true
          socket.close()
        } else answers.push(text)
      })
    })
    socket.once('open', () => {
      socket.send(bytes, { binary: false })
      socket.send('{"jsonrpc":"2.0","id":"probe","method":"eth_chainId"}')
    })
    await over
    const text = Buffer.from(bytes).toString('utf8')
    const isText = Buffer.from(text, 'utf8').equals(bytes)
    mustHold(isProbed || !isText, 'a message ended the connection')
    for (const answer of answers) if (!isNotification(answer)) checkAnswer(answer, text)
  }

  /** Bytes in pieces of any size, then the end. */
  async #overIpc(bytes: Uint8Array): Promise<void> {
    const socket = connect(this.#ipc.path)
    const pieces: Buffer[] = []
    socket.on('data', (piece) => pieces.push(piece))
    socket.on('error', () => undefined)
    const closed = once(socket, 'close', { signal: AbortSignal.timeout(answerMsMax) })
    const sizeMax = 1 + (bytes.length % 97)
    for (let at = 0; at < bytes.length; at += sizeMax) {
      socket.write(bytes.subarray(at, at + sizeMax))
    }
    socket.end()
    await closed
    const lines = Buffer.concat(pieces).toString('utf8').split('\n')
    // The last one may be cut: the connection ends with the client's half of it.
    for (const line of lines.slice(0, -1)) if (!isNotification(line)) checkAnswer(line)
  }
}

const sealerAddress = dataToHex(addressOfPrivateKey(keccak256(utf8('sealer'))))
const directContext = {
  transport: 'ipc',
  subscriber: { notify: () => undefined, onClose: () => undefined },
} as const

function noteUnforeseen(errors: string[], { method, fault, error }: CallReport): void {
  if (fault?.code === -32603) errors.push(`${method} failed inside: ${stackOf(error)}`)
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function isNotification(text: string): boolean {
  return text.startsWith('{"jsonrpc":"2.0","method":"eth_subscription"')
}

/** Words of the language that the node is written in. A client cannot do anything with them. */
const innards =
  /Cannot |undefined|is not (?:a function|iterable)|Maximum call|Invalid (?:array|string|typed)|\[object |NaN|BigInt/

/** Every answer is what JSON-RPC 2.0 says, one for each call that wants one, and no error is our own. */
export function checkAnswer(text: string, request?: string): void {
  const answer: unknown = JSON.parse(text)
  const list = Array.isArray(answer) ? answer : [answer]
  for (const each of list as readonly Record<string, unknown>[]) {
    mustHold(each['jsonrpc'] === '2.0' && 'id' in each, 'an answer that is none')
    mustHold('result' in each !== 'error' in each, 'neither a result nor an error, or both')
    if (!('error' in each)) continue
    const { code, message } = each['error'] as { code: unknown; message: unknown }
    mustHold(Number.isInteger(code) && code !== -32603, `an error of the code ${code}`)
    mustHold(typeof message === 'string' && message.length > 0, 'an error without a message')
    mustHold(
      !innards.test(message),
      `an error that speaks of our insides: ${message.slice(0, 200)}`,
    )
  }
  if (request === undefined) return
  let calls: unknown
  try {
    calls = JSON.parse(request)
  } catch {
    return
  }
  if (!Array.isArray(calls) || calls.length === 0 || calls.length > 1000) return
  const wanted = calls.filter((call: unknown) => !isCallWithoutId(call)).length
  mustHold(list.length === wanted, `${list.length} answers in place of ${wanted}`)
}

function isCallWithoutId(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { jsonrpc, method, id } = value as Record<string, unknown>
  return jsonrpc === '2.0' && typeof method === 'string' && id === undefined
}
