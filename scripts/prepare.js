/**
 * What every root command does first on a fresh clone: look at the Node version, install, build. Plain JavaScript with
 * Node alone, since nothing else is there yet.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
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
 * Runs `npm ci` unless node_modules holds just what package-lock.json asks for.
 * @param folder One with a lock file of its own.
 */
export function ensureInstalled(folder = root) {
  if (isInstalled(folder)) return
  const where = folder === root ? '' : ` of ${relative(root, folder)}`
  console.error(`Installing dependencies${where} (npm ci), once …`)
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const args = ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  run(npm, args, 'The installation failed. Is the package registry reachable? See above.', {
    cwd: folder,
    shell: process.platform === 'win32',
  })
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
 * By content and not by age: a checkout touches the lock file without changing it, and an installation that somebody
 * stopped half way leaves no list.
 */
function isInstalled(folder) {
  const lockFile = join(folder, 'package-lock.json')
  // npm writes it at the end of an installation: what lies in node_modules, in the form of a lock file.
  const installedFile = join(folder, 'node_modules', '.package-lock.json')
  if (!existsSync(installedFile)) return false
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages
  const present = JSON.parse(readFileSync(installedFile, 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.optional || entry.devOptional) return true
    const found = present[path]
    return found !== undefined && (entry.link === true || found.version === entry.version)
  })
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
