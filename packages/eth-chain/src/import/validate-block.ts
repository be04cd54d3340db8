/**
 * Checks of a block beside its header: the body against the header, and what execution made of it. Texts are those of
 * geth 1.13 (core/block_validator.go), which tools look for.
 */
import { equalBytes, toHex } from '@cairn/core'
import {
  type Block,
  emptyUnclesHash,
  encodeTransaction,
  type ForkName,
  includesFork,
  recoverSender,
} from '@cairn/eth-codec'
import { orderedTrieRoot } from '@cairn/eth-state'
import { blockInvalid, type ChainError } from '../errors.ts'
import type { BlockExecution } from './execution.ts'

/** @throws ChainError BLOCK_INVALID */
export function checkBody(block: Block, hash: string): void {
  const { header, transactions, uncles } = block
  if (uncles.length > 0 || !equalBytes(header.unclesHash, emptyUnclesHash)) {
    throw blockInvalid(hash, header.number, 'uncles not allowed')
  }
  const root = orderedTrieRoot(transactions.map(encodeTransaction))
  if (equalBytes(root, header.transactionsRoot)) return
  const detail = `have ${toHex(root)}, want ${toHex(header.transactionsRoot)}`
  throw blockInvalid(hash, header.number, `transaction root hash mismatch: ${detail}`)
}

/** @throws ChainError BLOCK_INVALID when a signature is none. */
export function recoverSenders(block: Block, hash: string, fork: ForkName): Uint8Array[] {
  const allowsHighS = !includesFork(fork, 'homestead')
  return block.transactions.map((transaction, index) => {
    try {
      return recoverSender(transaction, allowsHighS)
    } catch (cause) {
      throw transactionInvalid(block, hash, index, cause)
    }
  })
}

/** geth's text for a transaction that may not stand where it stands. */
export function transactionInvalid(
  block: Block,
  hash: string,
  index: number,
  cause: unknown,
): ChainError {
  const text = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
  const reason = `could not apply tx ${index}: ${text}`
  return blockInvalid(hash, block.header.number, reason, cause)
}

/** @throws ChainError BLOCK_INVALID when the header says something else than what happened. */
export function checkOutcome(
  block: Block,
  hash: string,
  execution: BlockExecution,
  stateRoot: Uint8Array,
): void {
  const { header } = block
  const { gasUsed, logsBloom, receiptsRoot } = execution
  const fail = (reason: string): never => {
    throw blockInvalid(hash, header.number, reason)
  }
  if (gasUsed !== header.gasUsed) {
    fail(`invalid gas used (remote: ${header.gasUsed} local: ${gasUsed})`)
  }
  if (!equalBytes(logsBloom, header.logsBloom)) fail('invalid bloom')
  if (!equalBytes(receiptsRoot, header.receiptsRoot)) {
    const remote = toHex(header.receiptsRoot)
    fail(`invalid receipt root hash (remote: ${remote} local: ${toHex(receiptsRoot)})`)
  }
  if (!equalBytes(stateRoot, header.stateRoot)) {
    const remote = toHex(header.stateRoot)
    fail(`invalid merkle root (remote: ${remote} local: ${toHex(stateRoot)})`)
  }
}
