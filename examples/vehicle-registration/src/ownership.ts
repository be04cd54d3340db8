/** Step 5, 6 and 7: a vehicle changes hands, gets a second owner, and its history tells of both. */
import type { dom } from 'ion-js'
import { columns, headline, type Office } from './office.ts'
import { documentIds } from './register.ts'

export interface Person {
  readonly id: string
  readonly name: string
}

/**
 * Checks that the seller owns the vehicle, then hands it over, both in one transaction. If anybody changed this
 * registration in between, the commit is refused and the driver runs the function once more.
 */
export async function transferOwnership(
  office: Office,
  vin: string,
  seller: Person,
  buyer: Person,
): Promise<void> {
  headline(office, 5, `${seller.name} sells ${vin} to ${buyer.name}`)
  await office.driver.executeLambda(async (transaction) => {
    const found = await transaction.execute(
      'SELECT r.Owners.PrimaryOwner.PersonId FROM VehicleRegistration AS r WHERE r.VIN = ?',
      vin,
    )
    const ownerId = found.getResultList()[0]?.get('PersonId')?.stringValue()
    if (ownerId !== seller.id) throw new Error(`${seller.name} does not own ${vin}.`)
    await transaction.execute(
      `UPDATE VehicleRegistration AS r
          SET r.Owners.PrimaryOwner.PersonId = ? WHERE r.VIN = ?`,
      buyer.id,
      vin,
    )
  })
  columns(office, [
    ['owner before', seller.name],
    ['owner now', buyer.name],
  ])
}

/** Appends to a list inside the document. Returns the id of the registration. */
export async function addSecondaryOwner(
  office: Office,
  vin: string,
  person: Person,
): Promise<string> {
  headline(office, 6, `${person.name} becomes a second owner`)
  const result = await office.driver.executeLambda((transaction) =>
    transaction.execute(
      `FROM VehicleRegistration AS r WHERE r.VIN = ?
       INSERT INTO r.Owners.SecondaryOwners VALUE ?`,
      vin,
      { PersonId: person.id },
    ),
  )
  const [registrationId] = documentIds(result)
  if (registrationId === undefined) throw new Error(`Nobody registered ${vin}.`)
  columns(office, [['registration', registrationId]])
  return registrationId
}

/** Every revision that the registration ever had. Returns how many. */
export async function showHistory(
  office: Office,
  registrationId: string,
  persons: readonly Person[],
): Promise<number> {
  headline(office, 7, 'The whole history of this registration')
  const nameOf = (owner: dom.Value | null): string => {
    const id = owner?.get('PersonId')?.stringValue()
    return persons.find((person) => person.id === id)?.name ?? 'unknown'
  }
  const result = await office.driver.executeLambda((transaction) =>
    transaction.execute(
      `SELECT h.metadata.version, h.metadata.txTime, h.data.Owners
         FROM history(VehicleRegistration) AS h WHERE h.metadata.id = ?`,
      registrationId,
    ),
  )
  const rows = result.getResultList().map((row) => {
    const others = row.get('Owners', 'SecondaryOwners')?.elements() ?? []
    return [
      `version ${row.get('version')?.numberValue()}`,
      row.get('txTime')?.dateValue()?.toISOString() ?? '',
      nameOf(row.get('Owners', 'PrimaryOwner')),
      others.map(nameOf).join(', ') || '–',
    ]
  })
  columns(office, [['', 'committed', 'owner', 'second owners'], ...rows])
  return rows.length
}
