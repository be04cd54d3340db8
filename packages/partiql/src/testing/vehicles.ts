/** The vehicle registration sample in small: two tables with indexes, three vehicles, two registrations. */
import { createMemoryStore, type MemoryStore } from './memory-store.ts'
import { run } from './run.ts'

export function createVehicleStore(): MemoryStore {
  const store = createMemoryStore()
  for (const table of ['Vehicle', 'VehicleRegistration']) {
    run(store, `CREATE TABLE ${table}`)
    run(store, `CREATE INDEX ON ${table} (VIN)`)
  }
  run(
    store,
    'INSERT INTO Vehicle ?',
    `[{VIN:"v1",Make:"Audi",Year:2011},{VIN:"v2",Make:"Tesla",Year:2015},{VIN:"v3",Make:"Audi",Year:2019}]`,
  )
  run(
    store,
    'INSERT INTO VehicleRegistration ?',
    `[{VIN:"v1",City:"Bonn",Owners:{PrimaryOwner:{PersonId:"p1"},SecondaryOwners:[{PersonId:"p7"},{PersonId:"p8"}]}},
      {VIN:"v2",City:"Graz",Owners:{PrimaryOwner:{PersonId:"p2"},SecondaryOwners:[]}}]`,
  )
  store.calls.length = 0
  store.readCount = 0
  return store
}
