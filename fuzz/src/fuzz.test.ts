import { describe, expect, it } from 'vitest'
import { fuzz } from './fuzz-loop.ts'
import { targets } from './targets/all.ts'

/** What fits into a second each; longer by hand: `npm run fuzz`. */
const runs: Readonly<Record<string, number>> = {
  'ion-hash': 800,
  'partiql-execute': 3000,
  'session-api': 800,
  evm: 200,
  'evm-block': 30,
  'ethereum-rpc': 200,
  'ethereum-pool': 600,
  puppeth: 500,
  'ethereum-genesis': 2000,
  'ethereum-chain-file': 200,
  journal: 600,
  http: 4000,
  'ethereum-records': 3000,
}
const runsDefault = 6000
const seed = 20_240_115

describe('a fixed seed of each target', () => {
  it.each(targets)('$name: $oracle', async (target) => {
    const summary = await fuzz(target, {
      seed,
      runs: runs[target.name] ?? runsDefault,
      isGuided: false,
    })
    const findings = summary.findings.map(({ kind, signature, detail, input }) => ({
      kind,
      signature,
      detail,
      input: Buffer.from(input).toString('base64'),
    }))
    expect(findings).toEqual([])
    expect(summary.inputCount).toBe(runs[target.name] ?? runsDefault)
  })
})
