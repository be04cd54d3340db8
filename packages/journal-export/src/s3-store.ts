/** Exports to an S3-compatible service, by the AWS SDK's own client. It is loaded when the first export needs it. */
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { ExportError } from './errors.ts'
import type { ObjectStore, PutOptions } from './object-store.ts'

export interface S3StoreOptions {
  /** Undefined: AWS's own of the region. */
  readonly endpoint: string | undefined
  readonly region: string
  /** Undefined: found where every AWS SDK looks, in environment and profile. */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string }
    | undefined
  /** `endpoint/bucket/key` in place of `bucket.endpoint/key`; what most services other than AWS need. */
  readonly isPathStyle: boolean
  /** PEM of the authority to trust beside the usual ones. */
  readonly authorityPem: string | undefined
}

export interface ClosableStore extends ObjectStore {
  close(): void
}

/** The client's own attempts for one call. */
const attemptCountMax = 3
const connectMsMax = 10_000
/** For an object of 8 MiB on a slow line. */
const requestMsMax = 120_000

export function createS3Store(options: S3StoreOptions): ClosableStore {
  let loading: Promise<{ sdk: typeof import('@aws-sdk/client-s3'); client: S3Client }> | undefined
  const load = () => {
    loading ??= open(options)
    return loading
  }
  return {
    async hasBucket(bucket) {
      const { sdk, client } = await load()
      try {
        await client.send(new sdk.HeadBucketCommand({ Bucket: bucket }))
        return true
      } catch (error) {
        if (statusOf(error) === 404) return false
        throw failed(error, bucket, '')
      }
    },
    async put(bucket, key, bytes, putOptions) {
      const { sdk, client } = await load()
      const input = putInput(bucket, key, bytes, putOptions)
      try {
        const { signal } = putOptions
        const command = new sdk.PutObjectCommand(input)
        await client.send(command, signal === undefined ? {} : { abortSignal: signal })
      } catch (error) {
        throw failed(error, bucket, key)
      }
    },
    close() {
      void loading?.then(({ client }) => client.destroy())
    },
  }
}

async function open(options: S3StoreOptions) {
  const [sdk, { NodeHttpHandler }, { Agent }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@smithy/node-http-handler'),
    import('node:https'),
  ])
  const { endpoint, region, credentials, isPathStyle, authorityPem } = options
  const client = new sdk.S3Client({
    region,
    maxAttempts: attemptCountMax,
    forcePathStyle: isPathStyle,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectMsMax,
      requestTimeout: requestMsMax,
      ...(authorityPem === undefined ? {} : { httpsAgent: new Agent({ ca: authorityPem }) }),
    }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
  return { sdk, client }
}

function putInput(
  bucket: string,
  key: string,
  bytes: Uint8Array,
  { contentType, encryption, kmsKeyArn }: PutOptions,
): PutObjectCommandInput {
  const input: PutObjectCommandInput = {
    Bucket: bucket,
    Key: key,
    Body: bytes,
    ContentType: contentType,
  }
  if (encryption === 'SSE_S3') input.ServerSideEncryption = 'AES256'
  if (encryption === 'SSE_KMS') {
    input.ServerSideEncryption = 'aws:kms'
    if (kmsKeyArn !== undefined) input.SSEKMSKeyId = kmsKeyArn
  }
  return input
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
}

/** What a client did wrong stays wrong; throttling, time-outs and everything else may pass. */
function failed(cause: unknown, bucket: string, key: string): ExportError {
  const status = statusOf(cause) ?? 0
  const isRefused = status >= 400 && status < 500 && status !== 429 && status !== 408
  return new ExportError(
    { code: isRefused ? 'STORE_REFUSED' : 'STORE_UNAVAILABLE', bucket, key },
    {
      shortMessage: isRefused
        ? `The store refused the request with status ${status}.`
        : 'The store could not be reached.',
      metaMessages: [`Bucket: ${bucket}`, `Key: ${key}`],
      cause,
    },
  )
}
