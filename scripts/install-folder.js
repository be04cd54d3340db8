/**
 * `node scripts/install-folder.js FOLDER`: installs what the lock file of a folder asks for, unless it is there. For
 * tools of tests that are too large for the dependencies of everybody.
 */
import { resolve } from 'node:path'
import { ensureInstalled } from './prepare.js'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Name the folder: node scripts/install-folder.js FOLDER')
ensureInstalled(resolve(folder))
