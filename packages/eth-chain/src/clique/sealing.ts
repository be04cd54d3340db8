/**
 * What a sealer needs of Clique: whether it may seal the next block, the header it starts from, and how long it waits
 * (EIP-225; geth 1.13, Prepare and Seal). The loop around it, the transactions and the publishing are the sealer's.
 */
import type { Random } from '@cairn/core'
import {
  type BlockHeader,
  type ChainConfig,
  type CliqueConfig,
  cliqueSealBytesSize,
  cliqueVanityBytesSize,
  dataFromHex,
  emptyUnclesHash,
  isLondon,
} from '@cairn/eth-codec'
import { nextBaseFee, nextGasLimit } from '../gas-rules.ts'
import { nonceAdd, nonceDrop, sealLimit, wiggleMs } from './constants.ts'
import type { CliqueProposal } from './proposals.ts'
import { randomBelow } from './random-below.ts'
import { type AddressText, type CliqueSnapshot, difficultyOf, isInTurn } from './snapshot.ts'

export type SealingTurn =
  /** It may seal now; out of turn it waits a little longer than the others may. */
  | { readonly kind: 'seal'; readonly isInTurn: boolean; readonly difficulty: bigint }
  /** It is no signer. geth's text: `unauthorized signer`. */
  | { readonly kind: 'unauthorized' }
  /** It sealed one of the latest blocks and has to wait for others. */
  | { readonly kind: 'recentlySigned' }

/** Whether `signer` may seal the block after the snapshot. */
export function sealingTurn(snapshot: CliqueSnapshot, signer: AddressText): SealingTurn {
  const number = snapshot.number + 1n
  const { signers, recents } = snapshot
  if (!signers.includes(signer)) return { kind: 'unauthorized' }
  const limit = sealLimit(signers.length)
  for (const [seen, recent] of recents) {
    if (recent === signer && seen > number - limit) return { kind: 'recentlySigned' }
  }
  return {
    kind: 'seal',
    isInTurn: isInTurn(snapshot, number, signer),
    difficulty: difficultyOf(snapshot, number, signer),
  }
}

/** A header before its block was executed: what execution finds out is missing, and the seal is zeros. */
export type PreparedHeader = Omit<
  BlockHeader,
  'stateRoot' | 'transactionsRoot' | 'receiptsRoot' | 'logsBloom' | 'gasUsed'
>

export interface PrepareOptions {
  readonly config: ChainConfig & { readonly clique: CliqueConfig }
  readonly parent: BlockHeader
  /** 32 bytes. */
  readonly parentHash: Uint8Array
  /** After the parent. */
  readonly snapshot: CliqueSnapshot
  readonly signer: AddressText
  /** Taken unless the block is a checkpoint. */
  readonly proposal: CliqueProposal | undefined
  /** Up to 32 bytes of anything; more is cut off. */
  readonly vanity: Uint8Array
  readonly gasLimitWanted: bigint
  readonly nowSeconds: bigint
}

export function prepareHeader(options: PrepareOptions): PreparedHeader {
  const { config, parent, snapshot, signer } = options
  const number = parent.number + 1n
  const isCheckpoint = number % config.clique.epoch === 0n
  const proposal = isCheckpoint ? undefined : options.proposal
  const earliest = parent.timestamp + config.clique.periodSeconds
  return {
    parentHash: options.parentHash,
    unclesHash: emptyUnclesHash,
    coinbase: proposal === undefined ? new Uint8Array(20) : dataFromHex(proposal.address, 20),
    difficulty: difficultyOf(snapshot, number, signer),
    number,
    gasLimit: nextGasLimit(config, parent, options.gasLimitWanted),
    timestamp: earliest > options.nowSeconds ? earliest : options.nowSeconds,
    extraData: extraDataOf(options.vanity, isCheckpoint ? snapshot.signers : []),
    mixHash: new Uint8Array(32),
    nonce: proposal?.authorize === true ? nonceAdd : nonceDrop,
    baseFeePerGas: isLondon(config, number) ? nextBaseFee(config, parent) : undefined,
  }
}

function extraDataOf(vanity: Uint8Array, signers: readonly AddressText[]): Uint8Array {
  const size = cliqueVanityBytesSize + 20 * signers.length + cliqueSealBytesSize
  const extraData = new Uint8Array(size)
  extraData.set(vanity.subarray(0, cliqueVanityBytesSize))
  for (const [index, signer] of signers.entries()) {
    extraData.set(dataFromHex(signer, 20), cliqueVanityBytesSize + 20 * index)
  }
  return extraData
}

/**
 * How long to wait before a sealed block is published, in ms: until its time has come, and out of turn a random while
 * more, so that the signer in turn is heard first and the others do not speak all at once.
 */
export function sealDelayMs(
  header: { readonly timestamp: bigint },
  turn: { readonly isInTurn: boolean; readonly signerCount: number },
  nowMs: number,
  random: Random,
): number {
  const untilTimeMs = Math.max(0, Number(header.timestamp) * 1000 - nowMs)
  if (turn.isInTurn) return untilTimeMs
  return untilTimeMs + randomBelow(random, Number(sealLimit(turn.signerCount)) * wiggleMs)
}
