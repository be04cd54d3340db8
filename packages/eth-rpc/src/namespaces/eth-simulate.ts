/** eth_simulateV1: blocks of messages that nobody signed, on any state. Newer than geth 1.13; viem asks for it. */
import {
  readBlockOverrides,
  readStateOverrides,
  readTransactionArguments,
} from '../call-arguments.ts'
import type { CallScheduler } from '../calls/call-scheduler.ts'
import { type SimulatedBlock, simulatedBlockCountMax } from '../calls/simulation.ts'
import { faults } from '../faults.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import { type NodeView, whenThere } from '../node-view.ts'
import { latestBlock, parameters, readObject } from '../parameters.ts'

interface SimulationOptions {
  readonly blocks: readonly SimulatedBlock[]
  readonly traceTransfers: boolean
  readonly validation: boolean
  readonly returnFullTransactions: boolean
}

/** Messages of all blocks together. */
const callCountMax = 5000

export function ethSimulateMethods(view: NodeView, calls: CallScheduler): MethodTable {
  return {
    eth_simulateV1: method(
      [required(readOptions), optional(parameters.block)],
      ([options, id = latestBlock]) => {
        if (options.blocks.length === 0) throw faults.invalidParameters('empty input')
        if (options.blocks.length > simulatedBlockCountMax) {
          throw faults.simulation('clientLimit', 'too many blocks')
        }
        return whenThere(view.stateAfter(id), (at) =>
          calls.run({ kind: 'simulate', ...options, base: at.header }, () => at),
        )
      },
    ),
  }
}

function readOptions(value: unknown): SimulationOptions {
  const object = readObject(value, 'ethapi.simOpts')
  const { blockStateCalls } = object
  const isGiven = blockStateCalls !== undefined && blockStateCalls !== null
  if (isGiven && !Array.isArray(blockStateCalls)) throw new Error('blockStateCalls is no array')
  const blocks = ((blockStateCalls ?? []) as readonly unknown[]).map(readBlock)
  const callCount = blocks.reduce((sum, { calls }) => sum + calls.length, 0)
  if (callCount > callCountMax) throw new Error(`more than ${callCountMax} calls`)
  return {
    blocks,
    traceTransfers: readFlag(object, 'traceTransfers'),
    validation: readFlag(object, 'validation'),
    returnFullTransactions: readFlag(object, 'returnFullTransactions'),
  }
}

function readBlock(value: unknown): SimulatedBlock {
  const { blockOverrides, stateOverrides, calls } = readObject(value, 'ethapi.simBlock')
  const list = calls ?? []
  if (!Array.isArray(list)) throw new Error('calls is no array')
  return {
    blockOverrides: readBlockOverrides(blockOverrides ?? {}),
    stateOverrides: readStateOverrides(stateOverrides ?? {}),
    calls: list.map(readTransactionArguments),
  }
}

function readFlag(object: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = object[name] ?? false
  if (typeof value === 'boolean') return value
  throw new Error(`json: cannot unmarshal field ${name} into Go value of type bool`)
}
