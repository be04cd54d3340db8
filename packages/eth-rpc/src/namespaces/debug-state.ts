/**
 * Methods of `debug` that look into state and blocks. Source: geth 1.13, eth/api_debug.go. Addresses and slots are kept
 * as hashes, as with geth unless it runs with --cache.preimages: where it leaves out what it cannot name, accounts are
 * told by their hash here. Not here: setHead, which would take back what others were told is final.
 */
import { equalBytes, toHex } from '@cairn/core'
import {
  type AccountChange,
  type Block,
  blockHash,
  dataToHex,
  decodeBlock,
  emptyCodeHash,
  keccak256,
  recoverSender,
  type Transaction,
} from '@cairn/eth-codec'
import type { HashedAccount, State } from '@cairn/eth-state'
import type { CallScheduler } from '../calls/call-scheduler.ts'
import { faults } from '../faults.ts'
import { formatBlock, type Json } from '../format.ts'
import { type MethodTable, method, optional } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import { type BlockReference, parameters } from '../parameters.ts'
import {
  precedingTransactions,
  replayedTransactions,
  stateAfter,
  stateBefore,
  stateOf,
  storedBlock,
} from '../tracing/replay-view.ts'

const { address, block, boolean, count, data, hash } = parameters

/** Accounts in one answer. geth: AccountRangeMaxResults. */
const accountCountMax = 256
/** Slots in one answer, which says where to go on; geth has no bound. */
const slotCountMax = 4096
/** Blocks that are executed anew for one answer. */
const modifiedBlockCountMax = 1024
/** The longest key there is. */
const hashSize = 32

export function debugStateMethods(view: NodeView, calls: CallScheduler): MethodTable {
  const byNumber = (number: number | bigint) =>
    findBlock(view, { kind: 'number', number: BigInt(number) })
  const byHash = (id: Uint8Array) =>
    findBlock(view, { kind: 'hash', hash: id, requireCanonical: false })
  return {
    debug_accountRange: method(
      [block, data, count, optional(boolean), optional(boolean), optional(boolean)],
      ([id, start, countMax, noCode]) => {
        const state = stateOf(view, view.header(id).header)
        const isFine = countMax > 0 && countMax <= accountCountMax
        return accountRange(state, start, isFine ? countMax : accountCountMax, noCode ?? false)
      },
    ),
    debug_dumpBlock: method([block], ([id]) =>
      accountRange(
        stateOf(view, view.header(id).header),
        new Uint8Array(0),
        accountCountMax,
        false,
      ),
    ),
    debug_storageRangeAt: method(
      [block, count, address, data, count],
      ([id, index, contract, start, countMax]) =>
        storageRange(view, calls, { id, index, contract, start, countMax }),
    ),
    debug_getModifiedAccountsByNumber: method([count, optional(count)], ([from, to]) => {
      const first = byNumber(from) ?? fail(`start block ${from.toString(16)} not found`)
      if (to === undefined) return modifiedAccounts(view, calls, parentOf(view, first), first)
      return modifiedAccounts(view, calls, first, byNumber(to) ?? fail(`end block ${to} not found`))
    }),
    debug_getModifiedAccountsByHash: method([hash, optional(hash)], ([from, to]) => {
      const first = byHash(from) ?? fail(`start block ${toHex(from)} not found`)
      if (to === undefined) return modifiedAccounts(view, calls, parentOf(view, first), first)
      const last = byHash(to) ?? fail(`end block ${toHex(to)} not found`)
      return modifiedAccounts(view, calls, first, last)
    }),
    debug_getBadBlocks: method([], async () => (await view.badBlocks()).map(badBlockJson)),
    debug_preimage: method([hash], () => fail('unknown preimage')),
    debug_printBlock: method([count], ([number]) => {
      const found = byNumber(number) ?? fail(`block #${number} not found`)
      return JSON.stringify(printable(view, found), undefined, 2)
    }),
    debug_memStats: method([], memoryStatistics),
  }
}

