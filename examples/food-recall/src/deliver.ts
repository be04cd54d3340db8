/** Steps 1 to 3: a ledger, the season's lots, and every delivery as a change of who holds a lot. */
import { makeFreshLedger } from '@cairn/example-vehicle-registration/fresh-ledger'
import { columns, headline, type Office } from '@cairn/example-vehicle-registration/office'
import type { Season } from './chain.ts'

export async function openLedger(office: Office): Promise<void> {
  headline(office, 1, 'The growers agree on one ledger')
  const { driver } = office
  await makeFreshLedger(office, 'food-recall')
  await driver.executeLambda(async (transaction) => {
    await transaction.execute('CREATE TABLE Lot')
    await transaction.execute('CREATE TABLE LabTest')
  })
  await driver.executeLambda(async (transaction) => {
    await transaction.execute('CREATE INDEX ON Lot (lotId)')
    await transaction.execute('CREATE INDEX ON LabTest (lotId)')
  })
  columns(office, [
    ['Lot', 'what there is, what it was made of, who has it'],
    ['LabTest', 'what a laboratory found'],
  ])
}

export async function recordSeason(office: Office, season: Season): Promise<void> {
  headline(office, 2, 'A season: harvests, blends, packs')
  const steps = Object.entries({
    harvests: season.harvests,
    blends: season.blends,
    packs: season.packs,
  })
  for (const [, lots] of steps) {
    await office.driver.executeLambda((transaction) =>
      transaction.execute('INSERT INTO Lot ?', lots),
    )
  }
  columns(
    office,
    steps.map(([name, lots]) => [name, `${lots.length} lots`]),
  )
}

/** Nothing is overwritten: each delivery is a new version, and the ones before stay. */
export async function deliverPacks(office: Office, season: Season): Promise<void> {
  headline(office, 3, 'Packs go from hand to hand')
  for (const [lotId, stops] of Object.entries(season.ways)) {
    for (const holder of stops) {
      await office.driver.executeLambda((transaction) =>
        transaction.execute('UPDATE Lot SET holder = ? WHERE lotId = ?', holder, lotId),
      )
    }
  }
  columns(
    office,
    Object.entries(season.ways).map(([lotId, stops]) => [
      lotId,
      ['Weir Mill', ...stops].join(' → '),
    ]),
  )
}
