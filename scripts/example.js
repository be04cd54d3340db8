/**
 * `node scripts/example.js NAME ARGS`: runs an example. In a clone that was only started, its clients are installed
 * first, into the folder of the examples: those of all tests would come with them into the root's.
 */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkNodeVersion, ensureInstalled, examplesFolder, isInstalled, root } from './prepare.js'

const [name, ...args] = process.argv.slice(2)
if (name === undefined) throw new Error('Name the example: node scripts/example.js NAME')

checkNodeVersion()
ensureInstalled('start')
if (!isInstalled('all')) ensureInstalled('all', examplesFolder)

// Resolved as the example's own imports are: from its folder's parents.
const loader = createRequire(join(examplesFolder, 'package.json')).resolve('tsx')
const program = join(examplesFolder, name, 'src', 'main.ts')
const { status, error } = spawnSync(
  process.execPath,
  ['--conditions=@cairn/source', '--import', pathToFileURL(loader).href, program, ...args],
  { cwd: root, stdio: 'inherit' },
)
if (error) throw error
process.exitCode = status ?? 1
