/**
 * Checks ledgers as they lie on the disk, without opening them: every written byte of the journal, every hash in every
 * block, both trees. Nothing is changed, and a server may be running on the folder.
 */
import { type Clock, equalBytes, type FileSystem, toBase64 } from '@cairn/core'
import { decodeIon, hashIon } from '@cairn/ion'
import { type JournalFinding, nodeFileSystem, verifyJournal } from '@cairn/journal'
import { createLedgerReplay, type LedgerReplay, parseBlock } from '@cairn/verifier'
import type { LedgerDescription } from './api.ts'
import { type BlockRecord, blockOf } from './block-record.ts'
import { blockToIon } from './block-view.ts'
import { ledgerNotFound, listFolders } from './ledger-folder.ts'
import { lmdbProjections } from './lmdb-projection.ts'
import type { ProjectionDriver, Watermark } from './projection.ts'
import { RedactionAudit } from './redaction-audit.ts'

export interface VerifyDirectoryOptions {
  /** The data folder of a server, or of `openLedger`. */
  readonly directory: string
  /** One ledger; without it all of them. */
  readonly name?: string
  /** A digest that was kept: the ledger must give it again at that block. Only with `name`. */
  readonly expectedDigest?: { readonly sequenceNo: number; readonly digest: Uint8Array }
  readonly fileSystem?: FileSystem
  readonly projections?: ProjectionDriver
  /** For the pauses between two looks at the end of a journal that is being written. */
  readonly clock?: Clock
  readonly onProgress?: (progress: VerifyProgress) => void
}

export interface VerifyProgress {
  readonly ledgerName: string
  readonly checkedBytes: number
  readonly totalBytes: number
}

export interface LedgerFinding {
  /**
   * `damaged`, `missing`: the journal's bytes. `unfinished`: bytes behind the last whole record, as a crash leaves
   * them, or damage to the very last group. `invalid`: bytes intact, content false. `lost`: confirmed blocks are gone.
   */
  readonly kind: 'damaged' | 'missing' | 'unfinished' | 'invalid' | 'lost'
  /** One sentence that names file and bytes, or the block. */
  readonly message: string
}

export interface LedgerVerification {
  readonly name: string
  readonly strandId: string
  readonly blockCount: number
  /** Of those, from the first on, blocks that an import brought from QLDB, checked by QLDB's rules. */
  readonly importedBlockCount: number
  readonly revisionCount: number
  /** Of these, those whose data was redacted and is gone. */
  readonly redactedRevisionCount: number
  /** Redacted revisions whose data is still there: it goes while, or as soon as, the ledger is open. */
  readonly pendingRedactionCount: number
  /** Of the last block that could be checked. */
  readonly digest: Uint8Array
  readonly tlogRoot: Uint8Array
  /** Empty when all is well. */
  readonly findings: readonly LedgerFinding[]
}

/** More are counted and not kept: a rewritten ledger is wrong from some block to its end. */
const findingCountMax = 100

/** @throws LedgerError LEDGER_NOT_FOUND when there is no such ledger in the folder. */
export async function verifyLedgerDirectory(
  options: VerifyDirectoryOptions,
): Promise<LedgerVerification[]> {
  const fileSystem = options.fileSystem ?? nodeFileSystem
  const out: LedgerVerification[] = []
  for (const { description, directory } of await listFolders(options.directory, fileSystem)) {
    if (options.name !== undefined && description.name !== options.name) continue
    out.push(await verifyLedger(description, directory, fileSystem, options))
  }
  if (out.length === 0 && options.name !== undefined) {
    throw ledgerNotFound(options.directory, options.name)
  }
  return out
}

/**
 * How far the projection of one ledger has come; undefined when there is none of this layout.
 * @param directory Of the ledger. It is only read.
 */
