import { describe, expect, it } from 'vitest'
import { regressions } from './regressions.ts'
import { type RunResult, simulate } from './run.ts'

const seedCount = 500

/** What a person needs to see it again. */
function failureOf({ seed, stepCount, violation, lastLines }: RunResult): string {
  const lines = lastLines.slice(-20).join('\n')
  return `seed ${seed}, step ${stepCount}: ${violation?.message}\n${lines}`
}

async function runSeed(seed: number): Promise<RunResult> {
  const result = await simulate({ seed })
  if (result.violation !== undefined) {
    throw new Error(failureOf(result), { cause: result.violation })
  }
  return result
}

describe('the simulator', () => {
  it.each(regressions)('finds nothing more with seed $seed ($found)', async ({ seed }) => {
    await runSeed(seed)
  })

  it(`finds nothing with ${seedCount} seeds`, async () => {
    let committedCount = 0
    let lifeCount = 0
    for (let seed = 1000; seed < 1000 + seedCount; seed++) {
      const result = await runSeed(seed)
      committedCount += result.committedCount
      lifeCount += result.lifeCount
    }
    expect(committedCount).toBeGreaterThan(20 * seedCount)
    expect(lifeCount).toBeGreaterThan(4 * seedCount)
  })

  it('takes the same steps with the same seed, and others with another', async () => {
    const hashes = new Set<string>()
    for (let seed = 1; seed <= 10; seed++) {
      const { traceHash, stepCount } = await runSeed(seed)
      const again = await runSeed(seed)
      expect([again.traceHash, again.stepCount]).toEqual([traceHash, stepCount])
      hashes.add(traceHash)
    }
    expect(hashes.size).toBe(10)
  })
})
