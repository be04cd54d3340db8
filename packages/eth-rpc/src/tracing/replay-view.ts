/** What of the chain is needed to execute a block anew: its transactions, and the state that they found. */
import {
  type Block,
  type BlockHeader,
  dataToHex,
  forkAt,
  includesFork,
  recoverSender,
  transactionHash,
} from '@cairn/eth-codec'
import type { State } from '@cairn/eth-state'
import type { CallState } from '../calls/call-runner.ts'
import { faults } from '../faults.ts'
import type { NodeView } from '../node-view.ts'
import type { BlockReference } from '../parameters.ts'
import { reexecDefault } from './trace-config.ts'
import type { ReplayedTransaction } from './trace-job.ts'

/** A committed state, and a block to run in. */
export interface ReplayState extends CallState {
  readonly state: State
}

/** @throws RpcFault when there is no such block. */
export function storedBlock(
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

/** The block's transactions, with what came of them when it was executed here. */
export function replayedTransactions(
  view: NodeView,
  block: Block,
  hash: string,
): ReplayedTransaction[] {
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

/** Those before one of the block's. */
export function precedingTransactions(
  view: NodeView,
  block: Block,
  hash: string,
  index: number,
): ReplayedTransaction[] {
  const count = block.transactions.length
  if (index > 0 && index >= count) {
    throw faults.server(`transaction index ${index} out of range for block ${hash}`)
  }
  return replayedTransactions(view, block, hash).slice(0, index)
}

/** Where the block's first transaction runs. */
export function stateBefore(
  view: NodeView,
  header: BlockHeader,
  hash: string,
  reexec: bigint = reexecDefault,
): ReplayState {
  if (header.number === 0n) throw faults.server('genesis is not traceable')
  const parentHash = dataToHex(header.parentHash)
  const parent = view.chain.store.headerByHash(parentHash)
  if (parent === undefined) throw faults.server(`block ${parentHash} not found`)
  return { state: stateOf(view, parent, reexec), context: view.contextOf(header, hash) }
}

/** Where a message upon the block runs, as if it were in it. */
export function stateAfter(
  view: NodeView,
  header: BlockHeader,
  hash: string,
  reexec: bigint = reexecDefault,
): ReplayState {
  return { state: stateOf(view, header, reexec), context: view.contextOf(header, hash) }
}

export function stateOf(
  view: NodeView,
  header: BlockHeader,
  reexec: bigint = reexecDefault,
): State {
  const state = view.chain.stateAt(header.stateRoot)
  if (state !== undefined) return state
  throw faults.server(`required historical state unavailable (reexec=${reexec})`)
}