export function readProjectionWatermark(
  directory: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Watermark | undefined> {
  return lmdbProjections.readWatermark(`${directory}/projection`, fileSystem)
}

async function verifyLedger(
  { name, strandId }: LedgerDescription,
  directory: string,
  fileSystem: FileSystem,
  { expectedDigest, onProgress, projections = lmdbProjections, clock }: VerifyDirectoryOptions,
): Promise<LedgerVerification> {
  const findings: LedgerFinding[] = []
  const find = (finding: LedgerFinding) => {
    if (findings.length < findingCountMax) findings.push(finding)
  }
  // Read first: what was projected by now must be in the journal that is read afterwards.
  const watermark = await projections.readWatermark(`${directory}/projection`, fileSystem)
  const replay = createLedgerReplay({ strandId, importedBlockCount: 'detect' })
  const redactions = new RedactionAudit()
  let revisionCount = 0
  let expected: Uint8Array | undefined
  const report = await verifyJournal({
    directory: `${directory}/journal`,
    fileSystem,
    ...(clock === undefined ? {} : { clock }),
    onProgress({ judgedBytes, totalBytes }) {
      onProgress?.({ ledgerName: name, checkedBytes: judgedBytes, totalBytes })
    },
    onRecord(record) {
      if (record.sequenceNo !== replay.blockCount) return
      try {
        // The record is only lent; the replay keeps the hash for the next block.
        const block = blockOf({ ...record, hash: record.hash.slice() })
        addBlock(replay, strandId, block)
        revisionCount += block.revisions.length
        redactions.add(block)
      } catch (error) {
        find({ kind: 'invalid', message: error instanceof Error ? error.message : String(error) })
      }
      if (record.sequenceNo === expectedDigest?.sequenceNo) expected = replay.digest()
    },
  })
  for (const finding of report.findings) find({ kind: finding.kind, message: placeOf(finding) })
  // Where blocks could not be read, the one that says so may be among them.
  if (replay.blockCount === report.nextSequenceNo) {
    for (const message of redactions.findings()) find({ kind: 'invalid', message })
  }
  if (watermark !== undefined && watermark.sequenceNo >= report.nextSequenceNo) {
    const last = report.nextSequenceNo - 1
    const confirmed = `block ${watermark.sequenceNo} was on the disk before`
    find({ kind: 'lost', message: `The journal ends at block ${last}; ${confirmed}.` })
  }
  if (expectedDigest !== undefined && !sameDigest(expected, expectedDigest.digest)) {
    find({ kind: 'invalid', message: digestMessage(expectedDigest, expected) })
  }
  return {
    name,
    strandId,
    blockCount: replay.blockCount,
    importedBlockCount: replay.importedBlockCount,
    revisionCount,
    redactedRevisionCount: redactions.redactedCount,
    pendingRedactionCount: redactions.pendingCount,
    digest: replay.digest(),
    tlogRoot: replay.tlogRoot(),
    findings,
  }
}

function placeOf({
  file,
  startOffset,
  endOffset,
  startSequenceNo,
  endSequenceNo,
  message,
}: JournalFinding): string {
  const last = endSequenceNo - 1
  const blocks =
    last > startSequenceNo ? `blocks ${startSequenceNo} to ${last}` : `block ${startSequenceNo}`
  return `${message} File ${file}, bytes ${startOffset} to ${endOffset - 1}, ${blocks}.`
}

function addBlock(replay: LedgerReplay, strandId: string, block: BlockRecord): void {
  replay.add(parseBlock(blockToIon(strandId, block)), { catalogInfoHash: catalogInfoHash(block) })
}

/** Exports do not tell the catalog information of a block, only its hash. */
function catalogInfoHash({ catalogInfo, imported }: BlockRecord): Uint8Array | 'none' | undefined {
  if (catalogInfo !== undefined) return hashIon(decodeIon(catalogInfo))
  return imported === undefined ? 'none' : undefined
}

function sameDigest(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && equalBytes(a, b)
}

function digestMessage(
  { sequenceNo, digest }: { sequenceNo: number; digest: Uint8Array },
  found: Uint8Array | undefined,
): string {
  const kept = `the digest ${toBase64(digest)} that was kept for block ${sequenceNo}`
  return found === undefined
    ? `The ledger does not reach ${kept}.`
    : `The ledger does not give ${kept}; it gives ${toBase64(found)}.`
}
