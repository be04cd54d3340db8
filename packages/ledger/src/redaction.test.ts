import { readdir, rm } from 'node:fs/promises'
import { type FileSystem, systemRandom } from '@cairn/core'
import { decodeIon, fieldOf, formatIon, hashIonBytes, type IonValue, jsFromIon } from '@cairn/ion'
import { nodeFileSystem, openJournal } from '@cairn/journal'
import { createVirtualClock, filesWith } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { eraseInBody } from './block-record.ts'
import type { BlockAddress, EmbeddedLedger, RedactedCopies } from './index.ts'
import { openLedger, verifyLedgerDirectory } from './index.ts'
import { temporaryLedger } from './testing/temporary-ledger.ts'

interface HistoryRow {
  readonly blockAddress: BlockAddress
  readonly data?: Record<string, unknown>
  readonly dataHash?: Uint8Array
  readonly metadata: { readonly id: string; readonly version: number }
}

const marker = (name: string) => `plaintext-of-${name}-that-must-go`

async function run(open: EmbeddedLedger, statement: string, ...parameters: unknown[]) {
  const { value } = await open.transact((tx) => tx.execute(statement, ...parameters))
  return value.values
}

const historyOf = async (open: EmbeddedLedger) =>
  (await run(open, 'SELECT * FROM history(Person) AS h')) as HistoryRow[]

async function tableIdOf(open: EmbeddedLedger): Promise<string> {
  const [row] = await run(open, 'SELECT tableId FROM information_schema.user_tables')
  return (row as { tableId: string }).tableId
}

/** Ledger with one person, whose name was changed once: the first version holds the marker. */
async function ledgerWithHistory(name: string) {
  const temporary = await temporaryLedger()
  await run(temporary.open, 'CREATE TABLE Person')
  await run(temporary.open, 'CREATE INDEX ON Person (name)')
  await run(temporary.open, 'INSERT INTO Person ?', { name: marker(name), age: 1 })
  // Closing projects: the marker stands in the projection too, in a document and in an index.
  const open = await temporary.reopen()
  await run(open, 'UPDATE Person SET name = ?', 'Ada')
  const tableId = await tableIdOf(open)
  const [first] = (await historyOf(open)) as [HistoryRow]
  const redact = (ledger: EmbeddedLedger = open, row = first) =>
    run(ledger, `EXEC REDACT_REVISION ?, '${tableId}', '${row.metadata.id}'`, row.blockAddress)
  return { ...temporary, open, tableId, first, redact }
}

