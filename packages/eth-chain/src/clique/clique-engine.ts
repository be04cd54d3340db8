/**
 * Clique, proof of authority (EIP-225): which headers are valid, in the order of geth's checks, and who may seal next.
 * Reads headers and snapshots through interfaces and is synchronous, so that a batch costs no turn of the event loop.
 * Not here: bodies and state (block import), when to seal (the sealer).
 */
import { equalBytes } from '@cairn/core'
import {
  type BlockHeader,
  blockHash,
  type ChainConfig,
  type CliqueConfig,
  cliqueSealBytesSize,
  cliqueVanityBytesSize,
  dataToHex,
  emptyUnclesHash,
  isZeroAddress,
  recoverCliqueSigner,
} from '@cairn/eth-codec'
import { RecentMap } from '@cairn/eth-state'
import { checkGasFields, gasLimitMax } from '../gas-rules.ts'
import { headerError } from '../header-error.ts'
import {
  difficultyInTurn,
  difficultyOutOfTurn,
  sealLimit,
  signerCountMax,
  snapshotCountMax,
  snapshotIntervalBlocks,
  trustedDepthBlocks,
} from './constants.ts'
import {
  type AddressText,
  applyHeader,
  type CliqueSnapshot,
  difficultyOf,
  firstSnapshot,
  isAddVote,
} from './snapshot.ts'

/** Where the engine finds headers that were accepted before, on any branch. */
export interface HeaderSource {
  /** The header with this hash, `0x` and 64 digits; undefined when it is not known. */
  headerByHash(hash: string): BlockHeader | undefined
}

/** Where the engine keeps a snapshot now and then. Losing it costs time only. */
export interface SnapshotStore {
  /** The snapshot after the block with this hash, if it was kept. */
  readSnapshot(hash: string): CliqueSnapshot | undefined
  writeSnapshot(snapshot: CliqueSnapshot): void
}

export const noSnapshotStore: SnapshotStore = {
  readSnapshot: () => undefined,
  writeSnapshot: () => {},
}

export interface CliqueEngineOptions {
  readonly config: ChainConfig & { readonly clique: CliqueConfig }
  readonly headers: HeaderSource
  readonly snapshots?: SnapshotStore
  /** Seconds since the Unix epoch, whole. */
  readonly nowSeconds: () => bigint
  /** Headers up to a checkpoint after which its list is believed; for tests. */
  readonly trustedDepthBlocks?: number
}

export class CliqueEngine {
  readonly #config: ChainConfig & { readonly clique: CliqueConfig }
  readonly #headers: HeaderSource
  readonly #snapshots: SnapshotStore
  readonly #nowSeconds: () => bigint
  readonly #trustedDepthBlocks: number
  readonly #recentSnapshots = new RecentMap<CliqueSnapshot>(snapshotCountMax / 2)
  readonly #recentSigners = new RecentMap<AddressText>(signerCountMax / 2)

  constructor(options: CliqueEngineOptions) {
    this.#config = options.config
    this.#headers = options.headers
    this.#snapshots = options.snapshots ?? noSnapshotStore
    this.#nowSeconds = options.nowSeconds
    this.#trustedDepthBlocks = options.trustedDepthBlocks ?? trustedDepthBlocks
  }

  isCheckpoint(number: bigint): boolean {
    return number % this.#config.clique.epoch === 0n
  }

  /** @throws HeaderError at the first rule that the header breaks. */
  verifyHeader(header: BlockHeader): void {
    this.#verify(header, dataToHex(blockHash(header)), this.#headers)
  }

