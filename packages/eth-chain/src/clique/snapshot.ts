/**
 * The state of signers and votes after a block (EIP-225), and how a header changes it. Snapshots are values: applying a
 * header makes a new one, so that a reorganisation over a vote needs nothing undone. Order of steps: geth 1.13,
 * consensus/clique/snapshot.go, on which consensus depends.
 */
import { equalBytes } from '@cairn/core'
import { type BlockHeader, dataToHex } from '@cairn/eth-codec'
import { headerError } from '../header-error.ts'
import {
  difficultyInTurn,
  difficultyOutOfTurn,
  nonceAdd,
  nonceDrop,
  sealLimit,
} from './constants.ts'

/** `0x` and 40 lower-case digits: text compares, sorts and keys maps; order is that of the bytes. */
export type AddressText = string

export interface CliqueVote {
  readonly signer: AddressText
  /** At which block. */
  readonly block: bigint
  /** On whom. */
  readonly address: AddressText
  /** Make it a signer, or stop it being one. */
  readonly authorize: boolean
}

export interface CliqueTally {
  /** As the first vote had it. */
  readonly authorize: boolean
  readonly votes: number
}

export interface CliqueSnapshot {
  readonly number: bigint
  /** `0x` and 64 digits: of block `number`. */
  readonly hash: string
  /** Ascending. */
  readonly signers: readonly AddressText[]
  /** Who sealed which of the latest blocks. */
  readonly recents: ReadonlyMap<bigint, AddressText>
  /** In the order in which they were cast. */
  readonly votes: readonly CliqueVote[]
  readonly tally: ReadonlyMap<AddressText, CliqueTally>
}

/** A header with what its hash and seal tell, computed once by the caller. */
export interface SealedHeader {
  readonly header: BlockHeader
  /** `0x` and 64 digits. */
  readonly hash: string
  readonly signer: AddressText
}

/** The state at a block of which only the list of signers is known: the genesis block, or a trusted checkpoint. */
export function firstSnapshot(
  number: bigint,
  hash: string,
  signers: readonly AddressText[],
): CliqueSnapshot {
  return {
    number,
    hash,
    signers: [...signers].sort(),
    recents: new Map(),
    votes: [],
    tally: new Map(),
  }
}

/**
 * The state after one more header.
 * @param epoch Blocks between checkpoints.
 * @throws HeaderError when the sealer may not seal this block, or the nonce is no vote.
 */
export function applyHeader(
  snapshot: CliqueSnapshot,
  { header, hash, signer }: SealedHeader,
  epoch: bigint,
): CliqueSnapshot {
  const { number } = header
  if (number !== snapshot.number + 1n) throw headerError('VOTING_CHAIN', number)
  const next = new Ballot(number % epoch === 0n ? { ...snapshot, ...noVotes } : snapshot)
  next.forget(number)
  if (!next.isSigner(signer)) {
    throw headerError('UNAUTHORIZED_SIGNER', number, '', [`Signer: ${signer}`])
  }
  if ([...next.recents.values()].includes(signer)) {
    throw headerError('RECENTLY_SIGNED', number, '', [`Signer: ${signer}`])
  }
  next.recents.set(number, signer)
  const address = dataToHex(header.coinbase)
  next.withdraw(signer, address)
  next.vote({ signer, block: number, address, authorize: isAddVote(header) })
  next.settle(address, number)
  return next.toSnapshot(number, hash)
}

const noVotes = { votes: [], tally: new Map() } as const

/** @throws HeaderError when the nonce is neither of the two that mean something. */
export function isAddVote({ nonce, number }: BlockHeader): boolean {
  if (equalBytes(nonce, nonceAdd)) return true
  if (equalBytes(nonce, nonceDrop)) return false
  throw headerError('VOTE_INVALID', number)
}

/** Whether a vote would change anything: add somebody who is no signer, or drop somebody who is. */
export function isMeaningfulVote(
  { signers }: CliqueSnapshot,
  address: AddressText,
  authorize: boolean,
): boolean {
  return signers.includes(address) !== authorize
}

