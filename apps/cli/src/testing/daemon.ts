/** `cairn up` as a process of its own, for tests that kill it. Runs what `npm run build` made. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, watch } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const program = join(root, 'apps', 'cli', 'bin', 'cairn.js')
/** Starting and ending take a second or two; the rest is for a slow and busy machine. */
const readyTimeoutMs = 300_000
const endTimeoutMs = 300_000

export interface Daemon {
  readonly api: string
  readonly pid: number
  /** Of JSON-RPC; undefined unless the arguments ask for an Ethereum node. */
  readonly ethereum: { readonly http: string; readonly account: string } | undefined
  /** From spawning the process to its ready file. */
  readonly startMs: number
  /** What it has logged so far. */
  errorOutput(): string
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>
  /** Sends SIGTERM, waits for the end and answers the exit code. */
  stop(): Promise<number | null>
  /** Sends SIGTERM to a server whose command line `before` starts another one behind it, and waits for that. */
  restart(): Promise<Pick<Daemon, 'api' | 'pid'>>
}

interface ReadyFile {
  readonly pid: number
  readonly endpoints: {
    readonly api: string
    readonly ethereum?: {
      readonly http: string
      readonly devAccount?: { readonly address: string }
    }
  }
}

/** Once before the tests of a file. */
export function buildProgram(): void {
  const { status, stderr } = spawnSync('npm', ['run', 'build'], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed:\n${stderr}`)
}

/** An Ethereum node beside the ledgers, on any free ports. */
export const withEthereum: readonly string[] = ['http', 'ws'].flatMap((kind) => [
  `--ethereum-${kind}`,
  '127.0.0.1:0',
])

/** The command line of a server on any free ports. */
export function upCommand(dataDirectory: string, args: readonly string[] = []): string[] {
  const ports = ['--listen', '127.0.0.1:0', '--tls-listen', '127.0.0.1:0']
  const without = args.includes('--ethereum-http') ? [] : ['--no-ethereum']
  const line = [process.execPath, program, 'up', '--data-dir', dataDirectory, ...ports]
  return [...line, ...without, ...args]
}

/** @param before A command line that runs what follows it, somewhere else. */
export async function startDaemon(
  dataDirectory: string,
  args: readonly string[] = [],
  before: readonly string[] = [],
): Promise<Daemon> {
  const readyFile = join(dirname(dataDirectory), 'ready.json')
  await rm(readyFile, { force: true })
  const startedMs = performance.now()
  const line = [...before, ...upCommand(dataDirectory, ['--ready-file', readyFile, ...args])]
  const [file = '', ...words] = line
  // A group of its own, which ends together when the start fails.
  const child = spawn(file, words, { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  const errors: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  const errorOutput = () => Buffer.concat(errors).toString()
  const untilReady = async () => {
    try {
      await waitForFile(readyFile, child)
    } catch (cause) {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
      throw new Error(`the server did not start:\n${errorOutput()}`, { cause })
    }
  }
  await untilReady()
  const startMs = performance.now() - startedMs
  let pid = 0
  const readReadyFile = async () => {
    const text = await readFile(readyFile, 'utf8')
    const info = JSON.parse(text) as ReadyFile
    pid = info.pid
    const { api, ethereum } = info.endpoints
    const { http = '', devAccount } = ethereum ?? {}
    const node = ethereum && { http, account: devAccount?.address ?? '' }
    return { pid, api, ethereum: node }
  }
  const first = await readReadyFile()
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    const isOver = once(child, 'exit')
    // Not the child, which may be a shell that waits for it and would go on.
    if (signal === 'SIGTERM') process.kill(pid, signal)
    else if (child.pid !== undefined) process.kill(-child.pid, signal)
    await isOver
    return child.exitCode
  }
  return {
    ...first,
    startMs,
    errorOutput,
    async kill() {
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
    async restart() {
      await rm(readyFile)
      process.kill(pid, 'SIGTERM')
      await untilReady()
      return readReadyFile()
    },
  }
}

/** Runs to its end, which must come. Answers exit code and what was said; null when it had to be killed. */
export function runToEnd(line: readonly string[]): {
  readonly exitCode: number | null
  readonly errorOutput: string
} {
  const [file = '', ...words] = line
  const options = { encoding: 'utf8', timeout: endTimeoutMs, killSignal: 'SIGKILL' } as const
  const { status, stderr } = spawnSync(file, words, options)
  return { exitCode: status, errorOutput: stderr }
}

/** The file is written whole by rename, so its name is enough. */
function waitForFile(path: string, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error) => {
      clearTimeout(timer)
      watcher.close()
      child.off('exit', onExit)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onExit = () => finish(new Error('it ended'))
    const timer = setTimeout(() => finish(new Error('it took too long')), readyTimeoutMs)
    const watcher = watch(dirname(path), () => {
      if (existsSync(path)) finish()
    })
    child.on('exit', onExit)
    if (existsSync(path)) finish()
  })
}
