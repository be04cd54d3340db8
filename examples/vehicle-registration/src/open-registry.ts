/** Step 1 and 2: a ledger, its tables, its indexes. */
import { DescribeLedgerCommand } from '@aws-sdk/client-qldb'
import { makeFreshLedger } from './fresh-ledger.ts'
import { columns, headline, type Office } from './office.ts'

const indexes = {
  Vehicle: ['VIN'],
  VehicleRegistration: ['VIN', 'LicensePlateNumber'],
  Person: ['GovId'],
  DriversLicense: ['PersonId', 'LicenseNumber'],
} as const

export async function createLedger(office: Office): Promise<void> {
  headline(office, 1, 'The registry opens a ledger')
  const { control, ledgerName } = office
  await makeFreshLedger(office, 'vehicle-registration')
  const ledger = await control.send(new DescribeLedgerCommand({ Name: ledgerName }))
  columns(office, [
    ['name', ledger.Name ?? ''],
    ['state', ledger.State ?? ''],
    ['arn', ledger.Arn ?? ''],
  ])
}

export async function createTables(office: Office): Promise<void> {
  headline(office, 2, 'Four tables and their indexes')
  await office.driver.executeLambda(async (transaction) => {
    for (const table of Object.keys(indexes)) await transaction.execute(`CREATE TABLE ${table}`)
  })
  await office.driver.executeLambda(async (transaction) => {
    for (const [table, fields] of Object.entries(indexes)) {
      for (const field of fields) await transaction.execute(`CREATE INDEX ON ${table} (${field})`)
    }
  })
  columns(
    office,
    Object.entries(indexes).map(([table, fields]) => [table, fields.join(', ')]),
  )
}
