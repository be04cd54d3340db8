/** S3, STS and IAM beside the QLDB API, by the AWS SDK's own clients over https with signatures checked. */
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent, request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  GetRoleCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from './start-server.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const Bucket = 'my-bucket'
let folder: string
let server: RunningServer
let ca: string
let credentials: { accessKeyId: string; secretAccessKey: string }
let s3: S3Client

function settings(secret = credentials.secretAccessKey) {
  return {
    endpoint: server.info.endpoints.apiTls,
    region: 'us-east-1',
    credentials: { ...credentials, secretAccessKey: secret },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca, keepAlive: false }) }),
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-aws-'))
  const options = { dataDirectory: join(folder, 'data'), listen: anyPort, tlsListen: anyPort }
  server = await startServer({ ...options, auth: 'sigv4' })
  ca = await readFile(server.info.caFile, 'utf8')
  const accessKeyId = server.accessKeyFile?.accessKeyIds[0] ?? ''
  const key = server.accessKeyFile?.lookup(accessKeyId)
  credentials = { accessKeyId, secretAccessKey: key?.secretAccessKey ?? '' }
  s3 = new S3Client(settings())
})
afterAll(async () => {
  s3.destroy()
  await server.stop()
  await rm(folder, { recursive: true })
})

describe('S3', () => {
  it('makes buckets, which are folders', async () => {
    await expect(s3.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NotFound',
    })
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new HeadBucketCommand({ Bucket }))
    expect(existsSync(join(folder, 'data', 'buckets', Bucket))).toBe(true)
    for (const name of ['Nope', 'tags', 'a..b']) {
      await expect(s3.send(new CreateBucketCommand({ Bucket: name }))).rejects.toMatchObject({
        name: 'InvalidBucketName',
      })
    }
  })

  it('stores and gives objects: hashed, and streamed with an unsigned body and a trailer', async () => {
    const text = 'größer & <kleiner>\n'.repeat(1000)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a/hashed (1).txt', Body: text }))
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a/streamed+ä.txt',
        Body: Readable.from([text.slice(0, 70_00), text.slice(70_00)]),
        ContentLength: Buffer.byteLength(text),
      }),
    )
    for (const Key of ['a/hashed (1).txt', 'a/streamed+ä.txt']) {
      const answer = await s3.send(new GetObjectCommand({ Bucket, Key }))
      expect(await answer.Body?.transformToString()).toBe(text)
      expect(await readFile(join(folder, 'data', 'buckets', Bucket, Key), 'utf8')).toBe(text)
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key }))
      expect(head).toMatchObject({ ContentLength: Buffer.byteLength(text), ETag: answer.ETag })
    }
    const bytes = new Uint8Array(300_000).map((_, i) => i * 7)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'bytes', Body: bytes }))
    const whole = await s3.send(new GetObjectCommand({ Bucket, Key: 'bytes' }))
    expect(Buffer.from((await whole.Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true)
    const part = await s3.send(new GetObjectCommand({ Bucket, Key: 'bytes', Range: 'bytes=5-8' }))
    expect(await part.Body?.transformToByteArray()).toEqual(bytes.slice(5, 9))
    expect(part.ContentRange).toBe('bytes 5-8/300000')
    const missing = s3.send(new GetObjectCommand({ Bucket, Key: 'a' }))
    await expect(missing).rejects.toMatchObject({ name: 'NoSuchKey' })
  })

  it('lists page by page, with prefixes and delimiters', async () => {
    for (const Key of ['l/1', 'l/2/x', 'l/2/y', 'l/3', 'l.txt']) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
    }
    // What a write leaves behind that was broken off.
    await writeFile(join(folder, 'data', 'buckets', Bucket, 'l', '3.0123456789ab.tmp'), '')
    const keys: (string | undefined)[] = []
    let token: string | undefined
    do {
      const page = await s3.send(
        new ListObjectsV2Command({
          Bucket,
          Prefix: 'l/',
          MaxKeys: 3,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      )
      keys.push(...(page.Contents ?? []).map((each) => each.Key))
      expect(page.Contents?.[0]?.LastModified).toBeInstanceOf(Date)
      token = page.NextContinuationToken
      expect(page.IsTruncated).toBe(token !== undefined)
    } while (token !== undefined)
    expect(keys).toEqual(['l/1', 'l/2/x', 'l/2/y', 'l/3'])

    const query = { Bucket, Prefix: 'l/', Delimiter: '/' }
    const folded = await s3.send(new ListObjectsV2Command(query))
    expect(folded.Contents?.map(({ Key }) => Key)).toEqual(['l/1', 'l/3'])
    expect(folded.CommonPrefixes).toEqual([{ Prefix: 'l/2/' }])
  })

  it('keeps every object below its bucket', async () => {
    for (const Key of [
      '../escape',
      'a/../../escape',
      'a//b',
      '/etc/x',
      'a/./b',
      'a\\b',
      'l/1/below',
    ]) {
      await expect(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))).rejects.toMatchObject(
        { name: 'InvalidArgument' },
      )
    }
    for (const Key of ['../../keys/access-keys.json', '../../ready.json']) {
      await expect(s3.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject({
        name: 'NoSuchKey',
      })
    }
    expect(await readdir(join(folder, 'data', 'buckets'))).toEqual([Bucket])
    expect(existsSync(join(folder, 'data', 'escape'))).toBe(false)
  })

  it('refuses what is not signed by a known key', async () => {
    const stranger = new S3Client(settings('wrong'))
    await expect(
      stranger.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })),
    ).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
    stranger.destroy()
    // Without any signature the request is not one of S3.
    const { api, apiTls } = server.info.endpoints
    expect(api).not.toBe(apiTls)
    const outgoing = httpsRequest(`${apiTls}/${Bucket}/bytes`, { ca, agent: false }).end()
    const status = await new Promise<number | undefined>((resolve, reject) => {
      outgoing.on('error', reject)
      outgoing.on('response', (incoming) => {
        incoming.resume()
        resolve(incoming.statusCode)
      })
    })
    expect(status).toBe(403)
  })
})

