/**
 * Step 7 and 8: the carrier denies that it ever had the pack. The version that says so is proved against a digest that
 * the growers' auditor kept; one with another carrier in it is refused. Checked here, believing nothing of the server.
 */
import { GetBlockCommand, GetDigestCommand, GetRevisionCommand } from '@aws-sdk/client-qldb'
import { columns, headline, type Office } from '@cairn/example-vehicle-registration/office'
import { ionString, parseIon } from '@cairn/ion'
import {
  type DataRevision,
  parseBlock,
  parseBlockAddress,
  parseProof,
  parseRevision,
  VerificationError,
  verifyRevision,
} from '@cairn/verifier'
import type { Custody } from './recall.ts'

export interface Verdicts {
  readonly isCustodyAccepted: boolean
  readonly isForgeryAccepted: boolean
}

export async function proveCustody(office: Office, custody: Custody): Promise<Verdicts> {
  headline(office, 7, `${custody.holder} denies it, and is shown the proof`)
  const { control, ledgerName } = office
  const { Digest: digest = new Uint8Array(), DigestTipAddress: tipAddress } = await control.send(
    new GetDigestCommand({ Name: ledgerName }),
  )
  const { strandId, sequenceNo, documentId } = custody
  const place = {
    Name: ledgerName,
    BlockAddress: { IonText: `{strandId: "${strandId}", sequenceNo: ${sequenceNo}}` },
    DigestTipAddress: tipAddress,
  }
  const found = await control.send(new GetRevisionCommand({ ...place, DocumentId: documentId }))
  const { Block } = await control.send(new GetBlockCommand(place))
  const revision = parseRevision(parseIon(found.Revision?.IonText ?? ''))
  if (revision.kind !== 'data') throw new Error('The version has no data.')
  const evidence = {
    proof: parseProof(parseIon(found.Proof?.IonText ?? '')),
    digest,
    tip: parseBlockAddress(parseIon(tipAddress?.IonText ?? '')),
    block: parseBlock(parseIon(Block?.IonText ?? '')),
  }
  const isCustodyAccepted = judge(office, { ...evidence, revision })
  headline(office, 8, 'The same with another name in it')
  const forged = { ...evidence, revision: withHolder(revision, 'Somebody Else') }
  return { isCustodyAccepted, isForgeryAccepted: judge(office, forged) }
}

function judge(office: Office, evidence: Parameters<typeof verifyRevision>[0]): boolean {
  try {
    const { grade, version } = verifyRevision(evidence)
    columns(office, [['verdict', `ACCEPTED, ${grade}: version ${version} is as it was written`]])
    return true
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    columns(office, [['verdict', `REFUSED, ${error.code}`]])
    return false
  }
}

function withHolder(revision: DataRevision, holder: string): DataRevision {
  const fields = revision.data.fields.map((field) =>
    field.name === 'holder' ? { name: 'holder', value: ionString(holder) } : field,
  )
  return { ...revision, data: { ...revision.data, fields } }
}
