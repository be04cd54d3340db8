/** Journal exports of the control API: start, describe, list. */
import { isRecord, toEpochSeconds } from '@cairn/aws-protocol'
import { assert } from '@cairn/core'
import { encryptionTypes, exportFormats } from '@cairn/journal-export'
import type { ControlAnswer, ControlContext, ControlRequest } from './control-api.ts'
import {
  labelOf,
  optionalChoice,
  requiredChoice,
  requiredString,
  requiredTimeMs,
  roleArnOf,
} from './control-members.ts'
import { parameterInvalid, serverError } from './errors.ts'
import { type ExportJob, type ExportJobs, exportOrder } from './exports/export-jobs.ts'
import { pageOf } from './paging.ts'

/** Source: SDK model, S3Bucket and S3Prefix. */
const bucketLengthMax = 255
const prefixLengthMax = 128

export async function exportJournalToS3(
  context: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const { body } = request
  const job = await jobsOf(context).create({
    ledgerName: labelOf(request, 'Name'),
    inclusiveStartMs: requiredTimeMs(body, 'InclusiveStartTime'),
    exclusiveEndMs: requiredTimeMs(body, 'ExclusiveEndTime'),
    roleArn: roleArnOf(body),
    format: optionalChoice(body, 'OutputFormat', exportFormats),
    ...destinationOf(body['S3ExportConfiguration']),
  })
  return { ExportId: job.request.exportId }
}

export function describeJournalS3Export(
  context: ControlContext,
  request: ControlRequest,
): ControlAnswer {
  const exportId = labelOf(request, 'ExportId')
  const ledgerName = labelOf(request, 'Name')
  context.host.describeLedger(ledgerName)
  const job = jobsOf(context).find(ledgerName, exportId)
  if (job !== undefined) return { ExportDescription: descriptionOf(job) }
  throw serverError(
    { code: 'RESOURCE_NOT_FOUND', resourceType: 'JournalS3Export', resourceName: exportId },
    'There is no such export, or not any more.',
  )
}

export function listJournalS3ExportsForLedger(
  context: ControlContext,
  request: ControlRequest,
): ControlAnswer {
  const ledgerName = labelOf(request, 'Name')
  context.host.describeLedger(ledgerName)
  return listBody(request, jobsOf(context).list(ledgerName))
}

export function listJournalS3Exports(
  context: ControlContext,
  request: ControlRequest,
): ControlAnswer {
  return listBody(request, jobsOf(context).list())
}

function jobsOf({ exports }: ControlContext): ExportJobs {
  assert(exports !== undefined, 'the routes of exports need them')
  return exports
}

function listBody(request: ControlRequest, jobs: readonly ExportJob[]): ControlAnswer {
  const { items, nextToken } = pageOf(request, jobs, exportOrder)
  return { JournalS3Exports: items.map(descriptionOf), ...nextToken }
}

function descriptionOf({ request, roleArn, status }: ExportJob): object {
  const { encryption, kmsKeyArn, format } = request
  return {
    LedgerName: request.ledgerName,
    ExportId: request.exportId,
    ExportCreationTime: toEpochSeconds(request.createdMs),
    Status: status,
    InclusiveStartTime: toEpochSeconds(request.inclusiveStartMs),
    ExclusiveEndTime: toEpochSeconds(request.exclusiveEndMs),
    S3ExportConfiguration: {
      Bucket: request.bucket,
      Prefix: request.prefix,
      EncryptionConfiguration: {
        ObjectEncryptionType: encryption,
        ...(kmsKeyArn === undefined ? {} : { KmsKeyArn: kmsKeyArn }),
      },
    },
    RoleArn: roleArn,
    ...(format === undefined ? {} : { OutputFormat: format }),
  }
}

function destinationOf(value: unknown) {
  const name = 'S3ExportConfiguration'
  if (!isRecord(value)) throw parameterInvalid(name, `${name} is required.`)
  const bucket = requiredString(value, 'Bucket')
  const prefix = value['Prefix']
  if (bucket.length > bucketLengthMax) {
    throw parameterInvalid(name, `Bucket may have ${bucketLengthMax} characters.`)
  }
  if (typeof prefix !== 'string' || prefix.length > prefixLengthMax || prefix.startsWith('/')) {
    throw parameterInvalid(
      name,
      `Prefix is required, may have ${prefixLengthMax} characters, and begins with no slash.`,
    )
  }
  const settings = value['EncryptionConfiguration']
  if (!isRecord(settings)) throw parameterInvalid(name, 'EncryptionConfiguration is required.')
  const encryption = requiredChoice(settings, 'ObjectEncryptionType', encryptionTypes)
  const kmsKeyArn = settings['KmsKeyArn'] ?? undefined
  if (kmsKeyArn !== undefined && typeof kmsKeyArn !== 'string') {
    throw parameterInvalid(name, 'KmsKeyArn must be a string.')
  }
  return { bucket, prefix, encryption, kmsKeyArn }
}
