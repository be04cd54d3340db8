import { execFile, spawnSync } from 'node:child_process'
import { cp, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { filesWith } from '@cairn/testing'
import { beforeAll, describe, expect, it } from 'vitest'
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

async function copyOf(prepared: string, directory: string): Promise<string> {
  await rm(directory, { recursive: true, force: true })
  await cp(prepared, directory, { recursive: true })
  return directory
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
    const folder = await temporaryDirectory()
    const whole = await copyOf(prepared, `${folder}/whole`)
    const output = await run('redact', whole, 'inline', '0')
    expect(await filesWith(whole, marker)).toEqual([])
    const stepCount = Number(/steps (\d+)/.exec(output)?.[1])
    expect(stepCount).toBeGreaterThan(15)
    const answeredCounts = new Set<number>()
    let step = 0
    const lane = async (directory: string) => {
      while (step < stepCount) {
        const killedAt = ++step
        await copyOf(prepared, directory)
        const killed = await run('redact', directory, 'inline', String(killedAt))
        try {
          answeredCounts.add((await check(directory, killed)).length)
        } catch (cause) {
          throw new Error(`killed at step ${killedAt} of ${stepCount}`, { cause })
        }
      }
    }
    await Promise.all([lane(`${folder}/a`), lane(`${folder}/b`)])
    expect(answeredCounts.size).toBeGreaterThan(1)
  })

  it('at any time, with a sealing thread, leaves nothing of what it answered', async () => {
    const prepared = await temporaryDirectory()
    await run('prepare', prepared)
    const directory = `${await temporaryDirectory()}/data`
    for (let ms = 0; ms <= 200; ms += 40) {
      await copyOf(prepared, directory)
      const output = await run('redact', directory, 'thread', String(ms))
      try {
        expect(await check(directory, output)).toContain(0)
      } catch (cause) {
        throw new Error(`killed ${ms} ms after the first answer`, { cause })
      }
    }
  })
})
