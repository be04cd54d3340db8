/** `cairn verify digest`: takes a digest to keep, or shows that a kept one still holds. */
import { verifyBlock } from '@cairn/verifier'
import { type Command, endpointOptions, jsonOption } from '../command.ts'
import { usageError } from '../errors.ts'
import { checkDataFolder } from '../offline-check.ts'
import {
  dataDirOption,
  digestOption,
  fetchBlock,
  fetchDigest,
  ledgerPositional,
  readDigestFile,
  runCheck,
  writeDigestFile,
} from '../verify-common.ts'

export const verifyDigestCommand: Command = {
  path: ['verify', 'digest'],
  summary: 'Take a digest of a ledger, or check one that was saved',
  options: [
    dataDirOption,
    { name: 'save', value: 'FILE', help: 'write the digest there, to be kept in a safe place' },
    { ...digestOption, help: 'check that this saved digest still fits the ledger' },
    ...endpointOptions,
    jsonOption,
  ],
  positionals: [ledgerPositional],
  examples: [
    'cairn verify digest --save digest.json my-ledger',
    'cairn verify digest --digest digest.json my-ledger',
    'cairn verify digest --data-dir ./data --save digest.json my-ledger',
  ],
  notes: [
    'A digest stands for the whole history up to its tip. Checking a saved one shows that its tip\n' +
      'block is still there, unchanged; cairn verify ledger --digest FILE checks every block.',
  ],
  run(context) {
    const { args } = context
    const ledgerName = args.required(0)
    const savePath = args.text('save')
    const digestPath = args.text('digest')
    if (savePath !== undefined && digestPath !== undefined) {
      throw usageError('cairn verify digest', '--save and --digest exclude each other.')
    }
    const directory = args.text('data-dir')
    if (directory !== undefined) return checkDataFolder(context, directory, ledgerName, savePath)
    return runCheck(context, async (control) => {
      const known =
        digestPath === undefined
          ? await fetchDigest(control, ledgerName)
          : await readDigestFile(digestPath)
      const { digest, tip } = known
      const { block, proof } = await fetchBlock(control, ledgerName, tip.sequenceNo, known)
      const { grade } = verifyBlock({ block, proof, digest, tip })
      if (savePath !== undefined) await writeDigestFile(savePath, known.answer)
      const place = `block ${tip.sequenceNo} of strand ${tip.strandId}`
      const saved = savePath === undefined ? '' : `\nSaved to ${savePath}.`
      return {
        text: `${known.source}, tip ${place}.\n${known.answer.digest}${saved}`,
        json: { grade, digest: known.answer.digest, tipAddress: tip },
      }
    })
  },
}
