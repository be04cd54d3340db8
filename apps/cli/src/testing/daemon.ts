/** `cairn up` as a process of its own, for tests that kill it. Runs what `npm run build` made. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, watch } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../bin/cairn.js', import.meta.url))
/** A start that takes longer has failed. */
const readyTimeoutMs = 30_000

export interface Daemon {
  readonly api: string
  /** From spawning the process to its ready file. */
  readonly startMs: number
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>
}

export async function startDaemon(
  dataDirectory: string,
  args: readonly string[] = [],
): Promise<Daemon> {
  const readyFile = join(dirname(dataDirectory), 'ready.json')
  await rm(readyFile, { force: true })
  const startedMs = performance.now()
  const where = ['--data-dir', dataDirectory, '--ready-file', readyFile]
  const ports = ['--listen', '127.0.0.1:0', '--tls-listen', '127.0.0.1:0']
  const child = spawn(process.execPath, [program, 'up', ...where, ...ports, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const errors: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  try {
    await waitForFile(readyFile, child)
  } catch (cause) {
    child.kill('SIGKILL')
    throw new Error(`the server did not start:\n${Buffer.concat(errors)}`, { cause })
  }
  const startMs = performance.now() - startedMs
  const { endpoints } = JSON.parse(await readFile(readyFile, 'utf8')) as {
    endpoints: { api: string }
  }
  return {
    api: endpoints.api,
    startMs,
    async kill() {
      const isOver = once(child, 'exit')
      child.kill('SIGKILL')
      await isOver
    },
  }
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
