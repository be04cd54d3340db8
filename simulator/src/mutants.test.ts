import { describe, expect, it } from 'vitest'
import { mutants } from './mutants.ts'
import { simulate } from './run.ts'

const seedCountMax = 200

describe('the simulator', () => {
  it.each(mutants)(`finds within ${seedCountMax} seeds: $name`, async (mutant) => {
    let found: string | undefined
    for (let seed = 1; seed <= seedCountMax && found === undefined; seed++) {
      found = (await simulate({ seed, mutant })).violation?.message
    }
    expect(found).toBeDefined()
  })

  it('finds nothing with the seeds that find them, once they are gone', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      expect((await simulate({ seed })).violation).toBeUndefined()
    }
  })
})
