/**
 * `node scripts/install-folder.js FOLDER`: installs all that the lock file of a folder asks for, unless it is there.
 * Commands of the root begin with it, since `npm start` installs less than they use; so do tests whose tools are too
 * large for the dependencies of everybody.
 */
import { resolve } from 'node:path'
import { checkNodeVersion, ensureInstalled } from './prepare.js'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Name the folder: node scripts/install-folder.js FOLDER')
checkNodeVersion()
ensureInstalled('all', resolve(folder))
