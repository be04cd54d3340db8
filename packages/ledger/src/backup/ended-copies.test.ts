/** Backups and restorings that are ended at each of their steps, by the process or by the machine. */
import { fromUtf8, utf8 } from '@cairn/core'
import { formatIon } from '@cairn/ion'
import { createMemoryFileSystem, endAtStep, type MemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { openLedgerHost } from '../ledger-host.ts'
import { openLedger } from '../library.ts'
import { createMemoryProjections } from '../memory-projection.ts'
import { readFolderBlocks } from '../read-folder.ts'
import { backupLedger, restoreLedger } from './backup-ledger.ts'

const name = 'titles'
/** Small, so that the copy has several. */
const segmentBytes = 4096

/** Not on a real disk: neither are the projections, nor is there a lock. */
function inMemory(fileSystem: MemoryFileSystem) {
  return { fileSystem, projections: createMemoryProjections(), isLocked: false, segmentBytes }
}

async function diskWithLedger() {
  const disk = createMemoryFileSystem()
  await disk.makeDirectory('/copies')
  await disk.syncDirectory('/')
  const open = await openLedger({ directory: '/data', name, ...inMemory(disk) })
  await open.transact((tx) => tx.execute('CREATE TABLE T'))
  for (let n = 0; n < 12; n++) {
    await open.transact((tx) => tx.execute('INSERT INTO T ?', { n, text: 'x'.repeat(300) }))
  }
  const { digest } = open.ledger.digest()
  const { strandId } = open.ledger
  await open.close()
  return { disk, digest, strandId, blocks: await blocksIn('/data/ledgers', strandId, disk) }
}

async function blocksIn(folders: string, strandId: string, disk: MemoryFileSystem) {
  const blocks: string[] = []
  for await (const { value } of readFolderBlocks(`${folders}/${strandId}`, strandId, disk)) {
    blocks.push(formatIon(value))
  }
  return blocks
}

describe.each([
  ['process', undefined],
  ['machine', 7],
] as const)('a %s that ends at any step', (_, crashSeed) => {
  it('leaves a backup that the same command brings to its end', async () => {
    const { digest, strandId, blocks, ...source } = await diskWithLedger()
    let { disk } = source
    for (let step = 1; ; step++) {
      const target = `/copies/${strandId}`
      const ended = await endAtStep(
        disk,
        { step, ...(crashSeed === undefined ? {} : { crashSeed: crashSeed * 1000 + step }) },
        (fileSystem) =>
          backupLedger({ directory: '/data', name, target, fileSystem, segmentBytes }),
      )
      disk = ended.disk
      try {
        // Ended behind its last step, it is there whole.
        if (!(await disk.exists(target))) {
          const options = { directory: '/data', name, target, fileSystem: disk, segmentBytes }
          expect(await backupLedger(options)).toMatchObject({ digest, blockCount: blocks.length })
        }
        expect(await blocksIn('/copies', strandId, disk)).toEqual(blocks)
        expect(await disk.list('/copies')).toEqual([strandId])
        expect((await disk.list(target)).sort()).toEqual(['backup.json', 'journal', 'strand'])
      } catch (cause) {
        throw new Error(`ended at step ${step}`, { cause })
      }
      await disk.remove(target)
      await disk.syncDirectory('/copies')
      if (ended.answer === undefined) continue
      expect(step).toBeGreaterThan(20)
      return
    }
  })

  it('leaves a ledger half restored that the same command brings to its end', async () => {
    const { digest, strandId, blocks, ...source } = await diskWithLedger()
    let { disk } = source
    const backup = '/copies/titles'
    await backupLedger({ directory: '/data', name, target: backup, fileSystem: disk })
    for (let step = 1; ; step++) {
      const directory = `/restored-${step}`
      const ended = await endAtStep(
        disk,
        { step, ...(crashSeed === undefined ? {} : { crashSeed: crashSeed * 1000 + step }) },
        (fileSystem) => restoreLedger({ ...inMemory(disk), fileSystem, backup, directory }),
      )
      disk = ended.disk
      try {
        const host = await openLedgerHost({ ...inMemory(disk), directory })
        const names = host.listLedgers().map((each) => each.name)
        await host.close()
        if (names.length === 0) {
          const report = await restoreLedger({ ...inMemory(disk), backup, directory })
          expect(report).toMatchObject({ digest, blockCount: blocks.length })
        }
        expect(await blocksIn(`${directory}/ledgers`, strandId, disk)).toEqual(blocks)
        const open = await openLedger({ ...inMemory(disk), directory, name })
        await open.transact((tx) => tx.execute('INSERT INTO T ?', { n: -1 }))
        await open.close()
      } catch (cause) {
        throw new Error(`ended at step ${step}`, { cause })
      }
      if (ended.answer === undefined) continue
      expect(step).toBeGreaterThan(20)
      return
    }
  })

  it('leaves no rest of a deleted ledger that would be in the way of its restoring', async () => {
    const { digest, ...source } = await diskWithLedger()
    let { disk } = source
    const backup = '/copies/titles'
    await backupLedger({ directory: '/data', name, target: backup, fileSystem: disk })
    for (let step = 1; ; step++) {
      const directory = `/restored-${step}`
      await restoreLedger({ ...inMemory(disk), backup, directory })
      const opened = await openLedgerHost({ ...inMemory(disk), directory })
      await opened.updateLedger(name, { isDeletionProtected: false })
      await opened.close()
      const ended = await endAtStep(
        disk,
        { step, ...(crashSeed === undefined ? {} : { crashSeed: crashSeed * 1000 + step }) },
        async (fileSystem) => {
          const host = await openLedgerHost({ ...inMemory(disk), fileSystem, directory })
          await host.deleteLedger(name)
          await host.close()
          return true
        },
      )
      disk = ended.disk
      const restored = restoreLedger({ ...inMemory(disk), backup, directory })
      const refused = await restored.then(
        () => undefined,
        (error: { readonly code: string }) => error.code,
      )
      const host = await openLedgerHost({ ...inMemory(disk), directory })
      // Ended before it was deleted, it is still there.
      expect([undefined, 'LEDGER_EXISTS'], `ended at step ${step}`).toContain(refused)
      expect(host.getLedger(name).digest().digest).toEqual(digest)
      await host.close()
      if (ended.answer === undefined) continue
      expect(step).toBeGreaterThan(5)
      return
    }
  })
})

describe('the folder of a backup that was begun', () => {
  it.each([
    ['holds a file of somebody else', 'notes.txt'],
    ['holds a mark that is none', 'strand.old'],
  ])('is left alone when it %s', async (_, fileName) => {
    const { disk } = await diskWithLedger()
    const target = '/copies/titles'
    await disk.makeDirectory(`${target}.partial`)
    await disk.writeFileAtomic(`${target}.partial/strand.01ab.tmp`, utf8('half'))
    await disk.writeFileAtomic(`${target}.partial/${fileName}`, utf8('mine'))
    const backup = backupLedger({ directory: '/data', name, target, fileSystem: disk })
    await expect(backup).rejects.toMatchObject({ code: 'TARGET_EXISTS' })
    expect(fromUtf8(await disk.readFile(`${target}.partial/${fileName}`))).toBe('mine')
  })

  it('may be a file of somebody else, which stays', async () => {
    const { disk } = await diskWithLedger()
    await disk.writeFileAtomic('/copies/titles.partial', utf8('mine'))
    const backup = backupLedger({
      directory: '/data',
      name,
      target: '/copies/titles',
      fileSystem: disk,
    })
    await expect(backup).rejects.toMatchObject({ code: 'TARGET_EXISTS' })
    expect(fromUtf8(await disk.readFile('/copies/titles.partial'))).toBe('mine')
  })
})
