/** The thread that long calls run on. It asks the node for what they read of the state, and stands still meanwhile. */
import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import { assert } from '@cairn/core'
import type { Account, StateReader } from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { faultOf, RpcFault } from '../faults.ts'
import { runCallJob } from './call-job.ts'
import type {
  FromCallThread,
  StateAnswer,
  StateQuestion,
  ToCallThread,
} from './call-thread-messages.ts'

const port = parentPort
assert(port !== null, 'this file runs as a worker')
const evm = new Evm()
const signal = new Int32Array(new SharedArrayBuffer(4))
/** As long as a busy node may take; it ends a thread that waits too long. */
const answerMsMax = 60_000
const tell = (message: FromCallThread): void => port.postMessage(message)

const state: StateReader = {
  readAccount: (address) => ask({ kind: 'account', address }) as Account | undefined,
  readStorage: (address, slot) => ask({ kind: 'storage', address, slot }) as Uint8Array,
  hasStorage: (address) => ask({ kind: 'hasStorage', address }) as boolean,
  readCode: (codeHash) => ask({ kind: 'code', codeHash }) as Uint8Array,
}

port.on('message', (message: ToCallThread) => {
  if (message.kind !== 'run') return
  tell({ kind: 'begun' })
  const { job, config, limits, context } = message
  const blockHash = (number: bigint) => ask({ kind: 'blockHash', number }) as Uint8Array | undefined
  const place = {
    environment: { evm, config },
    state: { state, context: { ...context, blockHash } },
    limits,
  }
  try {
    tell({ kind: 'done', result: runCallJob(place, job) })
  } catch (error) {
    tell({ kind: 'failed', fault: faultOf(error).toObject() })
  }
})

function ask(question: StateQuestion): (StateAnswer & { value: unknown })['value'] {
  Atomics.store(signal, 0, 0)
  tell({ kind: 'read', question, signal })
  Atomics.wait(signal, 0, 0, answerMsMax)
  const received = receiveMessageOnPort(port as NonNullable<typeof port>)
  const message = received?.message as ToCallThread | undefined
  if (message?.kind !== 'state') throw new RpcFault(-32603, 'internal error')
  const { answer } = message
  if ('fault' in answer) throw new RpcFault(answer.fault.code, answer.fault.message)
  return answer.value
}
