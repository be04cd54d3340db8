import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReadyInfo } from '@cairn/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const anyPorts = ['listen', 'tls-listen', 'ethereum-http', 'ethereum-ws'].flatMap((name) => [
  `--${name}`,
  '127.0.0.1:0',
])
/** Stopping takes a few ms; the rest is for a busy machine. */
const stopMsMax = 300_000

interface Program {
  readonly child: ChildProcess
  /** Resolves when the process has ended and all its output is here. */
  readonly closed: Promise<unknown>
  output(): string
  errorOutput(): string
}

let folder: string
let children: ChildProcess[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-up-'))
  children = []
})
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const isOver = once(child, 'exit')
    child.kill('SIGKILL')
    await isOver
  }
  await rm(folder, { recursive: true })
})

/** `cairn up` from source in a process of its own. */
function up(...args: string[]): Program {
  const source = ['--conditions=@cairn/source', '--import', 'tsx', 'apps/cli/src/program.ts']
  const child = spawn(process.execPath, [...source, 'up', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
    })
  }
  const closed = once(child, 'close')
  return { child, closed, output: () => texts.stdout, errorOutput: () => texts.stderr }
}

function dataDirectory(name = 'data'): string[] {
  return ['--data-dir', join(folder, name)]
}

/** Resolves when the banner is out, which comes after the ready file. */
async function ready({ child, output, errorOutput }: Program): Promise<void> {
  const exit = once(child, 'exit').then(() => {
    throw new Error(`the server ended early:\n${errorOutput()}`)
  })
  while (!output().includes('\n')) await Promise.race([once(child.stdout ?? child, 'data'), exit])
  exit.catch(() => undefined)
}

async function exitCodeOf({ child, closed }: Program): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
  await closed
  clearTimeout(timer)
  return child.exitCode
}

describe('cairn up', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'writes its ready file, and ends with 0 on %s',
    async (signal) => {
      const readyFile = join(folder, 'ready.json')
      const server = up(...dataDirectory(), ...anyPorts, '--ready-file', readyFile)
      await ready(server)
      expect((await stat(readyFile)).mode & 0o777).toBe(0o600)
      const info = JSON.parse(await readFile(readyFile, 'utf8')) as ReadyInfo
      expect(info.pid).toBe(server.child.pid)
      expect(info.caFile).toBe(join(folder, 'data', 'tls', 'ca.pem'))
      expect(server.output()).toContain(info.endpoints.api)
      expect(server.output()).toContain(`npx cairn sql my-ledger --endpoint ${info.endpoints.api}`)

      server.child.kill(signal)
      expect(await exitCodeOf(server)).toBe(0)
      expect(existsSync(readyFile)).toBe(false)
      const events = server.errorOutput().trim().split('\n')
      expect(events.map((line) => JSON.parse(line).message)).toEqual([
        'Ethereum node is up.',
        'Serving.',
        'Stopped.',
      ])
    },
  )

  it('refuses a folder that another process holds, and names that process', async () => {
    const first = up(...dataDirectory(), ...anyPorts)
    await ready(first)
    const second = up(...dataDirectory(), ...anyPorts)
    expect(await exitCodeOf(second)).toBe(1)
    expect(second.errorOutput()).toContain(`in use by process ${first.child.pid}`)
    expect(second.output()).toBe('')
  })

  it('refuses a port that is taken, and says what to do', async () => {
    const first = up(...dataDirectory(), ...anyPorts, '--json')
    await ready(first)
    const { endpoints } = JSON.parse(first.output()) as ReadyInfo
    const address = new URL(endpoints.api).host
    const second = up(...dataDirectory('other'), ...anyPorts.slice(2), '--listen', address)
    expect(await exitCodeOf(second)).toBe(1)
    expect(second.errorOutput()).toContain(`error: Another program listens on ${address}.`)
    expect(second.errorOutput()).toContain('--listen 127.0.0.1:0')
  })
})
