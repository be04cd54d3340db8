/** Steps 1 to 4: a ledger, the devices, a year of inspections, and what the history tells of one device. */
import { makeFreshLedger } from '@cairn/example-vehicle-registration/fresh-ledger'
import { columns, headline, type Office } from '@cairn/example-vehicle-registration/office'
import type { Device, Inspection } from './devices.ts'

export async function openLedger(office: Office): Promise<void> {
  headline(office, 1, 'The technical department opens a ledger')
  await makeFreshLedger(office, 'hospital-equipment')
  await office.driver.executeLambda((transaction) => transaction.execute('CREATE TABLE Device'))
  await office.driver.executeLambda((transaction) =>
    transaction.execute('CREATE INDEX ON Device (serial)'),
  )
}

export async function register(office: Office, devices: readonly Device[]): Promise<void> {
  headline(office, 2, 'Devices are delivered')
  await office.driver.executeLambda((transaction) =>
    transaction.execute('INSERT INTO Device ?', devices),
  )
  columns(
    office,
    devices.map(({ serial, kind, ward }) => [serial, kind, ward]),
  )
}

/** Each inspection is a version of its device; the versions are the inspection book. */
export async function inspectAll(
  office: Office,
  inspections: readonly Inspection[],
): Promise<void> {
  headline(office, 3, 'A year of inspections')
  for (const { serial, status, inspectedAt, note } of inspections) {
    await office.driver.executeLambda((transaction) =>
      transaction.execute(
        'UPDATE Device SET status = ?, inspectedAt = ?, note = ? WHERE serial = ?',
        ...[status, inspectedAt, note, serial],
      ),
    )
  }
  const failed = inspections.filter(({ status }) => status === 'OUT_OF_ORDER')
  columns(office, [
    ['inspections', String(inspections.length)],
    ['failed', failed.map(({ serial }) => serial).join(', ')],
  ])
}

/** A page of the inspection book: a version of a device, and where it is in the ledger. */
export interface Entry {
  readonly documentId: string
  readonly tableId: string
  readonly version: number
  readonly status: string
  readonly note: string
  readonly strandId: string
  readonly sequenceNo: number
}

export async function readBook(office: Office, serial: string): Promise<readonly Entry[]> {
  headline(office, 4, `The inspection book of ${serial}`)
  const rows = await office.driver.executeLambda(async (transaction) => {
    const tables = await transaction.execute(
      "SELECT tableId FROM information_schema.user_tables WHERE name = 'Device'",
    )
    const tableId = tables.getResultList()[0]?.get('tableId')?.stringValue() ?? ''
    const current = await transaction.execute(
      'SELECT metadata.id FROM _ql_committed_Device WHERE data.serial = ?',
      serial,
    )
    const documentId = current.getResultList()[0]?.get('id')?.stringValue() ?? ''
    const history = await transaction.execute(
      `SELECT h.metadata.version AS version, h.data.status AS status, h.data.note AS note,
              h.blockAddress.strandId AS strandId, h.blockAddress.sequenceNo AS sequenceNo
         FROM history(Device) AS h WHERE h.metadata.id = ?`,
      documentId,
    )
    return history.getResultList().map(
      (row): Entry => ({
        documentId,
        tableId,
        version: row.get('version')?.numberValue() ?? 0,
        status: row.get('status')?.stringValue() ?? '(redacted)',
        note: row.get('note')?.stringValue() ?? '',
        strandId: row.get('strandId')?.stringValue() ?? '',
        sequenceNo: row.get('sequenceNo')?.numberValue() ?? 0,
      }),
    )
  })
  columns(
    office,
    rows.map(({ version, status, note }) => [`version ${version}`, status, note]),
  )
  return rows
}