  /**
   * Verifies headers that follow one another and need not be stored yet.
   * @returns their hashes, `0x` and 64 digits.
   * @throws HeaderError at the first rule that one of them breaks; its `number` tells which.
   */
  verifyHeaders(headers: readonly BlockHeader[]): string[] {
    const batch = new HeaderBatch(this.#headers)
    const hashes: string[] = []
    for (const header of headers) {
      const hash = dataToHex(blockHash(header))
      this.#verify(header, hash, batch)
      batch.add(hash, header)
      hashes.push(hash)
    }
    return hashes
  }

  /**
   * Who sealed a header: the author, whom fees go to.
   * @param hash Of the header, when it is at hand.
   * @throws HeaderError when the seal is no signature.
   */
  signerOf(header: BlockHeader, hash: string = dataToHex(blockHash(header))): AddressText {
    const known = this.#recentSigners.get(hash)
    if (known !== undefined) return known
    if (header.extraData.length < cliqueSealBytesSize) {
      throw headerError('SIGNATURE_MISSING', header.number)
    }
    const signer = recoverCliqueSigner(header)
    if (signer === undefined) throw headerError('SEAL_INVALID', header.number)
    const text = dataToHex(signer)
    this.#recentSigners.set(hash, text)
    return text
  }

  /**
   * The state of signers and votes after the block with this hash.
   * @throws HeaderError when a header on the way back to a known snapshot is missing.
   */
  snapshotAt(hash: string): CliqueSnapshot {
    return this.#snapshotAt(hash, this.#headers)
  }

  #verify(header: BlockHeader, hash: string, headers: HeaderSource): void {
    const { number, timestamp } = header
    if (timestamp > this.#nowSeconds()) throw headerError('FUTURE_BLOCK', number)
    checkShape(header, this.isCheckpoint(number))
    if (number === 0n) return
    const parentHash = dataToHex(header.parentHash)
    const parent = headers.headerByHash(parentHash)
    if (parent === undefined || parent.number !== number - 1n) {
      throw headerError('UNKNOWN_ANCESTOR', number, '', [`Parent: ${parentHash}`])
    }
    if (parent.timestamp + this.#config.clique.periodSeconds > timestamp) {
      throw headerError('TIMESTAMP_INVALID', number)
    }
    checkGasFields(this.#config, header, parent)
    const snapshot = this.#snapshotAt(parentHash, headers)
    if (this.isCheckpoint(number) && !namesSigners(header, snapshot)) {
      throw headerError('CHECKPOINT_MISMATCH', number)
    }
    this.#checkSeal(header, hash, snapshot)
  }

  #checkSeal(header: BlockHeader, hash: string, snapshot: CliqueSnapshot): void {
    const { number } = header
    const signer = this.signerOf(header, hash)
    if (!snapshot.signers.includes(signer)) {
      throw headerError('UNAUTHORIZED_SIGNER', number, '', [`Signer: ${signer}`])
    }
    if (hasSealedRecently(snapshot, number, signer)) {
      throw headerError('RECENTLY_SIGNED', number, '', [`Signer: ${signer}`])
    }
    if (header.difficulty !== difficultyOf(snapshot, number, signer)) {
      throw headerError('DIFFICULTY_WRONG', number)
    }
  }

  /** Walks back to a snapshot that is known, then applies the headers after it. */
  #snapshotAt(hash: string, headers: HeaderSource): CliqueSnapshot {
    const { epoch } = this.#config.clique
    const path: { header: BlockHeader; hash: string }[] = []
    let at = hash
    let snapshot: CliqueSnapshot | undefined
    while (snapshot === undefined) {
      snapshot = this.#recentSnapshots.get(at)
      if (snapshot !== undefined) break
      const header = headers.headerByHash(at)
      if (header === undefined) {
        throw headerError('UNKNOWN_ANCESTOR', BigInt(path.at(-1)?.header.number ?? 0), '', [
          `Header: ${at}`,
        ])
      }
      snapshot = this.#knownSnapshot(header, at, path.length)
      if (snapshot !== undefined) break
      path.push({ header, hash: at })
      at = dataToHex(header.parentHash)
    }
    for (const { header, hash: headerHash } of path.reverse()) {
      const signer = this.signerOf(header, headerHash)
      snapshot = applyHeader(snapshot, { header, hash: headerHash, signer }, epoch)
      if (snapshot.number % snapshotIntervalBlocks === 0n) this.#snapshots.writeSnapshot(snapshot)
    }
    this.#recentSnapshots.set(hash, snapshot)
    return snapshot
  }

