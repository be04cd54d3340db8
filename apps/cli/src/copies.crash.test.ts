import { spawn, spawnSync } from 'node:child_process'
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

const program = fileURLToPath(new URL('../bin/cairn.js', import.meta.url))
const seed = Number(process.env['CAIRN_SEED'] ?? Date.now() % 1_000_000)
const blockCount = 4000
/** Each killed run gets further than the one before, so a few are enough to end. */
const runCountMax = 40

let folder: string
let digest: string

beforeAll(async () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  expect(spawnSync('npm', ['run', 'build'], { cwd: root }).status).toBe(0)
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
async function runUntil(words: readonly string[], killMs: number): Promise<string | undefined> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  const timer = setTimeout(() => child.kill('SIGKILL'), killMs)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(timer)
  if (signal === 'SIGKILL') return undefined
  expect(code, Buffer.concat(errors).toString()).toBe(0)
  return Buffer.concat(output).toString()
}

/**
 * The same command again and again, killed later each time.
 * @param isThere Looks at what it left in between: nothing, or all of it when it was killed after that was in place.
 * @returns what the command answered; undefined when it was killed before it could.
 */
async function untilDone(
  words: readonly string[],
  isThere: () => Promise<boolean>,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const random = createSeededRandom(seed)
  let killMs = 400
  for (let run = 0; run < runCountMax; run++) {
    const output = await runUntil([...words, '--json'], killMs)
    if (output !== undefined) return JSON.parse(output)
    if (await isThere()) return undefined
    killMs += 300 + (random.bytes(1)[0] as number)
  }
  throw new Error(`not done after ${runCountMax} runs, seed ${seed}`)
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

describe('killed at any time', () => {
  it(`an export and an import of it come to their end, seed ${seed}`, async () => {
    const target = join(folder, 'export')
    const from = ['--data-dir', join(folder, 'data')]
    const exported = await untilDone(['ledger', 'export', 'items', target, ...from], async () =>
      existsSync(target),
    )
    expect(exported ?? { digest }).toMatchObject({ digest })
    const data = join(folder, 'imported')
    const to = ['--data-dir', data]
    const imported = await untilDone(['ledger', 'import', 'again', target, ...to], () =>
      hasWhole(data),
    )
    expect(imported ?? { digest }).toMatchObject({ digest })
    expect(await hasWhole(data)).toBe(true)
    const open = await openLedger({ directory: data, name: 'again' })
    await open.transact((tx) => tx.execute('INSERT INTO Item ?', { n: -1 }))
    await open.close()
  })

  it(`a backup and its restoring come to their end, seed ${seed}`, async () => {
    const target = join(folder, 'backup')
    const from = ['--data-dir', join(folder, 'data')]
    const copied = await untilDone(['ledger', 'backup', 'items', target, ...from], async () =>
      existsSync(target),
    )
    expect(copied ?? { digest }).toMatchObject({ digest })
    const data = join(folder, 'restored')
    const to = ['--data-dir', data]
    const restored = await untilDone(['ledger', 'restore', target, ...to], () => hasWhole(data))
    expect(restored ?? { digest }).toMatchObject({ digest })
    expect(await hasWhole(data)).toBe(true)
  })
})
