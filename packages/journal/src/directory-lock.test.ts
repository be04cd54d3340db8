import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDirectory } from './directory-lock.ts'

const source = fileURLToPath(new URL('./directory-lock.ts', import.meta.url))

/** A process of its own that locks the folder, says so, and stays until it is killed. */
async function spawnHolder(directory: string): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    const { lockDirectory } = await import(${JSON.stringify(pathToFileURL(source).href)})
    try {
      await lockDirectory(${JSON.stringify(directory)})
      console.log('locked')
    } catch (error) {
      console.log(error.code + ' ' + error.data.pid)
    }
    setInterval(() => {}, 1000)`
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=@cairn/source', '--input-type=module', '--eval', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return { child, said: String(chunk).trim() }
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

describe('the lock of a folder', () => {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-lock-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('is taken, refused to a second, and given free', async () => {
    const folder = `${directory}/new/one`
    const lock = await lockDirectory(folder)
    await expect(lockDirectory(folder)).rejects.toMatchObject({
      code: 'LOCKED',
      data: { directory: folder, pid: process.pid, host: hostname() },
    })
    await lock.release()
    await lock.release()
    expect(await readdir(folder)).toEqual([])
    const again = await lockDirectory(folder)
    await again.release()
  })

  it('goes to exactly one of many that ask at once', async () => {
    for (let round = 0; round < 5; round++) {
      const asked = Array.from({ length: 8 }, () => lockDirectory(directory))
      const outcomes = await Promise.allSettled(asked)
      const held = outcomes.filter((outcome) => outcome.status === 'fulfilled')
      expect(held.length).toBe(1)
      for (const outcome of held) await outcome.value.release()
    }
  })

  it('names the process that holds it, and survives its being killed', async () => {
    const { child, said } = await spawnHolder(directory)
    expect(said).toBe('locked')
    await expect(lockDirectory(directory)).rejects.toThrow(
      `The folder is in use by process ${child.pid} on this machine.`,
    )
    const second = await spawnHolder(directory)
    expect(second.said).toBe(`LOCKED ${child.pid}`)
    await kill(second.child)
    await kill(child)
    expect((await readdir(directory)).length).toBe(1)
    const lock = await lockDirectory(directory)
    expect((await readdir(directory)).length).toBe(1)
    await lock.release()
  })

  it.runIf(process.platform === 'linux')(
    'is not held by a reused pid or by another boot',
    async () => {
      const lock = await lockDirectory(directory)
      const [name] = await readdir(directory)
      const path = `${directory}/${name}`
      const text = await readFile(path, 'utf8')
      await lock.release()
      for (const [from, to] of [
        [/"startTime":"\d+"/, '"startTime":"1"'],
        [/"bootId":"[^"]+"/, '"bootId":"another"'],
      ] as const) {
        await writeFile(path, text.replace(from, to))
        const taken = await lockDirectory(directory)
        expect(await readdir(directory)).not.toContain(name)
        await taken.release()
      }
    },
  )

  it('believes a holder on another machine, and a file that says nothing', async () => {
    const lock = await lockDirectory(directory)
    const [name] = await readdir(directory)
    const path = `${directory}/${name}`
    const text = await readFile(path, 'utf8')
    await lock.release()
    await writeFile(path, text.replace(/"host":"[^"]*"/, '"host":"elsewhere"'))
    await expect(lockDirectory(directory)).rejects.toThrow("on machine 'elsewhere'")
    await expect(lockDirectory(directory)).rejects.toThrow('delete the lock file')
    await writeFile(path, '')
    await expect(lockDirectory(directory)).rejects.toThrow(path)
    await rm(path)
    await (await lockDirectory(directory)).release()
  })
})
