/** What kind of run a seed makes: how many clients, how slow a disk, which faults. */
import type { SeededRandom } from '@cairn/testing'

export interface Plan {
  readonly lifeCount: number
  readonly clientCount: number
  /** The first so many speak over the network. */
  readonly wireClientCount: number
  /** How often clients choose one and the same program, for more conflicts; which one is `focus` tells. */
  readonly focusShare: number
  readonly focus: number
  readonly thinkMsMax: number
  readonly networkDelayMsMax: number
  readonly lossProbability: number
  readonly pageValueCountMax: number
  readonly slowProbability: number
  readonly diskDelayMsMax: number
  readonly segmentBytes: number
  readonly transactionMsMax: number
  /** A life ends after so many steps or so many transactions, whichever is first. */
  readonly stepCountMax: number
  readonly transactionCountMax: number
  /** Per step. */
  readonly faultProbability: number
  readonly jumpProbability: number
  /** Whether a life ends by being closed. */
  readonly closeProbability: number
  /** Whether bits flip between two lives. */
  readonly damageProbability: number
}

export function choosePlan(random: SeededRandom): Plan {
  const pick = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T
  const clientCount = 2 + random.below(6)
  return {
    lifeCount: 2 + random.below(3),
    clientCount,
    wireClientCount: random.below(clientCount + 1),
    focusShare: pick(0, 0.5, 0.8),
    focus: random.fraction(),
    thinkMsMax: pick(3, 10, 40),
    networkDelayMsMax: pick(2, 10, 40),
    lossProbability: pick(0, 0.01, 0.05),
    pageValueCountMax: pick(1, 3, 200),
    slowProbability: pick(0, 0.2, 0.8),
    diskDelayMsMax: pick(2, 10, 50),
    segmentBytes: pick(16, 32, 64, 256) * 1024,
    transactionMsMax: pick(1000, 30_000),
    stepCountMax: pick(200, 500, 900),
    transactionCountMax: pick(20, 60, 120),
    faultProbability: pick(0, 0, 0.003, 0.01, 0.03),
    jumpProbability: pick(0, 0, 0.002, 0.01),
    closeProbability: pick(0, 0.3),
    damageProbability: pick(0, 0.2),
  }
}
