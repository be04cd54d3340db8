import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFileSystem } from '@cairn/journal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readTargets } from './targets-file.ts'

const secret = 'a secret of at least thirty-two characters'
let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-targets-'))
  path = join(folder, 'targets.json')
})
afterEach(() => rm(folder, { recursive: true }))

async function read(content: unknown) {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  await writeFile(path, text)
  return readTargets(nodeFileSystem, undefined, path)
}

describe('readTargets', () => {
  it('needs no file of its own, and the one that was named', async () => {
    const none = await readTargets(nodeFileSystem, undefined, path)
    expect(none).toEqual({ s3: undefined, kinesis: undefined, webhooks: new Map() })
    await expect(readTargets(nodeFileSystem, path, path)).rejects.toMatchObject({
      code: 'TARGETS_INVALID',
    })
  })

  it('fills in what is left out', async () => {
    await writeFile(join(folder, 'ca.pem'), 'an authority')
    const url = 'https://orders.example.org/journal'
    const targets = await read({
      s3: { endpoint: 'https://s3.example.org', caFile: join(folder, 'ca.pem') },
      kinesis: { region: 'eu-west-1', accessKeyId: 'id', secretAccessKey: 'key' },
      webhooks: { orders: { url, secret } },
    })
    expect(targets).toEqual({
      s3: {
        endpoint: 'https://s3.example.org',
        region: 'us-east-1',
        credentials: undefined,
        isPathStyle: true,
        authorityPem: 'an authority',
      },
      kinesis: {
        endpoint: undefined,
        region: 'eu-west-1',
        credentials: { accessKeyId: 'id', secretAccessKey: 'key' },
        isPathStyle: false,
        authorityPem: undefined,
      },
      webhooks: new Map([['orders', { url, secret, format: 'json', authorityPem: undefined }]]),
    })
  })

  it.each<[unknown, string]>([
    ['{"s3": hidden', 'no JSON'],
    [[], 'no object'],
    [{ s4: {} }, 'unknown "s4"'],
    [{ s3: 'hidden' }, 's3 is no object'],
    [{ s3: { endpoint: 'ftp://hidden' } }, 's3.endpoint is no http'],
    [{ s3: { secretAccessKey: 'hidden' } }, 'not both'],
    [{ s3: { pathStyle: 'yes' } }, 's3.pathStyle'],
    [{ s3: { caFile: 'missing.pem' } }, 's3.caFile cannot be read'],
    [{ kinesis: { stream: 'x' } }, 'unknown "stream"'],
    [{ webhooks: { a: { secret } } }, 'webhooks.a.url is missing'],
    [{ webhooks: { a: { url: 'http://x/', secret: 'hidden' } } }, 'less than 32'],
    [{ webhooks: { a: { url: 'http://x/', secret, format: 'xml' } } }, 'neither json nor ion'],
    [{ webhooks: { 'a b': { url: 'http://x/', secret } } }, 'is no name'],
  ])('refuses %j and repeats no secret', async (content, reason) => {
    const error: Error = await read(content).then(
      () => new Error('the file was accepted'),
      (cause) => cause,
    )
    expect(error).toMatchObject({ code: 'TARGETS_INVALID' })
    expect(error.message).toContain(reason)
    expect(error.message).toContain(path)
    expect(error.message).not.toContain('hidden')
  })
})
