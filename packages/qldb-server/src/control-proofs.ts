/** What verifiers ask for: digests, and blocks and revisions with their proofs. */
import { encodeBase64, isRecord } from '@cairn/aws-protocol'
import { formatIon } from '@cairn/ion'
import type { BlockAddress, ProvenValue } from '@cairn/ledger'
import type { ControlAnswer, ControlContext, ControlRequest } from './control-api.ts'
import { labelOf, requiredString } from './control-members.ts'
import { parameterInvalid } from './errors.ts'
import { formatBlockAddress, formatProof, parseBlockAddress } from './ion-text.ts'

export function getDigest({ host }: ControlContext, request: ControlRequest): ControlAnswer {
  const { digest, tipAddress } = host.getLedger(labelOf(request, 'Name')).digest()
  return {
    Digest: encodeBase64(digest),
    DigestTipAddress: { IonText: formatBlockAddress(tipAddress) },
  }
}

export function getBlock({ host }: ControlContext, request: ControlRequest): ControlAnswer {
  const ledger = host.getLedger(labelOf(request, 'Name'))
  const address = requiredAddress(request, 'BlockAddress')
  const block = ledger.block(address, optionalAddress(request, 'DigestTipAddress'))
  return { Block: { IonText: formatIon(block.value) }, ...proofBody(block) }
}

export function getRevision({ host }: ControlContext, request: ControlRequest): ControlAnswer {
  const ledger = host.getLedger(labelOf(request, 'Name'))
  const address = requiredAddress(request, 'BlockAddress')
  const documentId = requiredString(request.body, 'DocumentId')
  const tip = optionalAddress(request, 'DigestTipAddress')
  const revision = ledger.revision(address, documentId, tip)
  return { Revision: { IonText: formatIon(revision.value) }, ...proofBody(revision) }
}

function proofBody({ proof }: ProvenValue): object {
  return proof === undefined ? {} : { Proof: { IonText: formatProof(proof) } }
}

function requiredAddress(request: ControlRequest, name: string): BlockAddress {
  const address = optionalAddress(request, name)
  if (address === undefined) throw parameterInvalid(name, `${name} is required.`)
  return address
}

function optionalAddress({ body }: ControlRequest, name: string): BlockAddress | undefined {
  const holder = body[name] ?? undefined
  if (holder === undefined) return undefined
  const text = isRecord(holder) ? holder['IonText'] : undefined
  const address = typeof text === 'string' ? parseBlockAddress(text) : undefined
  if (address !== undefined) return address
  throw parameterInvalid(name, `${name} must hold IonText of the form {strandId:"…",sequenceNo:0}.`)
}