describe('EXEC REDACT_REVISION', () => {
  it('answers what it redacts, shows the hash from then on, and takes the data out of every file', async () => {
    const { directory, open, tableId, first, redact } = await ledgerWithHistory('first')
    expect((await filesWith(directory, marker('first'))).length).toBeGreaterThan(1)
    const digest = open.ledger.digest()
    const before = open.ledger.revision(first.blockAddress, first.metadata.id, digest.tipAddress)
    expect(await redact()).toEqual([
      { blockAddress: first.blockAddress, tableId, documentId: first.metadata.id, version: 0 },
    ])
    // At once, whether the files are done or not.
    const [redacted, current] = (await historyOf(open)) as [HistoryRow, HistoryRow]
    expect(redacted.data).toBeUndefined()
    expect(redacted.dataHash).toHaveLength(32)
    expect(current.data).toEqual({ name: 'Ada', age: 1 })
    await open.ledger.untilRedacted()
    expect(await filesWith(directory, marker('first'))).toEqual([])
    expect(await historyOf(open)).toEqual([redacted, current])
    // A proof against a digest from before holds for what is left.
    const after = open.ledger.revision(first.blockAddress, first.metadata.id, digest.tipAddress)
    expect(after.proof).toEqual(before.proof)
    expect(member(after.value, 'hash')).toEqual(member(before.value, 'hash'))
    expect(formatIon(after.value)).toContain('dataHash')
    await open.close()
    const [verification] = await verifyLedgerDirectory({ directory })
    expect(verification).toMatchObject({ findings: [], redactedRevisionCount: 1 })
  })

  it('is recorded in its block as QLDB records it', async () => {
    const { open, first, tableId, redact } = await ledgerWithHistory('block')
    await redact()
    const { tipAddress } = open.ledger.digest()
    const block = jsFromIon(open.ledger.block(tipAddress).value) as Record<string, unknown>
    expect(block['redactionInfo']).toEqual({
      revisions: [
        { blockAddress: first.blockAddress, tableId, documentId: first.metadata.id, version: 0 },
      ],
    })
    expect(block['revisions']).toBeUndefined()
    // transactionInfo, redactionInfo, header.
    expect(block['entriesHashList']).toHaveLength(3)
  })

  it('survives a restart, a lost projection, and a repetition', async () => {
    const ledger = await ledgerWithHistory('restart')
    const { directory, reopen, redact } = ledger
    await redact()
    await ledger.open.ledger.untilRedacted()
    let open = await reopen()
    const [redacted] = await historyOf(open)
    expect(redacted?.dataHash).toHaveLength(32)
    await open.close()
    await removeProjection(directory)
    open = await reopen()
    const rows = await historyOf(open)
    expect(rows.map((row) => row.metadata.version)).toEqual([0, 1])
    expect(rows[0]).toEqual(redacted)
    expect(await run(open, 'SELECT name FROM Person WHERE name = ?', 'Ada')).toHaveLength(1)
    await redact(open)
    await open.ledger.untilRedacted()
    expect(await historyOf(open)).toEqual(rows)
    expect(await filesWith(directory, marker('restart'))).toEqual([])
  })

  it('gets in the way of whoever has read the history before, and of nobody else', async () => {
    const { open, redact } = await ledgerWithHistory('conflict')
    const begin = async (statement: string) => {
      const transaction = open.ledger.startTransaction()
      await (await transaction.execute(statement, [])).nextPage(10, 1_000_000)
      return transaction
    }
    const historian = await begin('SELECT * FROM history(Person) AS h')
    const reader = await begin('SELECT * FROM Person')
    const writer = await begin('UPDATE Person SET age = 7')
    await redact()
    await expect(historian.commit()).rejects.toMatchObject({ code: 'OCC_CONFLICT' })
    await reader.commit()
    await writer.commit()
    expect(await run(open, 'SELECT VALUE age FROM Person')).toEqual([7])
  })

  it('is done before a ledger that is closed in an orderly way lets go of its files', async () => {
    const { directory, open, redact } = await ledgerWithHistory('closing')
    await redact()
    await open.close()
    expect(await filesWith(directory, marker('closing'))).toEqual([])
    const [verification] = await verifyLedgerDirectory({ directory })
    expect(verification).toMatchObject({ redactedRevisionCount: 1, pendingRedactionCount: 0 })
  })

  it('is left for the next start when the disk cannot take the redo file', async () => {
    const { directory, open, redact } = await ledgerWithHistory('full')
    await open.close()
    const clock = createVirtualClock()
    const full = await openLedger({ directory, clock, fileSystem: withoutRoom, sealing: 'inline' })
    await redact(full)
    const closing = full.close()
    await untilSettled(closing, () => clock.advance(1000))
    expect(await filesWith(directory, marker('full'))).not.toEqual([])
    const [pending] = await verifyLedgerDirectory({ directory })
    expect(pending).toMatchObject({ findings: [], pendingRedactionCount: 1 })
    const again = await openLedger({ directory })
    expect((await historyOf(again))[0]?.data).toBeUndefined()
    await again.ledger.untilRedacted()
    await again.close()
    expect(await filesWith(directory, marker('full'))).toEqual([])
  })

  it('has copies elsewhere erased, again after a restart until that was done', async () => {
    const { open, redact, first, reopen } = await ledgerWithHistory('copies')
    const { sequenceNo } = first.blockAddress
    const begun: RedactedCopies[] = []
    const isBegun = new Promise<void>((resolve) => {
      void reopen({
        eraseCopies: async (copies) => {
          begun.push(copies)
          resolve()
          await new Promise((_, reject) => {
            copies.signal.addEventListener('abort', () => reject(copies.signal.reason))
          })
        },
      }).then((again) => redact(again))
    })
    await isBegun
    // Closing gives up after some seconds: the redaction is not done.
    const erased: RedactedCopies[] = []
    const again = await reopen({
      eraseCopies: async (copies) => {
        const [block] = copies.blocksFrom(sequenceNo)
        expect(formatIon(block?.value as IonValue)).not.toContain(marker('copies'))
        erased.push(copies)
      },
    })
    await again.ledger.untilRedacted()
    const { strandId } = open.ledger
    const documentId = first.metadata.id
    for (const copies of [begun, erased]) {
      expect(copies).toHaveLength(1)
      expect(copies[0]).toMatchObject({
        name: 'ledger',
        strandId,
        revisions: [{ sequenceNo, documentId, version: 0 }],
      })
    }
    const last = await reopen({ eraseCopies: () => Promise.reject(new Error('done already')) })
    await last.ledger.untilRedacted()
  })

  it('reaches old revisions of deleted documents and of dropped tables', async () => {
    const { directory, open, tableId, redact, first } = await ledgerWithHistory('deleted')
    await run(open, 'UPDATE Person SET name = ?', marker('second'))
    await run(open, 'DELETE FROM Person')
    await run(open, 'DROP TABLE Person')
    const history = (await run(open, `SELECT * FROM history('${tableId}') AS h`)) as HistoryRow[]
    expect(history).toHaveLength(4)
    for (const row of history.slice(0, 3)) await redact(open, row)
    await open.ledger.untilRedacted()
    for (const name of ['deleted', 'second']) {
      expect(await filesWith(directory, marker(name))).toEqual([])
    }
    // The deletion is the latest revision.
    await expect(redact(open, history[3])).rejects.toMatchObject({ code: 'REDACTION_INVALID' })
    expect(first.metadata.id).toBe(history[0]?.metadata.id)
  })

  it('keeps what open transactions see, and history redacted for all of them', async () => {
    const { directory, open, redact } = await ledgerWithHistory('open')
    const reader = open.ledger.startTransaction()
    const names = async () => {
      const result = await reader.execute('SELECT h.data.name FROM history(Person) AS h', [])
      const { values } = await result.nextPage(10, 1_000_000)
      return values.map((value) => jsFromIon(decodeIon(value)))
    }
    expect(await names()).toEqual([{ name: marker('open') }, { name: 'Ada' }])
    await redact()
    expect(await names()).toEqual([{}, { name: 'Ada' }])
    await open.ledger.untilRedacted()
    expect(await filesWith(directory, marker('open'))).toEqual([])
    expect(await names()).toEqual([{}, { name: 'Ada' }])
    await run(open, 'UPDATE Person SET age = 2')
    reader.abort()
  })

  it('takes an address as a literal, and is taken back with a failed statement or transaction', async () => {
    const { open, tableId, first } = await ledgerWithHistory('literal')
    const address = formatIon(open.ledger.revision(first.blockAddress, first.metadata.id).value)
    expect(address).toContain('plaintext')
    const { strandId, sequenceNo } = first.blockAddress
    const literal = `\`{strandId:"${strandId}",sequenceNo:${sequenceNo}}\``
    const statement = `exec redact_revision ${literal}, '${tableId}', '${first.metadata.id}'`
    const transaction = open.ledger.startTransaction()
    await transaction.execute(statement, [])
    transaction.abort()
    expect((await historyOf(open))[0]?.data).toBeDefined()
    expect(await run(open, statement)).toHaveLength(1)
    expect((await historyOf(open))[0]?.data).toBeUndefined()
  })

  it('refuses what cannot be redacted, in words that help', async () => {
    const { open, tableId, first } = await ledgerWithHistory('refused')
    const [, latest] = (await historyOf(open)) as [HistoryRow, HistoryRow]
    const id = first.metadata.id
    const { strandId, sequenceNo } = first.blockAddress
    const refusals: [unknown, string, string, string][] = [
      [latest.blockAddress, tableId, id, 'latest revision'],
      [{ strandId, sequenceNo: sequenceNo - 1 }, tableId, id, 'no revision in block'],
      [{ strandId, sequenceNo: 999 }, tableId, id, 'no revision in block'],
      [{ strandId: id, sequenceNo }, tableId, id, 'has the strand'],
      [first.blockAddress, id, id, 'no table'],
      [first.blockAddress, tableId, tableId, 'no revision in block'],
      [{ strandId }, tableId, id, 'takes a block address'],
      ['somewhere', tableId, id, 'takes a block address'],
    ]
    for (const [address, table, document, words] of refusals) {
      await expect(
        run(open, `EXEC REDACT_REVISION ?, '${table}', '${document}'`, address),
      ).rejects.toThrow(words)
    }
    await expect(run(open, 'EXEC REDACT_REVISION')).rejects.toThrow('takes a block address')
    await expect(run(open, 'EXEC FORGET_ALL')).rejects.toThrow('no procedure FORGET_ALL')
    await expect(
      open.transact(async (tx) => {
        const statement = `EXEC REDACT_REVISION ?, '${tableId}', '${id}'`
        await tx.execute(statement, first.blockAddress)
        await tx.execute(statement, first.blockAddress)
      }),
    ).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect((await historyOf(open))[0]?.data).toBeDefined()
  })
})

