import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { importLedger } from '../import/import-ledger.ts'
import { openLedger } from '../library.ts'
import { asQldbJournal, blocksOf } from '../testing/qldb-journal.ts'
import { temporaryDirectory, temporaryLedger } from '../testing/temporary-ledger.ts'
import { verifyLedgerDirectory } from '../verify-directory.ts'
import { backupLedger, restoreLedger } from './backup-ledger.ts'

async function written(count: number) {
  const { open, directory } = await temporaryLedger({ name: 'titles' })
  await open.transact(async (tx) => {
    await tx.execute('CREATE TABLE T')
    await tx.execute('CREATE INDEX ON T (n)')
  })
  for (let n = 0; n < count; n++) await open.transact((tx) => tx.execute('INSERT INTO T ?', { n }))
  return { open, directory }
}

describe('a backup', () => {
  it('of a ledger that is being written to restores to the same blocks, and goes on', async () => {
    const { open, directory } = await written(20)
    const target = `${await temporaryDirectory()}/backup`
    const writing = Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        open.transact((tx) => tx.execute('INSERT INTO T ?', { n: 100 + n })),
      ),
    )
    const report = await backupLedger({ directory, name: 'titles', target })
    await writing
    const restored = await temporaryDirectory()
    const { digest } = await restoreLedger({ backup: target, directory: restored })
    expect(digest).toEqual(report.digest)
    const again = await openLedger({ directory: restored, name: 'titles' })
    expect(blocksOf(again.ledger)).toEqual(blocksOf(open.ledger).slice(0, report.blockCount))
    await again.transact((tx) => tx.execute('INSERT INTO T ?', { n: 999 }))
    const found = await again.transact((tx) => tx.execute('SELECT n FROM T WHERE n = ?', 7))
    expect(found.value.values).toEqual([{ n: 7 }])
    await again.close()
    const [checked] = await verifyLedgerDirectory({ directory: restored })
    expect(checked).toMatchObject({ findings: [], importedBlockCount: 0 })
  })

  it('keeps what an import brought', async () => {
    const { open } = await written(5)
    const blocks = asQldbJournal(blocksOf(open.ledger))
    const directory = await temporaryDirectory()
    const { strandId } = open.ledger
    await importLedger({
      directory,
      name: 'old',
      source: {
        strandId,
        firstSequenceNo: 0,
        lastSequenceNo: blocks.length - 1,
        bringsCatalog: false,
        async *blocksFrom(sequenceNo) {
          for (const value of blocks.slice(sequenceNo)) yield { value, source: 'test' }
        },
      },
    })
    const target = `${await temporaryDirectory()}/backup`
    const { digest } = await backupLedger({ directory, name: 'old', target })
    const restored = await temporaryDirectory()
    const report = await restoreLedger({ backup: target, directory: restored, name: 'new' })
    expect(report).toMatchObject({ digest, qldbBlockCount: blocks.length, tableCount: 1 })
  })

  it('is not overwritten, and not taken for one before it is whole', async () => {
    const { directory } = await written(3)
    const target = `${await temporaryDirectory()}/backup`
    await backupLedger({ directory, name: 'titles', target })
    await expect(backupLedger({ directory, name: 'titles', target })).rejects.toMatchObject({
      code: 'TARGET_EXISTS',
      message: expect.stringMatching(/a whole backup of ledger titles.\nDigest \S+ at block 4\./),
    })
    await rm(`${target}/backup.json`)
    await expect(
      restoreLedger({ backup: target, directory: await temporaryDirectory() }),
    ).rejects.toMatchObject({ code: 'BACKUP_INVALID' })
  })

  it('is refused when a byte of it changed or its digest is another one', async () => {
    const { directory } = await written(30)
    const target = `${await temporaryDirectory()}/backup`
    await backupLedger({ directory, name: 'titles', target })
    const fresh = await temporaryDirectory()
    const file = await readFile(`${target}/backup.json`, 'utf8')
    const stated = JSON.parse(file) as { digest: string }
    const other = `${stated.digest.startsWith('A') ? 'B' : 'A'}${stated.digest.slice(1)}`
    await writeFile(`${target}/backup.json`, file.replace(stated.digest, other))
    await expect(restoreLedger({ backup: target, directory: fresh })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    })
    await writeFile(`${target}/backup.json`, file)
    const [name = ''] = (await readdir(`${target}/journal`)).filter((it) => it.endsWith('.journal'))
    const path = `${target}/journal/${name}`
    const bytes = await readFile(path)
    bytes[2000] = (bytes[2000] as number) ^ 1
    await writeFile(path, bytes)
    const newFolder = await temporaryDirectory()
    await expect(restoreLedger({ backup: target, directory: newFolder })).rejects.toThrow()
    expect(await readdir(`${newFolder}/ledgers`)).toEqual([])
  })
})
