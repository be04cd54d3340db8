/**
 * Clones this repository into a temporary folder, runs `npm start` there as a newcomer would, talks to it with the real
 * driver of this folder, runs the examples of the README, stops it, starts it again on the same data and looks for what
 * was written. The clone holds committed files only.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { checkNodeVersion, ensureInstalled, root } from './prepare.js'

/** Installing and building on a slow line and a busy machine. */
const firstReadyMsMax = 600_000
/** "Ready in seconds on later starts"; the rest is for a busy machine. */
const laterReadyMsMax = 20_000
const stopMsMax = 15_000
const pollMs = 50

/** Of the clone: written by npm at each installation. */
const listPath = join('node_modules', '.package-lock.json')
/** Nothing of it is needed to run Cairn; all are large. */
const toolsOfTests = ['@biomejs/biome', '@foundry-rs/cast', 'ethers', 'viem', 'vitest']

checkNodeVersion()
ensureInstalled('all')
const folder = mkdtempSync(join(tmpdir(), 'cairn-fresh-start-'))
const clone = join(folder, 'cairn')
const readyFile = join(folder, 'ready.json')
let daemon

try {
  runOrThrow('git', ['clone', '--quiet', root, clone], folder)
  const first = await start(firstReadyMsMax)
  readyCheck(first, 'write')
  readyCheck(first, 'read')
  const tool = toolsOfTests.find((name) => existsSync(join(clone, 'node_modules', name)))
  if (tool !== undefined) throw new Error(`npm start installed ${tool}, which only tests use`)
  const installedMs = statSync(join(clone, listPath)).mtimeMs
  for (const example of ['vehicle-registration', 'erc20-token']) {
    const words = ['run', '--silent', `example:${example}`, '--', `--ready-file=${readyFile}`]
    runOrThrow('npm', words, clone)
  }
  // First the process that the ready file names, as a supervisor would; then npm, as a terminal would.
  process.kill(first.pid, 'SIGTERM')
  await stopped()
  const second = await start(laterReadyMsMax)
  readyCheck(second, 'read')
  if (statSync(join(clone, listPath)).mtimeMs !== installedMs) {
    throw new Error('something was installed again')
  }
  daemon.kill('SIGTERM')
  await stopped()
  console.log('Fresh start passed.')
} catch (error) {
  console.error(`Fresh start failed: ${error.message}`)
  process.exitCode = 1
} finally {
  // The server takes its ready file away when it stops: while the file is there, the server may be, too.
  if (existsSync(readyFile)) killHard(JSON.parse(readFileSync(readyFile, 'utf8')).pid)
  if (daemon !== undefined && daemon.exitCode === null) daemon.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

/** Starts the daemon in the clone and answers what its ready file says. */
async function start(readyMsMax) {
  rmSync(readyFile, { force: true })
  const args = ['--data-dir', join(folder, 'data'), '--ready-file', readyFile]
  const ports = ['--listen', '127.0.0.1:0', '--tls-listen', '127.0.0.1:0']
  const startedMs = Date.now()
  daemon = spawn('npm', ['start', '--', ...args, ...ports], {
    cwd: clone,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  while (!existsSync(readyFile)) {
    if (daemon.exitCode !== null) throw new Error(`npm start ended with ${daemon.exitCode}`)
    if (Date.now() - startedMs > readyMsMax) throw new Error(`not ready in ${readyMsMax} ms`)
    await delay(pollMs)
  }
  const mode = (statSync(readyFile).mode & 0o777).toString(8)
  if (mode !== '600') throw new Error(`the ready file has mode ${mode}`)
  console.log(`Ready after ${Date.now() - startedMs} ms.`)
  return JSON.parse(readFileSync(readyFile, 'utf8'))
}

async function stopped() {
  const startedMs = Date.now()
  if (daemon.exitCode === null && daemon.signalCode === null) {
    await once(daemon, 'exit', { signal: AbortSignal.timeout(stopMsMax) })
  }
  if (daemon.exitCode !== 0) {
    throw new Error(`npm start ended with ${daemon.exitCode ?? daemon.signalCode} after SIGTERM`)
  }
  console.log(`Stopped after ${Date.now() - startedMs} ms.`)
}

function killHard(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It had ended.
  }
}

/** In a process of its own, since Node reads NODE_EXTRA_CA_CERTS only when it starts. */
function readyCheck(ready, action) {
  const script = join(root, 'scripts', 'ready-check.js')
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: ready.caFile }
  runOrThrow(process.execPath, [script, ready.endpoints.apiTls, action], root, env)
}

function runOrThrow(program, args, cwd, env = process.env) {
  const { status, error } = spawnSync(program, args, { cwd, env, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`)
}