  /** A snapshot that needs no parent: stored, of the genesis block, or of a checkpoint far from any other. */
  #knownSnapshot(
    header: BlockHeader,
    hash: string,
    pathLength: number,
  ): CliqueSnapshot | undefined {
    const { number } = header
    if (number % snapshotIntervalBlocks === 0n) {
      const stored = this.#snapshots.readSnapshot(hash)
      if (stored !== undefined) return stored
    }
    const isTrusted = this.isCheckpoint(number) && pathLength > this.#trustedDepthBlocks
    if (number !== 0n && !isTrusted) return undefined
    const first = firstSnapshot(number, hash, signersNamedIn(header))
    this.#snapshots.writeSnapshot(first)
    return first
  }
}

/** Checks that need the header alone, in geth's order. */
function checkShape(header: BlockHeader, isCheckpoint: boolean): void {
  const { number, extraData } = header
  if (isCheckpoint && !isZeroAddress(header.coinbase)) {
    throw headerError('CHECKPOINT_BENEFICIARY', number)
  }
  const isAdd = isAddVote(header)
  if (isCheckpoint && isAdd) throw headerError('CHECKPOINT_VOTE', number)
  if (extraData.length < cliqueVanityBytesSize) throw headerError('VANITY_MISSING', number)
  const signerBytes = extraData.length - cliqueVanityBytesSize - cliqueSealBytesSize
  if (signerBytes < 0) throw headerError('SIGNATURE_MISSING', number)
  if (!isCheckpoint && signerBytes !== 0) throw headerError('EXTRA_SIGNERS', number)
  if (isCheckpoint && signerBytes % 20 !== 0) throw headerError('CHECKPOINT_SIGNERS', number)
  if (header.mixHash.some((byte) => byte !== 0)) throw headerError('MIX_DIGEST', number)
  if (!equalBytes(header.unclesHash, emptyUnclesHash)) throw headerError('UNCLE_HASH', number)
  const { difficulty, gasLimit } = header
  if (number > 0n && difficulty !== difficultyInTurn && difficulty !== difficultyOutOfTurn) {
    throw headerError('DIFFICULTY_INVALID', number)
  }
  if (gasLimit > gasLimitMax) {
    throw headerError('GAS_LIMIT_INVALID', number, `: have ${gasLimit}, max ${gasLimitMax}`)
  }
}

/** Whether the extra data of a checkpoint lists the signers, all of them, in order. */
function namesSigners(header: BlockHeader, { signers }: CliqueSnapshot): boolean {
  const named = signersNamedIn(header)
  return named.length === signers.length && named.every((each, index) => each === signers[index])
}

function signersNamedIn({ extraData }: BlockHeader): AddressText[] {
  const signers: AddressText[] = []
  const end = extraData.length - cliqueSealBytesSize
  for (let at = cliqueVanityBytesSize; at + 20 <= end; at += 20) {
    signers.push(dataToHex(extraData.subarray(at, at + 20)))
  }
  return signers
}

/**
 * Whether a block sealed by `signer` at `number` comes too soon after its last one. Blocks numbered below the limit
 * pass: geth subtracts unsigned numbers there, and what it lets through cannot be refused.
 */
function hasSealedRecently(
  { signers, recents }: CliqueSnapshot,
  number: bigint,
  signer: AddressText,
): boolean {
  const limit = sealLimit(signers.length)
  if (number < limit) return false
  for (const [seen, recent] of recents) {
    if (recent === signer && seen > number - limit) return true
  }
  return false
}

/** Headers of a batch in front of those that are stored. */
class HeaderBatch implements HeaderSource {
  readonly #stored: HeaderSource
  readonly #batch = new Map<string, BlockHeader>()

  constructor(stored: HeaderSource) {
    this.#stored = stored
  }

  add(hash: string, header: BlockHeader): void {
    this.#batch.set(hash, header)
  }

  headerByHash(hash: string): BlockHeader | undefined {
    return this.#batch.get(hash) ?? this.#stored.headerByHash(hash)
  }
}
