/** `cairn verify block`: one block, its content and its proof against a digest. */
import { toBase64 } from '@cairn/core'
import { verifyBlock } from '@cairn/verifier'
import type { Command } from '../command.ts'
import {
  chooseDigest,
  fetchBlock,
  ledgerPositional,
  parseSequenceNo,
  runCheck,
  verifyOptions,
} from '../verify-common.ts'

export const verifyBlockCommand: Command = {
  path: ['verify', 'block'],
  summary: 'Check a block against a digest',
  options: verifyOptions,
  positionals: [ledgerPositional, { name: 'SEQUENCE_NO', help: 'number of the block, from 0' }],
  examples: [
    'cairn verify block my-ledger 3',
    'cairn verify block --digest digest.json my-ledger 3',
    'cairn verify block --data-dir ./data my-ledger 3',
  ],
  run(context) {
    const { args } = context
    const ledgerName = args.required(0)
    const sequenceNo = parseSequenceNo('cairn verify block', args.required(1))
    return runCheck(context, async (control) => {
      const known = await chooseDigest(context, control, ledgerName)
      const { block, proof } = await fetchBlock(control, ledgerName, sequenceNo, known)
      const { digest, tip } = known
      const { grade } = verifyBlock({ block, proof, digest, tip, strict: 'detect' })
      const count = block.revisions.length
      const revisions = `${count} revision${count === 1 ? '' : 's'}`
      return {
        text: `block ${sequenceNo} with ${revisions} lies below ${known.source} (${grade}).`,
        json: {
          grade,
          blockAddress: block.blockAddress,
          blockHash: toBase64(block.blockHash),
          transactionId: block.transactionId,
          revisionCount: block.revisions.length,
        },
      }
    })
  },
}
