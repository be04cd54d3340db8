/**
 * The statements of AWS's vehicle registration sample in their order, by `amazon-qldb-driver-nodejs` 3.1.0 over https.
 * Source: qldb-compat 7.1 and 7.3. The data is ours; exports: sample-sequence.ts of apps/server.
 */
import type { QldbDriver } from 'amazon-qldb-driver-nodejs'
import { dom, dumpText, load } from 'ion-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LiveServer } from './live-server.ts'

/** Before anything was written. */
const beginMs = Date.now()

let live: LiveServer
let driver: QldbDriver

beforeAll(async () => {
  live = await LiveServer.start()
  driver = live.driver(await live.createLedger('vehicle-registration'), { isTls: true })
})

afterAll(async () => {
  expect(live.logged).toEqual([])
  await live.close()
})

type Statement = readonly [text: string, ...parameters: unknown[]]

/** Runs `statements` in one transaction; the rows of each. */
function transact(...statements: readonly Statement[]): Promise<dom.Value[][]> {
  return driver.executeLambda(async (transaction) => {
    const rows: dom.Value[][] = []
    for (const [text, ...parameters] of statements) {
      rows.push((await transaction.execute(text, ...parameters)).getResultList())
    }
    return rows
  })
}

async function run(text: string, ...parameters: unknown[]): Promise<dom.Value[]> {
  return (await transact([text, ...parameters]))[0] ?? []
}

async function idOf(table: string, field: string, value: string): Promise<string> {
  const rows = await run(`SELECT id FROM ${table} AS t BY id WHERE t.${field} = ?`, value)
  return rows[0]?.get('id')?.stringValue() ?? ''
}

const vins = ['VIN00000000000001', 'VIN00000000000002', 'VIN00000000000003', 'VIN4', 'VIN5']
const people = ['Ada', 'Blaise', 'Carl', 'Dorothy', 'Emmy'].map((FirstName, i) => ({
  FirstName,
  LastName: `Last${i}`,
  DOB: new Date(Date.UTC(1970 + i, 0, 1)),
  Address: `${i} Main Street`,
  GovId: `GOV-${i}`,
  GovIdType: 'Passport',
}))
const vehicles = vins.map((VIN, i) => ({
  VIN,
  Type: 'Sedan',
  Year: 2011 + i,
  Make: 'Make',
  Model: `Model ${i}`,
  Color: 'Silver',
}))
let personIds: string[] = []

