/**
 * The data: a season of a supply chain, made from a seed. Farms harvest lots, a mill blends lots of several farms, each
 * blend is packed, packs go by lorry to stores. The same seed gives the same season.
 */

/** Where a lot comes from: none for a harvest, else the lots that went into it. */
export interface Lot {
  readonly lotId: string
  readonly product: string
  readonly sources: readonly string[]
  readonly kilograms: number
  /** Who has it now; changes with every delivery. */
  readonly holder: string
  readonly status: 'GOOD' | 'RECALLED'
}

export interface Season {
  readonly harvests: readonly Lot[]
  readonly blends: readonly Lot[]
  readonly packs: readonly Lot[]
  /** For each pack the stops of its way after the mill, the store last. */
  readonly ways: Readonly<Record<string, readonly string[]>>
}

const farms = ['Alder Farm', 'Birch Farm', 'Cedar Farm', 'Dogwood Farm', 'Elm Farm', 'Fir Farm']
const carriers = ['Quayside Haulage', 'Ridge Logistics']
const stores = ['Corner Shop', 'Market Hall', 'Station Store', 'Village Co-op']
const blendCount = 3
const packsPerBlend = 4

export function generateSeason(seed: number): Season {
  const random = createRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const weigh = () => 200 + Math.floor(random() * 300)
  const harvests = farms.map((holder, index) => lot(`H-${index + 1}`, 'oats', [], weigh(), holder))
  const blends: Lot[] = []
  const packs: Lot[] = []
  const ways: Record<string, readonly string[]> = {}
  for (let b = 0; b < blendCount; b++) {
    // Each harvest goes into one blend, so that a recall reaches some packs and leaves others alone.
    const sources = harvests.filter((_, index) => index % blendCount === b)
    const blendId = `B-${b + 1}`
    const kilograms = sources.reduce((sum, source) => sum + source.kilograms, 0)
    blends.push(
      lot(
        blendId,
        'oat blend',
        sources.map(({ lotId }) => lotId),
        kilograms,
        'Weir Mill',
      ),
    )
    for (let p = 0; p < packsPerBlend; p++) {
      const packId = `P-${b + 1}${p + 1}`
      packs.push(lot(packId, 'porridge oats', [blendId], kilograms / packsPerBlend, 'Weir Mill'))
      ways[packId] = [pick(carriers), pick(stores)]
    }
  }
  return { harvests, blends, packs, ways }
}

function lot(
  lotId: string,
  product: string,
  sources: readonly string[],
  kilograms: number,
  holder: string,
): Lot {
  return { lotId, product, sources, kilograms, holder, status: 'GOOD' }
}

/** Numbers below 1: a linear congruential generator, of the kind that is good enough to shuffle a story. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
