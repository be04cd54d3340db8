/** `cairn verify revision`: one revision of a document, with the block that it is in, against a digest. */
import { toBase64 } from '@cairn/core'
import { parseIon } from '@cairn/ion'
import { parseProof, parseRevision, VerificationError, verifyRevision } from '@cairn/verifier'
import type { Command } from '../command.ts'
import {
  addressText,
  checkAddress,
  chooseDigest,
  fetchBlock,
  ledgerPositional,
  parseSequenceNo,
  runCheck,
  verifyOptions,
} from '../verify-common.ts'

export const verifyRevisionCommand: Command = {
  path: ['verify', 'revision'],
  summary: 'Check a revision of a document against a digest',
  options: verifyOptions,
  positionals: [
    ledgerPositional,
    { name: 'SEQUENCE_NO', help: 'number of the block that the revision is in' },
    { name: 'DOCUMENT_ID', help: 'id of the document' },
  ],
  examples: ['cairn verify revision my-ledger 3 8F0TPCmdNQ6JTRpiLj2TmW'],
  notes: [
    'Where a revision is, and the id of its document, is what the committed view shows:\n' +
      '  cairn sql -e "SELECT blockAddress, metadata.id FROM _ql_committed_Person" my-ledger',
  ],
  run(context) {
    const { args } = context
    const ledgerName = args.required(0)
    const sequenceNo = parseSequenceNo('cairn verify revision', args.required(1))
    const documentId = args.required(2)
    return runCheck(context, async (control) => {
      const known = await chooseDigest(context, control, ledgerName)
      const { digest, tip } = known
      const { valueText, proofText } = await control.getRevision(
        ledgerName,
        addressText(tip, sequenceNo),
        documentId,
        known.answer.tipAddressText,
      )
      const revision = parseRevision(parseIon(valueText))
      const proof = proofText === undefined ? [] : parseProof(parseIon(proofText))
      const { block } = await fetchBlock(control, ledgerName, sequenceNo, known)
      const verified = verifyRevision({
        ...{ revision, proof, digest, tip, block },
        strict: 'detect',
      })
      checkAddress(verified.address, tip.strandId, sequenceNo)
      if (verified.documentId !== documentId) {
        throw new VerificationError(
          { code: 'REVISION_NOT_IN_BLOCK', blockAddress: verified.address, documentId },
          { shortMessage: `The revision given is of document ${verified.documentId}.` },
        )
      }
      const what = `version ${verified.version} of document ${documentId} in block ${sequenceNo}`
      return {
        text: `${what} (${verified.kind}) lies below ${known.source} (${verified.grade}).`,
        json: {
          grade: verified.grade,
          blockAddress: verified.address,
          documentId,
          version: verified.version,
          kind: verified.kind,
          hash: toBase64(revision.hash),
        },
      }
    })
  },
}
