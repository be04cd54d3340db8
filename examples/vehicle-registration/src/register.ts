/** Step 3 and 4: the first documents, all in one transaction, and a question about them. */
import type { Result, TransactionExecutor } from 'amazon-qldb-driver-nodejs'
import { columns, headline, type Office } from './office.ts'
import { licences, people, type Records, registrations, vehicles } from './records.ts'

/** Document ids of the people, in the order of `people`. */
export async function registerEverything(office: Office): Promise<readonly string[]> {
  headline(office, 3, 'Twenty documents in one transaction')
  const inserted = await office.driver.executeLambda(async (transaction) => {
    const Person = await insert(transaction, 'Person', people)
    return {
      Person,
      Vehicle: await insert(transaction, 'Vehicle', vehicles),
      VehicleRegistration: await insert(transaction, 'VehicleRegistration', registrations(Person)),
      DriversLicense: await insert(transaction, 'DriversLicense', licences(Person)),
    }
  })
  // Printed after the commit: the driver may run the function above more than once.
  columns(
    office,
    Object.entries(inserted).map(([table, ids]) => [table, `${ids.length} documents`]),
  )
  return inserted.Person
}

/** A list as the parameter inserts each of its elements; the n-th id returned belongs to the n-th element. */
async function insert(
  transaction: TransactionExecutor,
  table: string,
  documents: Records,
): Promise<readonly string[]> {
  return documentIds(await transaction.execute(`INSERT INTO ${table} ?`, documents))
}

export function documentIds(result: Result): readonly string[] {
  return result.getResultList().map((row) => row.get('documentId')?.stringValue() ?? '')
}

/** Which vehicles a person owns: a join over two indexes and a look into a nested field. */
export async function listVehiclesOf(office: Office, name: string, id: string): Promise<number> {
  headline(office, 4, `Which vehicles does ${name} own?`)
  const result = await office.driver.executeLambda((transaction) =>
    transaction.execute(
      `SELECT r.LicensePlateNumber, v.VIN, v.Make, v.Model, v.Color
         FROM VehicleRegistration AS r INNER JOIN Vehicle AS v ON r.VIN = v.VIN
        WHERE r.Owners.PrimaryOwner.PersonId = ?`,
      id,
    ),
  )
  const rows = result.getResultList()
  columns(
    office,
    rows.map((row) =>
      ['LicensePlateNumber', 'VIN', 'Make', 'Model', 'Color'].map(
        (field) => row.get(field)?.stringValue() ?? '',
      ),
    ),
  )
  return rows.length
}
