/**
 * Steps 5 to 8: the auditor keeps a digest; a technician wrote a patient's name into a note, which has to go; the book
 * is proved all the same, the version that was redacted included. Checked here, believing nothing of the server.
 */
import { GetBlockCommand, GetDigestCommand, GetRevisionCommand } from '@aws-sdk/client-qldb'
import { toBase64 } from '@cairn/core'
import { columns, headline, type Office } from '@cairn/example-vehicle-registration/office'
import { parseIon } from '@cairn/ion'
import {
  parseBlock,
  parseBlockAddress,
  parseProof,
  parseRevision,
  verifyRevision,
} from '@cairn/verifier'
import { load } from 'ion-js'
import type { Entry } from './inspect.ts'

export interface SavedDigest {
  readonly digest: Uint8Array
  /** Ion text. */
  readonly tipAddress: string
}

export async function writeNoteWithName(office: Office, serial: string): Promise<void> {
  headline(office, 5, 'A note that should not have been written')
  const notes = ['alarm reset while in use by Mrs Hollow, room 12', 'alarm reset while in use']
  for (const note of notes) {
    await office.driver.executeLambda((transaction) =>
      transaction.execute('UPDATE Device SET note = ? WHERE serial = ?', note, serial),
    )
  }
  columns(office, [['', 'corrected, but the name is still in the history']])
}

export async function saveDigest(office: Office): Promise<SavedDigest> {
  headline(office, 6, 'The auditor keeps a digest')
  const answer = await office.control.send(new GetDigestCommand({ Name: office.ledgerName }))
  const digest = answer.Digest ?? new Uint8Array()
  const tipAddress = answer.DigestTipAddress?.IonText ?? ''
  columns(office, [
    ['digest', toBase64(digest)],
    ['tip', tipAddress],
  ])
  return { digest, tipAddress }
}

/** Takes the data of one version out of the ledger, for good. Its hash stays, and with it every proof. */
export async function redact(office: Office, entry: Entry): Promise<void> {
  headline(office, 7, 'The version with the name is redacted')
  const { strandId, sequenceNo, tableId, documentId, version } = entry
  await office.driver.executeLambda((transaction) =>
    transaction.execute(
      'EXEC REDACT_REVISION ?, ?, ?',
      load(`{strandId: "${strandId}", sequenceNo: ${sequenceNo}}`),
      tableId,
      documentId,
    ),
  )
  columns(office, [[`version ${version}`, 'its data is gone from every file']])
}

/** What each version of the book is, proved against the digest from before the redaction. */
export async function proveBook(
  office: Office,
  book: readonly Entry[],
  saved: SavedDigest,
): Promise<readonly string[]> {
  headline(office, 8, 'The whole book, against the digest from before')
  const kinds: string[] = []
  for (const { strandId, sequenceNo, documentId, version } of book) {
    const place = {
      Name: office.ledgerName,
      BlockAddress: { IonText: `{strandId: "${strandId}", sequenceNo: ${sequenceNo}}` },
      DigestTipAddress: { IonText: saved.tipAddress },
    }
    const found = await office.control.send(
      new GetRevisionCommand({ ...place, DocumentId: documentId }),
    )
    const { Block } = await office.control.send(new GetBlockCommand(place))
    // Throws when a hash on the way to the digest is not what it should be.
    const { kind, grade } = verifyRevision({
      revision: parseRevision(parseIon(found.Revision?.IonText ?? '')),
      proof: parseProof(parseIon(found.Proof?.IonText ?? '')),
      digest: saved.digest,
      tip: parseBlockAddress(parseIon(saved.tipAddress)),
      block: parseBlock(parseIon(Block?.IonText ?? '')),
    })
    columns(office, [[`version ${version}`, `ACCEPTED, ${grade}, ${kind}`]])
    kinds.push(kind)
  }
  return kinds
}
