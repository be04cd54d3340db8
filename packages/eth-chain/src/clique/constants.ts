/** The numbers of EIP-225, and geth's for what it leaves open. */

/** Votes to make the coinbase a signer. */
export const nonceAdd: Uint8Array = new Uint8Array(8).fill(0xff)
/** Votes against it; with a coinbase of zeros no vote at all. */
export const nonceDrop: Uint8Array = new Uint8Array(8)

export const difficultyInTurn = 2n
export const difficultyOutOfTurn = 1n

/** Random delay of a signer out of turn, per signer that may be so: keeps them from sealing all at once. */
export const wiggleMs = 500

/** Snapshots are stored every so many blocks, so that a start needs no walk back to the genesis block. */
export const snapshotIntervalBlocks = 1024n
/** Snapshots held in memory: enough for the forks of a moment. */
export const snapshotCountMax = 128
/** Recovered signers held in memory. */
export const signerCountMax = 4096
/** With so many headers up to a checkpoint, its list is believed (geth's params.FullImmutabilityThreshold). */
export const trustedDepthBlocks = 90_000

/** After how many blocks a signer may seal again: it seals at most one of so many. */
export function sealLimit(signerCount: number): bigint {
  return BigInt(Math.floor(signerCount / 2) + 1)
}
