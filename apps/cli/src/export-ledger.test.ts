/** Exports of whole ledgers that are ended at each of their steps, by the process or by the machine. */
import { createSystemClock, fromUtf8, systemRandom, utf8 } from '@cairn/core'
import { formatIon } from '@cairn/ion'
import { createMemoryProjections, importLedger, openLedger } from '@cairn/ledger'
import { createMemoryFileSystem, endAtStep, type MemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { openExportFolder } from './export-folder.ts'
import { exportLedger } from './export-ledger.ts'

const name = 'titles'
const target = '/copies/titles'

function inMemory(fileSystem: MemoryFileSystem) {
  return {
    fileSystem,
    projections: createMemoryProjections(),
    isLocked: false,
    segmentBytes: 1024 * 1024,
  }
}

function exportOptions(fileSystem: MemoryFileSystem) {
  return {
    directory: '/data',
    name,
    target,
    format: 'ION_TEXT',
    fileSystem,
    clock: createSystemClock(),
    random: systemRandom,
    // Some objects, not one.
    objectBytesMax: 4096,
  } as const
}

async function diskWithLedger(): Promise<MemoryFileSystem> {
  const disk = createMemoryFileSystem()
  await disk.makeDirectory('/copies')
  await disk.syncDirectory('/')
  const open = await openLedger({ directory: '/data', name, ...inMemory(disk) })
  await open.transact((tx) => tx.execute('CREATE TABLE T'))
  await open.transact((tx) => tx.execute('CREATE INDEX ON T (n)'))
  for (let n = 0; n < 12; n++) await open.transact((tx) => tx.execute('INSERT INTO T ?', { n }))
  await open.close()
  return disk
}

/** Blocks, and what defines tables beside them. */
async function contentOf(disk: MemoryFileSystem, folder: string): Promise<string[]> {
  const { source } = await openExportFolder(folder, disk)
  expect(source.bringsCatalog).toBe(true)
  const blocks: string[] = []
  for await (const { value, catalogInfo } of source.blocksFrom(0)) {
    blocks.push(formatIon(value), catalogInfo === undefined ? '' : formatIon(catalogInfo))
  }
  return blocks
}

async function filesBelow(disk: MemoryFileSystem, folder: string): Promise<string[]> {
  const found: string[] = []
  for (const each of await disk.list(folder)) {
    const path = `${folder}/${each}`
    if (each.includes('.')) found.push(each)
    else found.push(...(await filesBelow(disk, path)))
  }
  return found
}

describe.each([
  ['process', undefined],
  ['machine', 11],
] as const)('a %s that ends at any step', (_, crashSeed) => {
  it('leaves an export that the same command brings to its end', async () => {
    let disk = await diskWithLedger()
    const whole = '/copies/whole'
    const { exportId } = (await exportLedger({ ...exportOptions(disk), target: whole })).request
    const [content, files] = [await contentOf(disk, whole), await filesBelow(disk, whole)]
    const namesOf = (names: string[], id: string) =>
      names.map((each) => each.replace(id, 'ID')).sort()
    expect(files.length).toBeGreaterThan(5)
    for (let step = 1; ; step++) {
      const ended = await endAtStep(
        disk,
        { step, ...(crashSeed === undefined ? {} : { crashSeed: crashSeed * 1000 + step }) },
        (fileSystem) => exportLedger({ ...exportOptions(disk), fileSystem }),
      )
      disk = ended.disk
      try {
        const isNamed = await disk.exists(target)
        const isOver = isNamed && !(await disk.exists(`${target}/export-state.json`))
        const again = exportLedger(exportOptions(disk))
        if (isOver) await expect(again).rejects.toMatchObject({ code: 'FILE_INVALID' })
        else await again
        expect(await contentOf(disk, target)).toEqual(content)
        const [manifest = ''] = (await filesBelow(disk, target)).filter((each) =>
          each.endsWith('.completed.manifest'),
        )
        const id = manifest.slice(0, manifest.indexOf('.'))
        expect(namesOf(await filesBelow(disk, target), id)).toEqual(namesOf(files, exportId))
        expect((await disk.list('/copies')).sort()).toEqual(['titles', 'whole'])
      } catch (cause) {
        throw new Error(`ended at step ${step}`, { cause })
      }
      await disk.remove(target)
      await disk.syncDirectory('/copies')
      if (ended.answer === undefined) continue
      expect(step).toBeGreaterThan(40)
      return
    }
  })
})

describe('an export', () => {
  it('that was ended again and again is imported with its tables', async () => {
    let disk = await diskWithLedger()
    for (let step = 1; !(await disk.exists(target)); step++) {
      // Each run comes one step further than the one before.
      const ended = await endAtStep(disk, { step }, (fileSystem) =>
        exportLedger({ ...exportOptions(disk), fileSystem }),
      )
      disk = ended.disk
    }
    const { source } = await openExportFolder(target, disk)
    const report = await importLedger({ ...inMemory(disk), directory: '/new', name, source })
    expect(report).toMatchObject({ tableCount: 1, notes: [] })
  })

  it('leaves alone what is not its own', async () => {
    const disk = await diskWithLedger()
    await disk.makeDirectory(`${target}.partial`)
    await disk.writeFileAtomic(`${target}.partial/notes.txt`, utf8('mine'))
    await expect(exportLedger(exportOptions(disk))).rejects.toMatchObject({ code: 'FILE_INVALID' })
    expect(await disk.list(`${target}.partial`)).toEqual(['notes.txt'])
    expect(fromUtf8(await disk.readFile(`${target}.partial/notes.txt`))).toBe('mine')
  })
})
