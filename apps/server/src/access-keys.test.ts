import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAccessKeyFile } from './access-keys.ts'

describe('openAccessKeyFile', () => {
  let folder: string
  let path: string
  const open = () => openAccessKeyFile({ files: nodeFileSystem, path, random: systemRandom })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-keys-'))
    path = join(folder, 'keys', 'access-keys.json')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('makes one key that its owner alone can read, and keeps it', async () => {
    const first = await open()
    expect(first.isNew).toBe(true)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const [accessKeyId = ''] = first.accessKeyIds
    expect(accessKeyId).toMatch(/^CAIRN[A-Z2-7]{15}$/)
    expect(first.lookup(accessKeyId)?.secretAccessKey).toHaveLength(40)
    expect(first.lookup('constructor')).toBeUndefined()

    const second = await open()
    expect(second.isNew).toBe(false)
    expect(second.lookup(accessKeyId)).toEqual(first.lookup(accessKeyId))
  })

  it('takes keys that were added by hand', async () => {
    await open()
    const accessKeys = [
      { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'one' },
      { accessKeyId: 'AKIDOTHER', secretAccessKey: 'two' },
    ]
    await writeFile(path, JSON.stringify({ accessKeys }))
    expect((await open()).lookup('AKIDOTHER')?.secretAccessKey).toBe('two')
  })

  it.each([
    ['{'],
    ['{}'],
    ['{"accessKeys": []}'],
    ['{"accessKeys": [{"accessKeyId": "AKIDEXAMPLE"}]}'],
    ['{"accessKeys": [{"accessKeyId": "a b", "secretAccessKey": "hidden"}]}'],
    ['{"accessKeys": [{"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "hidden"}, null]}'],
  ])('refuses %s without repeating what is in it', async (text) => {
    await open()
    await writeFile(path, text)
    const error: Error = await open().then(
      () => new Error('the file was accepted'),
      (reason) => reason,
    )
    expect(error).toMatchObject({ code: 'KEY_FILE_INVALID' })
    expect(error.message).toContain(path)
    expect(error.message).not.toContain('hidden')
  })
})
