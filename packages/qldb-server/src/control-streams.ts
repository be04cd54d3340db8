/** Journal streams of the control API: start, describe, cancel, list. */
import { isRecord, toEpochSeconds } from '@cairn/aws-protocol'
import { assert } from '@cairn/core'
import { streamArn } from './arn.ts'
import type { ControlAnswer, ControlContext, ControlRequest } from './control-api.ts'
import {
  labelOf,
  nameMember,
  optionalBoolean,
  optionalTimeMs,
  requiredString,
  requiredTimeMs,
  roleArnOf,
  tagsOf,
} from './control-members.ts'
import { parameterInvalid } from './errors.ts'
import { pageOf } from './paging.ts'
import { type StreamJob, type StreamJobs, streamOrder } from './streams/stream-jobs.ts'

/** Source: SDK model, Arn. */
const arnLengthMax = 1600

export async function streamJournalToKinesis(
  context: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const { body } = request
  const job = await streamsOf(context).create({
    ledgerName: labelOf(request, 'LedgerName'),
    streamName: nameMember(body, 'StreamName'),
    roleArn: roleArnOf(body),
    inclusiveStartMs: requiredTimeMs(body, 'InclusiveStartTime'),
    exclusiveEndMs: optionalTimeMs(body, 'ExclusiveEndTime'),
    tags: tagsOf(body),
    ...targetOf(body['KinesisConfiguration']),
  })
  return { StreamId: job.streamId }
}

export function describeJournalKinesisStream(
  context: ControlContext,
  request: ControlRequest,
): ControlAnswer {
  const job = streamsOf(context).get(labelOf(request, 'LedgerName'), labelOf(request, 'StreamId'))
  return { Stream: streamBody(context, job) }
}

export async function cancelJournalKinesisStream(
  context: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const streamId = labelOf(request, 'StreamId')
  await streamsOf(context).cancel(labelOf(request, 'LedgerName'), streamId)
  return { StreamId: streamId }
}

export function listJournalKinesisStreamsForLedger(
  context: ControlContext,
  request: ControlRequest,
): ControlAnswer {
  const jobs = streamsOf(context).list(labelOf(request, 'LedgerName'))
  const { items, nextToken } = pageOf(request, jobs, streamOrder)
  return { Streams: items.map((job) => streamBody(context, job)), ...nextToken }
}

function streamsOf({ streams }: ControlContext): StreamJobs {
  assert(streams !== undefined, 'the routes of streams need them')
  return streams
}

function streamBody({ arns }: ControlContext, job: StreamJob): object {
  const { exclusiveEndMs, errorCause } = job
  return {
    LedgerName: job.ledgerName,
    StreamName: job.streamName,
    StreamId: job.streamId,
    Arn: streamArn(arns, job.ledgerName, job.streamId),
    RoleArn: job.roleArn,
    CreationTime: toEpochSeconds(job.createdMs),
    InclusiveStartTime: toEpochSeconds(job.inclusiveStartMs),
    ...(exclusiveEndMs === undefined ? {} : { ExclusiveEndTime: toEpochSeconds(exclusiveEndMs) }),
    Status: job.status,
    ...(errorCause === undefined ? {} : { ErrorCause: errorCause }),
    KinesisConfiguration: { StreamArn: job.targetArn, AggregationEnabled: job.isAggregated },
  }
}

function targetOf(value: unknown): Pick<StreamJob, 'targetArn' | 'isAggregated'> {
  const name = 'KinesisConfiguration'
  if (!isRecord(value)) throw parameterInvalid(name, `${name} is required.`)
  const targetArn = requiredString(value, 'StreamArn')
  if (!/^arn:[^:\s]+:[^:\s]+:\S*$/.test(targetArn) || targetArn.length > arnLengthMax) {
    throw parameterInvalid(name, 'StreamArn must be the ARN of a Kinesis stream or a webhook.')
  }
  return { targetArn, isAggregated: optionalBoolean(value, 'AggregationEnabled') ?? true }
}