describe('the vehicle registration sample', () => {
  it('creates four tables in one transaction, and lists them', async () => {
    const tables = ['VehicleRegistration', 'Vehicle', 'Person', 'DriversLicense']
    const rows = await transact(...tables.map((name) => [`CREATE TABLE ${name}`] as const))
    expect(rows.map((each) => each.length)).toEqual([1, 1, 1, 1])
    expect((await driver.getTableNames()).sort()).toEqual([...tables].sort())
  })

  it('creates six indexes in one transaction', async () => {
    const rows = await transact(
      ['CREATE INDEX on VehicleRegistration (VIN)'],
      ['CREATE INDEX on VehicleRegistration (LicensePlateNumber)'],
      ['CREATE INDEX on Vehicle (VIN)'],
      ['CREATE INDEX on Person (GovId)'],
      ['CREATE INDEX on DriversLicense (PersonId)'],
      ['CREATE INDEX on DriversLicense (LicenseNumber)'],
    )
    expect(rows.map((each) => each.length)).toEqual([1, 1, 1, 1, 1, 1])
  })

  it('inserts twenty documents in one transaction', async () => {
    await driver.executeLambda(async (transaction) => {
      const inserted = await transaction.execute('INSERT INTO Person ?', people)
      const ids = inserted.getResultList().map((row) => row.get('documentId')?.stringValue() ?? '')
      const registrations = vins.map((VIN, i) => ({
        VIN,
        LicensePlateNumber: `LP-${i}`,
        State: 'WA',
        City: 'Seattle',
        PendingPenaltyTicketAmount: new dom.Decimal(`${90 + i}.25`),
        ValidFromDate: new Date(Date.UTC(2017, 7, 21)),
        ValidToDate: new Date(Date.UTC(2020, 4, 11)),
        Owners: { PrimaryOwner: { PersonId: ids[i] }, SecondaryOwners: [] },
      }))
      const licenses = ids.map((PersonId, i) => ({
        PersonId,
        LicenseNumber: `LEWISR261LL${i}`,
        LicenseType: 'Learner',
        ValidFromDate: new Date(Date.UTC(2016, 11, 20)),
        ValidToDate: new Date(Date.UTC(2020, 10, 15)),
      }))
      await transaction.execute('INSERT INTO DriversLicense ?', licenses)
      await transaction.execute('INSERT INTO VehicleRegistration ?', registrations)
      await transaction.execute('INSERT INTO Vehicle ?', vehicles)
      personIds = ids
    })
    for (const table of ['VehicleRegistration', 'Vehicle', 'Person', 'DriversLicense']) {
      expect(await run(`SELECT * FROM ${table}`)).toHaveLength(5)
    }
    expect(await idOf('Person', 'GovId', 'GOV-2')).toBe(personIds[2])
  })

  it('joins vehicles with their owners', async () => {
    const rows = await run(
      'SELECT Vehicle FROM Vehicle INNER JOIN VehicleRegistration AS r ON Vehicle.VIN = r.VIN ' +
        'WHERE r.Owners.PrimaryOwner.PersonId = ?',
      personIds[0],
    )
    expect(rows.map((row) => dumpText(row))).toEqual([
      '{Vehicle:{VIN:"VIN00000000000001",Type:"Sedan",Year:2011,Make:"Make",Model:"Model 0",Color:"Silver"}}',
    ])
  })

  it('registers a licence for a new person, once', async () => {
    const register = () =>
      driver.executeLambda(async (transaction) => {
        const person = { ...people[0], FirstName: 'Kurt', GovId: 'GOV-9' }
        const found = await transaction.execute(
          'SELECT * FROM Person AS p WHERE p.GovId = ?',
          'GOV-9',
        )
        if (found.getResultList().length > 0) return 'known'
        const inserted = await transaction.execute('INSERT INTO Person ?', person)
        const PersonId = inserted.getResultList()[0]?.get('documentId')?.stringValue()
        const license = { PersonId, LicenseNumber: 'NEW-1', LicenseType: 'Learner' }
        const none = await transaction.execute(
          'SELECT * FROM DriversLicense AS d WHERE d.PersonId = ?',
          PersonId,
        )
        expect(none.getResultList()).toEqual([])
        await transaction.execute('INSERT INTO DriversLicense ?', license)
        return 'registered'
      })
    expect(await register()).toBe('registered')
    expect(await register()).toBe('known')
  })

  it('renews a licence: two assignments, two equal rows', async () => {
    const rows = await run(
      'UPDATE DriversLicense AS d SET d.ValidFromDate = ?, d.ValidToDate = ? WHERE d.LicenseNumber = ?',
      new Date(Date.UTC(2024, 0, 1)),
      new Date(Date.UTC(2028, 0, 1)),
      'LEWISR261LL1',
    )
    expect(rows).toHaveLength(2)
    expect(dumpText(rows[0])).toBe(dumpText(rows[1]))
  })

  it('deletes a licence', async () => {
    const text = 'DELETE FROM DriversLicense AS d WHERE d.LicenseNumber = ?'
    expect(await run(text, 'LEWISR261LL2')).toHaveLength(1)
    expect(await run(text, 'LEWISR261LL2')).toEqual([])
  })

  it('transfers a vehicle, and adds a second owner', async () => {
    const vin = vins[0]
    const owner =
      'SELECT Owners.PrimaryOwner.PersonId FROM VehicleRegistration AS v WHERE v.VIN = ?'
    expect((await run(owner, vin))[0]?.get('PersonId')?.stringValue()).toBe(personIds[0])
    const [updated] = await transact([
      'UPDATE VehicleRegistration AS v SET v.Owners.PrimaryOwner = ? WHERE v.VIN = ?',
      { PersonId: personIds[1] },
      vin,
    ])
    expect(updated).toHaveLength(1)
    expect((await run(owner, vin))[0]?.get('PersonId')?.stringValue()).toBe(personIds[1])

    const added = await run(
      `FROM VehicleRegistration v WHERE v.VIN = '${vin}' ` +
        'INSERT INTO v.Owners.SecondaryOwners VALUE ?',
      { PersonId: personIds[2] },
    )
    expect(added).toHaveLength(1)
    const seconds = await run(
      'SELECT Owners.SecondaryOwners FROM VehicleRegistration AS v WHERE v.VIN = ?',
      vin,
    )
    expect(seconds.map((row) => dumpText(row))).toEqual([
      `{SecondaryOwners:[{PersonId:"${personIds[2]}"}]}`,
    ])
  })

  it('finds the history of a registration within bounds', async () => {
    const id = await idOf('VehicleRegistration', 'VIN', vins[0] ?? '')
    const history = (start: number, end: number) =>
      run(
        `SELECT data, metadata FROM history(VehicleRegistration, \`${new Date(start).toISOString()}\`, ` +
          `\`${new Date(end).toISOString()}\`) AS h WHERE h.metadata.id = ?`,
        id,
      )
    const hourAgo = Date.now() - 3_600_000
    expect(await history(hourAgo, beginMs)).toEqual([])
    const revisions = await history(hourAgo, Date.now())
    const versions = revisions.map((row) => row.get('metadata', 'version')?.numberValue())
    expect(versions.sort()).toEqual([0, 1, 2])
  })

  it('creates, fills, changes and drops a table in one transaction', async () => {
    const values = [
      '1',
      '1.5',
      '"text"',
      'true',
      '2007T',
      'null',
      '{{aGVsbG8=}}',
      '[1,a::b]',
      '{c:d}',
    ]
    await driver.executeLambda(async (transaction) => {
      await transaction.execute('CREATE TABLE IonTypes')
      await transaction.execute('INSERT INTO IonTypes ?', { Name: 'val' })
      for (const text of values) {
        const value = load(text)
        await transaction.execute('UPDATE IonTypes SET Name = ?', value)
        const found = value?.isNull()
          ? await transaction.execute('SELECT Name FROM IonTypes WHERE Name IS NULL')
          : await transaction.execute('SELECT Name FROM IonTypes WHERE Name = ?', value)
        expect(found.getResultList().map((row) => dumpText(row))).toEqual([
          `{Name:${dumpText(value)}}`,
        ])
      }
      await transaction.execute('DROP TABLE IonTypes')
    })
    expect(await driver.getTableNames()).not.toContain('IonTypes')
  })

  it('looks revisions up in the committed view by an index', async () => {
    const rows = await run(
      'SELECT blockAddress, metadata.id FROM _ql_committed_VehicleRegistration WHERE data.VIN = ?',
      vins[1],
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]?.get('id')?.stringValue()).toBe(
      await idOf('VehicleRegistration', 'VIN', vins[1] ?? ''),
    )
    expect(rows[0]?.get('blockAddress', 'sequenceNo')?.numberValue()).toBeGreaterThan(0)
  })

  it('reads documents by id', async () => {
    const rows = await run('SELECT p.* FROM Person AS p BY pid WHERE pid = ?', personIds[3])
    expect(rows[0]?.get('FirstName')?.stringValue()).toBe('Dorothy')
  })
})
