/**
 * Which logs somebody wants: addresses, topics by position, a range of blocks (geth, eth/filters). The posting index
 * says which blocks can have any, so that thousands of empty ones are not looked at.
 */

import { findLogs, type LogFilter, logsOfBlock } from '@cairn/eth-chain'
import { dataToHex } from '@cairn/eth-codec'
import { faults } from './faults.ts'
import { formatLog, type Json } from './format.ts'
import type { NodeView } from './node-view.ts'
import {
  type BlockReference,
  latestBlock,
  readAddress,
  readBlockReference,
  readHash,
  readObject,
} from './parameters.ts'

/** geth: topics of a log, addresses of a filter; the rest bounds what one filter makes us compare. */
const topicCountMax = 4
const addressCountMax = 1000
const topicChoiceCountMax = 1000
/** How long one question may look for logs. geth lets it run as long as the call. */
const searchMsMax = 10_000
/** In one answer: some 60 MB of text. geth has no bound but the time. */
const logCountMax = 100_000

export interface LogCriteria extends LogFilter {
  /** Of one block only. `0x` and 64 digits. */
  readonly blockHash: string | undefined
  readonly from: BlockReference
  readonly to: BlockReference
}

/** @throws Error with geth's reason. */
export function readLogCriteria(value: unknown): LogCriteria {
  const { blockHash, fromBlock, toBlock, address, topics } = readObject(
    value,
    'filters.FilterCriteria',
  )
  if (blockHash !== undefined && blockHash !== null) {
    if ((fromBlock ?? toBlock ?? undefined) !== undefined) {
      throw new Error(
        'cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other',
      )
    }
  }
  const isGiven = (it: unknown) => it !== undefined && it !== null
  return {
    blockHash: isGiven(blockHash) ? dataToHex(readHash(blockHash)) : undefined,
    from: isGiven(fromBlock) ? readBlockReference(fromBlock) : latestBlock,
    to: isGiven(toBlock) ? readBlockReference(toBlock) : latestBlock,
    addresses: isGiven(address) ? readAddresses(address) : [],
    topics: isGiven(topics) ? readTopics(topics) : [],
  }
}

function readAddresses(value: unknown): Uint8Array[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length > addressCountMax) throw new Error('exceed max addresses')
  return list.map(readAddress)
}

function readTopics(value: unknown): Uint8Array[][] {
  if (!Array.isArray(value)) throw new Error('invalid topic(s)')
  if (value.length > topicCountMax) throw new Error('exceed max topics')
  return value.map((position: unknown) => {
    if (position === null) return []
    const choices: readonly unknown[] = Array.isArray(position) ? position : [position]
    if (choices.length > topicChoiceCountMax) throw new Error('exceed max topics')
    // One null among choices makes the position a wildcard, as in geth.
    if (choices.some((choice) => choice === null)) return []
    return choices.map(readHash)
  })
}

/**
 * Steps of a search; what they return is what JSON-RPC answers.
 * @throws RpcFault for blocks that there are none of, and when the search takes too long or finds too much.
 */
export function* searchLogs(view: NodeView, criteria: LogCriteria): Generator<undefined, Json[]> {
  const { store } = view.chain
  if (criteria.blockHash !== undefined) {
    if (store.headerByHash(criteria.blockHash) === undefined) throw faults.server('unknown block')
    return [...logsOfBlock(store, criteria.blockHash, criteria)].map((log) => formatLog(log))
  }
  const range = rangeOf(view, criteria)
  if (range === undefined) return []
  const endsMs = performance.now() + searchMsMax
  const found: Json[] = []
  for (const logs of findLogs(store, criteria, range.from, range.to)) {
    if (performance.now() > endsMs) throw faults.timeout()
    if (found.length + logs.length > logCountMax) {
      throw faults.server(`more than ${logCountMax} logs match; ask for fewer blocks at once`)
    }
    for (const log of logs) found.push(formatLog(log))
    yield
  }
  return found
}

/** Undefined where the blocks are still to come: a client that has seen the head asks for what is after it. */
function rangeOf(
  view: NodeView,
  { from, to }: LogCriteria,
): { readonly from: bigint; readonly to: bigint } | undefined {
  const head = view.chain.head.header.number
  const [first, last] = [from, to].map((reference) =>
    reference.kind === 'number' ? reference.number : view.header(reference).header.number,
  ) as [bigint, bigint]
  // As geth: what a tag stands for is no mistake of the client's.
  if (from.kind === 'number' && to.kind === 'number' && first > last) {
    throw faults.invalidParameters('invalid block range params')
  }
  const end = last < head ? last : head
  return first > end ? undefined : { from: first, to: end }
}
