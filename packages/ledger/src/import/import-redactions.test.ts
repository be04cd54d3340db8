import { rm } from 'node:fs/promises'
import type { IonValue } from '@cairn/ion'
import { parseRevision, verifyRevision } from '@cairn/verifier'
import { describe, expect, it } from 'vitest'
import type { BlockAddress } from '../api.ts'
import { type EmbeddedLedger, openLedger } from '../library.ts'
import { asQldbJournal, blocksOf } from '../testing/qldb-journal.ts'
import { temporaryDirectory, temporaryLedger } from '../testing/temporary-ledger.ts'
import { verifyLedgerDirectory } from '../verify-directory.ts'
import { importLedger } from './import-ledger.ts'

interface HistoryRow {
  readonly blockAddress: BlockAddress
  readonly data?: unknown
  readonly metadata: { readonly id: string; readonly version: number }
}

async function run(open: EmbeddedLedger, statement: string, ...parameters: unknown[]) {
  const { value } = await open.transact((tx) => tx.execute(statement, ...parameters))
  return value.values
}

async function historyOf(open: EmbeddedLedger): Promise<HistoryRow[]> {
  const rows = (await run(open, 'SELECT * FROM history(Person) AS h')) as HistoryRow[]
  const keyOf = ({ metadata }: HistoryRow) => `${metadata.id} ${metadata.version}`
  return rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

async function redact(open: EmbeddedLedger, { blockAddress, metadata }: HistoryRow) {
  const [table] = await run(open, 'SELECT tableId FROM information_schema.user_tables')
  const { tableId } = table as { tableId: string }
  await run(open, `EXEC REDACT_REVISION ?, '${tableId}', '${metadata.id}'`, blockAddress)
}

/** Documents whose first, middle and last but one revisions are redacted; one of them is deleted. */
async function redactedLedger(): Promise<EmbeddedLedger> {
  const { open } = await temporaryLedger()
  await run(open, 'CREATE TABLE Person')
  await run(open, 'CREATE INDEX ON Person (name)')
  for (const name of ['A', 'B', 'C']) {
    await run(open, 'INSERT INTO Person ?', { name, n: 0 })
    for (const n of [1, 2, 3]) await run(open, 'UPDATE Person SET n = ? WHERE name = ?', n, name)
  }
  await run(open, "DELETE FROM Person WHERE name = 'C'")
  const rows = await historyOf(open)
  for (const [i, row] of rows.entries()) {
    if ([0, 5, 6, 8, 11].includes(i)) await redact(open, row)
  }
  await open.ledger.untilRedacted()
  return open
}

describe.each([
  ['QLDB', asQldbJournal],
  ['Cairn', (blocks: readonly IonValue[]) => [...blocks]],
])('an export of %s with redacted revisions', (shapeName, shape) => {
  it('becomes a ledger with the same history and proofs, in which more can be redacted', async () => {
    const original = await redactedLedger()
    const { strandId } = original.ledger
    const blocks = shape(blocksOf(original.ledger))
    const directory = await temporaryDirectory()
    await importLedger({
      name: 'old',
      directory,
      source: {
        strandId,
        firstSequenceNo: 0,
        lastSequenceNo: blocks.length - 1,
        bringsCatalog: false,
        async *blocksFrom(sequenceNo) {
          for (const [i, value] of blocks.entries()) {
            if (i >= sequenceNo) yield { value, source: `block ${i}` }
          }
        },
      },
    })
    let open = await openLedger({ directory, name: 'old' })
    await open.ledger.untilRedacted()
    const rows = await historyOf(open)
    const isRedacted = rows.map(({ data }) => data === undefined)
    // The deletion, which is last, has no data either.
    const without = isRedacted.flatMap((it, i) => (it ? [i] : []))
    expect(without).toEqual([0, 5, 6, 8, 11, 12])
    if (shapeName === 'Cairn') {
      expect(rows).toEqual(await historyOf(original))
      expect(open.ledger.digest()).toEqual(original.ledger.digest())
    }
    expect(blocksOf(open.ledger)).toEqual(blocks)
    expect(await run(open, "SELECT VALUE n FROM Person WHERE name = 'B'")).toEqual([3])

    await redact(open, rows[1] as HistoryRow)
    await open.ledger.untilRedacted()
    await run(open, "UPDATE Person SET n = 4 WHERE name = 'A'")
    const after = await historyOf(open)
    expect(after).toHaveLength(rows.length + 1)
    expect(after[1]?.data).toBeUndefined()
    const { digest, tipAddress } = open.ledger.digest()
    for (const { blockAddress, metadata } of after) {
      const { value, proof } = open.ledger.revision(blockAddress, metadata.id, tipAddress)
      const revision = parseRevision(value)
      verifyRevision({ revision, proof: proof ?? [], digest, tip: tipAddress })
    }
    await open.close()
    await rm(`${directory}/ledgers/${strandId}/projection`, { recursive: true })
    open = await openLedger({ directory, name: 'old' })
    expect(await historyOf(open)).toEqual(after)
    expect(await run(open, "SELECT VALUE n FROM Person WHERE name = 'A'")).toEqual([4])
    await open.close()
    const [report] = await verifyLedgerDirectory({ directory })
    expect(report).toMatchObject({ findings: [], redactedRevisionCount: 6 })
  })
})
