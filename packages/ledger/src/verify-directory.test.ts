import { readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type TemporaryLedger, temporaryLedger } from './testing/temporary-ledger.ts'
import { verifyLedgerDirectory } from './verify-directory.ts'

/** A closed ledger of a few blocks of every kind, with the path and bytes of its one journal segment. */
async function closedLedger(): Promise<{
  ledger: TemporaryLedger
  path: string
  bytes: Buffer
  usedSize: number
}> {
  const ledger = await temporaryLedger()
  const { open } = ledger
  await open.transact((tx) => tx.execute('CREATE TABLE T'))
  for (let n = 0; n < 4; n++) {
    await open.transact((tx) => tx.execute('INSERT INTO T ?', { n, secret: 'attack at dawn' }))
  }
  await open.transact((tx) => tx.execute('UPDATE T AS t SET t.m = 1 WHERE t.n = 2'))
  await open.transact((tx) => tx.execute('DELETE FROM T WHERE n = 3'))
  await open.close()
  const folder = `${ledger.directory}/ledgers/${open.ledger.strandId}/journal`
  const [name] = (await readdir(folder)).filter((it) => it.endsWith('.journal'))
  const path = `${folder}/${name}`
  const bytes = await readFile(path)
  let usedSize = bytes.length
  while (usedSize > 0 && bytes[usedSize - 1] === 0) usedSize--
  return { ledger, path, bytes, usedSize }
}

const verify = async (directory: string) => {
  const [report] = await verifyLedgerDirectory({ directory, name: 'ledger' })
  if (report === undefined) throw new Error('no report')
  return report
}

describe('verifyLedgerDirectory', () => {
  it('finds nothing wrong with a sound ledger and gives its digest', async () => {
    const { ledger } = await closedLedger()
    const report = await verify(ledger.directory)
    expect(report).toMatchObject({ name: 'ledger', blockCount: 8, revisionCount: 6, findings: [] })
    const again = await ledger.reopen()
    expect(report.digest).toEqual(again.ledger.digest().digest)
  })

  it('checks a ledger that is open and being written', async () => {
    const { directory, open } = await temporaryLedger()
    await open.transact((tx) => tx.execute('CREATE TABLE T'))
    const writing = Array.from({ length: 200 }, (_, n) =>
      open.transact((tx) => tx.execute('INSERT INTO T ?', { n })),
    )
    const report = await verify(directory)
    await Promise.all(writing)
    expect(report.findings).toEqual([])
    expect((await verify(directory)).blockCount).toBe(202)
  })

  it('checks a journal that is larger than what is read at once', async () => {
    const { directory, open } = await temporaryLedger()
    await open.transact((tx) => tx.execute('CREATE TABLE T'))
    const large = 'x'.repeat(100_000)
    for (let n = 0; n < 60; n++) {
      await open.transact((tx) => tx.execute('INSERT INTO T ?', { n, large }))
    }
    expect(await verify(directory)).toMatchObject({ blockCount: 62, findings: [] })
  })

  it('notices any flipped byte in the written part of the journal and names the file', async () => {
    const { ledger, path, bytes, usedSize } = await closedLedger()
    // Every byte would take minutes here; the journal's own tests flip each one. A stride that is no multiple of any
    // field's size meets all of them.
    for (let offset = 0; offset < usedSize; offset += 13) {
      const flipped = Buffer.from(bytes)
      flipped[offset] = (flipped[offset] as number) ^ 0x10
      await writeFile(path, flipped)
      const { findings } = await verify(ledger.directory)
      expect(findings.length, `byte ${offset}`).toBeGreaterThan(0)
      expect(findings[0]?.message, `byte ${offset}`).toContain('.journal')
    }
  })

  it('notices that confirmed blocks are gone', async () => {
    const { ledger, path, bytes, usedSize } = await closedLedger()
    const cut = Buffer.from(bytes)
    cut.fill(0, usedSize - 100)
    await writeFile(path, cut)
    const { findings } = await verify(ledger.directory)
    expect(findings.map(({ kind }) => kind)).toContain('lost')
    await expect(ledger.reopen()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
  })

  it('holds the ledger to a digest that was kept', async () => {
    const { ledger } = await closedLedger()
    const { directory } = ledger
    const { digest } = await verify(directory)
    const check = (sequenceNo: number, kept: Uint8Array) =>
      verifyLedgerDirectory({
        directory,
        name: 'ledger',
        expectedDigest: { sequenceNo, digest: kept },
      })
    expect((await check(7, digest))[0]?.findings).toEqual([])
    expect((await check(6, digest))[0]?.findings).toMatchObject([{ kind: 'invalid' }])
    expect((await check(99, digest))[0]?.findings).toMatchObject([{ kind: 'invalid' }])
  })

  it('says so when the ledger is not there', async () => {
    const { ledger } = await closedLedger()
    const missing = verifyLedgerDirectory({ directory: ledger.directory, name: 'other' })
    await expect(missing).rejects.toMatchObject({ code: 'LEDGER_NOT_FOUND' })
  })
})