/** Whether it is this signer's turn at block `number`; false for who is no signer. */
export function isInTurn(
  { signers }: CliqueSnapshot,
  number: bigint,
  signer: AddressText,
): boolean {
  const index = signers.indexOf(signer)
  return index >= 0 && number % BigInt(signers.length) === BigInt(index)
}

/** The difficulty that this signer's block has to have. */
export function difficultyOf(
  snapshot: CliqueSnapshot,
  number: bigint,
  signer: AddressText,
): bigint {
  return isInTurn(snapshot, number, signer) ? difficultyInTurn : difficultyOutOfTurn
}

/** The state while a header is applied. Lists are copied when the first of them changes, which is seldom. */
class Ballot {
  #signers: readonly AddressText[]
  readonly recents: Map<bigint, AddressText>
  #votes: readonly CliqueVote[]
  #tally: ReadonlyMap<AddressText, CliqueTally>

  constructor({ signers, recents, votes, tally }: CliqueSnapshot) {
    this.#signers = signers
    this.recents = new Map(recents)
    this.#votes = votes
    this.#tally = tally
  }

  isSigner(address: AddressText): boolean {
    return this.#signers.includes(address)
  }

  /** The oldest recent sealer may seal again at block `number`. */
  forget(number: bigint): void {
    this.recents.delete(number - sealLimit(this.#signers.length))
  }

  /** Takes back the vote that `signer` has on `address`, if any. */
  withdraw(signer: AddressText, address: AddressText): void {
    const index = this.#votes.findIndex(
      (vote) => vote.signer === signer && vote.address === address,
    )
    const vote = this.#votes[index]
    if (vote === undefined) return
    this.#uncount(vote)
    this.#votes = this.#votes.toSpliced(index, 1)
  }

  /** Counts a vote if it means something. Its direction is that of the first vote on the address. */
  vote(vote: CliqueVote): void {
    if (this.isSigner(vote.address) === vote.authorize) return
    const counted = this.#tally.get(vote.address) ?? { authorize: vote.authorize, votes: 0 }
    this.#setTally(vote.address, { ...counted, votes: counted.votes + 1 })
    this.#votes = [...this.#votes, vote]
  }

  /** Carries out the vote on `address` when more than half of the signers want it. */
  settle(address: AddressText, number: bigint): void {
    const tally = this.#tally.get(address)
    if (tally === undefined || tally.votes <= Math.floor(this.#signers.length / 2)) return
    if (tally.authorize) this.#signers = [...this.#signers, address].sort()
    else this.#drop(address, number)
    this.#votes = this.#votes.filter((vote) => vote.address !== address)
    this.#setTally(address, undefined)
  }

  #drop(address: AddressText, number: bigint): void {
    this.#signers = this.#signers.filter((signer) => signer !== address)
    // With fewer signers each may seal sooner: one more entry, and only one, is forgotten.
    this.forget(number)
    for (const vote of this.#votes) if (vote.signer === address) this.#uncount(vote)
    this.#votes = this.#votes.filter((vote) => vote.signer !== address)
  }

  #uncount({ address, authorize }: CliqueVote): void {
    const tally = this.#tally.get(address)
    if (tally === undefined || tally.authorize !== authorize) return
    this.#setTally(address, tally.votes > 1 ? { ...tally, votes: tally.votes - 1 } : undefined)
  }

  #setTally(address: AddressText, tally: CliqueTally | undefined): void {
    const changed = new Map(this.#tally)
    if (tally === undefined) changed.delete(address)
    else changed.set(address, tally)
    this.#tally = changed
  }

  toSnapshot(number: bigint, hash: string): CliqueSnapshot {
    return {
      number,
      hash,
      signers: this.#signers,
      recents: this.recents,
      votes: this.#votes,
      tally: this.#tally,
    }
  }
}
