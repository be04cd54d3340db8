import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSystemCases } from '@cairn/testing'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { nodeFileSystem } from './node-file-system.ts'

describe('the file system of the machine', () => {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-files-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it.each(fileSystemCases)('$name', ({ run }) => run(nodeFileSystem, directory))
})
