/** The whole story, step by step, and what came out of it. */
import type { Office } from '@cairn/example-vehicle-registration/office'
import { generateSeason } from './chain.ts'
import { deliverPacks, openLedger, recordSeason } from './deliver.ts'
import { proveCustody, type Verdicts } from './prove.ts'
import { recall, reportTest, traceBack } from './recall.ts'

export interface Outcome extends Verdicts {
  readonly recalledCount: number
  readonly packCount: number
  /** Of the first pack that was recalled, in their order. */
  readonly holders: readonly string[]
}

const seed = 2026
const testedLot = 'H-2'

export async function tellStory(office: Office): Promise<Outcome> {
  const season = generateSeason(seed)
  await openLedger(office)
  await recordSeason(office, season)
  await deliverPacks(office, season)
  await reportTest(office, testedLot)
  const recalled = await recall(office, testedLot)
  const packs = recalled.filter((lotId) => lotId.startsWith('P-'))
  const custodies = await traceBack(office, packs[0] ?? '')
  const [, carrier] = custodies
  if (carrier === undefined) throw new Error('The pack never left the mill.')
  const verdicts = await proveCustody(office, carrier)
  const holders = custodies.map(({ holder }) => holder)
  return { recalledCount: recalled.length, packCount: packs.length, holders, ...verdicts }
}
