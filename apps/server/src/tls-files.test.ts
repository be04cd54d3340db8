import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, type LogLevel, silentLogger } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTlsFiles, type TlsFilesOptions } from './tls-files.ts'

const dayMs = 24 * 60 * 60 * 1000

describe('openTlsFiles', () => {
  let directory: string
  let options: TlsFilesOptions

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'cairn-tls-')), 'tls')
    options = {
      files: nodeFileSystem,
      directory,
      hosts: [],
      nowMs: Date.now(),
      logger: silentLogger,
    }
  })
  afterEach(() => rm(join(directory, '..'), { recursive: true }))

  it('makes keys that their owner alone can read', async () => {
    const { caFile } = await openTlsFiles(options)
    expect(caFile).toBe(join(directory, 'ca.pem'))
    for (const name of ['ca-key.pem', 'server-key.pem']) {
      expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
    }
  })

  it('keeps authority and certificate from one start to the next', async () => {
    const first = await openTlsFiles(options)
    const authority = await readFile(first.caFile, 'utf8')
    const second = await openTlsFiles(options)
    expect(second.server).toEqual(first.server)
    expect(await readFile(second.caFile, 'utf8')).toBe(authority)
  })

  it('renews the certificate before it ends, under the same authority', async () => {
    const first = await openTlsFiles(options)
    const authority = await readFile(first.caFile, 'utf8')
    const second = await openTlsFiles({ ...options, nowMs: options.nowMs + 370 * dayMs })
    expect(second.server.certificatePem).not.toBe(first.server.certificatePem)
    expect(await readFile(second.caFile, 'utf8')).toBe(authority)
  })

  it('renews the authority before it ends, and says so', async () => {
    const first = await openTlsFiles(options)
    const authority = await readFile(first.caFile, 'utf8')
    const levels: LogLevel[] = []
    const logger: Logger = { log: (level) => levels.push(level) }
    await openTlsFiles({ ...options, logger, nowMs: options.nowMs + 3640 * dayMs })
    expect(await readFile(first.caFile, 'utf8')).not.toBe(authority)
    expect(levels).toContain('warn')
  })

  it('makes another certificate when another host is served', async () => {
    const first = await openTlsFiles(options)
    const second = await openTlsFiles({ ...options, hosts: ['ledger.example.org'] })
    expect(second.server.certificatePem).not.toBe(first.server.certificatePem)
  })

  it('says which file is damaged', async () => {
    const { caFile } = await openTlsFiles(options)
    await writeFile(caFile, 'not a certificate')
    await expect(openTlsFiles(options)).rejects.toMatchObject({
      code: 'CERTIFICATE_INVALID',
      data: { path: caFile },
    })
  })
})
