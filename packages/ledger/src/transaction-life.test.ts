import { encodeIon, ionString, parseIon } from '@cairn/ion'
import { createVirtualClock } from '@cairn/testing'
import { describe, expect, it, vi } from 'vitest'
import type { LedgerEngine } from './ledger.ts'
import { temporaryLedger } from './testing/temporary-ledger.ts'

describe('an open transaction', () => {
  it('expires after its time, with the words that drivers look for', async () => {
    const clock = createVirtualClock()
    const { open } = await temporaryLedger({ clock })
    const transaction = open.ledger.startTransaction()
    await transaction.execute('SELECT * FROM << 1 >> AS x', [])
    await clock.advance(29_999)
    await transaction.execute('SELECT * FROM << 1 >> AS x', [])
    await clock.advance(1)
    const late = transaction.execute('SELECT * FROM << 1 >> AS x', [])
    await expect(late).rejects.toThrow(/Transaction .* has expired/)
    await expect(transaction.commit()).rejects.toMatchObject({ code: 'TRANSACTION_EXPIRED' })
  })

  it('refuses rows and documents that have no Ion form, and goes on', async () => {
    const { open } = await temporaryLedger()
    await open.transact((tx) => tx.execute('CREATE TABLE T'))
    const transaction = open.ledger.startTransaction()
    const rows = async (text: string) => (await transaction.execute(text, [])).nextPage(10, 1000)
    await expect(rows("SELECT VALUE CAST('$ion_1_0' AS SYMBOL) FROM << 1 >> AS x")).rejects.toThrow(
      'a row of the result has no Ion form',
    )
    const deep = (depth: number) => `\`${'['.repeat(depth)}${']'.repeat(depth)}\``
    await expect(
      rows(`SELECT [x] FROM [${deep(190)}] AS y, [[[[[[[[[[y]]]]]]]]]] AS x`),
    ).rejects.toThrow('a row of the result has no Ion form')
    const document = `{'a': [[[[[[[[[[${deep(195)}]]]]]]]]]]}`
    await expect(transaction.execute(`INSERT INTO T VALUE ${document}`, [])).rejects.toMatchObject({
      code: 'DOCUMENT_INVALID',
    })
    const { values } = await rows('SELECT * FROM T')
    expect(values).toEqual([])
  })

  it('keeps a bounded part of open results when it writes', async () => {
    const { open } = await temporaryLedger()
    await open.transact((tx) => tx.execute('CREATE TABLE T'))
    const transaction = open.ledger.startTransaction()
    const list = encodeIon(parseIon(`[${'1,'.repeat(2000)}]`))
    const endless = await transaction.execute('SELECT a FROM ? AS a, ? AS b, ? AS c', [
      list,
      list,
      list,
    ])
    await endless.nextPage(10, 1000)
    await expect(transaction.execute("INSERT INTO T VALUE {'a': 1}", [])).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    })
    const { values } = await (await transaction.execute('SELECT * FROM T', [])).nextPage(10, 1000)
    expect(values).toEqual([])
  })

  it('keeps a bounded part of all open results together, and what is read to its end no more', async () => {
    const { open } = await temporaryLedger()
    const transaction = open.ledger.startTransaction()
    const parameters = [encodeIon(parseIon(`"${'x'.repeat(1000)}"`))]
    const list = encodeIon(parseIon(`[${'1,'.repeat(200)}]`))
    // 40,000 rows that weigh a kilobyte each, in the memory of one.
    const sorted = 'SELECT VALUE [?, a] FROM ? AS a, ? AS b ORDER BY a'
    const run = async () => {
      const result = await transaction.execute(sorted, [...parameters, list, list])
      await result.nextPage(10, 100_000)
      return result
    }
    const first = await run()
    await run()
    await run()
    await expect(run()).rejects.toMatchObject({
      code: 'LIMIT',
      message: expect.stringContaining('open results of the transaction'),
    })
    while (!(await first.nextPage(10_000, 100_000_000)).isLast);
    await run()
  })

  it('is closed by a commit, an abort and a conflict', async () => {
    const { open } = await temporaryLedger()
    await open.transact((tx) => tx.execute('CREATE TABLE T'))
    const closed = { code: 'TRANSACTION_CLOSED' }
    const committed = open.ledger.startTransaction()
    await committed.commit()
    await expect(committed.commit()).rejects.toMatchObject(closed)
    const aborted = open.ledger.startTransaction()
    aborted.abort()
    aborted.abort()
    await expect(aborted.execute('SELECT * FROM T', [])).rejects.toMatchObject(closed)
    const loser = open.ledger.startTransaction()
    const read = await loser.execute('SELECT * FROM T', [])
    await read.nextPage(10, 1000)
    await open.transact((tx) => tx.execute("INSERT INTO T VALUE {'a': 1}"))
    await expect(loser.commit()).rejects.toMatchObject({ code: 'OCC_CONFLICT' })
    await expect(loser.commit()).rejects.toMatchObject(closed)
  })

  it('is refused a commit whose digest does not match, and nothing is written', async () => {
    const { open } = await temporaryLedger()
    await open.transact((tx) => tx.execute('CREATE TABLE T'))
    const before = open.ledger.digest()
    const transaction = open.ledger.startTransaction()
    await transaction.execute("INSERT INTO T VALUE {'a': 1}", [])
    await expect(transaction.commit(new Uint8Array(32))).rejects.toMatchObject({
      code: 'COMMIT_DIGEST_MISMATCH',
    })
    expect(open.ledger.digest()).toEqual(before)
  })

  it.each([
    ['a document by its id', 'SELECT * FROM T BY id WHERE id = ?', true],
    ['a key that a document left', 'SELECT * FROM T WHERE k = 1', true],
    ['a key that a document came under', 'SELECT * FROM T WHERE k = 2', true],
    ['a key that a new document came under', 'SELECT * FROM T WHERE k = 3', true],
    ['a key that nobody touched', 'SELECT * FROM T WHERE k = 4', false],
  ])(
    'that read %s conflicts when that is in the projection already',
    async (_, mine, isConflict) => {
      const { open } = await temporaryLedger()
      const engine = open.ledger as LedgerEngine
      const untilProjected = () => vi.waitFor(() => expect(engine.projectionLag).toBe(0))
      await open.transact(async (tx) => {
        await tx.execute('CREATE TABLE T')
        await tx.execute('CREATE INDEX ON T (k)')
      })
      const { value: inserted } = await open.transact((tx) =>
        tx.execute("INSERT INTO T VALUE {'k': 1}"),
      )
      const [{ documentId }] = inserted.values as [{ documentId: string }]
      await untilProjected()
      const reader = open.ledger.startTransaction()
      const id = mine.includes('?') ? [encodeIon(ionString(documentId))] : []
      await (await reader.execute(mine, id)).nextPage(10, 1000)
      await open.transact((tx) => tx.execute('UPDATE T SET k = 2 WHERE k = 1'))
      await open.transact((tx) => tx.execute("INSERT INTO T VALUE {'k': 3}"))
      await untilProjected()
      const commit = reader.commit()
      if (isConflict) await expect(commit).rejects.toMatchObject({ code: 'OCC_CONFLICT' })
      else await commit
    },
  )

  it.each([
    [
      'check then insert under one key',
      'SELECT * FROM T WHERE k = 1',
      "INSERT INTO T VALUE {'k': 1}",
      true,
    ],
    [
      'insert under another key',
      'SELECT * FROM T WHERE k = 2',
      "INSERT INTO T VALUE {'k': 1}",
      false,
    ],
    ['scan beside an insert', 'SELECT * FROM T', "INSERT INTO T VALUE {'k': 9}", true],
    ['scan of another table', 'SELECT * FROM U', "INSERT INTO T VALUE {'k': 9}", false],
    ['use of a table that is dropped', "INSERT INTO U VALUE {'k': 1}", 'DROP TABLE U', true],
    [
      'look for a table that is created',
      'SELECT * FROM information_schema.user_tables',
      'CREATE TABLE V',
      true,
    ],
  ])('%s: conflicts as it should', async (_, mine, theirs, isConflict) => {
    const ledger = await temporaryLedger()
    await ledger.open.transact(async (tx) => {
      await tx.execute('CREATE TABLE T')
      await tx.execute('CREATE INDEX ON T (k)')
      await tx.execute('CREATE TABLE U')
    })
    // Opened again, the projection has the index, so it is looked up rather than replaced by a scan.
    const { ledger: engine } = await ledger.reopen()
    const [first, second] = [engine.startTransaction(), engine.startTransaction()]
    const read = await first.execute(mine, [])
    await read.nextPage(100, 10_000)
    await second.execute(theirs, [])
    await second.commit()
    const commit = first.commit()
    if (isConflict) await expect(commit).rejects.toMatchObject({ code: 'OCC_CONFLICT' })
    else await expect(commit).resolves.toBeDefined()
  })
})
