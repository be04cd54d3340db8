/**
 * `npm start -- ARGS`: installs and builds what is missing, then runs `cairn up ARGS` in this same process, so that
 * signals, terminal and exit code are the program's own.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkNodeVersion, ensureBuilt, ensureInstalled, root } from './prepare.js'

checkNodeVersion()
ensureInstalled('start')
ensureBuilt()

const program = join(root, 'apps', 'cli', 'bin', 'cairn.js')
process.argv = [process.execPath, program, 'up', ...process.argv.slice(2)]
await import(pathToFileURL(program).href)
