import { utf8 } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { fileSystemCases } from './file-system-cases.ts'
import { createMemoryFileSystem, type MemoryFileSystem } from './memory-file-system.ts'

describe('the memory file system', () => {
  it.each(fileSystemCases)('$name', async ({ run }) => {
    const fileSystem = createMemoryFileSystem()
    await fileSystem.makeDirectory('/data')
    await run(fileSystem, '/data')
  })
})

async function withSyncedFile(size: number): Promise<MemoryFileSystem> {
  const fileSystem = createMemoryFileSystem()
  await fileSystem.makeDirectory('/data')
  await fileSystem.syncDirectory('/')
  await fileSystem.writeFileAtomic('/data/a', new Uint8Array(size).fill(1))
  return fileSystem
}

const seeds = Array.from({ length: 60 }, (_, seed) => seed)

describe('a crash', () => {
  it('keeps what was synced, and each unsynced sector whole or not at all', async () => {
    const outcomes = new Set<string>()
    for (const seed of seeds) {
      const fileSystem = await withSyncedFile(2048)
      const file = await fileSystem.open('/data/a', 'readWrite')
      await file.write(new Uint8Array(1024).fill(2), 256)
      const after = fileSystem.crash({ seed })
      const bytes = after.contentOf('/data/a')
      const parts = [bytes.slice(256, 512), bytes.slice(512, 1024), bytes.slice(1024, 1280)]
      for (const part of parts) expect(new Set(part).size).toBe(1)
      outcomes.add(parts.map((part) => part[0]).join(''))
      expect(new Set([...bytes.slice(0, 256), ...bytes.slice(1280)])).toEqual(new Set([1]))
      expect(() => file.readSync(new Uint8Array(1), 0)).toThrow('EIO')
    }
    expect(outcomes.size).toBe(8)
  })

  it('is the same for the same seed', async () => {
    const contents: Uint8Array[] = []
    for (let i = 0; i < 2; i++) {
      const fileSystem = await withSyncedFile(10)
      const file = await fileSystem.open('/data/a', 'readWrite')
      for (let j = 0; j < 50; j++) await file.write(new Uint8Array(600).fill(j), j * 700)
      contents.push(fileSystem.crash({ seed: 11 }).contentOf('/data/a'))
    }
    expect(contents[0]).toEqual(contents[1])
  })

  it('may take a name whose directory was not synced, and may bring a removed one back', async () => {
    const names = new Set<string>()
    for (const seed of seeds) {
      const fileSystem = await withSyncedFile(10)
      const file = await fileSystem.open('/data/b', 'create')
      await file.write(utf8('b'), 0)
      await file.syncData()
      await fileSystem.remove('/data/a')
      const after = fileSystem.crash({ seed })
      const left = await after.list('/data')
      names.add(left.sort().join())
      if (left.includes('b')) expect(after.contentOf('/data/b')).toEqual(utf8('b'))
    }
    expect(names).toEqual(new Set(['', 'a', 'b', 'a,b']))
  })

  it('keeps everything when only the process ends', async () => {
    const fileSystem = await withSyncedFile(10)
    const file = await fileSystem.open('/data/a', 'readWrite')
    const pending = file.write(utf8('new'), 0)
    const after = fileSystem.kill()
    await expect(pending).rejects.toThrow('EIO')
    await expect(fileSystem.list('/data')).rejects.toThrow('EIO')
    expect(after.contentOf('/data/a').slice(0, 3)).toEqual(utf8('new'))
  })
})

describe('a fault', () => {
  it('meets the n-th matching operation, once', async () => {
    const fileSystem = await withSyncedFile(10)
    const file = await fileSystem.open('/data/a', 'readWrite')
    fileSystem.addFault({ operation: 'write', nth: 2, code: 'ENOSPC', path: /a$/ })
    await file.write(utf8('1234'), 0)
    await expect(file.write(utf8('5678'), 4)).rejects.toMatchObject({ code: 'ENOSPC' })
    await file.write(utf8('9'), 8)
    expect(fileSystem.contentOf('/data/a').slice(0, 9)).toEqual(utf8('123456\u0001\u00019'))
    fileSystem.addFault({ operation: 'read', nth: 1, code: 'SHORT' })
    expect(file.readSync(new Uint8Array(8), 0)).toBe(4)
    expect(file.readSync(new Uint8Array(8), 0)).toBe(8)
  })

  it('of a sync leaves bytes that no later sync makes durable', async () => {
    let lostCount = 0
    for (const seed of seeds) {
      const fileSystem = await withSyncedFile(3)
      const file = await fileSystem.open('/data/a', 'readWrite')
      fileSystem.addFault({ operation: 'syncData', nth: 1, code: 'EIO' })
      await file.write(utf8('new'), 0)
      await expect(file.syncData()).rejects.toMatchObject({ code: 'EIO' })
      await file.syncData()
      expect(fileSystem.contentOf('/data/a')).toEqual(utf8('new'))
      const after = fileSystem.crash({ seed })
      if (after.contentOf('/data/a')[0] === 1) lostCount++
    }
    expect(lostCount).toBeGreaterThan(10)
  })

  it('on a sync that grew the file does not take what is synced later within it', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const fileSystem = await withSyncedFile(3)
      const file = await fileSystem.open('/data/a', 'readWrite')
      fileSystem.addFault({ operation: 'syncData', nth: 1, code: 'EIO' })
      await file.write(new Uint8Array(5000), 3)
      await expect(file.syncData()).rejects.toMatchObject({ code: 'EIO' })
      await file.write(utf8('new'), 3000)
      await file.syncData()
      const after = fileSystem.crash({ seed })
      expect(after.contentOf('/data/a').slice(3000, 3003)).toEqual(utf8('new'))
    }
  })

  it('is taken back as long as nothing has met it', async () => {
    const fileSystem = await withSyncedFile(3)
    const file = await fileSystem.open('/data/a', 'readWrite')
    fileSystem.addFault({ operation: 'syncData', nth: 1, code: 'EIO' })
    fileSystem.clearFaults()
    await expect(file.syncData()).resolves.toBeUndefined()
  })

  it('flips one byte, and back', async () => {
    const fileSystem = await withSyncedFile(3)
    fileSystem.flip('/data/a', 1, 0x80)
    expect(fileSystem.contentOf('/data/a')).toEqual(new Uint8Array([1, 0x81, 1]))
    const after = fileSystem.crash({ seed: 1 })
    after.flip('/data/a', 1, 0x80)
    expect(after.contentOf('/data/a')).toEqual(new Uint8Array([1, 1, 1]))
  })
})
