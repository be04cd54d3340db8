/** Checks ledgers of a data folder as they lie on the disk; a server may be running on it, none is needed. */
import { toBase64 } from '@cairn/core'
import { type LedgerVerification, verifyLedgerDirectory } from '@cairn/ledger'
import { type CommandContext, exitDone, exitFailed } from './command.ts'
import { CliError } from './errors.ts'
import { createProgress } from './progress.ts'
import { print } from './terminal.ts'
import { addressText, type KnownDigest, readDigestFile, writeDigestFile } from './verify-common.ts'

/**
 * @param ledgerName Undefined for all ledgers of the folder.
 * @param savePath Where to write the digest of the one ledger, when all is well with it.
 */
export async function checkDataFolder(
  context: CommandContext,
  directory: string,
  ledgerName: string | undefined,
  savePath?: string,
): Promise<number> {
  const { args, terminal } = context
  const digestPath = args.text('digest')
  const known = digestPath === undefined ? undefined : await readDigestFile(digestPath)
  const reports = await readReports(context, directory, ledgerName, known)
  const isSound = reports.every(({ findings }) => findings.length === 0)
  const [report] = reports
  if (isSound && savePath !== undefined && report !== undefined) {
    await writeDigestFile(savePath, {
      digest: toBase64(report.digest),
      tipAddressText: addressText(report, report.blockCount - 1),
    })
  }
  if (args.flag('json')) print(terminal, JSON.stringify(reports.map(toJson)))
  else {
    for (const each of reports) print(terminal, toText(each, known))
    if (isSound && savePath !== undefined) print(terminal, `  Saved to ${savePath}.`)
  }
  return isSound ? exitDone : exitFailed
}

async function readReports(
  { terminal }: CommandContext,
  directory: string,
  ledgerName: string | undefined,
  known: KnownDigest | undefined,
): Promise<LedgerVerification[]> {
  const progress = createProgress(terminal)
  try {
    const reports = await verifyLedgerDirectory({
      directory,
      ...(ledgerName === undefined ? {} : { name: ledgerName }),
      ...(known === undefined
        ? {}
        : { expectedDigest: { sequenceNo: known.tip.sequenceNo, digest: known.digest } }),
      onProgress: ({ ledgerName: name, checkedBytes, totalBytes }) =>
        progress.update(`Ledger ${name}: ${percent(checkedBytes, totalBytes)} …`),
    })
    if (reports.length === 0) throw noLedgers(directory)
    return reports.map((report) => withStrandFinding(report, known))
  } finally {
    progress.end()
  }
}

function percent(part: number, whole: number): string {
  return `${whole === 0 ? 100 : Math.floor((100 * part) / whole)} %`
}

function noLedgers(path: string): CliError {
  return new CliError(
    { code: 'FILE_INVALID', path },
    {
      shortMessage: `There are no ledgers in ${path}.`,
      metaMessages: ['Name the folder that cairn up --data-dir was given; its default is ./data.'],
    },
  )
}

/** A digest belongs to one strand; a ledger that took over the name of another has another one. */
function withStrandFinding(
  report: LedgerVerification,
  known: KnownDigest | undefined,
): LedgerVerification {
  if (known === undefined || known.tip.strandId === report.strandId) return report
  const message = `It has strand ${report.strandId}, the digest is of ${known.tip.strandId}.`
  return { ...report, findings: [{ kind: 'invalid', message }, ...report.findings] }
}

function toJson(report: LedgerVerification): Readonly<Record<string, unknown>> {
  const { name, strandId, blockCount, importedBlockCount, revisionCount, findings } = report
  return {
    isVerified: findings.length === 0,
    ledger: name,
    strandId,
    blockCount,
    importedBlockCount,
    revisionCount,
    redactedRevisionCount: report.redactedRevisionCount,
    pendingRedactionCount: report.pendingRedactionCount,
    digest: toBase64(report.digest),
    findings,
  }
}

function toText(report: LedgerVerification, known: KnownDigest | undefined): string {
  const { name, strandId, blockCount, importedBlockCount, revisionCount, findings } = report
  const imported = importedBlockCount === 0 ? '' : ` (${importedBlockCount} of them QLDB's own)`
  const blocks = `${blockCount} blocks${imported}`
  const { redactedRevisionCount: redactedCount } = report
  const redacted = redactedCount === 0 ? '' : ` (${redactedCount} of them redacted)`
  const facts = `${blocks} with ${revisionCount} revisions${redacted}, strand ${strandId}`
  if (findings.length === 0) {
    const covered = known === undefined ? '' : `\n  It gives ${known.source} again.`
    const { pendingRedactionCount: pendingCount } = report
    const pending =
      pendingCount === 0
        ? ''
        : `\n  Redacted, and still in the files: ${pendingCount} revisions. ` +
          'They go when the server is started, or in a moment when it runs.'
    const digest = `\n  Digest ${toBase64(report.digest)}`
    return `Verified: ledger ${name}, ${facts}.${covered}${pending}${digest}`
  }
  const lines = findings.map(({ kind, message }) => `  ${kind}: ${message}`)
  return [`NOT VERIFIED: ledger ${name}, ${facts}.`, ...lines].join('\n')
}
