/** Steps 4 to 6: a laboratory finds something; which packs hold it, who has them, whose hands they went through. */
import { columns, headline, type Office } from '@cairn/example-vehicle-registration/office'
import type { TransactionExecutor } from 'amazon-qldb-driver-nodejs'

export async function reportTest(office: Office, lotId: string): Promise<void> {
  headline(office, 4, 'A laboratory reports')
  const test = {
    lotId,
    laboratory: 'North Vale Laboratory',
    finding: 'salmonella',
    takenAt: new Date(),
  }
  await office.driver.executeLambda((transaction) =>
    transaction.execute('INSERT INTO LabTest ?', test),
  )
  columns(office, [[lotId, 'salmonella']])
}

/**
 * Follows the lot to everything made of it, and recalls all of it, in one transaction: a pack that is made or moved
 * meanwhile makes it run again, so none slips through.
 */
export async function recall(office: Office, lotId: string): Promise<readonly string[]> {
  headline(office, 5, 'Everything made of it is recalled')
  const recalled = await office.driver.executeLambda(async (transaction) => {
    const found = [lotId]
    for (const source of found) {
      for (const made of await madeFrom(transaction, source)) {
        if (!found.includes(made)) found.push(made)
      }
    }
    for (const each of found) {
      await transaction.execute('UPDATE Lot SET status = ? WHERE lotId = ?', 'RECALLED', each)
    }
    return found
  })
  const held = await office.driver.executeLambda((transaction) =>
    transaction.execute("SELECT lotId, product, holder FROM Lot WHERE status = 'RECALLED'"),
  )
  columns(
    office,
    held
      .getResultList()
      .map((row) =>
        ['lotId', 'product', 'holder'].map((field) => row.get(field)?.stringValue() ?? ''),
      ),
  )
  return recalled
}

async function madeFrom(transaction: TransactionExecutor, source: string): Promise<string[]> {
  const result = await transaction.execute(
    'SELECT l.lotId FROM Lot AS l, l.sources AS source WHERE source = ?',
    source,
  )
  return result.getResultList().map((row) => row.get('lotId')?.stringValue() ?? '')
}

/** One version of a pack: who had it, in which block that was written. */
export interface Custody {
  readonly documentId: string
  readonly holder: string
  readonly version: number
  readonly strandId: string
  readonly sequenceNo: number
}

/** The whole way of a lot, from its history. */
export async function traceBack(office: Office, lotId: string): Promise<readonly Custody[]> {
  headline(office, 6, `Whose hands did ${lotId} go through?`)
  const result = await office.driver.executeLambda(async (transaction) => {
    const found = await transaction.execute(
      'SELECT metadata.id FROM _ql_committed_Lot WHERE data.lotId = ?',
      lotId,
    )
    const documentId = found.getResultList()[0]?.get('id')?.stringValue() ?? ''
    return transaction.execute(
      `SELECT h.metadata.id AS documentId, h.data.holder AS holder, h.metadata.version AS version,
              h.blockAddress.strandId AS strandId, h.blockAddress.sequenceNo AS sequenceNo
         FROM history(Lot) AS h WHERE h.metadata.id = ?`,
      documentId,
    )
  })
  const custodies = result.getResultList().map(
    (row): Custody => ({
      documentId: row.get('documentId')?.stringValue() ?? '',
      holder: row.get('holder')?.stringValue() ?? '',
      version: row.get('version')?.numberValue() ?? 0,
      strandId: row.get('strandId')?.stringValue() ?? '',
      sequenceNo: row.get('sequenceNo')?.numberValue() ?? 0,
    }),
  )
  columns(
    office,
    custodies.map(({ version, holder, sequenceNo }) => [
      `version ${version}`,
      holder,
      `block ${sequenceNo}`,
    ]),
  )
  return custodies
}
