import { decodeIon, ionDecimal, ionRecord, ionString } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { LedgerError } from './errors.ts'
import { temporaryLedger } from './testing/temporary-ledger.ts'

const createVehicle = 'CREATE TABLE Vehicle'

describe('transact', () => {
  it('commits documents and reads them back by index, id and scan', async () => {
    const { open } = await temporaryLedger()
    await open.transact(async (tx) => {
      await tx.execute(createVehicle)
      await tx.execute('CREATE INDEX ON Vehicle (VIN)')
    })
    const inserted = await open.transact(async (tx) => {
      const rows = await tx.execute('INSERT INTO Vehicle ?', [
        { VIN: 'A1', Year: 2011 },
        { VIN: 'B2', Year: 2015 },
      ])
      return rows.values as { documentId: string }[]
    })
    expect(inserted.value).toHaveLength(2)
    expect(inserted.blockAddress?.sequenceNo).toBe(2)
    const { value } = await open.transact(async (tx) => ({
      byIndex: (await tx.execute('SELECT Year FROM Vehicle WHERE VIN = ?', 'B2')).values,
      byId: (
        await tx.execute(
          'SELECT v.VIN FROM Vehicle AS v BY id WHERE id = ?',
          inserted.value[0]?.documentId,
        )
      ).values,
      all: (await tx.execute('SELECT VALUE VIN FROM Vehicle')).values,
    }))
    expect(value).toEqual({ byIndex: [{ Year: 2015 }], byId: [{ VIN: 'A1' }], all: ['A1', 'B2'] })
  })

  it('sees its own writes at once, others only after the commit', async () => {
    const { open } = await temporaryLedger()
    await open.transact((tx) => tx.execute(createVehicle))
    const first = open.ledger.startTransaction()
    await first.execute("INSERT INTO Vehicle VALUE {'VIN': 'A1'}", [])
    const second = open.ledger.startTransaction()
    const count = async (transaction: typeof first) => {
      const result = await transaction.execute('SELECT VALUE VIN FROM Vehicle', [])
      return (await result.nextPage(10, 1000)).values.length
    }
    expect(await count(first)).toBe(1)
    expect(await count(second)).toBe(0)
    await first.commit()
    expect(await count(second)).toBe(0)
    await expect(second.commit()).rejects.toMatchObject({ code: 'OCC_CONFLICT' })
    const third = open.ledger.startTransaction()
    expect(await count(third)).toBe(1)
    await third.commit()
  })

  it('runs again after a conflict until a counter is exact', async () => {
    const { open } = await temporaryLedger({ retryCountMax: 1000 })
    await open.transact(async (tx) => {
      await tx.execute('CREATE TABLE Counter')
      await tx.execute("INSERT INTO Counter VALUE {'n': 0}")
    })
    await Promise.all(
      Array.from({ length: 20 }, () =>
        open.transact((tx) => tx.execute('UPDATE Counter AS c SET c.n = c.n + 1')),
      ),
    )
    const { value } = await open.transact((tx) => tx.execute('SELECT n FROM Counter'))
    expect(value.values).toEqual([{ n: 20 }])
  })

  it('makes one revision per document and transaction, and shows history and committed view', async () => {
    const { open } = await temporaryLedger()
    await open.transact((tx) => tx.execute(createVehicle))
    await open.transact((tx) =>
      tx.execute("INSERT INTO Vehicle VALUE {'VIN': 'A1', 'owner': 'Ada'}"),
    )
    await open.transact(async (tx) => {
      await tx.execute("UPDATE Vehicle AS v SET v.owner = 'Bob'")
      await tx.execute("UPDATE Vehicle AS v SET v.owner = 'Cem'")
    })
    await open.transact((tx) => tx.execute('DELETE FROM Vehicle'))
    const { value } = await open.transact(async (tx) => ({
      history: (
        await tx.execute('SELECT h.metadata.version, h.data.owner FROM history(Vehicle) AS h')
      ).values,
      committed: (await tx.execute('SELECT * FROM _ql_committed_Vehicle')).values,
    }))
    expect(value.history).toEqual([
      { version: 0, owner: 'Ada' },
      { version: 1, owner: 'Cem' },
      { version: 2 },
    ])
    expect(value.committed).toEqual([])
  })

  it('takes a failed statement back whole and lets the transaction go on', async () => {
    const { open } = await temporaryLedger({ limits: { writtenDocumentCountMax: 3 } })
    await open.transact((tx) => tx.execute(createVehicle))
    await open.transact(async (tx) => {
      await tx.execute("INSERT INTO Vehicle VALUE {'VIN': 'A1'}")
      await expect(
        tx.execute("INSERT INTO Vehicle << {'VIN': 'B'}, {'VIN': 'C'}, {'VIN': 'D'} >>"),
      ).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
      await tx.execute("INSERT INTO Vehicle VALUE {'VIN': 'E'}")
    })
    const { value } = await open.transact((tx) => tx.execute('SELECT VALUE VIN FROM Vehicle'))
    expect(value.values).toEqual(['A1', 'E'])
  })

  it('keeps decimals and every other Ion value exactly', async () => {
    const { open } = await temporaryLedger()
    await open.transact((tx) => tx.execute(createVehicle))
    const document = ionRecord({ price: ionDecimal(1230n, -2), note: ionString('ünïcode') })
    await open.transact((tx) => tx.execute('INSERT INTO Vehicle ?', document))
    const { value } = await open.transact((tx) => tx.execute('SELECT * FROM Vehicle'))
    expect(value.ion[0]).toEqual(document)
  })

  it('indexes a table that has documents', async () => {
    const { open, reopen } = await temporaryLedger()
    await open.transact((tx) => tx.execute(createVehicle))
    await open.transact((tx) =>
      tx.execute('INSERT INTO Vehicle ?', [{ VIN: 'A1' }, { VIN: 'B2' }, { VIN: null }]),
    )
    await open.transact((tx) => tx.execute('CREATE INDEX ON Vehicle (VIN)'))
    const find = async (ledger: typeof open) => {
      const query = "SELECT VALUE VIN FROM Vehicle WHERE VIN IN ('B2', 'A1', 'A1')"
      const { value } = await ledger.transact((tx) => tx.execute(query))
      return [...value.values].sort()
    }
    expect(await find(open)).toEqual(['A1', 'B2'])
    expect(await find(await reopen())).toEqual(['A1', 'B2'])
  })

  it('opens again with everything that was committed', async () => {
    const { open, reopen } = await temporaryLedger()
    await open.transact((tx) => tx.execute(createVehicle))
    for (let i = 0; i < 50; i++) {
      await open.transact((tx) => tx.execute('INSERT INTO Vehicle ?', { VIN: `V${i}` }))
    }
    const before = open.ledger.digest()
    const again = await reopen()
    expect(again.ledger.digest()).toEqual(before)
    const { value } = await again.transact((tx) => tx.execute('SELECT VALUE VIN FROM Vehicle'))
    expect(value.values).toHaveLength(50)
  })

  it('refuses names, values and addresses that cannot be, with their codes', async () => {
    const { open } = await temporaryLedger()
    const failing: [string, string, unknown[]][] = [
      ['CREATE TABLE "no good"', 'TABLE_NAME_INVALID', []],
      ['SELECT * FROM Nowhere', 'SEMANTIC', []],
      ['SELEKT 1', 'SYNTAX', []],
      ['UNDROP TABLE "0000000000000000000000"', 'SEMANTIC', []],
    ]
    for (const [statement, code, parameters] of failing) {
      await expect(
        open.transact((tx) => tx.execute(statement, ...parameters)),
        statement,
      ).rejects.toMatchObject({ code })
    }
    const { strandId } = open.ledger
    expect(() => open.ledger.block({ strandId, sequenceNo: 9 })).toThrow(LedgerError)
    expect(() => open.ledger.block({ strandId: 'x', sequenceNo: 0 })).toThrow(LedgerError)
  })

  it('serves a result in pages that later statements do not change', async () => {
    const { open } = await temporaryLedger()
    await open.transact((tx) => tx.execute(createVehicle))
    const documents = Array.from({ length: 30 }, (_, i) => ({ i }))
    await open.transact((tx) => tx.execute('INSERT INTO Vehicle ?', documents))
    const transaction = open.ledger.startTransaction()
    const result = await transaction.execute('SELECT VALUE i FROM Vehicle', [])
    const first = await result.nextPage(10, 1_000_000)
    await transaction.execute('DELETE FROM Vehicle', [])
    const second = await result.nextPage(100, 1_000_000)
    const values = [...first.values, ...second.values].map((it) => decodeIon(it))
    expect(values).toHaveLength(30)
    expect([first.isLast, second.isLast]).toEqual([false, true])
    await transaction.commit()
  })
})
