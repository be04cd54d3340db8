/**
 * A stream into a Kinesis data stream by the AWS SDK's own client, aggregated or record by record. All records of a
 * ledger have its strand as partition key: one shard, in order. The client is loaded with the first batch.
 */
import type { KinesisClient, PutRecordsCommandOutput } from '@aws-sdk/client-kinesis'
import { aggregate, aggregateOverheadBytesMax, recordOverheadBytesMax } from './aggregation.ts'
import { type StreamErrorCause, type StreamTarget, StreamTargetError } from './stream-target.ts'

export interface KinesisConnection {
  /** Undefined: AWS's own of the region. */
  readonly endpoint: string | undefined
  readonly region: string
  /** Undefined: found where every AWS SDK looks, in environment and profile. */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string }
    | undefined
  /** PEM of the authority to trust beside the usual ones. */
  readonly authorityPem: string | undefined
}

export interface KinesisTargetOptions extends KinesisConnection {
  /** ARN of the data stream. */
  readonly kinesisStreamArn: string
  readonly isAggregated: boolean
}

/** Source: Kinesis API reference, PutRecords. */
const recordCountMax = 500
const requestBytesMax = 5 * 1024 * 1024
const kinesisRecordBytesMax = 1024 * 1024
/** Half of the largest, so that one large record beside many small ones still fits. */
const aggregateBytesMax = kinesisRecordBytesMax / 2
/** The client's own attempts for one call. */
const attemptCountMax = 2
const connectMsMax = 5000
const requestMsMax = 30_000

interface Sdk {
  readonly module: typeof import('@aws-sdk/client-kinesis')
  readonly client: KinesisClient
}

export function createKinesisTarget(options: KinesisTargetOptions): StreamTarget {
  const { kinesisStreamArn, isAggregated } = options
  let loading: Promise<Sdk> | undefined
  const load = (): Promise<Sdk> => {
    loading ??= open(options)
    return loading
  }
  return {
    async deliver({ strandId, records }, signal) {
      const { module, client } = await load()
      const encoded = records.map(({ ion }) => ion)
      const blobs = isAggregated ? aggregateAll(strandId, encoded) : encoded
      let rest = blobs
      while (rest.length > 0) {
        const part = requestOf(rest)
        const command = new module.PutRecordsCommand({
          StreamARN: kinesisStreamArn,
          Records: part.map((Data) => ({ Data, PartitionKey: strandId })),
        })
        let answer: PutRecordsCommandOutput
        try {
          answer = await client.send(command, { abortSignal: signal })
        } catch (cause) {
          throw new StreamTargetError('Kinesis did not take the records.', causeOf(cause), cause)
        }
        rest = rest.slice(takenCount(answer, part.length))
      }
    },
    close() {
      void loading?.then(({ client }) => client.destroy())
    },
  }
}

async function open(options: KinesisTargetOptions): Promise<Sdk> {
  const [module, { NodeHttpHandler }, { Agent }] = await Promise.all([
    import('@aws-sdk/client-kinesis'),
    import('@smithy/node-http-handler'),
    import('node:https'),
  ])
  const { endpoint, region, credentials, authorityPem } = options
  const client = new module.KinesisClient({
    region,
    maxAttempts: attemptCountMax,
    // The client's own handler speaks HTTP/2, which services other than AWS mostly do not.
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectMsMax,
      requestTimeout: requestMsMax,
      ...(authorityPem === undefined ? {} : { httpsAgent: new Agent({ ca: authorityPem }) }),
    }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
  return { module, client }
}

function aggregateAll(strandId: string, records: readonly Uint8Array[]): Uint8Array[] {
  const aggregates: Uint8Array[] = []
  let group: Uint8Array[] = []
  let size = 0
  const sizeMax = aggregateBytesMax - aggregateOverheadBytesMax - strandId.length
  for (const record of records) {
    const recordSize = record.length + recordOverheadBytesMax
    if (group.length > 0 && size + recordSize > sizeMax) {
      aggregates.push(aggregate(strandId, group))
      group = []
      size = 0
    }
    group.push(record)
    size += recordSize
  }
  if (group.length > 0) aggregates.push(aggregate(strandId, group))
  return aggregates
}

/** As many as one request may hold. */
function requestOf(records: readonly Uint8Array[]): readonly Uint8Array[] {
  let size = 0
  let count = 0
  for (const { length } of records) {
    size += length
    if (count === recordCountMax || (count > 0 && size > requestBytesMax)) break
    count++
  }
  return records.slice(0, count)
}

/**
 * How many records to pass over. From the first that failed all are sent again, also those behind it that were taken:
 * a consumer that takes each record only after the one before it sees all of them in order.
 */
function takenCount(answer: PutRecordsCommandOutput, count: number): number {
  if ((answer.FailedRecordCount ?? 0) === 0) return count
  const failed = answer.Records?.findIndex(({ ErrorCode }) => ErrorCode !== undefined) ?? 0
  if (failed > 0) return failed
  const { ErrorCode = '' } = answer.Records?.[0] ?? {}
  throw new StreamTargetError(`Kinesis did not take a record: ${ErrorCode}.`, undefined)
}

function causeOf(error: unknown): StreamErrorCause | undefined {
  switch ((error as Error).name) {
    case 'ResourceNotFoundException':
      return 'KINESIS_STREAM_NOT_FOUND'
    case 'AccessDeniedException':
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
      return 'IAM_PERMISSION_REVOKED'
    default:
      return undefined
  }
}
