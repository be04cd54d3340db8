/** The thread of the Ethereum node. Started by ethereum-service.ts; ends when it is told to close. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert, type Logger } from '@cairn/core'
import {
  type EthereumService,
  type EthereumThreadData,
  type FromEthereumThread,
  openInPlace,
} from './ethereum-service.ts'

const port = parentPort
assert(port !== null, 'this file runs as a worker')
const reply = (message: FromEthereumThread): void => port.postMessage(message)
const { options, directory } = workerData as EthereumThreadData
let service: EthereumService | undefined

port.on('message', () => {
  void (service?.close() ?? Promise.resolve()).finally(() => reply({ kind: 'closed' }))
})

try {
  const logger: Logger = {
    log: (level, message, fields) => {
      reply({ kind: 'log', level, message, fields: plainFields(fields) })
    },
  }
  service = await openInPlace(options, { directory, logger }, (failure) =>
    reply({ kind: 'executionFailed', failure }),
  )
  reply({ kind: 'opened', info: service.info })
} catch (error) {
  reply({ kind: 'failed', error })
}

/** What a message between threads can carry. */
function plainFields(
  fields: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (fields === undefined) return undefined
  const plain = Object.entries(fields).map(([name, value]) => {
    const isPlain = ['string', 'number', 'boolean', 'bigint'].includes(typeof value)
    return [name, isPlain || value instanceof Error ? value : String(value)]
  })
  return Object.fromEntries(plain) as Record<string, unknown>
}
