/** Methods of `eth` that run messages and keep nothing: eth_call, eth_estimateGas, eth_createAccessList. */
import {
  readBlockOverrides,
  readStateOverrides,
  readTransactionArguments,
} from '../call-arguments.ts'
import type { CallScheduler } from '../calls/call-scheduler.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import { type BlockReference, latestBlock, parameters } from '../parameters.ts'

const message = required(readTransactionArguments)
const overrides = optional(required(readStateOverrides))
const blockOverrides = optional(required(readBlockOverrides))
const block = optional(parameters.block)
const pendingBlock: BlockReference = { kind: 'tag', tag: 'pending' }

export function ethCallMethods(view: NodeView, calls: CallScheduler): MethodTable {
  return {
    eth_call: method([message, block, overrides, blockOverrides], ([given, at, state, header]) =>
      calls.run({ kind: 'call', given, overrides: state, blockOverrides: header }, () =>
        view.stateAfter(at ?? latestBlock),
      ),
    ),
    eth_estimateGas: method([message, block, overrides], ([given, at, state]) =>
      calls.run({ kind: 'estimate', given, overrides: state }, () =>
        view.stateAfter(at ?? latestBlock),
      ),
    ),
    eth_createAccessList: method([message, block], ([given, at]) =>
      calls.run({ kind: 'accessList', given }, () => view.stateAfter(at ?? pendingBlock)),
    ),
  }
}
