/** Snapshots as JSON, in the shape that geth's `clique_getSnapshot` answers; also how they are stored. */
import { assert } from '@cairn/core'
import type { CliqueSnapshot, CliqueTally, CliqueVote } from './snapshot.ts'

export interface CliqueSnapshotJson {
  readonly number: number
  readonly hash: string
  readonly signers: Readonly<Record<string, object>>
  readonly recents: Readonly<Record<string, string>>
  readonly votes: readonly {
    readonly signer: string
    readonly block: number
    readonly address: string
    readonly authorize: boolean
  }[]
  readonly tally: Readonly<Record<string, CliqueTally>>
}

export function snapshotToJson(snapshot: CliqueSnapshot): CliqueSnapshotJson {
  return {
    number: Number(snapshot.number),
    hash: snapshot.hash,
    signers: Object.fromEntries(snapshot.signers.map((signer) => [signer, {}])),
    recents: Object.fromEntries([...snapshot.recents].map(([n, signer]) => [n.toString(), signer])),
    votes: snapshot.votes.map((vote) => ({ ...vote, block: Number(vote.block) })),
    tally: Object.fromEntries(snapshot.tally),
  }
}

/** Reads what {@link snapshotToJson} wrote; anything else is a broken store, which the caller's checksum is for. */
export function snapshotFromJson(json: CliqueSnapshotJson): CliqueSnapshot {
  const votes: CliqueVote[] = json.votes.map((vote) => ({ ...vote, block: BigInt(vote.block) }))
  const signers = Object.keys(json.signers).sort()
  assert(signers.every((signer) => /^0x[0-9a-f]{40}$/.test(signer)))
  return {
    number: BigInt(json.number),
    hash: json.hash,
    signers,
    recents: new Map(Object.entries(json.recents).map(([n, signer]) => [BigInt(n), signer])),
    votes,
    tally: new Map(Object.entries(json.tally)),
  }
}
