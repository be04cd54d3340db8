import { describe, expect, it } from 'vitest'
import { run } from '../testing/run.ts'
import { createVehicleStore } from '../testing/vehicles.ts'

const callsOf = (text: string, ...parameters: string[]): string[] => {
  const store = createVehicleStore()
  run(store, text, ...parameters)
  return store.calls
}

describe('index choice', () => {
  it.each([
    ["SELECT * FROM Vehicle WHERE VIN = 'v1'", ['index Vehicle.VIN']],
    ["SELECT * FROM Vehicle AS v WHERE 'v1' = v.VIN AND v.Year > 1", ['index Vehicle.VIN']],
    ['SELECT * FROM Vehicle AS v WHERE v."VIN" = \'v1\'', ['index Vehicle.VIN']],
    ["SELECT * FROM Vehicle AS v WHERE v['VIN'] = 'v1'", ['index Vehicle.VIN']],
    [
      "SELECT * FROM Vehicle WHERE VIN IN ('v1', 'v2', 'v1')",
      ['index Vehicle.VIN', 'index Vehicle.VIN'],
    ],
    ["SELECT * FROM Vehicle AS v BY id WHERE id = 'x'", ['id Vehicle']],
    ["SELECT * FROM Vehicle AS v BY id WHERE id IN ('x', 'y')", ['id Vehicle', 'id Vehicle']],
    ["SELECT * FROM _ql_committed_Vehicle WHERE data.VIN = 'v1'", ['committed index Vehicle.VIN']],
    [
      "SELECT * FROM _ql_committed_Vehicle AS r WHERE r.metadata.id = 'x'",
      ['committed id Vehicle'],
    ],
    ["SELECT * FROM history(Vehicle) AS h WHERE h.metadata.id = 'x'", ['history id Vehicle']],
    ["UPDATE Vehicle SET Year = 1 WHERE VIN = 'v1'", ['index Vehicle.VIN']],
    ["DELETE FROM Vehicle BY id WHERE id = 'document5'", ['id Vehicle']],
  ])('%s', (text, calls) => expect(callsOf(text)).toEqual(calls))

  it('uses an index in the inner side of a comma join', () =>
    expect(
      callsOf(
        "SELECT * FROM Vehicle AS v, VehicleRegistration AS r WHERE v.VIN = r.VIN AND v.VIN = 'v1'",
      ),
    ).toEqual(['index Vehicle.VIN', 'index VehicleRegistration.VIN']))

  it('prefers the document id to an index', () =>
    expect(callsOf("SELECT * FROM Vehicle BY id WHERE VIN = 'v1' AND id = 'x'")).toEqual([
      'id Vehicle',
    ]))

  it.each([
    ["SELECT * FROM Vehicle WHERE VIN = 'v1' OR Year = 1"],
    ["SELECT * FROM Vehicle WHERE VIN > 'v1'"],
    ["SELECT * FROM Vehicle WHERE NOT VIN = 'v1'"],
    ["SELECT * FROM Vehicle WHERE VIN NOT IN ('v1')"],
    ["SELECT * FROM Vehicle AS v WHERE v.VIN.x = 'v1'"],
    ["SELECT * FROM Vehicle WHERE vin = 'v1'"],
    ['SELECT * FROM Vehicle AS v WHERE v.VIN = v.Make'],
  ])('scans for %s', (text) => expect(callsOf(text)).toEqual(['scan Vehicle']))

  it('asks nothing of an index for NULL', () => {
    const store = createVehicleStore()
    expect(run(store, 'SELECT * FROM Vehicle WHERE VIN = ?', 'null')).toEqual([])
    expect(store.calls).toEqual([])
  })

  it('tests the condition again on what the index gives', () => {
    const store = createVehicleStore()
    const table = store.findTable('Vehicle', true)
    store.getByIndex = () => (table === undefined ? [] : store.scan(table))
    expect(run(store, "SELECT VALUE v.VIN FROM Vehicle AS v WHERE v.VIN = 'v2'")).toEqual(['"v2"'])
  })

  it('gives a document once when several keys find it', () => {
    const store = createVehicleStore()
    const table = store.findTable('Vehicle', true)
    store.getByIndex = () => (table === undefined ? [] : store.scan(table))
    expect(run(store, "SELECT VALUE v.VIN FROM Vehicle AS v WHERE v.VIN IN ('v1', 'v2')")).toEqual([
      '"v1"',
      '"v2"',
    ])
  })
})
