/**
 * Methods of `debug` that execute transactions anew and tell how they ran. Source: geth 1.13, eth/tracers/api.go. Not
 * here: traceChain, and what reads or writes files of the node.
 */
import { type Block, blockHash, dataToHex, decodeBlock } from '@cairn/eth-codec'
import { readTransactionArguments } from '../call-arguments.ts'
import type { CallJob } from '../calls/call-job.ts'
import type { CallState } from '../calls/call-runner.ts'
import type { CallScheduler } from '../calls/call-scheduler.ts'
import { faults } from '../faults.ts'
import { JsonText } from '../json-text.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import { type BlockReference, parameters } from '../parameters.ts'
import {
  precedingTransactions,
  replayedTransactions,
  stateAfter,
  stateBefore,
  storedBlock,
} from '../tracing/replay-view.ts'
import {
  readTraceCallConfig,
  readTraceConfig,
  type TraceConfig,
  traceCallConfigDefault,
  traceConfigDefault,
} from '../tracing/trace-config.ts'

const config = optional(required(readTraceConfig))
const callConfig = optional(required(readTraceCallConfig))
const message = required(readTransactionArguments)

export function debugTracingMethods(view: NodeView, calls: CallScheduler): MethodTable {
  const run = (job: CallJob, stateOf: () => CallState) => jsonText(calls.run(job, stateOf))
  const traceBlock = (block: Block, hash: string, given: TraceConfig | undefined) => {
    const options = given ?? traceConfigDefault
    const transactions = replayedTransactions(view, block, hash)
    return run(
      { kind: 'traceBlock', transactions, traced: 'all', blockHash: hash, config: options },
      () => stateBefore(view, block.header, hash, options.reexec),
    )
  }
  return {
    debug_traceTransaction: method(
      [parameters.hash, config],
      ([id, given = traceConfigDefault]) => {
        const place = view.chain.store.placeOf(id)
        if (place === undefined) throw faults.server('transaction not found')
        const { block, hash } = storedBlock(view, { kind: 'number', number: place.number })
        const transactions = replayedTransactions(view, block, hash).slice(0, place.index + 1)
        return run(
          { kind: 'traceBlock', transactions, traced: 'last', blockHash: hash, config: given },
          () => stateBefore(view, block.header, hash, given.reexec),
        )
      },
    ),
    debug_traceBlockByNumber: method([parameters.block, config], ([id, given]) => {
      const { block, hash } = storedBlock(view, id)
      return traceBlock(block, hash, given)
    }),
    debug_traceBlockByHash: method([parameters.hash, config], ([id, given]) => {
      const reference: BlockReference = { kind: 'hash', hash: id, requireCanonical: false }
      const { block, hash } = storedBlock(view, reference)
      return traceBlock(block, hash, given)
    }),
    debug_traceBlock: method([parameters.data, config], ([bytes, given]) => {
      const block = readBlock(bytes)
      return traceBlock(block, dataToHex(blockHash(block.header)), given)
    }),
    debug_traceCall: method(
      [message, parameters.block, callConfig],
      ([given, id, options = traceCallConfigDefault]) => {
        const { block, hash } = storedBlock(view, id)
        const index = options.transactionIndex
        const preceding = index === undefined ? [] : precedingTransactions(view, block, hash, index)
        return run({ kind: 'traceCall', given, preceding, config: options }, () =>
          index === undefined
            ? stateAfter(view, block.header, hash, options.reexec)
            : stateBefore(view, block.header, hash, options.reexec),
        )
      },
    ),
  }
}

function jsonText(result: unknown): JsonText | Promise<JsonText> {
  if (result instanceof Promise) return result.then((text: string) => new JsonText(text))
  return new JsonText(result as string)
}

function readBlock(bytes: Uint8Array): Block {
  try {
    return decodeBlock(bytes)
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw faults.server(`could not decode block: ${reason}`)
  }
}
