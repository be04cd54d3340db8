/**
 * Logs of canonical blocks by address and topics, as eth_getLogs asks for them. The index of postings says which blocks
 * to read; the logs themselves are compared, so what the index holds too much of costs time only.
 */
import { equalBytes } from '@cairn/core'
import { type BlockHeader, type Log, transactionHash } from '@cairn/eth-codec'
import {
  addressPosting,
  type ChainStore,
  present,
  topicPostingFirst,
} from '../store/chain-store.ts'

export interface LogFilter {
  /** 20 bytes each, one of which has to be the log's; none: any. */
  readonly addresses: readonly Uint8Array[]
  /** By position: 32 bytes each, one of which has to be the log's; none: any, as long as there is a topic. */
  readonly topics: readonly (readonly Uint8Array[])[]
}

/** A log with its place. */
export interface PlacedLog {
  readonly log: Log
  readonly blockNumber: bigint
  /** `0x` and 64 digits. */
  readonly blockHash: string
  readonly timestamp: bigint
  readonly transactionHash: Uint8Array
  readonly transactionIndex: number
  /** In the block. */
  readonly logIndex: number
}

/** So few blocks are read at once rather than looked up in one more part of the index. */
const blockCountSmall = 64

/** Entries of the index read in one step. */
const postingCountPerStep = 512

/**
 * Logs of blocks `from` to `to`, both included, in their order: block by block, and empty lists between, so that the
 * caller can stop at a bound of its own, of time or of count, wherever nothing is found.
 */
export function* findLogs(
  store: ChainStore,
  filter: LogFilter,
  from: bigint,
  to: bigint,
): Generator<readonly PlacedLog[]> {
  for (const number of blocksToRead(store, filter, from, to)) {
    const hash = number === undefined ? undefined : store.canonicalHash(number)
    yield hash === undefined ? [] : [...logsOfBlock(store, hash, filter)]
  }
}

/** Logs of one block of any branch that was executed; none when its receipts are not there. */
export function* logsOfBlock(
  store: ChainStore,
  hash: string,
  filter: LogFilter,
): Generator<PlacedLog> {
  const header = store.headerByHash(hash)
  if (header === undefined || isEmptyBloom(header)) return
  let logIndex = 0
  for (const [transactionIndex, { logs }] of (store.receiptsByHash(hash) ?? []).entries()) {
    let found: Uint8Array | undefined
    for (const log of logs) {
      const index = logIndex++
      if (!matchesLog(filter, log)) continue
      found ??= hashOfTransaction(store, hash, transactionIndex)
      yield {
        log,
        blockNumber: header.number,
        blockHash: hash,
        timestamp: header.timestamp,
        transactionHash: found,
        transactionIndex,
        logIndex: index,
      }
    }
  }
}

export function matchesLog(filter: LogFilter, log: Log): boolean {
  const { addresses, topics } = filter
  if (addresses.length > 0 && !includesBytes(addresses, log.address)) return false
  if (topics.length > log.topics.length) return false
  return topics.every(
    (wanted, position) =>
      wanted.length === 0 || includesBytes(wanted, log.topics[position] as Uint8Array),
  )
}

/** Their numbers, and undefined now and then while the index is read. */
function* blocksToRead(
  store: ChainStore,
  { addresses, topics }: LogFilter,
  from: bigint,
  to: bigint,
): Generator<bigint | undefined> {
  const criteria = [
    { kind: addressPosting, values: addresses },
    ...topics.map((values, position) => ({ kind: topicPostingFirst + position, values })),
  ].filter(({ values }) => values.length > 0)
  let numbers: bigint[] | undefined
  for (const { kind, values } of criteria) {
    if (numbers !== undefined && numbers.length <= blockCountSmall) break
    const found = new Set<bigint>()
    for (const value of values) {
      for (const number of store.postings(kind, value, from, to)) {
        found.add(number)
        if (found.size % postingCountPerStep === 0) yield undefined
      }
      yield undefined
    }
    numbers = numbers === undefined ? [...found] : numbers.filter((number) => found.has(number))
  }
  if (numbers === undefined) {
    for (let number = from; number <= to; number++) yield number
    return
  }
  yield* numbers.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function includesBytes(values: readonly Uint8Array[], value: Uint8Array): boolean {
  return values.some((each) => equalBytes(each, value))
}

function isEmptyBloom({ logsBloom }: BlockHeader): boolean {
  return logsBloom.every((byte) => byte === 0)
}

function hashOfTransaction(store: ChainStore, blockHash: string, index: number): Uint8Array {
  const body = present(store.bodyByHash(blockHash), 'the body of a block')
  return transactionHash(present(body.transactions[index], 'a transaction'))
}
