/**
 * Whom this node votes on when it seals: `clique_propose` and `clique_discard`. Kept in memory, as in geth: a vote that
 * was cast is in the chain, one that was not is proposed again after a restart.
 */
import type { Random } from '@cairn/core'
import { randomBelow } from './random-below.ts'
import { type AddressText, type CliqueSnapshot, isMeaningfulVote } from './snapshot.ts'

export interface CliqueProposal {
  readonly address: AddressText
  readonly authorize: boolean
}

/** More than any network votes on at once. */
export const proposalCountMax = 1024

export class CliqueProposals {
  readonly #proposals = new Map<AddressText, boolean>()

  /** @returns false when there are as many proposals as there may be. */
  propose(address: AddressText, authorize: boolean): boolean {
    if (this.#proposals.size >= proposalCountMax && !this.#proposals.has(address)) return false
    this.#proposals.set(address, authorize)
    return true
  }

  discard(address: AddressText): void {
    this.#proposals.delete(address)
  }

  list(): CliqueProposal[] {
    return [...this.#proposals].map(([address, authorize]) => ({ address, authorize }))
  }

  /** One of those that would change something, by chance; undefined when there is none. */
  choose(snapshot: CliqueSnapshot, random: Random): CliqueProposal | undefined {
    const useful = this.list().filter(({ address, authorize }) =>
      isMeaningfulVote(snapshot, address, authorize),
    )
    return useful.length === 0 ? undefined : useful[randomBelow(random, useful.length)]
  }
}
