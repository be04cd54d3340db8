import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from './testing/temporary-ledger.ts'

beforeAll(() => {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  expect(spawnSync('npm', ['run', 'build'], { cwd: root }).status).toBe(0)
})

describe('sealing on a thread', () => {
  it('commits, indexes, proves, closes and opens again as sealing in place does', async () => {
    const run = fileURLToPath(new URL('../dist/testing/threaded-run.js', import.meta.url))
    const directory = await temporaryDirectory()
    const { stdout } = await promisify(execFile)(process.execPath, [run, directory])
    // 1 genesis, 1 set-up, 300 notes, 30 additions, 1 index.
    expect(JSON.parse(stdout)).toEqual({
      tip: 332,
      proofLength: 9,
      indexedCount: 100,
      revisionCount: 31,
      isSameHistory: true,
      balance: [{ balance: 30 }],
      isSameDigest: true,
      findings: [],
      blockCount: 333,
    })
  })

  it('stops the one ledger that fails, all when the thread ends, and closes; nothing is lost', async () => {
    const run = fileURLToPath(new URL('../dist/testing/threaded-failures.js', import.meta.url))
    const directory = await temporaryDirectory()
    const { stdout } = await promisify(execFile)(process.execPath, [run, directory])
    const found = JSON.parse(stdout)
    expect(found).toEqual({
      stoppedFirst: ['a'],
      outcome: 'LEDGER_STOPPED',
      other: 'committed',
      afterEnd: 'LEDGER_STOPPED',
      closeMs: expect.any(Number),
      lost: [0, 0],
      committedAgain: 'committed',
    })
    expect(found.closeMs).toBeLessThan(60_000)
  })
})
