import { describe, expect, it } from 'vitest'
import { openLedgerFolder } from './ledger-folder.ts'
import { temporaryLedger } from './testing/temporary-ledger.ts'

describe('a ledger folder', () => {
  it('gives the digests, blocks and proofs that the open ledger gives', async () => {
    const { directory, open } = await temporaryLedger()
    await open.transact((tx) => tx.execute('CREATE TABLE T'))
    for (let n = 0; n < 9; n++) {
      await open.transact((tx) => tx.execute('INSERT INTO T ?', [{ n }, { n: -n }]))
    }
    const { value } = await open.transact((tx) => tx.execute('SELECT VALUE id FROM T BY id'))
    const documentId = String(value.values[4])
    const { ledger } = open
    const digest = ledger.digest()
    const tip = digest.tipAddress
    const address = { strandId: ledger.strandId, sequenceNo: 4 }
    const folder = await openLedgerFolder(directory, 'ledger')
    expect(await folder.digest()).toEqual(digest)
    expect(await folder.block(address, tip)).toEqual(ledger.block(address, tip))
    expect(await folder.revision(address, documentId, tip)).toEqual(
      ledger.revision(address, documentId, tip),
    )
    const late = { ...address, sequenceNo: 99 }
    await expect(folder.block(late, tip)).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    await expect(folder.block(address, late)).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    const missing = openLedgerFolder(directory, 'other')
    await expect(missing).rejects.toMatchObject({ code: 'LEDGER_NOT_FOUND' })
  })
})
