import { createMemoryFileSystem, type MemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { openLedgerHost } from './ledger-host.ts'
import { createMemoryProjections } from './memory-projection.ts'

const open = (fileSystem: MemoryFileSystem, directory: string) =>
  openLedgerHost({
    directory,
    fileSystem,
    projections: createMemoryProjections(),
    isLocked: false,
  })

describe('a power loss after a ledger was created', () => {
  it.each(['data', './data', '/srv/data'])('leaves the ledger in %s', async (directory) => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = createMemoryFileSystem()
      if (directory === '/srv/data') {
        await disk.makeDirectory('/srv')
        await disk.syncDirectory('/')
      }
      await (await open(disk, directory)).createLedger({ name: 'titles' })
      const again = await open(disk.crash({ seed }), directory)
      expect(again.listLedgers().map(({ name }) => name)).toEqual(['titles'])
      await again.close()
    }
  })
})

describe('a ledger whose journal is gone', () => {
  it.each(['the folder', 'block 0'])('is refused, not begun again: without %s', async (what) => {
    const disk = createMemoryFileSystem()
    const host = await open(disk, 'data')
    const { strandId } = await host.createLedger({ name: 'titles' })
    await host.close()
    const journal = `data/ledgers/${strandId}/journal`
    if (what === 'the folder') await disk.remove(journal)
    else disk.flip(`${journal}/00000000000000000000.journal`, 100)
    await expect(open(disk, 'data')).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    await expect(open(disk, 'data')).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
  })
})
