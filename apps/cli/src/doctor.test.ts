import { chmod, mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '@cairn/core'
import { openLedger } from '@cairn/ledger'
import { createAuthority } from '@cairn/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DoctorFinding, examine } from './doctor.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-doctor-'))
  const ledger = await openLedger({ directory: folder, name: 'titles' })
  await ledger.transact((tx) => tx.execute('CREATE TABLE T'))
  for (let n = 0; n < 5; n++) await ledger.transact((tx) => tx.execute('INSERT INTO T ?', { n }))
  await ledger.close()
})
afterEach(() => rm(folder, { recursive: true }))

function findings(nowMs = Date.now()): Promise<DoctorFinding[]> {
  const clock = { ...createSystemClock(), nowMs: () => nowMs, sleep: () => Promise.resolve() }
  return examine({ directory: folder, clock, onProgress: () => undefined })
}

async function ledgerDirectory(): Promise<string> {
  const [strandId = ''] = await readdir(join(folder, 'ledgers'))
  return join(folder, 'ledgers', strandId)
}

async function journalFile(): Promise<string> {
  const directory = join(await ledgerDirectory(), 'journal')
  const [name = ''] = (await readdir(directory)).filter((each) => /^\d+\.journal$/.test(each))
  return join(directory, name)
}

/** Writes bytes into a file, at an offset from its start or from its last byte that is not zero. */
async function overwrite(path: string, offset: number | 'end', bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const content = await file.readFile()
    let end = content.length
    while (end > 0 && content[end - 1] === 0) end--
    await file.write(bytes, 0, bytes.length, offset === 'end' ? end + 64 : offset)
  } finally {
    await file.close()
  }
}

const problemsOf = (found: readonly DoctorFinding[]) =>
  found.filter(({ level }) => level === 'problem')

describe('the doctor', () => {
  it('finds nothing wrong with a folder that is well', async () => {
    const found = await findings()
    expect(problemsOf(found)).toEqual([])
    expect(found).toContainEqual(
      expect.objectContaining({
        level: 'ok',
        subject: 'titles',
        text: expect.stringMatching(/whole: 7 blocks/),
      }),
    )
  })

  it('says that there is no folder', async () => {
    const clock = createSystemClock()
    const options = { directory: join(folder, 'none'), clock, onProgress: () => undefined }
    expect(problemsOf(await examine(options))).toHaveLength(1)
  })

  it('takes a torn tail for what a crash leaves', async () => {
    await overwrite(await journalFile(), 'end', Uint8Array.of(1, 2, 3))
    const found = await findings()
    expect(problemsOf(found)).toEqual([])
    expect(found).toContainEqual(
      expect.objectContaining({
        level: 'note',
        remedy: expect.stringMatching(/next start cuts it off/),
      }),
    )
  })

  it('names a damaged place and where to get it back from', async () => {
    await overwrite(await journalFile(), 300, Uint8Array.of(255, 255, 255))
    const [problem] = problemsOf(await findings())
    expect(problem).toMatchObject({
      subject: 'titles',
      remedy: expect.stringMatching(/ledger restore/),
    })
    expect(problem?.text).toMatch(/blocks \d+ to \d+/)
  })

  it('knows that a lost projection is built again, and lost blocks are not', async () => {
    await rm(join(await ledgerDirectory(), 'projection'), { recursive: true })
    const found = await findings()
    expect(problemsOf(found)).toEqual([])
    expect(found).toContainEqual(
      expect.objectContaining({ level: 'note', text: expect.stringMatching(/no projection/) }),
    )
  })

  it('sees a lock of another machine, and one that was left', async () => {
    const facts = { pid: 1, host: 'elsewhere', startTime: '1', bootId: 'x' }
    await writeFile(join(folder, 'lock.1.abc'), `holding \n${JSON.stringify(facts)}\n`)
    const [problem] = problemsOf(await findings())
    expect(problem).toMatchObject({ subject: 'lock', text: expect.stringMatching(/elsewhere/) })
  })

  it('sees a version that it does not know', async () => {
    await overwrite(await journalFile(), 8, Uint8Array.of(99))
    const problems = problemsOf(await findings())
    expect(problems.length).toBeGreaterThan(0)
    expect(problems[0]?.subject).toBe('titles')
  })

  it('sees certificates that end and keys that others can read', async () => {
    const tls = join(folder, 'tls')
    await mkdir(tls)
    const nowMs = Date.now()
    const { certificatePem, privateKeyPem } = createAuthority(nowMs)
    await writeFile(join(tls, 'ca.pem'), certificatePem)
    await writeFile(join(tls, 'ca-key.pem'), privateKeyPem, { mode: 0o600 })
    expect(problemsOf(await findings(nowMs))).toEqual([])
    const years = 50 * 365 * 24 * 3600 * 1000
    expect(problemsOf(await findings(nowMs + years))).toMatchObject([
      { subject: 'tls', text: expect.stringMatching(/has ended/) },
    ])
    await chmod(join(tls, 'ca-key.pem'), 0o644)
    expect(problemsOf(await findings(nowMs))).toMatchObject([
      { remedy: expect.stringMatching(/chmod 600/) },
    ])
  })

  it('knows of interrupted imports and ledgers that never came to be', async () => {
    await mkdir(join(folder, 'imports', 'old'), { recursive: true })
    await mkdir(join(folder, 'ledgers', 'half'))
    const found = await findings()
    expect(problemsOf(found)).toEqual([])
    expect(
      found
        .filter(({ level }) => level === 'note')
        .map(({ subject }) => subject)
        .sort(),
    ).toEqual(expect.arrayContaining(['half', 'old']))
  })
})
