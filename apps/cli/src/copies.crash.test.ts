/** Copies of ledgers whose commands are killed at moments drawn from a seed, and given again until they are done. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toBase64 } from '@cairn/core'
import { openLedger, verifyLedgerDirectory } from '@cairn/ledger'
import { createSeededRandom } from '@cairn/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildProgram } from './testing/daemon.ts'

const program = fileURLToPath(new URL('../bin/cairn.js', import.meta.url))
const seed = Number(process.env['CAIRN_SEED'] ?? Date.now() % 1_000_000)
const blockCount = 4000
/** Of each command. The time of a kill is a part of the time of a whole run, however fast the machine is. */
const killCount = 3
/** Before this part of a run little but starting up happens. */
const killPartMin = 0.25

let folder: string
let digest: string

beforeAll(async () => {
  buildProgram()
  folder = await mkdtemp(join(tmpdir(), 'cairn-copies-'))
  const open = await openLedger({ directory: join(folder, 'data'), name: 'items' })
  await open.transact(async (tx) => {
    await tx.execute('CREATE TABLE Item')
    await tx.execute('CREATE INDEX ON Item (n)')
  })
  const insert = (n: number) => open.transact((tx) => tx.execute('INSERT INTO Item ?', { n }))
  while (open.ledger.blockCount < blockCount) {
    await Promise.all(Array.from({ length: 200 }, (_, i) => insert(i)))
  }
  digest = toBase64(open.ledger.digest().digest)
  await open.close()
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs a command and kills it after so many milliseconds. Answers what it printed when it came to its end. */
async function runUntil(words: readonly string[], killMs?: number): Promise<string | undefined> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  const timer = killMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killMs)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(timer)
  if (signal === 'SIGKILL') return undefined
  expect(code, Buffer.concat(errors).toString()).toBe(0)
  return Buffer.concat(output).toString()
}

/** Where the command writes: first a whole run, which shows how long one takes, then those that are killed. */
interface Places {
  readonly whole: string
  readonly killed: string
}

/**
 * The same command again and again: killed a few times, each time at a later part of a run, then left alone.
 * @param isThere Looks at what it left in between: nothing, or all of it when it was killed after that was in place.
 */
async function untilDone(
  wordsFor: (place: string) => readonly string[],
  places: Places,
  isThere: (place: string) => Promise<boolean>,
): Promise<void> {
  const startMs = performance.now()
  const answer = await runUntil([...wordsFor(places.whole), '--json'])
  const wholeMs = performance.now() - startMs
  expect(JSON.parse(answer ?? '')).toMatchObject({ digest })
  const random = createSeededRandom(seed)
  const words = [...wordsFor(places.killed), '--json']
  for (let kill = 0; kill < killCount; kill++) {
    const part = (kill + random.fraction()) / killCount
    const output = await runUntil(words, wholeMs * (killPartMin + (1 - killPartMin) * part))
    if (output !== undefined) return void expect(JSON.parse(output)).toMatchObject({ digest })
    if (await isThere(places.killed)) return
  }
  expect(JSON.parse((await runUntil(words)) ?? '')).toMatchObject({ digest })
}

/** A data folder with a half imported ledger shows none. Answers whether it shows the whole one. */
async function hasWhole(data: string): Promise<boolean> {
  const ledgers = existsSync(`${data}/ledgers`) ? await readdir(`${data}/ledgers`) : []
  for (const strandId of ledgers) {
    expect(existsSync(`${data}/ledgers/${strandId}/ledger.json`)).toBe(true)
  }
  const reports = await verifyLedgerDirectory({ directory: data })
  for (const report of reports) expect(toBase64(report.digest)).toBe(digest)
  return reports.length > 0
}

const placesOf = (name: string): Places => ({
  whole: join(folder, `${name}-whole`),
  killed: join(folder, `${name}-killed`),
})

describe(`killed ${killCount} times, seed ${seed}`, () => {
  it('an export and an import of it come to their end', async () => {
    const from = ['--data-dir', join(folder, 'data')]
    const exported = placesOf('export')
    await untilDone(
      (target) => ['ledger', 'export', 'items', target, ...from],
      exported,
      async (target) => existsSync(target) && !existsSync(join(target, 'export-state.json')),
    )
    const imported = placesOf('imported')
    await untilDone(
      (data) => ['ledger', 'import', 'again', exported.killed, '--data-dir', data],
      imported,
      hasWhole,
    )
    expect(await hasWhole(imported.killed)).toBe(true)
    const open = await openLedger({ directory: imported.killed, name: 'again' })
    await open.transact((tx) => tx.execute('INSERT INTO Item ?', { n: -1 }))
    await open.close()
  })

  it('a backup and its restoring come to their end', async () => {
    const from = ['--data-dir', join(folder, 'data')]
    const copied = placesOf('backup')
    await untilDone(
      (target) => ['ledger', 'backup', 'items', target, ...from],
      copied,
      async (target) => existsSync(target),
    )
    const restored = placesOf('restored')
    await untilDone(
      (data) => ['ledger', 'restore', copied.killed, '--data-dir', data],
      restored,
      hasWhole,
    )
    expect(await hasWhole(restored.killed)).toBe(true)
  })
})
