/** Methods of `eth` that put transactions on their way. */
import {
  type ChainNode,
  checkRpcTransaction,
  type IncomingTransaction,
  type RpcRules,
  readIncoming,
} from '@cairn/eth-chain'
import { RlpError } from '@cairn/eth-codec'
import { faults } from '../faults.ts'
import { type MethodTable, method, type RpcMethod } from '../method.ts'
import { parameters, readData } from '../parameters.ts'

/** Finds out who signed transactions, elsewhere than on the thread that asks. */
export interface SenderRecovery {
  /**
   * @param raws As they travel alone.
   * @returns for each its sender, 20 bytes, or undefined: then whoever asked has to see for himself. Does not reject.
   */
  recoverSenders(raws: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
}

/** Fewer are done in place sooner than a message to another thread and back takes. */
const preparedCountMin = 8

/** @param recovery For batches; without it senders are recovered in place, one by one. */
export function ethSendingMethods(
  node: ChainNode,
  rules: RpcRules,
  recovery?: SenderRecovery,
): MethodTable {
  const add = (incoming: IncomingTransaction): string => {
    checkRpcTransaction(incoming.transaction, rules)
    return node.add(incoming).hash
  }
  const single = method([parameters.data], ([raw]) => add(readTransaction(raw)))
  if (recovery === undefined) return { eth_sendRawTransaction: single }
  const together = addTogether(add, recovery)
  const alone = method([parameters.data], ([raw], { isInBatch = false }) => {
    const incoming = readTransaction(raw)
    return isInBatch ? add(incoming) : together(incoming)
  })
  return { eth_sendRawTransaction: inBatches(alone, add, recovery) }
}

interface Sent {
  readonly incoming: IncomingTransaction
  resolve(hash: string): void
  reject(error: unknown): void
}

/**
 * Transactions that come alone, over many connections within one turn of the event loop, have their senders recovered
 * together; each takes effect before it is answered, in the order in which they came.
 */
function addTogether(
  add: (incoming: IncomingTransaction) => string,
  recovery: SenderRecovery,
): (incoming: IncomingTransaction) => Promise<string> {
  let waiting: Sent[] = []
  const settle = ({ incoming, resolve, reject }: Sent, sender: Uint8Array | undefined) => {
    try {
      resolve(add(sender === undefined ? incoming : { ...incoming, sender }))
    } catch (error) {
      reject(error)
    }
  }
  const flush = async () => {
    const group = waiting
    waiting = []
    const raws = group.map(({ incoming }) => incoming.raw)
    const senders = raws.length < preparedCountMin ? [] : await recovery.recoverSenders(raws)
    for (const [index, sent] of group.entries()) settle(sent, senders[index])
  }
  return (incoming) =>
    new Promise((resolve, reject) => {
      waiting.push({ incoming, resolve, reject })
      if (waiting.length === 1) setImmediate(flush)
    })
}

/** Takes effect call by call in their order, as without; only the senders are known by then. */
function inBatches(
  single: RpcMethod,
  add: (incoming: IncomingTransaction) => string,
  recovery: SenderRecovery,
): RpcMethod {
  /** By the parameters of the call, with which they go: a call of a batch may never be begun. */
  const prepared = new WeakMap<readonly unknown[], IncomingTransaction>()
  return {
    prepare(calls) {
      if (calls.length < preparedCountMin) return undefined
      const found: {
        readonly given: readonly unknown[]
        readonly incoming: IncomingTransaction
      }[] = []
      for (const given of calls) {
        const incoming = given.length === 1 ? tryRead(given[0]) : undefined
        if (incoming !== undefined) found.push({ given, incoming })
      }
      const raws = found.map(({ incoming }) => incoming.raw)
      return recovery.recoverSenders(raws).then((senders) => {
        for (const [index, { given, incoming }] of found.entries()) {
          const sender = senders[index]
          if (sender !== undefined) prepared.set(given, { ...incoming, sender })
        }
      })
    },
    call(given, context) {
      const incoming = prepared.get(given)
      return incoming === undefined ? single.call(given, context) : add(incoming)
    },
  }
}

function tryRead(text: unknown): IncomingTransaction | undefined {
  try {
    return readIncoming(readData(text))
  } catch {
    return undefined
  }
}

/** Bytes that are no transaction are refused in the words of go-ethereum's RLP. */
function readTransaction(raw: Uint8Array): IncomingTransaction {
  try {
    return readIncoming(raw)
  } catch (error) {
    if (error instanceof RlpError) throw faults.server(`rlp: ${error.shortMessage}`)
    throw error
  }
}
