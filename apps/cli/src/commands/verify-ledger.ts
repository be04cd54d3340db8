/** `cairn verify ledger`: every block of a ledger, in order, up to a digest. */
import { equalBytes, toBase64 } from '@cairn/core'
import { parseIon } from '@cairn/ion'
import { createLedgerReplay, parseBlock, VerificationError } from '@cairn/verifier'
import type { Command, CommandContext } from '../command.ts'
import type { ControlClient } from '../control-client.ts'
import { usageError } from '../errors.ts'
import { checkDataFolder } from '../offline-check.ts'
import { createProgress, type Progress } from '../progress.ts'
import {
  addressText,
  chooseDigest,
  dataDirOption,
  fetchDigest,
  type KnownDigest,
  ledgerPositional,
  runServerCheck,
  type Verified,
  verifyOptions,
} from '../verify-common.ts'

export const verifyLedgerCommand: Command = {
  path: ['verify', 'ledger'],
  summary: 'Check every block of a ledger, and that a digest covers just these',
  options: [dataDirOption, ...verifyOptions],
  positionals: [
    { ...ledgerPositional, isOptional: true, help: 'name of the ledger; with --data-dir: or all' },
  ],
  examples: [
    'cairn verify ledger my-ledger',
    'cairn verify ledger --digest digest.json my-ledger',
    'cairn verify ledger --data-dir ./data',
  ],
  notes: [
    'A digest that was saved elsewhere is what proves that history is the same as then: without\n' +
      'one the check shows that the ledger fits together, which a rewritten one may do as well.',
  ],
  async run(context) {
    const { args, terminal } = context
    const ledgerName = args.positional(0)
    const directory = args.text('data-dir')
    if (
      ledgerName === undefined &&
      (directory === undefined || args.text('digest') !== undefined)
    ) {
      throw usageError('cairn verify ledger', 'LEDGER is missing: name of the ledger.')
    }
    if (directory !== undefined) return checkDataFolder(context, directory, ledgerName)
    const progress = createProgress(terminal)
    try {
      return await runServerCheck(context, (control) =>
        checkOverApi(context, control, args.required(0), progress),
      )
    } finally {
      progress.end()
    }
  },
}

async function checkOverApi(
  context: CommandContext,
  control: ControlClient,
  ledgerName: string,
  progress: Progress,
): Promise<Verified> {
  const known = await chooseDigest(context, control, ledgerName)
  // Blocks after the tip of a saved digest are checked as well, against the digest of this moment.
  const isFresh = context.args.text('digest') === undefined
  const latest = isFresh ? known : await fetchDigest(control, ledgerName)
  return replayOverApi(control, ledgerName, known, latest, progress)
}

async function replayOverApi(
  control: ControlClient,
  ledgerName: string,
  known: KnownDigest,
  latest: KnownDigest,
  progress: Progress,
): Promise<Verified> {
  const { strandId } = known.tip
  const replay = createLedgerReplay({ strandId, importedBlockCount: 'detect' })
  const lastNo = Math.max(known.tip.sequenceNo, latest.tip.sequenceNo)
  let revisionCount = 0
  for (let sequenceNo = 0; sequenceNo <= lastNo; sequenceNo++) {
    const { valueText } = await control.getBlock(ledgerName, addressText(known.tip, sequenceNo))
    const block = parseBlock(parseIon(valueText))
    replay.add(block)
    revisionCount += block.revisions.length
    for (const each of known === latest ? [known] : [known, latest]) {
      if (each.tip.sequenceNo === sequenceNo) checkDigest(replay.digest(), each)
    }
    progress.update(`Block ${sequenceNo} of ${lastNo} …`)
  }
  const digest = toBase64(replay.digest())
  const { importedBlockCount } = replay
  const imported = importedBlockCount === 0 ? '' : ` (${importedBlockCount} of them QLDB's own)`
  return {
    text:
      `ledger ${ledgerName}, blocks 0 to ${lastNo}${imported} with ${revisionCount} revisions; ` +
      `they are what ${known.source} covers.\nDigest ${digest} at block ${lastNo}.`,
    json: {
      ledger: ledgerName,
      strandId,
      blockCount: replay.blockCount,
      importedBlockCount,
      revisionCount,
      digest,
      tipAddress: replay.tip,
    },
  }
}

function checkDigest(computed: Uint8Array, { digest, tip, source }: KnownDigest): void {
  if (equalBytes(computed, digest)) return
  const blocks = `Blocks 0 to ${tip.sequenceNo} of strand ${tip.strandId}`
  throw new VerificationError(
    { code: 'QLDB_DIGEST_MISMATCH', blockAddress: tip, stated: digest, computed },
    {
      shortMessage: `${blocks} are not what ${source} covers.`,
      metaMessages: [`Stated: ${toBase64(digest)}`, `Computed: ${toBase64(computed)}`],
    },
  )
}
