/**
 * Methods of `debug` that execute transactions anew and tell how they ran. Source: geth 1.13, eth/tracers/api.go. Not
 * here: traceChain, and what reads or writes files of the node.
 */
import {
  type Block,
  type BlockHeader,
  blockHash,
  dataToHex,
  decodeBlock,
  forkAt,
  includesFork,
  recoverSender,
  transactionHash,
} from '@cairn/eth-codec'
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
  readTraceCallConfig,
  readTraceConfig,
  type TraceConfig,
  traceCallConfigDefault,
  traceConfigDefault,
} from '../tracing/trace-config.ts'
import type { ReplayedTransaction } from '../tracing/trace-job.ts'

const config = optional(required(readTraceConfig))
const callConfig = optional(required(readTraceCallConfig))
const message = required(readTransactionArguments)

export function debugTracingMethods(view: NodeView, calls: CallScheduler): MethodTable {
  const run = (job: CallJob, stateOf: () => CallState) => jsonText(calls.run(job, stateOf))
  const traceBlock = (block: Block, hash: string, given: TraceConfig | undefined) => {
    const options = given ?? traceConfigDefault
    const transactions = replayed(view, block, hash)
    return run(
      { kind: 'traceBlock', transactions, traced: 'all', blockHash: hash, config: options },
      () => stateBefore(view, block.header, hash, options),
    )
  }
  return {
    debug_traceTransaction: method(
      [parameters.hash, config],
      ([id, given = traceConfigDefault]) => {
        const place = view.chain.store.placeOf(id)
        if (place === undefined) throw faults.server('transaction not found')
        const { block, hash } = storedBlock(view, { kind: 'number', number: place.number })
        const transactions = replayed(view, block, hash).slice(0, place.index + 1)
        return run(
          { kind: 'traceBlock', transactions, traced: 'last', blockHash: hash, config: given },
          () => stateBefore(view, block.header, hash, given),
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
        const preceding = index === undefined ? [] : precedingOf(view, block, hash, index)
        return run({ kind: 'traceCall', given, preceding, config: options }, () =>
          index === undefined
            ? stateAfter(view, block.header, hash, options)
            : stateBefore(view, block.header, hash, options),
        )
      },
    ),
  }
}

function jsonText(result: unknown): JsonText | Promise<JsonText> {
  if (result instanceof Promise) return result.then((text: string) => new JsonText(text))
  return new JsonText(result as string)
}

/** @throws RpcFault when there is no such block. */
function storedBlock(
  view: NodeView,
  reference: BlockReference,
): { readonly block: Block; readonly hash: string } {
  if (reference.kind === 'tag' && reference.tag === 'pending') {
    throw faults.server('tracing on top of pending is not supported')
  }
  const hash = view.findHash(reference)
  const block = hash === undefined ? undefined : view.chain.store.blockByHash(hash)
  if (hash !== undefined && block !== undefined) return { block, hash }
  throw faults.server(
    reference.kind === 'hash'
      ? `block ${dataToHex(reference.hash)} not found`
      : `block #${reference.kind === 'number' ? reference.number : reference.tag} not found`,
  )
}

function readBlock(bytes: Uint8Array): Block {
  try {
    return decodeBlock(bytes)
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw faults.server(`could not decode block: ${reason}`)
  }
}

/** The block's transactions, with what came of them when it was executed here. */
function replayed(view: NodeView, block: Block, hash: string): ReplayedTransaction[] {
  const { header, transactions } = block
  const fork = forkAt(view.chain.config, header.number, header.timestamp)
  const executed = view.executedBlock(hash)
  return transactions.map((transaction, index) => {
    const receipt = executed?.receipts[index]
    const before = executed?.receipts[index - 1]?.cumulativeGasUsed ?? 0n
    // Receipts before Byzantium do not say whether it succeeded.
    const outcome =
      receipt === undefined || typeof receipt.outcome !== 'number'
        ? undefined
        : {
            gasUsed: receipt.cumulativeGasUsed - before,
            isSuccess: receipt.outcome === 1,
          }
    return {
      transaction,
      sender:
        executed?.senders[index] ?? recoverSender(transaction, !includesFork(fork, 'homestead')),
      hash: dataToHex(transactionHash(transaction)),
      outcome,
    }
  })
}

function precedingOf(
  view: NodeView,
  block: Block,
  hash: string,
  index: number,
): ReplayedTransaction[] {
  const count = block.transactions.length
  if (index > 0 && index >= count) {
    throw faults.server(`transaction index ${index} out of range for block ${hash}`)
  }
  return replayed(view, block, hash).slice(0, index)
}

/** Where the block's first transaction runs. */
function stateBefore(
  view: NodeView,
  header: BlockHeader,
  hash: string,
  { reexec }: TraceConfig,
): CallState {
  if (header.number === 0n) throw faults.server('genesis is not traceable')
  const parentHash = dataToHex(header.parentHash)
  const parent = view.chain.store.headerByHash(parentHash)
  if (parent === undefined) throw faults.server(`block ${parentHash} not found`)
  return { state: stateOf(view, parent, reexec), context: view.contextOf(header, hash) }
}

/** Where a message upon the block runs, as if it were in it. */
function stateAfter(
  view: NodeView,
  header: BlockHeader,
  hash: string,
  { reexec }: TraceConfig,
): CallState {
  return { state: stateOf(view, header, reexec), context: view.contextOf(header, hash) }
}

function stateOf(view: NodeView, header: BlockHeader, reexec: bigint): CallState['state'] {
  const state = view.chain.stateAt(header.stateRoot)
  if (state !== undefined) return state
  throw faults.server(`required historical state unavailable (reexec=${reexec})`)
}
