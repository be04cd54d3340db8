/** The hashes below a block: revisions, statements, transactions (qldb-compat 1.5, 4.4). */
import { assert, emptyBytes } from '@cairn/core'
import { hashIon, hashIonString, IonError, type IonValue } from '@cairn/ion'
import { dot, type RevisionLeaf } from '@cairn/merkle'
import type { Revision } from './block.ts'
import { VerificationError } from './errors.ts'

/** What a revision's hash is made of. With neither `data` nor `dataHash` it is a deletion. */
export interface RevisionContent {
  readonly metadata: IonValue
  readonly data?: IonValue | undefined
  readonly dataHash?: Uint8Array | undefined
}

/** `H(metadata) · H(data)`; redacted `H(metadata) · dataHash`; a deletion has `H(metadata)` alone. */
export function revisionHash(content: RevisionContent): Uint8Array {
  const { metadata, data, dataHash } = content
  assert(data === undefined || dataHash === undefined, 'a revision has data or its hash')
  return dot(hashIon(metadata), data === undefined ? (dataHash ?? emptyBytes) : hashIon(data))
}

/**
 * `H(statement) · H(parameter 1) · …`, folded from the left.
 * @param parameterHashes Ion hash of each parameter.
 */
export function statementDigest(
  statement: string,
  parameterHashes: readonly Uint8Array[] = [],
): Uint8Array {
  let digest = hashIonString(statement)
  for (const hash of parameterHashes) digest = dot(digest, hash)
  return digest
}

/**
 * The commit digest: `H(transactionId) · digest 1 · …`, folded from the left over every statement the client sent,
 * also those that were refused.
 */
export function transactionDigest(
  transactionId: string,
  statementDigests: readonly Uint8Array[],
): Uint8Array {
  let digest = hashIonString(transactionId)
  for (const statement of statementDigests) digest = dot(digest, statement)
  return digest
}

/** A revision hashed from its content; for a hash-only one, what it says. */
export interface RevisionHashes {
  readonly hash: Uint8Array
  /** The parts, as a revision leaf lists them. */
  readonly parts: readonly Uint8Array[]
  readonly leafKind: RevisionLeaf['kind']
}

/** @throws VerificationError REVISION_MALFORMED when the data has no Ion hash, such as a symbol of unknown text. */
export function hashRevision(revision: Revision): RevisionHashes {
  try {
    return hashParts(revision)
  } catch (cause) {
    if (!(cause instanceof IonError)) throw cause
    throw new VerificationError(
      { code: 'REVISION_MALFORMED', path: 'revision', expected: 'content that Ion hash covers' },
      { shortMessage: 'The content of the revision has no Ion hash.', cause },
    )
  }
}

function hashParts(revision: Revision): RevisionHashes {
  if (revision.kind === 'hashOnly') {
    return { hash: revision.hash, parts: [revision.hash], leafKind: 'hashOnly' }
  }
  const metadataHash = hashIon(revision.metadata.ion)
  if (revision.kind === 'deletion') {
    return { hash: metadataHash, parts: [metadataHash], leafKind: 'deletion' }
  }
  const dataHash = revision.kind === 'redacted' ? revision.dataHash : hashIon(revision.data)
  return { hash: dot(metadataHash, dataHash), parts: [metadataHash, dataHash], leafKind: 'data' }
}
