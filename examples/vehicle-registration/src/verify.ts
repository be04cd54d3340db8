/**
 * Step 8, 9 and 10: keep a digest, have a revision proved, see a tampered copy refused. The checks run here, in the
 * application: nothing that the server says is believed.
 */
import { GetBlockCommand, GetDigestCommand, GetRevisionCommand } from '@aws-sdk/client-qldb'
import { toBase64 } from '@cairn/core'
import { type IonStruct, type IonValue, ionString, parseIon } from '@cairn/ion'
import {
  type DataRevision,
  parseBlock,
  parseBlockAddress,
  parseProof,
  parseRevision,
  VerificationError,
  verifyRevision,
} from '@cairn/verifier'
import { columns, headline, type Office } from './office.ts'

/** What to keep where nobody can change it: 44 characters, and the block they reach to. */
export interface SavedDigest {
  readonly digest: Uint8Array
  /** Ion text, as it came. */
  readonly tipAddress: string
}

/** All that is needed to check one revision without the server. */
export interface Evidence {
  readonly revision: DataRevision
  readonly proof: readonly Uint8Array[]
  /** The whole block, in Ion text. With it the check can also tell where in the ledger the revision stands. */
  readonly block: string
}

export async function saveDigest(office: Office): Promise<SavedDigest> {
  headline(office, 8, 'The auditor keeps a digest')
  const answer = await office.control.send(new GetDigestCommand({ Name: office.ledgerName }))
  const digest = answer.Digest ?? new Uint8Array()
  const tipAddress = answer.DigestTipAddress?.IonText ?? ''
  columns(office, [
    ['digest', toBase64(digest)],
    ['tip', tipAddress],
  ])
  return { digest, tipAddress }
}

/** Where the newest revision of a document lies: the committed view knows. */
async function findAddress(office: Office, documentId: string): Promise<string> {
  const result = await office.driver.executeLambda((transaction) =>
    transaction.execute(
      'SELECT r.blockAddress FROM _ql_committed_VehicleRegistration AS r WHERE r.metadata.id = ?',
      documentId,
    ),
  )
  const address = result.getResultList()[0]?.get('blockAddress')
  const strandId = address?.get('strandId')?.stringValue()
  const sequenceNo = address?.get('sequenceNo')?.numberValue()
  return `{strandId: "${strandId}", sequenceNo: ${sequenceNo}}`
}

export async function fetchEvidence(
  office: Office,
  documentId: string,
  saved: SavedDigest,
): Promise<Evidence> {
  headline(office, 9, 'The newest revision, with a proof')
  const place = {
    Name: office.ledgerName,
    BlockAddress: { IonText: await findAddress(office, documentId) },
    DigestTipAddress: { IonText: saved.tipAddress },
  }
  const found = await office.control.send(
    new GetRevisionCommand({ ...place, DocumentId: documentId }),
  )
  const { Block } = await office.control.send(new GetBlockCommand(place))
  const revision = parseRevision(parseIon(found.Revision?.IonText ?? ''))
  if (revision.kind !== 'data') throw new Error('The registration has been deleted.')
  const proof = parseProof(parseIon(found.Proof?.IonText ?? ''))
  columns(office, [
    ['document', revision.metadata.id],
    ['version', String(revision.metadata.version)],
    ['block', String(revision.blockAddress.sequenceNo)],
    ['proof', `${proof.length} hashes`],
  ])
  return { revision, proof, block: Block?.IonText ?? '' }
}

/** Recomputes every hash from the revision's content up to the digest. Prints the verdict, and returns it. */
export function judge(office: Office, evidence: Evidence, saved: SavedDigest): boolean {
  try {
    const verdict = verifyRevision({
      revision: evidence.revision,
      proof: evidence.proof,
      digest: saved.digest,
      tip: parseBlockAddress(parseIon(saved.tipAddress)),
      block: parseBlock(parseIon(evidence.block)),
    })
    columns(office, [
      ['verdict', `ACCEPTED, ${verdict.grade}`],
      ['', 'every hash recomputed, from the document to the digest'],
    ])
    return true
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    columns(office, [
      ['verdict', `REFUSED, ${error.code}`],
      ['', error.shortMessage],
    ])
    return false
  }
}

/** The same evidence with another city in the document, as a forger would hand it over. */
export function tamper(office: Office, evidence: Evidence): Evidence {
  headline(office, 10, 'A copy with another city in it')
  const data = withField(evidence.revision.data, 'City', ionString('Fernhollow'))
  columns(office, [['changed', 'City is now "Fernhollow"; hash and proof as before']])
  return { ...evidence, revision: { ...evidence.revision, data } }
}

function withField(struct: IonStruct, name: string, value: IonValue): IonStruct {
  const fields = struct.fields.map((field) => (field.name === name ? { name, value } : field))
  return { ...struct, fields }
}
