/**
 * The block in the making as plain data, and as a block with its state to read: what JSON-RPC means by `pending`. A
 * snapshot, so that it can travel between threads and stays what it is while transactions are appended.
 */
import {
  type Block,
  dataToHex,
  type Receipt,
  type StateChanges,
  type StateReader,
} from '@cairn/eth-codec'
import type { BlockContext } from '@cairn/eth-evm'
import type { ChainReader } from '../chain-reader.ts'
import { chainDamaged } from '../errors.ts'
import { blockContext } from '../import/execution.ts'
import type { Candidate } from '../sealer/candidate.ts'

const zeroWord = new Uint8Array(32)

export interface PendingBlock {
  /** Its state root is zeros. */
  readonly block: Block
  readonly senders: readonly Uint8Array[]
  readonly receipts: readonly Receipt[]
  readonly state: StateReader
  readonly context: BlockContext
}

export interface PendingSnapshot extends Pick<PendingBlock, 'block' | 'senders' | 'receipts'> {
  /** Changes with the parent and with each transaction. */
  readonly version: string
  /** Who would get the tips, 20 bytes. */
  readonly author: Uint8Array
  /** From the state after the parent on. */
  readonly changes: StateChanges
}

/** What a snapshot of the candidate would have as its version. */
export function pendingVersion({ header, transactions }: Candidate): string {
  return `${dataToHex(header.parentHash)} ${transactions.length}`
}

export function pendingSnapshot(candidate: Candidate): PendingSnapshot {
  const { execution, senders } = candidate
  return {
    version: pendingVersion(candidate),
    block: candidate.peek(),
    senders: [...senders],
    receipts: [...execution.receipts],
    author: execution.context.coinbase,
    changes: execution.state.knownChanges(),
  }
}

/** @throws ChainError CHAIN_DAMAGED when the chain does not have the block below it. */
export function pendingBlockOf(snapshot: PendingSnapshot, chain: ChainReader): PendingBlock {
  const { block, senders, receipts, author, changes } = snapshot
  const { store } = chain
  const parent = store.headerByHash(dataToHex(block.header.parentHash))
  const state = parent && chain.stateAt(parent.stateRoot)
  if (state === undefined) throw chainDamaged('the state below the pending block is missing')
  const hashes = { ancestorHash: store.ancestorHash.bind(store) }
  return {
    block,
    senders,
    receipts,
    state: changedState(state, changes),
    context: blockContext(block.header, author, hashes),
  }
}

/** A state with changes that lie upon it. */
function changedState(below: StateReader, { accounts, codes }: StateChanges): StateReader {
  const changeOf = new Map(accounts.map((change) => [dataToHex(change.address), change]))
  const slotsOf = new Map(
    accounts.map(({ address, storage }) => [
      dataToHex(address),
      new Map(storage.map(({ slot, value }) => [dataToHex(slot), value])),
    ]),
  )
  const codeOf = new Map(codes.map(({ codeHash, code }) => [dataToHex(codeHash), code]))
  return {
    readAccount(address) {
      const change = changeOf.get(dataToHex(address))
      return change === undefined ? below.readAccount(address) : change.account
    },
    readStorage(address, slot) {
      const account = dataToHex(address)
      const known = slotsOf.get(account)?.get(dataToHex(slot))
      if (known !== undefined) return known
      const isCleared = changeOf.get(account)?.storageCleared === true
      return isCleared ? zeroWord : below.readStorage(address, slot)
    },
    readCode: (codeHash) => codeOf.get(dataToHex(codeHash)) ?? below.readCode(codeHash),
  }
}