function fail(message: string): never {
  throw faults.server(message)
}

// ---- accounts ----

function accountRange(state: State, start: Uint8Array, countMax: number, noCode: boolean): Json {
  const accounts: [string, Json][] = []
  let next: string | undefined
  for (const each of state.accountsFrom(paddedHash(start))) {
    if (accounts.length === countMax) {
      next = Buffer.from(each.addressHash).toString('base64')
      break
    }
    accounts.push(accountJson(state, each, noCode))
  }
  return { root: toHex(state.root), accounts: Object.fromEntries(accounts), next }
}

function accountJson(
  state: State,
  { addressHash, account }: HashedAccount,
  noCode: boolean,
): [string, Json] {
  const { balance, nonce, storageRoot, codeHash } = account
  const hasCode = !equalBytes(codeHash, emptyCodeHash)
  const key = dataToHex(addressHash)
  const fields = {
    balance: balance.toString(),
    nonce: Number(nonce),
    root: dataToHex(storageRoot),
    codeHash: dataToHex(codeHash),
    code: hasCode && !noCode ? dataToHex(state.readCode(codeHash)) : undefined,
    key,
  }
  return [`pre(${key})`, fields]
}

function paddedHash(start: Uint8Array): Uint8Array {
  if (start.length > hashSize) fail(`the start has ${start.length} bytes, at most ${hashSize}`)
  const padded = new Uint8Array(hashSize)
  padded.set(start)
  return padded
}

// ---- storage ----

interface StorageQuestion {
  readonly id: BlockReference
  readonly index: number
  readonly contract: Uint8Array
  readonly start: Uint8Array
  readonly countMax: number
}

interface TracedSlot {
  readonly key: string | null
  readonly value: string
}

/** Slots as they are before a transaction of a block. Those that the block has changed so far have their names. */
async function storageRange(
  view: NodeView,
  calls: CallScheduler,
  { id, index, contract, start, countMax }: StorageQuestion,
): Promise<Json> {
  const { block: found, hash: id32 } = storedBlock(view, id)
  const transactions = precedingTransactions(view, found, id32, index)
  const place = () =>
    found.header.number === 0n
      ? stateAfter(view, found.header, id32)
      : stateBefore(view, found.header, id32)
  const changes = (await calls.run(
    { kind: 'blockChanges', transactions },
    place,
  )) as AccountChange[]
  const change = changes.find((each) => equalBytes(each.address, contract))
  const wanted = Math.min(countMax, slotCountMax)
  const slots = new Map<string, TracedSlot>()
  if (change?.storageCleared !== true) {
    // Enough for what changes take away from it.
    const enough = wanted + 1 + (change?.storage.length ?? 0)
    for (const { slotHash, value } of place().state.slotsFrom(contract, paddedHash(start))) {
      slots.set(dataToHex(slotHash), { key: null, value: dataToHex(value) })
      if (slots.size === enough) break
    }
  }
  const first = dataToHex(paddedHash(start))
  for (const { slot, value } of change?.storage ?? []) {
    const slotHash = dataToHex(keccak256(slot))
    if (slotHash < first) continue
    if (value.every((byte) => byte === 0)) slots.delete(slotHash)
    else slots.set(slotHash, { key: dataToHex(slot), value: dataToHex(value) })
  }
  if (slots.size === 0) return { storage: null, nextKey: null }
  const entries = [...slots].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    storage: Object.fromEntries(entries.slice(0, wanted)),
    nextKey: entries[wanted]?.[0] ?? null,
  }
}

// ---- what blocks changed ----

interface FoundBlock {
  readonly block: Block
  readonly hash: string
}

function findBlock(view: NodeView, reference: BlockReference): FoundBlock | undefined {
  const found = view.findHash(reference)
  const block = found === undefined ? undefined : view.chain.store.blockByHash(found)
  return found === undefined || block === undefined ? undefined : { block, hash: found }
}

