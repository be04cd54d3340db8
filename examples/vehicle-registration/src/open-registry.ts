/** Step 1 and 2: a ledger, its tables, its indexes. */
import {
  CreateLedgerCommand,
  DeleteLedgerCommand,
  DescribeLedgerCommand,
  ListTagsForResourceCommand,
  type QLDBClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-qldb'
import { columns, headline, type Office } from './office.ts'

/** Marks the ledger as ours: a second run removes the first one's ledger, and never one that somebody else made. */
const tags = { example: 'vehicle-registration' }

const indexes = {
  Vehicle: ['VIN'],
  VehicleRegistration: ['VIN', 'LicensePlateNumber'],
  Person: ['GovId'],
  DriversLicense: ['PersonId', 'LicenseNumber'],
} as const

export async function createLedger(office: Office): Promise<void> {
  headline(office, 1, 'The registry opens a ledger')
  const { control, ledgerName } = office
  await removeLedgerOfEarlierRun(control, ledgerName)
  await control.send(
    new CreateLedgerCommand({
      Name: ledgerName,
      PermissionsMode: 'ALLOW_ALL',
      // On by default; a ledger made to be thrown away does without.
      DeletionProtection: false,
      Tags: tags,
    }),
  )
  const ledger = await control.send(new DescribeLedgerCommand({ Name: ledgerName }))
  columns(office, [
    ['name', ledger.Name ?? ''],
    ['state', ledger.State ?? ''],
    ['arn', ledger.Arn ?? ''],
  ])
}

async function removeLedgerOfEarlierRun(control: QLDBClient, name: string): Promise<void> {
  try {
    const ledger = await control.send(new DescribeLedgerCommand({ Name: name }))
    const command = new ListTagsForResourceCommand({ ResourceArn: ledger.Arn })
    const { Tags: found } = await control.send(command)
    if (found?.['example'] !== tags.example) {
      throw new Error(`There is a ledger ${name} that this example did not make. It stays.`)
    }
    await control.send(new DeleteLedgerCommand({ Name: name }))
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error
  }
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