describe('verifying a folder', () => {
  it('names data that was taken out of the journal without a redaction', async () => {
    const { directory, open, first } = await ledgerWithHistory('forged')
    await open.close()
    const [strand] = await readdir(`${directory}/ledgers`)
    const journal = await openJournal({
      directory: `${directory}/ledgers/${strand}/journal`,
      fileSystem: nodeFileSystem,
      random: systemRandom,
    })
    const { sequenceNo } = first.blockAddress
    const { body } = journal.read(sequenceNo)
    const erased = eraseInBody(body, new Set([0]), hashIonBytes) as Uint8Array
    await journal.overwrite([{ sequenceNo, body: erased }])
    await journal.close()
    const [verification] = await verifyLedgerDirectory({ directory })
    expect(verification?.findings).toEqual([
      {
        kind: 'invalid',
        message:
          `Block ${sequenceNo} lacks the data of document ${first.metadata.id}, version 0, ` +
          'and no block says that it was redacted.',
      },
    ])
  })
})

/** A disk that is full when the redo file is to be written. */
const withoutRoom: FileSystem = {
  ...nodeFileSystem,
  async writeFileAtomic(path, bytes, fileMode) {
    if (path.endsWith('/redo')) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    await nodeFileSystem.writeFileAtomic(path, bytes, fileMode)
  },
}

async function untilSettled(task: Promise<void>, step: () => Promise<void>): Promise<void> {
  let isSettled = false
  const settled = task.finally(() => {
    isSettled = true
  })
  while (!isSettled) {
    await step()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await settled
}

function member(value: IonValue, name: string): IonValue | undefined {
  return value.type === 'struct' ? fieldOf(value, name) : undefined
}

async function removeProjection(directory: string): Promise<void> {
  for (const strand of await readdir(`${directory}/ledgers`)) {
    await rm(`${directory}/ledgers/${strand}/projection`, { recursive: true })
  }
}
