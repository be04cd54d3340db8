/**
 * The part of the S3 REST API that QLDB's users need: HeadBucket, CreateBucket, ListObjectsV2, HeadObject, GetObject
 * and PutObject, path style. Bodies may be `aws-chunked`; checksums that come along are compared where Node.js knows
 * them (crc32, sha1, sha256, md5).
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { decodeAwsChunked, type HttpRequest, headerOf, parseQuery } from '@cairn/aws-protocol'
import type { HttpResponse } from '@cairn/http-server'
import type { BucketStore, ObjectPage } from './bucket-store.ts'
import { etagOf } from './bucket-store.ts'
import { localError } from './errors.ts'
import { xmlContentType, xmlDocument } from './xml.ts'

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'
/** Source: S3 API reference, ListObjectsV2. */
const listCountMax = 1000
const storageClass = 'STANDARD'

type Query = ReadonlyMap<string, readonly string[]>

/** What a request wants, before anything is done: for the check of permissions. */
export interface S3Operation {
  readonly name:
    | 'HeadBucket'
    | 'CreateBucket'
    | 'ListObjectsV2'
    | 'HeadObject'
    | 'GetObject'
    | 'PutObject'
  /** As policies name it. */
  readonly action: string
  readonly bucket: string
  readonly key: string
}

/** @throws AwsLocalError OPERATION_UNKNOWN, ARGUMENT_INVALID */
export function s3OperationOf(request: HttpRequest): S3Operation {
  const path = request.path.slice(1)
  const slash = path.indexOf('/')
  const bucket = decodePath(slash < 0 ? path : path.slice(0, slash))
  const key = decodePath(slash < 0 ? '' : path.slice(slash + 1))
  if (bucket !== '') {
    const operation = key === '' ? bucketOperation(request) : objectOperation(request)
    if (operation !== undefined) return { ...operation, bucket, key }
  }
  throw localError(
    { code: 'OPERATION_UNKNOWN' },
    'A header or the path of the request implies what is not implemented here.',
  )
}

type NameAndAction = Pick<S3Operation, 'name' | 'action'>

function bucketOperation({ method, query }: HttpRequest): NameAndAction | undefined {
  if (method === 'HEAD') return { name: 'HeadBucket', action: 's3:ListBucket' }
  const parameters = parseQuery(query)
  if (method === 'GET' && parameters.get('list-type')?.[0] === '2') {
    return { name: 'ListObjectsV2', action: 's3:ListBucket' }
  }
  const isPlain = [...parameters.keys()].every((name) => name === 'x-id')
  if (method === 'PUT' && isPlain) return { name: 'CreateBucket', action: 's3:CreateBucket' }
  return undefined
}

function objectOperation({ method, query, headers }: HttpRequest): NameAndAction | undefined {
  const isPlain = [...parseQuery(query).keys()].every((name) => name === 'x-id')
  if (!isPlain) return undefined
  if (method === 'HEAD') return { name: 'HeadObject', action: 's3:GetObject' }
  if (method === 'GET') return { name: 'GetObject', action: 's3:GetObject' }
  const isCopy = headerOf(headers, 'x-amz-copy-source') !== undefined
  if (method === 'PUT' && !isCopy) return { name: 'PutObject', action: 's3:PutObject' }
  return undefined
}

/** @throws AwsLocalError, AwsProtocolError CHUNKS_INVALID */
export async function runS3(
  store: BucketStore,
  operation: S3Operation,
  request: HttpRequest,
): Promise<HttpResponse> {
  const { name, bucket, key } = operation
  switch (name) {
    case 'HeadBucket':
      if (await store.hasBucket(bucket)) return { status: 200, headers: {}, body: '' }
      throw localError({ code: 'BUCKET_NOT_FOUND', bucket }, 'There is no such bucket.')
    case 'CreateBucket':
      // Creating one's own bucket again succeeds, as it does in us-east-1.
      await store.createBucket(bucket)
      return { status: 200, headers: { location: `/${bucket}` }, body: '' }
    case 'ListObjectsV2':
      return listObjects(store, bucket, parseQuery(request.query))
    case 'HeadObject':
    case 'GetObject':
      return getObject(store, operation, request)
    case 'PutObject': {
      const body = bodyOf(request)
      await store.putObject(bucket, key, body)
      return { status: 200, headers: { etag: etagOf(body) }, body: '' }
    }
  }
}

async function getObject(
  store: BucketStore,
  { bucket, key }: S3Operation,
  request: HttpRequest,
): Promise<HttpResponse> {
  const { object, bytes, etag } = await store.getObject(bucket, key)
  const headers = {
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    'last-modified': new Date(object.modifiedMs).toUTCString(),
    etag,
  }
  const range = headerOf(request.headers, 'range')
  if (range === undefined) return { status: 200, headers, body: bytes }
  const [first, last] = rangeOf(range, bytes.length)
  const contentRange = `bytes ${first}-${last}/${bytes.length}`
  return {
    status: 206,
    headers: { ...headers, 'content-range': contentRange },
    body: bytes.subarray(first, last + 1),
  }
}

