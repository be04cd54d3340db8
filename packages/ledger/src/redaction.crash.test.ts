import { execFile, spawnSync } from 'node:child_process'
import { cp, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { filesWith } from './testing/files-with.ts'
import { temporaryDirectory } from './testing/temporary-ledger.ts'

const script = fileURLToPath(new URL('../dist/testing/redaction-run.js', import.meta.url))
const marker = 'marker-of-document-'
const all = [0, 1]

beforeAll(() => {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  expect(spawnSync('npm', ['run', 'build'], { cwd: root }).status).toBe(0)
})

/** What the process wrote; it may have been killed. */
function run(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, ...args], (error, stdout, stderr) => {
      const isKilled = error?.signal === 'SIGKILL'
      if (error === null || isKilled) resolve(stdout)
      else reject(new Error(stderr, { cause: error }))
    })
  })
}

/** After a kill: what was answered as redacted is in no file, what was not is there or not, and all else is sound. */
async function check(directory: string, output: string): Promise<number[]> {
  const answered = [...output.matchAll(/redacted (\d)/g)].map(([, n]) => Number(n))
  const { kept, ...rest } = JSON.parse(await run('finish', directory))
  expect(rest).toEqual({ rowCount: 4, current: all, findings: [] })
  for (const n of all) {
    const files = await filesWith(directory, `${marker}${n}`)
    if (answered.includes(n)) expect(kept).not.toContain(n)
    expect(files.length > 0).toBe(kept.includes(n))
  }
  return answered
}

describe('a process that is killed while it redacts', () => {
  it('at any step on files leaves nothing of what it answered after the next start', async () => {
    const prepared = await temporaryDirectory()
    await run('prepare', prepared)
    expect((await filesWith(prepared, `${marker}0`)).length).toBeGreaterThan(1)
    const directory = `${await temporaryDirectory()}/data`
    const copy = async () => {
      await rm(directory, { recursive: true, force: true })
      await cp(prepared, directory, { recursive: true })
    }
    await copy()
    const whole = await run('redact', directory, 'inline', '0')
    expect(await filesWith(directory, marker)).toEqual([])
    const stepCount = Number(/steps (\d+)/.exec(whole)?.[1])
    expect(stepCount).toBeGreaterThan(15)
    const answeredCounts = new Set<number>()
    for (let step = 1; step <= stepCount; step++) {
      await copy()
      const output = await run('redact', directory, 'inline', String(step))
      try {
        answeredCounts.add((await check(directory, output)).length)
      } catch (cause) {
        throw new Error(`killed at step ${step} of ${stepCount}`, { cause })
      }
    }
    expect(answeredCounts.size).toBeGreaterThan(2)
  })

  it('at any time, with a sealing thread, leaves nothing of what it answered', async () => {
    const prepared = await temporaryDirectory()
    await run('prepare', prepared)
    const directory = `${await temporaryDirectory()}/data`
    for (let ms = 0; ms <= 200; ms += 40) {
      await rm(directory, { recursive: true, force: true })
      await cp(prepared, directory, { recursive: true })
      const output = await run('redact', directory, 'thread', String(ms))
      try {
        expect(await check(directory, output)).toContain(0)
      } catch (cause) {
        throw new Error(`killed ${ms} ms after the first answer`, { cause })
      }
    }
  })
})
