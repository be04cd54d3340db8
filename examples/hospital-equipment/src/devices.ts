/** The data: a ward's devices and a year of their inspections, made from a seed. The same seed gives the same year. */

export interface Device {
  readonly serial: string
  readonly kind: string
  readonly ward: string
  readonly status: 'IN_USE' | 'OUT_OF_ORDER'
  readonly inspectedAt: Date
  readonly note: string
}

export interface Inspection {
  readonly serial: string
  readonly status: Device['status']
  readonly inspectedAt: Date
  readonly note: string
}

const kinds = ['ventilator', 'infusion pump', 'defibrillator', 'patient monitor']
const wards = ['Intensive care', 'Surgery', 'Maternity']
const deviceCount = 12
const inspectionsPerDevice = 4
const firstMs = Date.UTC(2025, 0, 6, 8)
const quarterMs = 91 * 24 * 3600 * 1000

export function generateDevices(seed: number): readonly Device[] {
  const random = createRandom(seed)
  return Array.from({ length: deviceCount }, (_, index) => ({
    serial: `D-${100 + index}`,
    kind: kinds[index % kinds.length] as string,
    ward: wards[Math.floor(random() * wards.length)] as string,
    status: 'IN_USE',
    inspectedAt: new Date(firstMs + index * 3600 * 1000),
    note: 'delivered and checked',
  }))
}

/** Once a quarter each; now and then one fails, and the next one is after the repair. */
export function generateInspections(
  seed: number,
  devices: readonly Device[],
): readonly Inspection[] {
  const random = createRandom(seed + 1)
  const out: Inspection[] = []
  for (let quarter = 1; quarter <= inspectionsPerDevice; quarter++) {
    for (const { serial, inspectedAt } of devices) {
      const isGood = random() > 0.15
      const leak = (random() * 2).toFixed(2)
      out.push({
        serial,
        status: isGood ? 'IN_USE' : 'OUT_OF_ORDER',
        inspectedAt: new Date(inspectedAt.getTime() + quarter * quarterMs),
        note: isGood ? `leak current ${leak} mA` : 'alarm does not sound',
      })
    }
  }
  return out
}

/** Numbers below 1: a linear congruential generator, of the kind that is good enough to shuffle a story. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
