/** Builds what brings journals elsewhere: exports into buckets, as the targets file says. */
import { join } from 'node:path'
import type { AwsLocal } from '@cairn/aws-local'
import { type Clock, createIdSource, type FileSystem, type Logger, systemRandom } from '@cairn/core'
import { createS3Store } from '@cairn/journal-export'
import type { LedgerHost } from '@cairn/ledger'
import { type ExportJobs, openExportJobs } from '@cairn/qldb-server'
import { readTargets } from './targets-file.ts'

export interface JournalJobsOptions {
  /** The data folder. */
  readonly directory: string
  readonly files: FileSystem
  readonly host: LedgerHost
  readonly awsLocal: AwsLocal
  /** Undefined: `targets.json` of the data folder, if there. */
  readonly targetsFile: string | undefined
  readonly clock: Clock
  readonly logger: Logger
}

export interface JournalJobs {
  readonly exports: ExportJobs
  /** Gives up what is under way; the next start goes on with it. */
  close(): Promise<void>
}

/** @throws ServerError TARGETS_INVALID */
export async function openJournalJobs(options: JournalJobsOptions): Promise<JournalJobs> {
  const { directory, files, host, awsLocal, targetsFile, clock, logger } = options
  const targets = await readTargets(files, targetsFile, join(directory, 'targets.json'))
  const s3 = targets.s3 === undefined ? undefined : createS3Store(targets.s3)
  const exports = await openExportJobs({
    host,
    store: s3 ?? awsLocal.buckets,
    clock,
    ids: createIdSource(clock, systemRandom),
    logger,
    fileSystem: files,
    directory: join(directory, 'exports'),
  })
  return {
    exports,
    async close() {
      await exports.close()
      s3?.close()
    },
  }
}
