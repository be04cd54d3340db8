/** Builds what brings journals elsewhere, as the targets file says: exports to S3, streams to Kinesis and webhooks. */
import { join } from 'node:path'
import type { AwsLocal } from '@cairn/aws-local'
import { type Clock, createIdSource, type FileSystem, type Logger, systemRandom } from '@cairn/core'
import { createS3Store } from '@cairn/journal-export'
import { createKinesisTarget, createWebhookTarget, type StreamTarget } from '@cairn/journal-stream'
import type { LedgerHost } from '@cairn/ledger'
import {
  type ExportJobs,
  openExportJobs,
  openStreamJobs,
  type StreamJobs,
} from '@cairn/qldb-server'
import { readTargets, type Targets } from './targets-file.ts'

export interface JournalJobsOptions {
  /** The data folder. */
  readonly directory: string
  readonly files: FileSystem
  readonly host: LedgerHost
  readonly awsLocal: AwsLocal
  /** Undefined: `targets.json` of the data folder, if there. */
  readonly targetsFile: string | undefined
  /** The region and account in the names of streams. */
  readonly arns: { readonly region: string; readonly accountId: string }
  readonly clock: Clock
  readonly logger: Logger
}

export interface JournalJobs {
  readonly exports: ExportJobs
  readonly streams: StreamJobs
  /** Resolves when no object of the ledger that is being written to a local bucket may hold what is redacted by now. */
  untilWritten(strandId: string): Promise<void>
  /** Gives up what is under way; the next start goes on with it. */
  close(): Promise<void>
}

/** @throws ServerError TARGETS_INVALID */
export async function openJournalJobs(options: JournalJobsOptions): Promise<JournalJobs> {
  const { directory, files, host, awsLocal, targetsFile, arns, clock, logger } = options
  const targets = await readTargets(files, targetsFile, join(directory, 'targets.json'))
  const s3 = targets.s3 === undefined ? undefined : createS3Store(targets.s3)
  const common = {
    host,
    clock,
    ids: createIdSource(clock, systemRandom),
    logger,
    fileSystem: files,
  }
  const exports = await openExportJobs({
    ...common,
    store: s3 ?? awsLocal.buckets,
    directory: join(directory, 'exports'),
  })
  const streams = await openStreamJobs({
    ...common,
    arns,
    directory: join(directory, 'streams'),
    openTarget: (arn, isAggregated) => openTarget(targets, clock, arn, isAggregated),
  })
  return {
    exports,
    streams,
    async untilWritten(strandId) {
      if (s3 === undefined) await exports.untilWritten(strandId)
    },
    async close() {
      await Promise.all([exports.close(), streams.close()])
      s3?.close()
    },
  }
}

/** `arn:…:kinesis:…:stream/NAME`, or `arn:…:webhook:…:endpoint/NAME` for a webhook of the targets file. */
function openTarget(
  { kinesis, webhooks }: Targets,
  clock: Clock,
  arn: string,
  isAggregated: boolean,
): StreamTarget | undefined {
  const [, , service, , , resource = ''] = arn.split(':')
  if (service === 'kinesis' && kinesis !== undefined) {
    return createKinesisTarget({ ...kinesis, kinesisStreamArn: arn, isAggregated })
  }
  if (service !== 'webhook' || !resource.startsWith('endpoint/')) return undefined
  const webhook = webhooks.get(resource.slice('endpoint/'.length))
  return webhook === undefined ? undefined : createWebhookTarget({ ...webhook, clock })
}
