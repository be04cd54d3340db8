/** Checks ledgers of a data folder as they lie on the disk; a server may be running on it, none is needed. */
import { toBase64 } from '@cairn/core'
import { type LedgerVerification, verifyLedgerDirectory } from '@cairn/ledger'
import { type CommandContext, exitDone, exitFailed } from './command.ts'
import { CliError } from './errors.ts'
import type { Progress } from './progress.ts'
import { print } from './terminal.ts'
import { type KnownDigest, readDigestFile } from './verify-common.ts'

/** @param ledgerName Undefined for all ledgers of the folder. */
export async function checkDataFolder(
  { args, terminal }: CommandContext,
  directory: string,
  ledgerName: string | undefined,
  progress: Progress,
): Promise<number> {
  const digestPath = args.text('digest')
  const known = digestPath === undefined ? undefined : await readDigestFile(digestPath)
  const reports = await verifyLedgerDirectory({
    directory,
    ...(ledgerName === undefined ? {} : { name: ledgerName }),
    ...(known === undefined
      ? {}
      : { expectedDigest: { sequenceNo: known.tip.sequenceNo, digest: known.digest } }),
    onProgress: ({ ledgerName: name, checkedBytes, totalBytes }) =>
      progress.update(`Ledger ${name}: ${percent(checkedBytes, totalBytes)} …`),
  })
  progress.end()
  if (reports.length === 0) throw noLedgers(directory)
  const checked = reports.map((report) => withStrandFinding(report, known))
  print(
    terminal,
    args.flag('json')
      ? JSON.stringify(checked.map(toJson))
      : checked.map((report) => toText(report, known)).join('\n'),
  )
  return checked.every(({ findings }) => findings.length === 0) ? exitDone : exitFailed
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
  const { name, strandId, blockCount, revisionCount, findings } = report
  return {
    isVerified: findings.length === 0,
    ledger: name,
    strandId,
    blockCount,
    revisionCount,
    digest: toBase64(report.digest),
    findings,
  }
}

function toText(report: LedgerVerification, known: KnownDigest | undefined): string {
  const { name, strandId, blockCount, revisionCount, findings } = report
  const facts = `${blockCount} blocks with ${revisionCount} revisions, strand ${strandId}`
  if (findings.length === 0) {
    const covered = known === undefined ? '' : `\n  It gives ${known.source} again.`
    return `Verified: ledger ${name}, ${facts}.${covered}\n  Digest ${toBase64(report.digest)}`
  }
  const lines = findings.map(({ kind, message }) => `  ${kind}: ${message}`)
  return [`NOT VERIFIED: ledger ${name}, ${facts}.`, ...lines].join('\n')
}
