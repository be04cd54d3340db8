/** `cairn verify ledger`: every block of a ledger, in order, up to a digest. */
import { equalBytes, toBase64 } from '@cairn/core'
import { parseIon } from '@cairn/ion'
import { createLedgerReplay, parseBlock, VerificationError } from '@cairn/verifier'
import type { Command } from '../command.ts'
import type { ControlClient } from '../control-client.ts'
import { createProgress, type Progress } from '../progress.ts'
import {
  addressText,
  chooseDigest,
  fetchDigest,
  type KnownDigest,
  ledgerPositional,
  runCheck,
  type Verified,
  verifyOptions,
} from '../verify-common.ts'

export const verifyLedgerCommand: Command = {
  path: ['verify', 'ledger'],
  summary: 'Check every block of a ledger, and that a digest covers just these',
  options: verifyOptions,
  positionals: [ledgerPositional],
  examples: ['cairn verify ledger my-ledger', 'cairn verify ledger --digest digest.json my-ledger'],
  async run(context) {
    const progress = createProgress(context.terminal)
    try {
      return await runCheck(context, async (control) => {
        const ledgerName = context.args.required(0)
        const known = await chooseDigest(context, control, ledgerName)
        // Blocks after the tip of a saved digest are checked as well, against the digest of this moment.
        const latest =
          context.args.text('digest') === undefined ? known : await fetchDigest(control, ledgerName)
        return replayOverApi(control, ledgerName, known, latest, progress)
      })
    } finally {
      progress.end()
    }
  },
}

async function replayOverApi(
  control: ControlClient,
  ledgerName: string,
  known: KnownDigest,
  latest: KnownDigest,
  progress: Progress,
): Promise<Verified> {
  const { strandId } = known.tip
  const replay = createLedgerReplay({ strandId })
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
  return {
    text:
      `ledger ${ledgerName}, blocks 0 to ${lastNo} with ${revisionCount} revisions; ` +
      `they are what ${known.source} covers.\nDigest ${digest} at block ${lastNo}.`,
    json: {
      ledger: ledgerName,
      strandId,
      blockCount: replay.blockCount,
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