function parentOf(view: NodeView, { block: { header } }: FoundBlock): FoundBlock {
  const { number, parentHash } = header
  const parent = findBlock(view, { kind: 'hash', hash: parentHash, requireCanonical: false })
  return parent ?? fail(`block ${number.toString(16)} has no parent`)
}

/** Addresses whose accounts are others after `last` than after `first`; those that are gone are left out. */
async function modifiedAccounts(
  view: NodeView,
  calls: CallScheduler,
  first: FoundBlock,
  last: FoundBlock,
): Promise<string[]> {
  const line = blocksBetween(view, first, last)
  const touched = new Map<string, Uint8Array>()
  for (const { block: each, hash: id } of line) {
    const transactions = replayedTransactions(view, each, id)
    if (transactions.length === 0) continue
    const place = () => stateBefore(view, each.header, id)
    const changes = await calls.run({ kind: 'blockChanges', transactions }, place)
    for (const change of changes as AccountChange[]) {
      touched.set(dataToHex(change.address), change.address)
    }
  }
  const before = stateOf(view, first.block.header)
  const after = stateOf(view, last.block.header)
  const isModified = (id: Uint8Array): boolean => {
    const now = after.readAccount(id)
    const then = before.readAccount(id)
    if (now === undefined || then === undefined) return now !== undefined
    const isSame =
      now.nonce === then.nonce &&
      now.balance === then.balance &&
      equalBytes(now.codeHash, then.codeHash) &&
      equalBytes(now.storageRoot, then.storageRoot)
    return !isSame
  }
  const modified = [...touched].filter(([, id]) => isModified(id))
  const ordered = modified.map(([text, id]): [string, string] => [toHex(keccak256(id)), text])
  return ordered.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
}

/** After the first up to the last, oldest first. */
function blocksBetween(view: NodeView, first: FoundBlock, last: FoundBlock): FoundBlock[] {
  const from = first.block.header.number
  const to = last.block.header.number
  if (from >= to) {
    fail(`start block height (${from}) must be less than end block height (${to})`)
  }
  if (to - from > BigInt(modifiedBlockCountMax)) {
    fail(`too many blocks between ${from} and ${to}, at most ${modifiedBlockCountMax}`)
  }
  const line: FoundBlock[] = []
  let at = last
  while (at.block.header.number > from) {
    line.unshift(at)
    at = parentOf(view, at)
  }
  if (at.hash !== first.hash) fail(`start block ${first.hash} is no ancestor of the end block`)
  return line
}

// ---- small things ----

function printable(view: NodeView, { block: found, hash: id }: FoundBlock): Json {
  const executed = view.executedBlock(id)
  const place = { hash: dataToHex(blockHash(found.header)), totalDifficulty: undefined }
  return formatBlock(found, place, executed?.senders ?? [], executed !== undefined)
}

function badBlockJson(bytes: Uint8Array): Json {
  const found = decodeBlock(bytes)
  const hash = dataToHex(blockHash(found.header))
  const senders = found.transactions.map(senderOrNone)
  const block = formatBlock(found, { hash, totalDifficulty: undefined }, senders, true)
  return { hash, block, rlp: dataToHex(bytes) }
}

/** A signature that is none may be what is bad about the block. */
function senderOrNone(transaction: Transaction): Uint8Array {
  try {
    return recoverSender(transaction)
  } catch {
    return new Uint8Array(20)
  }
}

/** Under the names that Go's runtime has for them, in bytes. */
function memoryStatistics(): Json {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage()
  return {
    Alloc: heapUsed + external,
    Sys: rss,
    HeapAlloc: heapUsed,
    HeapSys: heapTotal,
    HeapIdle: heapTotal - heapUsed,
    HeapInuse: heapUsed,
    OtherSys: arrayBuffers,
  }
}