/** One range of RFC 9110, 14.1.2: first and last byte. */
function rangeOf(text: string, size: number): [first: number, last: number] {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text)
  const [, from = '', to = ''] = match ?? []
  const isSuffix = from === ''
  const first = isSuffix ? Math.max(0, size - Number(to)) : Number(from)
  const last = isSuffix || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (match !== null && (from !== '' || to !== '') && first <= last) return [first, last]
  throw localError({ code: 'RANGE_INVALID' }, 'The requested range is not satisfiable.')
}

async function listObjects(
  store: BucketStore,
  bucket: string,
  query: Query,
): Promise<HttpResponse> {
  const one = (name: string): string | undefined => query.get(name)?.[0]
  const prefix = one('prefix') ?? ''
  const delimiter = one('delimiter') || undefined
  const token = one('continuation-token')
  const startAfter = one('start-after') ?? ''
  const countMax = Math.min(countOf(one('max-keys')), listCountMax)
  const page = await store.list(bucket, {
    prefix,
    delimiter,
    startAfter: token === undefined ? startAfter : keyOfToken(token),
    countMax,
  })
  const isEncoded = one('encoding-type') === 'url'
  const shown = (key: string): string => (isEncoded ? encodeURIComponent(key) : key)
  const body = xmlDocument(
    'ListBucketResult',
    {
      Name: bucket,
      Prefix: shown(prefix),
      Delimiter: delimiter === undefined ? undefined : shown(delimiter),
      MaxKeys: countMax,
      EncodingType: isEncoded ? 'url' : undefined,
      StartAfter: startAfter === '' ? undefined : shown(startAfter),
      ContinuationToken: token,
      KeyCount: page.objects.length + page.commonPrefixes.length,
      IsTruncated: page.isTruncated,
      NextContinuationToken: nextToken(page),
      Contents: page.objects.map(({ key, size, modifiedMs }) => ({
        Key: shown(key),
        LastModified: new Date(modifiedMs).toISOString(),
        Size: size,
        StorageClass: storageClass,
      })),
      CommonPrefixes: page.commonPrefixes.map((each) => ({ Prefix: shown(each) })),
    },
    namespace,
  )
  return { status: 200, headers: { 'content-type': xmlContentType }, body }
}

/** The last key or common prefix of the page. */
function nextToken({ isTruncated, objects, commonPrefixes }: ObjectPage): string | undefined {
  if (!isTruncated) return undefined
  const [a, b] = [objects.at(-1)?.key ?? '', commonPrefixes.at(-1) ?? '']
  const last = Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0 ? a : b
  return Buffer.from(last).toString('base64url')
}

function keyOfToken(token: string): string {
  const key = Buffer.from(token, 'base64url')
  if (key.length > 0 && key.toString('base64url') === token) return key.toString()
  throw localError(
    { code: 'ARGUMENT_INVALID', argument: 'continuation-token' },
    'The continuation token provided is incorrect.',
  )
}

function countOf(text: string | undefined): number {
  if (text === undefined) return listCountMax
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw localError({ code: 'ARGUMENT_INVALID', argument: 'max-keys' }, 'max-keys is no number.')
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw localError({ code: 'ARGUMENT_INVALID', argument: 'key' }, 'The path is not UTF-8.')
  }
}

/** The object's bytes: chunks joined, and compared with whatever checksums came along. */
function bodyOf(request: HttpRequest): Uint8Array {
  const { headers } = request
  const payload = headerOf(headers, 'x-amz-content-sha256') ?? ''
  const isChunked =
    payload.startsWith('STREAMING-') ||
    /aws-chunked/.test(headerOf(headers, 'content-encoding') ?? '')
  const { body, trailers } = isChunked
    ? decodeAwsChunked(request.body)
    : { body: request.body, trailers: new Map<string, string>() }
  const checksums = {
    'x-amz-checksum-crc32': () => crc32Base64(body),
    'x-amz-checksum-sha1': () => hashBase64('sha1', body),
    'x-amz-checksum-sha256': () => hashBase64('sha256', body),
    'content-md5': () => hashBase64('md5', body),
    'x-amz-decoded-content-length': () => String(body.length),
  }
  for (const [name, compute] of Object.entries(checksums)) {
    const given = trailers.get(name) ?? headerOf(headers, name)
    if (given === undefined || given === compute()) continue
    throw localError(
      { code: 'CHECKSUM_MISMATCH', algorithm: name },
      `The body is not the one that ${name} was made of.`,
    )
  }
  return body
}

function crc32Base64(bytes: Uint8Array): string {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(bytes))
  return checksum.toString('base64')
}

function hashBase64(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('base64')
}
