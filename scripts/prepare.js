/**
 * What every root command does first on a fresh clone: look at the Node version, install, build. Plain JavaScript with
 * Node alone, since nothing else is there yet.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Has a lock file of its own, so that an example runs in a clone that was only started. */
export const examplesFolder = join(root, 'examples')
const manifestFile = join(root, 'package.json')

/** Ends the process with a message when this Node is older than `engines` in package.json asks for. */
export function checkNodeVersion() {
  const wanted = JSON.parse(readFileSync(manifestFile, 'utf8')).engines.node.replace('>=', '')
  const [major, minor] = wanted.split('.').map(Number)
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number)
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return
  console.error(`Cairn needs Node.js ${wanted} or newer; this is ${process.version}.`)
  console.error('Install a current release from https://nodejs.org and run the command again.')
  process.exit(1)
}

/**
 * Installs what is missing, exactly as the lock file says, and takes nothing away that is asked for there.
 * @param needs 'start' for what builds and runs Cairn, 'all' for what tests, checks and benchmarks use, too.
 * @param folder One with a lock file of its own.
 */
export function ensureInstalled(needs, folder = root) {
  const plan = planIn(folder, needs)
  if (plan === undefined) return
  const path = relative(root, folder)
  const isWhole = path === '' && plan.needs === 'all'
  const of = path === '' ? '' : ` of ${path}`
  const withTools = isWhole ? ', tests and tools included' : ''
  console.error(`Installing dependencies${of}${withTools}, once …`)
  runNpm(plan, folder)
  // An addition trusts npm's list of what is there. Where packages were changed since, only a new beginning helps.
  if (plan.command === 'install' && planIn(folder, needs) !== undefined) {
    runNpm({ ...plan, command: 'ci' }, folder)
  }
  // The examples find theirs among the root's now.
  if (isWhole) rmSync(join(examplesFolder, 'node_modules'), { recursive: true, force: true })
}

/** Whether {@link ensureInstalled} would do nothing. */
export function isInstalled(needs, folder = root) {
  return planIn(folder, needs) === undefined
}

/** Compiles what changed since the last time: about a second when nothing did. */
export function ensureBuilt() {
  if (!existsSync(join(root, 'apps', 'cli', 'dist'))) console.error('Building, once …')
  const compiler = join(root, 'node_modules', 'typescript-native', 'bin', 'tsc')
  run(process.execPath, [compiler, '--build'], 'The build failed; see the messages above.')
  const evm = join(root, 'scripts', 'build-evm.js')
  run(process.execPath, [evm], 'The EVM could not be built; see the messages above.')
}

/**
 * What to ask of npm, or undefined when all is there. By content and not by age: a checkout touches the lock file
 * without changing it, and an installation that somebody stopped half way leaves no list.
 * @param wanted `packages` of package-lock.json.
 * @param present The same of what lies in node_modules, or undefined when nothing is known about that.
 * @param needs See {@link ensureInstalled}.
 * @returns `install` adds to what is there, from which a server may be running; `ci` empties node_modules first. Their
 * `needs` are 'all' where the packages of tests are there, so that no start takes them away.
 */
export function planInstallation(wanted, present, needs) {
  if (present === undefined) return { command: 'ci', needs }
  let isWhole = true
  let hasOther = false
  let hasTools = false
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue
    const found = present[path]
    // An optional one that is missing is often for another platform than this one.
    const isGood = found ? found.version === entry.version : entry.optional || entry.devOptional
    if (!isGood && (needs === 'all' || !entry.dev)) isWhole = false
    if (found && !isGood) hasOther = true
    if (found && entry.dev) hasTools = true
  }
  if (isWhole) return undefined
  return { command: hasOther ? 'ci' : 'install', needs: hasTools ? 'all' : needs }
}

function planIn(folder, needs) {
  // npm writes it at the end of an installation: what lies in node_modules, in the form of a lock file.
  const listFile = join(folder, 'node_modules', '.package-lock.json')
  const present = existsSync(listFile) ? packagesIn(listFile) : undefined
  return planInstallation(packagesIn(join(folder, 'package-lock.json')), present, needs)
}

function packagesIn(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages
}

function runNpm({ command, needs }, folder) {
  const isWindows = process.platform === 'win32'
  const isOurs = ['', 'examples'].includes(relative(root, folder))
  const args = [
    command,
    // What a user's settings (`omit`, `package-lock`, NODE_ENV=production) could change is said here.
    needs === 'all' ? '--include=dev' : '--omit=dev',
    // The compiler and LMDB have a package for each platform, and npm calls those optional. A folder of tools says in
    // its .npmrc whether it wants such.
    ...(isOurs ? ['--include=optional', '--include=peer'] : []),
    ...(command === 'install' ? ['--package-lock', '--no-save'] : []),
    // None is needed, and npm before 11 would run them all: it does not know `allowScripts`.
    '--ignore-scripts',
    ...['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'],
  ]
  run(
    isWindows ? 'npm.cmd' : 'npm',
    args,
    'The installation failed. Is the package registry reachable? See above.',
    { cwd: folder, shell: isWindows },
  )
}

function run(program, args, failure, options = {}) {
  // Standard output belongs to the command that follows.
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', process.stderr, 'inherit'],
    ...options,
  })
  if (status === 0) return
  if (error) console.error(error.message)
  console.error(failure)
  process.exit(1)
}
