/** The whole story, step by step, and what came out of it. */
import type { Office } from './office.ts'
import { createLedger, createTables } from './open-registry.ts'
import { addSecondaryOwner, type Person, showHistory, transferOwnership } from './ownership.ts'
import { people, vehicles } from './records.ts'
import { listVehiclesOf, registerEverything } from './register.ts'
import { fetchEvidence, judge, saveDigest, tamper } from './verify.ts'

export interface Outcome {
  readonly vehicleCountOfSeller: number
  readonly revisionCount: number
  readonly isRevisionAccepted: boolean
  readonly isTamperedCopyAccepted: boolean
}

export async function tellStory(office: Office): Promise<Outcome> {
  await createLedger(office)
  await createTables(office)
  const personIds = await registerEverything(office)
  const persons = people.map(
    ({ FirstName, LastName }, index): Person => ({
      id: personIds[index] ?? '',
      name: `${FirstName} ${LastName}`,
    }),
  )
  const [ada, bram, cleo] = persons as [Person, Person, Person]
  const vin = String(vehicles[0]?.['VIN'])

  const vehicleCountOfSeller = await listVehiclesOf(office, ada.name, ada.id)
  await transferOwnership(office, vin, ada, bram)
  const registrationId = await addSecondaryOwner(office, vin, cleo)
  const revisionCount = await showHistory(office, registrationId, persons)

  const saved = await saveDigest(office)
  const evidence = await fetchEvidence(office, registrationId, saved)
  const isRevisionAccepted = judge(office, evidence, saved)
  const isTamperedCopyAccepted = judge(office, tamper(office, evidence), saved)
  return { vehicleCountOfSeller, revisionCount, isRevisionAccepted, isTamperedCopyAccepted }
}