describe('STS and IAM', () => {
  it('say who one is', async () => {
    const sts = new STSClient(settings())
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '000000000000',
      UserId: credentials.accessKeyId,
      Arn: `arn:aws:iam::000000000000:user/${credentials.accessKeyId}`,
    })
    sts.destroy()
  })

  it('keep roles and policies, over restarts', async () => {
    const iam = new IAMClient(settings())
    const RoleName = 'QLDBTutorialJournalExportRole'
    const get = new GetRoleCommand({ RoleName })
    await expect(iam.send(get)).rejects.toMatchObject({ name: 'NoSuchEntityException' })
    const trust = JSON.stringify({ Version: '2012-10-17', Statement: [] })
    const create = { RoleName, AssumeRolePolicyDocument: trust }
    const { Role } = await iam.send(new CreateRoleCommand(create))
    expect(Role).toMatchObject({ Arn: `arn:aws:iam::000000000000:role/${RoleName}`, RoleName })
    await expect(iam.send(new CreateRoleCommand(create))).rejects.toMatchObject({
      name: 'EntityAlreadyExistsException',
    })
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'export', PolicyDocument: trust }),
    )
    const PolicyArn = Policy?.Arn ?? ''
    expect(PolicyArn).toBe('arn:aws:iam::000000000000:policy/export')
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
    await expect(
      iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: `${PolicyArn}-not` })),
    ).rejects.toMatchObject({ name: 'NoSuchEntityException' })
    const got = await iam.send(get)
    expect(got.Role).toMatchObject({
      Arn: Role?.Arn,
      AssumeRolePolicyDocument: encodeURIComponent(trust),
      CreateDate: Role?.CreateDate,
    })
    const kept = JSON.parse(await readFile(join(folder, 'data', 'iam.json'), 'utf8'))
    expect(kept.roles[0]).toMatchObject({ name: RoleName, policies: [PolicyArn] })
    iam.destroy()
  })
})
